//! Payments when much happens at once, or nothing more: parallel writes, keys sent again, providers that fall silent,
//! processes that die, orders that are cancelled meanwhile, and news in any order.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use souk::{config::PaymentCapture, payments::model::Kind};

use crate::support::{
    Actor, TestApp,
    payments::{Mood, Scripted, words},
};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(50);
const ANY: &str = "any";

/// A server with a scripted provider that is waited for so long.
async fn stage(limit: Duration) -> (Arc<Scripted>, TestApp) {
    let provider = Arc::new(Scripted::default());
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

fn count(verdicts: &[String], wanted: &str) -> usize {
    verdicts.iter().filter(|verdict| verdict.starts_with(wanted)).count()
}

#[tokio::test]
async fn parallel_captures_and_refunds_never_exceed_what_there_is() {
    let (provider, app) = stage(LONG).await;
    app.database.show_deadlocks().await;
    let (customer, _, order) = app.to_pay().await;
    let manager = app.manager().await;
    let id = customer.pay(&order, ANY).await;
    // 20 of 3.00 each: 6 fit into 20.00.
    for (mutation, kind) in [("paymentCapture", Kind::Capture), ("paymentRefund", Kind::Refund)] {
        let verdicts = join_all((0..20).map(|_| manager.done(mutation, &id, Some("3")))).await;
        assert_eq!((count(&verdicts, "captured"), count(&verdicts, "OUT_OF_RANGE")), (6, 14), "{verdicts:?}");
        assert_eq!(provider.done(kind), 6);
        if kind == Kind::Capture {
            assert_eq!(app.paid(&order).await, "paid 18.00/0.00");
            manager.done("paymentCapture", &id, None).await;
        }
    }
    assert_eq!(app.paid(&order).await, "partially_refunded 20.00/18.00");
    let verdicts = join_all((0..20).map(|_| manager.done("paymentRefund", &id, None))).await;
    assert_eq!((count(&verdicts, "refunded"), count(&verdicts, "INVALID_PAYMENT_STATUS")), (1, 19), "{verdicts:?}");
    assert_eq!(app.paid(&order).await, "refunded 20.00/20.00");
}

#[tokio::test]
async fn captures_and_voids_at_once_share_what_is_authorised() {
    let (_, app) = stage(LONG).await;
    app.database.show_deadlocks().await;
    let manager = app.manager().await;
    for _ in 0..5 {
        let (customer, _, order) = app.to_pay().await;
        let id = customer.pay(&order, ANY).await;
        let race = [("paymentCapture", Some("12")), ("paymentVoid", None), ("paymentCapture", None)];
        join_all(race.into_iter().map(|(mutation, amount)| manager.done(mutation, &id, amount))).await;
        let taken = "SELECT sum(amount) FROM payment_operations WHERE kind IN ('capture', 'void')
            AND payment_id = (SELECT max(id) FROM payments)";
        assert_eq!(app.database.ask(taken).await, "20.00");
    }
}

#[tokio::test]
async fn a_key_sent_again_asks_nobody_twice() {
    let (provider, app) = stage(LONG).await;
    app.database.show_deadlocks().await;
    let (customer, _, order) = app.to_pay().await;
    let manager = app.manager().await;
    let ids = |answers: Vec<crate::support::Answer>, path: &str| {
        answers.iter().map(|answer| answer.text_at(path)).collect::<BTreeSet<_>>()
    };
    let paid = join_all((0..20).map(|_| customer.pay_by(&order, ANY, "k"))).await;
    let paid = ids(paid, "paymentCreate.payment.id");
    let (id, 1, 1) = (paid.first().unwrap(), paid.len(), provider.asked()) else { panic!("{paid:?}") };
    for (mutation, kind) in [("paymentCapture", Kind::Capture), ("paymentRefund", Kind::Refund)] {
        let done = join_all((0..20).map(|_| manager.operate(mutation, id, Some("4"), "k"))).await;
        assert_eq!(ids(done, &format!("{mutation}.payment.id")).len(), 1);
        assert_eq!(provider.done(kind), 1, "{mutation}");
    }
    assert_eq!((provider.asked(), app.paid(&order).await.as_str()), (3, "refunded 4.00/4.00"));
    // It answers the payment as it is now.
    let now = customer.pay_by(&order, ANY, "k").await;
    assert!(words(now.at("paymentCreate.payment")).starts_with("captured 4.00/4.00"));
    // The same key for something else, and somebody else's.
    let other = manager.operate("paymentCapture", id, Some("5"), "k").await;
    assert_eq!(other.verdict("paymentCapture"), "IDEMPOTENCY_MISMATCH idempotencyKey");
    let other = customer.pay_by(&order, "another card", "k").await;
    assert_eq!(other.verdict("paymentCreate"), "IDEMPOTENCY_MISMATCH idempotencyKey");
    let stranger = app.customer().await.pay_by(&order, ANY, "k").await;
    assert_eq!(stranger.verdict("paymentCreate"), "NOT_FOUND orderId");
    assert_eq!(provider.asked(), 3);
}

#[tokio::test]
async fn nothing_is_locked_while_a_provider_is_asked() {
    let (provider, app) = stage(LONG).await;
    let (customer, _, order) = app.to_pay().await;
    provider.is(Mood::Held);
    let mut asked = provider.listen();
    let paying = customer.pay_by(&order, ANY, "k");
    let meanwhile = async {
        assert_eq!(asked.recv().await, Some(Kind::Authorize));
        // Would wait, and fail at once, for a lock on any of these rows.
        let update = "SET lock_timeout = '1ms'; UPDATE orders SET customer_note = 'ring twice';
            UPDATE payments SET failure = failure; UPDATE payment_operations SET job_id = job_id; UPDATE jobs SET run_at = run_at";
        app.database.sql(update).await;
        let idle = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND state LIKE 'idle in transaction%'";
        assert_eq!(app.database.ask(idle).await, "0");
        provider.release();
    };
    let (answer, ()) = tokio::join!(paying, meanwhile);
    assert_eq!(words(answer.at("paymentCreate.payment")), "authorized 0.00/0.00: authorize 20.00 succeeded");
    assert_eq!(app.database.ask("SELECT customer_note FROM orders").await, "ring twice");
}

/// Does something that dies as soon as the provider is asked.
async fn killed(provider: &Scripted, mood: Mood, doing: impl Future) {
    provider.is(mood);
    let mut asked = provider.listen();
    tokio::select! {
        _ = doing => panic!("it never answers"),
        kind = asked.recv() => assert!(kind.is_some()),
    }
    provider.is(Mood::Willing);
}

#[tokio::test]
async fn what_a_dying_process_left_is_found_out_and_done_once() {
    // The provider did it and nobody heard the answer, or never heard of it.
    for (mood, calls) in [(Mood::Silent, 1), (Mood::Deaf, 2)] {
        let (provider, app) = stage(LONG).await;
        let (customer, _, order) = app.to_pay().await;
        let manager = app.manager().await;
        killed(&provider, mood, customer.pay_by(&order, "tok_secret", "k")).await;
        assert_eq!(app.paid(&order).await, "pending 0.00/0.00");
        // Sent again by the client: as it is now, and nobody is asked.
        let again = customer.pay_by(&order, "tok_secret", "k").await;
        let id = again.text_at("paymentCreate.payment.id");
        assert_eq!(words(again.at("paymentCreate.payment")), "pending 0.00/0.00: authorize 20.00 pending");
        assert_eq!(app.run_jobs().await, 0, "not before the provider's time is over");
        assert_eq!(app.later("payment_operation").await, 1);
        assert_eq!(customer.sees(&id).await, "authorized 0.00/0.00: authorize 20.00 succeeded");
        assert_eq!((provider.asked(), provider.done(Kind::Authorize)), (calls, 1), "{mood:?}");
        for (mutation, kind) in [("paymentCapture", Kind::Capture), ("paymentRefund", Kind::Refund)] {
            killed(&provider, mood, manager.done(mutation, &id, None)).await;
            assert_eq!(manager.done(mutation, &id, None).await, "INVALID_PAYMENT_STATUS id", "what is pending counts");
            assert_eq!(app.later("payment_operation").await, 1);
            assert_eq!(provider.done(kind), 1, "{mood:?} {mutation}");
        }
        assert_eq!(app.paid(&order).await, "refunded 20.00/20.00");
        assert_eq!(app.database.ask("SELECT count(*) FROM jobs").await, "0");
        assert_eq!(provider.asked(), 3 * calls);
    }
}

#[tokio::test]
async fn a_provider_that_stays_silent_is_asked_again_later_and_later() {
    let (provider, app) = stage(SHORT).await;
    let (customer, _, order) = app.to_pay().await;
    provider.is(Mood::Deaf);
    let id = customer.pay(&order, "tok_secret").await;
    assert_eq!(customer.sees(&id).await, "pending 0.00/0.00: authorize 20.00 pending");
    let mut pauses = Vec::new();
    for _ in 0..12 {
        assert_eq!(app.later("payment_operation").await, 1);
        let job = "SELECT round(extract(epoch FROM run_at - created_at)) || ' ' || state || ' ' || (payload ->> 'source') FROM jobs";
        pauses.push(app.database.ask(job).await);
    }
    let expected = [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600];
    assert_eq!(pauses, expected.map(|pause| format!("{pause} queued tok_secret")), "never dead");
    provider.is(Mood::Willing);
    app.later("payment_operation").await;
    assert_eq!(customer.sees(&id).await, "authorized 0.00/0.00: authorize 20.00 succeeded");
    assert_eq!(app.database.ask("SELECT count(*) FROM jobs").await, "0");
    assert_eq!(provider.done(Kind::Authorize), 1);
}

#[tokio::test]
async fn what_was_paid_for_a_cancelled_order_goes_back() {
    let (provider, app) = stage(LONG).await;
    let manager = app.manager().await;
    let pay = async |captured: Option<&str>| -> (String, String) {
        let (customer, _, order) = app.to_pay().await;
        let id = customer.pay(&order, ANY).await;
        if captured.is_some() {
            manager.done("paymentCapture", &id, captured).await;
        }
        (order, id)
    };
    // What was captured, what is left of it, and what was done.
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
        // Twice: the second finds nothing left.
        cancel(&app, &order).await;
        assert_eq!(app.run_jobs().await, 2);
        assert_eq!(manager.sees(&id).await, status);
        assert_eq!(app.paid(&order).await, paid);
    }
    let reason =
        "SELECT string_agg(DISTINCT coalesce(reason, '-'), ', ') FROM payment_operations WHERE user_id IS NULL";
    assert_eq!(app.database.ask(reason).await, "the order was cancelled");
    // A job of an order that is not cancelled touches nothing.
    let (order, id) = pay(None).await;
    let (_, key) = souk::ids::decode(&order).unwrap();
    let job = format!("INSERT INTO jobs (kind, payload) VALUES ('order_cancelled', '{{\"order\": {key}}}')");
    app.database.sql(&job).await;
    let asked = provider.asked();
    assert_eq!((app.run_jobs().await, provider.asked()), (1, asked));
    assert_eq!(manager.sees(&id).await, "authorized 0.00/0.00: authorize 20.00 succeeded");
}

