//! Payments in tests: an order to pay, a payment as text, and a provider that does what a test tells it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};
use souk::{
    config::PaymentCapture,
    error::Result,
    ids::{RowId, WebsiteId},
    payments::{
        model::{Kind, Method, ProviderName},
        providers::{
            Call, Event, Headers, OperationOutcome as Said, Provider, Providers, UnknownOutcome, WebhookRejection,
        },
    },
};
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use super::{Actor, Answer, ProductSpec, TestApp, TestDb};

/// What tests select of a payment.
pub const PAYMENT: &str = "payment { id status failure amount { amount currency } capturedAmount { amount }
    refundedAmount { amount } operations { kind status amount { amount } failure reason at settledAt } }";

/// A payment in words: status, captured and refunded amount, and each operation.
pub fn words(payment: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_lowercase();
    let sums = format!("{}/{}", text(&payment["capturedAmount"]["amount"]), text(&payment["refundedAmount"]["amount"]));
    let operations = payment["operations"].as_array().into_iter().flatten().map(|operation| {
        let failure = operation["failure"].as_str().map(|failure| format!(" {failure}")).unwrap_or_default();
        let (kind, status) = (text(&operation["kind"]), text(&operation["status"]));
        format!("{kind} {} {status}{failure}", text(&operation["amount"]["amount"]))
    });
    let operations: Vec<_> = operations.collect();
    format!("{} {sums}: {}", text(&payment["status"]), operations.join(", "))
}

impl TestApp {
    /// A website, and a customer with an order there of 20.00.
    pub async fn to_pay(&self) -> (Actor<'_>, WebsiteId, String) {
        let website = self.website(&format!("w{}", Uuid::new_v4().simple())).await.id;
        let product = self.product(website, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
        let customer = self.customer().await;
        let order = customer.order(&[(product, 2)]).await;
        // So that a test counts jobs of payments alone.
        self.database.sql("DELETE FROM jobs WHERE kind = 'mail'").await;
        (customer, website, order)
    }

    /// Runs the jobs of a kind as if it were later; how many were run, others that were due among them.
    pub async fn later(&self, kind: &str) -> usize {
        self.database.sql(&format!("UPDATE jobs SET run_at = now() WHERE kind = '{kind}'")).await;
        self.run_jobs().await
    }

    /// What an order says of being paid: `paid 20.00/0.00`.
    pub async fn paid(&self, order: &str) -> String {
        let (_, key) = souk::ids::decode(order).expect("an id");
        let row = "payment_status || ' ' || paid_amount || '/' || refunded_amount";
        self.database.ask(&format!("SELECT {row} FROM orders WHERE id = {key}")).await
    }

    /// The history of an order, as far as it is about payments.
    pub async fn history(&self, order: &str) -> Vec<String> {
        let (_, key) = souk::ids::decode(order).expect("an id");
        let row = "concat_ws(' ', substr(kind, 9), amount, message)";
        let query =
            format!("SELECT {row} AS t FROM order_events WHERE order_id = {key} AND kind LIKE 'payment%' ORDER BY id");
        let rows = self.database.rows(&query).await;
        rows.into_iter().map(|row| row.trim_matches(['(', ')', '"']).to_owned()).collect()
    }
}

impl Actor<'_> {
    /// Tries to pay an order by a test card, with this idempotency key.
    pub async fn pay_by(&self, order: &str, card: &str, key: &str) -> Answer {
        let input =
            json!({ "orderId": order, "provider": "TEST", "method": "CARD", "source": card, "idempotencyKey": key });
        self.mutate("paymentCreate", PAYMENT, input).await
    }

    /// Pays an order by a test card: the id of the payment.
    pub async fn pay(&self, order: &str, card: &str) -> String {
        self.pay_by(order, card, &Uuid::new_v4().to_string()).await.text_at("paymentCreate.payment.id")
    }

    /// Captures, voids or refunds; all that is left without an amount.
    pub async fn operate(&self, mutation: &str, payment: &str, amount: Option<&str>, key: &str) -> Answer {
        let mut input = json!({ "id": payment, "idempotencyKey": key });
        if let Some(amount) = amount {
            input["amount"] = amount.into();
        }
        self.mutate(mutation, PAYMENT, input).await
    }

    /// The same, with a key of its own: the payment in words, or the user errors.
    pub async fn done(&self, mutation: &str, payment: &str, amount: Option<&str>) -> String {
        let answer = self.operate(mutation, payment, amount, &Uuid::new_v4().to_string()).await;
        match answer.verdict(mutation).as_str() {
            "done" => words(answer.at(&format!("{mutation}.payment"))),
            refused => refused.to_owned(),
        }
    }

