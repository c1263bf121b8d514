//! The space that the uploads of users may take.
//! Rule: bytes are reserved before they are written, and are free again when their file is deleted.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::error::{Error, ErrorCode, Result};

/// The space for uploads, in total and per user, in bytes. Clones share it.
#[derive(Debug, Clone)]
pub struct UploadSpace(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    total: u64,
    per_user: u64,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    total: u64,
    by_user: HashMap<i64, u64>,
}

impl UploadSpace {
    /// Creates a space of this size, of which a user may take a part.
    pub fn new(total: u64, per_user: u64) -> Self {
        Self(Arc::new(Inner { total, per_user, used: Mutex::default() }))
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.0.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns an empty reservation of a user.
    pub fn reservation(&self, user: i64) -> Reservation {
        Reservation { space: self.clone(), user, bytes: 0 }
    }

    /// Returns the number of bytes that are reserved in total.
    pub fn reserved(&self) -> u64 {
        self.used().total
    }

    fn reserve(&self, user: i64, bytes: u64, elsewhere: u64) -> Result<()> {
        let mut used = self.used();
        let total = used.total.saturating_add(bytes);
        let of_user = used.by_user.get(&user).copied().unwrap_or_default().saturating_add(bytes);
        if of_user.saturating_add(elsewhere) > self.0.per_user {
            let message = format!(
                "your uploads may take {} bytes together; wait until the others are processed",
                self.0.per_user
            );
            return Err(Error::Coded(ErrorCode::RateLimited, message.into()));
        }
        if total > self.0.total {
            let message = "the server is receiving too many files at the moment; try again later";
            return Err(Error::Coded(ErrorCode::Unavailable, message.into()));
        }
        used.total = total;
        used.by_user.insert(user, of_user);
        Ok(())
    }

    fn free(&self, user: i64, bytes: u64) {
        let mut used = self.used();
        used.total = used.total.saturating_sub(bytes);
        match used.by_user.get_mut(&user) {
            Some(of_user) if *of_user > bytes => *of_user -= bytes,
            _ => _ = used.by_user.remove(&user),
        }
    }
}

/// Space that is reserved for a file of a user until this value is dropped.
#[derive(Debug)]
pub struct Reservation {
    space: UploadSpace,
    user: i64,
    bytes: u64,
}

impl Reservation {
    /// Reserves more bytes.
    /// # Errors
    /// RATE_LIMITED if the user has no space left, UNAVAILABLE if there is none in total.
    pub fn grow(&mut self, bytes: u64) -> Result<()> {
        self.grow_beside(bytes, 0)
    }

    /// Reserves more bytes for a user who also takes `elsewhere` bytes without a reservation.
    /// # Errors
    /// As [`Reservation::grow`].
    pub fn grow_beside(&mut self, bytes: u64, elsewhere: u64) -> Result<()> {
        self.space.reserve(self.user, bytes, elsewhere)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.space.free(self.user, self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_limited_per_user_and_in_total_and_is_freed() {
        let space = UploadSpace::new(10, 6);
        let (mut ada, mut also_ada, mut bob) = (space.reservation(1), space.reservation(1), space.reservation(2));
        ada.grow(4).unwrap();
        ada.grow(1).unwrap();
        assert!(matches!(also_ada.grow(2), Err(Error::Coded(ErrorCode::RateLimited, _))), "5 of 6 bytes are taken");
        assert!(
            matches!(also_ada.grow_beside(1, 1), Err(Error::Coded(ErrorCode::RateLimited, _))),
            "6 with those kept"
        );
        assert!(matches!(bob.grow(6), Err(Error::Coded(ErrorCode::Unavailable, _))), "5 of 10 bytes are left");
        bob.grow(5).unwrap();
        assert_eq!(space.reserved(), 10);
        drop(ada);
        also_ada.grow(5).unwrap();
        drop((also_ada, bob));
        assert_eq!(space.reserved(), 0);
        assert!(space.used().by_user.is_empty());
    }
}
