//! Every statement on webhook subscriptions; those on deliveries are in [`deliveries`].
//! Scope: `All` sees every subscription, `Websites` those of its websites, all other scopes see none.

pub mod deliveries;

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::model::{
    NewSubscription, Owner, SubscriptionCondition, SubscriptionOrderField, SubscriptionRow, SubscriptionStatus, VERSION,
};
use crate::{
    auth::Scope,
    db::{
        Conn,
        filter::{Condition, constant},
        list_statements::list_statements,
        sql::{clock_timestamp, from_now, op},
        tables::webhook_subscriptions,
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{UserId, WebhookSubscriptionId},
};

fn visible(scope: &Scope) -> Condition<'static, webhook_subscriptions::table> {
    match scope {
        Scope::All => constant(true),
        Scope::Websites(_, websites) => {
            let websites: Vec<_> = websites.iter().copied().map(Some).collect();
            Box::new(webhook_subscriptions::website_id.eq_any(websites).assume_not_null())
        }
        Scope::Public | Scope::Own(_) | Scope::Guest(_) | Scope::Seller { .. } => constant(false),
    }
}

fn condition(condition: &SubscriptionCondition) -> Condition<'static, webhook_subscriptions::table> {
    match condition {
        SubscriptionCondition::Status(status) => op!(status, webhook_subscriptions::status),
    }
}

list_statements! {
    /// A list of subscriptions.
    SubscriptionList of SubscriptionRow in webhook_subscriptions where SubscriptionCondition by SubscriptionOrderField {
        CreatedAt => created_at: DateTime<Utc>
    }
    for scope by visible
}

/// Returns the visible subscriptions with these ids, in no particular order.
/// # Errors
/// Returns the error of the database.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[WebhookSubscriptionId]) -> Result<Vec<SubscriptionRow>> {
    let query = webhook_subscriptions::table.filter(webhook_subscriptions::id.eq_any(ids)).into_boxed();
    Ok(query.filter(visible(scope)).select(SubscriptionRow::as_select()).load(&mut conn).await?)
}

/// Returns the subscriptions of a user.
/// # Errors
/// Returns the error of the database.
pub async fn all_by_user(mut conn: &Conn, user: UserId) -> Result<Vec<SubscriptionRow>> {
    let own = webhook_subscriptions::table.filter(webhook_subscriptions::user_id.eq(user));
    Ok(own.order(webhook_subscriptions::id).select(SubscriptionRow::as_select()).load(&mut conn).await?)
}

/// Locks a visible subscription and returns it.
/// # Errors
/// Returns the error of the database.
pub async fn lock(mut conn: &Conn, scope: &Scope, id: WebhookSubscriptionId) -> Result<Option<SubscriptionRow>> {
    let query = webhook_subscriptions::table.filter(visible(scope)).filter(webhook_subscriptions::id.eq(id));
    Ok(query.select(SubscriptionRow::as_select()).for_no_key_update().first(&mut conn).await.optional()?)
}

/// Returns the number of subscriptions.
/// # Errors
/// Returns the error of the database.
pub async fn total(mut conn: &Conn) -> Result<i64> {
    Ok(webhook_subscriptions::table.count().get_result(&mut conn).await?)
}

/// Inserts a subscription.
/// # Errors
/// NOT_FOUND for an unknown website.
pub async fn insert(mut conn: &Conn, owner: Owner, new: &NewSubscription, secret: &str) -> Result<SubscriptionRow> {
    let values = (
        webhook_subscriptions::user_id.eq(owner.user),
        webhook_subscriptions::api_key_id.eq(owner.api_key),
        webhook_subscriptions::url.eq(&new.url),
        webhook_subscriptions::events.eq(&new.events),
        webhook_subscriptions::website_id.eq(new.website),
        webhook_subscriptions::query.eq(&new.query),
        webhook_subscriptions::version.eq(VERSION),
        webhook_subscriptions::secret.eq(secret),
    );
    let query = diesel::insert_into(webhook_subscriptions::table).values(values);
    query.returning(SubscriptionRow::as_returning()).get_result(&mut conn).await.map_err(refused)
}

/// Saves all fields that staff can change.
/// # Errors
/// NOT_FOUND for an unknown website.
pub async fn save(mut conn: &Conn, row: &SubscriptionRow) -> Result<SubscriptionRow> {
    let values = (
        webhook_subscriptions::url.eq(&row.url),
        webhook_subscriptions::events.eq(&row.events),
        webhook_subscriptions::website_id.eq(row.website_id),
        webhook_subscriptions::query.eq(&row.query),
        webhook_subscriptions::secret.eq(&row.secret),
        webhook_subscriptions::previous_secret.eq(&row.previous_secret),
        webhook_subscriptions::previous_secret_until.eq(row.previous_secret_until),
        webhook_subscriptions::status.eq(row.status),
        webhook_subscriptions::disabled_reason.eq(&row.disabled_reason),
        webhook_subscriptions::failures.eq(row.failures),
        webhook_subscriptions::failing_since.eq(row.failing_since),
        webhook_subscriptions::retry_at.eq(None::<DateTime<Utc>>),
    );
    let query = diesel::update(webhook_subscriptions::table.find(row.id)).set(values);
    query.returning(SubscriptionRow::as_returning()).get_result(&mut conn).await.map_err(refused)
}