#[tokio::test]
async fn money_that_comes_in_after_the_cancellation_goes_back_by_itself() {
    let (provider, app) = stage(LONG).await;
    let manager = app.manager().await;
    // Cancelled while it is authorised.
    let (customer, _, order) = app.to_pay().await;
    killed(&provider, Mood::Silent, customer.pay_by(&order, ANY, "k")).await;
    cancel(&app, &order).await;
    assert_eq!((app.run_jobs().await, app.paid(&order).await.as_str()), (1, "pending 0.00/0.00"));
    assert_eq!(app.later("payment_operation").await, 2, "found out, and voided");
    assert_eq!(app.paid(&order).await, "none 0.00/0.00");
    assert_eq!(app.history(&order).await, ["authorized 20.00", "voided 20.00 the order was cancelled"]);
    // Cancelled while it is captured.
    let (customer, _, order) = app.to_pay().await;
    let id = customer.pay(&order, ANY).await;
    killed(&provider, Mood::Silent, manager.done("paymentCapture", &id, Some("15"))).await;
    cancel(&app, &order).await;
    app.run_jobs().await;
    assert!(manager.sees(&id).await.ends_with("capture 15.00 pending, void 5.00 succeeded"));
    app.later("payment_operation").await;
    assert_eq!(app.paid(&order).await, "refunded 15.00/15.00");
    assert!(manager.sees(&id).await.starts_with("refunded 15.00/15.00"));
}

