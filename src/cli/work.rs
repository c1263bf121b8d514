//! The background work of a server: which handler runs which kind of job.

use std::sync::Arc;

use crate::{
    access::actions::{email, janitor, recovery, registration, verification},
    analytics::actions::tend as searched,
    carts::actions::expiry,
    config::AnalyticsSettings,
    db::Db,
    jobs::worker::Worker,
    mail::{actions::Mailer, model::KIND},
    media::actions::{Studio, fetch, sweep},
    orders::model::CANCELLED,
    payments::{
        actions::{care, webhooks},
        providers::{Providers, test::WEBHOOK},
    },
    search::actions::{index, tend},
    transfers::runs,
};

/// The worker with all handlers. Without a mailer, mail waits.
pub fn worker(
    db: &Db,
    mailer: Option<Mailer>,
    providers: &Arc<Providers>,
    studio: &Studio,
    analytics: AnalyticsSettings,
) -> Worker {
    // A closure of its own: no other job has settings.
    let tend_searched = {
        let db = db.clone();
        move |job| {
            let db = db.clone();
            async move { searched::run(&db, analytics, &job).await }
        }
    };
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
    /// A handler of the database, the providers and the job.
    macro_rules! pay {
        ($run:path) => {{
            let (db, providers) = (db.clone(), Arc::clone(providers));
            move |job| {
                let (db, providers) = (db.clone(), Arc::clone(&providers));
                async move { $run(&db, &providers, &job).await }
            }
        }};
    }
    /// A handler of the database, the files and the job.
    macro_rules! file {
        ($run:path) => {{
            let (db, storage) = (db.clone(), studio.storage().clone());
            move |job| {
                let (db, storage) = (db.clone(), storage.clone());
                async move { $run(&db, &storage, &job).await }
            }
        }};
    }
    /// A handler of the database, the studio and the job.
    macro_rules! draw {
        ($run:path) => {{
            let (db, studio) = (db.clone(), studio.clone());
            move |job| {
                let (db, studio) = (db.clone(), studio.clone());
                async move { $run(&db, &studio, &job).await }
            }
        }};
    }
    let worker = Worker::new(db.clone())
        .every(janitor::KIND, janitor::PERIOD, run!(janitor::run))
        .every(expiry::KIND, expiry::PERIOD, run!(expiry::run))
        .every(runs::sweep::KIND, runs::sweep::PERIOD, file!(runs::sweep::run))
        .on_long(runs::job::KIND, file!(runs::job::run))
        .every(fetch::KIND, fetch::PERIOD, draw!(fetch::run))
        .every(sweep::KIND, sweep::PERIOD, draw!(sweep::run))
        .every(tend::KIND, tend::PERIOD, run!(tend::run))
        .every(index::KIND, index::PERIOD, run!(index::run))
        .every(searched::KIND, searched::PERIOD, tend_searched)
        .on(registration::KIND, run!(registration::run))
        .on(verification::KIND, run!(verification::run))
        .on(recovery::KIND, run!(recovery::run))
        .on(email::KIND, run!(email::run))
        .on(care::OPERATION, pay!(care::look_after))
        .on(care::CAPTURE, pay!(care::capture))
        .on(CANCELLED, pay!(care::undo))
        .on(WEBHOOK, pay!(webhooks::tell));
    let Some(mailer) = mailer.map(Arc::new) else { return worker };
    let db = db.clone();
    worker.on(KIND, move |job| {
        let (mailer, db) = (Arc::clone(&mailer), db.clone());
        async move { mailer.deliver(&db, &job).await }
    })
}
