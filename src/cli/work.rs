//! The background work of a server: which handler runs which kind of job.

use std::sync::Arc;

use crate::{
    access::actions::{email, recovery, registration, verification},
    db::Db,
    jobs::worker::Worker,
    mail::{actions::Mailer, model::KIND},
};

/// The worker with all handlers. Without a mailer, mail waits.
pub fn worker(db: &Db, mailer: Option<Mailer>) -> Worker {
    /// A handler of the database and the job.
    macro_rules! run {
        ($run:path) => {{
            let db = db.clone();
            move |job| {
                let db = db.clone();
                async move { $run(&db, &job).await }
            }
        }};
    }
    let worker = Worker::new(db.clone())
        .on(registration::KIND, run!(registration::run))
        .on(verification::KIND, run!(verification::run))
        .on(recovery::KIND, run!(recovery::run))
        .on(email::KIND, run!(email::run));
    let Some(mailer) = mailer.map(Arc::new) else { return worker };
    let db = db.clone();
    worker.on(KIND, move |job| {
        let (mailer, db) = (Arc::clone(&mailer), db.clone());
        async move { mailer.deliver(&db, &job).await }
    })
}
