//! Products by one of their keys, each with its category and brand: one join costs less than half of three statements.

use std::sync::Arc;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::can_see;
use crate::{
    auth::Scope,
    brands::model::BrandRow,
    categories::model::CategoryRow,
    db::{
        Conn,
        tables::{brands, categories, products, websites},
    },
    error::Result,
    ids::{CodeOrId, ProductId, WebsiteId},
    products::model::ProductRow,
};

/// A product with its category and brand.
pub struct ProductWithParents {
    /// The product.
    pub product: Arc<ProductRow>,
    /// Category, if it has one.
    pub category: Option<Arc<CategoryRow>>,
    /// Brand, if it has one.
    pub brand: Option<Arc<BrandRow>>,
}

type Found = (ProductRow, Option<CategoryRow>, Option<BrandRow>);

macro_rules! with_parents {
    () => {
        products::table.left_join(categories::table).left_join(brands::table).select((
            ProductRow::as_select(),
            Option::<CategoryRow>::as_select(),
            Option::<BrandRow>::as_select(),
        ))
    };
}

/// Returns the visible products with these IDs, in no particular order.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[ProductId]) -> Result<Vec<ProductWithParents>> {
    let found = with_parents!().filter(products::id.eq_any(ids)).load(&mut conn).await?;
    Ok(visible(scope, found))
}

/// Returns the visible products with these slugs, in no particular order.
pub async fn by_slugs(mut conn: &Conn, scope: &Scope, slugs: &[String]) -> Result<Vec<ProductWithParents>> {
    let found = with_parents!().filter(products::slug.eq_any(slugs)).load(&mut conn).await?;
    Ok(visible(scope, found))
}

/// Returns the visible product of a website with this SKU.
pub async fn by_sku(
    mut conn: &Conn,
    scope: &Scope,
    website: &CodeOrId<WebsiteId>,
    sku: &str,
) -> Result<Option<ProductWithParents>> {
    let query = with_parents!().filter(products::sku.eq(sku));
    let found = match website {
        CodeOrId::Id(website) => query.filter(products::source_website_id.eq(*website)).load(&mut conn).await?,
        CodeOrId::Code(code) => {
            let website = websites::table.filter(websites::code.eq(code)).select(websites::id);
            query.filter(products::source_website_id.eq_any(website)).load(&mut conn).await?
        }
    };
    Ok(visible(scope, found).pop())
}

fn visible(scope: &Scope, found: Vec<Found>) -> Vec<ProductWithParents> {
    let visible = found.into_iter().filter(|(product, ..)| can_see(scope, product));
    let shared = visible.map(|(product, category, brand)| ProductWithParents {
        product: Arc::new(product),
        category: category.map(Arc::new),
        brand: brand.map(Arc::new),
    });
    shared.collect()
}
