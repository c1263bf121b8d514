//! Every statement on webhook deliveries.
//! Scope: as for their subscriptions.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Utc};
use diesel::{
    dsl::now,
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Bool, Integer, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;

use crate::{
    auth::Scope,
    db::{
        Conn,
        filter::{Condition, constant},
        list_statements::list_statements,
        sql::{clock_timestamp, from_now, hashtext, op, pg_advisory_xact_lock},
        tables::{webhook_deliveries, webhook_subscriptions},
    },
    error::Result,
    ids::{WebhookDeliveryId, WebhookSubscriptionId},
    webhooks::model::{
        DeliveryCondition, DeliveryOrderField, SubscriptionRow,
        delivery::{Attempt, DeliveryRow, DeliveryStatus, DueDelivery, LEASE, TEST, UNREACHABLE_AFTER},
    },
};

/// Deliveries of a subscription that one claim looks at.
const CANDIDATES: i64 = 100;

/// Time after which a delivery that waits for an earlier one is looked at again. It is due at once when that one has ended.
const WAITING_DELAY: Duration = Duration::from_secs(600);

fn visible(scope: &Scope) -> Condition<'static, webhook_deliveries::table> {
    match scope {
        Scope::All => constant(true),
        Scope::Websites(_, websites) => {
            let websites: Vec<_> = websites.iter().copied().map(Some).collect();
            let subscriptions = webhook_subscriptions::table
                .filter(webhook_subscriptions::website_id.eq_any(websites))
                .select(webhook_subscriptions::id);
            Box::new(webhook_deliveries::subscription_id.eq_any(subscriptions))
        }
        Scope::Public | Scope::Own(_) | Scope::Guest(_) | Scope::Seller { .. } => constant(false),
    }
}

fn condition(condition: &DeliveryCondition) -> Condition<'static, webhook_deliveries::table> {
    use DeliveryCondition as C;
    match condition {
        C::Subscription(id) => op!(id, webhook_deliveries::subscription_id),
        C::Status(status) => op!(status, webhook_deliveries::status),
        C::CreatedAt(at) => op!(at, webhook_deliveries::created_at),
    }
}

list_statements! {
    /// A list of deliveries.
    DeliveryList of DeliveryRow in webhook_deliveries where DeliveryCondition by DeliveryOrderField {
        CreatedAt => created_at: DateTime<Utc>
    }
    for scope by visible
}

/// Returns the visible deliveries with these ids, in no particular order.
/// # Errors
/// Returns the error of the database.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[WebhookDeliveryId]) -> Result<Vec<DeliveryRow>> {
    let query = webhook_deliveries::table.filter(webhook_deliveries::id.eq_any(ids)).into_boxed();
    Ok(query.filter(visible(scope)).select(DeliveryRow::as_select()).load(&mut conn).await?)
}

/// A delivery that is due, or waits for an earlier one of the same entity.
#[derive(QueryableByName)]
struct Candidate {
    #[diesel(sql_type = BigInt)]
    id: WebhookDeliveryId,
    #[diesel(sql_type = BigInt)]
    subscription_id: WebhookSubscriptionId,
    /// Whether no earlier delivery of the entity is pending, and none is being made.
    #[diesel(sql_type = Bool)]
    is_next: bool,
    /// Whether the receiver counts as reachable.
    #[diesel(sql_type = Bool)]
    is_reachable: bool,
}

/// Claims deliveries that are due: up to `room` of each subscription at the same time, with those of `busy`, and one if its
/// receiver is not reachable. The deliveries of one entity are claimed one after the other. They belong to the caller until the lease ends. Returns
/// none if all that it looked at wait for earlier ones, and others may be due.
/// # Errors
/// Returns the error of the database.
pub async fn claim_due(
    mut conn: &Conn,
    busy: &HashMap<WebhookSubscriptionId, usize>,
    room: usize,
    limit: usize,
) -> Result<Option<Vec<DueDelivery>>> {
    // One claim at a time, so that none sees an entity between two others.
    diesel::select(pg_advisory_xact_lock(hashtext("webhooks_claim"))).execute(&mut conn).await?;
    let full: Vec<_> = busy.iter().filter(|(_, running)| **running >= room).map(|(id, _)| *id).collect();
    let query = sql_query(
        "SELECT d.id, s.id AS subscription_id, d.id = first.id AND NOT EXISTS (
                SELECT FROM webhook_deliveries l WHERE l.subscription_id = s.id AND l.entity = d.entity AND l.subject = d.subject
                    AND l.status = 'pending' AND l.locked_until IS NOT NULL AND l.locked_until > now()) AS is_next,
                s.failures < $3 AS is_reachable
         FROM webhook_subscriptions s
         CROSS JOIN LATERAL (
             SELECT id, entity, subject, attempt_at FROM webhook_deliveries
             WHERE subscription_id = s.id AND status = 'pending' AND attempt_at <= now()
               AND (locked_until IS NULL OR locked_until <= now())
             ORDER BY attempt_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
         ) d
         CROSS JOIN LATERAL (
             SELECT id FROM webhook_deliveries
             WHERE subscription_id = s.id AND entity = d.entity AND subject = d.subject AND status = 'pending' ORDER BY id LIMIT 1
         ) first
         WHERE s.status = 'active' AND (s.retry_at IS NULL OR s.retry_at <= now()) AND s.id <> ALL ($1)
         ORDER BY d.attempt_at, d.id",
    );
    let query = query.bind::<Array<BigInt>, _>(full).bind::<BigInt, _>(CANDIDATES);
    let candidates: Vec<Candidate> = query.bind::<Integer, _>(UNREACHABLE_AFTER).load(&mut conn).await?;
    let (mut running, mut next) = (busy.clone(), Vec::new());
    for Candidate { id, subscription_id, is_reachable, .. } in candidates.iter().filter(|candidate| candidate.is_next) {
        let running = running.entry(*subscription_id).or_default();
        let room = if *is_reachable { room } else { 1 };
        if *running < room && next.len() < limit {
            *running += 1;
            next.push(*id);
        }
    }
    let waiting: Vec<_> = candidates.iter().filter(|candidate| !candidate.is_next).map(|waiting| waiting.id).collect();
    postpone(conn, &waiting).await?;
    let is_inconclusive = next.is_empty() && !waiting.is_empty();
    claim(conn, next).await.map(|claimed| (!is_inconclusive).then_some(claimed))
}

