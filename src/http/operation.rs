//! Runs the operation of a request: from the cache, if its response is the same for everyone and known, or by the engine.
//! Rule: each operation is charged, logged and reported in the same way, wherever its response comes from.

use std::{sync::Arc, time::Duration};

use async_graphql::{Request as GraphqlRequest, ServerError, Value, parser::types::OperationType};
use tokio::time::{Instant, timeout_at};

use super::{
    admission::{Admitted, Exchange, RequestError, admit},
    client_limits::{self, Measurement},
    credentials::{actor, cookies},
    header_names::X_QUERY_COST,
    public_url::{is_https, public_url},
};
use crate::{
    auth::Viewer,
    cache::Dependencies,
    db::recorder::StatementRecorder,
    error::ErrorCode,
    graphql::{
        engine::{
            Engine, Operation, PreparedRequest,
            batching::Dispatcher,
            budget::Budget,
            cost::Meter,
            errors::{code, coded},
            public_response::PublicResponse,
            response::Response as GraphqlResponse,
            response_cache::Lookup,
        },
        schema::{
            context::{PublicUrl, request_data},
            entities::Entities,
            media::upload::RequestFiles,
        },
    },
    limits::Client,
    telemetry::RequestId,
};

/// Number of characters of an operation's name in the log. Names are ASCII, and clients choose them.
const MAX_LOGGED_NAME: usize = 100;

/// Time that an effect of a response from the cache takes, such as writing the record of a search.
const EFFECT_TIME: Duration = Duration::from_micros(100);

/// Runs the operation of a request and logs it.
/// # Errors
/// Those of [`admit`].
pub async fn run(
    exchange: Exchange<'_>,
    request: GraphqlRequest,
    files: RequestFiles,
    budget: &Budget,
    started: Instant,
    deadline: Instant,
) -> Result<GraphqlResponse, RequestError> {
    let admitted = admit(exchange, request, budget, deadline).await?;
    run_admitted(exchange, admitted, files, budget, started, deadline).await
}

/// Runs an operation that was admitted, and logs it.
/// # Errors
/// If its response does not fit into the budget.
pub async fn run_admitted(
    exchange: Exchange<'_>,
    admitted: Admitted,
    files: RequestFiles,
    budget: &Budget,
    started: Instant,
    deadline: Instant,
) -> Result<GraphqlResponse, RequestError> {
    let Exchange { endpoint, parts, origin, request_id, stopwatch, .. } = exchange;
    let (operation, client, user) = (admitted.prepared.operation.clone(), admitted.client, admitted.viewer.user_id());
    let meter = Meter::new(endpoint.limits.allowance(client), admitted.kind);
    // A test's recorder if one is set in this task (it also records the SQL texts); a new one otherwise.
    let recorder = StatementRecorder::current();
    let url = public_url(parts, &endpoint.settings);
    let lookup = look_up(exchange, &admitted, &url, deadline).await;
    let measurement = Measurement::new(meter.clone(), recorder.clone(), stopwatch.take_ms());
    let is_hit = matches!(lookup, Lookup::Hit(_));
    let mut response = match lookup {
        Lookup::Hit(public) => {
            budget.add_public(&public)?;
            recorder.add_measured(EFFECT_TIME * public.repeat_effects(origin));
            GraphqlResponse::from_public(public)
        }
        lookup => {
            let run =
                Run { exchange, budget, url, files, meter, recorder: &recorder, measurement: &measurement, deadline };
            // Boxed, because moving a future of this size through each wrapper is expensive.
            Box::pin(run.execute(admitted, lookup)).await
        }
    };
    log(&operation, user.map(|user| user.0), started, &recorder, is_hit, &response, request_id);
    report(exchange, client, measurement, &recorder, is_hit, &mut response);
    Ok(response)
}

/// Looks the response up, if it is one that is the same for everyone.
async fn look_up(exchange: Exchange<'_>, admitted: &Admitted, PublicUrl(url): &PublicUrl, deadline: Instant) -> Lookup {
    let responses = &exchange.endpoint.services.responses;
    if admitted.viewer.identity().is_some() || !responses.is_on() {
        return Lookup::Bypass;
    }
    let Some(key) = admitted.prepared.response_key(url.as_deref().unwrap_or_default()) else { return Lookup::Bypass };
    let waits = !admitted.prepared.document().has_unknown_dependencies();
    timeout_at(deadline, responses.lookup(key, waits)).await.unwrap_or(Lookup::Bypass)
}

/// What the execution of an operation needs.
struct Run<'a> {
    exchange: Exchange<'a>,
    budget: &'a Budget,
    url: PublicUrl,
    files: RequestFiles,
    meter: Meter,
    recorder: &'a StatementRecorder,
    measurement: &'a Measurement,
    deadline: Instant,
}

