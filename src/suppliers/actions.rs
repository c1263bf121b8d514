//! Use cases of suppliers.

use super::{
    model::{NewSupplier, SupplierPatch, SupplierRow},
    store,
};
use crate::{
    auth::{Permission, Viewer},
    db::Db,
    error::{Error, Result},
    ids::SupplierId,
};

/// Creates a supplier.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; user errors for invalid fields.
pub async fn create(db: &Db, viewer: &Viewer, new: NewSupplier) -> Result<SupplierRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    let new = new.checked()?;
    db.transaction(async |conn| store::insert(conn, &new).await).await
}

/// Updates a supplier.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; user errors for invalid fields.
pub async fn update(db: &Db, viewer: &Viewer, id: SupplierId, patch: SupplierPatch) -> Result<SupplierRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    let patch = patch.checked()?;
    let updated = db.transaction(async |conn| store::update(conn, id, &patch).await).await?;
    updated.ok_or_else(|| Error::not_found("id", "supplier"))
}

/// Deletes a supplier that no product refers to.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; IN_USE if products refer to it.
pub async fn delete(db: &Db, viewer: &Viewer, id: SupplierId) -> Result<()> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    match db.transaction(async |conn| store::delete(conn, id).await).await? {
        true => Ok(()),
        false => Err(Error::not_found("id", "supplier")),
    }
}
