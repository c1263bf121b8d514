//! Payloads of webhooks: the response to the query of a subscription, executed for an event on behalf of its owner.

use std::sync::{Arc, OnceLock};

use async_graphql::{Context, Request, parser::types::OperationType};

use crate::{
    access::actions::owners,
    auth::{Permission, RequestOrigin, Viewer},
    db::changes::Position,
    error::{Error, ErrorCode, Result},
    events::model::{Event, EventRow, Start, Window},
    graphql::{
        engine::{
            Engine,
            batching::Dispatcher,
            errors::{INTERNAL_MESSAGE, code},
            response::Response,
        },
        schema::{
            access::cookie::Cookies,
            context::{ContextExt, PublicUrl, Services, request_data},
            subscriptions::{Completion, Phase},
        },
    },
    telemetry::RequestId,
    webhooks::{
        actions::{
            CheckQuery,
            deliver::{Payload, PayloadSource},
        },
        model::delivery::{DeliveryRow, DueDelivery},
    },
};

/// The query of subscriptions that have none, version 1.
const DEFAULT_QUERY: &str = include_str!("default_query.graphql");

/// Root field of the queries.
const ROOT_FIELD: &str = "event";

/// Checks the query of a subscription: executes it as a viewer that subscribes.
pub struct QueryCheck<'a>(pub &'a Context<'a>);

impl CheckQuery for QueryCheck<'_> {
    async fn check(&self, query: &str) -> Result<()> {
        let (services, viewer) = (self.0.services(), self.0.viewer().clone());
        let phase = Phase::Start(Arc::new(OnceLock::new()));
        let response = execute(services, query, viewer, phase, PublicUrl::default()).await?;
        match response.errors.into_iter().next() {
            None => Ok(()),
            Some(error) => Err(invalid(error.message)),
        }
    }
}

fn invalid(message: String) -> Error {
    Error::bad_input("query", message)
}

/// Returns the source of payloads. Paths in payloads are below a URL, if there is one.
pub fn payload_source(services: &Arc<Services>, url: Option<&str>) -> PayloadSource {
    let (services, url) = (Arc::clone(services), PublicUrl(url.map(Arc::from)));
    Arc::new(move |due| {
        let (services, url) = (Arc::clone(&services), url.clone());
        Box::pin(async move { payload(&services, url, &due).await })
    })
}

async fn payload(services: &Services, url: PublicUrl, due: &DueDelivery) -> Result<Payload> {
    let DueDelivery { delivery, subscription } = due;
    let owner = subscription.owner();
    let identity = owners::find(&services.db, owner.user, owner.api_key).await?;
    let Some(identity) = identity else { return Ok(Payload::NoOwner) };
    let Some(event) = event(delivery) else { return Ok(Payload::Nothing) };
    let viewer = services.resolve_viewer(identity).await?;
    if !viewer.can(Permission::ManageWebhooks) {
        return Ok(Payload::NoOwner);
    }
    let query = subscription.query.as_deref().unwrap_or(DEFAULT_QUERY);
    match execute(services, query, viewer, Phase::Event(Arc::new(event)), url).await {
        Ok(response) => as_payload(response),
        // The query is not valid any more, for example after an upgrade.
        Err(Error::User(errors)) => {
            Ok(Payload::Failed(errors.first().map(|error| error.message.to_string()).unwrap_or_default()))
        }
        Err(error) => Err(error),
    }
}

fn as_payload(response: Response) -> Result<Payload> {
    let codes: Vec<_> = response.errors.iter().map(code).collect();
    let message = || response.errors.first().map_or_else(|| INTERNAL_MESSAGE.to_owned(), |error| error.message.clone());
    // What could not be loaded this time is sent later.
    let is_temporary = |code: &Option<ErrorCode>| {
        use ErrorCode as E;
        matches!(code, None | Some(E::InternalServerError | E::Timeout | E::Unavailable | E::RateLimited))
    };
    if codes.iter().any(is_temporary) {
        return Ok(Payload::Failed(message()));
    }
    let data = response.data.as_deref().map(serde_json::from_slice::<serde_json::Value>).transpose();
    let data = data.map_err(|error| Error::Internal(format!("response of a webhook's query: {error}")))?;
    let event = data.as_ref().and_then(serde_json::Value::as_object).and_then(|data| data.values().next());
    match (event.is_some_and(|event| !event.is_null()), codes.first()) {
        (true, None) => Ok(Payload::Response { data: data.unwrap_or_default(), errors: None }),
        (true, Some(_)) => {
            let errors = Some(serde_json::json!(response.errors));
            Ok(Payload::Response { data: data.unwrap_or_default(), errors })
        }
        (false, None | Some(Some(ErrorCode::Forbidden))) => Ok(Payload::Nothing),
        (false, Some(_)) => Ok(Payload::Failed(message())),
    }
}

/// Returns the event of a delivery; none for a test.
fn event(delivery: &DeliveryRow) -> Option<Event> {
    let kind = delivery.kind()?.stored()?;
    let row = EventRow {
        id: delivery.event_id?,
        transaction_id: 0,
        kind,
        subject: delivery.subject,
        website: delivery.website_id,
        is_public: delivery.is_public,
        from_state: delivery.from_state.clone(),
        to_state: delivery.to_state.clone(),
        owner: None,
        token_hash: None,
        created_at: delivery.event_at,
    };
    // Its cursor is one of time.
    let until = Position { server: String::new(), moment: "1:1:".parse().ok()? };
    Some(Event { row, window: Arc::new(Window { start: Start::Time, since: delivery.event_at, until }) })
}

/// Executes a query once.
async fn execute(services: &Services, query: &str, viewer: Viewer, phase: Phase, url: PublicUrl) -> Result<Response> {
    let ended = || Error::Unavailable("the server is stopping".into());
    let engine: Engine = services.engine.get().and_then(|engine| engine.upgrade()).ok_or_else(ended)?;
    let prepared = engine.prepare(Request::new(query)).map_err(|error| invalid(error.message))?;
    if prepared.operation.kind != OperationType::Subscription || prepared.root_fields() != [ROOT_FIELD] {
        return Err(invalid(format!("must be a subscription to the field `{ROOT_FIELD}`")));
    }
    let dispatcher = Dispatcher::default();
    let mut data = request_data(viewer, RequestOrigin::default(), Cookies::default(), &dispatcher);
    data.insert(url);
    data.insert(phase);
    data.insert(Completion::default());
    Ok(Box::pin(dispatcher.run(engine.execute(prepared, data, &RequestId::random()))).await)
}