/// Every order of some things.
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

/// Two captures and a refund whose answers nobody heard: their keys.
async fn open_operations(
    app: &TestApp,
    provider: &Scripted,
    manager: &Actor<'_>,
    order: &str,
    id: &str,
) -> Vec<String> {
    manager.done("paymentCapture", id, Some("8")).await;
    for (mutation, amount) in [("paymentCapture", "5"), ("paymentCapture", "7"), ("paymentRefund", "6")] {
        killed(provider, Mood::Deaf, manager.done(mutation, id, Some(amount))).await;
    }
    let (_, key) = souk::ids::decode(order).unwrap();
    let keys = format!(
        "SELECT o.key::text FROM payment_operations o JOIN payments p ON p.id = payment_id
         WHERE order_id = {key} AND o.status = 'pending' ORDER BY o.id"
    );
    app.database.rows(&keys).await.iter().map(|row| row.trim_matches(['(', ')']).to_owned()).collect()
}

#[tokio::test]
async fn in_whatever_order_the_news_arrive_the_end_is_the_same() {
    let (provider, app) = stage(LONG).await;
    let manager = app.manager().await;
    let mut ends = BTreeSet::new();
    // Which operation, and what is told of it: of one also that it is pending.
    let news = [(0, "done"), (1, "declined"), (2, "done"), (2, "pending")];
    for (round, order_of_news) in permutations(&news).into_iter().enumerate() {
        let (customer, _, order) = app.to_pay().await;
        let id = customer.pay(&order, ANY).await;
        let keys = open_operations(&app, &provider, &manager, &order, &id).await;
        // Everything is told twice.
        for (at, (which, what)) in order_of_news.iter().chain(&order_of_news).enumerate() {
            let body = format!("{round}-{at} {} {what}", keys[*which]);
            let told =
                app.services.receive_payment_webhook("test", &Default::default(), body.as_bytes()).await.unwrap();
            assert!(["applied", "known"].contains(&told), "{order_of_news:?}: {told}");
        }
        ends.insert((manager.sees(&id).await, app.paid(&order).await, {
            let mut history = app.history(&order).await;
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
