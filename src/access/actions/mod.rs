//! Use cases of access control, by topic.

pub mod accounts;
pub mod addresses;
pub mod cache;
pub mod cache_task;
pub mod cleanup;
pub mod email_change;
mod emails;
pub mod identities;
pub mod invitations;
pub mod keys;
pub mod login;
pub mod owners;
pub mod passwords;
pub mod registration;
pub mod roles;
pub mod targets;
pub mod throttle;
pub mod verification;

use serde_json::Value;

use crate::{
    db::Db,
    error::Result,
    ids::UserId,
    jobs::{self, model::NewJob},
};

/// Enqueues a job, so that neither the response nor its timing reveals what the job looks up.
async fn enqueue_job(db: &Db, kind: &'static str, user_id: Option<UserId>, payload: Value) -> Result<()> {
    let job = NewJob { kind, payload, user_id, run_at: None };
    db.transaction(async |conn| jobs::store::enqueue(conn, &job).await).await
}
