//! What moves the money: the trait of a payment provider, what is asked of it and what it answers, and those of this
//! process. Rule: a provider knows nothing of orders, rows or people; it is told a key, an amount and what it called the
//! payment before. Nothing here is called while a database connection is held.

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

/// How long a provider may take to answer before nobody waits for it any more.
pub const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The headers of a webhook, names in lower case; several of one name are joined by a comma.
pub type Headers = BTreeMap<String, String>;

/// What is asked of a provider.
#[derive(Debug, Clone)]
pub struct Call {
    /// The idempotency key of this operation, for good: asked twice with one key, the provider does it once.
    pub key: Uuid,
    /// What is to be done.
    pub kind: Kind,
    /// How the customer pays.
    pub method: Method,
    /// How much.
    pub amount: Decimal,
    /// Of which currency.
    pub currency: Currency,
    /// What the provider called the payment when it was authorised; none before.
    pub reference: Option<String>,
    /// The token that stands for the customer's card or account, while it is authorised; none afterwards.
    pub source: Option<String>,
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationOutcome {
    /// It was done, for good.
    Done {
        /// What the provider calls it. That of an authorisation is the payment's, and comes with every later call.
        reference: String,
    },
    /// It was refused, for good: with this key it will never be done.
    Declined {
        /// Why, in a word such as `card_declined`. The customer reads it.
        failure: String,
    },
    /// The provider has it, and tells later.
    Pending {
        /// What the provider calls it, where it says so already.
        reference: Option<String>,
    },
}

/// Nobody knows what became of an operation: the connection failed, the answer made no sense, the provider has a fault.
/// The text is logged: no secret may be in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownOutcome(pub String);

/// What a webhook tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The provider's own id of the event, 1 to 200 characters: the same each time it is told.
    pub id: String,
    /// The key of the operation that it is about.
    pub key: Uuid,
    /// What became of it.
    pub outcome: OperationOutcome,
}

/// Why a webhook is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebhookRejection {
    /// The signature is missing or wrong, or its time is more than five minutes off.
    InvalidSignature,
    /// It is signed, and says nothing that can be understood.
    Malformed,
    /// There is no such provider here, or it tells nothing by webhook.
    NotFound,
}

/// A payment provider: what a real one has to do.
///
/// **Keys.** Every call carries [`Call::key`], which is new for each operation and stays with it. Hand it to the provider as
/// its idempotency key. A call may come again with the same key at any time, by a process that died in between and days
/// later: it must be done once, and answered as the first time. A provider that forgets keys after a while has to be asked by
/// `look_up` first, by a reference or metadata that holds the key.
///
/// **Answers.** Say [`OperationOutcome::Declined`] only where the provider said in so many words that it did not do it and never will
/// by this key: a declined card, too little money, an authorisation that is over. Everything else is [`UnknownOutcome`]: a time
/// limit, a broken connection, a status of 5xx, 409 or 429, an answer that cannot be read. An unknown operation stays
/// pending and is looked after; one that is settled stays so for good. Never throw an answer away: whatever was understood is
/// returned, and it is for the caller to see whether it is news.
///
/// **Time.** The caller gives up after [`RESPONSE_TIMEOUT`] and drops the future, wherever it stands; the operation may have been done
/// all the same. So keep nothing in memory between calls, hold no lock across an await, and give the client of the provider
/// a time limit of its own that is shorter.
///
/// **Looking up.** [`Provider::look_up`] asks what became of the operation with this key, without doing anything. `None` says
/// that the provider has never heard of the key; the caller then asks for the operation again by the same key. Where that
/// cannot be told, return [`UnknownOutcome`]: it is asked again later, with longer and longer pauses up to an hour, until it is known.
///
/// **Webhooks.** [`Provider::webhook`] checks the signature over the raw body in constant time before it reads any of it, and
/// refuses what is signed more than five minutes before or after `now` ([`signature`] does both). It reads nothing
/// but its arguments and writes nothing. Events may come twice, late, in any order, and before the answer to the call that
/// caused them; the caller sorts that out by [`Event::id`] and [`Event::key`], so both must come from what is signed. Events
/// that tell nothing of an operation (a dispute, a payout) are `Malformed`, unless the provider is told to send none.
///
/// **Secrets.** No number of a card or an account ever reaches this process: [`Call::source`] is a token that the customer's
/// browser got from the provider. It is kept in the job that looks after the authorisation, and goes when that is settled. It
/// must be in no log line, reference or failure. The provider's own secret comes by the settings.
///
/// **Amounts.** Capture exactly [`Call::amount`] of [`Call::currency`], in the provider's own unit (most want cents, and not
/// every currency has a hundred of them). A payment may be captured in several parts, while less is taken than authorised;
/// a void gives back all that is authorised and not captured. A provider that cannot do one of it says `Declined`.
pub trait Provider: Send + Sync {
    /// Whether it takes this method, by this source. Asked before anything is written.
    /// # Errors
    /// A user error of `method` or `source`.
    fn check(&self, method: Method, source: Option<&str>) -> Result<()>;

