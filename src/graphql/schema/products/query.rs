//! Filters, sort orders and queries of product lists.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    auth::{Permission, Scope},
    db::filter::{Filter, Op},
    error::{Error, ErrorCode, Result},
    graphql::{
        engine::{
            connections::{Connection, TotalCount, cost, root_connection},
            filters::{DateTimeFilter, FilterBuilder, IdFilter, IntFilter, PriceFilter, StringFilter, intersect},
            list_args::{ListArgs, OrderBy, build_list, order_by, where_input},
            page_key::PageKey,
        },
        schema::{
            categories::CategoryFilter,
            context::ContextExt,
            nested_lists::{NestedListCounts, connection_of},
            prices::{AmountWhere, PRICES, PriceScope, amount_where},
            products::{
                Product, ProductPages, ProductsBySlug, ProductsWithParents,
                attributes::TagFilter,
                product, product_with_parents,
                tags::{tags_of_list, tags_of_lookup},
            },
            slugs::SlugFilters,
            websites::{WebsiteFilter, name_order},
        },
    },
    ids::{CodeOrId, ProductId, RowId, WebsiteId},
    paging::{Cursor, Direction, List, Page, PageArgs},
    products::{
        model::{Availability, ProductCondition, ProductOrderField, ProductParent, ProductRow},
        store::{self, ProductList, lookup, trees},
    },
    stock::model::stock_scope,
    text::trim,
    websites::name_order::NameOrder,
};

/// Complexity of a list with one product per group, for which products that are left out are read too.
const GROUPING: usize = 1_000;

/// Filter by availability; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct AvailabilityFilter {
    /// Matches this value.
    eq: Option<Availability>,
    /// Matches any of these values (at most 100).
    r#in: Option<Vec<Availability>>,
}

impl AvailabilityFilter {
    /// Returns the matching values, or none if the filter is empty.
    /// # Errors
    /// A user error for too many values.
    pub fn into_values(self) -> Result<Option<Vec<Availability>>> {
        intersect("availability", self.eq, self.r#in)
    }
}

where_input! {
    /// Filters for products; conditions are combined with AND.
    ProductWhere {
        /// Filter by ID.
        id: Option<IdFilter>,
        /// Filter by name.
        name: Option<StringFilter>,
        /// Filter by SKU.
        sku: Option<StringFilter>,
        /// Filter by barcode.
        barcode: Option<StringFilter>,
        /// Filter by price, within one currency.
        price: Option<PriceFilter>,
        /// Filter by quantity in stock. Staff and sellers only; matches only products whose stock is visible to the
        /// viewer.
        stock: Option<IntFilter>,
        /// Filter by availability.
        availability: Option<AvailabilityFilter>,
        /// Filter by category; with `includeDescendants` also by its subcategories. Takes IDs and slugs.
        category: Option<CategoryFilter>,
        /// Filter by brand. Takes IDs and slugs.
        brand: Option<IdFilter>,
        /// Filter by product group.
        group: Option<IdFilter>,
        /// Filter by supplier. Staff and sellers only.
        supplier: Option<IdFilter>,
        /// Filter by website.
        source_website: Option<WebsiteFilter>,
        /// Filter by seller. A seller who is not visible to the viewer counts as null. Requires `MANAGE_USERS`, except for the
        /// viewer's own ID.
        seller: Option<IdFilter>,
        /// Filter by whether the product has images. Images that are not processed yet do not count.
        has_images: Option<bool>,
        /// Filter by whether the product is for sale.
        is_active: Option<bool>,
        /// Filter by creation time.
        created_at: Option<DateTimeFilter>,
        /// Filter by tags.
        tags: Option<TagFilter>,
    }
}

impl ProductWhere {
    /// Adds the filters in which slugs stand for IDs.
    fn add_slugs<'a>(&'a mut self, slugs: &mut SlugFilters<'a>) {
        slugs.add_category(&mut self.category);
        slugs.add_brand(&mut self.brand);
        let lists = [&mut self.and, &mut self.or].into_iter().flatten().flatten();
        lists.chain(self.not.as_deref_mut()).for_each(|nested| nested.add_slugs(slugs));
    }

