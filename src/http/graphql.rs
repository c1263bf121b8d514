//! POST and GET `/graphql`, following the GraphQL-over-HTTP specification.
//! Rule: every response, including rejections, is a GraphQL response in the media type that `Accept` prefers. An array of
//! requests gets an array of responses, in the same order.

use std::{sync::Arc, time::Duration};

use async_graphql::{Request as GraphqlRequest, ServerError, Value, parser::types::OperationType};
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
    admission::{Admitted, Exchange, RequestError, admit},
    client_limits::{self, Measurement, Stopwatch},
    credentials::{actor, authenticate_user, cookies},
    endpoint::Endpoint,
    header_names::X_QUERY_COST,
    media_type::{MediaType, is_multipart},
    multipart,
    origin::origin,
    params::{self, Requests},
    public_url::{is_https, public_url},
    rejection::Rejection,
    response::{respond, respond_to_batch, status},
};
use crate::{
    db::recorder::StatementRecorder,
    error::ErrorCode,
    graphql::{
        engine::{
            Engine, Operation,
            batching::Dispatcher,
            budget::Budget,
            cost::Meter,
            errors::{code, coded, from_error},
            response::Response as GraphqlResponse,
        },
        schema::{
            context::request_data,
            media::upload::{RequestFiles, UPLOAD_PERMISSIONS},
        },
    },
    telemetry::RequestId,
};

/// Time limit for receiving the files of a request.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(600);

/// Number of characters of an operation's name in the log. Names are ASCII, and clients choose them.
const MAX_LOGGED_NAME: usize = 100;

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
    };
    let response = respond_in_media_type(exchange, body).await;
    endpoint.limits.slow_down(response, &origin).await
}

/// Returns the response in the media type that the request prefers.
async fn respond_in_media_type(exchange: Exchange<'_>, body: Body) -> Response {
    let Exchange { endpoint, parts, origin, request_id, .. } = exchange;
    let Some(media_type) = MediaType::negotiate(&parts.headers) else {
        let message = "the Accept header must allow application/graphql-response+json or application/json";
        let rejection = Rejection::new(StatusCode::NOT_ACCEPTABLE, ErrorCode::BadUserInput, message);
        return exchange.charged(rejection.into()).into_response(MediaType::Json, request_id);
    };
    let response = respond_to(exchange, body, media_type).await;
    let counted = endpoint.limits.count_unsent(response, origin).await;
    counted.unwrap_or_else(|rejection| rejection.into_response(media_type, request_id))
}

/// Receives a request, runs its operations, and returns the response.
async fn respond_to(exchange: Exchange<'_>, body: Body, media_type: MediaType) -> Response {
    let Exchange { endpoint, parts, origin, request_id, stopwatch } = exchange;
    let started = Instant::now();
    if let Err(rejection) = endpoint.limits.check_unread(&parts.headers, origin) {
        return rejection.into_response(media_type, request_id);
    }
    let received = stopwatch.measure(receive(endpoint, parts, body, started, request_id)).await;
    let ReceivedRequest { requests, files, deadline } = match received {
        Ok(received) => received,
        Err(error) => return exchange.charged(error).into_response(media_type, request_id),
    };
    let budget = endpoint.engine.budget();
    match requests {
        Requests::Single(request) => match run(exchange, *request, files, &budget, started, deadline).await {
            Ok(response) => respond(media_type, status(&response, media_type), response),
            Err(error) => error.into_response(media_type, request_id),
        },
        Requests::Batch(requests) => {
            let mut responses = Vec::with_capacity(requests.len());
            // One after the other, because a request may depend on the mutation before it.
            for request in requests {
                let (files, started) = (RequestFiles::default(), Instant::now());
                let response = match started < deadline {
                    true => run(exchange, request, files, &budget, started, deadline).await,
                    false => Err(coded(ErrorCode::Timeout, NOT_STARTED).into()),
                };
                responses.push(response.unwrap_or_else(|error| error.into_graphql_response(request_id)));
            }
            respond_to_batch(media_type, &responses)
        }
    }
}

