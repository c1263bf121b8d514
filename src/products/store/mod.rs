//! All statements on products.
//! Visibility by scope: `All` sees every product, website staff active ones and those sold there, a seller active ones
//! and their own, everyone else active ones. Only `All`, website staff and the seller may edit.

pub mod bulk;
mod conditions;
mod export;
mod groups;
pub(crate) mod history;
pub mod lookup;
pub mod name_indexes;
mod offers;
pub mod trees;

use std::ops::Deref;

use chrono::{DateTime, Utc};
use diesel::{dsl::array, pg::Pg, prelude::*, query_builder::QueryFragment, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use self::{conditions::condition, groups::FirstOfGroup};
pub use self::{
    export::PRODUCTS,
    groups::variants_by_group_ids,
    offers::{links, lock_linked, new_link, offers_by_product_ids, update_links},
};
use super::model::{
    NewProduct, ProductCondition, ProductOrderField, ProductParent, ProductPatch, ProductRow, PurchaseRow,
};
use crate::{
    auth::Scope,
    db::{
        Conn, PlanMode,
        filter::{Condition, Filter, Op, constant},
        sql::{BoxedSelect, Collated, CountUpTo, ParentId, PerParent, collated},
        tables::{categories, products},
        write_statements::free_slug,
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{CategoryId, ProductId},
    paged,
    paging::List,
    websites::{model::WebsiteOp, name_order::NameOrder},
};

/// A list of products.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProductList {
    /// Filter, sort order and page of the list.
    pub list: List<ProductCondition, ProductOrderField>,
    /// Whether the list has only the first product of each group.
    pub one_per_group: bool,
    /// The order of names.
    pub name_order: NameOrder,
}

impl From<List<ProductCondition, ProductOrderField>> for ProductList {
    fn from(list: List<ProductCondition, ProductOrderField>) -> Self {
        Self { list, one_per_group: false, name_order: NameOrder::default() }
    }
}

impl Deref for ProductList {
    type Target = List<ProductCondition, ProductOrderField>;

    fn deref(&self) -> &Self::Target {
        &self.list
    }
}

type Rows = BoxedSelect<products::table, ProductRow>;

/// Returns the condition for products that a scope may see.
pub fn visible(scope: &Scope) -> Condition<'static, products::table> {
    match scope {
        Scope::All => constant(true),
        Scope::Seller { seller, .. } => Box::new(
            products::is_active
                .or(products::seller_id.is_not_null().and(products::seller_id.assume_not_null().eq(*seller))),
        ),
        Scope::Websites(_, websites) => {
            Box::new(products::is_active.or(products::source_website_id.eq_any(websites.to_vec())))
        }
        Scope::Own(_) | Scope::Guest(_) | Scope::Public => Box::new(products::is_active),
    }
}

/// Returns the condition for products that a scope may edit.
pub fn writable(scope: &Scope) -> Condition<'static, products::table> {
    match scope {
        Scope::All => constant(true),
        Scope::Seller { seller, .. } => {
            Box::new(products::seller_id.is_not_null().and(products::seller_id.assume_not_null().eq(*seller)))
        }
        Scope::Websites(_, websites) => Box::new(products::source_website_id.eq_any(websites.to_vec())),
        Scope::Own(_) | Scope::Guest(_) | Scope::Public => constant(false),
    }
}

/// Returns the condition for the rows of a list.
fn list_condition(
    scope: &Scope,
    list: &ProductList,
    parent: Option<ProductParent>,
) -> Condition<'static, products::table> {
    let mut combined = visible(scope);
    if !list.filter.is_empty() {
        combined = Box::new(combined.and(list.filter.condition(&condition)));
    }
    if let Some(parent) = parent {
        combined = Box::new(combined.and(of_parent(parent)));
    }
    combined
}

fn rows(scope: &Scope, list: &ProductList, parent: Option<ProductParent>) -> Rows {
    let condition = || list_condition(scope, list, parent);
    let rows = products::table.select(ProductRow::as_select()).into_boxed().filter(condition());
    if !list.one_per_group {
        return rows;
    }
    let key: Box<dyn QueryFragment<Pg> + Send> = match list.order {
        ProductOrderField::CreatedAt => Box::new(products::created_at),
        ProductOrderField::Name => Box::new(name_in_order(list)),
        ProductOrderField::Price => Box::new(products::price),
        ProductOrderField::Rating => Box::new(products::rating_average),
        ProductOrderField::Sku => Box::new(products::sku),
        ProductOrderField::Stock => Box::new(products::stock),
        ProductOrderField::UpdatedAt => Box::new(products::updated_at),
    };
    rows.filter(FirstOfGroup { key, direction: list.direction, condition: condition() })
}

/// Returns the name of a product, in the order of names of a list.
fn name_in_order(list: &ProductList) -> Collated<products::name> {
    collated(products::name, list.name_order.collation())
}

