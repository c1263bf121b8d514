//! Subscriptions that staff create, update and delete.
//! Rule: a subscription sends what its owner may see, so only the owner changes what is sent, and where.

use chrono::{TimeDelta, Utc};

use super::required_scope;
use crate::{
    auth::{Viewer, secret},
    db::Db,
    error::{Error, Result, UserErrorCode},
    ids::WebhookSubscriptionId,
    outbound::Addresses,
    webhooks::{
        model::{
            MAX_SUBSCRIPTIONS, NewSubscription, Owner, SubscriptionPatch, SubscriptionRow, SubscriptionStatus,
            subscription::check_permissions,
        },
        store,
    },
};

/// Time for which payloads are also signed with the secret that was replaced, so that a receiver can change to the new one.
const SECRET_OVERLAP: TimeDelta = TimeDelta::hours(24);

/// Prefix of generated secrets.
const SECRET_PREFIX: &str = "souk_w_";

/// Checks the GraphQL document of a subscription.
pub trait CheckQuery {
    /// Checks that the document can be executed.
    /// # Errors
    /// A user error for the field `query`.
    fn check(&self, query: &str) -> impl Future<Output = Result<()>> + Send;
}

/// Creates a subscription. The second value is its secret if it was generated.
/// # Errors
/// FORBIDDEN without the permission; PERMISSION_NOT_HELD for events that the viewer may not see; user errors for invalid fields.
pub async fn create(
    db: &Db,
    viewer: &Viewer,
    new: NewSubscription,
    addresses: Addresses,
    queries: &impl CheckQuery,
) -> Result<(SubscriptionRow, Option<String>)> {
    required_scope(viewer)?;
    let owner = Owner::of(viewer)?;
    let new = new.checked(addresses)?;
    check_permissions(viewer, &new.events, new.website)?;
    if let Some(query) = &new.query {
        queries.check(query).await?;
    }
    let generated = new.secret.is_none().then(|| secret::generate(SECRET_PREFIX).0);
    let secret = new.secret.as_deref().or(generated.as_deref()).unwrap_or_default();
    let row = db.transaction(async |conn| {
        if store::total(conn).await? >= MAX_SUBSCRIPTIONS {
            let rule = format!("there are already {MAX_SUBSCRIPTIONS} webhook subscriptions; delete one first");
            return Err(Error::user(UserErrorCode::OutOfRange, "", rule));
        }
        store::insert(conn, owner, &new, secret).await
    });
    Ok((row.await?, generated))
}

/// Updates a subscription. If it is enabled, or has another URL, what waits is delivered at once.
/// # Errors
/// As [`create`]; NOT_FOUND; PROTECTED if the viewer is not the owner, and changes more than whether it is enabled.
pub async fn update(
    db: &Db,
    viewer: &Viewer,
    id: WebhookSubscriptionId,
    patch: SubscriptionPatch,
    addresses: Addresses,
    queries: &impl CheckQuery,
) -> Result<SubscriptionRow> {
    let scope = required_scope(viewer)?;
    let editor = Owner::of(viewer)?;
    let patch = patch.checked(addresses)?;
    if let Some(Some(query)) = &patch.query {
        queries.check(query).await?;
    }
    db.transaction(async |conn| {
        let row = store::lock(conn, &scope, id).await?.ok_or_else(not_found)?;
        if !patch.is_only_status() && !row.owner().includes(editor) {
            let rule = "only its owner can change what a webhook subscription sends, and where; others can enable, disable and \
                        delete it, and create their own";
            return Err(Error::user(UserErrorCode::Protected, "id", rule));
        }
        let is_sending_others = patch.events.is_some() || patch.website.is_some();
        let changed = patched(row, patch.clone());
        if is_sending_others {
            check_permissions(viewer, &changed.events, changed.website_id)?;
        }
        if patch.is_enabled == Some(true) || patch.url.is_some() {
            store::deliveries::resume(conn, id).await?;
        }
        store::save(conn, &changed).await
    })
    .await
}

fn patched(mut row: SubscriptionRow, patch: SubscriptionPatch) -> SubscriptionRow {
    let SubscriptionPatch { url, events, website, query, secret, is_enabled } = patch;
    if let Some(url) = url {
        row.url = url;
        (row.failures, row.failing_since) = (0, None);
    }
    row.events = events.unwrap_or(row.events);
    row.website_id = website.unwrap_or(row.website_id);
    row.query = query.unwrap_or(row.query);
    if let Some(secret) = secret.filter(|secret| *secret != row.secret) {
        row.previous_secret = Some(std::mem::replace(&mut row.secret, secret));
        row.previous_secret_until = Some(Utc::now() + SECRET_OVERLAP);
    }
    match is_enabled {
        Some(true) => {
            (row.status, row.disabled_reason) = (SubscriptionStatus::Active, None);
            (row.failures, row.failing_since) = (0, None);
        }
        Some(false) if row.status == SubscriptionStatus::Active => {
            (row.status, row.disabled_reason) = (SubscriptionStatus::Disabled, Some("disabled by staff".to_owned()));
        }
        Some(false) | None => {}
    }
    row
}

/// Deletes a subscription. Its deliveries are not made any more, and are deleted within an hour.
/// # Errors
/// FORBIDDEN without the permission; NOT_FOUND.
pub async fn delete(db: &Db, viewer: &Viewer, id: WebhookSubscriptionId) -> Result<()> {
    let scope = required_scope(viewer)?;
    db.transaction(async |conn| {
        store::lock(conn, &scope, id).await?.ok_or_else(not_found)?;
        store::delete(conn, id).await
    })
    .await
}

pub(super) fn not_found() -> Error {
    Error::not_found("id", "webhook subscription")
}