/// Moves deliveries that wait for an earlier one out of the way of others. They are due again once that one has ended, by
/// [`finish`].
async fn postpone(mut conn: &Conn, ids: &[WebhookDeliveryId]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let query = diesel::update(webhook_deliveries::table.filter(webhook_deliveries::id.eq_any(ids)));
    query.set(webhook_deliveries::attempt_at.eq(from_now(WAITING_DELAY))).execute(&mut conn).await?;
    Ok(())
}

async fn claim(mut conn: &Conn, ids: Vec<WebhookDeliveryId>) -> Result<Vec<DueDelivery>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let claimed = diesel::update(webhook_deliveries::table.filter(webhook_deliveries::id.eq_any(ids)))
        .set((
            webhook_deliveries::attempts.eq(webhook_deliveries::attempts + 1),
            webhook_deliveries::locked_until.eq(from_now(LEASE).nullable()),
            webhook_deliveries::last_attempt_at.eq(clock_timestamp().nullable()),
        ))
        .returning(DeliveryRow::as_returning());
    let claimed: Vec<DeliveryRow> = claimed.get_results(&mut conn).await?;
    let of: Vec<_> = claimed.iter().map(|delivery| delivery.subscription_id).collect();
    let query = webhook_subscriptions::table.filter(webhook_subscriptions::id.eq_any(of));
    let subscriptions: Vec<SubscriptionRow> = query.select(SubscriptionRow::as_select()).load(&mut conn).await?;
    let subscriptions: HashMap<_, _> = subscriptions.into_iter().map(|row| (row.id, row)).collect();
    let with_subscription = |delivery: DeliveryRow| {
        let subscription = subscriptions.get(&delivery.subscription_id)?.clone();
        Some(DueDelivery { delivery, subscription })
    };
    Ok(claimed.into_iter().filter_map(with_subscription).collect())
}

/// Records the outcome of an attempt, and returns whether it was recorded. Does nothing if its lease ended and another server has claimed it.
/// # Errors
/// Returns the error of the database.
pub async fn finish(
    mut conn: &Conn,
    delivery: &DeliveryRow,
    status: DeliveryStatus,
    attempt: &Attempt,
) -> Result<bool> {
    let leased = webhook_deliveries::table.find(delivery.id).filter(webhook_deliveries::attempts.eq(delivery.attempts));
    let values = (
        webhook_deliveries::status.eq(status),
        webhook_deliveries::locked_until.eq(None::<DateTime<Utc>>),
        webhook_deliveries::failure.eq(&attempt.failure),
        webhook_deliveries::response_status.eq(attempt.response_status),
        webhook_deliveries::response_excerpt.eq(&attempt.response_excerpt),
        webhook_deliveries::duration_ms.eq(i32::try_from(attempt.duration.as_millis()).unwrap_or(i32::MAX)),
    );
    let is_recorded = diesel::update(leased).set(values).execute(&mut conn).await? == 1;
    if is_recorded && status != DeliveryStatus::Pending {
        make_next_due(conn, delivery).await?;
    }
    Ok(is_recorded)
}

/// Returns a claimed delivery for which no attempt was made.
/// # Errors
/// Returns the error of the database.
pub async fn release(mut conn: &Conn, delivery: &DeliveryRow) -> Result<()> {
    let leased = webhook_deliveries::table.find(delivery.id).filter(webhook_deliveries::attempts.eq(delivery.attempts));
    let values = (
        webhook_deliveries::attempts.eq(webhook_deliveries::attempts - 1),
        webhook_deliveries::locked_until.eq(None::<DateTime<Utc>>),
    );
    diesel::update(leased).set(values).execute(&mut conn).await?;
    Ok(())
}