fn of_parent(parent: ProductParent) -> Condition<'static, products::table> {
    match parent {
        ProductParent::Category => Box::new(products::category_id.assume_not_null().eq(ParentId)),
        ProductParent::CategoryTree => {
            let below = categories::table
                .filter(categories::path.contains(array::<BigInt, _>((ParentId,))))
                .select(categories::id);
            Box::new(products::category_id.assume_not_null().eq_any(below))
        }
        ProductParent::Brand => Box::new(products::brand_id.assume_not_null().eq(ParentId)),
        ProductParent::Supplier => Box::new(products::supplier_id.assume_not_null().eq(ParentId)),
        ProductParent::Website => Box::new(products::source_website_id.eq(ParentId)),
        ProductParent::Group => Box::new(products::group_id.assume_not_null().eq(ParentId)),
    }
}

/// Returns the plan mode of a list. Generic plans are kept for lists that an index returns in their order for any
/// value, or that have at most one row per value. Otherwise the best plan depends on the number of matching products:
/// many are read in order until a page is full, few are found and then sorted.
pub fn plans(list: &ProductList) -> PlanMode {
    use ProductCondition as C;
    let Filter::And(all) = &list.filter else { return PlanMode::Custom };
    let is_held = match (all.as_slice(), list.order) {
        ([], _) => true,
        ([Filter::Is(C::Id(_) | C::Sku(Op::Eq(_)) | C::Barcode(Op::Eq(_)))], _) => true,
        ([Filter::Is(C::Category(Op::Eq(_)))], order) => order != ProductOrderField::Name,
        ([Filter::Is(one)], ProductOrderField::CreatedAt) => {
            matches!(
                one,
                C::Brand(Op::Eq(_))
                    | C::Supplier(Op::Eq(_))
                    | C::Seller(Scope::All, Op::Eq(_))
                    | C::SourceWebsite(WebsiteOp::Id(Op::Eq(_)) | WebsiteOp::Code(_))
            )
        }
        _ => false,
    };
    if is_held { PlanMode::Generic } else { PlanMode::Custom }
}

fn on_page(query: Rows, list: &ProductList) -> Result<Rows> {
    let (page, direction) = (&list.page, list.direction);
    Ok(match list.order {
        ProductOrderField::CreatedAt => {
            paged!(query, page, direction, products::created_at, DateTime<Utc>, products::id)
        }
        ProductOrderField::Name => {
            paged!(query, page, direction, name_in_order(list), String, products::id)
        }
        ProductOrderField::Price => paged!(query, page, direction, products::price, Decimal, products::id),
        ProductOrderField::Rating => paged!(query, page, direction, products::rating_average, Decimal, products::id),
        ProductOrderField::Sku => paged!(query, page, direction, products::sku, String, products::id),
        ProductOrderField::Stock => paged!(query, page, direction, products::stock, i32, products::id),
        ProductOrderField::UpdatedAt => {
            paged!(query, page, direction, products::updated_at, DateTime<Utc>, products::id)
        }
    })
}

/// Returns the visible products with these IDs, in no particular order.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[ProductId]) -> Result<Vec<ProductRow>> {
    let query = products::table.filter(products::id.eq_any(ids)).select(ProductRow::as_select()).into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// Returns the products with these IDs, including deactivated ones: those of order lines and stock movements stay
/// readable.
pub async fn by_ids_including_inactive(mut conn: &Conn, ids: &[ProductId]) -> Result<Vec<ProductRow>> {
    Ok(products::table.filter(products::id.eq_any(ids)).select(ProductRow::as_select()).load(&mut conn).await?)
}

/// Returns the purchase details of these products, in no particular order.
pub async fn purchases_by_ids(mut conn: &Conn, ids: &[ProductId]) -> Result<Vec<PurchaseRow>> {
    Ok(products::table.filter(products::id.eq_any(ids)).select(PurchaseRow::as_select()).load(&mut conn).await?)
}

/// Returns whether a scope includes a loaded product; the same condition as [`visible`].
pub fn can_see(scope: &Scope, product: &ProductRow) -> bool {
    product.is_active
        || match scope {
            Scope::All => true,
            Scope::Seller { seller, .. } => product.seller_id == Some(*seller),
            Scope::Websites(_, websites) => websites.contains(&product.source_website_id),
            Scope::Own(_) | Scope::Guest(_) | Scope::Public => false,
        }
}

/// Returns a page of the visible products.
pub async fn page(mut conn: &Conn, scope: &Scope, list: &ProductList) -> Result<Vec<ProductRow>> {
    Ok(on_page(rows(scope, list, None), list)?.load(&mut conn).await?)
}

/// Returns the number of visible products that match.
pub async fn count(mut conn: &Conn, scope: &Scope, list: &ProductList) -> Result<i64> {
    Ok(CountUpTo(rows(scope, list, None)).get_result(&mut conn).await?)
}

/// Returns a page of the visible products of each parent, in one statement.
pub async fn pages_by_parent_ids(
    mut conn: &Conn,
    scope: &Scope,
    parent: ProductParent,
    list: &ProductList,
    parents: Vec<i64>,
) -> Result<Vec<(i64, ProductRow)>> {
    let query = on_page(rows(scope, list, Some(parent)), list)?;
    Ok(PerParent { parents, query }.load(&mut conn).await?)
}

