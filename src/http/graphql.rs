//! POST and GET `/graphql`, after the GraphQL-over-HTTP specification.
//! Rule: every answer, a refusal too, is a GraphQL response in the media type that the client accepts first; a
//! request error has no `data`.

use std::{sync::Arc, time::Duration};

use async_graphql::{Response as GraphqlResponse, ServerError, Value, parser::types::OperationType};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::any,
};
use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::{multipart, origin::origin, params};
use crate::{
    auth::{self, GuestKey, Origin, Viewer},
    db::{
        actor::{Actor, Via},
        recorder::Recorder,
    },
    error::ErrorCode,
    graphql::{
        engine::{
            Engine, Operation,
            batching::Steps,
            errors::{self, code, coded, is_request_error, retry_after},
        },
        schema::{
            access::cookie::Cookies,
            context::{Services, request_data},
            media::upload::Files,
        },
    },
    telemetry::RequestId,
};

/// The header of an API key.
pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The header of a guest's cart token.
pub const X_CART_TOKEN: HeaderName = HeaderName::from_static("x-cart-token");

/// The header of an id that a visitor's browser makes up, by which their searches are one person's. What is no such id is
/// left out: nobody is refused a page for it.
pub const X_VISITOR_ID: HeaderName = HeaderName::from_static("x-visitor-id");

/// Longest time for the files of a request to come.
const FORM_TIME: Duration = Duration::from_secs(600);

/// The state of the endpoint.
pub struct Endpoint {
    /// What runs the operations.
    pub engine: Engine,
    /// What resolvers find beside the viewer.
    pub services: Arc<Services>,
    /// Length of the longest body, in bytes.
    pub max_body_bytes: usize,
    /// Length of the longest file of a request, in bytes.
    pub max_file_bytes: u64,
    /// Time for one request, from its head to its answer.
    pub timeout: Duration,
    /// Whether answers say how many statements they took.
    pub show_sql: bool,
    /// How many proxies in front of the server are believed about where a request came from.
    pub trusted_proxies: usize,
}

/// `/graphql` for every method.
pub fn router(endpoint: Arc<Endpoint>) -> Router {
    Router::new().route("/graphql", any(handle)).with_state(endpoint)
}

/// Answers one request.
pub async fn handle(State(endpoint): State<Arc<Endpoint>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let request_id = parts.extensions.get::<RequestId>().cloned().unwrap_or_else(RequestId::random);
    let Some(media) = Media::accepted(&parts.headers) else {
        let message = "answers are application/graphql-response+json or application/json";
        let refusal = Refusal::new(StatusCode::NOT_ACCEPTABLE, ErrorCode::BadUserInput, message);
        return refusal.answer(Media::Json, &request_id);
    };
    match run(&endpoint, &parts, body, &request_id).await {
        Ok(response) => answer(media, status(&response, media), response),
        Err(refusal) => refusal.answer(media, &request_id),
    }
}

