//! Registration of the job handlers: one for each kind of job.
//! Rule: a handler gets only the parts of the context that it needs, so that no domain depends on the whole server.

use std::sync::Arc;

use crate::{
    access::actions::{cleanup as access_cleanup, email_change, invitations, passwords, registration, verification},
    analytics::actions::refresh as analytics_refresh,
    carts::actions::expiry,
    config::AnalyticsSettings,
    db::Db,
    events::actions::cleanup as events_cleanup,
    jobs::{
        model::{JobInfo, JobRow},
        worker::Worker,
    },
    mail::{self, actions::Mailer},
    media::actions::{ImageProcessor, fetch, file_cleanup},
    orders::{actions::expiry as order_expiry, model::REVERSE_PAYMENTS},
    payments::{
        actions::{reconcile, webhooks},
        providers::{Providers, test::WEBHOOK},
    },
    search::actions::{popularity as search_popularity, reindex},
    storage::Storage,
    transfers::runs::actions::{cleanup as transfers_cleanup, job as transfer},
    webhooks::actions::{
        cleanup as webhooks_cleanup,
        deliver::{self, DeliverContext, PayloadSource},
    },
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
    /// Makes the payloads of webhooks.
    pub payloads: PayloadSource,
}

/// Declares [`JOBS`] and `register`, which adds their handlers to a worker. [`build_worker`] registers those of
/// the jobs in `others`.
macro_rules! handlers {
    (others: $($other:expr),*; $($job:expr => |$cx:ident, $row:ident| $run:expr,)*) => {
        /// Every kind of job that [`build_worker`] has a handler for.
        pub const JOBS: &[JobInfo] = &[$($job,)* $($other,)*];

        fn register(worker: Worker, context: &Arc<JobContext>) -> Worker {
            worker$(.register($job, with_context(context, |$cx, $row| async move { $run.await })))*
        }
    };
}

handlers! {
    others: fetch::JOB, deliver::JOB, mail::model::JOB;
    access_cleanup::JOB => |cx, job| access_cleanup::run(&cx.db, &job),
    expiry::JOB => |cx, job| expiry::run(&cx.db, &job),
    order_expiry::JOB => |cx, job| order_expiry::run(&cx.db, &job),
    transfers_cleanup::JOB => |cx, job| transfers_cleanup::run(&cx.db, cx.storage(), &job),
    events_cleanup::JOB => |cx, job| events_cleanup::run(&cx.db, &job),
    webhooks_cleanup::JOB => |cx, job| webhooks_cleanup::run(&cx.db, &job),
    file_cleanup::JOB => |cx, job| file_cleanup::run(&cx.db, &cx.image_processor, &job),
    search_popularity::JOB => |cx, job| search_popularity::run(&cx.db, &job),
    reindex::JOB => |cx, job| reindex::run(&cx.db, &job),
    analytics_refresh::JOB => |cx, job| analytics_refresh::run(&cx.db, cx.analytics, &job),
    transfer::JOB => |cx, job| transfer::run(&cx.db, &cx.image_processor, &job),
    registration::JOB => |cx, job| registration::run(&cx.db, &job),
    verification::JOB => |cx, job| verification::run(&cx.db, &job),
    passwords::JOB => |cx, job| passwords::run(&cx.db, &job),
    email_change::JOB => |cx, job| email_change::run(&cx.db, &job),
    invitations::JOB => |cx, job| invitations::run(&cx.db, &job),
    reconcile::RESOLVE => |cx, job| reconcile::resolve_pending(&cx.db, &cx.providers, &job),
    reconcile::CAPTURE => |cx, job| reconcile::capture_authorized(&cx.db, &cx.providers, &job),
    REVERSE_PAYMENTS => |cx, job| reconcile::reverse_cancelled(&cx.db, &cx.providers, &job),
    WEBHOOK => |cx, job| webhooks::send_test_webhook(&cx.db, &cx.providers, &job),
}

/// Builds a worker with a handler for each kind of job.
pub fn build_worker(context: JobContext) -> Worker {
    let context = Arc::new(context);
    let worker = Worker::new(context.db.clone());
    let stop = worker.stop_signal();
    let fetching = stop.clone();
    let worker = register(worker, &context).register(
        fetch::JOB,
        with_context(&context, move |cx, _| {
            let stop = fetching.clone();
            async move { fetch::run(&cx.db, &cx.image_processor, &stop).await }
        }),
    );
    let worker = worker.register(
        deliver::JOB,
        with_context(&context, move |cx, _| {
            let stop = stop.clone();
            async move { deliver::run(&cx.webhooks(), &stop).await }
        }),
    );
    let Some(mailer) = context.mailer.clone() else { return worker };
    let db = context.db.clone();
    worker.register(mail::model::JOB, move |job| {
        let (mailer, db) = (Arc::clone(&mailer), db.clone());
        async move { mailer.deliver(&db, &job).await }
    })
}

impl JobContext {
    fn storage(&self) -> &Storage {
        self.image_processor.storage()
    }

    fn webhooks(&self) -> DeliverContext {
        let addresses = self.image_processor.fetch_policy().addresses;
        DeliverContext::new(self.db.clone(), Arc::clone(&self.payloads), addresses)
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
