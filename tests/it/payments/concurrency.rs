//! Payments under concurrency and failure: parallel operations, repeated keys, silent providers, crashed processes,
//! orders canceled meanwhile, and webhooks in any order.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use souk::{config::PaymentCapture, payments::model::Kind};

use crate::support::{
    Actor, TestApp,
    payments::{ProviderBehavior, ScriptedProvider, describe_payment},
};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);
const ANY_CARD: &str = "any";

/// Starts a server with a scripted provider and this provider timeout.
async fn setup(limit: Duration) -> (Arc<ScriptedProvider>, TestApp) {
    let provider = Arc::new(ScriptedProvider::default());
    let app = provider.app(limit, PaymentCapture::ByHand).await;
    (provider, app)
}

async fn cancel(app: &TestApp, order: &str) {
    let (_, key) = souk::ids::decode(order).unwrap();
    let cancel = format!(
        "UPDATE orders SET status = 'cancelled' WHERE id = {key};
         INSERT INTO jobs (kind, payload) VALUES ('order_cancelled', '{{\"order\": {key}}}')"
    );
    app.database.sql(&cancel).await;
}

fn count(outcomes: &[String], wanted: &str) -> usize {
    outcomes.iter().filter(|outcome| outcome.starts_with(wanted)).count()
}

#[tokio::test]
async fn parallel_captures_and_refunds_never_exceed_the_amount() {
    let (provider, app) = setup(LONG).await;
    app.database.disable_deadlock_detection().await;
    let (customer, _, order) = app.unpaid_order().await;
    let manager = app.manager().await;
    let id = customer.pay(&order, ANY_CARD).await;
    // 20 of 3.00 each: 6 fit into 20.00.
    for (mutation, kind) in [("paymentCapture", Kind::Capture), ("paymentRefund", Kind::Refund)] {
        let outcomes = join_all((0..20).map(|_| manager.payment_operation(mutation, &id, Some("3")))).await;
        assert_eq!((count(&outcomes, "captured"), count(&outcomes, "OUT_OF_RANGE")), (6, 14), "{outcomes:?}");
        assert_eq!(provider.executed_count(kind), 6);
        if kind == Kind::Capture {
            assert_eq!(app.payment_status(&order).await, "partially_paid 18.00/0.00");
            manager.payment_operation("paymentCapture", &id, None).await;
        }
    }
    assert_eq!(app.payment_status(&order).await, "partially_refunded 20.00/18.00");
    let outcomes = join_all((0..20).map(|_| manager.payment_operation("paymentRefund", &id, None))).await;
    assert_eq!((count(&outcomes, "refunded"), count(&outcomes, "INVALID_PAYMENT_STATUS")), (1, 19), "{outcomes:?}");
    assert_eq!(app.payment_status(&order).await, "refunded 20.00/20.00");
}

#[tokio::test]
async fn concurrent_captures_and_voids_never_exceed_the_authorization() {
    let (_, app) = setup(LONG).await;
    app.database.disable_deadlock_detection().await;
    let manager = app.manager().await;
    for _ in 0..5 {
        let (customer, _, order) = app.unpaid_order().await;
        let id = customer.pay(&order, ANY_CARD).await;
        let race = [("paymentCapture", Some("12")), ("paymentVoid", None), ("paymentCapture", None)];
        join_all(race.into_iter().map(|(mutation, amount)| manager.payment_operation(mutation, &id, amount))).await;
        let taken = "SELECT sum(amount) FROM payment_operations WHERE kind IN ('capture', 'void')
            AND payment_id = (SELECT max(id) FROM payments)";
        assert_eq!(app.database.scalar(taken).await, "20.00");
    }
}

