//! The operations that run on a WebSocket connection at the same time, each with the ID that its client chose.

use std::{collections::HashMap, sync::Arc};

use futures_util::{
    StreamExt,
    future::{BoxFuture, ready},
    stream::{self, AbortHandle, BoxStream, SelectAll, abortable},
};
use serde_json::Value;
use tokio::time::Instant;

use super::{
    connections::RunningOperation,
    execution::{Outgoing, Sent, Source, Subscription},
    messages::{self, CloseCode},
};
use crate::{
    error::ErrorCode,
    graphql::{
        engine::{
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
        unsent::UnsentBytes,
    },
    telemetry::RequestId,
};

/// The operations of a connection.
pub struct Operations {
    source: Arc<Source>,
    running: SelectAll<BoxStream<'static, (Arc<str>, Response)>>,
    by_id: HashMap<Arc<str>, AbortHandle>,
}

/// A message to send.
pub struct Output {
    /// The message.
    pub text: String,
    /// Why the connection has to be closed after it, if it has.
    pub closing: Option<CloseCode>,
    /// The bytes of the message, which are counted until it is sent.
    pub counted: Option<UnsentBytes>,
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
        let responses = stream::once(begin(Arc::clone(&self.source), payload)).flatten();
        let named = Arc::clone(&id);
        let (running, handle) = abortable(responses.map(move |response| (Arc::clone(&named), response)));
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
        let (id, response) = self.running.next().await?;
        if !matches!(response, Response::Next(_)) {
            // From now on the client may use the ID again.
            self.by_id.remove(&id);
        }
        Some(response.into_message(&id))
    }
}

/// What is sent for an operation.
enum Response {
    /// A result.
    Next(Outgoing),
    /// The errors of an operation that was rejected, which has ended.
    Error(String),
    /// The last event of a client that receives too slowly.
    TooSlow(String),
    /// The operation has ended.
    Complete,
}

impl Response {
    fn into_message(self, id: &str) -> Output {
        let (text, closing, counted) = match self {
            Self::Next(Outgoing { text, counted }) => (messages::next(id, &text), None, counted),
            Self::Error(errors) => (messages::error(id, &errors), None, None),
            Self::TooSlow(errors) => (messages::error(id, &errors), Some(CloseCode::TryAgainLater), None),
            Self::Complete => (messages::complete(id), None, None),
        };
        Output { text, closing, counted }
    }
}

/// What is sent for an operation, in order.
type Responses = BoxStream<'static, Response>;

/// Runs an operation, or starts a subscription. Boxed, because a connection waits most of the time.
fn begin(source: Arc<Source>, payload: Value) -> BoxFuture<'static, Responses> {
    Box::pin(async move {
        let request_id = RequestId::random();
        let responses = match source.connection.begin_operation() {
            Some(running) => run(&source, payload, running, &request_id).await,
            None => {
                let max = source.connection.connections().settings().operations_per_connection;
                let message = format!("at most {max} operations can run on a connection at the same time");
                Err(coded(ErrorCode::LimitExceeded, message).into())
            }
        };
        responses.unwrap_or_else(|error| rejected(&error.into_graphql_response(&request_id)))
    })
}

async fn run(
    source: &Arc<Source>,
    payload: Value,
    running: RunningOperation,
    request_id: &RequestId,
) -> Result<Responses, RequestError> {
    let request = params::from_value(payload)?;
    let Source { endpoint, parts, origin, .. } = &**source;
    let stopwatch = Stopwatch::default();
    let exchange = Exchange { endpoint, parts, origin, request_id, stopwatch: &stopwatch, accepts_events: true };
    let (budget, started) = (endpoint.engine.budget(), Instant::now());
    let deadline = started + endpoint.settings.timeout;
    let admitted = admit(exchange, request, &budget, deadline).await?;
    if admitted.is_subscription() {
        let subscription = Subscription::start(Arc::clone(source), admitted, request_id.clone(), deadline).await;
        return Ok(subscription.map_or_else(|response| rejected(&response), |started| events(started, running)));
    }
    let response = run_admitted(exchange, admitted, RequestFiles::default(), &budget, started, deadline).await?;
    if is_request_error(&response) {
        return Ok(rejected(&response));
    }
    Ok(match source.outgoing(&response, request_id) {
        Ok(outgoing) => stream::iter([Response::Next(outgoing), Response::Complete]).boxed(),
        Err(response) => rejected(&response),
    })
}

/// Returns what a subscription sends. No message follows errors.
fn events(subscription: Subscription, running: RunningOperation) -> Responses {
    let sent = subscription.into_stream().map(Some).chain(stream::iter([None]));
    let responses = sent.scan((false, running), |(has_failed, _), sent| {
        let response = match sent {
            None if *has_failed => return ready(None),
            None => Response::Complete,
            Some(Sent::Response(outgoing)) => Response::Next(outgoing),
            Some(Sent::Failed(response)) => Response::Error(errors(&response)),
            Some(Sent::TooSlow(response)) => Response::TooSlow(errors(&response)),
        };
        *has_failed = !matches!(response, Response::Next(_));
        ready(Some(response))
    });
    responses.boxed()
}

fn rejected(response: &GraphqlResponse) -> Responses {
    stream::iter([Response::Error(errors(response))]).boxed()
}

fn errors(response: &GraphqlResponse) -> String {
    serde_json::to_string(&response.errors).expect("errors are JSON")
}
