//! The pace at which a client sends or receives bytes.
//! Rule: a client may pause for a limited time, and has to move a minimum of bytes per second on average. Only time in which
//! the server waits for the client counts.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// Minimum average, in bytes per second. Slower than any network that people use, and too fast to hold many connections
/// for long.
const MIN_BYTES_PER_SECOND: u64 = 1024;

/// The pace of one transfer.
pub struct Pace {
    stall_timeout: Duration,
    started: Option<Instant>,
    bytes: u64,
    /// Set while the server waits for the client.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pace {
    /// Creates the pace of a transfer whose client may pause for this time.
    pub fn new(stall_timeout: Duration) -> Self {
        Self { stall_timeout, started: None, bytes: 0, timer: None }
    }

    /// Counts bytes that the client sent or received.
    pub fn add(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.timer = None;
    }

    /// Forgets the transfer: all of its bytes were moved.
    pub fn finish(&mut self) {
        (self.started, self.bytes, self.timer) = (None, 0, None);
    }

    /// Waits for the client; ready once it is too slow. The task is woken at that time.
    pub fn poll_too_slow(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let timer = match &mut self.timer {
            Some(timer) => timer,
            None => {
                let now = Instant::now();
                let earned = Duration::from_secs(self.bytes / MIN_BYTES_PER_SECOND);
                let on_average = *self.started.get_or_insert(now) + self.stall_timeout + earned;
                self.timer.insert(Box::pin(sleep_until(on_average.min(now + self.stall_timeout))))
            }
        };
        timer.as_mut().poll(context)
    }
}
