//! Use cases of addresses, and of the identities of users on websites.

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

/// Creates an address for the viewer or, for staff, for another user. A user's first address becomes the default.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers; FORBIDDEN for an API key without
/// [`Permission::ManageUsers`]; user errors for invalid fields; NOT_FOUND for a user that the viewer may not
/// change.
pub async fn create_address(db: &Db, viewer: &Viewer, new: NewAddress) -> Result<AddressRow> {
    viewer.require_account_or(Permission::ManageUsers)?;
    let new = NewAddress { fields: new.fields.checked()?, ..new };
    let scope = viewer.scope(Permission::ManageUsers);
    db.transaction(async |conn| {
        // The lock prevents concurrent requests from exceeding the limit or setting two defaults.
        store::lock(conn, &scope, new.user_id).await?.ok_or_else(|| Error::not_found("userId", "user"))?;
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
/// UNAUTHENTICATED for anonymous viewers; FORBIDDEN for an API key without
/// [`Permission::ManageUsers`]; user errors for invalid fields; NOT_FOUND if the viewer may not see the
/// address.
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
/// UNAUTHENTICATED for anonymous viewers; FORBIDDEN for an API key without
/// [`Permission::ManageUsers`]; NOT_FOUND if the viewer may not see the address.
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
    store::lock(conn, &scope, address.user_id).await?;
    // Read again: it may have been deleted before the lock was acquired.
    store::addresses_by_ids(conn, &scope, &[id]).await?.pop().ok_or_else(missing)
}

/// Adds the identity of a user on a website: the external id that the website uses for them.
/// # Errors
/// FORBIDDEN without [`Permission::ManageUsers`]; NOT_FOUND for a user that the viewer may not see;
/// PERMISSION_NOT_HELD for a website outside the viewer's role; TAKEN if the user already has an identity there,
/// or another user has this external id.
pub async fn add_identity(
    db: &Db,
    viewer: &Viewer,
    id: UserId,
    website: WebsiteId,
    external_id: String,
) -> Result<UserRow> {
    require_reach(viewer, website)?;
    let (mut validator, mut external_id) = (Validator::new(), external_id);
    validator.text("externalId", &mut external_id, 255);
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

/// Removes the identity of a user on a website.
/// # Errors
/// As [`add_identity`]; also NOT_FOUND if the user has no identity there.
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
        false => {
            Err(Error::user(UserErrorCode::PermissionNotHeld, "websiteId", "your role is limited to other websites"))
        }
    }
}

/// Returns and locks a user that the viewer may change and that was not erased.
async fn lock_user(conn: &Conn, viewer: &Viewer, id: UserId) -> Result<UserRow> {
    let user = store::lock(conn, &viewer.scope(Permission::ManageUsers), id).await?;
    user.filter(|user| user.erased_at.is_none()).ok_or_else(|| Error::not_found("userId", "user"))
}
