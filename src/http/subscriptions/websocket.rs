//! A WebSocket connection with the subprotocol `graphql-transport-ws`.
//! Rule: the connection does one thing at a time: it reads a message, or sends one. A client that does not receive is not
//! read from, and its events wait.

use std::{sync::Arc, time::Duration};

use async_graphql::ServerError;
use axum::{
    extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket},
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
};
use bytes::Bytes;
use serde_json::Value;
use tokio::time::{Instant, interval_at, timeout};

use super::{
    connections::{End, Reservation},
    execution::Source,
    messages::{ClientMessage, CloseCode, PROTOCOL, connection_ack, pong},
    operations::{Operations, Output},
};
use crate::{
    auth::RequestOrigin,
    error::ErrorCode,
    graphql::engine::errors::code,
    http::{
        credentials::{authenticate, guest},
        endpoint::Endpoint,
        header_names::{X_API_KEY, X_CART_TOKEN},
        rejection::Rejection,
        server::ConnectionLink,
    },
    telemetry::RequestId,
};

/// Time in which a client has to send `connection_init`.
const INIT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time in which a client has to receive the close frame, and to respond to it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum length of the ID of an operation, in bytes. It is in each of its messages.
const MAX_ID: usize = 255;

/// Maximum length of the reason of a close frame, in bytes.
const MAX_REASON: usize = 123;

/// Headers that the payload of `connection_init` can have.
const CREDENTIALS: [HeaderName; 3] = [header::AUTHORIZATION, X_API_KEY, X_CART_TOKEN];

/// A connection that is being opened.
pub struct Opening {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// The head of the request.
    pub parts: Parts,
    /// Where the request comes from.
    pub origin: RequestOrigin,
    /// Counts as a connection that is being opened.
    pub opening: Reservation,
}

/// Why a connection is closed.
type Closing = (CloseCode, String);

/// Runs a connection until it is closed.
pub async fn run(mut socket: WebSocket, opening: Opening, link: Option<ConnectionLink>, is_supported: bool) {
    let closed = match is_supported {
        true => serve(&mut socket, opening, link).await,
        false => Some((
            CloseCode::SubprotocolNotAcceptable,
            format!("Subprotocol not acceptable: the server speaks {PROTOCOL}"),
        )),
    };
    match closed {
        Some((code, reason)) => close(&mut socket, code, &reason).await,
        None => wait_for_end(&mut socket).await,
    }
}

/// Waits until the connection has ended. A close frame of the client is responded to meanwhile.
async fn wait_for_end(socket: &mut WebSocket) {
    let end = async { while let Some(Ok(_)) = socket.recv().await {} };
    let _ = timeout(CLOSE_TIMEOUT, end).await;
}

async fn close(socket: &mut WebSocket, code: CloseCode, reason: &str) {
    let end = reason.floor_char_boundary(MAX_REASON);
    let frame = CloseFrame { code: code as u16, reason: Utf8Bytes::from(&reason[..end]) };
    // The client may be gone. If not, it is given a moment to receive what was sent before, and to respond.
    if let Ok(Ok(())) = timeout(CLOSE_TIMEOUT, socket.send(Message::Close(Some(frame)))).await {
        wait_for_end(socket).await;
    }
}

/// Serves a connection. Returns why the server closes it; none if the client did.
async fn serve(socket: &mut WebSocket, opening: Opening, link: Option<ConnectionLink>) -> Option<Closing> {
    let payload = match timeout(INIT_TIMEOUT, receive_init(socket)).await {
        Ok(Ok(payload)) => payload,
        Ok(Err(closing)) => return closing,
        Err(_) => return Some((CloseCode::InitTimeout, "Connection initialisation timeout".to_owned())),
    };
    let source = match Box::pin(accept(opening, payload)).await {
        Ok(source) => Arc::new(source),
        Err(closing) => return Some(closing),
    };
    socket.send(Message::text(connection_ack())).await.ok()?;
    exchange_messages(socket, source, link).await
}

