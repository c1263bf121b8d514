//! What users do with their addresses, and staff with the websites that know them.

use super::{
    model::{AddressPatch, AddressRow, MAX_ADDRESSES, NewAddress, UserRow},
    store,
};
use crate::{
    auth::{Permission, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{AddressId, RowId, UserId, WebsiteId},
    sources::{
        self,
        model::{NewSource, SourceType},
    },
    text::Validator,
};

/// Adds an address to the viewer or, for staff, to another user. The first one is the default.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers; user errors of the fields; NOT_FOUND for a user that is not the viewer's to
/// change.
pub async fn create_address(db: &Db, viewer: &Viewer, new: NewAddress) -> Result<AddressRow> {
    viewer.require_user()?;
    new.check()?;
    let scope = viewer.scope(Permission::ManageUsers);
    db.transaction(async |conn| {
        // The lock keeps two first addresses, or two new defaults, from meeting.
        store::lock(conn, &scope, new.user_id).await?.ok_or_else(|| Error::not_found("userId", "user"))?;
        let count = store::count_addresses(conn, new.user_id).await?;
        if count >= MAX_ADDRESSES {
            return Err(Error::user(
                UserErrorCode::OutOfRange,
                "",
                format!("a user has at most {MAX_ADDRESSES} addresses"),
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

/// Changes an address.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers; user errors of the fields; NOT_FOUND for an address that is not the viewer's.
pub async fn update_address(db: &Db, viewer: &Viewer, id: AddressId, patch: AddressPatch) -> Result<AddressRow> {
    viewer.require_user()?;
    patch.check()?;
    db.transaction(async |conn| {
        let address = lock_address(conn, viewer, id).await?;
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
/// UNAUTHENTICATED for anonymous viewers; NOT_FOUND for an address that is not the viewer's.
pub async fn delete_address(db: &Db, viewer: &Viewer, id: AddressId) -> Result<UserId> {
    viewer.require_user()?;
    db.transaction(async |conn| {
        let address = lock_address(conn, viewer, id).await?;
        store::delete_address(conn, id).await?;
        Ok(address.user_id)
    })
    .await
}

/// An address of the viewer's, its user locked.
async fn lock_address(conn: &Conn, viewer: &Viewer, id: AddressId) -> Result<AddressRow> {
    let scope = viewer.scope(Permission::ManageUsers);
    let missing = || Error::not_found("id", "address");
    let address = store::addresses_by_ids(conn, &scope, &[id]).await?.pop().ok_or_else(missing)?;
    store::lock(conn, &scope, address.user_id).await?;
    // Read again: it may have gone while we waited for the lock.
    store::addresses_by_ids(conn, &scope, &[id]).await?.pop().ok_or_else(missing)
}

/// Says that a website knows a user, and as what.
/// # Errors
/// FORBIDDEN without [`Permission::ManageUsers`]; NOT_FOUND for a user that is not the viewer's to see;
/// INSUFFICIENT_PERMISSIONS for a website that the viewer's role does not reach; TAKEN where the website knows them
/// already, or calls somebody else so.
pub async fn add_identity(
    db: &Db,
    viewer: &Viewer,
    id: UserId,
    website: WebsiteId,
    external_id: String,
) -> Result<UserRow> {
    require_reach(viewer, website)?;
    let mut validator = Validator::new();
    validator.text("externalId", &external_id, 255);
    validator.finish()?;
    let new = NewSource {
        resource_type: SourceType::User,
        resource_id: id.key(),
        website_id: website,
        external_id: Some(external_id),
    };
    db.transaction(async |conn| {
        let user = lock_user(conn, viewer, id).await?;
        sources::store::insert(conn, &new).await?;
        Ok(user)
    })
    .await
}

/// Forgets what a website calls a user.
/// # Errors
/// As [`add_identity`], and NOT_FOUND where the website does not know them.
pub async fn remove_identity(db: &Db, viewer: &Viewer, id: UserId, website: WebsiteId) -> Result<UserRow> {
    require_reach(viewer, website)?;
    db.transaction(async |conn| {
        let user = lock_user(conn, viewer, id).await?;
        match sources::store::delete(conn, SourceType::User, id.key(), website).await? {
            true => Ok(user),
            false => Err(Error::not_found("websiteId", "identity of this user")),
        }
    })
    .await
}

fn require_reach(viewer: &Viewer, website: WebsiteId) -> Result<()> {
    viewer.require_any(&[Permission::ManageUsers])?;
    match viewer.can_access_website(website) {
        true => Ok(()),
        false => Err(Error::user(
            UserErrorCode::InsufficientPermissions,
            "websiteId",
            "your role is limited to other websites",
        )),
    }
}

/// A user of the viewer's who has not been erased, locked.
async fn lock_user(conn: &Conn, viewer: &Viewer, id: UserId) -> Result<UserRow> {
    let user = store::lock(conn, &viewer.scope(Permission::ManageUsers), id).await?;
    user.filter(|user| user.erased_at.is_none()).ok_or_else(|| Error::not_found("userId", "user"))
}