/// Returns the number of visible products of each parent that match, in one statement.
pub async fn counts_by_parent_ids(
    mut conn: &Conn,
    scope: &Scope,
    parent: ProductParent,
    list: &ProductList,
    parents: Vec<i64>,
) -> Result<Vec<(i64, i64)>> {
    let query = CountUpTo(rows(scope, list, Some(parent)));
    Ok(PerParent { parents, query }.load(&mut conn).await?)
}

/// Locks products in ID order, which prevents deadlocks between writers.
pub async fn lock(mut conn: &Conn, ids: &[ProductId]) -> Result<Vec<ProductRow>> {
    let query = products::table.filter(products::id.eq_any(ids)).order(products::id).select(ProductRow::as_select());
    Ok(query.for_no_key_update().load(&mut conn).await?)
}

/// Locks a product that the scope may edit.
pub async fn lock_writable(mut conn: &Conn, scope: &Scope, id: ProductId) -> Result<Option<ProductRow>> {
    let writable = products::table.filter(writable(scope)).filter(products::id.eq(id)).select(ProductRow::as_select());
    Ok(writable.for_no_key_update().first(&mut conn).await.optional()?)
}

/// Locks the products of a category, in ID order.
pub async fn lock_in_category(mut conn: &Conn, category: CategoryId) -> Result<()> {
    let query = products::table.filter(products::category_id.assume_not_null().eq(category)).order(products::id);
    query.select(products::id).for_no_key_update().execute(&mut conn).await?;
    Ok(())
}

/// Returns the number of products of a category, including deactivated ones, counted up to one more than
/// [`crate::paging::MAX_COUNT`].
pub async fn count_in_category(mut conn: &Conn, category: CategoryId) -> Result<i64> {
    let query = products::table.filter(products::category_id.assume_not_null().eq(category)).select(products::id);
    Ok(CountUpTo(query).get_result(&mut conn).await?)
}

/// Moves all products of a category to another category, or to none.
pub async fn update_category(mut conn: &Conn, from: CategoryId, to: Option<CategoryId>) -> Result<()> {
    let of_category = products::table.filter(products::category_id.assume_not_null().eq(from));
    diesel::update(of_category).set(products::category_id.eq(to)).execute(&mut conn).await.map_err(constraint_error)?;
    Ok(())
}

free_slug! { products }

/// Inserts a product.
/// # Errors
/// Returns TAKEN for SKU, slug and options; NOT_FOUND for website, category, brand, supplier and group; INVALID for a
/// group of another website, and for options that do not match the group.
pub async fn insert(mut conn: &Conn, new: &NewProduct) -> Result<ProductRow> {
    let query = diesel::insert_into(products::table).values(new).returning(ProductRow::as_returning());
    query.get_result(&mut conn).await.map_err(constraint_error)
}

/// Updates a product.
/// # Errors
/// Returns those of [`insert`].
pub async fn update(mut conn: &Conn, id: ProductId, patch: &ProductPatch) -> Result<ProductRow> {
    let query = diesel::update(products::table.find(id)).set(patch).returning(ProductRow::as_returning());
    query.get_result(&mut conn).await.map_err(constraint_error)
}

fn constraint_error(error: diesel::result::Error) -> Error {
    let missing =
        |field, resource: &str| UserError::new(UserErrorCode::NotFound, field, format!("there is no such {resource}"));
    Error::from(error)
        .on_constraint("products_source_website_id_sku_key", || {
            UserError::new(UserErrorCode::Taken, "sku", "another product of this website has this SKU")
        })
        .on_constraint("products_slug_key", || {
            UserError::new(UserErrorCode::Taken, "slug", "another product has this slug")
        })
        .on_constraint("products_source_website_id_fkey", || missing("sourceWebsiteId", "website"))
        .on_constraint("products_category_id_fkey", || missing("categoryId", "category"))
        .on_constraint("products_brand_id_fkey", || missing("brandId", "brand"))
        .on_constraint("products_supplier_id_fkey", || missing("supplierId", "supplier"))
        .on_constraint("products_group_id_fkey", || missing("groupId", "group"))
        .on_constraint("products_group_of_website", || {
            UserError::new(UserErrorCode::Invalid, "groupId", "the group belongs to another website")
        })
        .on_constraint("products_per_group", || {
            UserError::new(UserErrorCode::OutOfRange, "groupId", "a group has at most 1,000 products")
        })
        .on_constraint("products_group_id_option_values_key", || {
            UserError::new(UserErrorCode::Taken, "options", "another product of the group has these options")
        })
        .on_constraint("products_options_of_group", || {
            UserError::new(UserErrorCode::Invalid, "options", "give a value for each option of the group")
        })
        .on_constraint("products_options_in_group", || {
            UserError::new(UserErrorCode::Invalid, "options", "options can only be set for a product in a group")
        })
        .on_constraint("products_stock_range", || {
            let rule = "the stock is below zero; set it to 0 or more before denying backorders";
            UserError::new(UserErrorCode::Invalid, "backorders", rule)
        })
        .on_constraint("products_option_values_length", || {
            UserError::new(UserErrorCode::TooLong, "options", "each option value must have 1 to 100 characters")
        })
}
