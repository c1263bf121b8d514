//! The messages of the WebSocket subprotocol `graphql-transport-ws`, and the codes with which its connections are closed.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Name of the subprotocol.
pub const PROTOCOL: &str = "graphql-transport-ws";

/// Name of the old subprotocol, which is not supported.
pub const OLD_PROTOCOL: &str = "graphql-ws";

/// A reason for which the server closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// The connection is idle or was open for too long.
    Normal = 1000,
    /// The server stops.
    GoingAway = 1001,
    /// A message is too large, or not a text.
    TooLarge = 1009,
    /// The client receives events too slowly, has too many connections, or cannot be authenticated at the moment.
    TryAgainLater = 1013,
    /// A message is not one of the subprotocol.
    BadRequest = 4400,
    /// An operation was sent before `connection_init`.
    Unauthorized = 4401,
    /// The credentials are not valid, or not any more.
    Forbidden = 4403,
    /// The subprotocol is not supported.
    SubprotocolNotAcceptable = 4406,
    /// There was no `connection_init` in time.
    InitTimeout = 4408,
    /// There is an operation with this ID already.
    SubscriberExists = 4409,
    /// There was more than one `connection_init`, or the client has too many connections.
    TooManyRequests = 4429,
}

/// A message from a client.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientMessage {
    /// Begins the connection. The payload has credentials.
    ConnectionInit {
        /// An object with `authorization`, `x-api-key` or `x-cart-token`.
        payload: Option<Value>,
    },
    /// Asks for a `pong`.
    Ping {
        /// Returned in the `pong`.
        payload: Option<Value>,
    },
    /// The response to a `ping`.
    Pong {},
    /// Runs an operation.
    Subscribe {
        /// ID of the operation, chosen by the client.
        id: String,
        /// The request.
        payload: Value,
    },
    /// Ends an operation.
    Complete {
        /// ID of the operation.
        id: String,
    },
}

/// A message to a client, without payload or with one that is a value.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ServerMessage<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Value>,
    },
    Complete {
        id: &'a str,
    },
}

fn text(message: &ServerMessage<'_>) -> String {
    serde_json::to_string(message).expect("messages are JSON")
}

/// Returns the message that accepts a connection.
pub fn connection_ack() -> String {
    text(&ServerMessage::ConnectionAck)
}

/// Returns the response to a `ping`.
pub fn pong(payload: Option<Value>) -> String {
    text(&ServerMessage::Pong { payload })
}

/// Returns the message that an operation has ended.
pub fn complete(id: &str) -> String {
    text(&ServerMessage::Complete { id })
}

/// Returns the message with a response of an operation, which is JSON.
pub fn next(id: &str, response: &str) -> String {
    with_payload(id, "next", response)
}

/// Returns the message that an operation was rejected, with its errors as JSON.
pub fn error(id: &str, errors: &str) -> String {
    with_payload(id, "error", errors)
}

fn with_payload(id: &str, kind: &str, payload: &str) -> String {
    let id = serde_json::to_string(id).expect("texts are JSON");
    format!(r#"{{"id":{id},"type":"{kind}","payload":{payload}}}"#)
}
