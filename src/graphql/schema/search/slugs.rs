//! Slugs in the filters of a search, which stand for the IDs of categories and brands.
//! Rule: a text that has the form of a slug is one; no global ID has, because it begins with a capital letter.

use std::collections::HashMap;

use async_graphql::{Context, ID};

use crate::{
    brands, categories,
    error::{Error, Result},
    graphql::{
        engine::{filters::IdFilter, scalars::global_id},
        schema::context::ContextExt,
    },
    ids::RowId,
    text::slugify,
};

/// Replaces the slugs of categories by their IDs.
/// # Errors
/// NOT_FOUND for a slug that no category has; database errors.
pub(super) async fn resolve_categories(ctx: &Context<'_>, filter: IdFilter) -> Result<IdFilter> {
    let slugs = slugs(&filter);
    if slugs.is_empty() {
        return Ok(filter);
    }
    let found = ctx.db().read(async |conn| categories::store::ids_by_slugs(conn, &slugs).await).await?;
    replace(filter, found, "category")
}

/// Replaces the slugs of brands by their IDs.
/// # Errors
/// NOT_FOUND for a slug that no brand has; database errors.
pub(super) async fn resolve_brands(ctx: &Context<'_>, filter: IdFilter) -> Result<IdFilter> {
    let slugs = slugs(&filter);
    if slugs.is_empty() {
        return Ok(filter);
    }
    let found = ctx.db().read(async |conn| brands::store::ids_by_slugs(conn, &slugs).await).await?;
    replace(filter, found, "brand")
}

fn slugs(filter: &IdFilter) -> Vec<String> {
    let named = filter.eq.iter().chain(filter.r#in.iter().flatten());
    named.filter(|name| is_slug(name)).map(|name| name.to_string()).collect()
}

fn is_slug(name: &ID) -> bool {
    slugify(name) == name.as_str()
}

fn replace<I: RowId>(filter: IdFilter, found: Vec<(String, I)>, what: &'static str) -> Result<IdFilter> {
    let found: HashMap<String, I> = found.into_iter().collect();
    let resolve = |operator: &str, name: ID| match found.get(name.as_str()) {
        _ if !is_slug(&name) => Ok(name),
        Some(id) => Ok(global_id(*id)),
        None => Err(Error::not_found(format!("where.{what}.{operator}"), what)),
    };
    let any = filter.r#in.map(|names| names.into_iter().map(|name| resolve("in", name)).collect());
    Ok(IdFilter { eq: filter.eq.map(|name| resolve("eq", name)).transpose()?, r#in: any.transpose()?, ..filter })
}
