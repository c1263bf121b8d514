//! Liveness (`/livez`) and readiness (`/readyz`) probes.
//! Rule: probes require no token.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{extract::State, http::StatusCode};

use crate::db::{Db, migrations};

/// The state that readiness depends on.
pub struct Health {
    db: Db,
    is_draining: AtomicBool,
}

impl Health {
    pub(super) fn new(db: Db) -> Self {
        Self { db, is_draining: AtomicBool::new(false) }
    }

    /// Makes `/readyz` return 503 from now on, so that load balancers stop sending requests.
    pub fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }
}

pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// Returns 200 if the database is reachable and fully migrated, and the server is not shutting down; 503 otherwise.
pub(super) async fn readyz(State(health): State<Arc<Health>>) -> (StatusCode, &'static str) {
    if health.is_draining.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    match health.db.read(migrations::is_current).await {
        Ok(true) => (StatusCode::OK, "ok\n"),
        Ok(false) => (StatusCode::SERVICE_UNAVAILABLE, "migrations are pending\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be reached\n"),
    }
}