impl Run<'_> {
    /// Executes the operation, and stores its response if it is the same for everyone.
    async fn execute(self, admitted: Admitted, lookup: Lookup) -> GraphqlResponse {
        let Self { exchange, budget, url, files, meter, recorder, measurement, deadline } = self;
        let Exchange { endpoint, parts, origin, request_id, .. } = exchange;
        let Admitted { prepared, viewer, client, place: _place, .. } = admitted;
        let (kind, document) = (prepared.operation.kind, Arc::clone(prepared.document()));
        let dependencies = may_be_public(&prepared, &viewer).then(Dependencies::default);
        let (untagged, complexity) = (recorder.untagged(), budget.complexity());
        let actor = actor(&viewer, origin, request_id);
        let dispatcher = Dispatcher::default();
        let are_secure = endpoint.has_secure_cookies || is_https(&parts.headers, &endpoint.settings);
        let cache = endpoint.services.entities.as_ref();
        let entities = cache.and_then(|cache| Entities::new(cache, kind, &document, &viewer));
        let mut data = request_data(viewer, origin.clone(), cookies(&parts.headers, are_secure), &dispatcher);
        data.insert(files);
        data.insert(url);
        data.insert(meter);
        if let Some(entities) = entities {
            data.insert(entities);
        }
        if let Some(dependencies) = &dependencies {
            data.insert(dependencies.clone());
        }
        let execution = Box::pin(dispatcher.run(endpoint.engine.execute(prepared, data, request_id)));
        let execution = client.scope(actor.scope(recorder.clone().scope(measurement.measure(execution))));
        let timed_out = |_| Engine::error_response(timeout_error(kind), request_id);
        let mut response = timeout_at(deadline, execution).await.unwrap_or_else(timed_out);
        if kind == OperationType::Mutation {
            endpoint.services.responses.catch_up().await;
            endpoint.services.events.poll_soon();
        }
        let Some(dependencies) = dependencies.filter(|_| response.errors.is_empty()) else { return response };
        let known = dependencies.take_known().filter(|_| recorder.untagged() == untagged);
        let Some(((tags, effects), data)) = known.zip(response.data.as_deref()) else {
            document.set_unknown_dependencies();
            return response;
        };
        let public = Arc::new(PublicResponse::new(data, budget.complexity() - complexity, &tags, effects));
        if let Lookup::Miss(miss) = lookup {
            endpoint.services.responses.store(miss, Arc::clone(&public));
        }
        response.public = Some(public);
        response
    }
}

/// Returns whether the response of an operation may be the same for everyone who is not logged in. What a guest owns, such as
/// a cart, has no tags.
fn may_be_public(prepared: &PreparedRequest, viewer: &Viewer) -> bool {
    viewer.identity().is_none() && prepared.operation.kind == OperationType::Query && !prepared.is_introspecting
}

/// Settles the cost of an operation, and reports it as the client and the settings ask for.
fn report(
    exchange: Exchange<'_>,
    client: Client,
    measurement: Measurement,
    recorder: &StatementRecorder,
    is_hit: bool,
    response: &mut GraphqlResponse,
) {
    let Exchange { endpoint, parts, .. } = exchange;
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
        if let Some(public) = response.public.as_ref().filter(|_| endpoint.services.responses.is_on()) {
            let tags: Vec<_> = public.tags().collect();
            let cache = Value::from_json(serde_json::json!({ "hit": is_hit, "tags": tags }));
            response.extensions.extend(cache.ok().map(|cache| ("cache".to_owned(), cache)));
        }
    }
}

/// Returns the error of an operation that exceeded its time limit.
pub fn timeout_error(kind: OperationType) -> ServerError {
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
    is_hit: bool,
    response: &GraphqlResponse,
    request_id: &RequestId,
) {
    let code = response.errors.first().and_then(code).map(ErrorCode::as_str);
    tracing::info!(
        %request_id,
        operation = logged_name(operation),
        kind = %operation.kind,
        user,
        ms = rounded(started.elapsed().as_secs_f64() * 1000.0),
        statements = recorder.statements(),
        sql_ms = rounded(recorder.elapsed_ms()),
        cached = is_hit.then_some(true),
        errors = response.errors.len(),
        code,
        "operation executed"
    );
}

/// Returns the name of an operation as it is logged.
pub fn logged_name(operation: &Operation) -> &str {
    operation.name.as_deref().map_or("-", |name| name.get(..MAX_LOGGED_NAME).unwrap_or(name))
}

/// Rounds milliseconds to two decimals.
fn rounded(millis: f64) -> f64 {
    (millis * 100.0).round() / 100.0
}
