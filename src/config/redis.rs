//! Settings of Redis.

use clap::Args;

use crate::redis::Redis;

/// Settings of Redis, which joins several servers.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Several servers")]
pub struct RedisSettings {
    /// Redis 6 or later, as `redis://user:password@host:6379/0`: a cache of responses and rate limits that all servers share.
    /// Optional. A server whose Redis does not respond uses its own. All servers of a shop need the same settings, and each
    /// shop needs a Redis database of its own.
    #[arg(long, env = "SOUK_REDIS_URL", hide_env_values = true, value_name = "URL")]
    pub redis_url: Option<String>,
}

impl RedisSettings {
    /// Connects to Redis, if it is set.
    /// # Errors
    /// Returns why the URL is not valid.
    pub async fn open(&self) -> Result<Option<Redis>, String> {
        match &self.redis_url {
            None => Ok(None),
            Some(url) => Redis::open(url).await.map(Some).map_err(|error| format!("SOUK_REDIS_URL {error}")),
        }
    }
}
