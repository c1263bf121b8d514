//! The background work of a server: which handler runs which kind of job.

use std::sync::Arc;

use crate::{
    db::Db,
    jobs::worker::Worker,
    mail::{actions::Mailer, model::KIND},
};

/// The worker with all handlers. Without a mailer, mail waits.
pub fn worker(db: &Db, mailer: Option<Mailer>) -> Worker {
    let worker = Worker::new(db.clone());
    let Some(mailer) = mailer.map(Arc::new) else { return worker };
    let db = db.clone();
    worker.on(KIND, move |job| {
        let (mailer, db) = (Arc::clone(&mailer), db.clone());
        async move { mailer.deliver(&db, &job).await }
    })
}
