//! The worker: claims due jobs and runs their handlers, a few at a time, in the server process.
//! Rule: a handler runs outside of any transaction and under a lease, which is renewed while it runs and holds no
//! connection; its outcome is always recorded in the table. Jobs of a kind without a handler are not touched.

use std::{
    collections::{HashMap, HashSet},
    panic::AssertUnwindSafe,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    model::{Failure, HANDLER_TIMEOUT, HEARTBEAT, JobInfo, JobRow, MAX_ATTEMPTS},
    store,
};
use crate::{db::Db, error::Result};

/// Maximum number of jobs that a worker runs at once.
const MAX_CONCURRENT: usize = 4;
/// Maximum number of long jobs among them, so that others are not blocked.
const MAX_CONCURRENT_LONG: usize = 2;
/// Interval at which the table is polled.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Pause between the notification that a job was queued and the next poll, so that many jobs take few polls, and first
/// polling interval after that, because other servers queue jobs too; doubles up to [`POLL_INTERVAL`].
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(10);

type Handler = Arc<dyn Fn(JobRow) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// Tells a handler that its worker stops.
#[derive(Debug, Clone)]
pub struct StopSignal(watch::Receiver<bool>);

impl StopSignal {
    /// Returns a signal that is never sent.
    pub fn never() -> Self {
        Self(watch::channel(false).1)
    }

    /// Returns whether the worker stops.
    pub fn is_stopping(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the worker stops.
    pub async fn stopped(&self) {
        if self.0.clone().wait_for(|is_stopping| *is_stopping).await.is_err() {
            // Without its sender, the signal will never be sent.
            std::future::pending::<()>().await;
        }
    }
}

/// How an attempt ended.
enum Outcome {
    /// The handler succeeded.
    Done,
    /// The handler failed.
    Failed(Failure),
    /// The worker stopped before the handler ended.
    Interrupted,
}

/// Runs background jobs.
pub struct Worker {
    db: Db,
    handlers: HashMap<&'static str, Handler>,
    periods: HashMap<&'static str, Duration>,
    long: HashSet<&'static str>,
    /// Kinds whose handlers are interrupted when the worker stops.
    interruptible: HashSet<&'static str>,
    stopping: watch::Sender<bool>,
}

impl Worker {
    /// Creates a worker without handlers.
    pub fn new(db: Db) -> Self {
        Self {
            db,
            handlers: HashMap::new(),
            periods: HashMap::new(),
            long: HashSet::new(),
            interruptible: HashSet::new(),
            stopping: watch::Sender::new(false),
        }
    }

    /// Returns the signal that is sent when the worker stops.
    pub fn stop_signal(&self) -> StopSignal {
        StopSignal(self.stopping.subscribe())
    }

