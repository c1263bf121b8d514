//! Rates: each client has a bucket of points, which is restored over time and from which its operations are paid.
//! Rule: an operation is charged before it runs, by an estimate, and corrected afterwards to what it took. A point is about
//! one millisecond of processor time of the server and the database together.
//!
//! The crate `governor` was considered; it has neither corrections nor a readable rest.

use std::{
    collections::HashMap,
    fmt,
    str::FromStr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use moka::sync::Cache;

use super::{Client, ClientClass, ClientKey};
use crate::ids::ApiKeyId;

/// Maximum number of buckets. A client whose bucket was evicted starts with a full one.
const MAX_BUCKETS: u64 = 100_000;

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

/// The quotas of all clients.
#[derive(Debug, Clone)]
pub struct Quotas {
    /// Networks with anonymous requests.
    pub anonymous: Quota,
    /// Users without permissions.
    pub customer: Quota,
    /// Users with a permission.
    pub staff: Quota,
    /// API keys.
    pub key: Quota,
    /// Single API keys.
    pub single_keys: HashMap<ApiKeyId, Quota>,
}

impl Quotas {
    /// Returns the quota of a client.
    pub fn of(&self, client: Client) -> Quota {
        match (client.class, client.key) {
            (ClientClass::ApiKey, ClientKey::ApiKey(id)) => self.single_keys.get(&id).copied().unwrap_or(self.key),
            (ClientClass::ApiKey, _) => self.key,
            (ClientClass::Staff, _) => self.staff,
            (ClientClass::Customer, _) => self.customer,
            (ClientClass::Anonymous, _) => self.anonymous,
        }
    }
}

/// The buckets of all clients. Clones share them.
#[derive(Clone)]
pub struct RateLimiter {
    quotas: Arc<Quotas>,
    buckets: Cache<ClientKey, Arc<Mutex<Bucket>>>,
}

/// Points of a client at a moment. Below zero, the client pays a debt: its operations took more than estimated.
struct Bucket {
    points: f64,
    at: Instant,
}

/// The bucket has too few points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// Seconds until it has enough, at least 1.
    pub retry_after: u64,
}

impl Bucket {
    fn full(quota: Quota) -> Self {
        Self { points: f64::from(quota.limit), at: Instant::now() }
    }

    fn restore(&mut self, quota: Quota) {
        let now = Instant::now();
        let restored = now.duration_since(self.at).as_secs_f64() * f64::from(quota.restore_rate);
        (self.points, self.at) = ((self.points + restored).min(f64::from(quota.limit)), now);
    }

    fn take(&mut self, points: f64, quota: Quota) -> Result<(), Exceeded> {
        self.restore(quota);
        // An operation that costs more than a full bucket runs when the bucket is full, and leaves a debt.
        let missing = points.min(f64::from(quota.limit)) - self.points;
        if missing > 0.0 {
            let seconds = (missing / f64::from(quota.restore_rate)).ceil();
            return Err(Exceeded { retry_after: Duration::from_secs_f64(seconds.max(1.0)).as_secs() });
        }
        self.points -= points;
        Ok(())
    }
}

impl RateLimiter {
    /// Creates full buckets with these quotas.
    pub fn new(quotas: Quotas) -> Self {
        let all = [quotas.anonymous, quotas.customer, quotas.staff, quotas.key];
        let all = all.into_iter().chain(quotas.single_keys.values().copied());
        // Later a bucket is full again, as long as it has no debt of more than a full one.
        let idle =
            Duration::from_secs(all.map(|quota| 2 * u64::from(quota.window_seconds())).max().unwrap_or(1).max(60));
        let buckets = Cache::builder().max_capacity(MAX_BUCKETS).time_to_idle(idle).build();
        Self { quotas: Arc::new(quotas), buckets }
    }

    /// Returns what the client may use.
    pub fn allowance(&self, client: Client) -> Allowance {
        let quota = self.quotas.of(client);
        let bucket = || self.buckets.get_with(client.key, || Arc::new(Mutex::new(Bucket::full(quota))));
        Allowance { bucket: (!client.is_exempt).then(bucket), quota }
    }
}