    /// A payment in words, as they see it.
    pub async fn sees(&self, payment: &str) -> String {
        let document = format!("query ($id: ID!) {{ {} }}", PAYMENT.replacen("payment", "payment(id: $id)", 1));
        let answer = self.run_with(&document, json!({ "id": payment })).await;
        match answer.at("payment") {
            Value::Null => "-".to_owned(),
            payment => words(payment),
        }
    }
}

/// What a [`Scripted`] provider does with what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mood {
    /// It does it and says so.
    #[default]
    Willing,
    /// It does it, and its answer is lost.
    Silent,
    /// It never hears of it.
    Deaf,
    /// It does it, and answers when the test lets it.
    Held,
}

/// A provider that counts, and has a memory as real ones do.
#[derive(Default)]
pub struct Scripted {
    mood: Mutex<Mood>,
    /// What was done, by key.
    done: Mutex<BTreeMap<Uuid, Kind>>,
    /// How often it was asked to do something.
    asked: Mutex<usize>,
    /// Rings when it is asked.
    bell: Mutex<Option<mpsc::UnboundedSender<Kind>>>,
    gate: Notify,
}

impl Scripted {
    /// A server whose provider TEST is this one, which waits so long for it.
    pub async fn app(self: &Arc<Self>, limit: Duration, capture: PaymentCapture) -> TestApp {
        let provider: Arc<dyn Provider> = Arc::clone(self) as _;
        let providers = move |_: &TestDb| Providers::new(limit, capture).with(ProviderName::Test, provider);
        TestApp::builder().payment_providers(providers).build().await
    }

    /// From now on it is in this mood.
    pub fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// What was done: how often each kind, whatever was asked twice counted once.
    pub fn done(&self, kind: Kind) -> usize {
        self.done.lock().unwrap().values().filter(|done| **done == kind).count()
    }

    /// How often it was asked to do something.
    pub fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }

    /// Says when it is asked.
    pub fn listen(&self) -> mpsc::UnboundedReceiver<Kind> {
        let (send, receive) = mpsc::unbounded_channel();
        *self.bell.lock().unwrap() = Some(send);
        receive
    }

    /// Lets one held answer go.
    pub fn release(&self) {
        self.gate.notify_one();
    }

    async fn answer(&self, call: &Call) -> Result<Said, UnknownOutcome> {
        let mood = *self.mood.lock().unwrap();
        *self.asked.lock().unwrap() += 1;
        if mood != Mood::Deaf {
            self.done.lock().unwrap().insert(call.key, call.kind);
        }
        if let Some(bell) = self.bell.lock().unwrap().as_ref() {
            bell.send(call.kind).ok();
        }
        match mood {
            Mood::Willing => {}
            Mood::Silent | Mood::Deaf => std::future::pending().await,
            Mood::Held => self.gate.notified().await,
        }
        Ok(done(call.key))
    }
}

fn done(key: Uuid) -> Said {
    Said::Done { reference: format!("scripted_{}", key.simple()) }
}

impl Provider for Scripted {
    fn check(&self, _: Method, _: Option<&str>) -> Result<()> {
        Ok(())
    }

    fn authorize<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Said, UnknownOutcome>> {
        assert!(call.reference.is_none(), "it has no name yet");
        self.answer(call).boxed()
    }

    fn capture<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Said, UnknownOutcome>> {
        assert!(call.source.is_none() && call.reference.is_some(), "{call:?}");
        self.answer(call).boxed()
    }

    fn void<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Said, UnknownOutcome>> {
        self.answer(call).boxed()
    }

    fn refund<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Said, UnknownOutcome>> {
        self.answer(call).boxed()
    }

    fn look_up<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Option<Said>, UnknownOutcome>> {
        let found = self.done.lock().unwrap().contains_key(&call.key).then(|| done(call.key));
        std::future::ready(Ok(found)).boxed()
    }

    /// Its webhooks are what the test writes: `<event id> <key> done|declined`.
    fn webhook(&self, _: &Headers, body: &[u8], _: DateTime<Utc>) -> Result<Event, WebhookRejection> {
        let text = std::str::from_utf8(body).map_err(|_| WebhookRejection::Malformed)?;
        let [id, key, what] =
            text.split(' ').collect::<Vec<_>>().try_into().map_err(|_| WebhookRejection::Malformed)?;
        let key = key.parse().map_err(|_| WebhookRejection::Malformed)?;
        let answer = match what {
            "done" => done(key),
            "declined" => Said::Declined { failure: "declined".into() },
            _ => Said::Pending { reference: None },
        };
        Ok(Event { id: id.to_owned(), key, outcome: answer })
    }
}

/// The global id of a payment.
pub fn payment_id(key: i64) -> String {
    souk::ids::PaymentId(key).to_global_id()
}
