//! The operations that run on a WebSocket connection at the same time, each with the ID that its client chose.
//! Rule: each operation is a task of its own, so that a client that does not receive holds up only its own messages: no
//! transaction, no lock and no place of others.

use std::{collections::HashMap, sync::Arc};

use futures_util::{
    StreamExt,
    future::ready,
    stream::{self, BoxStream},
};
use serde_json::Value;
use tokio::{
    sync::{mpsc, watch},
    task::AbortHandle,
    time::{Instant, sleep},
};

use super::{
    connections::RunningOperation,
    execution::{Responded, Source, Subscription, TextResponse},
    messages::{self, CloseCode},
};
use crate::{
    error::ErrorCode,
    graphql::{
        engine::{
            errors::{code, coded, is_request_error},
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

/// Messages that wait to be sent; the tasks of further ones wait.
const WAITING_MESSAGES: usize = 4;

/// The operations of a connection.
pub struct Operations {
    source: Arc<Source>,
    running: HashMap<Arc<str>, RunningTask>,
    last_number: u64,
    sender: Option<mpsc::Sender<Box<Produced>>>,
    /// Boxed, because a channel has room for 32 from the beginning.
    receiver: mpsc::Receiver<Box<Produced>>,
    /// Tells subscriptions that they end.
    ending: watch::Sender<bool>,
}

/// A task, aborted when this value is dropped.
struct RunningTask {
    number: u64,
    task: AbortHandle,
}

impl Drop for RunningTask {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a task has produced.
struct Produced {
    id: Arc<str>,
    number: u64,
    payload: Payload,
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
        let (sender, receiver) = mpsc::channel(WAITING_MESSAGES);
        let (ending, _) = watch::channel(false);
        Self { source, running: HashMap::new(), last_number: 0, sender: Some(sender), receiver, ending }
    }

    /// Starts an operation. Returns whether there is no other one with the ID.
    pub fn start(&mut self, id: &str, payload: Value) -> bool {
        let Some(sender) = self.sender.clone() else { return true };
        if self.running.contains_key(id) {
            return false;
        }
        self.last_number += 1;
        let (id, number): (Arc<str>, _) = (id.into(), self.last_number);
        let (source, ending, named) = (Arc::clone(&self.source), self.ending.subscribe(), Arc::clone(&id));
        let task = tokio::spawn(async move {
            let mut payloads = Box::pin(begin(source, payload, ending)).await;
            while let Some(payload) = payloads.next().await {
                let produced = Box::new(Produced { id: Arc::clone(&named), number, payload });
                if sender.send(produced).await.is_err() {
                    return;
                }
            }
        });
        self.running.insert(id, RunningTask { number, task: task.abort_handle() });
        true
    }

    /// Ends an operation, as the client asks.
    pub fn end(&mut self, id: &str) {
        self.running.remove(id);
    }

    /// Ends the subscriptions, and starts no more operations. Queries and mutations go on.
    pub fn finish(&mut self) {
        self.sender = None;
        self.ending.send_replace(true);
    }

    /// Waits for the next message; none once all operations have ended after [`Operations::finish`].
    pub async fn next(&mut self) -> Option<Output> {
        loop {
            let Produced { id, number, payload } = *self.receiver.recv().await?;
            // The ID may belong to another operation meanwhile.
            if self.running.get(&id).is_none_or(|running| running.number != number) {
                continue;
            }
            if !matches!(payload, Payload::Next(_)) {
                // From now on the client may use the ID again.
                self.running.remove(&id);
            }
            return Some(payload.into_output(&id));
        }
    }
}

/// What is sent for an operation.
enum Payload {
    /// A result.
    Next(TextResponse),
    /// The errors of an operation that was rejected, which has ended.
    Error(String),
    /// The last errors of a client that is too slow.
    TooSlow(String),
    /// The operation has ended.
    Complete,
}

impl Payload {
    fn into_output(self, id: &str) -> Output {
        let (text, closing, counted) = match self {
            Self::Next(TextResponse { text, counted }) => (messages::next(id, &text), None, counted),
            Self::Error(errors) => (messages::error(id, &errors), None, None),
            Self::TooSlow(errors) => (messages::error(id, &errors), Some(CloseCode::TryAgainLater), None),
            Self::Complete => (messages::complete(id), None, None),
        };
        Output { text, closing, counted }
    }
}

/// What is sent for an operation, in order.
type Payloads = BoxStream<'static, Payload>;

/// Runs an operation, or starts a subscription.
async fn begin(source: Arc<Source>, payload: Value, ending: watch::Receiver<bool>) -> Payloads {
    let request_id = RequestId::random();
    let payloads = match source.connection.begin_operation() {
        Some(running) => run(&source, payload, running, ending, &request_id).await,
        None => {
            let max = source.connection.connections().settings().operations_per_connection;
            let message = format!("at most {max} operations can run on a connection at the same time");
            Err(coded(ErrorCode::LimitExceeded, message).into())
        }
    };
    match payloads {
        Ok(payloads) => payloads,
        Err(error) => {
            let response = error.into_graphql_response(&request_id);
            if response.errors.first().and_then(code) == Some(ErrorCode::RateLimited) {
                // As the response to an HTTP request is delayed.
                sleep(source.endpoint.settings.rates.rejection_delay).await;
            }
            rejected(&response)
        }
    }
}

async fn run(
    source: &Arc<Source>,
    payload: Value,
    running: RunningOperation,
    ending: watch::Receiver<bool>,
    request_id: &RequestId,
) -> Result<Payloads, RequestError> {
    let Source { endpoint, parts, origin, .. } = &**source;
    let stopwatch = Stopwatch::default();
    let exchange = Exchange { endpoint, parts, origin, request_id, stopwatch: &stopwatch, accepts_events: true };
    let request = params::from_value(payload).map_err(|rejection| exchange.charged(rejection.into()))?;
    let (budget, started) = (endpoint.engine.budget(), Instant::now());
    let deadline = started + endpoint.settings.timeout;
    let admitted = admit(exchange, request, &budget, deadline).await?;
    if admitted.is_subscription() {
        let started = Subscription::start(Arc::clone(source), admitted, &stopwatch, request_id.clone(), deadline).await;
        return Ok(started.map_or_else(|response| rejected(&response), |started| events(started, running, ending)));
    }
    let response = run_admitted(exchange, admitted, RequestFiles::default(), &budget, started, deadline).await?;
    if is_request_error(&response) {
        return Ok(rejected(&response));
    }
    Ok(match source.text_of(&response, request_id) {
        Ok(text) => stream::iter([Payload::Next(text), Payload::Complete]).boxed(),
        Err(response) => rejected(&response),
    })
}

/// Returns what a subscription sends. No message follows errors, or the end of the connection.
fn events(subscription: Subscription, running: RunningOperation, mut ending: watch::Receiver<bool>) -> Payloads {
    let payloads = subscription.into_stream().scan(running, |_, responded| {
        ready(Some(match responded {
            Responded::Next(text) => Payload::Next(text),
            Responded::Complete => Payload::Complete,
            Responded::Failed(response) => Payload::Error(errors(&response)),
            Responded::TooSlow(response) => Payload::TooSlow(errors(&response)),
        }))
    });
    payloads.take_until(async move { ending.wait_for(|is_ending| *is_ending).await.map(drop) }).boxed()
}

fn rejected(response: &GraphqlResponse) -> Payloads {
    stream::iter([Payload::Error(errors(response))]).boxed()
}

fn errors(response: &GraphqlResponse) -> String {
    serde_json::to_string(&response.errors).expect("errors are JSON")
}
