//! What can be done with products.

use super::{
    model::{NewProduct, ProductPatch, ProductRow},
    store,
};
use crate::{
    auth::{Permission, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::ProductId,
    text::slugify,
};

const MAY_WRITE: &[Permission] = &[Permission::ManageProducts, Permission::SellProducts];

/// Makes a product without stock. One made by a seller belongs to them. Without a slug it gets one from its name.
/// # Errors
/// FORBIDDEN without a permission to write products; user errors of the fields.
pub async fn create(db: &Db, viewer: &Viewer, new: NewProduct) -> Result<ProductRow> {
    db.transaction(async |conn| create_in(conn, viewer, new.clone()).await).await
}

/// [`create`] within the caller's transaction.
/// # Errors
/// As [`create`]; [`Error::Retry`] where somebody else takes the slug made from the name at this moment.
pub async fn create_in(conn: &Conn, viewer: &Viewer, mut new: NewProduct) -> Result<ProductRow> {
    viewer.require_any(MAY_WRITE)?;
    if !viewer.can(Permission::ManageProducts) {
        new.seller_id = viewer.user_id();
    }
    if !viewer.reaches(new.source_website_id) {
        return Err(Error::user(UserErrorCode::NotYours, "sourceWebsiteId", "your role is limited to other websites"));
    }
    if !new.slug.is_empty() {
        new.check()?;
        return store::insert(conn, &new).await;
    }
    new.slug = slugify(&new.name);
    new.check()?;
    new.slug = free_slug(conn, new.slug, &new.sku).await?;
    store::insert(conn, &new).await.map_err(|error| match error {
        Error::User(rules) if rules.iter().any(|rule| rule.field.as_deref() == Some("slug")) => {
            Error::Retry("the slug was taken meanwhile".into())
        }
        other => other,
    })
}

/// The slug, or where it is in use one with the SKU behind it, or else with a number that nobody has.
async fn free_slug(conn: &Conn, slug: String, sku: &str) -> Result<String> {
    if !store::slug_exists(conn, &slug).await? {
        return Ok(slug);
    }
    let with_sku = slugify(&format!("{slug:.140} {sku}"));
    if !store::slug_exists(conn, &with_sku).await? {
        return Ok(with_sku);
    }
    Ok(slugify(&format!("{slug:.140} {:08x}", rand::random::<u32>())))
}

/// Changes a product.
/// # Errors
/// FORBIDDEN without a permission to write products; NOT_FOUND for one that is not the viewer's to write; user errors of
/// the fields.
pub async fn update(db: &Db, viewer: &Viewer, id: ProductId, patch: ProductPatch) -> Result<ProductRow> {
    viewer.require_any(MAY_WRITE)?;
    patch.check()?;
    let scope = viewer.scope(Permission::ManageProducts);
    db.transaction(async |conn| {
        let product = store::lock_writable(conn, &scope, id).await?.ok_or_else(|| Error::not_found("id", "product"))?;
        if patch.is_empty() { Ok(product) } else { store::update(conn, id, &patch).await }
    })
    .await
}

/// Takes a product out of the catalogue; orders keep it.
/// # Errors
/// As [`update`].
pub async fn delete(db: &Db, viewer: &Viewer, id: ProductId) -> Result<ProductRow> {
    update(db, viewer, id, ProductPatch { is_active: Some(false), ..ProductPatch::default() }).await
}
