//! What a request knows of the connection that it arrived on.

use std::sync::Arc;

use tokio::sync::watch;

/// The link of a request to its connection, in its extensions. The connection counts as open while a link exists, and the server
/// waits for it when it stops: a WebSocket outlives the HTTP connection.
#[derive(Clone)]
pub struct ConnectionLink {
    stop: watch::Receiver<bool>,
    _slot: Arc<dyn Send + Sync>,
}

impl ConnectionLink {
    /// Creates the link to a connection that counts as open by this slot.
    pub fn new(stop: watch::Receiver<bool>, slot: Arc<dyn Send + Sync>) -> Self {
        Self { stop, _slot: slot }
    }

    /// Waits until the server is stopping; forever without a link.
    pub async fn stopping(link: Option<&mut Self>) {
        match link {
            Some(link) => _ = link.stop.wait_for(|is_stopping| *is_stopping).await,
            None => std::future::pending().await,
        }
    }
}
