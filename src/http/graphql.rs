//! POST and GET `/graphql`, following the GraphQL-over-HTTP specification.
//! Rule: every response, including rejections, is a GraphQL response in the media type that `Accept` prefers. An array of
//! requests gets an array of responses, in the same order.

use std::{sync::Arc, time::Duration};

use async_graphql::Request as GraphqlRequest;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Method, StatusCode, request::Parts},
    response::Response,
    routing::any,
};
use tokio::time::{Instant, timeout_at};

use super::{
    admission::{Exchange, RequestError, admit},
    client_limits::Stopwatch,
    credentials::authenticate_user,
    endpoint::Endpoint,
    media_type::{MediaType, is_multipart},
    multipart,
    operation::{self, run_admitted},
    origin::origin,
    params::{self, Requests},
    rejection::Rejection,
    response::{respond_to_batch, respond_to_operation},
    subscriptions::{self, Accepted, is_handshake, respond_once},
};
use crate::{
    error::ErrorCode,
    graphql::{
        engine::{
            Engine,
            errors::{coded, from_error},
        },
        schema::media::upload::{RequestFiles, UPLOAD_PERMISSIONS},
    },
    telemetry::RequestId,
};

/// Time limit for receiving the files of a request.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(600);

/// The message for a request of an array that was not executed for lack of time.
const NOT_STARTED: &str = "the requests before this one took all the time; it was not executed. Send it again.";

/// Returns the route of `/graphql`, for every method.
pub fn router(endpoint: Arc<Endpoint>) -> Router {
    Router::new().route("/graphql", any(handle)).with_state(endpoint)
}

/// Handles one request.
pub async fn handle(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let request_id = parts.extensions.get::<RequestId>().cloned().unwrap_or_else(RequestId::random);
    let origin = origin(&parts, &endpoint.settings);
    let exchange = Exchange {
        endpoint: &endpoint,
        parts: &parts,
        origin: &origin,
        request_id: &request_id,
        stopwatch: &Stopwatch::default(),
        accepts_events: false,
    };
    let response = match is_handshake(&parts) {
        true => {
            let opened = subscriptions::open(exchange, parts.clone()).await;
            opened.unwrap_or_else(|error| exchange.charged(error).into_response(MediaType::Json, &request_id))
        }
        false => respond_in_media_type(exchange, body).await,
    };
    endpoint.limits.slow_down(response, &origin).await
}

/// Returns the response in the media type that the request prefers.
async fn respond_in_media_type(exchange: Exchange<'_>, body: Body) -> Response {
    let Exchange { endpoint, parts, origin, request_id, .. } = exchange;
    let Some(accepted) = Accepted::negotiate(&parts.headers) else {
        let message = "the Accept header must allow application/graphql-response+json, application/json or \
                       text/event-stream";
        let rejection = Rejection::new(StatusCode::NOT_ACCEPTABLE, ErrorCode::BadUserInput, message);
        return exchange.charged(rejection.into()).into_response(MediaType::Json, request_id);
    };
    let response = respond_to(exchange, body, accepted).await;
    let counted = endpoint.limits.count_unsent(response, origin).await;
    counted.unwrap_or_else(|rejection| rejection.into_response(accepted.media_type(), request_id))
}

/// Receives a request, runs its operations, and returns the response.
async fn respond_to(exchange: Exchange<'_>, body: Body, accepted: Accepted) -> Response {
    let Exchange { endpoint, parts, origin, request_id, stopwatch, .. } = exchange;
    let media_type = accepted.media_type();
    let started = Instant::now();
    if let Err(rejection) = endpoint.limits.check_unread(&parts.headers, origin) {
        return rejection.into_response(media_type, request_id);
    }
    let received = stopwatch.measure(receive(endpoint, parts, body, started, request_id)).await;
    let ReceivedRequest { requests, files, deadline } = match received {
        Ok(received) => received,
        Err(error) => return exchange.charged(error).into_response(media_type, request_id),
    };
    match requests {
        Requests::Single(request) => {
            let exchange = Exchange { accepts_events: accepted.events.is_some(), ..exchange };
            match respond_to_one(exchange, *request, files, accepted, (started, deadline)).await {
                Ok(response) => response,
                Err(RequestError::Graphql(error)) => respond_once(accepted, Engine::error_response(*error, request_id)),
                Err(error) => error.into_response(media_type, request_id),
            }
        }
        Requests::Batch(requests) => {
            let budget = endpoint.engine.budget();
            let mut responses = Vec::with_capacity(requests.len());
            // One after the other, because a request may depend on the mutation before it.
            for request in requests {
                let (files, started) = (RequestFiles::default(), Instant::now());
                let response = match started < deadline {
                    true => operation::run(exchange, request, files, &budget, started, deadline).await,
                    false => Err(coded(ErrorCode::Timeout, NOT_STARTED).into()),
                };
                responses.push(response.unwrap_or_else(|error| error.into_graphql_response(request_id)));
            }
            respond_to_batch(media_type, &responses)
        }
    }
}

