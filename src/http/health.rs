//! `/livez` and `/readyz`: whether the process lives, and whether it should get requests.
//! Rule: they need no token.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{extract::State, http::StatusCode};

use crate::db::{Db, migrations};

/// What readiness is made of.
pub struct Health {
    db: Db,
    is_draining: AtomicBool,
}

impl Health {
    pub(super) fn new(db: Db) -> Self {
        Self { db, is_draining: AtomicBool::new(false) }
    }

    /// Answers 503 from now on, so that a load balancer sends no more requests.
    pub fn drain(&self) {
        self.is_draining.store(true, Ordering::Relaxed);
    }
}

pub(super) async fn livez() -> &'static str {
    "ok\n"
}

/// Ready: the database answers, has this binary's tables, and the server is not about to stop.
pub(super) async fn readyz(State(health): State<Arc<Health>>) -> (StatusCode, &'static str) {
    if health.is_draining.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n");
    }
    match health.db.read(migrations::is_current).await {
        Ok(true) => (StatusCode::OK, "ok\n"),
        Ok(false) => (StatusCode::SERVICE_UNAVAILABLE, "migrations are missing\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be reached\n"),
    }
}
