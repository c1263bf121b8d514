//! The job that delivers events.
//! Rule: attempts are made at the same time, but only a few for one subscription, so that a receiver that is slow or does not
//! respond holds up no other one. The outcome of every attempt is recorded.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use serde_json::{Value, json};

use super::send::{Request, send};
use crate::{
    auth::Scope,
    db::{Conn, Db},
    error::Result,
    ids::{RowId, WebhookSubscriptionId},
    jobs::{model::JobInfo, worker::StopSignal},
    mail::{
        self,
        model::{Message, Template},
    },
    outbound::Addresses,
    users,
    webhooks::{
        model::{
            SubscriptionRow,
            delivery::{Attempt, DeliveryStatus, DueDelivery, RETRY_PERIOD, TEST, pause, retry_delay},
            signature::signature,
        },
        store,
    },
};

/// The job.
pub const JOB: JobInfo =
    JobInfo::recurring("deliver_webhooks", Duration::from_secs(1), "Delivers events to webhooks.").stopping_itself();

/// Attempts that are made at the same time.
const CONCURRENCY: usize = 32;
/// Attempts of one subscription that are made at the same time.
const PER_SUBSCRIPTION: usize = 4;
/// How long one run claims more deliveries; well below the timeout of a job.
const MAX_RUN: Duration = Duration::from_secs(60);
/// Interval in which deliveries are looked for while attempts are being made.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The part of a payload that comes from the GraphQL schema.
#[derive(Debug, Clone)]
pub enum Payload {
    /// The data and the errors of the response to the subscription's query.
    Response {
        /// The data.
        data: Value,
        /// The errors; none if there are none.
        errors: Option<Value>,
    },
    /// The owner of the subscription may not see what the event is about, or the query leaves it out.
    Nothing,
    /// The query could not be executed.
    Failed(String),
    /// The owner of the subscription is deactivated, or the API key is not valid any more.
    NoOwner,
}

/// Makes payloads: executes the query of a subscription for an event.
pub type PayloadSource = Arc<dyn Fn(Arc<DueDelivery>) -> BoxFuture<'static, Result<Payload>> + Send + Sync>;

/// Needed to deliver events.
#[derive(Clone)]
pub struct DeliverContext {
    /// The database.
    pub db: Db,
    /// Makes the payloads.
    pub payloads: PayloadSource,
    /// Where payloads may be sent.
    pub addresses: Addresses,
}

/// Delivers what is due, until nothing is or the worker stops. Attempts that are being made are completed.
/// # Errors
/// Database errors.
pub async fn run(context: &DeliverContext, stop: &StopSignal) -> Result<()> {
    let started = Instant::now();
    let mut attempts = FuturesUnordered::new();
    let mut busy: HashMap<WebhookSubscriptionId, usize> = HashMap::new();
    let mut is_stopping = false;
    loop {
        is_stopping |= started.elapsed() > MAX_RUN;
        if !is_stopping {
            for due in claim(&context.db, &busy, CONCURRENCY - attempts.len()).await? {
                *busy.entry(due.subscription.id).or_default() += 1;
                attempts.push(deliver(context, due));
            }
        }
        if attempts.is_empty() {
            return Ok(());
        }
        tokio::select! {
            Some(id) = attempts.next() => {
                busy.entry(id).and_modify(|count| *count -= 1);
                busy.retain(|_, count| *count > 0);
            }
            () = tokio::time::sleep(POLL_INTERVAL), if !is_stopping => {}
            () = stop.stopped(), if !is_stopping => is_stopping = true,
        }
    }
}

async fn claim(db: &Db, busy: &HashMap<WebhookSubscriptionId, usize>, limit: usize) -> Result<Vec<DueDelivery>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let full: Vec<_> = busy.iter().filter(|(_, count)| **count >= PER_SUBSCRIPTION).map(|(id, _)| *id).collect();
    let [per_subscription, limit] = [PER_SUBSCRIPTION, limit].map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    db.transaction(async |conn| store::deliveries::claim_due(conn, &full, per_subscription, limit).await).await
}

/// Makes one attempt. Returns the subscription.
async fn deliver(context: &DeliverContext, due: DueDelivery) -> WebhookSubscriptionId {
    let (id, due) = (due.subscription.id, Arc::new(due));
    if let Err(error) = attempt(context, &due).await {
        // The lease ends, and the delivery is attempted again.
        tracing::warn!(%error, delivery = due.delivery.id.0, "webhook delivery not recorded, retried after its lease ends");
    }
    id
}

