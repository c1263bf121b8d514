//! Operations of staff on jobs. Only dead jobs can be changed; all others belong to the worker.

use super::{
    model::{JobState, JobSummary},
    store,
};
use crate::{
    auth::{Permission, Scope, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::JobId,
};

/// Queues a dead job again, due immediately and with its attempts reset.
/// # Errors
/// Returns FORBIDDEN without [`Permission::ManageJobs`], NOT_FOUND, or ILLEGAL_TRANSITION if the job is not dead.
pub async fn retry(db: &Db, viewer: &Viewer, id: JobId) -> Result<JobSummary> {
    let scope = scope(viewer)?;
    db.transaction(async |conn| {
        lock_dead(conn, &scope, id).await?;
        store::update_queued(conn, id).await
    })
    .await
}

/// Deletes a dead job and returns it.
/// # Errors
/// Returns the same errors as [`retry`].
pub async fn delete(db: &Db, viewer: &Viewer, id: JobId) -> Result<JobSummary> {
    let scope = scope(viewer)?;
    db.transaction(async |conn| {
        let job = lock_dead(conn, &scope, id).await?;
        store::delete(conn, id).await?;
        Ok(job)
    })
    .await
}

fn scope(viewer: &Viewer) -> Result<Scope> {
    viewer.require_any(&[Permission::ManageJobs])?;
    Ok(viewer.scope(Permission::ManageJobs))
}

async fn lock_dead(conn: &Conn, scope: &Scope, id: JobId) -> Result<JobSummary> {
    let job = store::lock(conn, scope, id).await?.ok_or_else(|| Error::not_found("id", "job"))?;
    match job.state() {
        JobState::Dead => Ok(job),
        JobState::Queued | JobState::Running => {
            Err(Error::user(UserErrorCode::IllegalTransition, "id", "only dead jobs can be retried or deleted"))
        }
    }
}
