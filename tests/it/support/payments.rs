//! Payments in tests: an unpaid order, a payment as text, and a provider whose behavior the test sets.

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
        providers::{Call, Event, Headers, OperationOutcome, Provider, Providers, UnknownOutcome, WebhookRejection},
    },
};
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use super::{Actor, ProductSpec, TestApp, TestDb, TestResponse};

/// The payment fields that tests select.
pub const PAYMENT_FIELDS: &str = "payment { id status failure amount { amount currency } capturedAmount { amount }
    refundedAmount { amount } operations { kind status amount { amount } failure reason at settledAt } }";

/// Returns a payment as text: status, captured and refunded amount, and each operation.
pub fn describe_payment(payment: &Value) -> String {
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
    /// Creates a website, and a customer with an order of 20.00 there.
    pub async fn unpaid_order(&self) -> (Actor<'_>, WebsiteId, String) {
        let website = self.website(&format!("w{}", Uuid::new_v4().simple())).await.id;
        let product = self.product(website, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
        let customer = self.customer().await;
        let order = customer.order(&[(product, 2)]).await;
        // So that a test counts payment jobs only.
        self.database.sql("DELETE FROM jobs WHERE kind = 'mail'").await;
        (customer, website, order)
    }

    /// Makes the jobs of a kind due and runs all due jobs; returns how many ran, jobs of other kinds included.
    pub async fn run_jobs_now(&self, kind: &str) -> usize {
        self.database.sql(&format!("UPDATE jobs SET run_at = now() WHERE kind = '{kind}'")).await;
        self.run_jobs().await
    }

    /// Returns an order's payment status, paid and refunded amount: `paid 20.00/0.00`.
    pub async fn payment_status(&self, order: &str) -> String {
        let (_, key) = souk::ids::decode(order).expect("an id");
        let row = "payment_status || ' ' || round(paid_amount, 2) || '/' || round(refunded_amount, 2)";
        self.database.scalar(&format!("SELECT {row} FROM orders WHERE id = {key}")).await
    }

    /// Returns the payment events of an order's history.
    pub async fn payment_history(&self, order: &str) -> Vec<String> {
        let (_, key) = souk::ids::decode(order).expect("an id");
        let row = "concat_ws(' ', substr(kind, 9), amount, message)";
        let query =
            format!("SELECT {row} AS t FROM order_events WHERE order_id = {key} AND kind LIKE 'payment%' ORDER BY id");
        let rows = self.database.rows(&query).await;
        rows.into_iter().map(|row| row.trim_matches(['(', ')', '"']).to_owned()).collect()
    }
}

impl Actor<'_> {
    /// Tries to pay an order with a test card and this idempotency key.
    pub async fn try_pay(&self, order: &str, card: &str, key: &str) -> TestResponse {
        let input =
            json!({ "orderId": order, "provider": "TEST", "method": "CARD", "source": card, "idempotencyKey": key });
        self.mutate("paymentCreate", PAYMENT_FIELDS, input).await
    }

    /// Pays an order with a test card; returns the id of the payment.
    pub async fn pay(&self, order: &str, card: &str) -> String {
        self.try_pay(order, card, &Uuid::new_v4().to_string()).await.text_at("paymentCreate.payment.id")
    }

    /// Captures, voids or refunds this amount, or all that is left if there is none.
    pub async fn try_payment_operation(
        &self,
        mutation: &str,
        payment: &str,
        amount: Option<&str>,
        key: &str,
    ) -> TestResponse {
        let mut input = json!({ "id": payment, "idempotencyKey": key });
        if let Some(amount) = amount {
            input["amount"] = amount.into();
        }
        self.mutate(mutation, PAYMENT_FIELDS, input).await
    }

    /// Does the same with a new idempotency key; returns the payment as text, or the user errors.
    pub async fn payment_operation(&self, mutation: &str, payment: &str, amount: Option<&str>) -> String {
        let response = self.try_payment_operation(mutation, payment, amount, &Uuid::new_v4().to_string()).await;
        match response.outcome(mutation).as_str() {
            "done" => describe_payment(response.at(&format!("{mutation}.payment"))),
            refused => refused.to_owned(),
        }
    }

    /// Returns a payment as text, as this actor sees it.
    pub async fn payment_summary(&self, payment: &str) -> String {
        let document = format!("query ($id: ID!) {{ {} }}", PAYMENT_FIELDS.replacen("payment", "payment(id: $id)", 1));
        let response = self.run_with(&document, json!({ "id": payment })).await;
        match response.at("payment") {
            Value::Null => "-".to_owned(),
            payment => describe_payment(payment),
        }
    }
}