/// Deletes a subscription. Its deliveries are cleaned up later.
/// # Errors
/// Returns the error of the database.
pub async fn delete(mut conn: &Conn, id: WebhookSubscriptionId) -> Result<()> {
    diesel::delete(webhook_subscriptions::table.find(id)).execute(&mut conn).await?;
    Ok(())
}

/// Deletes the subscriptions of a user.
/// # Errors
/// Returns the error of the database.
pub async fn delete_by_user(mut conn: &Conn, user: UserId) -> Result<()> {
    let own = webhook_subscriptions::table.filter(webhook_subscriptions::user_id.eq(user));
    diesel::delete(own).execute(&mut conn).await?;
    Ok(())
}

/// Records that something was delivered, after attempts that had failed.
/// # Errors
/// Returns the error of the database.
pub async fn record_success(mut conn: &Conn, id: WebhookSubscriptionId) -> Result<()> {
    let failing = webhook_subscriptions::table.find(id).filter(webhook_subscriptions::failures.gt(0));
    let values = (
        webhook_subscriptions::failures.eq(0),
        webhook_subscriptions::failing_since.eq(None::<DateTime<Utc>>),
        webhook_subscriptions::retry_at.eq(None::<DateTime<Utc>>),
    );
    diesel::update(failing).set(values).execute(&mut conn).await?;
    Ok(())
}

/// Records an attempt that failed, and returns the subscription.
/// # Errors
/// Returns the error of the database.
pub async fn record_failure(mut conn: &Conn, id: WebhookSubscriptionId) -> Result<Option<SubscriptionRow>> {
    let values = (
        webhook_subscriptions::failures.eq(webhook_subscriptions::failures + 1),
        webhook_subscriptions::failing_since.eq(diesel::dsl::case_when(
            webhook_subscriptions::failing_since.is_null(),
            clock_timestamp().nullable(),
        )
        .otherwise(webhook_subscriptions::failing_since)),
    );
    let query = diesel::update(webhook_subscriptions::table.find(id)).set(values);
    Ok(query.returning(SubscriptionRow::as_returning()).get_result(&mut conn).await.optional()?)
}

/// Sends nothing to a receiver for some time; none ends the pause.
/// # Errors
/// Returns the error of the database.
pub async fn pause(mut conn: &Conn, id: WebhookSubscriptionId, time: Option<Duration>) -> Result<()> {
    let query = diesel::update(webhook_subscriptions::table.find(id));
    let until = from_now(time.unwrap_or_default()).nullable();
    query.set(webhook_subscriptions::retry_at.eq(until)).execute(&mut conn).await?;
    Ok(())
}

/// Disables a subscription; returns whether it was active. Does nothing if its URL has been changed meanwhile.
/// # Errors
/// Returns the error of the database.
pub async fn disable(mut conn: &Conn, row: &SubscriptionRow, reason: &str) -> Result<bool> {
    let active = webhook_subscriptions::table
        .find(row.id)
        .filter(webhook_subscriptions::url.eq(&row.url))
        .filter(webhook_subscriptions::status.eq(SubscriptionStatus::Active));
    let values = (
        webhook_subscriptions::status.eq(SubscriptionStatus::Disabled),
        webhook_subscriptions::disabled_reason.eq(reason),
    );
    Ok(diesel::update(active).set(values).execute(&mut conn).await? == 1)
}

/// Deletes the secrets that were replaced and sign no payloads any more.
/// # Errors
/// Returns the error of the database.
pub async fn delete_replaced_secrets(mut conn: &Conn) -> Result<()> {
    let replaced = webhook_subscriptions::table
        .filter(webhook_subscriptions::previous_secret_until.lt(clock_timestamp().nullable()));
    let values = (
        webhook_subscriptions::previous_secret.eq(None::<String>),
        webhook_subscriptions::previous_secret_until.eq(None::<DateTime<Utc>>),
    );
    diesel::update(replaced).set(values).execute(&mut conn).await?;
    Ok(())
}

fn refused(error: diesel::result::Error) -> Error {
    Error::from(error).on_constraint("webhook_subscriptions_website_id_fkey", || {
        UserError::new(UserErrorCode::NotFound, "website", "there is no such website")
    })
}