#[tokio::test]
async fn repeated_key_calls_the_provider_once() {
    let (provider, app) = setup(LONG).await;
    app.database.disable_deadlock_detection().await;
    let (customer, _, order) = app.unpaid_order().await;
    let manager = app.manager().await;
    let ids = |responses: Vec<crate::support::TestResponse>, path: &str| {
        responses.iter().map(|response| response.text_at(path)).collect::<BTreeSet<_>>()
    };
    let paid = join_all((0..20).map(|_| customer.try_pay(&order, ANY_CARD, "k"))).await;
    let paid = ids(paid, "paymentCreate.payment.id");
    let (id, 1, 1) = (paid.first().unwrap(), paid.len(), provider.call_count()) else { panic!("{paid:?}") };
    for (mutation, kind) in [("paymentCapture", Kind::Capture), ("paymentRefund", Kind::Refund)] {
        let done = join_all((0..20).map(|_| manager.try_payment_operation(mutation, id, Some("4"), "k"))).await;
        assert_eq!(ids(done, &format!("{mutation}.payment.id")).len(), 1);
        assert_eq!(provider.executed_count(kind), 1, "{mutation}");
    }
    assert_eq!((provider.call_count(), app.payment_status(&order).await.as_str()), (3, "refunded 4.00/4.00"));
    // The response shows the payment's current state.
    let now = customer.try_pay(&order, ANY_CARD, "k").await;
    assert!(describe_payment(now.at("paymentCreate.payment")).starts_with("captured 4.00/4.00"));
    // The same key with another request, and another user's key.
    let other = manager.try_payment_operation("paymentCapture", id, Some("5"), "k").await;
    assert_eq!(other.outcome("paymentCapture"), "IDEMPOTENCY_MISMATCH idempotencyKey");
    let other = customer.try_pay(&order, "another card", "k").await;
    assert_eq!(other.outcome("paymentCreate"), "IDEMPOTENCY_MISMATCH idempotencyKey");
    let stranger = app.customer().await.try_pay(&order, ANY_CARD, "k").await;
    assert_eq!(stranger.outcome("paymentCreate"), "NOT_FOUND orderId");
    assert_eq!(provider.call_count(), 3);
}

#[tokio::test]
async fn no_lock_is_held_during_a_provider_call() {
    let (provider, app) = setup(LONG).await;
    let (customer, _, order) = app.unpaid_order().await;
    provider.set_behavior(ProviderBehavior::HoldResponse);
    let mut asked = provider.calls();
    let paying = customer.try_pay(&order, ANY_CARD, "k");
    let meanwhile = async {
        assert_eq!(asked.recv().await, Some(Kind::Authorize));
        // Fails at once if any of these rows is locked.
        let update = "SET lock_timeout = '1ms'; UPDATE orders SET customer_note = 'ring twice';
            UPDATE payments SET failure = failure; UPDATE payment_operations SET job_id = job_id; UPDATE jobs SET run_at = run_at";
        app.database.sql(update).await;
        let idle = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        assert_eq!(app.database.scalar(idle).await, "0");
        provider.release_response();
    };
    let (response, ()) = tokio::join!(paying, meanwhile);
    assert_eq!(
        describe_payment(response.at("paymentCreate.payment")),
        "authorized 0.00/0.00: authorize 20.00 succeeded"
    );
    assert_eq!(app.database.scalar("SELECT customer_note FROM orders").await, "ring twice");
}

/// Drops an operation as soon as the provider is called, as if the process crashed.
async fn interrupt(provider: &ScriptedProvider, behavior: ProviderBehavior, doing: impl Future) {
    provider.set_behavior(behavior);
    let mut asked = provider.calls();
    tokio::select! {
        _ = doing => panic!("the operation completed"),
        kind = asked.recv() => assert!(kind.is_some()),
    }
    provider.set_behavior(ProviderBehavior::Succeed);
}

#[tokio::test]
async fn interrupted_operations_are_completed_once() {
    // The provider executed the call but its response was lost, or the call never arrived.
    for (behavior, calls) in [(ProviderBehavior::LoseResponse, 1), (ProviderBehavior::LoseRequest, 2)] {
        let (provider, app) = setup(LONG).await;
        let (customer, _, order) = app.unpaid_order().await;
        let manager = app.manager().await;
        interrupt(&provider, behavior, customer.try_pay(&order, "tok_secret", "k")).await;
        assert_eq!(app.payment_status(&order).await, "pending 0.00/0.00");
        // The client retries: the response shows the current state, and the provider is not called.
        let again = customer.try_pay(&order, "tok_secret", "k").await;
        let id = again.text_at("paymentCreate.payment.id");
        assert_eq!(describe_payment(again.at("paymentCreate.payment")), "pending 0.00/0.00: authorize 20.00 pending");
        assert_eq!(app.run_jobs().await, 0, "not before the provider's timeout");
        assert_eq!(app.run_jobs_now("payment_operation").await, 1);
        assert_eq!(customer.payment_summary(&id).await, "authorized 0.00/0.00: authorize 20.00 succeeded");
        assert_eq!((provider.call_count(), provider.executed_count(Kind::Authorize)), (calls, 1), "{behavior:?}");
        for (mutation, kind) in [("paymentCapture", Kind::Capture), ("paymentRefund", Kind::Refund)] {
            interrupt(&provider, behavior, manager.payment_operation(mutation, &id, None)).await;
            assert_eq!(
                manager.payment_operation(mutation, &id, None).await,
                "INVALID_PAYMENT_STATUS id",
                "a pending operation counts"
            );
            assert_eq!(app.run_jobs_now("payment_operation").await, 1);
            assert_eq!(provider.executed_count(kind), 1, "{behavior:?} {mutation}");
        }
        assert_eq!(app.payment_status(&order).await, "refunded 20.00/20.00");
        assert_eq!(app.database.scalar("SELECT count(*) FROM jobs").await, "0");
        assert_eq!(provider.call_count(), 3 * calls);
    }
}

