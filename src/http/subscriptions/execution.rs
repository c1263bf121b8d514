//! A running subscription: waits for its events, and executes the operation for each.
//! Rule: an event that shows the viewer nothing is not sent. What a client cannot be sent in time ends its subscription.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_graphql::ServerError;
use axum::http::request::Parts;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};
use tokio::time::{Instant, sleep, timeout_at};

use super::connections::Connection;
use crate::{
    auth::{RequestOrigin, Viewer},
    db::recorder::StatementRecorder,
    error::ErrorCode,
    graphql::{
        engine::{
            Engine, PreparedRequest,
            batching::Dispatcher,
            cost::{Meter, OperationKind},
            errors::{code, coded, from_error, retry_after},
            response::Response as GraphqlResponse,
        },
        schema::{
            access::cookie::Cookies,
            context::{PublicUrl, request_data},
            subscriptions::{Completion, Events, NextPhase, Phase},
        },
    },
    http::{
        admission::Admitted,
        client_limits::{Measurement, Stopwatch},
        endpoint::Endpoint,
        operation::{logged_name, timeout_error},
        public_url::public_url,
        response::json,
        unsent::UnsentBytes,
    },
    limits::{Client, Place},
    telemetry::RequestId,
};

/// What sends the operations of a connection: the request with which it was opened.
pub struct Source {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// The head of the request, with the credentials of the connection.
    pub parts: Parts,
    /// Where the request comes from.
    pub origin: RequestOrigin,
    /// The connection.
    pub connection: Connection,
}

/// A subscription that has started.
pub struct Subscription {
    execution: Execution,
    prepared: PreparedRequest,
    events: Events,
    started: Instant,
    sent: u64,
}

/// A response as text. Its bytes are counted as long as it waits to be sent.
pub struct TextResponse {
    /// The JSON of the response.
    pub text: String,
    /// The bytes.
    pub counted: Option<UnsentBytes>,
}

impl Source {
    /// Returns the text of a response.
    /// # Errors
    /// The response that is sent instead if too much waits to be sent.
    pub fn text_of(
        &self,
        response: &GraphqlResponse,
        request_id: &RequestId,
    ) -> Result<TextResponse, Box<GraphqlResponse>> {
        let text = json(response);
        let counted = self.endpoint.limits.count_message(text.len(), &self.origin);
        let counted = counted.map_err(|error| Box::new(Engine::error_response(error, request_id)))?;
        Ok(TextResponse { text, counted })
    }
}

/// What a subscription responds with.
pub enum Responded {
    /// The response to an event.
    Next(TextResponse),
    /// Nothing more can happen: the subscription ends.
    Complete,
    /// The errors with which the subscription ends.
    Failed(GraphqlResponse),
    /// The error with which the subscription of a client ends that is too slow.
    TooSlow(GraphqlResponse),
}

/// What the executions of a subscription have in common.
struct Execution {
    source: Arc<Source>,
    request_id: RequestId,
    client: Client,
    url: PublicUrl,
    completion: Completion,
}

impl Subscription {
    /// Starts a subscription, whose admission took the time of the stopwatch.
    /// # Errors
    /// The response with the errors of the field, such as NOT_FOUND; UNAVAILABLE if the events cannot be read.
    pub async fn start(
        source: Arc<Source>,
        admitted: Admitted,
        stopwatch: &Stopwatch,
        request_id: RequestId,
        deadline: Instant,
    ) -> Result<Self, GraphqlResponse> {
        let Admitted { prepared, viewer, client, place, .. } = admitted;
        let url = public_url(&source.parts, &source.endpoint.settings);
        let endpoint = Arc::clone(&source.endpoint);
        let completion = Completion::default();
        let execution = Execution { source, request_id: request_id.clone(), client, url, completion };
        let request = Arc::new(OnceLock::new());
        let next = prepared.next_event(&endpoint.engine);
        let run = Run { request: prepared, phase: Phase::Start(Arc::clone(&request)), viewer, place };
        let response = execution.run(run, stopwatch.take_ms(), deadline).await;
        let request = Arc::try_unwrap(request).ok().and_then(OnceLock::into_inner);
        let Some(request) = request.filter(|_| response.errors.is_empty()) else {
            return Err(as_request_error(response));
        };
        let subscribed = request.subscribe(&endpoint.services).await;
        let events =
            subscribed.map_err(|error| Engine::error_response(from_error(&error, &request_id), &request_id))?;
        tracing::info!(%request_id, operation = logged_name(&next.operation), "subscription started");
        Ok(Self { execution, prepared: next, events, started: Instant::now(), sent: 0 })
    }