async fn run(
    endpoint: &Endpoint,
    parts: &Parts,
    body: Body,
    request_id: &RequestId,
) -> Result<GraphqlResponse, Refusal> {
    let started = Instant::now();
    let mut deadline = started + endpoint.timeout;
    let mut files = Files::default();
    let request = match parts.method {
        Method::GET => params::from_query_string(&parts.uri)?,
        Method::POST if multipart::is_multipart(&parts.headers) => {
            multipart::check_preflight(&parts.headers)?;
            // Nobody unknown fills the disk.
            let known = viewer(&parts.headers, &endpoint.services, request_id).await;
            if let Err(error) = known.and_then(|viewer| must_be_known(&viewer, request_id)) {
                return Ok(Engine::refuse(error, request_id));
            }
            let sizes = multipart::Sizes { text: endpoint.max_body_bytes, file: endpoint.max_file_bytes };
            let form = multipart::from_form(&parts.headers, body, sizes);
            let late = |_| Refusal::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::Timeout, "the files came too slowly");
            let (request, received) = timeout_at(started + FORM_TIME, form).await.map_err(late)??;
            // The operation has its own time, once its files are there.
            (files, deadline) = (received, Instant::now() + endpoint.timeout);
            request
        }
        Method::POST => {
            params::check_content_type(&parts.headers)?;
            let late = |_| Refusal::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::Timeout, "the body came too slowly");
            timeout_at(deadline, params::from_body(body, endpoint.max_body_bytes)).await.map_err(late)??
        }
        _ => return Err(Refusal::method("use POST, or GET for queries", "GET, POST")),
    };
    let prepared = match endpoint.engine.prepare(request) {
        Ok(prepared) => prepared,
        Err(error) => return Ok(Engine::refuse(error, request_id)),
    };
    match (prepared.operation.kind, &parts.method) {
        (OperationType::Mutation, &Method::GET) => return Err(Refusal::method("a mutation needs POST", "POST")),
        (OperationType::Subscription, _) => {
            let error = coded(ErrorCode::BadUserInput, "a subscription needs a WebSocket");
            return Ok(Engine::refuse(error, request_id));
        }
        _ => {}
    }
    let viewer = match viewer(&parts.headers, &endpoint.services, request_id).await {
        Ok(viewer) => viewer,
        Err(error) => return Ok(Engine::refuse(error, request_id)),
    };
    let viewer = viewer.with_guest(guest(&parts.headers));
    let operation = prepared.operation.clone();
    let origin = origin(parts, endpoint.trusted_proxies);
    let actor = actor(&viewer, &origin, request_id);
    let steps = Steps::default();
    let mut data = request_data(viewer, origin, cookies(&parts.headers), &steps);
    data.insert(files);
    // That of a test that wants the texts; a fresh one for everybody else.
    let recorder = Recorder::current();
    let work = steps.run(endpoint.engine.execute(prepared, data, request_id));
    let work = actor.clone().scope(recorder.clone().scope(work));
    let late = |_| {
        let message = match operation.kind {
            OperationType::Mutation => {
                "the operation took too long, and may be done or not: send it again with the same idempotency key, or look first"
            }
            _ => "the operation took too long; ask for less",
        };
        coded(ErrorCode::Timeout, message)
    };
    let mut response =
        timeout_at(deadline, work).await.map_err(late).unwrap_or_else(|error| Engine::refuse(error, request_id));
    log(&operation, actor.user, started, &recorder, &response, request_id);
    if endpoint.show_sql {
        let sql = Value::from_json(serde_json::json!({
            "statements": recorder.statements(),
            "ms": rounded(recorder.millis()),
        }));
        response.extensions.extend(sql.ok().map(|sql| ("sql".to_owned(), sql)));
    }
    Ok(response)
}

/// One line for each operation.
fn log(
    operation: &Operation,
    user: Option<i64>,
    started: Instant,
    recorder: &Recorder,
    response: &GraphqlResponse,
    request_id: &RequestId,
) {
    let code = response.errors.first().and_then(code).map(ErrorCode::as_str);
    tracing::info!(
        %request_id,
        operation = operation.name.as_deref().unwrap_or("-"),
        kind = %operation.kind,
        user,
        ms = rounded(started.elapsed().as_secs_f64() * 1000.0),
        statements = recorder.statements(),
        sql_ms = rounded(recorder.millis()),
        errors = response.errors.len(),
        code,
        "graphql"
    );
}

/// Milliseconds with two decimals.
fn rounded(millis: f64) -> f64 {
    (millis * 100.0).round() / 100.0
}

/// Who asks, by the header `Authorization: Bearer <token>` or `X-API-Key`; nobody without either.
async fn viewer(headers: &HeaderMap, services: &Services, request_id: &RequestId) -> Result<Viewer, ServerError> {
    let refused = |message: &str| coded(ErrorCode::Unauthenticated, message);
    let mut keys = headers.get_all(X_API_KEY).iter();
    let viewer = match (headers.get(header::AUTHORIZATION), keys.next(), keys.next()) {
        (None, None, _) => return Ok(Viewer::anonymous()),
        (None, Some(key), None) => services.viewer_of_key(key.to_str().unwrap_or_default()).await,
        (Some(value), None, _) => {
            let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).unwrap_or_default();
            if !scheme.eq_ignore_ascii_case("bearer") {
                return Err(refused("the header must be `Authorization: Bearer <accessToken>`"));
            }
            services.viewer(token.trim()).await
        }
        // Which of them was meant, nobody can tell.
        _ => return Err(refused("send either `Authorization` or one `X-API-Key`, not both")),
    };
    viewer.map_err(|error| errors::of(&error, request_id))
}

/// Refuses the anonymous.
fn must_be_known(viewer: &Viewer, request_id: &RequestId) -> Result<(), ServerError> {
    viewer.require_user().map(drop).map_err(|error| errors::of(&error, request_id))
}

