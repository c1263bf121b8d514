//! A test provider that moves no money; the number of its test card determines the outcome.
//! Rule: it has no state. The outcome of an operation follows from the card and the key. After the authorization the
//! card is identified by a word in the reference, never by its number. Its webhooks are jobs and are signed when they
//! are sent.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt, ready};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::sleep;
use uuid::Uuid;

use super::{
    Call, Event, Headers, OperationOutcome, Provider, RESPONSE_TIMEOUT, UnknownOutcome, WebhookRejection, signature,
};
use crate::{
    db::Db,
    error::{Error, Result},
    jobs::{
        self,
        model::{JobInfo, NewJob},
    },
    payments::model::{Kind, Method},
};

/// The job that sends a webhook.
pub const WEBHOOK: JobInfo = JobInfo::queued("test_payment_webhook", "Sends a webhook of the test payment provider.");

/// Name of the signature header, in lower case.
pub const SIGNATURE_HEADER: &str = "souk-signature";

/// The test cards: number, name in references, and behavior.
pub const CARDS: [(&str, &str, &str); 9] = [
    ("4111111111111111", "succeeds", "everything succeeds"),
    ("4000000000000002", "declined", "the authorization is declined: `card_declined`"),
    ("4000000000000003", "poor", "the authorization is declined: `insufficient_funds`"),
    ("4000000000000004", "later", "everything is pending at first, and succeeds by webhook five seconds later"),
    ("4000000000000005", "twice", "everything succeeds, and the webhook is sent twice"),
    ("4000000000000006", "late", "every call times out, and a webhook reports success afterwards"),
    ("4000000000000007", "early", "every webhook arrives before the response"),
    ("4000000000000008", "uncaptured", "every capture fails: `capture_refused`"),
    ("4000000000000009", "unrefunded", "every refund fails: `refund_refused`"),
];

/// Delays of the test provider.
#[derive(Debug, Clone, Copy)]
pub struct TestDelays {
    /// Delay of the webhook of the card that succeeds later.
    pub later: Duration,
    /// Delay of the response of the card that times out.
    pub late: Duration,
    /// Delay between webhook and response of the card whose webhook is early.
    pub early: Duration,
}

impl Default for TestDelays {
    fn default() -> Self {
        Self {
            later: Duration::from_secs(5),
            late: RESPONSE_TIMEOUT + Duration::from_secs(2),
            early: Duration::from_secs(3),
        }
    }
}

/// The test provider.
pub struct TestProvider {
    db: Db,
    secret: String,
    delays: TestDelays,
}

/// Body of a webhook.
#[derive(Debug, Serialize, Deserialize)]
struct WebhookBody {
    id: String,
    key: Uuid,
    status: EventStatus,
    reference: Option<String>,
    failure: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EventStatus {
    Succeeded,
    Failed,
    Pending,
}

impl TestProvider {
    /// Creates the provider with this secret; its webhooks are queued in this database.
    pub fn new(db: Db, secret: String, delays: TestDelays) -> Self {
        Self { db, secret, delays }
    }

    /// Returns the headers of a webhook with this body, signed at this time.
    pub fn signed_headers(&self, body: &[u8], now: DateTime<Utc>) -> Headers {
        Headers::from([(SIGNATURE_HEADER.to_owned(), signature::sign(&self.secret, body, now))])
    }

    async fn respond(&self, call: &Call) -> Result<OperationOutcome, UnknownOutcome> {
        let word = card(call).ok_or_else(|| UnknownOutcome("the reference does not name a test card".into()))?;
        let outcome = outcome(word, call);
        match word {
            "later" => {
                self.queue_webhook(call, &outcome, self.delays.later).await?;
                Ok(OperationOutcome::Pending { reference: Some(reference(word, call)) })
            }
            "twice" => {
                self.queue_webhook(call, &outcome, Duration::ZERO).await?;
                self.queue_webhook(call, &outcome, Duration::ZERO).await?;
                Ok(outcome)
            }
            "late" => {
                self.queue_webhook(call, &outcome, self.delays.late).await?;
                sleep(self.delays.late).await;
                Ok(outcome)
            }
            "early" => {
                self.queue_webhook(call, &outcome, Duration::ZERO).await?;
                sleep(self.delays.early).await;
                Ok(outcome)
            }
            _ => Ok(outcome),
        }
    }

