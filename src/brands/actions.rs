//! Use cases of brands.

use super::{
    model::{BrandPatch, BrandRow, NewBrand},
    store,
};
use crate::{
    auth::{Permission, Viewer},
    db::Db,
    error::{Error, Result},
    ids::BrandId,
    text::slug_candidates,
};

/// Creates a brand. Without a slug, one is derived from the name.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; user errors for invalid fields.
pub async fn create(db: &Db, viewer: &Viewer, new: NewBrand) -> Result<BrandRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    let new = new.checked()?;
    db.transaction(async |conn| {
        if !new.slug.is_empty() {
            return store::insert(conn, &new).await;
        }
        let slug = store::free_slug(conn, slug_candidates(&new.name, "2")).await?;
        store::insert(conn, &NewBrand { slug, ..new.clone() }).await.map_err(Error::retry_if_slug_taken)
    })
    .await
}

/// Updates a brand.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; user errors for invalid fields.
pub async fn update(db: &Db, viewer: &Viewer, id: BrandId, patch: BrandPatch) -> Result<BrandRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    let patch = patch.checked()?;
    let updated = db.transaction(async |conn| store::update(conn, id, &patch).await).await?;
    updated.ok_or_else(|| Error::not_found("id", "brand"))
}

/// Deletes a brand that no product refers to.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; IN_USE if products refer to it.
pub async fn delete(db: &Db, viewer: &Viewer, id: BrandId) -> Result<()> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    match db.transaction(async |conn| store::delete(conn, id).await).await? {
        true => Ok(()),
        false => Err(Error::not_found("id", "brand")),
    }
}
