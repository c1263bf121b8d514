//! Slugs in filters, which stand for the IDs of categories and brands.
//! Rule: a text that has the form of a slug is one; no global ID has, because it begins with a capital letter.

use std::collections::HashMap;

use async_graphql::{Context, ID};

use crate::{
    brands,
    cache::Tag,
    categories,
    error::{Error, Result},
    graphql::{
        engine::{filters::IdFilter, scalars::global_id},
        schema::{categories::CategoryFilter, context::ContextExt},
    },
    ids::RowId,
    text::slugify,
};

/// The IDs and slugs in one filter.
struct Names<'a> {
    eq: &'a mut Option<ID>,
    r#in: &'a mut Option<Vec<ID>>,
}

impl Names<'_> {
    fn slugs(&self) -> impl Iterator<Item = String> {
        let named = self.eq.iter().chain(self.r#in.iter().flatten());
        named.filter(|name| is_slug(name)).map(|name| name.to_string())
    }

    fn replace<I: RowId>(&mut self, found: &HashMap<String, I>, what: &'static str) -> Result<()> {
        let eq = self.eq.iter_mut().map(|name| ("eq", name));
        for (operator, name) in eq.chain(self.r#in.iter_mut().flatten().map(|name| ("in", name))) {
            if is_slug(name) {
                let id = found.get(name.as_str());
                *name = global_id(*id.ok_or_else(|| Error::not_found(format!("where.{what}.{operator}"), what))?);
            }
        }
        Ok(())
    }
}

/// The filters by category and brand of a list, in which slugs are replaced by IDs.
#[derive(Default)]
pub struct SlugFilters<'a> {
    categories: Vec<Names<'a>>,
    brands: Vec<Names<'a>>,
}

impl<'a> SlugFilters<'a> {
    /// Adds a filter by category, if there is one.
    pub fn add_category(&mut self, filter: &'a mut Option<CategoryFilter>) {
        self.categories.extend(filter.as_mut().map(|filter| Names { eq: &mut filter.eq, r#in: &mut filter.r#in }));
    }

    /// Adds a filter by brand, if there is one.
    pub fn add_brand(&mut self, filter: &'a mut Option<IdFilter>) {
        self.brands.extend(filter.as_mut().map(|filter| Names { eq: &mut filter.eq, r#in: &mut filter.r#in }));
    }

    /// Replaces the slugs by IDs, with one statement for the categories and one for the brands, if there are any.
    /// # Errors
    /// NOT_FOUND for a slug that no category or brand has; database errors.
    pub async fn resolve(mut self, ctx: &Context<'_>) -> Result<()> {
        let slugs = slugs(&self.categories);
        if !slugs.is_empty() {
            let read = ctx.db().read(async |conn| categories::store::ids_by_slugs(conn, &slugs).await);
            let found = ctx.read_tagged([Tag::list("list:categories")], read).await?;
            replace(&mut self.categories, found, "category")?;
        }
        let slugs = self::slugs(&self.brands);
        if !slugs.is_empty() {
            let read = ctx.db().read(async |conn| brands::store::ids_by_slugs(conn, &slugs).await);
            let found = ctx.read_tagged([Tag::list("list:brands")], read).await?;
            replace(&mut self.brands, found, "brand")?;
        }
        Ok(())
    }
}

fn slugs(filters: &[Names<'_>]) -> Vec<String> {
    filters.iter().flat_map(Names::slugs).collect()
}

fn replace<I: RowId>(filters: &mut [Names<'_>], found: Vec<(String, I)>, what: &'static str) -> Result<()> {
    let found: HashMap<String, I> = found.into_iter().collect();
    filters.iter_mut().try_for_each(|names| names.replace(&found, what))
}

fn is_slug(name: &ID) -> bool {
    slugify(name) == name.as_str()
}