    /// Converts the filter, for a viewer who may see the stock of products in one scope, and the users of another.
    fn filter(self, stock_scope: &Scope, users: &Scope, prices: &PriceScope) -> Result<Filter<ProductCondition>> {
        use ProductCondition as C;
        let prices = prices.narrowed(&self);
        let nested = |nested: Self| nested.filter(stock_scope, users, &prices);
        let mut filter = FilterBuilder::with_nested(self.and, self.or, self.not, nested)?;
        filter.id("id", self.id, C::Id)?;
        filter.text("name", self.name, C::Name)?;
        filter.text("sku", self.sku, C::Sku)?;
        filter.text("barcode", self.barcode, C::Barcode)?;
        prices.add(&PRICES, self.price, &mut filter, C::Price, C::SourceWebsite)?;
        filter.int(self.stock, |stock| C::Stock(stock_scope.clone(), stock));
        let availability = self.availability.unwrap_or_default();
        filter.choice("availability", availability.eq, availability.r#in, C::Availability)?;
        if let Some((category, include_descendants)) = self.category.map(CategoryFilter::split) {
            filter.id("category", Some(category), |op| match (include_descendants, op) {
                (true, Op::Eq(id)) => C::CategoryTree(vec![id]),
                (true, Op::In(ids)) => C::CategoryTree(ids),
                (_, op) => C::Category(op),
            })?;
        }
        filter.id("brand", self.brand, C::Brand)?;
        filter.id("group", self.group, C::Group)?;
        filter.id("supplier", self.supplier, C::Supplier)?;
        WebsiteFilter::add(self.source_website, &mut filter, "sourceWebsite", C::SourceWebsite)?;
        filter.id("seller", self.seller, |seller| C::Seller(users.clone(), seller))?;
        filter.condition(self.has_images.map(C::HasImages));
        filter.condition(self.is_active.map(C::IsActive));
        filter.time(self.created_at, C::CreatedAt);
        let [any, all] = self.tags.unwrap_or_default().into_tags()?;
        filter.condition(any.map(C::AnyTag));
        filter.condition(all.map(C::AllTags));
        filter.build()
    }
}

amount_where! { ProductWhere by price }

order_by! {
    /// Sort order of products.
    ProductOrder by ProductOrderField
}

/// Reads the arguments of a list of products, of one website or of all; the default order is newest first.
/// # Errors
/// Returns user errors that name the argument, or FORBIDDEN if a viewer without permission filters by supplier, seller
/// or stock.
pub async fn list_from_args(
    ctx: &Context<'_>,
    list_args: ListArgs<ProductWhere, ProductOrder>,
    website: Option<WebsiteId>,
) -> Result<ProductList> {
    let mut filter = list_args.filter.unwrap_or_default();
    let mut slugs = SlugFilters::default();
    filter.add_slugs(&mut slugs);
    slugs.resolve(ctx).await?;
    let forbidden = |rule: &'static str| Err(Error::Coded(ErrorCode::Forbidden, rule.into()));
    if !ctx.is_staff() && filter.any(&|it| it.supplier.is_some()) {
        return forbidden("only staff and sellers can filter by supplier");
    }
    let is_of_others = |seller: &IdFilter| !seller.is_only(ctx.viewer().seller_id());
    if !ctx.viewer().can(Permission::ManageUsers) && filter.any(&|it| it.seller.as_ref().is_some_and(is_of_others)) {
        return forbidden("only staff with MANAGE_USERS can filter by seller; sellers can filter by their own ID");
    }
    let order = list_args.order.map_or((ProductOrderField::CreatedAt, Direction::Desc), OrderBy::into_parts);
    if order.0 == ProductOrderField::UpdatedAt {
        // It changes with each sale, which otherwise changes nothing that the public sees.
        ctx.depend_on_unknown();
    }
    let is_by_stock = order.0 == ProductOrderField::Stock;
    let stock_scope = stock_scope(ctx.viewer());
    if matches!(stock_scope, Scope::Public | Scope::Guest(_) | Scope::Own(_)) {
        if filter.any(&|it| it.stock.is_some()) {
            return forbidden("only staff and sellers can filter by stock");
        }
        if is_by_stock {
            return forbidden("only staff and sellers can sort by stock");
        }
    }
    let is_by_price = order.0 == ProductOrderField::Price;
    let prices = match is_by_price || filter.any(&|it| it.price.is_some()) {
        true => PriceScope::of_list(ctx, &filter, website).await?,
        false => PriceScope::default(),
    };
    if is_by_price {
        prices.check_order(&PRICES, &filter)?;
    }
    let name_order = match order.0 == ProductOrderField::Name {
        true => {
            let only = filter.websites().into_iter().find_map(WebsiteFilter::only);
            name_order(ctx, website.map(CodeOrId::Id).or(only)).await?
        }
        false => NameOrder::default(),
    };
    let users = ctx.viewer().scope(Permission::ManageUsers);
    let mut filter = filter.filter(&stock_scope, &users, &prices)?;
    if is_by_stock && stock_scope != Scope::All {
        // The order and the cursors would reveal the stock of other products.
        let visible = ProductCondition::Stock(stock_scope, Op::Gte(i32::MIN));
        filter = Filter::And(vec![filter, Filter::Is(visible)]);
    }
    let page = Page::new(order.0.list_in(name_order), list_args.page)?;
    let list = List { filter, order: order.0, direction: order.1, page };
    Ok(ProductList { name_order, ..ProductList::from(list) })
}

fn cursor(list: &ProductList, row: &ProductRow) -> Cursor {
    Cursor::new(list.page.list, list.order.key(row), row.id.key())
}

/// Returns the products of a category, brand, supplier or website, batched over all parents.
/// # Errors
/// Returns the errors of the statements.
pub async fn of_parent(
    ctx: &Context<'_>,
    parent: ProductParent,
    id: i64,
    list: ProductList,
) -> Result<Connection<Product>> {
    connection_of::<ProductPages, _>(ctx, parent, id, list, cursor, product).await
}

/// Returns the number of products of a category or another parent that the viewer may see, batched over all parents.
/// # Errors
/// Returns the error of the statement.
pub async fn count_of_parent(ctx: &Context<'_>, parent: ProductParent, id: i64) -> Result<TotalCount> {
    let order = (ProductOrderField::default(), Direction::default());
    let list = build_list(PageArgs::default(), Filter::default(), order, ProductOrderField::list)?;
    let key = PageKey { parent, id, list: Arc::new(list.into()) };
    let count = ctx.loaders().load::<NestedListCounts<ProductPages>>(key).await?;
    Ok(TotalCount::of(count.unwrap_or_default()))
}

/// Query root for products.
#[derive(Default)]
pub struct ProductQuery;

#[object]
impl ProductQuery {
    /// Returns a product by exactly one of these keys: its ID, its slug, or its website together with its SKU.
    /// Null if the product does not exist or is not visible to the viewer.
    async fn product(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the product.")] id: Option<ID>,
        #[graphql(desc = "URL slug of the product.")] slug: Option<String>,
        #[graphql(desc = "Code or ID of the product's website; requires `sku`.")] website: Option<String>,
        #[graphql(desc = "SKU of the product; requires `website`.")] sku: Option<String>,
    ) -> Result<Option<Product>> {
        let loaders = ctx.loaders();
        let found = match (id, slug, website, sku) {
            (Some(id), None, None, None) => loaders.load::<ProductsWithParents>(ProductId::parse("id", &id)?).await?,
            (None, Some(slug), None, None) => loaders.load::<ProductsBySlug>(trim(&slug).to_owned()).await?,
            (None, None, Some(website), Some(sku)) => {
                let scope = ctx.viewer().scope(Permission::ManageProducts);
                let (website, sku) = (CodeOrId::new(&website), trim(&sku));
                let read = ctx.db().read(async |conn| lookup::by_sku(conn, &scope, &website, sku).await);
                let found = ctx.read_tagged([], read).await?.map(Arc::new);
                ctx.depend_on(tags_of_lookup(found.as_ref()));
                found
            }
            _ => return Err(Error::bad_input("id", "give exactly one of `id`, `slug`, or `website` with `sku`")),
        };
        Ok(found.map(product_with_parents))
    }

