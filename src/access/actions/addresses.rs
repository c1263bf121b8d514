//! Use cases of addresses: users change their own, staff those of users who hold no more than they do.
//! Rule: the user is locked first, so that the limit and the default hold for concurrent requests.

use super::targets::lock_target;
use crate::{
    auth::{Permission, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{AddressId, UserId},
    users::{
        model::{AddressPatch, AddressRow, MAX_ADDRESSES, NewAddress},
        store,
    },
};

/// Creates an address for the viewer or, for staff, for another user. A user's first address becomes the default.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers; FORBIDDEN for an API key without the permission; user errors for invalid fields; NOT_FOUND for a user that the viewer may not
/// see; PERMISSION_NOT_HELD for a user who holds more than the viewer.
pub async fn create_address(db: &Db, viewer: &Viewer, new: NewAddress) -> Result<AddressRow> {
    viewer.require_account_or(Permission::ManageUsers)?;
    let new = NewAddress { fields: new.fields.checked()?, ..new };
    db.transaction(async |conn| {
        // The lock prevents concurrent requests from exceeding the limit or setting two defaults.
        lock_target(conn, viewer, new.user_id, "userId").await?;
        let count = store::count_addresses(conn, new.user_id).await?;
        if count >= MAX_ADDRESSES {
            return Err(Error::user(
                UserErrorCode::OutOfRange,
                "",
                format!("a user can have at most {MAX_ADDRESSES} addresses"),
            ));
        }
        let new = NewAddress { is_default: new.is_default || count == 0, ..new.clone() };
        if new.is_default {
            store::clear_default_address(conn, new.user_id).await?;
        }
        store::insert_address(conn, &new).await
    })
    .await
}

/// Updates an address.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers; FORBIDDEN for an API key without the permission; user errors for invalid fields; NOT_FOUND if the viewer may not see the
/// address; PERMISSION_NOT_HELD if it belongs to a user who holds more than the viewer.
pub async fn update_address(db: &Db, viewer: &Viewer, id: AddressId, patch: AddressPatch) -> Result<AddressRow> {
    viewer.require_account_or(Permission::ManageUsers)?;
    db.transaction(async |conn| {
        let address = lock_address(conn, viewer, id).await?;
        let patch = patch.clone().checked(&address.fields)?;
        if patch.is_empty() {
            return Ok(address);
        }
        if patch.is_default == Some(true) {
            store::clear_default_address(conn, address.user_id).await?;
        }
        store::update_address(conn, id, &patch).await
    })
    .await
}

/// Deletes an address. Orders keep their own copy.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers; FORBIDDEN for an API key without the permission; NOT_FOUND if the viewer may not see the address; PERMISSION_NOT_HELD if it
/// belongs to a user who holds more than the viewer.
pub async fn delete_address(db: &Db, viewer: &Viewer, id: AddressId) -> Result<UserId> {
    viewer.require_account_or(Permission::ManageUsers)?;
    db.transaction(async |conn| {
        let address = lock_address(conn, viewer, id).await?;
        store::delete_address(conn, id).await?;
        Ok(address.user_id)
    })
    .await
}

/// Returns an address that the viewer may change, and locks its user.
async fn lock_address(conn: &Conn, viewer: &Viewer, id: AddressId) -> Result<AddressRow> {
    let scope = viewer.scope(Permission::ManageUsers);
    let missing = || Error::not_found("id", "address");
    let address = store::addresses_by_ids(conn, &scope, &[id]).await?.pop().ok_or_else(missing)?;
    lock_target(conn, viewer, address.user_id, "id").await?;
    // Read again: it may have been deleted before the lock was acquired.
    store::addresses_by_ids(conn, &scope, &[id]).await?.pop().ok_or_else(missing)
}
