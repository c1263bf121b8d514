//! Idempotency keys: the answer to a write that a client may send again. Owns `idempotency_keys`.
//! Rule: a key is claimed first and answered last, in the transaction of the write itself.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Conn, tables::idempotency_keys as keys};
use crate::{
    error::{Error, ErrorCode, Result, UserErrorCode},
    ids::UserId,
};

/// Names one write of one user.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    /// Whose write: another user's key is another key.
    pub user: UserId,
    /// Which mutation.
    pub operation: &'static str,
    /// What the client calls it, 1 to 200 characters.
    pub key: String,
}

/// What claiming a key found.
#[derive(Debug, PartialEq, Eq)]
pub enum Claim {
    /// The key is new: do the work, then [`IdempotencyKey::answer`].
    New,
    /// The work was done before; this was the answer.
    Done(i64),
}

impl IdempotencyKey {
    /// # Errors
    /// A user error for a blank key or one of more than 200 characters.
    pub fn check(&self) -> Result<()> {
        if self.key.trim().is_empty() || self.key.chars().count() > 200 {
            return Err(Error::bad_input("idempotencyKey", "an idempotency key is 1 to 200 characters"));
        }
        Ok(())
    }

    /// Claims the key. Another request with the same key waits here until this transaction ends.
    /// # Errors
    /// IDEMPOTENCY_MISMATCH where the key was used for another request.
    pub async fn claim(&self, mut conn: &Conn, request: &impl Serialize) -> Result<Claim> {
        let json = serde_json::to_vec(request).map_err(|error| Error::Internal(error.to_string()))?;
        let hash = Sha256::digest(json).to_vec();
        let row = (
            keys::user_id.eq(self.user.0),
            keys::operation.eq(self.operation),
            keys::key.eq(&self.key),
            keys::request_hash.eq(&hash),
            keys::answer_id.eq(0),
        );
        let claimed = diesel::insert_into(keys::table).values(row).on_conflict_do_nothing().execute(&mut conn).await;
        let claimed = claimed.map_err(|error| match Error::from(error) {
            Error::Constraint { name, .. } if name == "idempotency_keys_user_id_fkey" => {
                Error::Coded(ErrorCode::Unauthenticated, "the account of this access token is gone".into())
            }
            other => other,
        })?;
        if claimed == 1 {
            return Ok(Claim::New);
        }
        let row =
            keys::table.find((self.user.0, self.operation, &self.key)).select((keys::request_hash, keys::answer_id));
        let (before, answer): (Vec<u8>, i64) = row.first(&mut conn).await?;
        if before == hash {
            return Ok(Claim::Done(answer));
        }
        Err(Error::user(
            UserErrorCode::IdempotencyMismatch,
            "idempotencyKey",
            "this idempotency key was used before with another request",
        ))
    }

    /// Stores the answer of the claimed key.
    /// # Errors
    /// Those of the database.
    pub async fn answer(&self, mut conn: &Conn, answer: i64) -> Result<()> {
        let row = keys::table.find((self.user.0, self.operation, &self.key));
        diesel::update(row).set(keys::answer_id.eq(answer)).execute(&mut conn).await?;
        Ok(())
    }
}
