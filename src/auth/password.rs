//! Password hashes: argon2id, off the async threads, a bounded number at once.

use std::{sync::Arc, thread};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// What a hash costs. [`PasswordCost::default`] is OWASP's recommendation for argon2id: 19 MiB, 2 passes, 1 lane.
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

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    argon2: Argon2<'static>,
    /// One core stays free for everything else while a flood of logins is hashed.
    permits: Arc<Semaphore>,
    /// Checked where there is no account, so that an unknown e-mail costs the same time as a wrong password.
    nobody: Arc<str>,
}

impl Passwords {
    /// # Errors
    /// [`Error::Internal`] for a cost that argon2 does not take.
    pub fn new(cost: PasswordCost) -> Result<Self> {
        let params = Params::new(cost.memory, cost.passes, 1, None).map_err(internal)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = argon2.hash_password(&rand::random::<[u8; 16]>()).map_err(internal)?.to_string();
        let cores = thread::available_parallelism().map_or(1, |n| n.get());
        Ok(Self { argon2, permits: Arc::new(Semaphore::new((cores - 1).max(1))), nobody: nobody.into() })
    }

    /// The PHC string of a password.
    /// # Errors
    /// [`Error::Internal`] where hashing fails.
    pub async fn hash(&self, password: String) -> Result<String> {
        let argon2 = self.argon2.clone();
        self.blocking(move || argon2.hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(internal))
            .await
    }

    /// Whether the password has this hash. With no hash it takes the same time and answers no.
    /// # Errors
    /// [`Error::Internal`] where the stored hash cannot be read.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        let argon2 = self.argon2.clone();
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.to_string());
        self.blocking(move || {
            let hash = PasswordHash::new(&hash).map_err(internal)?;
            Ok(argon2.verify_password(password.as_bytes(), &hash).is_ok() && known)
        })
        .await
    }

    async fn blocking<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(internal)?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        })
        .await
        .map_err(internal)?
    }
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("password hash: {error}"))
}
