//! Writes the products of a sales file.
//! Rule: a line creates a missing product; name and price are updated from all lines once these are written. Therefore
//! the product import, whose rows contain a whole product, is not used.

use std::collections::HashSet;

use super::super::{super::fingerprint::fingerprint, model::batch::BatchProduct, store};
use crate::{
    audit,
    db::Conn,
    error::Result,
    ids::WebsiteId,
    products::{self, store::bulk::SoldProduct},
    stock::{
        self,
        model::{NewMovement, Reason},
    },
    text::slugify,
    websites::model::WebsiteRow,
};

/// Inserts missing products with their opening stock; returns their SKUs.
/// # Errors
/// Database errors.
pub(super) async fn insert(
    conn: &Conn,
    website: &WebsiteRow,
    opening_stock: i32,
    products: &[BatchProduct],
) -> Result<Vec<String>> {
    let mut slugs: Vec<String> = products.iter().map(|product| slug(product, &website.code)).collect();
    let mut taken: HashSet<String> = store::taken_slugs(conn, &slugs).await?.into_iter().collect();
    for (slug, product) in slugs.iter_mut().zip(products) {
        if !taken.insert(slug.clone()) {
            // SKUs such as `A-1` and `A 1` have the same slug.
            *slug = format!("{slug}-{}", fingerprint(&format!("{}:{}", website.code, product.sku)));
        }
    }
    let sold = products.iter().zip(&slugs).map(|(product, slug)| SoldProduct {
        sku: &product.sku,
        name: &product.name,
        slug,
        price: product.price,
        is_active: product.is_active,
    });
    let made = products::store::bulk::insert_missing(conn, website.id, &sold.collect::<Vec<_>>()).await?;
    if opening_stock > 0 {
        let mut active: Vec<_> = made.iter().filter(|product| product.is_active).map(|product| product.id).collect();
        active.sort_unstable();
        let opening = |id| NewMovement::new(id, None, None, Reason::Opening, opening_stock);
        let movements: Vec<NewMovement> = active.into_iter().map(opening).collect();
        stock::store::insert_many(conn, &movements).await?;
    }
    Ok(made.into_iter().map(|product| product.sku).collect())
}

/// Builds a slug from name, website and SKU; long names are truncated to keep the SKU.
fn slug(product: &BatchProduct, website: &str) -> String {
    let name: String = slugify(&product.name).chars().take(100).collect();
    let end: String = slugify(&format!("{website} {}", product.sku)).chars().take(150).collect();
    slugify(&format!("{name} {end}"))
}

/// Updates names and prices of products from all their lines. Returns the number of products with several descriptions,
/// and the SKUs of the changed products.
/// # Errors
/// Database errors.
pub(super) async fn update(conn: &Conn, website: WebsiteId, skus: &[String]) -> Result<(usize, Vec<String>)> {
    audit::store::suppress(conn).await?;
    let summaries = store::summaries(conn, website, skus).await?;
    let ids: Vec<_> = summaries.iter().map(|summary| summary.id).collect();
    products::store::lock(conn, &ids).await?;
    let named: Vec<_> = summaries.iter().map(|summary| (summary.id, summary.name.as_str(), summary.price)).collect();
    let changed = products::store::bulk::update_names_and_prices(conn, &named).await?;
    Ok((summaries.iter().filter(|summary| summary.names > 1).count(), changed))
}
