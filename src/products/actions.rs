//! What can be done with products.

use super::{
    model::{NewProduct, ProductPatch, ProductRow},
    store,
};
use crate::{
    auth::{Permission, Viewer},
    db::{Conn, Db},
    error::{Error, Result},
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
/// As [`create`].
pub async fn create_in(conn: &Conn, viewer: &Viewer, mut new: NewProduct) -> Result<ProductRow> {
    viewer.require_any(MAY_WRITE)?;
    if !viewer.can(Permission::ManageProducts) {
        new.seller_id = viewer.user_id();
    }
    let chosen = !new.slug.is_empty();
    if !chosen {
        new.slug = slugify(&new.name);
    }
    new.check()?;
    if !chosen && store::slug_exists(conn, &new.slug).await? {
        new.slug = slugify(&format!("{} {}", new.slug.chars().take(140).collect::<String>(), new.sku));
        if store::slug_exists(conn, &new.slug).await? {
            new.slug = format!("{}-{}", new.slug.chars().take(180).collect::<String>(), new.source_website_id.0);
        }
    }
    store::insert(conn, &new).await
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
        let product = store::lock_writable(conn, scope, id).await?.ok_or_else(|| Error::not_found("id", "product"))?;
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
