//! The statement recorder: counts the SQL statements of one operation and the time it waited for them.
//! Rule: it hears diesel's own instrumentation, so nothing that reaches PostgreSQL goes uncounted.

use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use diesel::connection::{Instrumentation, InstrumentationEvent};

tokio::task_local! {
    static CURRENT: StatementRecorder;
}

/// The statements of one operation. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct StatementRecorder(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    statements: u32,
    in_flight: u32,
    waiting_since: Option<Instant>,
    waited: Duration,
    texts: Option<Vec<String>>,
}

impl StatementRecorder {
    /// A recorder that also keeps the text of each statement: a failed count in a test then says what ran.
    pub fn with_texts() -> Self {
        Self(Arc::new(Mutex::new(Counts { texts: Some(Vec::new()), ..Counts::default() })))
    }

    /// Runs a future under this recorder. A spawned task does not inherit it: see [`StatementRecorder::current`].
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// The recorder of the running operation; a fresh one where there is none.
    pub fn current() -> Self {
        CURRENT.try_with(Clone::clone).unwrap_or_default()
    }

    /// Statements sent so far.
    pub fn statements(&self) -> u32 {
        self.lock().statements
    }

    /// Time during which at least one statement was under way, in milliseconds.
    pub fn elapsed_ms(&self) -> f64 {
        self.lock().waited.as_secs_f64() * 1000.0
    }

    /// The texts, where they are kept.
    pub fn texts(&self) -> Vec<String> {
        self.lock().texts.clone().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What each connection is given: it finds the recorder of the operation that runs on it.
#[derive(Debug, Default)]
pub(super) struct StatementListener;

impl Instrumentation for StatementListener {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        // Statements outside an operation (migrations, jobs) have no recorder, and need none.
        let _ = CURRENT.try_with(|recorder| {
            let mut counts = recorder.lock();
            match event {
                InstrumentationEvent::StartQuery { query, .. } => {
                    counts.statements += 1;
                    counts.in_flight += 1;
                    counts.waiting_since.get_or_insert_with(Instant::now);
                    if let Some(texts) = &mut counts.texts {
                        texts.push(query.to_string());
                    }
                }
                InstrumentationEvent::FinishQuery { .. } => {
                    counts.in_flight = counts.in_flight.saturating_sub(1);
                    if counts.in_flight == 0
                        && let Some(since) = counts.waiting_since.take()
                    {
                        counts.waited += since.elapsed();
                    }
                }
                _ => {}
            }
        });
    }
}
