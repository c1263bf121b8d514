//! Buckets that several servers share, in Redis.
//! Rule: each server charges its own copies of the buckets at once, and exchanges what it took several times a second. Without
//! Redis, each server goes on with its own.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use moka::sync::Cache;
use redis::Pipeline;
use tokio::{
    task::{JoinSet, spawn_blocking},
    time::{MissedTickBehavior, interval},
};

use super::{
    ClientKey,
    bucket::{Bucket, Taken},
};
use crate::{ids::RowId, redis::Redis, sync::lock};

/// Interval of the exchanges. A client of several servers can take the points of a full bucket from each of them within it, which
/// become a debt.
const INTERVAL: Duration = Duration::from_millis(200);
/// Number of buckets of one command.
const BATCH: usize = 500;

/// Restores the buckets of the keys, takes points from them, and returns what is left. Each bucket has four arguments: its
/// limit, the points that are restored per second, the points to take, and the points that the server has left, for a bucket that
/// is not there. A bucket is deleted a minute after it is full.
const SCRIPT: &str = r"
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local left = {}
for i, key in ipairs(KEYS) do
  local limit, rate = tonumber(ARGV[4 * i - 3]), tonumber(ARGV[4 * i - 2])
  local taken, points = tonumber(ARGV[4 * i - 1]), tonumber(ARGV[4 * i])
  local bucket = redis.pcall('HMGET', key, 'points', 'at')
  if bucket.err then
    redis.call('DEL', key)
    bucket = {}
  end
  local before, at = tonumber(bucket[1]), tonumber(bucket[2])
  if before and at then
    points = math.min(limit, before + math.max(0, now - at) * rate) - taken
  end
  points = math.min(limit, points)
  redis.call('HSET', key, 'points', tostring(points), 'at', string.format('%.3f', now))
  redis.call('EXPIRE', key, math.ceil(math.min(1000000, (limit - points) / rate)) + 60)
  left[i] = tostring(points)
end
return left";

/// A bucket whose points are exchanged.
struct Exchanged {
    key: ClientKey,
    bucket: Arc<Mutex<Bucket>>,
    taken: Taken,
}

/// Starts to exchange buckets, until the result is dropped.
pub(super) fn start(redis: Redis, buckets: Cache<ClientKey, Arc<Mutex<Bucket>>>) -> JoinSet<()> {
    let mut task = JoinSet::new();
    task.spawn(async move {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let buckets = buckets.clone();
            // There may be many buckets.
            let changed = spawn_blocking(move || buckets.iter().filter_map(changed).collect::<Vec<_>>()).await;
            for batch in changed.unwrap_or_default().chunks(BATCH) {
                exchange(&redis, batch).await;
            }
        }
    });
    task
}

fn changed((key, bucket): (Arc<ClientKey>, Arc<Mutex<Bucket>>)) -> Option<Exchanged> {
    let taken = lock(&bucket).start_exchange()?;
    Some(Exchanged { key: *key, bucket, taken })
}

async fn exchange(redis: &Redis, batch: &[Exchanged]) {
    let mut commands = Pipeline::with_capacity(1);
    let script = commands.cmd("EVAL").arg(SCRIPT).arg(batch.len());
    batch.iter().for_each(|exchanged| {
        script.arg(redis_key(exchanged.key));
    });
    batch.iter().for_each(|Exchanged { taken: Taken { quota, points, left }, .. }| {
        script.arg(quota.limit).arg(quota.restore_rate).arg(points).arg(left);
    });
    let left = redis.write::<(Vec<f64>,)>(&commands).await;
    for (index, Exchanged { bucket, taken, .. }) in batch.iter().enumerate() {
        match left.as_ref().and_then(|(left,)| left.get(index)) {
            Some(left) => lock(bucket).end_exchange(*left),
            None => lock(bucket).fail_exchange(taken.points),
        }
    }
}

fn redis_key(client: ClientKey) -> String {
    match client {
        ClientKey::Server => "souk:rate:server".to_owned(),
        ClientKey::Network(None) => "souk:rate:network".to_owned(),
        ClientKey::Network(Some(address)) => format!("souk:rate:network:{address}"),
        ClientKey::User(user) => format!("souk:rate:user:{}", user.key()),
        ClientKey::ApiKey(key) => format!("souk:rate:key:{}", key.key()),
    }
}