    /// Whether an authorisation is no more than a promise, and people have to see the money before it is captured: such a
    /// payment is never captured by itself.
    fn requires_manual_capture(&self) -> bool {
        false
    }

    /// Holds the money of the source for us.
    fn authorize<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>>;

    /// Takes held money.
    fn capture<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>>;

    /// Gives back what is held and not taken.
    fn void<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>>;

    /// Pays back money that was taken.
    fn refund<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>>;

    /// What became of the operation with this key; none where the provider never heard of it.
    fn look_up<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Option<OperationOutcome>, UnknownOutcome>>;

    /// What a webhook tells.
    /// # Errors
    /// [`WebhookRejection`]; `NotFound` from a provider that sends none.
    fn webhook(&self, headers: &Headers, body: &[u8], now: DateTime<Utc>) -> Result<Event, WebhookRejection>;
}

/// The providers of this process, and how they are used.
pub struct Providers {
    list: BTreeMap<&'static str, Arc<dyn Provider>>,
    test: Option<Arc<TestProvider>>,
    timeout: Duration,
    capture: PaymentCapture,
}

impl Providers {
    /// No provider at all; each may take so long to answer.
    pub fn new(timeout: Duration, capture: PaymentCapture) -> Self {
        Self { list: BTreeMap::new(), test: None, timeout, capture }
    }

    /// Those with these names; the test provider where it is among them.
    /// # Errors
    /// A user error for a name that no provider has.
    pub fn open(names: &[String], capture: PaymentCapture, test: Option<TestProvider>) -> Result<Self> {
        let known = |name: &String| ProviderName::ALL.iter().any(|provider| provider.as_str() == name);
        if let Some(name) = names.iter().find(|name| !known(name)) {
            let rule = format!("there is no payment provider {name:?}: name `manual`, `test` or both");
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

    /// The same, and this one.
    #[must_use]
    pub fn with(mut self, name: ProviderName, provider: Arc<dyn Provider>) -> Self {
        self.list.insert(name.as_str(), provider);
        self
    }

    /// The same, and the test provider, whose webhooks this process sends to itself.
    #[must_use]
    pub fn with_test(mut self, provider: TestProvider) -> Self {
        let provider = Arc::new(provider);
        self.test = Some(Arc::clone(&provider));
        self.with(ProviderName::Test, provider)
    }

    /// One of them.
    pub fn get(&self, name: ProviderName) -> Option<&dyn Provider> {
        self.list.get(name.as_str()).map(Arc::as_ref)
    }

    /// The test provider, where there is one.
    pub fn test(&self) -> Option<&TestProvider> {
        self.test.as_deref()
    }

    /// How long each may take to answer.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Whether what this one authorises is captured by itself.
    pub fn captures_immediately(&self, name: ProviderName) -> bool {
        self.capture == PaymentCapture::AtOnce
            && self.get(name).is_some_and(|provider| !provider.requires_manual_capture())
    }

    /// Asks a provider to do something. Holds no connection, and waits no longer than the limit.
    /// # Errors
    /// Where nobody knows what became of it.
    pub async fn execute(&self, name: ProviderName, call: &Call) -> Result<OperationOutcome, UnknownOutcome> {
        let provider = self.get(name).ok_or_else(not_configured)?;
        let operation = match call.kind {
            Kind::Authorize => provider.authorize(call),
            Kind::Capture => provider.capture(call),
            Kind::Void => provider.void(call),
            Kind::Refund => provider.refund(call),
        };
        timeout(self.timeout, operation).await.map_err(|_| UnknownOutcome("it took too long to answer".into()))?
    }

    /// Asks a provider what became of an operation, and for the operation again where it never heard of it.
    /// # Errors
    /// Where nobody knows.
    pub async fn look_up_or_execute(
        &self,
        name: ProviderName,
        call: &Call,
    ) -> Result<OperationOutcome, UnknownOutcome> {
        let provider = self.get(name).ok_or_else(not_configured)?;
        let found = timeout(self.timeout, provider.look_up(call)).await;
        match found.map_err(|_| UnknownOutcome("it took too long to look up".into()))?? {
            Some(outcome) => Ok(outcome),
            None => self.execute(name, call).await,
        }
    }
}

fn not_configured() -> UnknownOutcome {
    UnknownOutcome("this provider is not set up here".into())
}
