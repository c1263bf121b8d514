//! The payment provider trait with its calls and outcomes, and the registry of configured providers.
//! Rule: a provider knows nothing of orders, rows or people. It gets a key, an amount and its own reference of the
//! payment. No provider is called while a database connection is held.

pub mod manual;
pub mod signature;
pub mod test;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use rust_decimal::Decimal;
use tokio::time::timeout;
use uuid::Uuid;

use self::{manual::Manual, test::TestProvider};
use super::model::{Kind, Method, ProviderName};
use crate::{
    config::PaymentCapture,
    error::{Error, Result},
    money::Currency,
};

/// Timeout of a call to a provider.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Headers of a webhook request; names in lower case, repeated headers joined by a comma.
pub type Headers = BTreeMap<String, String>;

/// A call to a provider.
#[derive(Debug, Clone)]
pub struct Call {
    /// Idempotency key of the operation. It never changes: two calls with the same key must have one effect.
    pub key: Uuid,
    /// Operation to execute.
    pub kind: Kind,
    /// Payment method.
    pub method: Method,
    /// Amount.
    pub amount: Decimal,
    /// Currency of the amount.
    pub currency: Currency,
    /// The provider's reference of the payment; none before the authorization.
    pub reference: Option<String>,
    /// Token for the customer's card or account; given for the authorization only.
    pub source: Option<String>,
}

/// Outcome of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationOutcome {
    /// The operation succeeded. Final.
    Done {
        /// The provider's reference of the operation. The reference of an authorization becomes that of the payment and
        /// is part of every later call.
        reference: String,
    },
    /// The operation was declined. Final: it will never be executed with this key.
    Declined {
        /// Failure code such as `card_declined`. Visible to the customer.
        failure: String,
    },
    /// The provider has accepted the operation and reports the outcome later.
    Pending {
        /// The provider's reference, if it is known already.
        reference: Option<String>,
    },
}

/// The outcome of an operation is unknown: the connection failed, the response is invalid, or the provider has an
/// error. The text is logged and must not contain a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownOutcome(pub String);

/// A webhook event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The provider's ID of the event, 1 to 200 characters; the same for each delivery.
    pub id: String,
    /// Key of the operation that the event is about.
    pub key: Uuid,
    /// Outcome of the operation.
    pub outcome: OperationOutcome,
}

/// Reason why a webhook is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookRejection {
    /// The signature is missing or wrong, or its time differs from the current time by more than five minutes.
    InvalidSignature,
    /// The signature is valid but the body is not a known event.
    Malformed,
    /// The provider is not configured or sends no webhooks.
    NotFound,
}

/// A payment provider. An implementation must follow these rules.
///
/// **Keys.** Every call has a [`Call::key`], which is unique per operation and never changes. Pass it to the provider
/// as its idempotency key. A call can be repeated with the same key at any time, even days later by another process: it
/// must be executed once and return the first outcome. If the provider forgets keys after a while, look the operation
/// up first, by a reference or by metadata that contains the key.
///
/// **Outcomes.** Return [`OperationOutcome::Declined`] only if the provider stated explicitly that the operation was
/// not executed and never will be with this key: a declined card, insufficient funds, an expired authorization.
/// Everything else is [`UnknownOutcome`]: a timeout, a broken connection, status 5xx, 409 or 429, an unreadable
/// response. An unknown operation stays pending and is retried; a settled one never changes. Never discard an outcome;
/// the caller decides whether it is new.
///
/// **Time.** The caller drops the future after [`RESPONSE_TIMEOUT`], at any await point; the operation may have been
/// executed all the same. So keep no state in memory between calls, hold no lock across an await, and give the
/// provider's HTTP client a shorter timeout.
///
/// **Lookup.** [`Provider::look_up`] returns the outcome of the operation with this key and has no side effects. `None`
/// means that the provider has never received the key; the caller then executes the operation with the same key. If
/// that is not certain, return [`UnknownOutcome`]: the lookup is retried with exponential backoff, up to one hour,
/// until the outcome is known.
///
/// **Webhooks.** [`Provider::webhook`] verifies the signature of the raw body in constant time before it parses the
/// body, and rejects requests that were signed more than five minutes before or after `now` ([`signature`] does both).
/// It reads only its arguments and has no side effects. Events can arrive twice, late, in any order, and before the
/// response to the call that caused them. The caller handles that by [`Event::id`] and [`Event::key`], so both must be
/// covered by the signature. Events that are not about an operation (a dispute, a payout) are `Malformed`; configure
/// the provider not to send them.
///
/// **Secrets.** Card and account numbers never reach this process: [`Call::source`] is a token that the customer's
/// browser got from the provider. It is stored in the job that resolves the authorization and deleted with it. It must
/// not appear in a log line, reference or failure code. The provider's own secret comes from the settings.
///
/// **Amounts.** Execute exactly [`Call::amount`] of [`Call::currency`], converted to the provider's unit (most want
/// minor units, and not every currency has 100 of them). A payment can be captured in several parts up to the
/// authorized amount; a void releases everything that is authorized and not captured. A provider that cannot do one of
/// these returns `Declined`.
pub trait Provider: Send + Sync {
    /// Checks whether the provider accepts this method and source. Called before anything is written.
    /// # Errors
    /// A user error of `method` or `source`.
    fn check(&self, method: Method, source: Option<&str>) -> Result<()>;

