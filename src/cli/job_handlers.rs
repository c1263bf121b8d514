//! Registration of the job handlers: one for each kind of job.
//! Rule: a handler gets only the parts of the context that it needs, so that no domain depends on the whole server.

use std::{sync::Arc, time::Duration};

use crate::{
    access::actions::{cleanup as access_cleanup, email_change, passwords, registration, verification},
    analytics::actions::refresh as analytics_refresh,
    carts::actions::expiry,
    config::AnalyticsSettings,
    db::Db,
    jobs::{model::JobRow, worker::Worker},
    mail::{actions::Mailer, model::KIND},
    media::actions::{ImageProcessor, fetch, file_cleanup},
    orders::model::CANCELLED,
    payments::{
        actions::{reconcile, webhooks},
        providers::{Providers, test::WEBHOOK},
    },
    search::actions::{popularity as search_popularity, reindex},
    storage::Storage,
    transfers::runs::actions::{cleanup as transfers_cleanup, job as transfer},
};

/// The dependencies of the job handlers.
#[derive(Clone)]
pub struct JobContext {
    /// The database.
    pub db: Db,
    /// Sends emails. Without it, emails stay in the queue.
    pub mailer: Option<Arc<Mailer>>,
    /// The payment providers.
    pub providers: Arc<Providers>,
    /// The image processor; its storage holds all files.
    pub image_processor: ImageProcessor,
    /// The analytics settings: how long searches are kept, and when they are suggested.
    pub analytics: AnalyticsSettings,
}

/// Builds a worker with a handler for each kind of job.
pub fn build_worker(context: JobContext) -> Worker {
    let cx = &Arc::new(context);
    let worker = Worker::new(cx.db.clone());
    let stop = worker.stop_signal();
    let worker = worker
        .every(
            access_cleanup::KIND,
            access_cleanup::PERIOD,
            with_context(cx, |cx, job| async move { access_cleanup::run(&cx.db, &job).await }),
        )
        .every(expiry::KIND, expiry::PERIOD, with_context(cx, |cx, job| async move { expiry::run(&cx.db, &job).await }))
        .every(
            transfers_cleanup::KIND,
            transfers_cleanup::PERIOD,
            with_context(cx, |cx, job| async move { transfers_cleanup::run(&cx.db, cx.storage(), &job).await }),
        )
        .every_uninterrupted(
            fetch::KIND,
            fetch::PERIOD,
            with_context(cx, move |cx, _| {
                let stop = stop.clone();
                async move { fetch::run(&cx.db, &cx.image_processor, &stop).await }
            }),
        )
        .every(
            file_cleanup::KIND,
            file_cleanup::PERIOD,
            with_context(cx, |cx, job| async move { file_cleanup::run(&cx.db, &cx.image_processor, &job).await }),
        )
        .every(
            search_popularity::KIND,
            search_popularity::PERIOD,
            with_context(cx, |cx, job| async move { search_popularity::run(&cx.db, &job).await }),
        )
        .every(
            reindex::KIND,
            reindex::PERIOD,
            with_context(cx, |cx, job| async move { reindex::run(&cx.db, &job).await }),
        )
        .every(
            analytics_refresh::KIND,
            analytics_refresh::PERIOD,
            with_context(cx, |cx, job| async move { analytics_refresh::run(&cx.db, cx.analytics, &job).await }),
        )
        .on_long(
            transfer::KIND,
            with_context(cx, |cx, job| async move { transfer::run(&cx.db, cx.storage(), &job).await }),
        )
        .on(registration::KIND, with_context(cx, |cx, job| async move { registration::run(&cx.db, &job).await }))
        .on(verification::KIND, with_context(cx, |cx, job| async move { verification::run(&cx.db, &job).await }))
        .on(passwords::KIND, with_context(cx, |cx, job| async move { passwords::run(&cx.db, &job).await }))
        .on(email_change::KIND, with_context(cx, |cx, job| async move { email_change::run(&cx.db, &job).await }))
        .on(
            reconcile::OPERATION,
            with_context(cx, |cx, job| async move { reconcile::resolve_pending(&cx.db, &cx.providers, &job).await }),
        )
        .on(
            reconcile::CAPTURE,
            with_context(cx, |cx, job| async move { reconcile::capture_authorized(&cx.db, &cx.providers, &job).await }),
        )
        .on(
            CANCELLED,
            with_context(cx, |cx, job| async move { reconcile::reverse_cancelled(&cx.db, &cx.providers, &job).await }),
        )
        .on(
            WEBHOOK,
            with_context(cx, |cx, job| async move { webhooks::send_test_webhook(&cx.db, &cx.providers, &job).await }),
        );
    let Some(mailer) = cx.mailer.clone() else { return worker };
    let db = cx.db.clone();
    worker.on(KIND, move |job| {
        let (mailer, db) = (Arc::clone(&mailer), db.clone());
        async move { mailer.deliver(&db, &job).await }
    })
}

