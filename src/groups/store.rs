//! SQL statements on groups.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl;

use super::model::{
    NewProductGroup, ProductGroupCondition, ProductGroupOrderField, ProductGroupPatch, ProductGroupRow,
};
use crate::{
    db::{
        Conn,
        filter::Condition,
        list_statements::list_statements,
        sql::{name_op, op, text_op},
        tables::product_groups,
        write_statements::free_slug,
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{ProductGroupId, WebsiteId},
    websites::store::website_op,
};

fn condition(condition: &ProductGroupCondition) -> Condition<'static, product_groups::table> {
    use ProductGroupCondition as C;
    match condition {
        C::Id(id) => op!(id, product_groups::id),
        C::Name(name) => name_op!(name, product_groups::name),
        C::Slug(slug) => text_op!(slug, product_groups::slug),
        C::SourceWebsite(website) => website_op!(website, product_groups::source_website_id),
    }
}

list_statements! {
    /// A list of groups.
    ProductGroupList of ProductGroupRow in product_groups where ProductGroupCondition by ProductGroupOrderField {
        Name => name by name_order: String,
    }
}

/// Returns the rows with these ids, in no particular order.
pub async fn by_ids(mut conn: &Conn, ids: &[ProductGroupId]) -> Result<Vec<ProductGroupRow>> {
    let query = product_groups::table.filter(product_groups::id.eq_any(ids)).select(ProductGroupRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// The key of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductGroupKey {
    /// By id.
    Id(ProductGroupId),
    /// By slug.
    Slug(String),
}

/// Returns a group by its key.
pub async fn find(mut conn: &Conn, key: &ProductGroupKey) -> Result<Option<ProductGroupRow>> {
    let query = product_groups::table.select(ProductGroupRow::as_select());
    let found = match key {
        ProductGroupKey::Id(id) => query.filter(product_groups::id.eq(*id)).first(&mut conn).await,
        ProductGroupKey::Slug(slug) => query.filter(product_groups::slug.eq(slug)).first(&mut conn).await,
    };
    Ok(found.optional()?)
}

/// Returns a group and locks it against changes until the transaction ends; for adding products to it.
pub async fn lock_shared(mut conn: &Conn, id: ProductGroupId) -> Result<Option<ProductGroupRow>> {
    let query = product_groups::table.find(id).select(ProductGroupRow::as_select()).for_share();
    Ok(query.first(&mut conn).await.optional()?)
}

/// Locks a group for update and returns it.
pub async fn lock(mut conn: &Conn, id: ProductGroupId) -> Result<Option<ProductGroupRow>> {
    let query = product_groups::table.find(id).select(ProductGroupRow::as_select()).for_no_key_update();
    Ok(query.first(&mut conn).await.optional()?)
}

free_slug! { product_groups }

/// Inserts a group.
/// # Errors
/// TAKEN if the slug is in use; NOT_FOUND for an unknown website.
pub async fn insert(mut conn: &Conn, new: &NewProductGroup) -> Result<ProductGroupRow> {
    let query = diesel::insert_into(product_groups::table).values(new).returning(ProductGroupRow::as_returning());
    query.get_result(&mut conn).await.map_err(refused)
}

/// Updates a group.
/// # Errors
/// TAKEN if the slug is in use; IN_USE if products have values for removed or moved options.
pub async fn update(mut conn: &Conn, id: ProductGroupId, patch: &ProductGroupPatch) -> Result<ProductGroupRow> {
    let query = diesel::update(product_groups::table.find(id)).set(patch).returning(ProductGroupRow::as_returning());
    query.get_result(&mut conn).await.map_err(refused)
}

/// Deletes a group.
/// # Errors
/// IN_USE if it has products.
pub async fn delete(mut conn: &Conn, id: ProductGroupId) -> Result<()> {
    diesel::delete(product_groups::table.find(id)).execute(&mut conn).await.map_err(refused)?;
    Ok(())
}

/// Inserts a group for an import and returns its id. A constraint violation remains [`Error::Constraint`], so that the
/// import can distinguish a concurrent insert from a user error.
pub async fn insert_named(
    mut conn: &Conn,
    website: WebsiteId,
    slug: &str,
    name: &str,
    varies_by: &[&str],
) -> Result<ProductGroupId> {
    #[derive(QueryableByName)]
    struct Inserted {
        #[diesel(sql_type = BigInt)]
        id: ProductGroupId,
    }
    let query = sql_query(
        "INSERT INTO product_groups (source_website_id, slug, name, varies_by) VALUES ($1, $2, $3, $4) RETURNING id",
    );
    let query = query.bind::<BigInt, _>(website).bind::<Text, _>(slug).bind::<Text, _>(name);
    let row: Inserted = query.bind::<Array<Text>, _>(varies_by).get_result(&mut conn).await?;
    Ok(row.id)
}

fn refused(error: diesel::result::Error) -> Error {
    Error::from(error)
        .on_constraint("product_groups_slug_key", || {
            UserError::new(UserErrorCode::Taken, "slug", "another group has this slug")
        })
        .on_constraint("product_groups_source_website_id_fkey", || {
            UserError::new(UserErrorCode::NotFound, "sourceWebsiteId", "there is no such website")
        })
        .on_constraint("product_groups_options_held", || {
            let rule =
                "products have values for these options; options can be renamed, but not removed, added or reordered";
            UserError::new(UserErrorCode::InUse, "variesBy", rule)
        })
        .on_constraint("products_group_id_fkey", || {
            let rule = "the group still has products, which may be inactive; remove them first";
            UserError::new(UserErrorCode::InUse, "id", rule)
        })
}
