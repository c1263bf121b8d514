//! SQL statements on API keys.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    super::model::keys::{ApiKey, ApiKeyRow, NewApiKey},
    Joined,
};
use crate::{
    auth::Grant,
    db::{
        Conn,
        sql::clock_timestamp,
        tables::{api_key_permissions, api_key_websites, api_keys, roles, users},
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{ApiKeyId, UserId, WebsiteId},
};

/// Selects keys with their permissions and websites in one statement: a key has few of both.
macro_rules! joined {
    () => {
        api_keys::table.left_join(api_key_permissions::table).left_join(api_key_websites::table).select((
            ApiKeyRow::as_select(),
            api_key_permissions::permission.nullable(),
            api_key_websites::website_id.nullable(),
        ))
    };
}

/// Returns the active keys of `user` if listed in `users`, newest first.
pub async fn by_user_ids(mut conn: &Conn, user: UserId, users: &[UserId]) -> Result<Vec<ApiKey>> {
    let query = joined!()
        .filter(api_keys::user_id.eq_any(users))
        .filter(api_keys::user_id.eq(user))
        .filter(api_keys::revoked_at.is_null());
    Ok(gather(query.load(&mut conn).await?))
}

/// Returns the active keys of this user with these ids, newest first.
pub async fn by_ids(mut conn: &Conn, user: UserId, ids: &[ApiKeyId]) -> Result<Vec<ApiKey>> {
    let query = joined!()
        .filter(api_keys::id.eq_any(ids))
        .filter(api_keys::user_id.eq(user))
        .filter(api_keys::revoked_at.is_null());
    Ok(gather(query.load(&mut conn).await?))
}

/// Returns all keys of a user, including revoked ones, newest first.
pub async fn all_by_user(mut conn: &Conn, user: UserId) -> Result<Vec<ApiKey>> {
    Ok(gather(joined!().filter(api_keys::user_id.eq(user)).load(&mut conn).await?))
}

/// Returns the valid key with this hash, and the code of its owner's role.
pub async fn find_by_hash(mut conn: &Conn, hash: &[u8]) -> Result<Option<(ApiKey, String)>> {
    let rows: Vec<(ApiKeyRow, Option<String>, Option<WebsiteId>, String)> = api_keys::table
        .inner_join(users::table.inner_join(roles::table))
        .left_join(api_key_permissions::table)
        .left_join(api_key_websites::table)
        .filter(api_keys::hash.eq(hash))
        .filter(api_keys::revoked_at.is_null())
        .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.assume_not_null().gt(clock_timestamp())))
        .filter(users::is_active)
        .select((
            ApiKeyRow::as_select(),
            api_key_permissions::permission.nullable(),
            api_key_websites::website_id.nullable(),
            roles::code,
        ))
        .load(&mut conn)
        .await?;
    let role = rows.last().map(|(.., role)| role.clone());
    let rows = rows.into_iter().map(|(row, permission, website, _)| (row, permission, website)).collect();
    Ok(gather(rows).pop().zip(role))
}

/// Returns the valid key with this id, and the code of its owner's role.
pub async fn find_by_id(mut conn: &Conn, id: ApiKeyId) -> Result<Option<(ApiKey, String)>> {
    let hash: Option<Vec<u8>> = api_keys::table.find(id).select(api_keys::hash).first(&mut conn).await.optional()?;
    match hash {
        Some(hash) => find_by_hash(conn, &hash).await,
        None => Ok(None),
    }
}

fn gather(rows: Vec<Joined<ApiKeyRow>>) -> Vec<ApiKey> {
    let all = super::gather(rows, |row| row.id).rev();
    all.map(|(row, Grant { permissions, websites })| ApiKey { row, permissions, websites }).collect()
}

/// Counts the active keys of a user.
pub async fn count(mut conn: &Conn, user: UserId) -> Result<i64> {
    let own = api_keys::table.filter(api_keys::user_id.eq(user)).filter(api_keys::revoked_at.is_null());
    Ok(own.count().get_result(&mut conn).await?)
}

/// Inserts a key by its prefix and hash.
/// # Errors
/// NOT_FOUND for an unknown website.
pub async fn insert(mut conn: &Conn, user: UserId, prefix: &str, hash: &[u8], new: &NewApiKey) -> Result<ApiKeyId> {
    let values = (
        api_keys::user_id.eq(user),
        api_keys::name.eq(&new.name),
        api_keys::prefix.eq(prefix),
        api_keys::hash.eq(hash),
        api_keys::expires_at.eq(new.expires_at),
    );
    let query = diesel::insert_into(api_keys::table).values(values).returning(api_keys::id);
    let id: ApiKeyId = query.get_result(&mut conn).await.map_err(|error| match Error::from(error) {
        // Another key has the same random letters: retry the transaction with new ones.
        Error::Constraint { name, detail } if name == "api_keys_prefix_key" => Error::Retry(detail),
        other => other,
    })?;
    let permissions: Vec<_> = new
        .permissions
        .iter()
        .map(|one| (api_key_permissions::api_key_id.eq(id), api_key_permissions::permission.eq(one.as_str())))
        .collect();
    diesel::insert_into(api_key_permissions::table).values(permissions).execute(&mut conn).await?;
    let websites: Vec<_> = new
        .websites
        .iter()
        .map(|one| (api_key_websites::api_key_id.eq(id), api_key_websites::website_id.eq(*one)))
        .collect();
    let query = diesel::insert_into(api_key_websites::table).values(websites).on_conflict_do_nothing();
    query.execute(&mut conn).await.map_err(|error| {
        Error::from(error).on_constraint("api_key_websites_website_id_fkey", || {
            UserError::new(UserErrorCode::NotFound, "websites", "there is no such website")
        })
    })?;
    Ok(id)
}

/// Revokes a key of this user; false if there is none.
pub async fn update_revoked(mut conn: &Conn, user: UserId, id: ApiKeyId) -> Result<bool> {
    let own = api_keys::table.find(id).filter(api_keys::user_id.eq(user)).filter(api_keys::revoked_at.is_null());
    let revoked = diesel::update(own).set(api_keys::revoked_at.eq(clock_timestamp().nullable()));
    Ok(revoked.execute(&mut conn).await? == 1)
}

/// Deletes all keys of a user.
pub async fn delete_by_user(mut conn: &Conn, user: UserId) -> Result<()> {
    diesel::delete(api_keys::table.filter(api_keys::user_id.eq(user))).execute(&mut conn).await?;
    Ok(())
}

/// Records the use of these keys.
pub async fn update_used(mut conn: &Conn, ids: &[ApiKeyId]) -> Result<()> {
    let used = api_keys::table.filter(api_keys::id.eq_any(ids));
    diesel::update(used).set(api_keys::last_used_at.eq(clock_timestamp().nullable())).execute(&mut conn).await?;
    Ok(())
}
