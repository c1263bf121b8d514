//! Webhook subscriptions: rows, inputs and their validation.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    auth::{AuthMethod, Viewer},
    db::tables::webhook_subscriptions,
    error::{Error, Result, UserError, UserErrorCode},
    events::model::ShopEventKind,
    ids::{ApiKeyId, UserId, WebhookSubscriptionId, WebsiteId},
    outbound::{self, Addresses},
    text::{Validator, trim},
    text_enum,
};

/// Maximum number of subscriptions. Each costs every change a little.
pub const MAX_SUBSCRIPTIONS: i64 = 100;

/// Maximum length of a URL, in characters.
const MAX_URL: usize = 2_000;
/// Maximum length of a query, in characters.
const MAX_QUERY: usize = 20_000;
/// Length of a secret, in characters.
const SECRET_LENGTH: std::ops::RangeInclusive<usize> = 16..=255;

text_enum! {
    /// Status of a webhook subscription.
    #[graphql(name = "WebhookSubscriptionStatus")]
    pub enum SubscriptionStatus {
        /// Events are delivered.
        Active => "active",
        /// Events are not delivered, because all deliveries failed for 3 days, or staff disabled the subscription.
        Disabled => "disabled",
    }
}

/// Who a subscription belongs to: payloads show what they may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The user.
    pub user: UserId,
    /// The API key that the user's program used.
    pub api_key: Option<ApiKeyId>,
}

impl Owner {
    /// Returns whether a viewer may change what the owner's subscription sends: the owner, and for an API key also its user.
    pub fn includes(self, viewer: Self) -> bool {
        self.user == viewer.user && (viewer.api_key.is_none() || self.api_key == viewer.api_key)
    }

    /// Returns the viewer as an owner.
    /// # Errors
    /// UNAUTHENTICATED for anonymous viewers.
    pub fn of(viewer: &Viewer) -> Result<Self> {
        let user = viewer.require_user()?;
        let api_key = viewer.identity().and_then(|identity| match identity.auth_method {
            AuthMethod::ApiKey(id) => Some(id),
            AuthMethod::Session(_) | AuthMethod::System => None,
        });
        Ok(Self { user, api_key })
    }
}

/// A row of `webhook_subscriptions`.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = webhook_subscriptions, check_for_backend(diesel::pg::Pg))]
pub struct SubscriptionRow {
    /// Primary key.
    pub id: WebhookSubscriptionId,
    /// User who created the subscription.
    pub user_id: UserId,
    /// API key with which it was created.
    pub api_key_id: Option<ApiKeyId>,
    /// Where events are sent.
    pub url: String,
    /// Kinds of events.
    pub events: Vec<ShopEventKind>,
    /// Website of the events; none for all.
    pub website_id: Option<WebsiteId>,
    /// GraphQL document of the payload; none for the default one.
    pub query: Option<String>,
    /// Version of the payload.
    pub version: i32,
    /// Signs the payloads.
    pub secret: String,
    /// Signs them as well, until [`SubscriptionRow::previous_secret_until`].
    pub previous_secret: Option<String>,
    /// See [`SubscriptionRow::previous_secret`].
    pub previous_secret_until: Option<DateTime<Utc>>,
    /// Current status.
    pub status: SubscriptionStatus,
    /// Why it is disabled.
    pub disabled_reason: Option<String>,
    /// Attempts that failed since the last one that succeeded.
    pub failures: i32,
    /// When the first of them was.
    pub failing_since: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last updated.
    pub updated_at: DateTime<Utc>,
}

impl SubscriptionRow {
    /// Returns the owner.
    pub fn owner(&self) -> Owner {
        Owner { user: self.user_id, api_key: self.api_key_id }
    }

    /// Returns the secrets that sign a payload at this time.
    pub fn secrets(&self, now: DateTime<Utc>) -> Vec<&str> {
        let is_valid = self.previous_secret_until.is_some_and(|until| until > now);
        let previous = self.previous_secret.as_deref().filter(|_| is_valid);
        std::iter::once(self.secret.as_str()).chain(previous).collect()
    }
}

/// Fields of a new subscription.
#[derive(Clone)]
pub struct NewSubscription {
    /// See [`SubscriptionRow`].
    pub url: String,
    /// See [`SubscriptionRow`].
    pub events: Vec<ShopEventKind>,
    /// See [`SubscriptionRow`].
    pub website: Option<WebsiteId>,
    /// See [`SubscriptionRow`].
    pub query: Option<String>,
    /// See [`SubscriptionRow`]; a random one by default.
    pub secret: Option<String>,
}

