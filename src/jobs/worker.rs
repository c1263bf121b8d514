//! The worker: claims jobs that are due and runs their handlers, a few at once, in the server's own process.
//! Rule: a handler runs outside of any transaction and under a lease; whatever becomes of it ends in the table. A kind
//! without a handler is left alone.

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
    model::{Failure, HANDLER_TIMEOUT, JobRow, LEASE, MAX_ATTEMPTS},
    store,
};
use crate::{db::Db, error::Result};

/// Most jobs that one worker runs at once.
const MAX_CONCURRENT: usize = 4;
/// Most of those that may take long among them: they leave room for the others.
const MAX_CONCURRENT_LONG: usize = 2;
/// The pause between two looks at the table.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The first pause after a job was queued, to see it as soon as its transaction commits; it doubles up to [`POLL_INTERVAL`].
const MIN_POLL_INTERVAL: Duration = Duration::from_millis(10);

type Handler = Arc<dyn Fn(JobRow) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// Runs jobs.
pub struct Worker {
    db: Db,
    handlers: HashMap<&'static str, Handler>,
    periods: HashMap<&'static str, Duration>,
    long: HashSet<&'static str>,
    stopping: watch::Sender<bool>,
}

impl Worker {
    /// A worker without handlers.
    pub fn new(db: Db) -> Self {
        Self {
            db,
            handlers: HashMap::new(),
            periods: HashMap::new(),
            long: HashSet::new(),
            stopping: watch::Sender::new(false),
        }
    }

    /// Runs jobs of this kind by this handler.
    ///
    /// It may run twice for one job, and must end within [`HANDLER_TIMEOUT`]. A failure or a panic is noted, and the job is tried
    /// again after a pause; a [`Failure::Final`], or the last of [`MAX_ATTEMPTS`], leaves it as dead.
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

