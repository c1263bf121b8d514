//! An HTTP server that receives webhooks, and responds as a test says.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch};

/// How a receiver responds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Behavior {
    /// With this status and a text.
    Status(u16),
    /// With a redirect to itself.
    Redirect,
    /// Not at all.
    Hang,
    /// With an endless body.
    Endless,
    /// With the head of a response, and nothing more.
    Stall,
}

/// A request that was received.
#[derive(Debug, Clone)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: String,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

struct Inner {
    behavior: Mutex<Behavior>,
    received: watch::Sender<Vec<Received>>,
}

/// The server.
pub struct Receiver {
    pub url: String,
    inner: Arc<Inner>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::on(listener)
    }

    pub fn on(listener: TcpListener) -> Self {
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let inner = Arc::new(Inner { behavior: Mutex::new(Behavior::Status(200)), received: watch::Sender::default() });
        let router = Router::new().route("/hook", any(receive)).with_state(Arc::clone(&inner));
        tokio::spawn(async { axum::serve(listener, router).await });
        Self { url, inner }
    }

    pub fn respond(&self, behavior: Behavior) {
        *self.inner.behavior.lock().expect("a lock") = behavior;
    }

    /// Returns what was received since the last call.
    pub fn take(&self) -> Vec<Received> {
        self.inner.received.send_replace(Vec::new())
    }

    /// Waits until so many requests were received.
    pub async fn wait_for(&self, count: usize) {
        let mut received = self.inner.received.subscribe();
        let reached = received.wait_for(|received| received.len() >= count);
        tokio::time::timeout(std::time::Duration::from_secs(60), reached)
            .await
            .expect("requests in time")
            .expect("a server");
    }
}

async fn receive(State(inner): State<Arc<Inner>>, headers: HeaderMap, body: Bytes) -> Response {
    let body = String::from_utf8(body.to_vec()).expect("UTF-8");
    inner.received.send_modify(|received| received.push(Received { headers, body }));
    let behavior = *inner.behavior.lock().expect("a lock");
    match behavior {
        Behavior::Status(status) => {
            (StatusCode::from_u16(status).expect("a status"), format!("response {status}")).into_response()
        }
        Behavior::Redirect => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/hook")]).into_response(),
        Behavior::Hang => std::future::pending().await,
        Behavior::Stall => {
            axum::body::Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>())
                .into_response()
        }
        Behavior::Endless => {
            let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(b"more ")));
            axum::body::Body::from_stream(chunks).into_response()
        }
    }
}
