//! The statement recorder: counts the SQL statements of an operation and measures the time spent waiting for them.
//! Rule: it uses diesel's instrumentation, so every statement that reaches PostgreSQL is counted.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use diesel::connection::{Instrumentation, InstrumentationEvent};

tokio::task_local! {
    static CURRENT: StatementRecorder;
    static IS_TAGGED: ();
}

/// Runs reads whose dependencies are known, so that their statements do not count as untagged.
pub async fn tagged<F: Future>(reads: F) -> F::Output {
    IS_TAGGED.scope((), reads).await
}

/// The recorded statements of one operation. Clones share their counts.
#[derive(Debug, Clone, Default)]
pub struct StatementRecorder(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    statements: u32,
    untagged: u32,
    round_trips: u32,
    in_flight: u32,
    waiting_since: Option<Instant>,
    waited: Duration,
    measured: Duration,
    texts: Option<Vec<String>>,
}

impl StatementRecorder {
    /// Creates a recorder that also stores the text of each statement, so that tests can report which statements ran.
    pub fn with_texts() -> Self {
        Self(Arc::new(Mutex::new(Counts { texts: Some(Vec::new()), ..Counts::default() })))
    }

    /// Runs a future with this recorder. Spawned tasks do not inherit it, see [`StatementRecorder::current`].
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// Returns the recorder of the current operation, or a new one outside of operations.
    pub fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// Returns the number of statements sent so far.
    pub fn statements(&self) -> u32 {
        self.lock().statements
    }

    /// Returns the number of statements so far that were not sent by reads in [`tagged`]: the dependencies of their results are
    /// not known.
    pub fn untagged(&self) -> u32 {
        self.lock().untagged
    }

    /// Returns the number of round trips so far: statements that are in flight at the same time count as one.
    pub fn round_trips(&self) -> u32 {
        self.lock().round_trips
    }

    /// Returns the time during which at least one statement was in flight, in milliseconds.
    pub fn elapsed_ms(&self) -> f64 {
        self.lock().waited.as_secs_f64() * 1000.0
    }

    /// Adds the time of work whose cost is known from its time: an expensive read on its own connection, a password hash.
    pub fn add_measured(&self, time: Duration) {
        self.lock().measured += time;
    }

    /// Returns the time of the measured work, in milliseconds.
    pub fn measured_ms(&self) -> f64 {
        self.lock().measured.as_secs_f64() * 1000.0
    }

    /// Returns the statement texts, if they are stored.
    pub fn texts(&self) -> Vec<String> {
        self.lock().texts.clone().unwrap_or_default()
    }

    /// Counts a statement that another operation sent, and that took this long.
    pub fn add_statement(&self, duration: Duration) {
        let mut counts = self.lock();
        counts.start();
        counts.finish();
        counts.waited += duration;
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn start(&mut self) {
        self.statements += 1;
        self.round_trips += u32::from(self.in_flight == 0);
        self.in_flight += 1;
        self.waiting_since.get_or_insert_with(Instant::now);
    }

    fn finish(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if self.in_flight == 0
            && let Some(since) = self.waiting_since.take()
        {
            self.waited += since.elapsed();
        }
    }
}

/// The instrumentation of each connection, which finds the recorder of the current operation.
#[derive(Debug, Default)]
pub(super) struct StatementListener;

impl Instrumentation for StatementListener {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        // Statements outside of operations (migrations, jobs) are not recorded.
        let _ = CURRENT.try_with(|recorder| {
            let mut counts = recorder.lock();
            match event {
                InstrumentationEvent::StartQuery { query, .. } => {
                    counts.start();
                    counts.untagged += u32::from(IS_TAGGED.try_with(|()| ()).is_err());
                    if let Some(texts) = &mut counts.texts {
                        texts.push(query.to_string());
                    }
                }
                InstrumentationEvent::FinishQuery { .. } => counts.finish(),
                _ => {}
            }
        });
    }
}
