//! The operations that run on a WebSocket connection at the same time, each with the ID that its client chose.

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Request, ServerError};
use futures_util::{
    Stream, StreamExt,
    future::{BoxFuture, ready},
    stream::{self, AbortHandle, BoxStream, SelectAll, abortable},
};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    execution::{Sent, Source, Subscription},
    messages::{self, CloseCode},
};
use crate::{
    error::ErrorCode,
    graphql::{
        engine::{
            Engine,
            errors::{coded, is_request_error},
            response::Response as GraphqlResponse,
        },
        schema::media::upload::RequestFiles,
    },
    http::{
        admission::{Exchange, RequestError, admit},
        client_limits::Stopwatch,
        operation::run_admitted,
        params,
        response::json,
    },
    telemetry::RequestId,
};

/// The operations of a connection.
pub struct Operations {
    source: Arc<Source>,
    running: SelectAll<BoxStream<'static, Event>>,
    by_id: HashMap<Arc<str>, AbortHandle>,
}

/// What an operation yields.
enum Event {
    /// A message, and whether the connection has to be closed after it.
    Message(String, Option<CloseCode>),
    /// The operation has ended.
    End(Arc<str>),
}

/// A message to send.
pub struct Output {
    /// The message.
    pub text: String,
    /// Why the connection has to be closed after it, if it has.
    pub closing: Option<CloseCode>,
}

impl Operations {
    /// Creates the operations of a connection, of which there are none yet.
    pub fn new(source: Arc<Source>) -> Self {
        Self { source, running: SelectAll::new(), by_id: HashMap::new() }
    }

    /// Starts an operation. Returns whether there is no other one with the ID.
    pub fn start(&mut self, id: &str, payload: Value) -> bool {
        if self.by_id.contains_key(id) {
            return false;
        }
        let id: Arc<str> = id.into();
        let run = stream::once(begin(Arc::clone(&self.source), payload)).flatten();
        let named = Arc::clone(&id);
        let messages = run.map(move |response| response.into_message(&named));
        let ending = stream::iter([Event::End(Arc::clone(&id))]);
        let (running, handle) = abortable(messages.chain(ending));
        self.running.push(running.boxed());
        self.by_id.insert(id, handle);
        true
    }

    /// Ends an operation, as the client asks.
    pub fn end(&mut self, id: &str) {
        if let Some(handle) = self.by_id.remove(id) {
            handle.abort();
        }
    }

    /// Waits for the next message; none without operations.
    pub async fn next(&mut self) -> Option<Output> {
        loop {
            match self.running.next().await? {
                Event::Message(text, closing) => return Some(Output { text, closing }),
                Event::End(id) => _ = self.by_id.remove(&id),
            }
        }
    }
}

/// What is sent for an operation.
enum Response {
    /// A result.
    Next(String),
    /// The errors of an operation that was rejected, which has ended.
    Error(String),
    /// The last event of a client that receives too slowly.
    TooSlow(String),
    /// The operation has ended.
    Complete,
}

impl Response {
    fn of(response: &GraphqlResponse) -> Self {
        match is_request_error(response) {
            true => Self::Error(errors(response)),
            false => Self::Next(json(response)),
        }
    }

    fn into_message(self, id: &str) -> Event {
        match self {
            Self::Next(response) => Event::Message(messages::next(id, &response), None),
            Self::Error(errors) => Event::Message(messages::error(id, &errors), None),
            Self::TooSlow(errors) => Event::Message(messages::error(id, &errors), Some(CloseCode::TryAgainLater)),
            Self::Complete => Event::Message(messages::complete(id), None),
        }
    }
}

fn errors(response: &GraphqlResponse) -> String {
    serde_json::to_string(&response.errors).expect("errors are JSON")
}

/// Runs an operation, or starts a subscription. Boxed, because a connection waits most of the time.
fn begin(source: Arc<Source>, payload: Value) -> BoxFuture<'static, BoxStream<'static, Response>> {
    Box::pin(async move {
        let request_id = RequestId::random();
        let Some(running) = source.connection.begin_operation() else {
            let max = source.connection.connections().settings().operations_per_connection;
            let message = format!("at most {max} operations can run on a connection at the same time");
            return only(&rejection(coded(ErrorCode::LimitExceeded, message), &request_id));
        };
        match start(&source, payload, &request_id).await {
            Ok(Started::Done(response)) => {
                let complete = (!is_request_error(&response)).then_some(Response::Complete);
                stream::iter([Some(Response::of(&response)), complete].into_iter().flatten()).boxed()
            }
            Ok(Started::Rejected(response)) => stream::iter([Response::Error(errors(&response))]).boxed(),
            Ok(Started::Subscription(subscription)) => events(subscription)
                .map(move |response| {
                    let _running = &running;
                    response
                })
                .boxed(),
            Err(error) => only(&error.into_graphql_response(&request_id)),
        }
    })
}

enum Started {
    Done(GraphqlResponse),
    Rejected(GraphqlResponse),
    Subscription(Subscription),
}

async fn start(source: &Arc<Source>, payload: Value, request_id: &RequestId) -> Result<Started, RequestError> {
    let request: Request = params::from_value(payload)?;
    let Source { endpoint, parts, origin, .. } = &**source;
    let stopwatch = Stopwatch::default();
    let exchange = Exchange { endpoint, parts, origin, request_id, stopwatch: &stopwatch, accepts_events: true };
    let (budget, started) = (endpoint.engine.budget(), Instant::now());
    let deadline = started + endpoint.settings.timeout;
    let admitted = admit(exchange, request, &budget, deadline).await?;
    if admitted.is_subscription() {
        let subscription = Subscription::start(Arc::clone(source), admitted, request_id.clone(), deadline).await;
        return Ok(match subscription {
            Ok(subscription) => Started::Subscription(subscription),
            Err(response) => Started::Rejected(response),
        });
    }
    let files = RequestFiles::default();
    Ok(Started::Done(run_admitted(exchange, admitted, files, &budget, started, deadline).await?))
}

/// Returns what a subscription sends. No message follows errors.
fn events(subscription: Subscription) -> impl Stream<Item = Response> + Send {
    let sent = subscription.into_stream().map(Some).chain(stream::iter([None]));
    sent.scan(false, |has_failed, sent| {
        let response = match sent {
            None if *has_failed => return ready(None),
            None => Response::Complete,
            Some(Sent::Response(response)) => Response::Next(json(&response)),
            Some(Sent::Failed(response)) => Response::Error(errors(&response)),
            Some(Sent::TooSlow(response)) => Response::TooSlow(errors(&response)),
        };
        *has_failed = !matches!(response, Response::Next(_));
        ready(Some(response))
    })
}

fn only(response: &GraphqlResponse) -> BoxStream<'static, Response> {
    stream::iter([Response::of(response)]).boxed()
}

fn rejection(error: ServerError, request_id: &RequestId) -> GraphqlResponse {
    Engine::error_response(error, request_id)
}
