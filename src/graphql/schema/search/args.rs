//! Filters and sort orders of the search.

use async_graphql::{Context, InputObject};

use crate::{
    error::Result,
    graphql::{
        engine::{
            filters::{DateTimeFilter, IdFilter, PriceFilter, parse_id_set},
            scalars::Decimal,
        },
        schema::{
            categories::CategoryFilter,
            context::ContextExt,
            prices::{PRICES, PriceScope},
            products::{AvailabilityFilter, TagFilter},
            slugs::SlugFilters,
            websites::{WebsiteFilter, name_order},
        },
    },
    ids::{CodeOrId, WebsiteId},
    paging::{Direction, Page, PageArgs},
    search::{
        model::{DocumentKind, Search, SearchFilter, SearchOrderField, check_supplier_filter},
        query::ParsedQuery,
    },
    text::trim,
    websites::name_order::NameOrder,
};

/// Filter by the value of an option.
#[derive(Debug, InputObject)]
pub struct SearchOptionFilter {
    /// Name of the option, such as Size.
    name: String,
    /// Matches any of these values (at most 20).
    r#in: Vec<String>,
}

/// Filter by average rating.
#[derive(Debug, Default, InputObject)]
pub struct SearchRatingFilter {
    /// Greater than or equal to this number of stars.
    gte: Option<Decimal>,
}

/// Filters for products in a search; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct SearchWhere {
    /// Filter by category; with `includeDescendants` also by its subcategories. Takes IDs and slugs.
    category: Option<CategoryFilter>,
    /// Filter by brand. Takes IDs and slugs.
    brand: Option<IdFilter>,
    /// Filter by supplier. Staff and sellers only.
    supplier: Option<IdFilter>,
    /// Filter by website.
    source_website: Option<WebsiteFilter>,
    /// Filter by price, within one currency.
    price: Option<PriceFilter>,
    /// Filter by average rating. Products without reviews do not match.
    rating: Option<SearchRatingFilter>,
    /// Filter by availability.
    availability: Option<AvailabilityFilter>,
    /// Filter by whether the product is on sale: its `compareAtPrice` is greater than its `price`.
    is_on_sale: Option<bool>,
    /// Filter by tags.
    tags: Option<TagFilter>,
    /// Filter by creation time.
    created_at: Option<DateTimeFilter>,
    /// Filter by option values, such as a size. All entries must match; at most 20, each option once.
    options: Option<Vec<SearchOptionFilter>>,
}

/// Sort order of search results.
#[derive(Debug, InputObject)]
pub struct SearchOrder {
    /// Field to sort by.
    field: SearchOrderField,
    /// Sort direction. Default: ascending for price and name, descending otherwise.
    direction: Option<Direction>,
}

/// Reads the arguments of a search.
/// # Errors
/// Returns user errors that name the argument, or FORBIDDEN if a viewer without permission filters by supplier; database
/// errors.
pub(super) async fn search_from_args(
    ctx: &Context<'_>,
    text: String,
    kinds: Option<Vec<DocumentKind>>,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    filter: Option<SearchWhere>,
    order: Option<SearchOrder>,
) -> Result<Search> {
    let filter = filter.unwrap_or_default();
    if filter.supplier.is_some() {
        check_supplier_filter(ctx.is_staff())?;
    }
    let (order, direction) = order.map_or_else(Default::default, |order| (order.field, order.direction));
    let order = order.for_text(&text);
    let direction = direction.unwrap_or_else(|| order.default_direction());
    let kinds = kinds.unwrap_or_else(|| DocumentKind::ALL.to_vec());
    let (query, filter) = (ParsedQuery::parse(&text), filter_from_where(ctx, filter, order).await?);
    let name_order = match (order, filter.websites.as_deref()) {
        (SearchOrderField::Name, Some([website])) => name_order(ctx, Some(CodeOrId::Id(*website))).await?,
        _ => NameOrder::default(),
    };
    let page = Page::new(order.list(name_order), PageArgs { first, after, last, before })?;
    let (is_staff, cursor_seal) = (ctx.is_staff(), ctx.services().cursor_seal.clone());
    Ok(Search { text, query, kinds, is_staff, filter, order, direction, name_order, page, cursor_seal })
}

fn trimmed(text: String) -> String {
    trim(&text).to_owned()
}

async fn filter_from_where(
    ctx: &Context<'_>,
    mut filter: SearchWhere,
    order: SearchOrderField,
) -> Result<SearchFilter> {
    let mut slugs = SlugFilters::default();
    slugs.add_category(&mut filter.category);
    slugs.add_brand(&mut filter.brand);
    slugs.resolve(ctx).await?;
    let with_subcategories = filter.category.as_ref().is_some_and(|category| category.include_descendants);
    let category = filter.category.map(|category| category.split().0);
    let brand = filter.brand;
    let websites = WebsiteFilter::ids(filter.source_website, ctx, "sourceWebsite").await?;
    let price = filter.price.filter(|price| !price.is_empty());
    let price_websites = websites_of_prices(ctx, websites.as_deref(), price.as_ref(), order).await?;
    let price = price.unwrap_or_default();
    let [tags_any, tags_all] = filter.tags.unwrap_or_default().into_tags()?;
    let created_at = filter.created_at.unwrap_or_default();
    let exact = price.eq.map(|price| price.0);
    let options = filter.options.unwrap_or_default().into_iter();
    Ok(SearchFilter {
        categories: parse_id_set("category", category)?,
        with_subcategories,
        subtree: None,
        brands: parse_id_set("brand", brand)?,
        suppliers: parse_id_set("supplier", filter.supplier)?,
        websites,
        price_websites,
        price_from: exact.max(price.gte.map(|price| price.0)),
        price_to: exact.into_iter().chain(price.lte.map(|price| price.0)).min(),
        rating_from: filter.rating.unwrap_or_default().gte.map(|stars| stars.0),
        availability: filter.availability.unwrap_or_default().into_values()?,
        is_on_sale: filter.is_on_sale,
        tags_any,
        tags_all,
        created_from: created_at.gte.map(|time| time.0),
        created_to: created_at.lte.map(|time| time.0),
        options: options
            .map(|SearchOptionFilter { name, r#in }| (trimmed(name), r#in.into_iter().map(trimmed).collect()))
            .collect(),
    })
}

/// Checks that prices are compared within one currency; returns the websites whose prices the filter compares, or none
/// for all websites of the search.
async fn websites_of_prices(
    ctx: &Context<'_>,
    websites: Option<&[WebsiteId]>,
    price: Option<&PriceFilter>,
    order: SearchOrderField,
) -> Result<Option<Vec<WebsiteId>>> {
    let is_by_price = order == SearchOrderField::Price;
    if price.is_none() && !is_by_price {
        return Ok(None);
    }
    let prices = PriceScope::new(ctx, websites).await?;
    let currency = price.and_then(|price| price.currency).map(|code| code.0);
    if is_by_price {
        prices.check_order_in(&PRICES, currency)?;
    }
    if price.is_some() { prices.websites_in(&PRICES, currency) } else { Ok(None) }
}