/// Changes to a subscription; absent fields keep their values, an inner `None` clears them.
#[derive(Clone, Default)]
pub struct SubscriptionPatch {
    /// See [`SubscriptionRow`].
    pub url: Option<String>,
    /// See [`SubscriptionRow`].
    pub events: Option<Vec<ShopEventKind>>,
    /// See [`SubscriptionRow`].
    pub website: Option<Option<WebsiteId>>,
    /// See [`SubscriptionRow`].
    pub query: Option<Option<String>>,
    /// See [`SubscriptionRow`].
    pub secret: Option<String>,
    /// Whether events are delivered.
    pub is_enabled: Option<bool>,
}

impl SubscriptionPatch {
    /// Returns whether the patch only enables or disables the subscription.
    pub fn is_only_status(&self) -> bool {
        let Self { url, events, website, query, secret, is_enabled: _ } = self;
        url.is_none() && events.is_none() && website.is_none() && query.is_none() && secret.is_none()
    }
}

impl NewSubscription {
    /// Validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self, addresses: Addresses) -> Result<Self> {
        let mut validator = Validator::new();
        check_url(&mut validator, &mut self.url, addresses);
        check_events(&mut validator, &mut self.events);
        check_query(&mut validator, &mut self.query);
        check_secret(&mut validator, &mut self.secret);
        validator.finish()?;
        Ok(self)
    }
}

impl SubscriptionPatch {
    /// Validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self, addresses: Addresses) -> Result<Self> {
        let mut validator = Validator::new();
        if let Some(url) = &mut self.url {
            check_url(&mut validator, url, addresses);
        }
        if let Some(events) = &mut self.events {
            check_events(&mut validator, events);
        }
        if let Some(query) = &mut self.query {
            check_query(&mut validator, query);
        }
        check_secret(&mut validator, &mut self.secret);
        validator.finish()?;
        Ok(self)
    }
}

fn check_url(validator: &mut Validator, url: &mut String, addresses: Addresses) {
    validator.text("url", url, MAX_URL);
    if let (false, Err(why)) = (url.is_empty(), outbound::parse(url, addresses)) {
        validator.add(UserError::new(UserErrorCode::Invalid, "url", why.to_string()));
    }
}

fn check_events(validator: &mut Validator, events: &mut Vec<ShopEventKind>) {
    if events.is_empty() {
        validator.add(UserError::new(UserErrorCode::Required, "events", "must have at least one event"));
    }
    let mut kinds: Vec<_> = ShopEventKind::ALL.to_vec();
    kinds.retain(|kind| events.contains(kind));
    *events = kinds;
}

fn check_query(validator: &mut Validator, query: &mut Option<String>) {
    *query = query.as_deref().map(trim).filter(|query| !query.is_empty()).map(str::to_owned);
    if query.as_ref().is_some_and(|query| query.chars().count() > MAX_QUERY) {
        let rule = format!("must have at most {MAX_QUERY} characters");
        validator.add(UserError::new(UserErrorCode::TooLong, "query", rule));
    }
}

fn check_secret(validator: &mut Validator, secret: &mut Option<String>) {
    let Some(secret) = secret else { return };
    *secret = trim(secret).to_owned();
    if !SECRET_LENGTH.contains(&secret.len()) || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        let (min, max) = (SECRET_LENGTH.start(), SECRET_LENGTH.end());
        let rule = format!("must have {min} to {max} printable ASCII characters without spaces");
        validator.add(UserError::new(UserErrorCode::Invalid, "secret", rule));
    }
}

/// Checks that a viewer may subscribe to events.
/// # Errors
/// PERMISSION_NOT_HELD for an event whose permission the viewer lacks, or a website that the viewer's role does not cover.
pub(in crate::webhooks) fn check_permissions(
    viewer: &Viewer,
    events: &[ShopEventKind],
    website: Option<WebsiteId>,
) -> Result<()> {
    let is_limited = viewer.identity().is_some_and(|identity| identity.websites.is_some());
    let error = |field: &'static str, rule: String| Err(Error::user(UserErrorCode::PermissionNotHeld, field, rule));
    if let Some(event) = events.iter().find(|event| !viewer.can(event.permission())) {
        let name = event.as_str().to_uppercase();
        return error("events", format!("{name} requires the permission {}", event.permission()));
    }
    if website.is_some() && events.contains(&ShopEventKind::JobDied) {
        let rule = "JOB_DIED belongs to no website: leave out website, or subscribe to it separately";
        return Err(Error::bad_input("events", rule));
    }
    match website {
        None if is_limited => error("website", "your role is limited to websites: set one of them".to_owned()),
        Some(website) if !viewer.can_access_website(website) => {
            error("website", "your role is limited to other websites".to_owned())
        }
        _ => Ok(()),
    }
}
