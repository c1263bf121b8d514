//! Messages among servers.
//! Rule: a message is a hint. Messages are lost while the connection is, so nothing may depend on them.

use std::time::Duration;

use futures_util::StreamExt;
use redis::{Client, RedisResult};
use tokio::time::{sleep, timeout};

use super::{CONNECT_TIMEOUT, Redis};

/// Pause before the connection is opened again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

impl Redis {
    /// Calls a function for each message on a channel, until the last handle is dropped.
    pub fn subscribe(&self, channel: String, on_message: impl Fn(&[u8]) + Send + Sync + 'static) {
        let client = self.0.client.clone();
        self.spawn(async move {
            loop {
                if let Err(error) = receive(&client, &channel, &on_message).await {
                    tracing::debug!(%error, channel, "redis subscription failed");
                }
                sleep(RETRY_DELAY).await;
            }
        });
    }

    /// Sends a message to the subscribers of a channel.
    pub async fn publish(&self, channel: &str, message: &str) {
        let command = redis::cmd("PUBLISH").arg(channel).arg(message).clone();
        let _: Option<i64> = self.read(&command).await;
    }
}

/// Calls a function for each message until the connection ends.
async fn receive(client: &Client, channel: &str, on_message: impl Fn(&[u8])) -> RedisResult<()> {
    let mut connection = timeout(CONNECT_TIMEOUT, client.get_async_pubsub()).await.unwrap_or_else(timed_out)?;
    timeout(CONNECT_TIMEOUT, connection.subscribe(channel)).await.unwrap_or_else(timed_out)?;
    let mut messages = connection.on_message();
    while let Some(message) = messages.next().await {
        on_message(message.get_payload_bytes());
    }
    Ok(())
}

fn timed_out<T>(_: tokio::time::error::Elapsed) -> RedisResult<T> {
    Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into())
}