impl JobContext {
    fn storage(&self) -> &Storage {
        self.image_processor.storage()
    }
}

/// Returns a handler that runs a job with the context.
fn with_context<F, Fut>(context: &Arc<JobContext>, run: F) -> impl Fn(JobRow) -> Fut + Clone + Send + Sync + 'static
where
    F: Fn(Arc<JobContext>, JobRow) -> Fut + Clone + Send + Sync + 'static,
{
    let context = Arc::clone(context);
    move |job| run(Arc::clone(&context), job)
}

/// A kind of job, for the manual.
pub struct JobInfo {
    /// The kind, as `Job.kind` shows it.
    pub kind: &'static str,
    /// Time between two runs; none for a job that is queued when something happens.
    pub period: Option<Duration>,
    /// What it does.
    pub description: &'static str,
}

/// Every kind of job that [`build_worker`] has a handler for.
pub const JOBS: &[JobInfo] = &[
    JobInfo {
        kind: access_cleanup::KIND,
        period: Some(access_cleanup::PERIOD),
        description: "Deletes expired sessions, tokens, login counters and idempotency keys.",
    },
    JobInfo {
        kind: expiry::KIND,
        period: Some(expiry::PERIOD),
        description: "Releases expired reservations and deletes expired carts.",
    },
    JobInfo {
        kind: transfers_cleanup::KIND,
        period: Some(transfers_cleanup::PERIOD),
        description: "Deletes the files of imports and exports that are older than a week.",
    },
    JobInfo { kind: fetch::KIND, period: Some(fetch::PERIOD), description: "Downloads images that were added by URL." },
    JobInfo {
        kind: file_cleanup::KIND,
        period: Some(file_cleanup::PERIOD),
        description: "Deletes the files of deleted images, and uploads that were never used.",
    },
    JobInfo {
        kind: search_popularity::KIND,
        period: Some(search_popularity::PERIOD),
        description: "Counts the units of each product sold in the last 90 days; search ranks by them.",
    },
    JobInfo {
        kind: reindex::KIND,
        period: Some(reindex::PERIOD),
        description: "Rebuilds the search documents of websites whose language has changed.",
    },
    JobInfo {
        kind: analytics_refresh::KIND,
        period: Some(analytics_refresh::PERIOD),
        description: "Deletes recorded searches after their retention period and updates the suggested queries.",
    },
    JobInfo { kind: transfer::KIND, period: None, description: "Runs an import or export." },
    JobInfo { kind: registration::KIND, period: None, description: "Sends the email that follows a registration." },
    JobInfo { kind: verification::KIND, period: None, description: "Sends the verification email again." },
    JobInfo { kind: passwords::KIND, period: None, description: "Sends the email for resetting a password." },
    JobInfo { kind: email_change::KIND, period: None, description: "Sends the emails for changing an email address." },
    JobInfo {
        kind: reconcile::OPERATION,
        period: None,
        description: "Asks the payment provider for the outcome of an operation that has none yet.",
    },
    JobInfo {
        kind: reconcile::CAPTURE,
        period: None,
        description: "Captures an authorized payment at once, if SOUK_PAYMENT_CAPTURE is `at_once`.",
    },
    JobInfo { kind: CANCELLED, period: None, description: "Voids or refunds the payments of a canceled order." },
    JobInfo { kind: WEBHOOK, period: None, description: "Sends a webhook of the test payment provider." },
    JobInfo { kind: KIND, period: None, description: "Sends an email. Runs only if an SMTP server is configured." },
];