/// What a client may use: its bucket, none if it is exempt.
pub struct Allowance {
    bucket: Option<Arc<Mutex<Bucket>>>,
    quota: Quota,
}

impl Allowance {
    /// Returns the quota of the client.
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// Takes points from the bucket. Nothing is taken from clients that are exempt.
    /// # Errors
    /// Returns [`Exceeded`] if the bucket has too few; none are taken then.
    pub fn charge(&self, points: f64) -> Result<(), Exceeded> {
        self.bucket.as_deref().map_or(Ok(()), |bucket| lock(bucket).take(points, self.quota))
    }

    /// Corrects a charge to the points that the operation took. Returns the points that are left; a debt counts as none.
    pub fn correct(&self, charged: f64, actual: f64) -> f64 {
        let full = f64::from(self.quota.limit);
        let Some(bucket) = &self.bucket else { return full };
        let mut bucket = lock(bucket);
        bucket.restore(self.quota);
        bucket.points = (bucket.points + charged - actual).min(full);
        bucket.points.max(0.0)
    }
}

fn lock(bucket: &Mutex<Bucket>) -> MutexGuard<'_, Bucket> {
    bucket.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::UserId;

    fn limiter(quota: &str) -> RateLimiter {
        let quota = quota.parse().unwrap();
        let single = [(ApiKeyId(7), "1000000:1".parse().unwrap())];
        let quotas = Quotas { anonymous: quota, customer: quota, staff: quota, key: quota, single_keys: single.into() };
        RateLimiter::new(quotas)
    }

    fn client(id: i64) -> Client {
        Client { key: ClientKey::User(UserId(id)), class: ClientClass::Customer, is_exempt: false }
    }

    #[test]
    fn each_client_spends_its_own_points() {
        let limiter = limiter("100:1");
        let one = limiter.allowance(client(1));
        one.charge(60.0).unwrap();
        let Exceeded { retry_after } = limiter.allowance(client(1)).charge(60.0).unwrap_err();
        assert!((15..=20).contains(&retry_after), "{retry_after}");
        assert!(one.correct(0.0, 0.0) >= 40.0);
        limiter.allowance(client(2)).charge(60.0).unwrap();
        let key = Client { key: ClientKey::ApiKey(ApiKeyId(7)), class: ClientClass::ApiKey, is_exempt: false };
        limiter.allowance(key).charge(500_000.0).unwrap();
        let exempt = limiter.allowance(Client { is_exempt: true, ..client(1) });
        exempt.charge(1e9).unwrap();
        assert_eq!(exempt.correct(1e9, 2e9), 100.0);
    }

    #[test]
    fn a_charge_is_corrected_to_what_the_operation_took() {
        let limiter = limiter("100:1");
        let one = limiter.allowance(client(1));
        one.charge(60.0).unwrap();
        assert!((90.0..91.0).contains(&one.correct(60.0, 10.0)));
        one.charge(10.0).unwrap();
        assert_eq!(one.correct(10.0, 190.0), 0.0);
        // The debt of about 100 points is paid first.
        let Exceeded { retry_after } = one.charge(1.0).unwrap_err();
        assert!((90..=101).contains(&retry_after), "{retry_after}");
    }

    #[test]
    fn an_operation_that_costs_more_than_a_full_bucket_runs_once() {
        let one = limiter("100:1").allowance(client(1));
        one.charge(250.0).unwrap();
        assert!(one.charge(1.0).unwrap_err().retry_after > 100);
    }

    #[test]
    fn quotas_are_written_as_limit_and_rate() {
        let quota = Quota { limit: 1_000, restore_rate: 300 };
        assert_eq!("1000:300".parse(), Ok(quota));
        assert_eq!((quota.to_string().as_str(), quota.window_seconds()), ("1000:300", 4));
        for text in ["", "1000", "1000:", "0:1", "1:0", "-1:1", "1:1:1"] {
            assert!(text.parse::<Quota>().is_err(), "{text}");
        }
    }
}