/// Makes the next delivery of the same entity due, if there is one.
async fn make_next_due(mut conn: &Conn, ended: &DeliveryRow) -> Result<()> {
    let query = sql_query(
        "UPDATE webhook_deliveries SET attempt_at = now() WHERE attempt_at > now() AND attempts = 0 AND id = (
             SELECT id FROM webhook_deliveries WHERE subscription_id = $1 AND entity = $2 AND subject = $3 AND status = 'pending'
             ORDER BY id LIMIT 1)",
    );
    let query = query.bind::<BigInt, _>(ended.subscription_id).bind::<Text, _>(&ended.entity);
    query.bind::<BigInt, _>(ended.subject).execute(&mut conn).await?;
    Ok(())
}

/// Sets after which time the next attempt of a delivery is due.
/// # Errors
/// Returns the error of the database.
pub async fn retry_after(mut conn: &Conn, id: WebhookDeliveryId, delay: Duration) -> Result<()> {
    let query = diesel::update(webhook_deliveries::table.find(id));
    query.set(webhook_deliveries::attempt_at.eq(from_now(delay))).execute(&mut conn).await?;
    Ok(())
}

/// Queues the deliveries of a subscription that are pending again, due immediately and with all their attempts.
/// # Errors
/// Returns the error of the database.
pub async fn resume(mut conn: &Conn, subscription: WebhookSubscriptionId) -> Result<()> {
    let pending = webhook_deliveries::table
        .filter(webhook_deliveries::subscription_id.eq(subscription))
        .filter(webhook_deliveries::status.eq(DeliveryStatus::Pending))
        // What is being sent is recorded by the number of the attempt.
        .filter(webhook_deliveries::locked_until.is_null());
    let values = (
        webhook_deliveries::attempts.eq(0),
        webhook_deliveries::attempt_at.eq(now),
        webhook_deliveries::retry_since.eq(now),
    );
    diesel::update(pending).set(values).execute(&mut conn).await?;
    Ok(())
}

/// Queues a test of a subscription.
/// # Errors
/// Returns the error of the database.
pub async fn insert_test(mut conn: &Conn, subscription: WebhookSubscriptionId) -> Result<DeliveryRow> {
    let values = (
        webhook_deliveries::subscription_id.eq(subscription),
        webhook_deliveries::event.eq(TEST),
        webhook_deliveries::entity.eq(TEST),
        webhook_deliveries::subject.eq(0),
        webhook_deliveries::is_public.eq(false),
        webhook_deliveries::event_at.eq(clock_timestamp()),
    );
    let query = diesel::insert_into(webhook_deliveries::table).values(values);
    let id: WebhookDeliveryId = query.returning(webhook_deliveries::id).get_result(&mut conn).await?;
    // Tests do not wait for each other: each is an entity of its own.
    let query = diesel::update(webhook_deliveries::table.find(id)).set(webhook_deliveries::subject.eq(id.0));
    Ok(query.returning(DeliveryRow::as_returning()).get_result(&mut conn).await?)
}

/// Queues the event of a delivery again.
/// # Errors
/// Returns the error of the database.
pub async fn insert_again(mut conn: &Conn, earlier: &DeliveryRow) -> Result<DeliveryRow> {
    let values = (
        webhook_deliveries::subscription_id.eq(earlier.subscription_id),
        webhook_deliveries::event_id.eq(earlier.event_id),
        webhook_deliveries::event.eq(&earlier.event),
        webhook_deliveries::entity.eq(&earlier.entity),
        webhook_deliveries::subject.eq(earlier.subject),
        webhook_deliveries::website_id.eq(earlier.website_id),
        webhook_deliveries::is_public.eq(earlier.is_public),
        webhook_deliveries::from_state.eq(&earlier.from_state),
        webhook_deliveries::to_state.eq(&earlier.to_state),
        webhook_deliveries::event_at.eq(earlier.event_at),
    );
    let query = diesel::insert_into(webhook_deliveries::table).values(values);
    Ok(query.returning(DeliveryRow::as_returning()).get_result(&mut conn).await?)
}

/// Deletes deliveries that were queued before a time, at most `limit`, and returns their number. Those that failed are kept longer than
/// others, and those that are pending as long as their subscription is active. Those of deleted subscriptions are deleted, too.
/// # Errors
/// Returns the error of the database.
pub async fn delete_before(
    mut conn: &Conn,
    time: DateTime<Utc>,
    failed_time: DateTime<Utc>,
    limit: i64,
) -> Result<usize> {
    let query = sql_query(
        "DELETE FROM webhook_deliveries WHERE id IN (
             SELECT d.id FROM webhook_deliveries d LEFT JOIN webhook_subscriptions s ON s.id = d.subscription_id
             WHERE s.id IS NULL OR (d.status IN ('delivered', 'skipped') AND d.created_at < $1)
                OR (d.status = 'failed' AND d.created_at < $2)
                OR (d.status = 'pending' AND s.status = 'disabled' AND d.created_at < $2)
             LIMIT $3)",
    );
    let query = query.bind::<Timestamptz, _>(time).bind::<Timestamptz, _>(failed_time).bind::<BigInt, _>(limit);
    Ok(query.execute(&mut conn).await?)
}