/// Waits for `connection_init` and returns its payload.
async fn receive_init(socket: &mut WebSocket) -> Result<Option<Value>, Option<Closing>> {
    loop {
        match receive(socket).await? {
            None | Some(ClientMessage::Pong {} | ClientMessage::Complete { .. }) => {}
            Some(ClientMessage::ConnectionInit { payload }) => return Ok(payload),
            Some(ClientMessage::Ping { payload }) => {
                socket.send(Message::text(pong(payload))).await.map_err(|_| None)?;
            }
            Some(ClientMessage::Subscribe { .. }) => {
                return Err(Some((CloseCode::Unauthorized, "Unauthorized: send connection_init first".to_owned())));
            }
        }
    }
}

/// Waits for the next message; none for a ping or pong of WebSocket itself.
/// # Errors
/// Why the connection is closed; none if it was closed by the client.
async fn receive(socket: &mut WebSocket) -> Result<Option<ClientMessage>, Option<Closing>> {
    match socket.recv().await {
        None => Err(None),
        Some(Ok(message)) => parse(message),
        // Not sent if the connection is lost.
        Some(Err(error)) => Err(Some((CloseCode::TooLarge, format!("The message cannot be read: {error}")))),
    }
}

fn parse(message: Message) -> Result<Option<ClientMessage>, Option<Closing>> {
    let invalid = |reason: String| Some((CloseCode::BadRequest, format!("Invalid message: {reason}")));
    match message {
        Message::Text(text) => serde_json::from_str(&text).map(Some).map_err(|error| invalid(error.to_string())),
        Message::Binary(_) => Err(invalid("messages are text".to_owned())),
        Message::Ping(_) | Message::Pong(_) => Ok(None),
        Message::Close(_) => Err(None),
    }
}

/// Authenticates the client with the credentials of `connection_init`, or of its headers.
async fn accept(opening: Opening, payload: Option<Value>) -> Result<Source, Closing> {
    let Opening { endpoint, mut parts, origin, opening } = opening;
    add_credentials(&mut parts.headers, payload.as_ref())?;
    let request_id = RequestId::random();
    let rejected = |error: ServerError| match code(&error) {
        Some(ErrorCode::Unauthenticated) => (CloseCode::Forbidden, format!("Forbidden: {}", error.message)),
        _ => (CloseCode::TryAgainLater, error.message),
    };
    let viewer = authenticate(&parts.headers, &endpoint.services, &request_id).await.map_err(rejected)?;
    let reserved = endpoint.connections.reserve(endpoint.limits.client(&viewer, &origin));
    let too_many = |rejection: Rejection| (CloseCode::TryAgainLater, rejection.message().to_owned());
    let reservation = reserved.map_err(too_many)?;
    drop(opening);
    let viewer = viewer.with_guest(guest(&parts.headers));
    let connection = endpoint.connections.open(reservation, &parts.headers, viewer);
    Ok(Source { endpoint, parts, origin, connection })
}

/// Takes over the credentials of a payload: its keys are names of headers, in upper or lower case, possibly below `headers`.
/// # Errors
/// If the payload is no object, or a credential is no text.
fn add_credentials(headers: &mut HeaderMap, payload: Option<&Value>) -> Result<(), Closing> {
    let invalid = |message: &str| (CloseCode::BadRequest, format!("Invalid message: {message}"));
    let payload = payload.filter(|payload| !payload.is_null());
    if payload.is_some_and(|payload| !payload.is_object()) {
        return Err(invalid("the payload of connection_init is an object"));
    }
    let objects = payload.into_iter().flat_map(|payload| [payload.get("headers"), Some(payload)]).flatten();
    let mut given = HeaderMap::new();
    for (key, value) in objects.filter_map(Value::as_object).flatten() {
        let Some(name) = CREDENTIALS.into_iter().find(|name| name.as_str().eq_ignore_ascii_case(key)) else { continue };
        if !value.is_null() {
            let text = value.as_str().and_then(|text| HeaderValue::from_str(text).ok());
            given.insert(&name, text.ok_or_else(|| invalid(&format!("{name} is a text")))?);
        }
    }
    if given.contains_key(header::AUTHORIZATION) || given.contains_key(X_API_KEY) {
        // One credential replaces another.
        headers.remove(header::AUTHORIZATION);
        headers.remove(X_API_KEY);
    }
    headers.extend(given);
    Ok(())
}

