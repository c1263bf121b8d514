//! Every statement on webhook deliveries.
//! Scope: as for their subscriptions.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{
    dsl::now,
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Timestamptz},
};
use diesel_async::RunQueryDsl;

use crate::{
    auth::Scope,
    db::{
        Conn,
        filter::{Condition, constant},
        list_statements::list_statements,
        sql::{clock_timestamp, op},
        tables::{webhook_deliveries, webhook_subscriptions},
    },
    error::Result,
    ids::{WebhookDeliveryId, WebhookSubscriptionId},
    webhooks::model::{
        DeliveryCondition, DeliveryOrderField, SubscriptionRow,
        delivery::{Attempt, DeliveryRow, DeliveryStatus, DueDelivery, LEASE, TEST},
    },
};

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

/// Claims deliveries that are due, at most `per_subscription` of each subscription but those in `busy`. The deliveries of one
/// entity are claimed one after the other. They belong to the caller until the lease ends.
/// # Errors
/// Returns the error of the database.
pub async fn claim_due(
    mut conn: &Conn,
    busy: &[WebhookSubscriptionId],
    per_subscription: i64,
    limit: i64,
) -> Result<Vec<DueDelivery>> {
    #[derive(QueryableByName)]
    struct Due {
        #[diesel(sql_type = BigInt)]
        id: WebhookDeliveryId,
    }
    let query = sql_query(
        "SELECT due.id FROM webhook_subscriptions s
         CROSS JOIN LATERAL (
             SELECT d.id, d.attempt_at FROM webhook_deliveries d
             WHERE d.subscription_id = s.id AND d.status = 'pending' AND d.attempt_at <= now()
               AND (d.locked_until IS NULL OR d.locked_until <= now())
               AND NOT EXISTS (SELECT FROM webhook_deliveries e WHERE e.subscription_id = s.id AND e.entity = d.entity
                   AND e.subject = d.subject AND e.status = 'pending' AND e.id < d.id)
             ORDER BY d.attempt_at, d.id LIMIT $1 FOR UPDATE OF d SKIP LOCKED
         ) due
         WHERE s.status = 'active' AND (s.retry_at IS NULL OR s.retry_at <= now()) AND s.id <> ALL ($2)
         ORDER BY due.attempt_at, due.id LIMIT $3",
    );
    let due: Vec<Due> = query
        .bind::<BigInt, _>(per_subscription)
        .bind::<Array<BigInt>, _>(busy)
        .bind::<BigInt, _>(limit)
        .load(&mut conn)
        .await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<_> = due.into_iter().map(|due| due.id).collect();
    let claimed = diesel::update(webhook_deliveries::table.filter(webhook_deliveries::id.eq_any(ids)))
        .set((
            webhook_deliveries::attempts.eq(webhook_deliveries::attempts + 1),
            webhook_deliveries::locked_until.eq(Utc::now() + LEASE),
            webhook_deliveries::last_attempt_at.eq(clock_timestamp().nullable()),
            webhook_deliveries::first_attempt_at.eq(diesel::dsl::case_when(
                webhook_deliveries::first_attempt_at.is_null(),
                clock_timestamp().nullable(),
            )
            .otherwise(webhook_deliveries::first_attempt_at)),
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

/// Records the end of a delivery. Does nothing if its lease ended and another server has claimed it.
/// # Errors
/// Returns the error of the database.
pub async fn finish(
    mut conn: &Conn,
    delivery: &DeliveryRow,
    status: DeliveryStatus,
    attempt: &Attempt,
) -> Result<bool> {
    let leased =
        webhook_deliveries::table.find(delivery.id).filter(webhook_deliveries::attempts.eq(delivery.attempts));
    let values = (
        webhook_deliveries::status.eq(status),
        webhook_deliveries::locked_until.eq(None::<DateTime<Utc>>),
        webhook_deliveries::failure.eq(&attempt.failure),
        webhook_deliveries::response_status.eq(attempt.response_status),
        webhook_deliveries::response_excerpt.eq(&attempt.response_excerpt),
        webhook_deliveries::duration_ms.eq(i32::try_from(attempt.duration.as_millis()).unwrap_or(i32::MAX)),
    );
    Ok(diesel::update(leased).set(values).execute(&mut conn).await? == 1)
}

/// Sets when the next attempt of a delivery is due.
/// # Errors
/// Returns the error of the database.
pub async fn retry_at(mut conn: &Conn, id: WebhookDeliveryId, at: DateTime<Utc>) -> Result<()> {
    let query = diesel::update(webhook_deliveries::table.find(id));
    query.set(webhook_deliveries::attempt_at.eq(at)).execute(&mut conn).await?;
    Ok(())
}

/// Returns claimed deliveries for which no attempt was made.
/// # Errors
/// Returns the error of the database.
pub async fn release(mut conn: &Conn, ids: &[WebhookDeliveryId]) -> Result<()> {
    let values = (
        webhook_deliveries::attempts.eq(webhook_deliveries::attempts - 1),
        webhook_deliveries::locked_until.eq(None::<DateTime<Utc>>),
    );
    diesel::update(webhook_deliveries::table.filter(webhook_deliveries::id.eq_any(ids)))
        .set(values)
        .execute(&mut conn)
        .await?;
    Ok(())
}

/// Queues the deliveries of a subscription that are pending again, due immediately.
/// # Errors
/// Returns the error of the database.
pub async fn resume(mut conn: &Conn, subscription: WebhookSubscriptionId) -> Result<()> {
    let pending = webhook_deliveries::table
        .filter(webhook_deliveries::subscription_id.eq(subscription))
        .filter(webhook_deliveries::status.eq(DeliveryStatus::Pending));
    let values =
        (webhook_deliveries::attempt_at.eq(now), webhook_deliveries::first_attempt_at.eq(None::<DateTime<Utc>>));
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

/// Deletes deliveries that ended before a time, at most `limit`; returns their number. Those that failed are kept longer than
/// others.
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
             SELECT id FROM webhook_deliveries WHERE (status IN ('delivered', 'skipped') AND created_at < $1)
                 OR (status IN ('failed', 'pending') AND created_at < $2) LIMIT $3)",
    );
    let query = query.bind::<Timestamptz, _>(time).bind::<Timestamptz, _>(failed_time).bind::<BigInt, _>(limit);
    Ok(query.execute(&mut conn).await?)
}