    /// Registers the handler of this kind of job.
    ///
    /// The handler may run twice for the same job and must finish within [`HANDLER_TIMEOUT`]; a worker that stops waits
    /// for it. After a failure or panic the job is retried after a delay; after a [`Failure::Final`], or
    /// [`MAX_ATTEMPTS`] attempts, it is dead.
    #[must_use]
    pub fn on<F, Fut, E>(mut self, kind: &'static str, handler: F) -> Self
    where
        F: Fn(JobRow) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send,
        E: Into<Failure>,
    {
        let handler: Handler = Arc::new(move |job| {
            let handler = handler.clone();
            async move { handler(job).await.map_err(Into::into) }.boxed()
        });
        self.handlers.insert(kind, handler);
        self
    }

    /// Registers a recurring handler, which runs once per period, the first time immediately, on one of the servers.
    ///
    /// There is one job of this kind, which is rescheduled when it completes; the period runs from the end of one run
    /// to the start of the next. After a failure the job is retried after a delay of at most the period, and it is
    /// never dead. When the worker stops, the handler is interrupted, and the job stays due.
    #[must_use]
    pub fn every<F, Fut, E>(mut self, kind: &'static str, period: Duration, handler: F) -> Self
    where
        F: Fn(JobRow) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send,
        E: Into<Failure>,
    {
        self.interruptible.insert(kind);
        self.every_uninterrupted(kind, period, handler)
    }

    /// Registers a recurring handler as [`Worker::every`] does, which is not interrupted: it must end soon after the
    /// [`Worker::stop_signal`].
    #[must_use]
    pub fn every_uninterrupted<F, Fut, E>(mut self, kind: &'static str, period: Duration, handler: F) -> Self
    where
        F: Fn(JobRow) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send,
        E: Into<Failure>,
    {
        self.periods.insert(kind, period);
        self.on(kind, handler)
    }

    /// Registers a handler as [`Worker::on`] does, for jobs that may take hours: it has no timeout, and it is
    /// interrupted when the worker stops, to be continued by the next one.
    #[must_use]
    pub fn on_long<F, Fut, E>(mut self, kind: &'static str, handler: F) -> Self
    where
        F: Fn(JobRow) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send,
        E: Into<Failure>,
    {
        self.long.insert(kind);
        self.interruptible.insert(kind);
        self.on(kind, handler)
    }

    /// Registers the handler of a job as its [`JobInfo`] says.
    #[must_use]
    pub fn register<F, Fut, E>(self, job: JobInfo, handler: F) -> Self
    where
        F: Fn(JobRow) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send,
        E: Into<Failure>,
    {
        match job.period {
            Some(period) if job.stops_itself => self.every_uninterrupted(job.kind, period, handler),
            Some(period) => self.every(job.kind, period, handler),
            None if job.is_long => self.on_long(job.kind, handler),
            None => self.on(job.kind, handler),
        }
    }

    /// Inserts the missing recurring jobs. [`Worker::run`] does this at the start and when the database is reachable
    /// again.
    /// # Errors
    /// Returns the error of the database.
    pub async fn ensure_recurring(&self) -> Result<()> {
        let kinds: Vec<_> = self.periods.keys().copied().collect();
        if kinds.is_empty() {
            return Ok(());
        }
        self.db.transaction(async |conn| store::insert_recurring(conn, &kinds).await).await
    }

    /// Runs jobs until `stop`, then waits for running jobs to finish, or interrupts them. If the database is unreachable,
    /// the worker waits for it.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut running = JoinSet::new();
        let mut pause = POLL_INTERVAL;
        let (mut is_unavailable, mut is_installed) = (false, false);
        let mut long = 0;
        loop {
            // Subscribe before polling, so that no notification in between is missed.
            let queued = store::JOB_QUEUED.notified();
            if !is_installed {
                // If this fails, the claim below logs the reason.
                is_installed = self.ensure_recurring().await.is_ok();
            }
            match self.claim_all(MAX_CONCURRENT - running.len(), MAX_CONCURRENT_LONG - long).await {
                Ok(jobs) => {
                    if is_unavailable {
                        tracing::info!("background jobs resumed");
                    }
                    is_unavailable = false;
                    for job in jobs {
                        let is_long = self.long.contains(job.kind.as_str());
                        long += usize::from(is_long);
                        let work = self.run_job(job);
                        running.spawn(async move {
                            work.await;
                            is_long
                        });
                    }
                }
                Err(error) => {
                    if !is_unavailable {
                        tracing::warn!(%error, "background jobs paused");
                    }
                    (is_unavailable, is_installed) = (true, false);
                }
            }
            tokio::select! {
                () = &mut stop => break,
                Some(done) = running.join_next() => long -= usize::from(done.unwrap_or_default()),
                () = async {
                    queued.await;
                    sleep(MIN_POLL_INTERVAL).await;
                } => pause = MIN_POLL_INTERVAL,
                () = sleep(pause) => pause = (pause * 2).min(POLL_INTERVAL),
            }
        }
        self.stopping.send_replace(true);
        while running.join_next().await.is_some() {}
    }

    /// Runs due jobs one after the other until none is due; returns the number of jobs run, including failed ones. For
    /// tests.
    pub async fn run_due(&self) -> usize {
        let mut count = 0;
        loop {
            match self.claim_all(1, 1).await.map(|mut jobs| jobs.pop()) {
                Ok(Some(job)) => self.run_job(job).await,
                Ok(None) => return count,
                Err(error) => {
                    tracing::error!(%error, "running background jobs failed");
                    return count;
                }
            }
            count += 1;
        }
    }

    /// Claims due jobs, up to `limit` in total and `max_long` long ones.
    async fn claim_all(&self, limit: usize, max_long: usize) -> Result<Vec<JobRow>> {
        let (long, short): (Vec<_>, Vec<_>) = self.handlers.keys().copied().partition(|kind| self.long.contains(kind));
        let mut jobs = self.claim(short, limit).await?;
        jobs.extend(self.claim(long, max_long.min(limit - jobs.len())).await?);
        Ok(jobs)
    }

    async fn claim(&self, kinds: Vec<&str>, limit: usize) -> Result<Vec<JobRow>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        if kinds.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        self.db.transaction(async |conn| store::claim(conn, &kinds, limit).await).await
    }

    /// Runs a claimed job and records its outcome.
    fn run_job(&self, job: JobRow) -> impl Future<Output = ()> + Send + use<> {
        let (db, handler) = (self.db.clone(), self.handlers.get(job.kind.as_str()).cloned());
        let period = self.periods.get(job.kind.as_str()).copied().filter(|_| job.is_recurring);
        let kind = job.kind.as_str();
        let limit = if self.long.contains(kind) { Duration::MAX } else { HANDLER_TIMEOUT };
        let stop = if self.interruptible.contains(kind) { self.stop_signal() } else { StopSignal::never() };
        async move {
            let outcome = match handler {
                // No attempt ever finished: the job crashes the process, or outlives its lease.
                _ if job.attempts > MAX_ATTEMPTS && !job.is_recurring => {
                    Outcome::Failed(Failure::Final("no attempt ever finished".to_owned()))
                }
                Some(handler) => attempt(&db, &handler, &job, limit, &stop).await,
                None => Outcome::Failed(Failure::Retry("no handler".to_owned())),
            };
            let recorded = async {
                while let Err(error) = record_outcome(&db, &job, period, &outcome).await {
                    tracing::warn!(%error, job = job.id.0, kind = job.kind, "recording a job outcome failed; retrying");
                    sleep(POLL_INTERVAL).await;
                }
            };
            // Not forever, because another worker claims the job when its lease has ended.
            let _ = timeout(HANDLER_TIMEOUT, recorded).await;
        }
    }
}

/// Runs a handler, up to a time limit, until it loses its lease or the worker stops.
async fn attempt(db: &Db, handler: &Handler, job: &JobRow, limit: Duration, stop: &StopSignal) -> Outcome {
    let retry = |why: &str| Outcome::Failed(Failure::Retry(why.to_owned()));
    tokio::select! {
        done = timeout(limit, AssertUnwindSafe(handler(job.clone())).catch_unwind()) => match done {
            Ok(Ok(Ok(()))) => Outcome::Done,
            Ok(Ok(Err(failure))) => Outcome::Failed(failure),
            // The panic message is already logged, and may contain secrets.
            Ok(Err(_)) => retry("the handler panicked"),
            Err(_) => retry(&format!("timed out after {} s", limit.as_secs())),
        },
        () = lose_lease(db, job) => retry("another worker has claimed the job"),
        () = stop.stopped() => Outcome::Interrupted,
    }
}

/// Renews the lease of a job until another worker has claimed it.
async fn lose_lease(db: &Db, job: &JobRow) {
    loop {
        sleep(HEARTBEAT).await;
        match db.transaction(async |conn| store::renew_lease(conn, job).await).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, job = job.id.0, kind = job.kind, "renewing a job lease failed"),
        }
    }
}

/// Records the outcome of a job. A period reschedules it.
async fn record_outcome(db: &Db, job: &JobRow, period: Option<Duration>, outcome: &Outcome) -> Result<()> {
    let failure = match outcome {
        Outcome::Failed(failure) => failure,
        Outcome::Interrupted => {
            tracing::info!(job = job.id.0, kind = job.kind, "job interrupted");
            return db.transaction(async |conn| store::release(conn, job).await).await;
        }
        Outcome::Done => {
            let recorded = db.transaction(async |conn| match period {
                Some(period) => store::reschedule(conn, job, period).await,
                None => store::complete(conn, job).await,
            });
            return recorded.await;
        }
    };
    let is_final = matches!(failure, Failure::Final(_)) || job.attempts >= MAX_ATTEMPTS;
    let pause = match period {
        Some(period) => Some(job.retry_delay().min(period)),
        None if is_final && !job.is_recurring => None,
        None => Some(job.retry_delay()),
    };
    db.transaction(async |conn| store::fail(conn, job, failure, pause).await).await?;
    let (id, why) = (job.id.0, failure.reason());
    if pause.is_none() {
        tracing::error!(job = id, kind = job.kind, attempts = job.attempts, why, "job failed permanently");
    } else {
        tracing::warn!(job = id, kind = job.kind, attempts = job.attempts, why, "job failed and will be retried");
    }
    Ok(())
}
