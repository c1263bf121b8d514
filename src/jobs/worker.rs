//! The worker: claims jobs that are due and runs their handlers, a few at once, in the server's own process.
//! Rule: a handler runs outside of any transaction and under a lease; whatever becomes of it ends in the table. A kind
//! without a handler is left alone.

use std::{collections::HashMap, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    model::{Failure, JobRow, LIMIT, MAX_ATTEMPTS},
    store,
};
use crate::{db::Db, error::Result};

/// Most jobs that one worker runs at once.
const AT_ONCE: usize = 4;
/// The pause between two looks at the table.
const PAUSE: Duration = Duration::from_secs(1);
/// The first pause after a job was queued, to see it as soon as its transaction commits; it doubles up to [`PAUSE`].
const SHORT_PAUSE: Duration = Duration::from_millis(10);

type Handler = Arc<dyn Fn(JobRow) -> BoxFuture<'static, Result<(), Failure>> + Send + Sync>;

/// Runs jobs.
pub struct Worker {
    db: Db,
    handlers: HashMap<&'static str, Handler>,
}

impl Worker {
    /// A worker without handlers.
    pub fn new(db: Db) -> Self {
        Self { db, handlers: HashMap::new() }
    }

    /// Runs jobs of this kind by this handler.
    ///
    /// It may run twice for one job, and must end within [`LIMIT`]. A failure or a panic is noted, and the job is tried
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

    /// Runs jobs until `stop`, then finishes those that run. A database that goes away is waited for.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut running = JoinSet::new();
        let mut pause = PAUSE;
        let mut is_away = false;
        loop {
            // Before the look, so that no ring in between is missed.
            let rung = store::BELL.notified();
            match self.claim(AT_ONCE - running.len()).await {
                Ok(jobs) => {
                    if is_away {
                        tracing::info!("background work goes on");
                    }
                    is_away = false;
                    for job in jobs {
                        running.spawn(self.work(job));
                    }
                }
                Err(error) => {
                    if !is_away {
                        tracing::warn!(%error, "background work waits");
                    }
                    is_away = true;
                }
            }
            tokio::select! {
                () = &mut stop => break,
                Some(_) = running.join_next() => {}
                () = rung => pause = SHORT_PAUSE,
                () = sleep(pause) => pause = (pause * 2).min(PAUSE),
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Runs what is due, one after the other, until nothing is: how many were run, failed ones too. For tests.
    pub async fn run_due(&self) -> usize {
        let mut count = 0;
        loop {
            match self.claim(1).await.map(|mut jobs| jobs.pop()) {
                Ok(Some(job)) => self.work(job).await,
                Ok(None) => return count,
                Err(error) => {
                    tracing::error!(%error, "background work cannot go on");
                    return count;
                }
            }
            count += 1;
        }
    }

    async fn claim(&self, limit: usize) -> Result<Vec<JobRow>> {
        let kinds: Vec<_> = self.handlers.keys().copied().collect();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        if kinds.is_empty() || limit == 0 {
            return Ok(Vec::new());
        }
        self.db.transaction(async |conn| store::claim(conn, &kinds, limit).await).await
    }

    /// The work on a claimed job, from its handler to what is noted about it.
    fn work(&self, job: JobRow) -> impl Future<Output = ()> + Send + use<> {
        let (db, handler) = (self.db.clone(), self.handlers.get(job.kind.as_str()).cloned());
        async move {
            let outcome = match handler {
                // It never came back from any of them: it ends the process, or outlives its lease.
                _ if job.attempts > MAX_ATTEMPTS => Err(Failure::Final("no attempt ever ended".to_owned())),
                Some(handler) => attempt(&handler, job.clone()).await,
                None => Err(Failure::Again("no handler".to_owned())),
            };
            let noted = async {
                while let Err(error) = note(&db, &job, &outcome).await {
                    tracing::warn!(%error, job = job.id.0, kind = job.kind, "the end of a job is not noted yet");
                    sleep(PAUSE).await;
                }
            };
            // No longer than the lease: the job is somebody else's then.
            let _ = timeout(LIMIT, noted).await;
        }
    }
}

async fn attempt(handler: &Handler, job: JobRow) -> Result<(), Failure> {
    match timeout(LIMIT, AssertUnwindSafe(handler(job)).catch_unwind()).await {
        Ok(Ok(outcome)) => outcome,
        // Its text is in the log, where the panic put it, and may hold anything.
        Ok(Err(_)) => Err(Failure::Again("the handler panicked".to_owned())),
        Err(_) => Err(Failure::Again(format!("it took longer than {} s", LIMIT.as_secs()))),
    }
}

async fn note(db: &Db, job: &JobRow, outcome: &Result<(), Failure>) -> Result<()> {
    let Err(failure) = outcome else {
        return db.transaction(async |conn| store::done(conn, job).await).await;
    };
    let is_dead = matches!(failure, Failure::Final(_)) || job.attempts >= MAX_ATTEMPTS;
    db.transaction(async |conn| store::fail(conn, job, failure, is_dead).await).await?;
    let (id, why) = (job.id.0, failure.why());
    if is_dead {
        tracing::error!(job = id, kind = job.kind, attempts = job.attempts, why, "a job is dead");
    } else {
        tracing::warn!(job = id, kind = job.kind, attempts = job.attempts, why, "a job failed and is tried again");
    }
    Ok(())
}
