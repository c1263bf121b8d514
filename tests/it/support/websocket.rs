//! A WebSocket client of the subprotocol `graphql-transport-ws`.

use std::{net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::CloseFrame},
};

use super::{Actor, TestApp};

/// Timeout for every wait.
const TIMEOUT: Duration = Duration::from_secs(20);

/// An open connection.
pub struct WebSocket {
    socket: WebSocketStream<TcpStream>,
    last_id: usize,
}

/// What a server sends.
#[derive(Debug, PartialEq)]
pub enum Received {
    /// A message of the subprotocol.
    Json(Value),
    /// The connection was closed, with this code and reason.
    Closed(u16, String),
}

impl Received {
    /// Returns the message.
    #[track_caller]
    pub fn json(self) -> Value {
        match self {
            Self::Json(value) => value,
            Self::Closed(code, reason) => panic!("the connection was closed: {code} {reason}"),
        }
    }

    /// Returns the code with which the connection was closed.
    #[track_caller]
    pub fn code(self) -> u16 {
        match self {
            Self::Closed(code, _) => code,
            Self::Json(value) => panic!("a message instead of a close frame: {value}"),
        }
    }
}

impl WebSocket {
    /// Opens a connection with this subprotocol and these headers.
    pub async fn open(address: SocketAddr, protocol: &str, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let mut request = format!("ws://{address}/graphql").into_client_request()?;
        if !protocol.is_empty() {
            request.headers_mut().insert("sec-websocket-protocol", protocol.parse().expect("a header"));
        }
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        let stream = TcpStream::connect(address).await?;
        let (socket, _) = client_async(request, stream).await?;
        Ok(Self { socket, last_id: 0 })
    }

    /// Opens a connection with the credentials of an actor, which is accepted.
    pub async fn connect(address: SocketAddr, actor: &Actor<'_>) -> Self {
        Self::connect_with(address, actor.connection_payload()).await
    }

    /// Opens a connection with this payload of `connection_init`, which is accepted.
    pub async fn connect_with(address: SocketAddr, payload: Value) -> Self {
        let mut socket = Self::open(address, "graphql-transport-ws", &[]).await.expect("a WebSocket");
        socket.send(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.receive().await.json(), json!({ "type": "connection_ack" }));
        socket
    }

    /// Sends a message.
    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    /// Sends any text.
    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("an open connection");
    }

    /// Waits for the next message, or for the end of the connection.
    pub async fn receive(&mut self) -> Received {
        loop {
            let message = timeout(TIMEOUT, self.socket.next()).await.expect("a message in time");
            match message {
                Some(Ok(Message::Text(text))) => return Received::Json(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => {
                    return Received::Closed(code.into(), reason.to_string());
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return Received::Closed(0, format!("{other:?}")),
            }
        }
    }

    /// Sends a close frame.
    pub async fn close(&mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.socket.send(Message::Close(Some(frame))).await.expect("an open connection");
    }

    /// Starts an operation and returns its ID.
    pub async fn start(&mut self, document: &str) -> String {
        self.last_id += 1;
        let id = format!("operation-{}", self.last_id);
        self.send(json!({ "id": id, "type": "subscribe", "payload": { "query": document } })).await;
        id
    }

    /// Waits for the next response of an operation that has one, and returns its data.
    pub async fn next(&mut self) -> Value {
        let message = self.receive().await.json();
        assert_eq!(message["type"], "next", "{message}");
        assert!(message["payload"].get("errors").is_none(), "{message}");
        message["payload"]["data"].clone()
    }

    /// Waits for the errors of an operation that was rejected, and returns the code of the first.
    pub async fn error_code(&mut self) -> String {
        let message = self.receive().await.json();
        assert_eq!(message["type"], "error", "{message}");
        message["payload"][0]["extensions"]["code"].as_str().expect("a code").to_owned()
    }

    /// Returns whether nothing is received before the response to a `ping`.
    pub async fn is_silent(&mut self) -> bool {
        self.send(json!({ "type": "ping" })).await;
        self.receive().await.json() == json!({ "type": "pong" })
    }
}

impl Actor<'_> {
    /// Returns the payload of `connection_init` with the actor's credentials.
    pub fn connection_payload(&self) -> Value {
        let mut payload = json!({});
        if let Some(token) = &self.token {
            payload["authorization"] = format!("Bearer {token}").into();
        }
        if let Some(key) = &self.key {
            payload["x-api-key"] = key.as_str().into();
        }
        if let Some(cart) = &self.cart {
            payload["x-cart-token"] = cart.as_str().into();
        }
        payload
    }

    /// Opens a WebSocket and starts a subscription, and waits until it gets events.
    pub async fn subscribe(&self, address: SocketAddr, document: &str) -> WebSocket {
        let before = self.app.services.events.count();
        let mut socket = WebSocket::connect(address, self).await;
        socket.start(document).await;
        // An earlier connection may be ending meanwhile, so the number is not known.
        self.app.wait_until_subscriptions(|count| count != before).await;
        socket
    }
}

impl TestApp {
    /// Waits until so many subscriptions get events.
    pub async fn wait_for_subscriptions(&self, count: usize) {
        self.wait_until_subscriptions(|found| found == count).await;
    }

    async fn wait_until_subscriptions(&self, holds: impl Fn(usize) -> bool) {
        let reached = async {
            while !holds(self.services.events.count()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(TIMEOUT, reached).await.expect("the number of subscriptions changes in time");
    }
}