#[tokio::test]
async fn silent_provider_is_retried_with_backoff() {
    let (provider, app) = setup(SHORT).await;
    let (customer, _, order) = app.unpaid_order().await;
    provider.set_behavior(ProviderBehavior::LoseRequest);
    let id = customer.pay(&order, "tok_secret").await;
    assert_eq!(customer.payment_summary(&id).await, "pending 0.00/0.00: authorize 20.00 pending");
    let mut pauses = Vec::new();
    for _ in 0..12 {
        assert_eq!(app.run_jobs_now("payment_operation").await, 1);
        let job = "SELECT round(extract(epoch FROM run_at - created_at)) || ' ' || state || ' ' || (payload ->> 'source') FROM jobs";
        pauses.push(app.database.scalar(job).await);
    }
    let expected = [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600];
    assert_eq!(pauses, expected.map(|pause| format!("{pause} queued tok_secret")), "the job is never dead");
    provider.set_behavior(ProviderBehavior::Succeed);
    app.run_jobs_now("payment_operation").await;
    assert_eq!(customer.payment_summary(&id).await, "authorized 0.00/0.00: authorize 20.00 succeeded");
    assert_eq!(app.database.scalar("SELECT count(*) FROM jobs").await, "0");
    assert_eq!(provider.executed_count(Kind::Authorize), 1);
}

#[tokio::test]
async fn payments_of_a_canceled_order_are_returned() {
    let (provider, app) = setup(LONG).await;
    let manager = app.manager().await;
    let pay = async |captured: Option<&str>| -> (String, String) {
        let (customer, _, order) = app.unpaid_order().await;
        let id = customer.pay(&order, ANY_CARD).await;
        if captured.is_some() {
            manager.payment_operation("paymentCapture", &id, captured).await;
        }
        (order, id)
    };
    // Captured amount, resulting payment, and resulting payment status of the order.
    for (captured, status, paid) in [
        (None, "voided 0.00/0.00: authorize 20.00 succeeded, void 20.00 succeeded", "none 0.00/0.00"),
        (
            Some("20"),
            "refunded 20.00/20.00: authorize 20.00 succeeded, capture 20.00 succeeded, refund 20.00 succeeded",
            "refunded 20.00/20.00",
        ),
        (
            Some("5"),
            "refunded 5.00/5.00: authorize 20.00 succeeded, capture 5.00 succeeded, void 15.00 succeeded, refund 5.00 succeeded",
            "refunded 5.00/5.00",
        ),
    ] {
        let (order, id) = pay(captured).await;
        cancel(&app, &order).await;
        // Queued twice: the second job finds nothing left to return.
        cancel(&app, &order).await;
        assert_eq!(app.run_jobs().await, 2);
        assert_eq!(manager.payment_summary(&id).await, status);
        assert_eq!(app.payment_status(&order).await, paid);
    }
    let reason =
        "SELECT string_agg(DISTINCT coalesce(reason, '-'), ', ') FROM payment_operations WHERE user_id IS NULL";
    assert_eq!(app.database.scalar(reason).await, "the order was canceled");
    // The job does nothing if the order is not canceled.
    let (order, id) = pay(None).await;
    let (_, key) = souk::ids::decode(&order).unwrap();
    let job = format!("INSERT INTO jobs (kind, payload) VALUES ('order_cancelled', '{{\"order\": {key}}}')");
    app.database.sql(&job).await;
    let asked = provider.call_count();
    assert_eq!((app.run_jobs().await, provider.call_count()), (1, asked));
    assert_eq!(manager.payment_summary(&id).await, "authorized 0.00/0.00: authorize 20.00 succeeded");
}

