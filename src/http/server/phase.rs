//! What a connection waits for: the next request, the rest of its headers, or the end of the current request.
//! Rule: the stream and the requests of a connection share one value, and each of them reports what it sees.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::config::ConnectionSettings;

/// What a connection waits for.
#[derive(Debug, Clone, Copy)]
enum Waiting {
    /// For the first byte of the next request, until this time.
    Request(Instant),
    /// For the headers of a request, until this time.
    Headers(Instant),
    /// For the end of the current request, which has time limits of its own.
    Response,
}

#[derive(Debug)]
struct State {
    waiting: Waiting,
    /// Since when the server has waited for the client to send or receive more.
    client_is_slow_since: Option<Instant>,
}

/// The phase of one connection.
#[derive(Debug, Clone)]
pub struct Phase {
    settings: ConnectionSettings,
    state: Arc<Mutex<State>>,
}

impl Phase {
    /// Returns the phase of a new connection, whose client has to send headers.
    pub fn new(settings: ConnectionSettings) -> Self {
        let now = Instant::now();
        let waiting = Waiting::Headers(now + settings.header_timeout);
        Self { settings, state: Arc::new(Mutex::new(State { waiting, client_is_slow_since: Some(now) })) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes arrived. The first of a request start the time limit of its headers.
    pub fn received(&self) {
        let mut state = self.state();
        if let Waiting::Request(_) = state.waiting {
            state.waiting = Waiting::Headers(Instant::now() + self.settings.header_timeout);
        }
    }

    /// The headers of a request arrived. The request ends when the returned value is dropped.
    pub fn begin_request(&self) -> RequestInProgress {
        *self.state() = State { waiting: Waiting::Response, client_is_slow_since: None };
        RequestInProgress(self.clone())
    }

    /// Returns when the client must have sent more; none during a request.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state().waiting {
            Waiting::Request(until) | Waiting::Headers(until) => Some(until),
            Waiting::Response => None,
        }
    }

    /// Notes whether the server waits for the client to send or receive more of the current request.
    pub fn set_client_is_slow(&self, is_slow: bool) {
        let mut state = self.state();
        match (is_slow, state.waiting) {
            (true, _) => _ = state.client_is_slow_since.get_or_insert_with(Instant::now),
            (false, Waiting::Response) => state.client_is_slow_since = None,
            (false, _) => {}
        }
    }

    /// Returns since when the server has waited for the client; none while it works itself.
    pub fn client_is_slow_since(&self) -> Option<Instant> {
        self.state().client_is_slow_since
    }
}

/// A request that was received and whose response is not complete.
#[derive(Debug)]
pub struct RequestInProgress(Phase);

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        let now = Instant::now();
        let waiting = Waiting::Request(now + self.0.settings.idle_timeout);
        *self.0.state() = State { waiting, client_is_slow_since: Some(now) };
    }
}