/// How a [`ScriptedProvider`] handles a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProviderBehavior {
    /// Executes the call and returns the outcome.
    #[default]
    Succeed,
    /// Executes the call, but its response is lost.
    LoseResponse,
    /// The call never arrives.
    LoseRequest,
    /// Executes the call, and responds when the test allows it.
    HoldResponse,
}

/// A provider that counts calls and stores their outcomes by key, as real providers do.
#[derive(Default)]
pub struct ScriptedProvider {
    behavior: Mutex<ProviderBehavior>,
    /// Outcomes by idempotency key.
    done: Mutex<BTreeMap<Uuid, Kind>>,
    /// Number of calls.
    asked: Mutex<usize>,
    /// Receives a message for each call.
    call_sender: Mutex<Option<mpsc::UnboundedSender<Kind>>>,
    gate: Notify,
}

impl ScriptedProvider {
    /// Starts a server whose provider TEST is this one, with this timeout.
    pub async fn app(self: &Arc<Self>, limit: Duration, capture: PaymentCapture) -> TestApp {
        let provider: Arc<dyn Provider> = Arc::clone(self) as _;
        let providers = move |_: &TestDb| Providers::new(limit, capture).with(ProviderName::Test, provider);
        TestApp::builder().payment_providers(providers).build().await
    }

    /// Sets the behavior of the following calls.
    pub fn set_behavior(&self, behavior: ProviderBehavior) {
        *self.behavior.lock().unwrap() = behavior;
    }

    /// Returns how many operations of this kind were executed; repeated calls with one key count once.
    pub fn executed_count(&self, kind: Kind) -> usize {
        self.done.lock().unwrap().values().filter(|done| **done == kind).count()
    }

    /// Returns the number of calls.
    pub fn call_count(&self) -> usize {
        *self.asked.lock().unwrap()
    }

    /// Returns a channel that receives a message for each call.
    pub fn calls(&self) -> mpsc::UnboundedReceiver<Kind> {
        let (send, receive) = mpsc::unbounded_channel();
        *self.call_sender.lock().unwrap() = Some(send);
        receive
    }

    /// Releases one held response.
    pub fn release_response(&self) {
        self.gate.notify_one();
    }

    async fn respond(&self, call: &Call) -> Result<OperationOutcome, UnknownOutcome> {
        let behavior = *self.behavior.lock().unwrap();
        *self.asked.lock().unwrap() += 1;
        if behavior != ProviderBehavior::LoseRequest {
            self.done.lock().unwrap().insert(call.key, call.kind);
        }
        if let Some(call_sender) = self.call_sender.lock().unwrap().as_ref() {
            call_sender.send(call.kind).ok();
        }
        match behavior {
            ProviderBehavior::Succeed => {}
            ProviderBehavior::LoseResponse | ProviderBehavior::LoseRequest => std::future::pending().await,
            ProviderBehavior::HoldResponse => self.gate.notified().await,
        }
        Ok(done(call.key))
    }
}

fn done(key: Uuid) -> OperationOutcome {
    OperationOutcome::Done { reference: format!("scripted_{}", key.simple()) }
}

impl Provider for ScriptedProvider {
    fn check(&self, _: Method, _: Option<&str>) -> Result<()> {
        Ok(())
    }

    fn authorize<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>> {
        assert!(call.reference.is_none(), "an authorization has no reference yet");
        self.respond(call).boxed()
    }

    fn capture<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>> {
        assert!(call.source.is_none() && call.reference.is_some(), "{call:?}");
        self.respond(call).boxed()
    }

    fn void<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>> {
        self.respond(call).boxed()
    }

    fn refund<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>> {
        self.respond(call).boxed()
    }

    fn look_up<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Option<OperationOutcome>, UnknownOutcome>> {
        let found = self.done.lock().unwrap().contains_key(&call.key).then(|| done(call.key));
        std::future::ready(Ok(found)).boxed()
    }

    /// Parses the tests' webhook format: `<event id> <key> done|declined`.
    fn webhook(&self, _: &Headers, body: &[u8], _: DateTime<Utc>) -> Result<Event, WebhookRejection> {
        let text = std::str::from_utf8(body).map_err(|_| WebhookRejection::Malformed)?;
        let [id, key, what] =
            text.split(' ').collect::<Vec<_>>().try_into().map_err(|_| WebhookRejection::Malformed)?;
        let key = key.parse().map_err(|_| WebhookRejection::Malformed)?;
        let answer = match what {
            "done" => done(key),
            "declined" => OperationOutcome::Declined { failure: "declined".into() },
            _ => OperationOutcome::Pending { reference: None },
        };
        Ok(Event { id: id.to_owned(), key, outcome: answer })
    }
}

/// Returns the global id of a payment.
pub fn payment_id(key: i64) -> String {
    souk::ids::PaymentId(key).to_global_id()
}