    /// Lists the products that the viewer may see, newest first by default. Customers and guests see products that are
    /// for sale, sellers also all of their own, staff all products.
    #[graphql(complexity = "cost(first, last, child_complexity) + if one_per_group { GROUPING } else { 0 }")]
    async fn products(
        &self,
        ctx: &Context<'_>,
        list_args: ListArgs<ProductWhere, ProductOrder>,
        #[graphql(desc = "Return only the first product of each group, in the sort order of the list.", default)]
        one_per_group: bool,
    ) -> Result<Connection<Product>> {
        let list = list_from_args(ctx, list_args, None).await?;
        let list = ProductList { one_per_group, ..list };
        let scope = ctx.viewer().scope(Permission::ManageProducts);
        let plans = store::plans(&list);
        let tags = tags_of_list(&list.filter);
        let list = match trees::has_category_tree(&list) {
            true => {
                ctx.read_tagged(tags.clone(), ctx.db().read(async |conn| trees::resolve(conn, &list).await)).await?
            }
            false => list,
        };
        let rows = ctx.db().read_with(plans, async |conn| store::page(conn, &scope, &list).await);
        let count = ctx.db().read_with(plans, async |conn| store::count(conn, &scope, &list).await);
        let (rows, count) = (ctx.read_tagged(tags.clone(), rows), ctx.read_tagged(tags, count));
        root_connection(ctx, &list.page, rows, count, |row| (list.order.key(row), row.id), product).await
    }
}
