//! Subscriptions as HTTP responses that are streamed: Server-Sent Events (`graphql-sse`, distinct connections mode), and
//! multipart responses as Apollo Client reads them.
//! Rule: a stream that ends because the subscription has ended says so. One that ends for another reason is cut off, so that
//! clients connect again.

use std::{io, mem, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::time::{Instant, sleep};

use super::{
    connections::{End, RunningOperation},
    execution::{Responded, Source, Subscription, TextResponse},
};
use crate::{
    graphql::engine::{Engine, response::Response as GraphqlResponse},
    http::{
        admission::{Admitted, Exchange, RequestError},
        media_type::{MediaType, first_accepted},
        response::{json, respond_with_status},
        server::ConnectionLink,
        unsent::UnsentBytes,
    },
    telemetry::RequestId,
};

/// Boundary of the parts of a multipart response.
const BOUNDARY: &str = "graphql";

/// Format of a streamed response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamFormat {
    /// Server-Sent Events.
    EventStream,
    /// Parts with a `payload`, as Apollo Client reads them.
    Multipart,
}

impl StreamFormat {
    /// Returns the format that the `Accept` header names first; none if it names none.
    fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let types = [("text/event-stream", Self::EventStream), ("multipart/mixed", Self::Multipart)];
        first_accepted(headers, &types)
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::EventStream => "text/event-stream; charset=utf-8",
            Self::Multipart => "multipart/mixed; boundary=\"graphql\"; subscriptionSpec=1.0",
        })
    }

    /// What is sent at once, so that the client knows that the subscription has started.
    fn start(self) -> String {
        match self {
            Self::EventStream => ":\n\n".to_owned(),
            Self::Multipart => format!("--{BOUNDARY}"),
        }
    }

    /// What keeps proxies from closing the connection.
    fn heartbeat(self) -> String {
        match self {
            Self::EventStream => ":\n\n".to_owned(),
            Self::Multipart => part("{}"),
        }
    }

    fn response(self, response: &str) -> String {
        match self {
            Self::EventStream => format!("event: next\ndata: {response}\n\n"),
            Self::Multipart => part(&format!("{{\"payload\":{response}}}")),
        }
    }

    fn end(self) -> String {
        match self {
            Self::EventStream => "event: complete\ndata:\n\n".to_owned(),
            Self::Multipart => "--\r\n".to_owned(),
        }
    }
}

/// What a client accepts as the response to a request.
#[derive(Debug, Clone, Copy)]
pub struct Accepted {
    json: Option<MediaType>,
    /// The format of events.
    pub events: Option<StreamFormat>,
}

impl Accepted {
    /// Returns what the `Accept` header allows; none if that is neither JSON nor events.
    pub fn negotiate(headers: &HeaderMap) -> Option<Self> {
        let accepted = Self { json: MediaType::negotiate(headers), events: StreamFormat::negotiate(headers) };
        (accepted.json.is_some() || accepted.events.is_some()).then_some(accepted)
    }

    /// Returns the media type of JSON. Errors of HTTP itself are JSON, also for clients that accept events only.
    pub fn media_type(self) -> MediaType {
        self.json.unwrap_or(MediaType::Json)
    }

    /// Returns the format of events, if nothing else is accepted.
    pub fn only_events(self) -> Option<StreamFormat> {
        self.events.filter(|_| self.json.is_none())
    }
}

/// A part, with the delimiter after it: a client reads the part when it sees the delimiter.
fn part(content: &str) -> String {
    format!("\r\ncontent-type: application/json\r\n\r\n{content}\r\n--{BOUNDARY}")
}