async fn attempt(context: &DeliverContext, due: &Arc<DueDelivery>) -> Result<()> {
    let DeliverContext { db, payloads, addresses } = context;
    let DueDelivery { delivery, subscription } = &**due;
    let payload = match delivery.event == TEST {
        true => Payload::Response { data: Value::Null, errors: None },
        false => payloads(Arc::clone(due)).await?,
    };
    let made = match payload {
        Payload::Response { data, errors } => send(request(due, data, errors, Utc::now()), *addresses).await,
        Payload::Failed(why) => Attempt { failure: Some(format!("the query failed: {why}")), ..Attempt::default() },
        Payload::Nothing => {
            let done = db.transaction(async |conn| {
                store::deliveries::finish(conn, delivery, DeliveryStatus::Skipped, &Attempt::default()).await
            });
            return done.await.map(drop);
        }
        Payload::NoOwner => {
            let reason = "the account or API key of its owner is not active any more";
            return db.transaction(async |conn| disable(conn, subscription, reason).await).await;
        }
    };
    db.transaction(async |conn| record(conn, due, &made).await).await?;
    let (delivery, status) = (delivery.id.0, made.response_status);
    match &made.failure {
        None => tracing::debug!(delivery, status, "webhook delivered"),
        Some(why) => tracing::info!(delivery, status, why, "webhook delivery failed"),
    }
    Ok(())
}

/// Returns the signed request of a delivery.
fn request<'a>(due: &'a DueDelivery, data: Value, errors: Option<Value>, now: DateTime<Utc>) -> Request<'a> {
    let DueDelivery { delivery, subscription } = due;
    let mut body = json!({
        "id": delivery.event_id(),
        "event": delivery.event_name(),
        "version": subscription.version,
        "createdAt": delivery.event_at,
        "subscriptionId": subscription.id.to_global_id(),
        "data": data,
    });
    if let Some(errors) = errors {
        body["errors"] = errors;
    }
    let body = body.to_string();
    let headers = vec![
        ("souk-signature", signature(&subscription.secrets(now), now.timestamp(), &body)),
        ("souk-event", delivery.event_name()),
        ("souk-event-id", delivery.event_id()),
        ("souk-delivery-id", delivery.id.to_global_id()),
        ("souk-attempt", delivery.attempts.to_string()),
    ];
    Request { url: &subscription.url, body, headers }
}

/// Records the outcome of an attempt, and when the next one is due.
async fn record(conn: &Conn, due: &DueDelivery, made: &Attempt) -> Result<()> {
    let DueDelivery { delivery, subscription } = due;
    if made.failure.is_none() {
        store::deliveries::finish(conn, delivery, DeliveryStatus::Delivered, made).await?;
        return store::record_success(conn, subscription.id).await;
    }
    let now = Utc::now();
    let is_over = delivery.first_attempt_at.is_some_and(|first| first + RETRY_PERIOD <= now);
    let status = if is_over { DeliveryStatus::Failed } else { DeliveryStatus::Pending };
    let is_recorded = store::deliveries::finish(conn, delivery, status, made).await?;
    if !is_recorded {
        return Ok(());
    }
    let Some(failing) = store::record_failure(conn, subscription.id).await? else { return Ok(()) };
    let has_failed_all_the_time = failing.failing_since.is_some_and(|since| since + RETRY_PERIOD <= now);
    match is_over {
        true if has_failed_all_the_time => {
            let why = made.failure.as_deref().unwrap_or_default();
            disable(conn, subscription, &format!("every delivery failed for 3 days; the last time, {why}")).await?;
        }
        true => {}
        false => store::deliveries::retry_at(conn, delivery.id, now + retry_delay(delivery.attempts)).await?,
    }
    match pause(failing.failures) {
        Some(pause) => store::pause(conn, subscription.id, now + pause).await,
        None => Ok(()),
    }
}

/// Disables a subscription, and sends its owner an email.
async fn disable(conn: &Conn, subscription: &SubscriptionRow, reason: &str) -> Result<()> {
    if !store::disable(conn, subscription.id, reason).await? {
        return Ok(());
    }
    tracing::warn!(subscription = subscription.id.0, reason, "webhook subscription disabled");
    let owner = users::store::by_ids(conn, &Scope::All, &[subscription.user_id]).await?.pop();
    let Some(owner) = owner.filter(|owner| owner.is_active) else { return Ok(()) };
    let Some(to) = owner.email else { return Ok(()) };
    let message = Message {
        template: Template::WebhookDisabled,
        to,
        user: Some(owner.id),
        website: subscription.website_id,
        values: json!({ "name": owner.name, "url": subscription.url, "reason": reason }),
    };
    mail::actions::queue(conn, &message).await
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_run_ends_before_the_timeout_of_jobs() {
        let longest = super::MAX_RUN + crate::webhooks::model::delivery::RESPONSE_TIMEOUT;
        assert!(longest * 3 / 2 < crate::jobs::model::HANDLER_TIMEOUT);
    }
}
