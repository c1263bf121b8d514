//! Password hashing with argon2id, outside the async threads.
//! Rule: the numbers of concurrent and of queued hashes are bounded, so that a flood of logins fails early and affects
//! nothing else. Hashing threads run with low priority, so that the catalog stays fast meanwhile.

use std::{sync::Arc, thread, time::Instant};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::{Semaphore, oneshot};

use crate::{
    db::recorder::StatementRecorder,
    error::{Error, Result},
    text,
};

/// Maximum number of queued hashes: about three seconds of work on one core. Clients would time out waiting for more.
const MAX_QUEUED: usize = 64;
/// Time to work off a full queue, in seconds; a hash with the default cost takes about 40 ms on one core.
const RETRY_AFTER_SECONDS: u64 = 3;

/// The cost of a hash. [`PasswordCost::default`] is the OWASP recommendation for argon2id: 19 MiB, 2 passes, 1 lane.
#[derive(Debug, Clone, Copy)]
pub struct PasswordCost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over the memory.
    pub passes: u32,
}

impl Default for PasswordCost {
    fn default() -> Self {
        Self { memory: 19 * 1024, passes: 2 }
    }
}

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    /// Permits for running and queued hashes.
    queue_slots: Arc<Semaphore>,
    /// Permits for running hashes; one core stays free for everything else.
    hash_slots: Arc<Semaphore>,
    /// Verified if there is no account, so that an unknown email address takes as long as a wrong password.
    dummy_hash: Arc<str>,
}

impl Passwords {
    /// Creates a hasher with this cost.
    /// # Errors
    /// Returns [`Error::Internal`] for a cost that argon2 does not support.
    pub fn new(cost: PasswordCost) -> Result<Self> {
        let params = Params::new(cost.memory, cost.passes, 1, None).map_err(internal)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let PasswordCost { memory, passes } = cost;
        // A made-up hash that no password matches: 16 bytes of salt and 32 of hash. Computing a real one here would
        // permanently use memory.
        let dummy_hash = format!("$argon2id$v=19$m={memory},t={passes},p=1${}${}", "A".repeat(22), "A".repeat(43));
        PasswordHash::new(&dummy_hash).map_err(internal)?;
        let cores = thread::available_parallelism().map_or(1, |n| n.get());
        let at_once = (cores - 1).max(1);
        let [queue_slots, hash_slots] = [at_once + MAX_QUEUED, at_once].map(|n| Arc::new(Semaphore::new(n)));
        Ok(Self { argon2, queue_slots, hash_slots, dummy_hash: dummy_hash.into() })
    }

    /// Validates a new password (see [`text::check_password`]) and returns its PHC string.
    /// # Errors
    /// Returns INVALID or WEAK_PASSWORD for the field, RATE_LIMITED if the queue is full, [`Error::Internal`] if
    /// hashing fails.
    pub async fn check_and_hash(&self, field: &'static str, password: String, about: Vec<String>) -> Result<String> {
        let argon2 = self.argon2.clone();
        self.blocking(move || {
            let about: Vec<&str> = about.iter().map(String::as_str).collect();
            text::check_password(field, &password, &about)?;
            argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(internal)
        })
        .await
    }

    /// Returns the PHC string of a password.
    /// # Errors
    /// Returns RATE_LIMITED if the queue is full, [`Error::Internal`] if hashing fails.
    pub async fn hash(&self, password: String) -> Result<String> {
        let argon2 = self.argon2.clone();
        self.blocking(move || argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(internal))
            .await
    }

    /// Returns whether the password matches the hash. Without a hash it takes the same time and returns false.
    /// # Errors
    /// Returns RATE_LIMITED if the queue is full, [`Error::Internal`] if the stored hash cannot be parsed.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        let argon2 = self.argon2.clone();
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy_hash.to_string());
        self.blocking(move || {
            let hash = PasswordHash::new(&hash).map_err(internal)?;
            Ok(argon2.verify_password(password.as_bytes(), &hash).is_ok() && known)
        })
        .await
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let busy = |_| Error::TooManyAttempts { retry_after: RETRY_AFTER_SECONDS };
        let queue_slot = Arc::clone(&self.queue_slots).try_acquire_owned().map_err(busy)?;
        let permit = Arc::clone(&self.hash_slots).acquire_owned().await.map_err(internal)?;
        let (sender, receiver) = oneshot::channel();
        // Each hash gets its own thread, because a lowered priority cannot be raised again. Starting a thread costs a
        // hundredth of the hash.
        let hashing = move || {
            lower_priority();
            let started = Instant::now();
            let done = work();
            let time = started.elapsed();
            drop((permit, queue_slot));
            // The caller may have been canceled meanwhile.
            let _ = sender.send((time, done));
        };
        thread::Builder::new().name("password".to_owned()).spawn(hashing).map_err(internal)?;
        let (time, done) = receiver.await.map_err(internal)?;
        StatementRecorder::current().add_measured(time);
        done
    }
}

/// Nice value of hashing threads: on busy cores they get about a tenth of the time of other threads.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lowers the priority of the current thread. If that is not permitted, hashing continues with normal priority.
#[cfg(target_os = "linux")]
fn lower_priority() {
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
}

/// On other systems a priority applies to the whole process.
#[cfg(not(target_os = "linux"))]
fn lower_priority() {}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("password hash: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn password_matches_only_its_own_hash() {
        let passwords = Passwords::new(PasswordCost { memory: 8, passes: 1 }).unwrap();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        assert!(passwords.verify("correct horse".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("another horse".into(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("correct horse".into(), None).await.unwrap());
    }

    #[tokio::test]
    async fn only_requests_beyond_the_queue_are_rejected() {
        let passwords = Passwords::new(PasswordCost { memory: 8, passes: 1 }).unwrap();
        let queue_slots = passwords.queue_slots.available_permits();
        assert_eq!(queue_slots, passwords.hash_slots.available_permits() + MAX_QUEUED);
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = Arc::new(std::sync::Mutex::new(gate));
        let mut queued = Vec::new();
        for _ in 0..queue_slots {
            let (passwords, gate) = (passwords.clone(), Arc::clone(&gate));
            queued.push(tokio::spawn(async move {
                passwords.blocking(move || gate.lock().unwrap().recv().map_err(internal)).await
            }));
        }
        while passwords.queue_slots.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = passwords.verify("correct horse".into(), None).await;
        assert!(matches!(refused, Err(Error::TooManyAttempts { .. })), "{refused:?}");
        // A canceled request frees its place in the queue.
        let last = queued.pop().unwrap();
        last.abort();
        assert!(last.await.unwrap_err().is_cancelled());
        assert_eq!(passwords.queue_slots.available_permits(), 1);
        for _ in &queued {
            release.send(()).unwrap();
        }
        for waiting in queued {
            waiting.await.unwrap().unwrap();
        }
        assert!(!passwords.verify("correct horse".into(), None).await.unwrap());
        assert_eq!(passwords.queue_slots.available_permits(), queue_slots);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn only_hashing_threads_have_a_lower_priority() {
        let priority = || rustix::process::getpriority_process(Some(rustix::thread::gettid())).map_err(internal);
        let before = priority().unwrap();
        let passwords = Passwords::new(PasswordCost { memory: 8, passes: 1 }).unwrap();
        assert_eq!(passwords.blocking(priority).await.unwrap(), before.max(NICE));
        assert_eq!(priority().unwrap(), before);
        assert_eq!(tokio::task::spawn_blocking(priority).await.unwrap().unwrap(), before);
    }
}
