//! The space that the uploads of users may take.
//! Rule: bytes are reserved before they are written, and are free again when their file is deleted.

use crate::{
    error::{Error, ErrorCode, Result},
    limits::{ByteCounts, ByteLimits, BytesFull, ReservedBytes},
};

/// The space for uploads, in total and per user, in bytes. Clones share it.
#[derive(Debug, Clone)]
pub struct UploadSpace {
    limits: ByteLimits,
    used: ByteCounts<i64>,
}

impl UploadSpace {
    /// Creates a space of this size, of which a user may take a part.
    pub fn new(total: u64, per_user: u64) -> Self {
        Self { limits: ByteLimits { total, per_client: per_user }, used: ByteCounts::default() }
    }

    /// Returns an empty reservation of a user.
    pub fn reservation(&self, user: i64) -> Reservation {
        Reservation { limits: self.limits, reserved: self.used.reservation(user) }
    }

    /// Returns the number of bytes that are reserved in total.
    pub fn reserved(&self) -> u64 {
        self.used.total()
    }
}

/// Space that is reserved for a file of a user until this value is dropped.
#[derive(Debug)]
pub struct Reservation {
    limits: ByteLimits,
    reserved: ReservedBytes<i64>,
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
        let ByteLimits { per_client, total } = self.limits;
        let limits = ByteLimits { per_client: per_client.saturating_sub(elsewhere), total };
        self.reserved.grow(bytes, limits).map_err(|full| match full {
            BytesFull::Client => {
                let message =
                    format!("your uploads may take {per_client} bytes together; wait until the others are processed");
                Error::Coded(ErrorCode::RateLimited, message.into())
            }
            BytesFull::All => {
                let message = "the server is receiving too many files at the moment; try again later";
                Error::Coded(ErrorCode::Unavailable, message.into())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_limited_per_user_and_in_total() {
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
    }
}
