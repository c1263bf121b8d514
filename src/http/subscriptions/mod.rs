//! Subscriptions: operations whose responses are sent as events occur, by WebSocket (`graphql-transport-ws`), as Server-Sent
//! Events (`graphql-sse`, distinct connections mode) or as multipart responses.
//! Rule: a subscription is admitted, charged and limited like any other operation. Each of its events is an execution of its
//! own, for the viewer as they are then.

mod connections;
mod execution;
mod handshake;
mod messages;
mod operations;
mod streaming;
mod websocket;

pub use self::{
    connections::Connections,
    handshake::{is_handshake, open},
    streaming::{Accepted, respond_once, respond_with_stream},
};