    /// Returns whether staff must confirm that the money has arrived before it is captured. Such payments are never
    /// captured automatically.
    fn requires_manual_capture(&self) -> bool {
        false
    }

    /// Reserves the amount on the source.
    fn authorize<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>>;

    /// Collects an authorized amount.
    fn capture<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>>;

    /// Releases the amount that is authorized and not captured.
    fn void<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>>;

    /// Pays a captured amount back.
    fn refund<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>>;

    /// Returns the outcome of the operation with this key; none if the provider has never received it.
    fn look_up<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Option<OperationOutcome>, UnknownOutcome>>;

    /// Verifies and parses a webhook.
    /// # Errors
    /// [`WebhookRejection`]; `NotFound` from a provider that sends no webhooks.
    fn webhook(&self, headers: &Headers, body: &[u8], now: DateTime<Utc>) -> Result<Event, WebhookRejection>;
}

/// The configured providers of this process.
pub struct Providers {
    list: BTreeMap<&'static str, Arc<dyn Provider>>,
    test: Option<Arc<TestProvider>>,
    timeout: Duration,
    capture: PaymentCapture,
}

impl Providers {
    /// Creates an empty registry with this timeout for each call.
    pub fn new(timeout: Duration, capture: PaymentCapture) -> Self {
        Self { list: BTreeMap::new(), test: None, timeout, capture }
    }

    /// Creates the registry with the named providers; `test` is given if it is among them.
    /// # Errors
    /// A user error for an unknown name.
    pub fn open(names: &[String], capture: PaymentCapture, test: Option<TestProvider>) -> Result<Self> {
        let known = |name: &String| ProviderName::ALL.iter().any(|provider| provider.as_str() == name);
        if let Some(name) = names.iter().find(|name| !known(name)) {
            let rule = format!("{name:?} is not a payment provider; use `manual`, `test` or both");
            return Err(Error::bad_input("SOUK_PAYMENT_PROVIDERS", rule));
        }
        let mut providers = Self::new(RESPONSE_TIMEOUT, capture);
        if names.iter().any(|name| name == ProviderName::Manual.as_str()) {
            providers = providers.with(ProviderName::Manual, Arc::new(Manual));
        }
        Ok(match test {
            Some(test) => providers.with_test(test),
            None => providers,
        })
    }

    /// Adds a provider.
    #[must_use]
    pub fn with(mut self, name: ProviderName, provider: Arc<dyn Provider>) -> Self {
        self.list.insert(name.as_str(), provider);
        self
    }

    /// Adds the test provider, whose webhooks this process sends to itself.
    #[must_use]
    pub fn with_test(mut self, provider: TestProvider) -> Self {
        let provider = Arc::new(provider);
        self.test = Some(Arc::clone(&provider));
        self.with(ProviderName::Test, provider)
    }

    /// Returns a provider, if it is configured.
    pub fn get(&self, name: ProviderName) -> Option<&dyn Provider> {
        self.list.get(name.as_str()).map(Arc::as_ref)
    }

    /// Returns the test provider, if it is configured.
    pub fn test(&self) -> Option<&TestProvider> {
        self.test.as_deref()
    }

    /// Returns the timeout of a call.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns whether authorized payments of this provider are captured automatically.
    pub fn captures_immediately(&self, name: ProviderName) -> bool {
        self.capture == PaymentCapture::AtOnce
            && self.get(name).is_some_and(|provider| !provider.requires_manual_capture())
    }

    /// Executes an operation, with a timeout and without holding a database connection.
    /// # Errors
    /// If the outcome is unknown.
    pub async fn execute(&self, name: ProviderName, call: &Call) -> Result<OperationOutcome, UnknownOutcome> {
        let provider = self.get(name).ok_or_else(not_configured)?;
        let operation = match call.kind {
            Kind::Authorize => provider.authorize(call),
            Kind::Capture => provider.capture(call),
            Kind::Void => provider.void(call),
            Kind::Refund => provider.refund(call),
        };
        timeout(self.timeout, operation)
            .await
            .map_err(|_| UnknownOutcome("the provider did not respond in time".into()))?
    }

    /// Looks up the outcome of an operation, and executes it if the provider has never received it.
    /// # Errors
    /// If the outcome is unknown.
    pub async fn look_up_or_execute(
        &self,
        name: ProviderName,
        call: &Call,
    ) -> Result<OperationOutcome, UnknownOutcome> {
        let provider = self.get(name).ok_or_else(not_configured)?;
        let found = timeout(self.timeout, provider.look_up(call)).await;
        match found.map_err(|_| UnknownOutcome("the provider did not respond to the lookup in time".into()))?? {
            Some(outcome) => Ok(outcome),
            None => self.execute(name, call).await,
        }
    }
}

fn not_configured() -> UnknownOutcome {
    UnknownOutcome("the provider is not configured".into())
}
