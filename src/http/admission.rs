//! Admission of an operation: who sends it, whether the client has points and a free place, and whether it may run.
//! Rule: everything that takes time, also the check of a document that is rejected, happens in a place of the client's share
//! and is charged to it. A client without points is rejected before its document is parsed.

use std::sync::Arc;

use async_graphql::{Request as GraphqlRequest, ServerError, parser::types::OperationType};
use axum::{
    http::{Method, request::Parts},
    response::Response,
};
use tokio::time::{Instant, timeout_at};

use super::{
    client_limits::Stopwatch,
    credentials::{authenticate, operation_viewer},
    endpoint::Endpoint,
    media_type::MediaType,
    rejection::Rejection,
    response::respond_with_status,
};
use crate::{
    auth::{Permissions, RequestOrigin, Viewer},
    config::Introspection,
    error::ErrorCode,
    graphql::{
        engine::{
            Engine, PreparedRequest, budget::Budget, cost::OperationKind, errors::coded,
            response::Response as GraphqlResponse,
        },
        schema::{federation::SERVICE_FIELD, trusted_documents},
    },
    limits::{Client, Place},
    telemetry::RequestId,
};

/// A request and what is needed to respond to it, without its body.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// The endpoint.
    pub endpoint: &'a Arc<Endpoint>,
    /// The head of the request.
    pub parts: &'a Parts,
    /// Where the request comes from.
    pub origin: &'a RequestOrigin,
    /// The id of the request.
    pub request_id: &'a RequestId,
    /// The time that the request took and that is not charged yet.
    pub stopwatch: &'a Stopwatch,
    /// Whether the client can receive the events of a subscription.
    pub accepts_events: bool,
}

impl Exchange<'_> {
    /// Charges a request that was rejected to its network. Returns the error of the response: 429 if the network has no
    /// points.
    pub fn charged(&self, error: RequestError) -> RequestError {
        let limits = &self.endpoint.limits;
        let network = limits.network(self.origin);
        let checked = limits.check(network);
        checked.map_or_else(RequestError::Http, |()| {
            limits.charge_rejection(network, self.stopwatch.take_ms());
            error
        })
    }
}

/// The reason why a request was not executed.
pub enum RequestError {
    /// Rejected at the HTTP level.
    Http(Rejection),
    /// Failed with a GraphQL request error.
    Graphql(Box<ServerError>),
}

impl RequestError {
    /// Returns the response in this media type.
    pub fn into_response(self, media_type: MediaType, request_id: &RequestId) -> Response {
        match self {
            Self::Http(rejection) => rejection.into_response(media_type, request_id),
            Self::Graphql(error) => respond_with_status(media_type, Engine::error_response(*error, request_id)),
        }
    }

    /// Returns the response without its HTTP status, as an item of an array.
    pub fn into_graphql_response(self, request_id: &RequestId) -> GraphqlResponse {
        let error = match self {
            Self::Http(rejection) => rejection.into_error(),
            Self::Graphql(error) => *error,
        };
        Engine::error_response(error, request_id)
    }
}

impl From<Rejection> for RequestError {
    fn from(rejection: Rejection) -> Self {
        Self::Http(rejection)
    }
}

impl From<ServerError> for RequestError {
    fn from(error: ServerError) -> Self {
        Self::Graphql(Box::new(error))
    }
}

/// An operation that may run.
pub struct Admitted {
    /// The operation.
    pub prepared: PreparedRequest,
    /// What is known about its cost.
    pub kind: OperationKind,
    /// Who sends it.
    pub viewer: Viewer,
    /// The client that is charged.
    pub client: Client,
    /// The place in the client's share, until the operation has ended.
    pub place: Place,
}

impl Admitted {
    /// Returns whether the operation is a subscription.
    pub fn is_subscription(&self) -> bool {
        self.prepared.operation.kind == OperationType::Subscription
    }
}