    /// Queues a webhook; repeated webhooks of an operation have the same event ID.
    async fn queue_webhook(
        &self,
        call: &Call,
        outcome: &OperationOutcome,
        delay: Duration,
    ) -> Result<(), UnknownOutcome> {
        let (status, reference, failure) = match outcome {
            OperationOutcome::Done { reference } => (EventStatus::Succeeded, Some(reference.clone()), None),
            OperationOutcome::Declined { failure } => (EventStatus::Failed, None, Some(failure.clone())),
            OperationOutcome::Pending { reference } => (EventStatus::Pending, reference.clone(), None),
        };
        let body = WebhookBody { id: format!("evt_{}", call.key.simple()), key: call.key, status, reference, failure };
        let job = NewJob { kind: WEBHOOK.kind, payload: json!(body), user_id: None, run_at: Some(Utc::now() + delay) };
        let queued = self.db.transaction(async |conn| jobs::store::enqueue(conn, &job).await).await;
        queued.map_err(|error| UnknownOutcome(error.to_string()))
    }
}

/// Returns the name of a call's card: by its number for the authorization, afterwards by the payment's reference.
fn card(call: &Call) -> Option<&'static str> {
    let word = match &call.source {
        Some(source) => return card_by_number(source),
        None => call.reference.as_deref()?.split('_').nth(1)?,
    };
    CARDS.iter().map(|(_, known, _)| *known).find(|known| *known == word)
}

fn card_by_number(number: &str) -> Option<&'static str> {
    let number: String = number.chars().filter(|letter| *letter != ' ').collect();
    CARDS.iter().find(|(known, ..)| *known == number).map(|(_, word, _)| *word)
}

fn reference(word: &str, call: &Call) -> String {
    format!("test_{word}_{}", call.key.simple())
}

/// Returns the final outcome of an operation.
fn outcome(word: &str, call: &Call) -> OperationOutcome {
    let failure = match (word, call.kind) {
        ("declined", Kind::Authorize) => "card_declined",
        ("poor", Kind::Authorize) => "insufficient_funds",
        ("uncaptured", Kind::Capture) => "capture_refused",
        ("unrefunded", Kind::Refund) => "refund_refused",
        _ => return OperationOutcome::Done { reference: reference(word, call) },
    };
    OperationOutcome::Declined { failure: failure.to_owned() }
}

impl Provider for TestProvider {
    fn check(&self, method: Method, source: Option<&str>) -> Result<()> {
        if method != Method::Card {
            return Err(Error::bad_input("method", "method must be CARD for the test provider"));
        }
        match source.and_then(card_by_number) {
            Some(_) => Ok(()),
            None => Err(Error::bad_input("source", "source must be the number of a test card")),
        }
    }

    fn authorize<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>> {
        self.respond(call).boxed()
    }

    fn capture<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>> {
        self.respond(call).boxed()
    }

    fn void<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>> {
        self.respond(call).boxed()
    }

    fn refund<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>> {
        self.respond(call).boxed()
    }

    /// Always returns an outcome, as if every key had been received: lookups happen after the webhooks.
    fn look_up<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Option<OperationOutcome>, UnknownOutcome>> {
        let word = card(call).ok_or_else(|| UnknownOutcome("the reference does not name a test card".into()));
        ready(word.map(|word| Some(outcome(word, call)))).boxed()
    }

    fn webhook(&self, headers: &Headers, body: &[u8], now: DateTime<Utc>) -> Result<Event, WebhookRejection> {
        signature::check(&self.secret, headers.get(SIGNATURE_HEADER), body, now)?;
        let WebhookBody { id, key, status, reference, failure } =
            serde_json::from_slice(body).map_err(|_| WebhookRejection::Malformed)?;
        let outcome = match status {
            EventStatus::Succeeded => {
                OperationOutcome::Done { reference: reference.ok_or(WebhookRejection::Malformed)? }
            }
            EventStatus::Failed => OperationOutcome::Declined { failure: failure.ok_or(WebhookRejection::Malformed)? },
            EventStatus::Pending => OperationOutcome::Pending { reference },
        };
        Ok(Event { id, key, outcome })
    }
}
