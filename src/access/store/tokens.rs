//! Every statement on the tokens of mails, and on when people were told of tries of their address.

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

/// Adds a token by its hash.
pub async fn insert(mut conn: &Conn, new: &NewToken<'_>) -> Result<()> {
    diesel::insert_into(tokens::table).values(new).execute(&mut conn).await?;
    Ok(())
}

/// The user of a token that can still be used for this.
pub async fn find_user(mut conn: &Conn, purpose: Purpose, hash: &[u8]) -> Result<Option<UserId>> {
    let query = tokens::table
        .filter(tokens::hash.eq(hash))
        .filter(tokens::purpose.eq(purpose.as_str()))
        .filter(tokens::used_at.is_null())
        .filter(tokens::expires_at.gt(now))
        .select(tokens::user_id);
    Ok(query.first(&mut conn).await.optional()?)
}

/// Uses a token: the address that it proves; none where it is another's, was used, or its time is over. Of many who use it
/// at once one gets the address.
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

/// How many tokens were made for a user and a purpose since then, whatever became of them.
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

/// Deletes all tokens of a user, and what was noted of mails to them.
pub async fn delete_by_user(mut conn: &Conn, user: UserId) -> Result<()> {
    diesel::delete(tokens::table.filter(tokens::user_id.eq(user))).execute(&mut conn).await?;
    diesel::delete(notices::table.find(user)).execute(&mut conn).await?;
    Ok(())
}

/// Notes that a user is told of a try of their address; false where they were told since then.
pub async fn insert_notice(mut conn: &Conn, user: UserId, since: DateTime<Utc>) -> Result<bool> {
    let notice = diesel::insert_into(notices::table)
        .values(notices::user_id.eq(user))
        .on_conflict(notices::user_id)
        .do_update()
        .set(notices::told_at.eq(clock_timestamp()));
    // By its full name: in scope, it would dispute every other `filter` of the file.
    let notice = diesel::query_dsl::methods::FilterDsl::filter(notice, notices::told_at.le(since));
    Ok(notice.execute(&mut conn).await? == 1)
}
