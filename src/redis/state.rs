//! Whether Redis can be used.
//! Rule: it cannot after a few commands in a row that got no response, until a probe does.

use std::sync::{
    Mutex,
    atomic::{AtomicU8, AtomicU32, Ordering},
};

use crate::sync::lock;

/// Number of commands in a row without a response, after which no more are sent.
const MAX_FAILURES: u32 = 3;

/// Whether Redis can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum State {
    /// It does not respond in time.
    Unavailable,
    /// It responds, but rejects writes: its memory is full, or it is a replica.
    RejectsWrites,
    /// It responds and accepts writes.
    Available,
}

/// The current state.
#[derive(Default)]
pub(super) struct StateCell {
    level: AtomicU8,
    /// Commands in a row without a response.
    failures: AtomicU32,
    /// The state and its reason that were logged last.
    logged: Mutex<Option<(State, String)>>,
}

impl StateCell {
    pub(super) fn get(&self) -> State {
        match self.level.load(Ordering::Relaxed) {
            level if level == State::Available as u8 => State::Available,
            level if level == State::RejectsWrites as u8 => State::RejectsWrites,
            _ => State::Unavailable,
        }
    }

    /// Notes that a command got a response.
    pub(super) fn note_response(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// Notes that a command got no response, for this reason.
    pub(super) fn note_failure(&self, reason: &str) {
        if self.failures.fetch_add(1, Ordering::Relaxed) + 1 >= MAX_FAILURES {
            self.set(State::Unavailable, reason);
        }
    }

    /// Sets the state, and logs it with its reason if one of them is new.
    pub(super) fn set(&self, state: State, reason: &str) {
        self.level.store(state as u8, Ordering::Relaxed);
        self.failures.store(0, Ordering::Relaxed);
        let mut logged = lock(&self.logged);
        if logged.as_ref().is_some_and(|(last, why)| *last == state && why == reason) {
            return;
        }
        *logged = Some((state, reason.to_owned()));
        match state {
            State::Available => tracing::info!("redis connected"),
            State::RejectsWrites => tracing::warn!(reason, "redis rejects writes"),
            State::Unavailable => tracing::warn!(reason, "redis unavailable"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_without_a_response_end_its_use_until_a_probe_succeeds() {
        let cell = StateCell::default();
        assert_eq!(cell.get(), State::Unavailable);
        cell.set(State::Available, "");
        for _ in 0..2 {
            for _ in 1..MAX_FAILURES {
                cell.note_failure("slow");
            }
            assert_eq!(cell.get(), State::Available);
            cell.note_response();
        }
        for _ in 0..MAX_FAILURES {
            cell.note_failure("slow");
        }
        assert_eq!(cell.get(), State::Unavailable);
        cell.set(State::RejectsWrites, "OOM");
        assert_eq!(cell.get(), State::RejectsWrites);
    }
}