/// Exchanges messages until the connection ends.
async fn exchange_messages(
    socket: &mut WebSocket,
    source: Arc<Source>,
    mut link: Option<ConnectionLink>,
) -> Option<Closing> {
    let ping_interval = source.connection.connections().settings().ping_interval;
    let mut pings = interval_at(Instant::now() + ping_interval, ping_interval);
    let mut last_received = Instant::now();
    let mut operations = Operations::new(Arc::clone(&source));
    loop {
        // The bytes are counted until the message is sent.
        let (message, closing, _counted) = tokio::select! {
            // What has arrived is read before a client counts as silent.
            biased;
            received = receive(socket) => {
                last_received = Instant::now();
                match received.and_then(|message| handle(message, &mut operations).map_err(Some)) {
                    Ok(None) => continue,
                    Ok(Some(text)) => (Message::text(text), None, None),
                    Err(closing) => return closing,
                }
            }
            end = source.connection.end() => match end {
                End::TooOld => return Some(finish(socket, operations, &source, closing_of(end)).await),
                end => return Some(closing_of(end)),
            },
            () = ConnectionLink::stopping(link.as_mut()) => {
                let closing = (CloseCode::GoingAway, "The server is stopping".to_owned());
                return Some(finish(socket, operations, &source, closing).await);
            }
            Some(Output { text, closing, counted }) = operations.next() => (Message::text(text), closing, counted),
            _ = pings.tick() => {
                if last_received.elapsed() >= ping_interval * 2 {
                    return Some((CloseCode::Normal, "The client did not respond".to_owned()));
                }
                (Message::Ping(Bytes::new()), None, None)
            }
        };
        if let Err(closing) = send(socket, &source, message).await {
            return closing;
        }
        if let Some(code) = closing {
            return Some((code, "The client receives events too slowly".to_owned()));
        }
    }
}

/// Sends a message, unless the credential becomes invalid meanwhile.
/// # Errors
/// Why the connection is closed; none if the client has closed it.
async fn send(socket: &mut WebSocket, source: &Source, message: Message) -> Result<(), Option<Closing>> {
    tokio::select! {
        sent = socket.send(message) => sent.map_err(|_| None),
        end = source.connection.unauthenticated() => Err(Some(closing_of(end))),
    }
}

/// Ends the subscriptions, and sends the responses of the queries and mutations that are running.
async fn finish(socket: &mut WebSocket, mut operations: Operations, source: &Source, closing: Closing) -> Closing {
    operations.finish();
    let responses = async {
        while let Some(Output { text, counted: _counted, .. }) = operations.next().await {
            send(socket, source, Message::text(text)).await?;
        }
        Ok::<_, Option<Closing>>(())
    };
    let _ = timeout(source.endpoint.settings.timeout, responses).await;
    closing
}

/// Handles a message. Returns the message to send, if there is one at once.
fn handle(message: Option<ClientMessage>, operations: &mut Operations) -> Result<Option<String>, Closing> {
    match message {
        None | Some(ClientMessage::Pong {}) => Ok(None),
        Some(ClientMessage::Ping { payload }) => Ok(Some(pong(payload))),
        Some(ClientMessage::Complete { id }) => {
            operations.end(&id);
            Ok(None)
        }
        Some(ClientMessage::Subscribe { id, .. }) if id.is_empty() || id.len() > MAX_ID => {
            Err((CloseCode::BadRequest, format!("Invalid message: an ID has 1 to {MAX_ID} bytes")))
        }
        Some(ClientMessage::Subscribe { id, payload }) => match operations.start(&id, payload) {
            true => Ok(None),
            false => Err((CloseCode::SubscriberExists, format!("Subscriber for {id} already exists"))),
        },
        Some(ClientMessage::ConnectionInit { .. }) => {
            Err((CloseCode::TooManyRequests, "Too many initialisation requests".to_owned()))
        }
    }
}

fn closing_of(end: End) -> Closing {
    match end {
        End::Unauthenticated(error) => (CloseCode::Forbidden, format!("Forbidden: {}", error.message)),
        End::Idle => (CloseCode::Normal, "The connection was idle".to_owned()),
        End::TooOld => (CloseCode::GoingAway, "The connection was open for the maximum time".to_owned()),
    }
}
