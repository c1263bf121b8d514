//! What a search may be limited to, and its orders.

use async_graphql::{Context, InputObject};

use crate::{
    error::Result,
    graphql::{
        engine::{
            filters::{DecimalFilter, IdFilter, parse_id_set},
            scalars::Decimal,
        },
        schema::{categories::CategoryFilter, context::ContextExt, products::AvailabilityFilter},
    },
    paging::{Direction, Page, PageArgs},
    search::{
        model::{DocumentKind, Search, SearchFilter, SearchOrderField, check_supplier_filter},
        query::ParsedQuery,
    },
};

/// A value that an option has.
#[derive(Debug, InputObject)]
pub struct SearchOptionFilter {
    /// The option, such as Size.
    name: String,
    /// It has one of these values, at most 20.
    r#in: Vec<String>,
}

/// Conditions on an average of ratings.
#[derive(Debug, Default, InputObject)]
pub struct SearchRatingFilter {
    /// It is so many stars or more.
    gte: Option<Decimal>,
}

/// Which products a search finds. Several fields hold together.
#[derive(Debug, Default, InputObject)]
pub struct SearchWhere {
    /// By category: itself only, or with `includeDescendants` all that is below it, too.
    category: Option<CategoryFilter>,
    /// By brand.
    brand: Option<IdFilter>,
    /// By supplier; for staff and sellers only.
    supplier: Option<IdFilter>,
    /// By website.
    source_website: Option<IdFilter>,
    /// By price, without regard to the currency.
    price: Option<DecimalFilter>,
    /// By the mean of the ratings; who has none is not found.
    rating: Option<SearchRatingFilter>,
    /// By what everybody may know of the stock.
    availability: Option<AvailabilityFilter>,
    /// By options of groups, such as a size: all of these hold, each name once, at most 20.
    options: Option<Vec<SearchOptionFilter>>,
}

/// The order of hits.
#[derive(Debug, InputObject)]
pub struct SearchOrder {
    /// By what.
    field: SearchOrderField,
    /// Which way; where absent price and name from the lowest, everything else from the highest.
    direction: Option<Direction>,
}

/// Reads the arguments of a search, and whether its categories stand for all that are below them, too.
/// # Errors
/// User errors naming the argument; FORBIDDEN where the public filters by supplier.
pub(super) fn search_from_args(
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
    let (query, filter) = (ParsedQuery::parse(&text), filter_from_where(filter)?);
    let search = Search { text, query, kinds, is_staff: ctx.is_staff(), filter, order, direction, page };
    Ok((search, with_subcategories))
}

fn filter_from_where(filter: SearchWhere) -> Result<SearchFilter> {
    let category = filter.category.map(|category| category.split().0);
    let price = filter.price.unwrap_or_default();
    let exact = price.eq.map(|price| price.0);
    let options = filter.options.unwrap_or_default().into_iter();
    let availability = filter.availability.map(|filter| filter.into_values());
    Ok(SearchFilter {
        categories: parse_id_set("category", category)?,
        brands: parse_id_set("brand", filter.brand)?,
        suppliers: parse_id_set("supplier", filter.supplier)?,
        websites: parse_id_set("sourceWebsite", filter.source_website)?,
        price_from: exact.max(price.gte.map(|price| price.0)),
        price_to: exact.into_iter().chain(price.lte.map(|price| price.0)).min(),
        rating_from: filter.rating.unwrap_or_default().gte.map(|stars| stars.0),
        availability: availability.flatten(),
        options: options.map(|option| (option.name, option.r#in)).collect(),
    })
}