    /// Runs this handler once in each period, the first time at once, on one of however many servers there are.
    ///
    /// There is one job of this kind, which waits for its next time when it is done; the period is from the end of one run
    /// to the next. One that fails is tried again after a pause, at the latest after the period, and is never dead.
    #[must_use]
    pub fn every<F, Fut, E>(mut self, kind: &'static str, period: Duration, handler: F) -> Self
    where
        F: Fn(JobRow) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send,
        E: Into<Failure>,
    {
        self.periods.insert(kind, period);
        self.on(kind, handler)
    }

    /// As [`Worker::on`], for what may take hours: it has no limit of time, holds its lease for as long as it runs, and is cut
    /// off where the worker stops, to be taken up again by the next.
    #[must_use]
    pub fn on_long<F, Fut, E>(mut self, kind: &'static str, handler: F) -> Self
    where
        F: Fn(JobRow) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send,
        E: Into<Failure>,
    {
        self.long.insert(kind);
        self.on(kind, handler)
    }

    /// Makes the recurring jobs that there are not yet. [`Worker::run`] does so when it begins, and when the database is
    /// back.
    /// # Errors
    /// Those of the database.
    pub async fn ensure_recurring(&self) -> Result<()> {
        let kinds: Vec<_> = self.periods.keys().copied().collect();
        if kinds.is_empty() {
            return Ok(());
        }
        self.db.transaction(async |conn| store::insert_recurring(conn, &kinds).await).await
    }

    /// Runs jobs until `stop`, then finishes those that run. A database that goes away is waited for.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut running = JoinSet::new();
        let mut pause = POLL_INTERVAL;
        let (mut is_unavailable, mut is_installed) = (false, false);
        let mut long = 0;
        loop {
            // Before the look, so that no ring in between is missed.
            let queued = store::JOB_QUEUED.notified();
            if !is_installed {
                // Where it fails, the claim says why.
                is_installed = self.ensure_recurring().await.is_ok();
            }
            match self.claim_all(MAX_CONCURRENT - running.len(), MAX_CONCURRENT_LONG - long).await {
                Ok(jobs) => {
                    if is_unavailable {
                        tracing::info!("background work goes on");
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
                        tracing::warn!(%error, "background work waits");
                    }
                    (is_unavailable, is_installed) = (true, false);
                }
            }
            tokio::select! {
                () = &mut stop => break,
                Some(done) = running.join_next() => long -= usize::from(done.unwrap_or_default()),
                () = queued => pause = MIN_POLL_INTERVAL,
                () = sleep(pause) => pause = (pause * 2).min(POLL_INTERVAL),
            }
        }
        self.stopping.send_replace(true);
        while running.join_next().await.is_some() {}
    }

    /// Runs what is due, one after the other, until nothing is: how many were run, failed ones too. For tests.
    pub async fn run_due(&self) -> usize {
        let mut count = 0;
        loop {
            match self.claim_all(1, 1).await.map(|mut jobs| jobs.pop()) {
                Ok(Some(job)) => self.run_job(job).await,
                Ok(None) => return count,
                Err(error) => {
                    tracing::error!(%error, "background work cannot go on");
                    return count;
                }
            }
            count += 1;
        }
    }

    /// Jobs that are due, up to so many, and those that may take long up to so many.
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

    /// The work on a claimed job, from its handler to what is noted about it.
    fn run_job(&self, job: JobRow) -> impl Future<Output = ()> + Send + use<> {
        let (db, handler) = (self.db.clone(), self.handlers.get(job.kind.as_str()).cloned());
        let period = self.periods.get(job.kind.as_str()).copied().filter(|_| job.is_recurring);
        let stopping = self.long.contains(job.kind.as_str()).then(|| self.stopping.subscribe());
        async move {
            let outcome = match handler {
                // It never came back from any of them: it ends the process, or outlives its lease.
                _ if job.attempts > MAX_ATTEMPTS && !job.is_recurring => {
                    Err(Failure::Final("no attempt ever ended".to_owned()))
                }
                Some(handler) => match stopping {
                    Some(stopping) => attempt_long(&db, &handler, &job, stopping).await,
                    None => attempt(&handler, job.clone(), HANDLER_TIMEOUT).await,
                },
                None => Err(Failure::Retry("no handler".to_owned())),
            };
            let recorded = async {
                while let Err(error) = record_outcome(&db, &job, period, &outcome).await {
                    tracing::warn!(%error, job = job.id.0, kind = job.kind, "the end of a job is not noted yet");
                    sleep(POLL_INTERVAL).await;
                }
            };
            // No longer than the lease: the job is somebody else's then.
            let _ = timeout(HANDLER_TIMEOUT, recorded).await;
        }
    }
}

/// Runs a handler while its lease is held, until the worker stops.
async fn attempt_long(
    db: &Db,
    handler: &Handler,
    job: &JobRow,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let lease_lost = async {
        loop {
            sleep(LEASE / 3).await;
            match db.transaction(async |conn| store::renew_lease(conn, job).await).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => tracing::warn!(%error, job = job.id.0, kind = job.kind, "a lease is not held"),
            }
        }
    };
    tokio::select! {
        done = attempt(handler, job.clone(), Duration::MAX) => done,
        () = lease_lost => Err(Failure::Retry("somebody else has taken it over".to_owned())),
        _ = stopping.wait_for(|is_stopping| *is_stopping) => Err(Failure::Retry("the server stopped".to_owned())),
    }
}

async fn attempt(handler: &Handler, job: JobRow, limit: Duration) -> Result<(), Failure> {
    match timeout(limit, AssertUnwindSafe(handler(job)).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        // Its text is in the log, where the panic put it, and may hold anything.
        Ok(Err(_)) => Err(Failure::Retry("the handler panicked".to_owned())),
        Err(_) => Err(Failure::Retry(format!("it took longer than {} s", limit.as_secs()))),
    }
}

/// Notes how a job ended; a period makes it a recurring one.
async fn record_outcome(db: &Db, job: &JobRow, period: Option<Duration>, outcome: &Result<(), Failure>) -> Result<()> {
    let Err(failure) = outcome else {
        let recorded = db.transaction(async |conn| match period {
            Some(period) => store::reschedule(conn, job, period).await,
            None => store::complete(conn, job).await,
        });
        return recorded.await;
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
        tracing::error!(job = id, kind = job.kind, attempts = job.attempts, why, "a job is dead");
    } else {
        tracing::warn!(job = id, kind = job.kind, attempts = job.attempts, why, "a job failed and is tried again");
    }
    Ok(())
}
