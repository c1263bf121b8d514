//! Positions of earlier polls, in Redis: a server that starts reads what changed since one of them, so that it can use the
//! responses that other servers have stored since then.
//! Rule: a bookmark is used only if no change since then was deleted from the table.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::{Pipeline, cmd};

use crate::{db::changes::Position, redis::Redis};

/// Interval between two bookmarks.
const PERIOD: Duration = Duration::from_secs(60);
/// Number of bookmarks that are kept.
const COUNT: u64 = 60;

/// The bookmarks of all servers.
pub(super) struct Bookmarks {
    redis: Redis,
    /// The period for which this server wrote one.
    written: u64,
}

impl Bookmarks {
    pub(super) fn new(redis: Redis) -> Self {
        Self { redis, written: 0 }
    }

    /// Returns the oldest bookmark of this database after the last transaction that deleted changes.
    pub(super) async fn oldest(&self, server: &str, last_deletion: Option<i64>) -> Option<Position> {
        let now = period();
        let keys: Vec<_> = (now.saturating_sub(COUNT)..=now).map(redis_key).collect();
        let found: Vec<Option<String>> = self.redis.read(cmd("MGET").arg(keys)).await?;
        let found = found.into_iter().flatten().filter_map(|text| serde_json::from_str::<Position>(&text).ok());
        let is_complete = |position: &Position| last_deletion.is_none_or(|id| position.moment.sees(id));
        found.into_iter().find(|position| position.server == server && is_complete(position))
    }

    /// Writes a position, in the background, unless there is one for the same period.
    pub(super) fn write(&mut self, position: &Position) {
        let now = period();
        if self.written == now {
            return;
        }
        let Ok(text) = serde_json::to_string(position) else { return };
        let (redis, seconds) = (self.redis.clone(), PERIOD.as_secs() * COUNT);
        let mut commands = Pipeline::with_capacity(1);
        commands.cmd("SET").arg(redis_key(now)).arg(text).arg("NX").arg("EX").arg(seconds).ignore();
        tokio::spawn(async move { redis.write::<()>(&commands).await });
        self.written = now;
    }
}

/// Returns the number of the current period. It matters little if the clocks of servers differ.
fn period() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs() / PERIOD.as_secs())
}

fn redis_key(period: u64) -> String {
    format!("souk:position:{period}")
}