/// Runs the only operation of a request.
async fn respond_to_one(
    exchange: Exchange<'_>,
    request: GraphqlRequest,
    files: RequestFiles,
    accepted: Accepted,
    (started, deadline): (Instant, Instant),
) -> Result<Response, RequestError> {
    let Exchange { endpoint, parts, .. } = exchange;
    let budget = endpoint.engine.budget();
    let admitted = admit(exchange, request, &budget, deadline).await?;
    if let Some(format) = accepted.events.filter(|_| admitted.is_subscription()) {
        return subscriptions::respond_with_stream(exchange, admitted, (accepted, format), deadline).await;
    }
    let response = run_admitted(exchange, admitted, files, &budget, started, deadline).await?;
    Ok(match accepted.only_events() {
        None => respond_to_operation(parts, accepted.media_type(), endpoint.settings.cache_max_age, response),
        Some(_) => respond_once(accepted, response),
    })
}

/// A completely received request.
struct ReceivedRequest {
    requests: Requests,
    /// The files of a single request.
    files: RequestFiles,
    /// When the operations time out.
    deadline: Instant,
}

/// Reads the request by its method and media type.
async fn receive(
    endpoint: &Endpoint,
    parts: &Parts,
    body: Body,
    started: Instant,
    request_id: &RequestId,
) -> Result<ReceivedRequest, RequestError> {
    let deadline = started + endpoint.settings.timeout;
    match parts.method {
        Method::GET => {
            let request = params::from_query_string(&parts.uri)?;
            Ok(ReceivedRequest {
                requests: Requests::Single(Box::new(request)),
                files: RequestFiles::default(),
                deadline,
            })
        }
        Method::POST if is_multipart(&parts.headers) => {
            multipart::check_preflight(&parts.headers)?;
            // Checked before the files are read, so that no one else can fill the disk.
            let viewer = authenticate_user(&parts.headers, &endpoint.services, request_id).await?;
            let user = viewer.require_any(UPLOAD_PERMISSIONS).and_then(|()| viewer.require_user());
            let limits = multipart::FormLimits {
                text: endpoint.settings.body_limit,
                file: endpoint.services.image_processor.max_bytes(),
                space: &endpoint.upload_space,
                user: user.map_err(|error| from_error(&error, request_id))?,
            };
            let form = multipart::from_form(&parts.headers, body, &limits);
            let timed_out = |_| Rejection::request_timeout("the files were not received in time");
            let (request, files) = timeout_at(started + UPLOAD_TIMEOUT, form).await.map_err(timed_out)??;
            // The operation's time limit starts when its files have arrived.
            let deadline = Instant::now() + endpoint.settings.timeout;
            Ok(ReceivedRequest { requests: Requests::Single(Box::new(request)), files, deadline })
        }
        Method::POST => {
            params::check_content_type(&parts.headers)?;
            let timed_out = |_| Rejection::request_timeout("the body was not received in time");
            let body = params::from_body(body, endpoint.settings.body_limit, endpoint.settings.max_batch);
            let requests = timeout_at(deadline, body).await.map_err(timed_out)??;
            Ok(ReceivedRequest { requests, files: RequestFiles::default(), deadline })
        }
        _ => Err(Rejection::method_not_allowed("use POST, or GET for queries", "GET, POST").into()),
    }
}
