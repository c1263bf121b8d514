//! SQL statements on tokens sent by email, and on notices about attempts to use an address.

use chrono::{DateTime, Utc};
use diesel::{dsl::now, prelude::*};
use diesel_async::RunQueryDsl;

use super::super::model::{NewToken, Purpose};
use crate::{
    db::{
        Conn,
        sql::clock_timestamp,
        tables::{account_tokens as tokens, address_notices as notices},
    },
    error::Result,
    ids::UserId,
};

/// Inserts a token by its hash.
pub async fn insert(mut conn: &Conn, new: &NewToken<'_>) -> Result<()> {
    diesel::insert_into(tokens::table).values(new).execute(&mut conn).await?;
    Ok(())
}

/// Returns the user of a valid token with this purpose.
pub async fn find_user(mut conn: &Conn, purpose: Purpose, hash: &[u8]) -> Result<Option<UserId>> {
    let query = tokens::table
        .filter(tokens::hash.eq(hash))
        .filter(tokens::purpose.eq(purpose.as_str()))
        .filter(tokens::used_at.is_null())
        .filter(tokens::expires_at.gt(now))
        .select(tokens::user_id);
    Ok(query.first(&mut conn).await.optional()?)
}

/// Marks a token as used and returns the address that it proves; none if it belongs to another user, was used, or has
/// expired. Of several concurrent uses, only one succeeds.
pub async fn update_used(mut conn: &Conn, user: UserId, purpose: Purpose, hash: &[u8]) -> Result<Option<String>> {
    let valid = tokens::table
        .filter(tokens::hash.eq(hash))
        .filter(tokens::user_id.eq(user))
        .filter(tokens::purpose.eq(purpose.as_str()))
        .filter(tokens::used_at.is_null())
        .filter(tokens::expires_at.gt(now));
    let used = diesel::update(valid).set(tokens::used_at.eq(clock_timestamp().nullable())).returning(tokens::email);
    Ok(used.get_result(&mut conn).await.optional()?)
}

/// Voids the unused tokens of a user for this purpose.
pub async fn update_void(mut conn: &Conn, user: UserId, purpose: Purpose) -> Result<()> {
    let unused = tokens::table
        .filter(tokens::user_id.eq(user))
        .filter(tokens::purpose.eq(purpose.as_str()))
        .filter(tokens::used_at.is_null());
    diesel::update(unused).set(tokens::used_at.eq(clock_timestamp().nullable())).execute(&mut conn).await?;
    Ok(())
}

/// Voids all unused tokens of a user.
pub async fn update_all_void(mut conn: &Conn, user: UserId) -> Result<()> {
    let unused = tokens::table.filter(tokens::user_id.eq(user)).filter(tokens::used_at.is_null());
    diesel::update(unused).set(tokens::used_at.eq(clock_timestamp().nullable())).execute(&mut conn).await?;
    Ok(())
}

/// Counts the tokens created for a user and a purpose since then, used or not.
pub async fn count_since(mut conn: &Conn, user: UserId, purpose: Purpose, since: DateTime<Utc>) -> Result<i64> {
    let made = tokens::table
        .filter(tokens::user_id.eq(user))
        .filter(tokens::purpose.eq(purpose.as_str()))
        .filter(tokens::created_at.gt(since));
    Ok(made.count().get_result(&mut conn).await?)
}

/// Deletes tokens that expired before this time.
pub async fn delete_expired(mut conn: &Conn, before: DateTime<Utc>) -> Result<usize> {
    Ok(diesel::delete(tokens::table.filter(tokens::expires_at.lt(before))).execute(&mut conn).await?)
}

/// Deletes all tokens of a user and the record of notices to them.
pub async fn delete_by_user(mut conn: &Conn, user: UserId) -> Result<()> {
    diesel::delete(tokens::table.filter(tokens::user_id.eq(user))).execute(&mut conn).await?;
    diesel::delete(notices::table.find(user)).execute(&mut conn).await?;
    Ok(())
}

/// Records that a user is notified of an attempt to use their address; false if they were notified since then.
pub async fn insert_notice(mut conn: &Conn, user: UserId, since: DateTime<Utc>) -> Result<bool> {
    let notice = diesel::insert_into(notices::table)
        .values(notices::user_id.eq(user))
        .on_conflict(notices::user_id)
        .do_update()
        .set(notices::told_at.eq(clock_timestamp()));
    // Called by its full path: an import would make every other `filter` in this file ambiguous.
    let notice = diesel::query_dsl::methods::FilterDsl::filter(notice, notices::told_at.le(since));
    Ok(notice.execute(&mut conn).await? == 1)
}
