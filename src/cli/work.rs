//! The background work of a server: which handler runs which kind of job.
//! Rule: a handler takes from the context only what it needs, so that no domain depends on the whole server.

use std::sync::Arc;

use crate::{
    access::actions::{email, janitor, recovery, registration, verification},
    analytics::actions::tend as searched,
    carts::actions::expiry,
    config::AnalyticsSettings,
    db::Db,
    jobs::{model::JobRow, worker::Worker},
    mail::{actions::Mailer, model::KIND},
    media::actions::{Studio, fetch, sweep},
    orders::model::CANCELLED,
    payments::{
        actions::{care, webhooks},
        providers::{Providers, test::WEBHOOK},
    },
    search::actions::{index, tend},
    storage::Storage,
    transfers::runs::actions::{cleanup as old_files, job as transfer},
};

/// What the handlers of jobs work with.
#[derive(Clone)]
pub struct JobContext {
    /// The database.
    pub db: Db,
    /// Sends mail. Without it mail waits in the queue.
    pub mailer: Option<Arc<Mailer>>,
    /// The payment providers.
    pub providers: Arc<Providers>,
    /// Draws pictures; its storage holds all files.
    pub studio: Studio,
    /// How long searches are kept, and when they are suggested.
    pub analytics: AnalyticsSettings,
}

/// A worker with a handler for each kind of job.
pub fn worker(context: JobContext) -> Worker {
    let cx = &Arc::new(context);
    let worker = Worker::new(cx.db.clone())
        .every(janitor::KIND, janitor::PERIOD, with(cx, |cx, job| async move { janitor::run(&cx.db, &job).await }))
        .every(expiry::KIND, expiry::PERIOD, with(cx, |cx, job| async move { expiry::run(&cx.db, &job).await }))
        .every(
            old_files::KIND,
            old_files::PERIOD,
            with(cx, |cx, job| async move { old_files::run(&cx.db, cx.storage(), &job).await }),
        )
        .every(
            fetch::KIND,
            fetch::PERIOD,
            with(cx, |cx, job| async move { fetch::run(&cx.db, &cx.studio, &job).await }),
        )
        .every(
            sweep::KIND,
            sweep::PERIOD,
            with(cx, |cx, job| async move { sweep::run(&cx.db, &cx.studio, &job).await }),
        )
        .every(tend::KIND, tend::PERIOD, with(cx, |cx, job| async move { tend::run(&cx.db, &job).await }))
        .every(index::KIND, index::PERIOD, with(cx, |cx, job| async move { index::run(&cx.db, &job).await }))
        .every(
            searched::KIND,
            searched::PERIOD,
            with(cx, |cx, job| async move { searched::run(&cx.db, cx.analytics, &job).await }),
        )
        .on_long(transfer::KIND, with(cx, |cx, job| async move { transfer::run(&cx.db, cx.storage(), &job).await }))
        .on(registration::KIND, with(cx, |cx, job| async move { registration::run(&cx.db, &job).await }))
        .on(verification::KIND, with(cx, |cx, job| async move { verification::run(&cx.db, &job).await }))
        .on(recovery::KIND, with(cx, |cx, job| async move { recovery::run(&cx.db, &job).await }))
        .on(email::KIND, with(cx, |cx, job| async move { email::run(&cx.db, &job).await }))
        .on(care::OPERATION, with(cx, |cx, job| async move { care::look_after(&cx.db, &cx.providers, &job).await }))
        .on(care::CAPTURE, with(cx, |cx, job| async move { care::capture(&cx.db, &cx.providers, &job).await }))
        .on(CANCELLED, with(cx, |cx, job| async move { care::undo(&cx.db, &cx.providers, &job).await }))
        .on(WEBHOOK, with(cx, |cx, job| async move { webhooks::tell(&cx.db, &cx.providers, &job).await }));
    let Some(mailer) = cx.mailer.clone() else { return worker };
    let db = cx.db.clone();
    worker.on(KIND, move |job| {
        let (mailer, db) = (Arc::clone(&mailer), db.clone());
        async move { mailer.deliver(&db, &job).await }
    })
}

impl JobContext {
    fn storage(&self) -> &Storage {
        self.studio.storage()
    }
}

/// A handler that runs a job with the context.
fn with<F, Fut>(context: &Arc<JobContext>, run: F) -> impl Fn(JobRow) -> Fut + Clone + Send + Sync + 'static
where
    F: Fn(Arc<JobContext>, JobRow) -> Fut + Clone + Send + Sync + 'static,
{
    let context = Arc::clone(context);
    move |job| run(Arc::clone(&context), job)
}
