//! SQL statements on sessions and their refresh tokens.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::super::model::{NewSession, SessionRow};
use crate::{
    db::{
        Conn,
        sql::clock_timestamp,
        tables::{refresh_tokens as tokens, roles, sessions, users},
    },
    error::Result,
    ids::{SessionId, UserId},
};

/// A row of `refresh_tokens`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = tokens, check_for_backend(diesel::pg::Pg))]
pub struct RefreshTokenRow {
    /// Primary key.
    pub id: i64,
    /// Its session.
    pub session_id: SessionId,
    /// When it was used, or invalidated by the use of another token.
    pub used_at: Option<DateTime<Utc>>,
}

/// Inserts a session.
pub async fn insert(mut conn: &Conn, new: &NewSession) -> Result<SessionRow> {
    let query = diesel::insert_into(sessions::table).values(new).returning(SessionRow::as_returning());
    Ok(query.get_result(&mut conn).await?)
}

/// Inserts a refresh token by its hash.
pub async fn insert_token(mut conn: &Conn, session: SessionId, parent: Option<i64>, hash: &[u8]) -> Result<()> {
    let values = (tokens::session_id.eq(session), tokens::parent_id.eq(parent), tokens::hash.eq(hash));
    diesel::insert_into(tokens::table).values(values).execute(&mut conn).await?;
    Ok(())
}

/// Returns the session of a refresh token, whether active or not.
pub async fn find_by_token(mut conn: &Conn, hash: &[u8]) -> Result<Option<SessionId>> {
    let query = tokens::table.filter(tokens::hash.eq(hash)).select(tokens::session_id);
    Ok(query.first(&mut conn).await.optional()?)
}

/// Locks a session for update and returns it.
pub async fn lock(mut conn: &Conn, id: SessionId) -> Result<Option<SessionRow>> {
    let query = sessions::table.find(id).select(SessionRow::as_select());
    Ok(query.for_no_key_update().first(&mut conn).await.optional()?)
}

/// Returns a refresh token by its hash.
pub async fn find_token(mut conn: &Conn, hash: &[u8]) -> Result<Option<RefreshTokenRow>> {
    let query = tokens::table.filter(tokens::hash.eq(hash)).select(RefreshTokenRow::as_select());
    Ok(query.first(&mut conn).await.optional()?)
}

/// Returns whether tokens were issued for this one, of which none has been used.
pub async fn has_unused_successors_only(mut conn: &Conn, token: i64) -> Result<bool> {
    let successors = tokens::table.filter(tokens::parent_id.eq(token)).select(tokens::used_at.is_null());
    let are_unused: Vec<bool> = successors.load(&mut conn).await?;
    Ok(!are_unused.is_empty() && are_unused.into_iter().all(|is_unused| is_unused))
}

/// Marks all unused tokens of a session as used, so that only one chain of tokens continues.
pub async fn update_tokens_used(mut conn: &Conn, session: SessionId) -> Result<()> {
    let unused = tokens::table.filter(tokens::session_id.eq(session)).filter(tokens::used_at.is_null());
    diesel::update(unused).set(tokens::used_at.eq(clock_timestamp().nullable())).execute(&mut conn).await?;
    Ok(())
}

/// Records the use of a session, its address, and its new expiry.
pub async fn update_used(
    mut conn: &Conn,
    id: SessionId,
    address: Option<&str>,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    let used = (
        sessions::last_used_at.eq(clock_timestamp()),
        sessions::expires_at.eq(expires_at),
        address.map(|address| sessions::address.eq(address)),
    );
    diesel::update(sessions::table.find(id)).set(used).execute(&mut conn).await?;
    Ok(())
}

/// Ends an active session of this user; false if there is none.
pub async fn update_ended(mut conn: &Conn, user: UserId, id: SessionId) -> Result<bool> {
    let live = sessions::table.find(id).filter(sessions::user_id.eq(user)).filter(sessions::ended_at.is_null());
    let ended = diesel::update(live).set(sessions::ended_at.eq(clock_timestamp().nullable()));
    Ok(ended.execute(&mut conn).await? == 1)
}

/// Ends all active sessions of this user except the one to keep.
pub async fn update_all_ended(mut conn: &Conn, user: UserId, keep: Option<SessionId>) -> Result<()> {
    let live = sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::id.ne(keep.unwrap_or(SessionId(0))));
    diesel::update(live).set(sessions::ended_at.eq(clock_timestamp().nullable())).execute(&mut conn).await?;
    Ok(())
}

