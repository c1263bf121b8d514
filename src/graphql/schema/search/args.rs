//! What a search may be limited to, and its orders.

use async_graphql::{Context, InputObject};

use crate::{
    categories,
    error::{Error, ErrorCode, Result, UserErrorCode},
    graphql::{
        engine::{
            filters::{CategoryFilter, DecimalFilter, IdFilter, named},
            scalars::Decimal,
        },
        schema::{context::ContextExt, products::AvailabilityFilter},
    },
    paging::{Direction, Page, PageArgs},
    search::{
        model::{Kind, MAX_OPTIONS, Search, SearchFilter, SearchOrderField},
        words::Words,
    },
};

/// Longest name or value of an option, in characters.
const MAX_TEXT: usize = 100;

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

/// Reads the arguments of a search.
/// # Errors
/// User errors naming the argument; FORBIDDEN where the public filters by supplier.
pub(super) fn search_of(
    ctx: &Context<'_>,
    text: String,
    kinds: Option<Vec<Kind>>,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
    filter: Option<SearchWhere>,
    order: Option<SearchOrder>,
) -> Result<(Search, bool)> {
    let filter = filter.unwrap_or_default();
    if filter.supplier.is_some() && !ctx.is_staff() {
        return Err(Error::Coded(ErrorCode::Forbidden, "only staff and sellers filter by supplier".into()));
    }
    let (order, direction) = order.map_or_else(Default::default, |order| (order.field, order.direction));
    let direction = direction.unwrap_or_else(|| order.usual());
    let page = Page::new(order.list(), PageArgs { first, after, last, before })?;
    let kinds = kinds.unwrap_or_else(|| Kind::ALL.to_vec());
    let has_trees = filter.category.as_ref().is_some_and(|category| category.include_descendants);
    let (words, filter) = (Words::parse(&text), filter_of(filter)?);
    let search = Search { text, words, kinds, is_staff: ctx.is_staff(), filter, order, direction, page };
    search.check()?;
    Ok((search, has_trees))
}

/// The same search with all categories below those that it names, where it wants them.
/// # Errors
/// Those of the database.
pub(super) async fn resolved(ctx: &Context<'_>, (mut search, has_trees): (Search, bool)) -> Result<Search> {
    if let (true, Some(roots)) = (has_trees, &search.filter.categories) {
        let found = ctx.db().read(async |conn| categories::store::ids_of_trees(conn, roots).await).await?;
        search.filter.categories = Some(found);
    }
    Ok(search)
}

fn filter_of(filter: SearchWhere) -> Result<SearchFilter> {
    let category = filter.category.map(|category| category.split().0);
    let price = filter.price.unwrap_or_default();
    let exact = price.eq.map(|price| price.0);
    let availability = filter.availability.map(|filter| filter.any());
    Ok(SearchFilter {
        categories: named("category", category)?,
        brands: named("brand", filter.brand)?,
        suppliers: named("supplier", filter.supplier)?,
        websites: named("sourceWebsite", filter.source_website)?,
        price_from: exact.max(price.gte.map(|price| price.0)),
        price_to: exact.into_iter().chain(price.lte.map(|price| price.0)).min(),
        rating_from: filter.rating.unwrap_or_default().gte.map(|stars| stars.0),
        availability: availability.flatten(),
        options: options(filter.options.unwrap_or_default())?,
    })
}

fn options(filters: Vec<SearchOptionFilter>) -> Result<Vec<(String, Vec<String>)>> {
    let refused = |code, rule: &str| Err(Error::user(code, "where.options", rule.to_owned()));
    if filters.len() > MAX_OPTIONS || filters.iter().any(|option| option.r#in.len() > MAX_OPTIONS) {
        return refused(UserErrorCode::TooLong, "give at most 20 options, and 20 values of each");
    }
    let mut options: Vec<(String, Vec<String>)> = Vec::with_capacity(filters.len());
    for SearchOptionFilter { name, r#in } in filters {
        if [&name].into_iter().chain(&r#in).any(|text| text.chars().count() > MAX_TEXT || text.contains('\0')) {
            return refused(UserErrorCode::TooLong, "a name or value has at most 100 characters");
        }
        if options.iter().any(|(other, _)| *other == name) {
            return refused(UserErrorCode::Invalid, "name each option once");
        }
        options.push((name, r#in));
    }
    Ok(options)
}
