//! A running subscription: waits for its events, and executes the operation for each.
//! Rule: an event that shows the viewer nothing is not sent. What a client cannot be sent in time ends its subscription.

use std::sync::{Arc, OnceLock};

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
            errors::{coded, from_error},
            response::Response as GraphqlResponse,
        },
        schema::{
            access::cookie::Cookies,
            context::{PublicUrl, request_data},
            subscriptions::{Occasion, Occasions},
        },
    },
    http::{
        admission::Admitted, client_limits::Measurement, endpoint::Endpoint, public_url::public_url, response::json,
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
    occasions: Occasions,
    started: Instant,
    sent: u64,
}

/// A response as text. Its bytes are counted as long as it waits to be sent.
pub struct Outgoing {
    /// The JSON of the response.
    pub text: String,
    /// The bytes.
    pub counted: Option<UnsentBytes>,
}

impl Source {
    /// Returns the text of a response, or the errors that are sent instead because too much waits to be sent.
    pub fn outgoing(&self, response: &GraphqlResponse, request_id: &RequestId) -> Result<Outgoing, GraphqlResponse> {
        let text = json(response);
        let counted = self.endpoint.limits.count_message(text.len(), &self.origin);
        let counted = counted.map_err(|error| Engine::error_response(error, request_id))?;
        Ok(Outgoing { text, counted })
    }
}

/// What a subscription sends.
pub enum Sent {
    /// The response to an event.
    Response(Outgoing),
    /// The errors with which the subscription ends.
    Failed(GraphqlResponse),
    /// The error with which the subscription of a client ends that does not receive its events.
    TooSlow(GraphqlResponse),
}

/// What the executions of a subscription have in common.
struct Execution {
    source: Arc<Source>,
    request_id: RequestId,
    client: Client,
    url: PublicUrl,
}

impl Subscription {
    /// Starts a subscription.
    /// # Errors
    /// The response with the errors of the field, such as NOT_FOUND; UNAVAILABLE if the events cannot be read.
    pub async fn start(
        source: Arc<Source>,
        admitted: Admitted,
        request_id: RequestId,
        deadline: Instant,
    ) -> Result<Self, GraphqlResponse> {
        let Admitted { prepared, viewer, client, place, .. } = admitted;
        let rejected = |error: ServerError| Engine::error_response(error, &request_id);
        let url = public_url(&source.parts, &source.endpoint.settings);
        let endpoint = Arc::clone(&source.endpoint);
        let execution = Execution { source, request_id: request_id.clone(), client, url };
        let interest = Arc::new(OnceLock::new());
        let next = prepared.next_event(&endpoint.engine);
        let response = execution.run(prepared, Occasion::Start(Arc::clone(&interest)), viewer, deadline, place).await;
        let interest = Arc::try_unwrap(interest).ok().and_then(OnceLock::into_inner);
        let Some(interest) = interest.filter(|_| response.errors.is_empty()) else {
            return Err(as_request_error(response));
        };
        let subscribed = execution.client.scope(interest.subscribe(&endpoint.services)).await;
        let occasions = subscribed.map_err(|error| rejected(from_error(&error, &request_id)))?;
        let operation = next.operation.name.as_deref().unwrap_or("-");
        tracing::info!(%request_id, operation, "subscription started");
        Ok(Self { execution, prepared: next, occasions, started: Instant::now(), sent: 0 })
    }

    /// Returns what is sent. The stream ends when the subscription does.
    pub fn into_stream(self) -> BoxStream<'static, Sent> {
        let next = async |subscription: Option<Box<Self>>| {
            let mut subscription = subscription?;
            let sent = subscription.next().await?;
            let goes_on = matches!(sent, Sent::Response(_));
            Some((sent, goes_on.then_some(subscription)))
        };
        stream::unfold(Some(Box::new(self)), next).boxed()
    }

    /// Waits for what is sent next; none if the server ends.
    async fn next(&mut self) -> Option<Sent> {
        while let Some(occasion) = self.occasions.next().await {
            let Self { execution, prepared, .. } = self;
            let place = execution.turn().await?;
            let endpoint = &execution.source.endpoint;
            let deadline = Instant::now() + endpoint.settings.timeout;
            let (viewer, request) = (execution.source.connection.viewer(), prepared.next_event(&endpoint.engine));
            // Boxed, because a subscription waits most of the time.
            let run = Box::pin(execution.run(request, occasion, viewer, deadline, place));
            let response = run.await;
            if !response.errors.is_empty() && response.data.is_none() {
                return Some(Sent::Failed(response));
            }
            if !is_nothing(&response) {
                self.sent += 1;
                let outgoing = execution.source.outgoing(&response, &execution.request_id);
                return Some(outgoing.map_or_else(Sent::Failed, Sent::Response));
            }
        }
        self.occasions.take_has_lagged().then(|| {
            let message = "the client receives events too slowly, and some were dropped. Subscribe again with the last \
                           cursor as `after`";
            let error = coded(ErrorCode::LimitExceeded, message);
            Sent::TooSlow(Engine::error_response(error, &self.execution.request_id))
        })
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let (events, seconds) = (self.sent, self.started.elapsed().as_secs());
        tracing::info!(request_id = %self.execution.request_id, events, seconds, "subscription ended");
    }
}

impl Execution {
    /// Waits until the client has points, and its event may be executed.
    async fn turn(&self) -> Option<Place> {
        let limits = &self.source.endpoint.limits;
        while let Err(rejection) = limits.check(self.client) {
            sleep(rejection.retry_delay()).await;
        }
        self.source.connection.connections().turn(self.client).await
    }

    /// Executes the operation once.
    async fn run(
        &self,
        request: PreparedRequest,
        occasion: Occasion,
        viewer: Viewer,
        deadline: Instant,
        _place: Place,
    ) -> GraphqlResponse {
        let Self { source, request_id, client, url } = self;
        let kind = OperationKind { mutations: 0, is_introspecting: false };
        let meter = Meter::new(source.endpoint.limits.allowance(*client), kind);
        let recorder = StatementRecorder::current();
        let measurement = Measurement::new(meter.clone(), recorder.clone(), 0.0);
        let dispatcher = Dispatcher::default();
        // What the event shows is read from the tables: the caches may not know of the change yet.
        let mut data = request_data(viewer, source.origin.clone(), Cookies::default(), &dispatcher);
        data.insert(url.clone());
        data.insert(meter);
        data.insert(occasion);
        let execution = Box::pin(dispatcher.run(source.endpoint.engine.execute(request, data, request_id)));
        let execution = client.scope(recorder.scope(measurement.measure(execution)));
        let timed_out = |_| {
            let message = "the operation timed out; request less data";
            Engine::error_response(coded(ErrorCode::Timeout, message), request_id)
        };
        let response = timeout_at(deadline, execution).await.unwrap_or_else(timed_out);
        measurement.settle();
        response
    }
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
    let has_object = response.data.as_deref().is_some_and(|data| data.iter().filter(|byte| **byte == b'{').count() > 1);
    response.errors.is_empty() && !has_object
}
