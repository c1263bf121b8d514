//! Liveness (`/livez`) and readiness (`/readyz`) probes.
//! Rule: probes require no token.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{extract::State, http::StatusCode};

use crate::{
    db::{Conn, Db, migrations, writability},
    error::Result,
    redis::{Redis, State as RedisState},
};

/// The state that readiness depends on.
pub struct Health {
    db: Db,
    redis: Option<Redis>,
    is_draining: AtomicBool,
}

impl Health {
    pub(super) fn new(db: Db, redis: Option<Redis>) -> Self {
        Self { db, redis, is_draining: AtomicBool::new(false) }
    }

    /// Makes `/readyz` return 503 from now on, so that load balancers stop sending requests.
    pub fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }

    /// Returns why the server is not ready; none if it is.
    async fn problem(&self) -> Option<&'static str> {
        if self.is_draining.load(Ordering::Relaxed) {
            return Some("draining\n");
        }
        match self.db.read(database_state).await {
            Err(_) => Some("the database cannot be reached\n"),
            Ok(DatabaseState::NotMigrated) => Some("migrations are pending\n"),
            Ok(DatabaseState::ReadOnly) => Some("degraded: the database is read-only\n"),
            Ok(DatabaseState::Ready) if self.db.has_rejected_write() => Some("degraded: the database rejects writes\n"),
            Ok(DatabaseState::Ready) => None,
        }
    }
}

/// Returns what does not work although the server is ready; none if everything works.
fn degradation(redis: Option<&Redis>) -> Option<&'static str> {
    match redis?.state() {
        RedisState::Available => None,
        RedisState::RejectsWrites => Some("degraded: Redis rejects writes\n"),
        RedisState::Unavailable => Some("degraded: Redis is not available\n"),
    }
}

/// What the database says about itself.
enum DatabaseState {
    Ready,
    NotMigrated,
    ReadOnly,
}

async fn database_state(conn: &Conn) -> Result<DatabaseState> {
    if !migrations::is_current(conn).await? {
        return Ok(DatabaseState::NotMigrated);
    }
    let is_read_only = writability::is_read_only(conn).await?;
    Ok(if is_read_only { DatabaseState::ReadOnly } else { DatabaseState::Ready })
}

pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// Returns 200 if the database is reachable, fully migrated and accepts writes, and the server is not shutting down; 503
/// otherwise. Without Redis the server works alone, so it is ready.
pub(super) async fn readyz(State(health): State<Arc<Health>>) -> (StatusCode, &'static str) {
    match health.problem().await {
        None => (StatusCode::OK, degradation(health.redis.as_ref()).unwrap_or("ok\n")),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, problem),
    }
}