/// A completely received request.
struct ReceivedRequest {
    requests: Requests,
    /// The files of a single request.
    files: RequestFiles,
    /// When the operations time out.
    deadline: Instant,
}

/// Runs the operation of a request and logs it.
async fn run(
    exchange: Exchange<'_>,
    request: GraphqlRequest,
    files: RequestFiles,
    budget: &Budget,
    started: Instant,
    deadline: Instant,
) -> Result<GraphqlResponse, RequestError> {
    let Exchange { endpoint, parts, origin, request_id, stopwatch } = exchange;
    let Admitted { prepared, kind, viewer, client, place: _place } = admit(exchange, request, budget, deadline).await?;
    let operation = prepared.operation.clone();
    let timed_out = |_| Engine::error_response(timeout_error(operation.kind), request_id);
    let meter = Meter::new(endpoint.limits.allowance(client), kind);
    let actor = actor(&viewer, origin, request_id);
    let user = actor.user;
    let dispatcher = Dispatcher::default();
    let are_secure = endpoint.has_secure_cookies || is_https(&parts.headers, &endpoint.settings);
    let mut data = request_data(viewer, origin.clone(), cookies(&parts.headers, are_secure), &dispatcher);
    data.insert(files);
    data.insert(public_url(parts, &endpoint.settings));
    data.insert(meter.clone());
    // A test's recorder if one is set in this task (it also records the SQL texts); a new one otherwise.
    let recorder = StatementRecorder::current();
    let measurement = Measurement::new(meter, recorder.clone(), stopwatch.take_ms());
    // Boxed, because moving a future of this size through each wrapper is expensive.
    let execution = Box::pin(dispatcher.run(endpoint.engine.execute(prepared, data, request_id)));
    let execution = client.scope(actor.scope(recorder.clone().scope(measurement.measure(execution))));
    let mut response = timeout_at(deadline, execution).await.unwrap_or_else(timed_out);
    log(&operation, user, started, &recorder, &response, request_id);
    let cost = measurement.settle();
    if !client.is_exempt {
        for (name, value) in client_limits::headers(client, &cost) {
            response.http_headers.insert(name, value);
        }
    }
    if endpoint.show_sql || parts.headers.contains_key(X_QUERY_COST) {
        response.extensions.insert("cost".to_owned(), client_limits::extension(client, &cost));
    }
    if endpoint.show_sql {
        let sql = Value::from_json(serde_json::json!({
            "statements": recorder.statements(),
            "roundTrips": recorder.round_trips(),
            "ms": rounded(recorder.elapsed_ms()),
        }));
        response.extensions.extend(sql.ok().map(|sql| ("sql".to_owned(), sql)));
    }
    Ok(response)
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

/// Returns the error of an operation that exceeded its time limit.
fn timeout_error(kind: OperationType) -> ServerError {
    let message = match kind {
        OperationType::Mutation => {
            "the mutation timed out and may have been applied. \
             Retry with the same idempotency key, or check its outcome first."
        }
        _ => "the operation timed out; request less data",
    };
    coded(ErrorCode::Timeout, message)
}

/// Logs one line per operation.
fn log(
    operation: &Operation,
    user: Option<i64>,
    started: Instant,
    recorder: &StatementRecorder,
    response: &GraphqlResponse,
    request_id: &RequestId,
) {
    let code = response.errors.first().and_then(code).map(ErrorCode::as_str);
    tracing::info!(
        %request_id,
        operation = operation.name.as_deref().map_or("-", |name| name.get(..MAX_LOGGED_NAME).unwrap_or(name)),
        kind = %operation.kind,
        user,
        ms = rounded(started.elapsed().as_secs_f64() * 1000.0),
        statements = recorder.statements(),
        sql_ms = rounded(recorder.elapsed_ms()),
        errors = response.errors.len(),
        code,
        "operation executed"
    );
}

/// Rounds milliseconds to two decimals.
fn rounded(millis: f64) -> f64 {
    (millis * 100.0).round() / 100.0
}