/// The guest with the cart token that came along. Any text is one: whether there is such a cart, the tables know.
fn guest(headers: &HeaderMap) -> Option<GuestKey> {
    headers.get(X_CART_TOKEN)?.to_str().ok().map(|token| GuestKey::of(token.trim()))
}

fn cookies(headers: &HeaderMap) -> Cookies {
    Cookies(headers.get(header::COOKIE).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned))
}

/// The actor of what the viewer writes.
fn actor(viewer: &Viewer, origin: &Origin, request_id: &RequestId) -> Actor {
    let (via, session, api_key) = match viewer.identity().map(|identity| identity.via) {
        Some(auth::Via::Session(session)) => (Via::Session, Some(session.0), None),
        Some(auth::Via::ApiKey(key)) => (Via::ApiKey, None, Some(key.0)),
        Some(auth::Via::System) => (Via::System, None, None),
        None => (Via::Anonymous, None, None),
    };
    let user = viewer.user_id().map(|id| id.0);
    let request_id = Some(request_id.as_str().to_owned());
    Actor { via, user, session, api_key, address: origin.address, request_id }
}

/// A request that HTTP itself forbids: it has a status of its own in either media type.
pub struct Refusal {
    status: StatusCode,
    code: ErrorCode,
    message: String,
    allow: Option<&'static str>,
}

impl Refusal {
    /// A refusal.
    pub fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), allow: None }
    }

    pub(super) fn method(message: &str, allow: &'static str) -> Self {
        let refusal = Self::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::BadUserInput, message);
        Self { allow: Some(allow), ..refusal }
    }

    /// Why, in words.
    pub(super) fn reason(&self) -> &str {
        &self.message
    }

    /// The answer where no media type was chosen.
    pub(super) fn in_json(self, request_id: &RequestId) -> Response {
        self.answer(Media::Json, request_id)
    }

    fn answer(self, media: Media, request_id: &RequestId) -> Response {
        let error = coded(self.code, self.message);
        let mut response = answer(media, self.status, Engine::refuse(error, request_id));
        if let Some(methods) = self.allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        response
    }
}

/// The media types of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Media {
    /// `application/graphql-response+json`: the status tells whether the request was good.
    GraphqlResponse,
    /// `application/json`: the status of a request that could be read is 200.
    Json,
}

impl Media {
    /// The first media type of the `Accept` header that we have; JSON where the header is missing.
    fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut ranges = headers.get_all(header::ACCEPT).iter().peekable();
        if ranges.peek().is_none() {
            return Some(Self::Json);
        }
        ranges.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).find_map(|range| {
            let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
            let media = match name.trim().to_ascii_lowercase().as_str() {
                "application/graphql-response+json" => Self::GraphqlResponse,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => return None,
            };
            params::is_utf8(parameters).then_some(media)
        })
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
        })
    }
}

/// The status of a response by the code of its first error, if it is a request error.
fn status(response: &GraphqlResponse, media: Media) -> StatusCode {
    if !is_request_error(response) {
        return StatusCode::OK;
    }
    match response.errors.first().and_then(code) {
        Some(ErrorCode::Unauthenticated) => StatusCode::UNAUTHORIZED,
        Some(ErrorCode::Forbidden) => StatusCode::FORBIDDEN,
        Some(ErrorCode::RateLimited) => StatusCode::TOO_MANY_REQUESTS,
        Some(ErrorCode::Timeout) => StatusCode::GATEWAY_TIMEOUT,
        Some(ErrorCode::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
        Some(ErrorCode::InternalServerError) => StatusCode::INTERNAL_SERVER_ERROR,
        _ if media == Media::GraphqlResponse => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

/// A response as it goes over the wire: errors first, where people see them.
#[derive(Serialize)]
struct Wire<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [ServerError],
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<&'a std::collections::BTreeMap<String, Value>>,
}

fn answer(media: Media, status: StatusCode, response: GraphqlResponse) -> Response {
    let wire = Wire {
        errors: &response.errors,
        data: (!is_request_error(&response)).then_some(&response.data),
        extensions: (!response.extensions.is_empty()).then_some(&response.extensions),
    };
    let mut bytes = Vec::with_capacity(1024);
    serde_json::to_writer(&mut bytes, &wire).expect("GraphQL values are JSON values, and memory takes all writes");
    let wait = retry_after(&response);
    let mut headers = response.http_headers;
    headers.insert(header::CONTENT_TYPE, media.content_type());
    if let Some(seconds) = wait {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    (status, headers, bytes).into_response()
}