/// Ends all active sessions of a user except the `limit` most recently used ones.
pub async fn update_surplus_ended(mut conn: &Conn, user: UserId, limit: i64) -> Result<()> {
    let live = sessions::table.filter(sessions::user_id.eq(user)).filter(sessions::ended_at.is_null());
    let surplus = live.order((sessions::last_used_at.desc(), sessions::id.desc())).offset(limit).select(sessions::id);
    let surplus: Vec<SessionId> = surplus.load(&mut conn).await?;
    if !surplus.is_empty() {
        let surplus = sessions::table.filter(sessions::id.eq_any(surplus));
        diesel::update(surplus).set(sessions::ended_at.eq(clock_timestamp().nullable())).execute(&mut conn).await?;
    }
    Ok(())
}

/// Returns the active sessions of `user` if listed in `users`, most recently used first.
pub async fn live_by_user_ids(mut conn: &Conn, user: UserId, users: &[UserId]) -> Result<Vec<SessionRow>> {
    let query = sessions::table
        .filter(sessions::user_id.eq_any(users))
        .filter(sessions::user_id.eq(user))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(diesel::dsl::now))
        .order((sessions::last_used_at.desc(), sessions::id.desc()))
        .select(SessionRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Returns the active sessions of this user with these ids, in no particular order.
pub async fn live_by_ids(mut conn: &Conn, user: UserId, ids: &[SessionId]) -> Result<Vec<SessionRow>> {
    let query = sessions::table
        .filter(sessions::id.eq_any(ids))
        .filter(sessions::user_id.eq(user))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(diesel::dsl::now))
        .select(SessionRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Returns all sessions of a user, including ended ones, oldest first.
pub async fn all_by_user(mut conn: &Conn, user: UserId) -> Result<Vec<SessionRow>> {
    let query = sessions::table.filter(sessions::user_id.eq(user)).order(sessions::id).select(SessionRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Removes the device and address from all sessions of a user.
pub async fn update_anonymized(mut conn: &Conn, user: UserId) -> Result<()> {
    let own = sessions::table.filter(sessions::user_id.eq(user));
    let nothing = (sessions::device.eq(None::<String>), sessions::address.eq(None::<String>));
    diesel::update(own).set(nothing).execute(&mut conn).await?;
    Ok(())
}

/// Returns the addresses from which the account with this email address was used since then, at most 100.
pub async fn addresses_by_email(mut conn: &Conn, email: &str, since: DateTime<Utc>) -> Result<Vec<String>> {
    let query = sessions::table
        .inner_join(users::table)
        .filter(users::email.assume_not_null().eq(email))
        .filter(sessions::address.is_not_null())
        .filter(sessions::last_used_at.gt(since))
        .select(sessions::address.assume_not_null())
        .distinct()
        .limit(100);
    Ok(query.load(&mut conn).await?)
}

/// Deletes sessions that ended or expired before this time, with their tokens.
pub async fn delete_expired(mut conn: &Conn, before: DateTime<Utc>) -> Result<usize> {
    let over = sessions::table.filter(sessions::expires_at.lt(before).or(sessions::ended_at.lt(before)));
    Ok(diesel::delete(over).execute(&mut conn).await?)
}

/// Returns the database's current time.
pub async fn now(mut conn: &Conn) -> Result<DateTime<Utc>> {
    Ok(diesel::select(clock_timestamp()).get_result(&mut conn).await?)
}

/// Returns the sessions that ended since then, with the time.
pub async fn ended_since(mut conn: &Conn, since: DateTime<Utc>) -> Result<Vec<(SessionId, DateTime<Utc>)>> {
    let query = sessions::table
        .filter(sessions::ended_at.is_not_null())
        .filter(sessions::ended_at.assume_not_null().gt(since))
        .select((sessions::id, sessions::ended_at.assume_not_null()));
    Ok(query.load(&mut conn).await?)
}

/// Returns the users whose role changed since then, with the new role's code and the time.
pub async fn role_changes_since(mut conn: &Conn, since: DateTime<Utc>) -> Result<Vec<(UserId, String, DateTime<Utc>)>> {
    let query = users::table
        .inner_join(roles::table)
        .filter(users::role_changed_at.is_not_null())
        .filter(users::role_changed_at.assume_not_null().gt(since))
        .select((users::id, roles::code, users::role_changed_at.assume_not_null()));
    Ok(query.load(&mut conn).await?)
}
