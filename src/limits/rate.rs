//! Rates: each client has a bucket of points, which is restored over time and from which its operations are paid.
//! Rule: an operation is charged before it runs, by an estimate, and corrected afterwards to what it took. A point is about
//! one millisecond of processor time of the server and the database together.
//!
//! The crate `governor` was considered; it has neither corrections nor a readable rest.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use moka::sync::Cache;
use tokio::task::JoinSet;

use super::{
    Client, ClientClass, ClientKey,
    bucket::{Bucket, Exceeded, Quota},
    exchange,
};
use crate::{ids::ApiKeyId, redis::Redis, sync::lock};

/// Maximum number of buckets. A client whose bucket was evicted starts with a full one.
const MAX_BUCKETS: u64 = 100_000;

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
    /// Exchanges the buckets with other servers.
    _exchange: Option<Arc<JoinSet<()>>>,
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
        Self { quotas: Arc::new(quotas), buckets, _exchange: None }
    }

    /// Shares the buckets with other servers.
    #[must_use]
    pub fn shared_by(self, redis: Redis) -> Self {
        Self { _exchange: Some(Arc::new(exchange::start(redis, self.buckets.clone()))), ..self }
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
        lock(bucket).correct(charged, actual, self.quota).max(0.0)
    }
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
}
