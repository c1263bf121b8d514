//! The job that delivers events.
//! Rule: attempts are made at the same time, but only a few for one subscription, and one if its receiver fails, so that a receiver
//! that is slow or does not respond does not delay the others. The outcome of every attempt is recorded.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

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
            delivery::{Attempt, DeliveryStatus, DueDelivery, QUERY_TIMEOUT, RETRY_PERIOD, TEST, pause, retry_delay},
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
/// Outcomes that are recorded at the same time.
const RECORDING: usize = 2;
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
    /// The owner of the subscription is deactivated, the API key is not valid any more, or either lacks the permission.
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
    /// Outcomes that may be recorded at the same time: the connections are for the shop.
    recording: Arc<Semaphore>,
}

impl DeliverContext {
    /// Creates the context.
    pub fn new(db: Db, payloads: PayloadSource, addresses: Addresses) -> Self {
        Self { db, payloads, addresses, recording: Arc::new(Semaphore::new(RECORDING)) }
    }
}

/// Delivers what is due, until nothing is or the worker stops. Attempts that are being made are completed.
/// # Errors
/// Database errors.
pub async fn run(context: &DeliverContext, stop: &StopSignal) -> Result<()> {
    let started = Instant::now();
    let mut attempts = JoinSet::new();
    let mut running: HashMap<WebhookSubscriptionId, usize> = HashMap::new();
    let mut result = Ok(());
    loop {
        let is_stopping = result.is_err() || stop.is_stopping() || started.elapsed() > MAX_RUN;
        if !is_stopping {
            match claim(&context.db, &running, CONCURRENCY - attempts.len()).await {
                // Others may be due.
                Ok(None) => continue,
                Ok(Some(claimed)) => {
                    for due in claimed {
                        *running.entry(due.subscription.id).or_default() += 1;
                        attempts.spawn(deliver(context.clone(), Arc::new(due)));
                    }
                }
                Err(error) => result = Err(error),
            }
        }
        if attempts.is_empty() {
            return result;
        }
        tokio::select! {
            Some(ended) = attempts.join_next() => {
                if let Ok(subscription) = ended {
                    running.entry(subscription).and_modify(|count| *count -= 1);
                }
            }
            () = sleep(POLL_INTERVAL), if !is_stopping => {}
            () = stop.stopped(), if !is_stopping => {}
        }
    }
}

async fn claim(
    db: &Db,
    running: &HashMap<WebhookSubscriptionId, usize>,
    limit: usize,
) -> Result<Option<Vec<DueDelivery>>> {
    if limit == 0 {
        return Ok(Some(Vec::new()));
    }
    db.transaction(async |conn| store::deliveries::claim_due(conn, running, PER_SUBSCRIPTION, limit).await).await
}

/// Makes one attempt. Returns the subscription.
async fn deliver(context: DeliverContext, due: Arc<DueDelivery>) -> WebhookSubscriptionId {
    if let Err(error) = attempt(&context, &due).await {
        // The lease ends, and the delivery is attempted again.
        tracing::warn!(%error, delivery = due.delivery.id.0, "webhook delivery not recorded, retried after its lease ends");
    }
    due.subscription.id
}