/// Waits for a place of the client and checks its request.
/// # Errors
/// 429 if the client has no points left; UNAVAILABLE if there is no place before the deadline; errors of credentials, document
/// and variables, which are charged to the client.
pub async fn admit(
    exchange: Exchange<'_>,
    request: GraphqlRequest,
    budget: &Budget,
    deadline: Instant,
) -> Result<Admitted, RequestError> {
    let Exchange { endpoint, parts, origin, request_id, stopwatch, .. } = exchange;
    let limits = &endpoint.limits;
    let authenticated = stopwatch.measure(authenticate(&parts.headers, &endpoint.services, request_id)).await;
    // A request with an invalid credential counts as anonymous, also if its operation runs without.
    let client = authenticated.as_ref().map_or_else(|_| limits.network(origin), |viewer| limits.client(viewer, origin));
    let Ok(entered) = timeout_at(deadline, limits.enter(client)).await else {
        return Err(coded(ErrorCode::Unavailable, "the server is busy; try again in a moment").into());
    };
    let place = entered?;
    limits.check(client)?;
    match stopwatch.measure(check(exchange, request, authenticated, budget)).await {
        Ok((prepared, viewer)) => Ok(Admitted { kind: operation_kind(&prepared), prepared, viewer, client, place }),
        Err(error) => {
            limits.charge_rejection(client, stopwatch.take_ms());
            Err(error)
        }
    }
}

/// Checks document, variables, method and viewer.
async fn check(
    exchange: Exchange<'_>,
    mut request: GraphqlRequest,
    authenticated: Result<Viewer, ServerError>,
    budget: &Budget,
) -> Result<(PreparedRequest, Viewer), RequestError> {
    let Exchange { endpoint, parts, request_id, accepts_events, .. } = exchange;
    trusted_documents::resolve(&endpoint.services.trusted_documents, &mut request, request_id).await?;
    endpoint.engine.load_persisted(&mut request).await;
    let prepared = endpoint.engine.prepare_within(request, budget)?;
    check_method(prepared.operation.kind, &parts.method, accepts_events)?;
    let viewer = operation_viewer(authenticated, &parts.headers, &endpoint.services, request_id, &prepared).await?;
    if prepared.is_introspecting || prepared.root_fields().contains(&SERVICE_FIELD) {
        check_introspection(endpoint.introspection, &viewer)?;
    }
    Ok((prepared, viewer))
}

fn operation_kind(prepared: &PreparedRequest) -> OperationKind {
    let mutations = match prepared.operation.kind {
        OperationType::Mutation => prepared.root_fields().len(),
        _ => 0,
    };
    OperationKind { mutations, is_introspecting: prepared.is_introspecting }
}

/// Rejects mutations sent with GET, and subscriptions of clients that cannot receive events.
fn check_method(kind: OperationType, method: &Method, accepts_events: bool) -> Result<(), RequestError> {
    match kind {
        OperationType::Mutation if method == Method::GET => {
            Err(Rejection::method_not_allowed("mutations require POST", "POST").into())
        }
        OperationType::Subscription if !accepts_events => {
            let message = "subscriptions require a WebSocket with the subprotocol graphql-transport-ws, or a single request \
                           with `Accept: text/event-stream` or `multipart/mixed`";
            Err(coded(ErrorCode::BadUserInput, message).into())
        }
        _ => Ok(()),
    }
}

/// Rejects queries of the schema itself by viewers who may not send them.
fn check_introspection(allowed: Introspection, viewer: &Viewer) -> Result<(), ServerError> {
    let message = match allowed {
        Introspection::On => return Ok(()),
        Introspection::Staff if viewer.permissions() != Permissions::default() => return Ok(()),
        Introspection::Staff => {
            "Introspection (__schema, __type, _service) is for staff on this server (SOUK_INTROSPECTION=staff). Send the access token \
             of a staff member or an API key with a permission, or use the file that `souk schema` prints."
        }
        Introspection::Off => {
            "Introspection (__schema, __type, _service) is turned off on this server (SOUK_INTROSPECTION=off). Use the file that \
             `souk schema` prints."
        }
    };
    Err(coded(ErrorCode::Forbidden, message))
}
