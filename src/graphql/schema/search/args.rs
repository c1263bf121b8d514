//! Filters and sort orders of the search.

use async_graphql::{Context, InputObject};

use crate::{
    error::Result,
    graphql::{
        engine::{
            filters::{DecimalFilter, IdFilter, parse_id_set},
            scalars::Decimal,
        },
        schema::{
            categories::CategoryFilter, context::ContextExt, products::AvailabilityFilter, websites::WebsiteFilter,
        },
    },
    paging::{Direction, Page, PageArgs},
    search::{
        model::{DocumentKind, Search, SearchFilter, SearchOrderField, check_supplier_filter},
        query::ParsedQuery,
    },
    text::trim,
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
    /// Filter by category; with `includeDescendants` also by its subcategories.
    category: Option<CategoryFilter>,
    /// Filter by brand.
    brand: Option<IdFilter>,
    /// Filter by supplier. Staff and sellers only.
    supplier: Option<IdFilter>,
    /// Filter by website.
    source_website: Option<WebsiteFilter>,
    /// Filter by price, regardless of currency.
    price: Option<DecimalFilter>,
    /// Filter by average rating. Products without reviews do not match.
    rating: Option<SearchRatingFilter>,
    /// Filter by availability.
    availability: Option<AvailabilityFilter>,
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

/// Reads the arguments of a search, and whether its categories include their subcategories.
/// # Errors
/// Returns user errors that name the argument, or FORBIDDEN if a viewer without permission filters by supplier.
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
) -> Result<(Search, bool)> {
    let filter = filter.unwrap_or_default();
    if filter.supplier.is_some() {
        check_supplier_filter(ctx.is_staff())?;
    }
    let (order, direction) = order.map_or_else(Default::default, |order| (order.field, order.direction));
    let direction = direction.unwrap_or_else(|| order.default_direction());
    let page = Page::new(order.list(), PageArgs { first, after, last, before })?;
    let kinds = kinds.unwrap_or_else(|| DocumentKind::ALL.to_vec());
    let with_subcategories = filter.category.as_ref().is_some_and(|category| category.include_descendants);
    let (query, filter) = (ParsedQuery::parse(&text), filter_from_where(ctx, filter).await?);
    let search = Search { text, query, kinds, is_staff: ctx.is_staff(), filter, order, direction, page };
    Ok((search, with_subcategories))
}

fn trimmed(text: String) -> String {
    trim(&text).to_owned()
}

async fn filter_from_where(ctx: &Context<'_>, filter: SearchWhere) -> Result<SearchFilter> {
    let category = filter.category.map(|category| category.split().0);
    let price = filter.price.unwrap_or_default();
    let exact = price.eq.map(|price| price.0);
    let options = filter.options.unwrap_or_default().into_iter();
    Ok(SearchFilter {
        categories: parse_id_set("category", category)?,
        brands: parse_id_set("brand", filter.brand)?,
        suppliers: parse_id_set("supplier", filter.supplier)?,
        websites: WebsiteFilter::ids(filter.source_website, ctx, "sourceWebsite").await?,
        price_from: exact.max(price.gte.map(|price| price.0)),
        price_to: exact.into_iter().chain(price.lte.map(|price| price.0)).min(),
        rating_from: filter.rating.unwrap_or_default().gte.map(|stars| stars.0),
        availability: filter.availability.unwrap_or_default().into_values()?,
        options: options
            .map(|SearchOptionFilter { name, r#in }| (trimmed(name), r#in.into_iter().map(trimmed).collect()))
            .collect(),
    })
}
