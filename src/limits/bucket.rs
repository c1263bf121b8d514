//! A bucket of points: a client's share of one server, and of all servers together if they exchange what they took.
//! Rule: it is never fuller than its quota. Below zero, the client pays a debt: its operations took more than estimated.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, Instant},
};

/// The bucket of a class of clients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// Points of a full bucket.
    pub limit: u32,
    /// Points that are restored per second.
    pub restore_rate: u32,
}

impl Quota {
    /// Returns the time in which an empty bucket is restored, in seconds, rounded up.
    pub fn window_seconds(self) -> u32 {
        self.limit.div_ceil(self.restore_rate)
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.limit, self.restore_rate)
    }
}

impl FromStr for Quota {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<u32>().ok().filter(|number| *number > 0);
        let parts = text.split_once(':').and_then(|(limit, rate)| Some((number(limit)?, number(rate)?)));
        let (limit, restore_rate) = parts.ok_or("must be LIMIT:RATE, such as 1000:100, both at least 1")?;
        Ok(Self { limit, restore_rate })
    }
}

/// The bucket has too few points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// Seconds until it has enough, at least 1.
    pub retry_after: u64,
}

/// Points of a client at a moment.
pub(super) struct Bucket {
    points: f64,
    at: Instant,
    quota: Quota,
    /// Points that were taken since the last exchange with other servers.
    taken: f64,
    /// Whether a charge was rejected since then. Other servers may have given points back.
    has_rejected: bool,
}

/// What other servers have to know of a bucket.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Taken {
    /// The quota.
    pub quota: Quota,
    /// Points that were taken since the last exchange.
    pub points: f64,
    /// Points that are left on this server.
    pub left: f64,
}

impl Bucket {
    pub(super) fn full(quota: Quota) -> Self {
        Self { points: f64::from(quota.limit), at: Instant::now(), quota, taken: 0.0, has_rejected: false }
    }

    fn restore(&mut self, quota: Quota) {
        self.quota = quota;
        let now = Instant::now();
        let restored = now.duration_since(self.at).as_secs_f64() * f64::from(quota.restore_rate);
        (self.points, self.at) = ((self.points + restored).min(f64::from(quota.limit)), now);
    }

    /// Takes points.
    /// # Errors
    /// Returns [`Exceeded`] if there are too few; none are taken then.
    pub(super) fn take(&mut self, points: f64, quota: Quota) -> Result<(), Exceeded> {
        self.restore(quota);
        // An operation that costs more than a full bucket runs when the bucket is full, and leaves a debt.
        let missing = points.min(f64::from(quota.limit)) - self.points;
        if missing > 0.0 {
            self.has_rejected = true;
            let seconds = (missing / f64::from(quota.restore_rate)).ceil();
            return Err(Exceeded { retry_after: Duration::from_secs_f64(seconds.max(1.0)).as_secs() });
        }
        self.points -= points;
        self.taken += points;
        Ok(())
    }

    /// Corrects a charge, and returns the points that are left.
    pub(super) fn correct(&mut self, charged: f64, actual: f64, quota: Quota) -> f64 {
        self.restore(quota);
        self.points = (self.points + charged - actual).min(f64::from(quota.limit));
        self.taken += actual - charged;
        self.points
    }

    /// Returns what other servers have to know; none if nothing happened since the last exchange.
    pub(super) fn start_exchange(&mut self) -> Option<Taken> {
        self.restore(self.quota);
        let points = std::mem::take(&mut self.taken);
        let has_rejected = std::mem::take(&mut self.has_rejected);
        (points != 0.0 || has_rejected).then_some(Taken { quota: self.quota, points, left: self.points })
    }

    /// Sets the points that all servers together have left. What was taken here since the start is not part of them.
    pub(super) fn end_exchange(&mut self, left: f64) {
        (self.points, self.at) = ((left - self.taken).min(f64::from(self.quota.limit)), Instant::now());
    }

    /// Keeps for the next exchange what was taken before one that failed. What has been restored here since then does not matter
    /// to the others any more.
    pub(super) fn fail_exchange(&mut self, points: f64) {
        self.restore(self.quota);
        let deficit = f64::from(self.quota.limit) - self.points;
        self.taken = (self.taken + points).min(deficit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_written_as_limit_and_rate() {
        let quota = Quota { limit: 1_000, restore_rate: 300 };
        assert_eq!("1000:300".parse(), Ok(quota));
        assert_eq!((quota.to_string().as_str(), quota.window_seconds()), ("1000:300", 4));
        for text in ["", "1000", "1000:", "0:1", "1:0", "-1:1", "1:1:1"] {
            assert!(text.parse::<Quota>().is_err(), "{text}");
        }
    }

    #[test]
    fn exchange_that_fails_loses_nothing_that_is_not_restored() {
        let quota = Quota { limit: 100, restore_rate: 1 };
        let mut bucket = Bucket::full(quota);
        assert_eq!(bucket.start_exchange(), None);
        bucket.take(60.0, quota).unwrap();
        let taken = bucket.start_exchange().unwrap();
        assert_eq!(taken.points, 60.0);
        assert!((40.0..40.1).contains(&taken.left), "{taken:?}");
        bucket.take(10.0, quota).unwrap();
        bucket.fail_exchange(taken.points);
        let taken = bucket.start_exchange().unwrap();
        assert!((69.9..=70.0).contains(&taken.points), "{taken:?}");
        bucket.take(5.0, quota).unwrap();
        // Another server took 20 meanwhile.
        bucket.end_exchange(10.0);
        assert!((5.0..5.1).contains(&bucket.correct(0.0, 0.0, quota)));
        // Long after the points were restored, there is nothing to tell.
        bucket.end_exchange(100.0);
        bucket.start_exchange();
        bucket.fail_exchange(70.0);
        let taken = bucket.start_exchange().unwrap();
        assert!((4.9..=5.0).contains(&taken.points), "{taken:?}");
    }

    #[test]
    fn rejected_client_asks_the_other_servers_for_points() {
        let quota = Quota { limit: 100, restore_rate: 1 };
        let mut bucket = Bucket::full(quota);
        bucket.end_exchange(-50.0);
        assert_eq!(bucket.start_exchange(), None);
        bucket.take(1.0, quota).unwrap_err();
        assert_eq!(bucket.start_exchange().map(|taken| taken.points), Some(0.0));
        bucket.end_exchange(90.0);
        bucket.take(1.0, quota).unwrap();
    }
}
