//! Idempotency keys: stored results of writes that a client may retry. Owns `idempotency_keys`.
//! Rule: a key is claimed first and its result stored last, or with the claim, in the transaction of the write itself.

use chrono::{DateTime, Duration, Utc};
use diesel::{
    QueryResult,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::BigInt,
};
use diesel_async::RunQueryDsl;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Conn, filter::Condition, tables::idempotency_keys as keys};
use crate::{
    auth::{GuestKey, Holder},
    error::{Error, ErrorCode, Result, UserErrorCode},
    ids::UserId,
};

/// How long a key is kept; requests are not retried after that.
pub const RETENTION: Duration = Duration::days(30);

/// Deletes the keys created before this time and returns their number.
/// # Errors
/// Returns the error of the database.
pub async fn delete_before(mut conn: &Conn, cutoff: DateTime<Utc>) -> Result<usize> {
    Ok(diesel::delete(keys::table.filter(keys::created_at.lt(cutoff))).execute(&mut conn).await?)
}

/// The owner of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// A user.
    User(UserId),
    /// A guest with a cart token.
    Guest(GuestKey),
}

impl Owner {
    /// Returns the user, else the guest; none if there is neither.
    pub fn of(holder: Holder) -> Option<Self> {
        holder.user.map(Self::User).or(holder.guest.map(Self::Guest))
    }
}

/// The idempotency key of one write.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// Owner of the key; equal keys of different owners are independent.
    pub owner: Owner,
    /// Name of the mutation.
    pub operation: &'static str,
    /// Key chosen by the client, 1 to 200 characters.
    pub key: String,
}

/// The result of claiming a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// The key is new: do the work, then call [`ClaimedKey::store_result`], unless the result is stored already.
    New(ClaimedKey),
    /// The write was done before, with this result.
    Done(i64),
}

/// A claimed key.
#[derive(Debug, PartialEq, Eq)]
pub struct ClaimedKey {
    id: i64,
    result: i64,
}

/// The result with which a key is claimed: none yet, or the next value of this sequence.
#[derive(Debug, Clone, Copy)]
struct FirstResult(Option<&'static str>);

impl QueryId for FirstResult {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
impl Expression for FirstResult {
    type SqlType = BigInt;
}
impl<QS> AppearsOnTable<QS> for FirstResult {}
impl<QS> SelectableExpression<QS> for FirstResult {}
impl<GB> ValidGrouping<GB> for FirstResult {
    type IsAggregate = is_aggregate::Never;
}
impl QueryFragment<Pg> for FirstResult {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self.0 {
            None => out.push_sql("0"),
            Some(sequence) => {
                out.push_sql("nextval('");
                out.push_sql(sequence);
                out.push_sql("')");
            }
        }
        Ok(())
    }
}

impl IdempotencyKey {
    /// Checks the length of the key.
    /// # Errors
    /// Returns a user error if the key is blank or longer than 200 characters.
    pub fn check(&self) -> Result<()> {
        if self.key.trim().is_empty() || self.key.chars().count() > 200 {
            return Err(Error::bad_input("idempotencyKey", "must be 1 to 200 characters long"));
        }
        Ok(())
    }

    /// Claims the key. Another request with the same key waits until this transaction ends.
    /// # Errors
    /// Returns IDEMPOTENCY_MISMATCH if the key was used for a different request.
    pub async fn claim(&self, conn: &Conn, request: &impl Serialize) -> Result<Claim> {
        self.claim_with(conn, request, FirstResult(None)).await
    }

    /// Claims the key as [`IdempotencyKey::claim`] does and stores the next ID of this sequence as its result, which is
    /// that of the row that the write inserts: it saves the update of the key.
    /// # Errors
    /// Those of [`IdempotencyKey::claim`].
    pub async fn claim_id(&self, conn: &Conn, request: &impl Serialize, sequence: &'static str) -> Result<Claim> {
        self.claim_with(conn, request, FirstResult(Some(sequence))).await
    }

    async fn claim_with(&self, mut conn: &Conn, request: &impl Serialize, result: FirstResult) -> Result<Claim> {
        let json = serde_json::to_vec(request).map_err(|error| Error::Internal(error.to_string()))?;
        let hash = Sha256::digest(json).to_vec();
        let (user, guest) = match self.owner {
            Owner::User(user) => (Some(user.0), None),
            Owner::Guest(guest) => (None, Some(guest.hash().to_vec())),
        };
        let row = (
            keys::user_id.eq(user),
            keys::cart_token_hash.eq(guest),
            keys::operation.eq(self.operation),
            keys::key.eq(&self.key),
            keys::request_hash.eq(&hash),
            keys::answer_id.eq(result),
        );
        let claim = diesel::insert_into(keys::table)
            .values(row)
            .on_conflict_do_nothing()
            .returning((keys::id, keys::answer_id));
        let claimed = claim.get_result(&mut conn).await.optional().map_err(|error| match Error::from(error) {
            Error::Constraint { name, .. } if name == "idempotency_keys_user_id_fkey" => {
                Error::Coded(ErrorCode::Unauthenticated, "the account of this access token no longer exists".into())
            }
            other => other,
        })?;
        if let Some((id, result)) = claimed {
            return Ok(Claim::New(ClaimedKey { id, result }));
        }
        let owned: Condition<'_, keys::table> = match self.owner {
            Owner::User(user) => Box::new(keys::user_id.assume_not_null().eq(user.0)),
            Owner::Guest(guest) => Box::new(keys::cart_token_hash.assume_not_null().eq(guest.hash().to_vec())),
        };
        let row = keys::table.filter(keys::operation.eq(self.operation)).filter(keys::key.eq(&self.key));
        let row = row.select((keys::request_hash, keys::answer_id)).into_boxed::<Pg>().filter(owned);
        let (previous_hash, result_id): (Vec<u8>, i64) = row.first(&mut conn).await?;
        if previous_hash == hash {
            return Ok(Claim::Done(result_id));
        }
        Err(Error::user(
            UserErrorCode::IdempotencyMismatch,
            "idempotencyKey",
            "the idempotency key was already used with a different request",
        ))
    }
}

impl ClaimedKey {
    /// Returns the ID that [`IdempotencyKey::claim_id`] took from the sequence.
    pub fn result(&self) -> i64 {
        self.result
    }

    /// Stores the result.
    /// # Errors
    /// Returns the error of the database.
    pub async fn store_result(&self, mut conn: &Conn, result_id: i64) -> Result<()> {
        diesel::update(keys::table.find(self.id)).set(keys::answer_id.eq(result_id)).execute(&mut conn).await?;
        Ok(())
    }
}