/// Starts a subscription and streams its events. A subscription that does not start is responded to as any other operation.
/// # Errors
/// 429 if the client has too many connections.
pub async fn respond_with_stream(
    exchange: Exchange<'_>,
    admitted: Admitted,
    (accepted, format): (Accepted, StreamFormat),
    deadline: Instant,
) -> Result<Response, RequestError> {
    let Exchange { endpoint, parts, origin, request_id, stopwatch, .. } = exchange;
    let reserved = endpoint.connections.reserve(admitted.client);
    let reservation = reserved.map_err(|rejection| exchange.charged(rejection.into()))?;
    let connection = endpoint.connections.open(reservation, &parts.headers, admitted.viewer.clone());
    // A stream has one operation, so the limit cannot be reached.
    let running = connection.begin_operation();
    let link = parts.extensions.get::<ConnectionLink>().cloned();
    let source = Source { endpoint: Arc::clone(endpoint), parts: parts.clone(), origin: origin.clone(), connection };
    let source = Arc::new(source);
    let started = Subscription::start(source.clone(), admitted, stopwatch, request_id.clone(), deadline).await;
    let events = match started {
        Ok(subscription) => subscription.into_stream(),
        Err(response) => return Ok(respond_once(accepted, response)),
    };
    let ping_interval = endpoint.connections.settings().ping_interval;
    let streamed = Streamed {
        format,
        events,
        source,
        link,
        ping_interval,
        request_id: request_id.clone(),
        counted: None,
        _running: running,
    };
    let chunks = stream::unfold(Some(streamed), async |streamed| {
        let mut streamed = streamed?;
        match streamed.next().await {
            Chunk::More(text) => Some((Ok(Bytes::from(text)), Some(streamed))),
            Chunk::Last(text) => Some((Ok(Bytes::from(text)), None)),
            Chunk::CutOff => Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), None)),
        }
    });
    let start = stream::iter([Ok(Bytes::from(format.start()))]);
    Ok((headers(format), Body::from_stream(start.chain(chunks))).into_response())
}

fn headers(format: StreamFormat) -> [(header::HeaderName, HeaderValue); 3] {
    [
        (header::CONTENT_TYPE, format.content_type()),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        // nginx would collect the events before it sends them.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ]
}

/// Responds to an operation that has one response: as JSON, or in the format of events if the client accepts nothing else.
pub fn respond_once(accepted: Accepted, mut response: GraphqlResponse) -> Response {
    let Some(format) = accepted.only_events() else { return respond_with_status(accepted.media_type(), response) };
    let start = if format == StreamFormat::Multipart { format.start() } else { String::new() };
    let text = start + &format.response(&json(&response)) + &format.end();
    (mem::take(&mut response.http_headers), headers(format), text).into_response()
}

/// A response that is being streamed.
struct Streamed {
    format: StreamFormat,
    events: BoxStream<'static, Responded>,
    source: Arc<Source>,
    link: Option<ConnectionLink>,
    ping_interval: Duration,
    request_id: RequestId,
    /// The bytes of the last chunk, which is being sent.
    counted: Option<UnsentBytes>,
    _running: Option<RunningOperation>,
}

enum Chunk {
    More(String),
    Last(String),
    CutOff,
}

impl Streamed {
    async fn next(&mut self) -> Chunk {
        let Self { format, events, source, link, ping_interval, request_id, counted, .. } = self;
        let last = |response: &GraphqlResponse| Chunk::Last(format.response(&json(response)) + &format.end());
        tokio::select! {
            responded = events.next() => match responded {
                None | Some(Responded::Complete) => Chunk::Last(format.end()),
                Some(Responded::Next(TextResponse { text, counted: sending })) => {
                    *counted = sending;
                    Chunk::More(format.response(&text))
                }
                Some(Responded::Failed(response) | Responded::TooSlow(response)) => last(&response),
            },
            end = source.connection.end() => match end {
                End::Unauthenticated(error) => last(&Engine::error_response(*error, request_id)),
                End::Idle | End::TooOld => Chunk::CutOff,
            },
            () = ConnectionLink::stopping(link.as_mut()) => Chunk::CutOff,
            () = sleep(*ping_interval) => Chunk::More(format.heartbeat()),
        }
    }
}