#[tokio::test]
async fn payment_completed_after_the_cancellation_is_returned() {
    let (provider, app) = setup(LONG).await;
    let manager = app.manager().await;
    // Canceled during the authorization.
    let (customer, _, order) = app.unpaid_order().await;
    interrupt(&provider, ProviderBehavior::LoseResponse, customer.try_pay(&order, ANY_CARD, "k")).await;
    cancel(&app, &order).await;
    assert_eq!((app.run_jobs().await, app.payment_status(&order).await.as_str()), (1, "pending 0.00/0.00"));
    assert_eq!(app.run_jobs_now("payment_operation").await, 2, "looked up, then voided");
    assert_eq!(app.payment_status(&order).await, "none 0.00/0.00");
    assert_eq!(app.payment_history(&order).await, ["authorized 20.00", "voided 20.00 the order was canceled"]);
    // Canceled during a capture.
    let (customer, _, order) = app.unpaid_order().await;
    let id = customer.pay(&order, ANY_CARD).await;
    interrupt(&provider, ProviderBehavior::LoseResponse, manager.payment_operation("paymentCapture", &id, Some("15")))
        .await;
    cancel(&app, &order).await;
    app.run_jobs().await;
    assert!(manager.payment_summary(&id).await.ends_with("capture 15.00 pending, void 5.00 succeeded"));
    app.run_jobs_now("payment_operation").await;
    assert_eq!(app.payment_status(&order).await, "refunded 15.00/15.00");
    assert!(manager.payment_summary(&id).await.starts_with("refunded 15.00/15.00"));
}

/// Returns every permutation of a slice.
fn permutations<T: Copy>(things: &[T]) -> Vec<Vec<T>> {
    if things.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, first) in things.iter().enumerate() {
        let rest: Vec<T> = things.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, it)| *it).collect();
        for mut tail in permutations(&rest) {
            tail.insert(0, *first);
            all.push(tail);
        }
    }
    all
}

/// Starts two captures and a refund whose responses are lost; returns their keys.
async fn open_operations(
    app: &TestApp,
    provider: &ScriptedProvider,
    manager: &Actor<'_>,
    order: &str,
    id: &str,
) -> Vec<String> {
    manager.payment_operation("paymentCapture", id, Some("8")).await;
    for (mutation, amount) in [("paymentCapture", "5"), ("paymentCapture", "7"), ("paymentRefund", "6")] {
        interrupt(provider, ProviderBehavior::LoseRequest, manager.payment_operation(mutation, id, Some(amount))).await;
    }
    let (_, key) = souk::ids::decode(order).unwrap();
    let keys = format!(
        "SELECT o.key::text FROM payment_operations o JOIN payments p ON p.id = payment_id
         WHERE order_id = {key} AND o.status = 'pending' ORDER BY o.id"
    );
    app.database.rows(&keys).await.iter().map(|row| row.trim_matches(['(', ')']).to_owned()).collect()
}

#[tokio::test]
async fn webhook_order_does_not_change_the_result() {
    let (provider, app) = setup(LONG).await;
    let manager = app.manager().await;
    let mut ends = BTreeSet::new();
    // The operation and the reported status; one operation is also reported as pending.
    let events = [(0, "done"), (1, "declined"), (2, "done"), (2, "pending")];
    for (round, order_of_news) in permutations(&events).into_iter().enumerate() {
        let (customer, _, order) = app.unpaid_order().await;
        let id = customer.pay(&order, ANY_CARD).await;
        let keys = open_operations(&app, &provider, &manager, &order, &id).await;
        // Every event is delivered twice.
        for (at, (which, what)) in order_of_news.iter().chain(&order_of_news).enumerate() {
            let body = format!("{round}-{at} {} {what}", keys[*which]);
            let outcome =
                app.services.receive_payment_webhook("test", &Default::default(), body.as_bytes()).await.unwrap();
            assert!(["applied", "known"].contains(&outcome), "{order_of_news:?}: {outcome}");
        }
        ends.insert((manager.payment_summary(&id).await, app.payment_status(&order).await, {
            let mut history = app.payment_history(&order).await;
            history.sort();
            json!(history).to_string()
        }));
    }
    assert_eq!(ends.len(), 1, "{ends:#?}");
    let (payment, paid, _) = ends.first().unwrap();
    let operations = "authorize 20.00 succeeded, capture 8.00 succeeded, capture 5.00 succeeded, \
        capture 7.00 failed declined, refund 6.00 succeeded";
    assert_eq!(*payment, format!("captured 13.00/6.00: {operations}"));
    assert_eq!(paid, "partially_refunded 13.00/6.00");
}