    /// Returns the responses. The stream ends when the subscription does.
    pub fn into_stream(self) -> BoxStream<'static, Responded> {
        let next = async |subscription: Option<Box<Self>>| {
            let mut subscription = subscription?;
            let responded = subscription.next().await?;
            let goes_on = matches!(responded, Responded::Next(_));
            Some((responded, goes_on.then_some(subscription)))
        };
        stream::unfold(Some(Box::new(self)), next).boxed()
    }

    /// Waits for the next response; none if the server ends.
    async fn next(&mut self) -> Option<Responded> {
        loop {
            if self.execution.completion.is_complete() {
                return Some(Responded::Complete);
            }
            match self.events.next().await {
                // Boxed, because a subscription waits most of the time.
                NextPhase::Phase(phase) => {
                    let response = Box::pin(self.respond(phase)).await?;
                    if response.is_some() {
                        return response;
                    }
                }
                NextPhase::Read => {
                    let _place = self.execution.turn().await?;
                    let (execution, events) = (&self.execution, &mut self.events);
                    let read = Box::pin(execution.measured(execution.meter(), 0.0, events.read())).await;
                    if let Err(error) = read {
                        return Some(Responded::Failed(self.rejected(from_error(&error, &self.execution.request_id))));
                    }
                }
                NextPhase::TooSlow => {
                    let message =
                        "the client receives events too slowly. Subscribe again with the last cursor as `after`";
                    return Some(Responded::TooSlow(self.rejected(coded(ErrorCode::LimitExceeded, message))));
                }
            }
        }
    }

    /// Executes the operation for an event; none if there is nothing to send.
    async fn respond(&mut self, phase: Phase) -> Option<Option<Responded>> {
        let Self { execution, prepared, .. } = self;
        let Source { endpoint, connection, .. } = &*execution.source;
        let response = loop {
            let place = execution.turn().await?;
            let (request, viewer) = (prepared.next_event(&endpoint.engine), connection.viewer());
            let run = Run { request, phase: phase.clone(), viewer, place };
            let response = execution.run(run, 0.0, Instant::now() + endpoint.settings.timeout).await;
            match response.errors.first().and_then(code) {
                // The event waits until the client has enough points.
                Some(ErrorCode::RateLimited) => sleep(retry_delay(&response)).await,
                _ => break response,
            }
        };
        if !response.errors.is_empty() && response.data.is_none() {
            return Some(Some(Responded::Failed(response)));
        }
        if is_nothing(&response) {
            return Some(None);
        }
        self.sent += 1;
        let text = execution.source.text_of(&response, &execution.request_id);
        Some(Some(text.map_or_else(|response| Responded::Failed(*response), Responded::Next)))
    }

    fn rejected(&self, error: ServerError) -> GraphqlResponse {
        Engine::error_response(error, &self.execution.request_id)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let (events, seconds) = (self.sent, self.started.elapsed().as_secs());
        tracing::info!(request_id = %self.execution.request_id, events, seconds, "subscription ended");
    }
}

/// One execution of a subscription.
struct Run {
    request: PreparedRequest,
    phase: Phase,
    viewer: Viewer,
    /// A place in the queue, until the execution has ended.
    place: Place,
}

impl Execution {
    /// Waits until the client has points, and may have something executed.
    async fn turn(&self) -> Option<Place> {
        let limits = &self.source.endpoint.limits;
        while let Err(rejection) = limits.check(self.client) {
            sleep(rejection.retry_delay()).await;
        }
        self.source.connection.connections().wait_for_turn(self.client).await
    }

    fn meter(&self) -> Meter {
        let kind = OperationKind { mutations: 0, is_introspecting: false };
        Meter::new(self.source.endpoint.limits.allowance(self.client), kind)
    }

    /// Runs something on behalf of the client, and charges it for the time, with what it took before.
    async fn measured<F: Future>(&self, meter: Meter, ms_before: f64, work: F) -> F::Output {
        let recorder = StatementRecorder::current();
        let measurement = Measurement::new(meter, recorder.clone(), ms_before);
        let done = self.client.scope(recorder.scope(measurement.measure(work))).await;
        measurement.settle();
        done
    }

    /// Executes the operation once.
    async fn run(&self, run: Run, ms_before: f64, deadline: Instant) -> GraphqlResponse {
        let Self { source, request_id, url, .. } = self;
        let Run { request, phase, viewer, place: _place } = run;
        let (operation, meter, dispatcher) = (request.operation.kind, self.meter(), Dispatcher::default());
        // What the event shows is read from the tables: the caches may not know of the change yet.
        let mut data = request_data(viewer, source.origin.clone(), Cookies::default(), &dispatcher);
        data.insert(url.clone());
        data.insert(meter.clone());
        data.insert(phase);
        data.insert(self.completion.clone());
        let execution = Box::pin(dispatcher.run(source.endpoint.engine.execute(request, data, request_id)));
        let timed_out = |_| Engine::error_response(timeout_error(operation), request_id);
        let measured = self.measured(meter, ms_before, execution);
        timeout_at(deadline, measured).await.unwrap_or_else(timed_out)
    }
}

/// Returns the time after which a client has points again.
fn retry_delay(response: &GraphqlResponse) -> Duration {
    Duration::from_secs(retry_after(response).unwrap_or(1).max(1))
}

/// Returns the response of a subscription that did not start: nothing was executed, so it has no data.
fn as_request_error(mut response: GraphqlResponse) -> GraphqlResponse {
    response.data = None;
    for error in &mut response.errors {
        error.path.clear();
    }
    response
}

/// Returns whether the root field is null without an error: the event shows the viewer nothing.
fn is_nothing(response: &GraphqlResponse) -> bool {
    let has_object =
        response.data.as_deref().is_some_and(|data| data.iter().filter(|byte| **byte == b'{').nth(1).is_some());
    response.errors.is_empty() && !has_object
}