async fn attempt(context: &DeliverContext, due: &Arc<DueDelivery>) -> Result<()> {
    let DeliverContext { db, payloads, addresses, recording } = context;
    let DueDelivery { delivery, subscription } = &**due;
    let payload = match delivery.event == TEST {
        true => Payload::Response { data: Value::Null, errors: None },
        false => timeout(QUERY_TIMEOUT, payloads(Arc::clone(due))).await.unwrap_or_else(|_| Ok(query_timed_out()))?,
    };
    let (attempt, is_sent) = match payload {
        Payload::Response { data, errors } => (send(request(due, data, errors, Utc::now()), *addresses).await, true),
        Payload::Failed(why) => (failed(format!("the query failed: {why}")), false),
        Payload::Nothing => {
            let _turn = recording.acquire().await;
            let done = db.transaction(async |conn| {
                store::deliveries::finish(conn, delivery, DeliveryStatus::Skipped, &Attempt::default()).await
            });
            return done.await.map(drop);
        }
        Payload::NoOwner => {
            let _turn = recording.acquire().await;
            let reason = "the account or API key of its owner is not active any more, or lacks MANAGE_WEBHOOKS";
            let disabled = db.transaction(async |conn| {
                store::deliveries::release(conn, delivery).await?;
                disable(conn, subscription, reason).await
            });
            return disabled.await;
        }
    };
    let _turn = recording.acquire().await;
    db.transaction(async |conn| record(conn, due, &attempt, is_sent).await).await?;
    let (delivery, status) = (delivery.id.0, attempt.response_status);
    match &attempt.failure {
        None => tracing::debug!(delivery, status, "webhook delivered"),
        Some(why) => tracing::info!(delivery, status, why, "webhook delivery failed"),
    }
    Ok(())
}

fn query_timed_out() -> Payload {
    Payload::Failed(format!("it took longer than {} s", QUERY_TIMEOUT.as_secs()))
}

fn failed(failure: String) -> Attempt {
    Attempt { failure: Some(failure), ..Attempt::default() }
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

/// Records the outcome of an attempt, and when the next one is due. Only what was sent says something about the receiver.
async fn record(conn: &Conn, due: &DueDelivery, attempt: &Attempt, is_sent: bool) -> Result<()> {
    let DueDelivery { delivery, subscription } = due;
    if attempt.failure.is_none() {
        store::deliveries::finish(conn, delivery, DeliveryStatus::Delivered, attempt).await?;
        return store::record_success(conn, subscription.id).await;
    }
    let is_test = delivery.event == TEST;
    let is_over = is_test || delivery.retry_since + RETRY_PERIOD <= Utc::now();
    let status = if is_over { DeliveryStatus::Failed } else { DeliveryStatus::Pending };
    if !store::deliveries::finish(conn, delivery, status, attempt).await? {
        return Ok(());
    }
    if !is_over {
        store::deliveries::retry_after(conn, delivery.id, retry_delay(delivery.attempts)).await?;
    }
    if is_test || !is_sent {
        return Ok(());
    }
    record_receiver_failure(conn, subscription, attempt, is_over).await
}

/// Records that a receiver failed. It is left alone for a while after some failures in a row, and its subscription is disabled if a
/// delivery was given up and none succeeded meanwhile.
async fn record_receiver_failure(
    conn: &Conn,
    subscription: &SubscriptionRow,
    attempt: &Attempt,
    is_over: bool,
) -> Result<()> {
    let Some(failing) = store::record_failure(conn, subscription.id).await? else { return Ok(()) };
    let failed_all_the_time = failing.failing_since.is_some_and(|since| since + RETRY_PERIOD <= Utc::now());
    if is_over && failed_all_the_time {
        let why = attempt.failure.as_deref().unwrap_or_default();
        disable(conn, subscription, &format!("every delivery failed for 3 days; the last time, {why}")).await?;
    }
    match pause(failing.failures) {
        Some(pause) => store::pause(conn, subscription.id, Some(pause)).await,
        None => Ok(()),
    }
}

/// Disables a subscription, and sends its owner an email.
async fn disable(conn: &Conn, subscription: &SubscriptionRow, reason: &str) -> Result<()> {
    if !store::disable(conn, subscription, reason).await? {
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
    use super::{MAX_RUN, QUERY_TIMEOUT};
    use crate::{
        jobs::model::HANDLER_TIMEOUT,
        webhooks::model::delivery::{EXCERPT_TIMEOUT, LEASE, RESPONSE_TIMEOUT},
    };

    #[test]
    fn a_run_and_an_attempt_end_in_time() {
        let attempt = QUERY_TIMEOUT + RESPONSE_TIMEOUT + EXCERPT_TIMEOUT;
        assert!(MAX_RUN + attempt < HANDLER_TIMEOUT && attempt * 2 < LEASE);
    }
}
