//! Responses in Redis, which all servers share: what one of them loaded, the others need not load.
//! Rule: a response has the position of the database after which it was loaded. A server uses it only if it knows what changed
//! since then.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use redis::{Pipeline, cmd};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::public_response::{PublicResponse, ResponseKey};
use crate::{
    cache::Effect,
    db::changes::Position,
    redis::{Redis, State},
};

/// Time after which Redis deletes a response.
const LIFETIME: Duration = Duration::from_secs(3600);
/// Maximum size of a response, in bytes.
const MAX_BYTES: usize = 1024 * 1024;
/// Maximum number of responses that are being written at the same time. Further ones are not written.
const MAX_WRITES: usize = 32;

/// Makes an effect of a response again from its text; none if the text is not known.
pub type ParseEffect = Box<dyn Fn(&str) -> Option<Effect> + Send + Sync>;

/// The responses that all servers share.
pub struct SharedResponses {
    redis: Redis,
    /// What a response depends on besides the request and the data: the build of the server.
    build: String,
    parse_effect: ParseEffect,
    writes: Arc<Semaphore>,
}

/// What is stored before the body, on a line of its own.
#[derive(Serialize, Deserialize)]
struct Head {
    position: Position,
    complexity: usize,
    tags: String,
    effects: Vec<String>,
}

impl SharedResponses {
    /// Shares the responses of servers of the same build. Their settings must be the same too.
    pub fn new(redis: Redis, build: String, parse_effect: ParseEffect) -> Self {
        Self { redis, build, parse_effect, writes: Arc::new(Semaphore::new(MAX_WRITES)) }
    }

    /// Returns a response and the position after which it was loaded; none if it is not there, or Redis does not respond.
    pub(super) async fn find(&self, key: &ResponseKey) -> Option<(PublicResponse, Position)> {
        let value: Option<Bytes> = self.redis.read(cmd("GET").arg(self.redis_key(key))).await?;
        self.parse(&value?)
    }

    /// Stores a response, in the background.
    pub(super) fn store(&self, key: &ResponseKey, position: Position, response: &PublicResponse) {
        let body = response.body();
        if body.len() > MAX_BYTES || self.redis.state() != State::Available {
            return;
        }
        let Ok(place) = Arc::clone(&self.writes).try_acquire_owned() else { return };
        let head = Head {
            position,
            complexity: response.complexity(),
            tags: response.tag_list().to_owned(),
            effects: response.effects().map(str::to_owned).collect(),
        };
        let Ok(mut value) = serde_json::to_vec(&head) else { return };
        value.push(b'\n');
        value.extend_from_slice(&body);
        let (redis, key) = (self.redis.clone(), self.redis_key(key));
        tokio::spawn(async move {
            let mut commands = Pipeline::with_capacity(1);
            commands.cmd("SET").arg(key).arg(value).arg("EX").arg(LIFETIME.as_secs()).ignore();
            let _: Option<()> = redis.write(&commands).await;
            drop(place);
        });
    }

    fn parse(&self, value: &Bytes) -> Option<(PublicResponse, Position)> {
        let end = value.iter().position(|byte| *byte == b'\n')?;
        let Head { position, complexity, tags, effects } = serde_json::from_slice(&value[..end]).ok()?;
        let effects = effects.iter().map(|text| (self.parse_effect)(text)).collect::<Option<_>>()?;
        // The bytes are not copied: the body is nearly all of them.
        Some((PublicResponse::from_parts(value.slice(end + 1..), complexity, tags, effects)?, position))
    }

    fn redis_key(&self, key: &ResponseKey) -> String {
        let hash = Sha256::new().chain_update(&self.build).chain_update([0]).chain_update(key.as_str()).finalize();
        format!("souk:response:{}", hex::encode(hash))
    }
}
