//! The cards of the test provider, each with every payment operation.

use std::time::Duration;

use souk::{config::PaymentCapture, payments::providers::test::CARDS};

use crate::support::{PAYMENT_SECRET, TestApp, TestDb, builder::PACE, payments::describe_payment};

/// Starts a server with this provider timeout.
async fn app(limit: Duration, capture: PaymentCapture) -> TestApp {
    use souk::payments::providers::{Providers, test::TestProvider};
    let providers = move |database: &TestDb| {
        let test = TestProvider::new(database.db.clone(), PAYMENT_SECRET.to_owned(), PACE);
        Providers::new(limit, capture).with_test(test)
    };
    TestApp::builder().payment_providers(providers).build().await
}

/// Expected status after paying, capturing and refunding with a card, before and after its webhooks arrive.
struct Case(&'static str, [&'static str; 2], [&'static str; 2], [&'static str; 2]);

const CASES: &[Case] = &[
    Case("succeeds", ["authorized 0.00/0.00"; 2], ["captured 20.00/0.00"; 2], ["refunded 20.00/20.00"; 2]),
    Case("declined", ["failed 0.00/0.00"; 2], ["INVALID_PAYMENT_STATUS id"; 2], ["INVALID_PAYMENT_STATUS id"; 2]),
    Case("poor", ["failed 0.00/0.00"; 2], ["INVALID_PAYMENT_STATUS id"; 2], ["INVALID_PAYMENT_STATUS id"; 2]),
    Case(
        "later",
        ["pending 0.00/0.00", "authorized 0.00/0.00"],
        ["authorized 0.00/0.00", "captured 20.00/0.00"],
        ["captured 20.00/0.00", "refunded 20.00/20.00"],
    ),
    Case("twice", ["authorized 0.00/0.00"; 2], ["captured 20.00/0.00"; 2], ["refunded 20.00/20.00"; 2]),
    Case("early", ["authorized 0.00/0.00"; 2], ["captured 20.00/0.00"; 2], ["refunded 20.00/20.00"; 2]),
    Case("uncaptured", ["authorized 0.00/0.00"; 2], ["authorized 0.00/0.00"; 2], ["INVALID_PAYMENT_STATUS id"; 2]),
    Case("unrefunded", ["authorized 0.00/0.00"; 2], ["captured 20.00/0.00"; 2], ["captured 20.00/0.00"; 2]),
];

#[tokio::test]
async fn every_test_card_behaves_as_documented() {
    let app = app(Duration::from_secs(30), PaymentCapture::ByHand).await;
    let manager = app.manager().await;
    for Case(word, paid, captured, refunded) in CASES {
        let (number, ..) = CARDS.iter().find(|(_, known, _)| known == word).expect("a card");
        let (customer, _, order) = app.unpaid_order().await;
        let response = customer.try_pay(&order, number, "k").await;
        let status = |text: &str| text.split(':').next().unwrap().to_owned();
        assert_eq!(status(&describe_payment(response.at("paymentCreate.payment"))), paid[0], "{word}");
        let id = response.text_at("paymentCreate.payment.id");
        app.run_jobs_now("test_payment_webhook").await;
        assert_eq!(status(&customer.payment_summary(&id).await), paid[1], "{word} paid");
        for (mutation, expected) in [("paymentCapture", captured), ("paymentRefund", refunded)] {
            let done = manager.payment_operation(mutation, &id, None).await;
            assert_eq!(status(&done), expected[0], "{word} {mutation}");
            app.run_jobs_now("test_payment_webhook").await;
            if !expected[1].starts_with("INVALID_PAYMENT_STATUS") {
                assert_eq!(status(&customer.payment_summary(&id).await), expected[1], "{word} {mutation}");
            }
        }
        assert_eq!(app.database.scalar("SELECT count(*) FROM jobs").await, "0", "{word} leaves no jobs");
    }
    let failures = "SELECT string_agg(failure, ' ' ORDER BY id) FROM payment_operations";
    assert_eq!(app.database.scalar(failures).await, "card_declined insufficient_funds capture_refused refund_refused");
    let select = "SELECT string_agg(outcome || ' ' || n, ', ' ORDER BY outcome) FROM
        (SELECT outcome, count(*) n FROM payment_webhooks GROUP BY outcome) t";
    assert_eq!(
        app.database.scalar(select).await,
        "applied 3, known 6",
        "`later` has three; `twice` and `early` one each"
    );
}

#[tokio::test]
async fn late_provider_response_leaves_the_payment_pending_until_the_webhook() {
    let app = app(Duration::from_millis(100), PaymentCapture::ByHand).await;
    let (customer, _, order) = app.unpaid_order().await;
    let response = customer.try_pay(&order, "4000000000000006", "k").await;
    assert_eq!(describe_payment(response.at("paymentCreate.payment")), "pending 0.00/0.00: authorize 20.00 pending");
    assert_eq!(app.payment_status(&order).await, "pending 0.00/0.00");
    let id = response.text_at("paymentCreate.payment.id");
    app.run_jobs_now("test_payment_webhook").await;
    assert_eq!(customer.payment_summary(&id).await, "authorized 0.00/0.00: authorize 20.00 succeeded");
    assert_eq!(app.database.scalar("SELECT count(*) FROM jobs").await, "0");
}

#[tokio::test]
async fn webhook_before_the_provider_response_takes_precedence() {
    let app = app(Duration::from_secs(30), PaymentCapture::ByHand).await;
    let (customer, _, order) = app.unpaid_order().await;
    let paying = customer.try_pay(&order, "4000000000000007", "k");
    let telling = async {
        // Waits until the provider has been called.
        while app.database.scalar("SELECT count(*) FROM jobs WHERE kind = 'test_payment_webhook'").await == "0" {
            tokio::task::yield_now().await;
        }
        app.run_jobs().await;
        (app.payment_status(&order).await, app.database.scalar("SELECT outcome FROM payment_webhooks").await)
    };
    let (response, webhook) = tokio::join!(paying, telling);
    assert_eq!(webhook, ("authorized 0.00/0.00".to_owned(), "applied".to_owned()), "before the provider responded");
    assert_eq!(
        describe_payment(response.at("paymentCreate.payment")),
        "authorized 0.00/0.00: authorize 20.00 succeeded"
    );
    assert_eq!(app.payment_history(&order).await, ["authorized 20.00"], "once");
}

#[tokio::test]
async fn automatic_capture_captures_authorized_payments() {
    let app = app(Duration::from_secs(30), PaymentCapture::AtOnce).await;
    for (card, expected) in [("4111111111111111", "paid 20.00/0.00"), ("4000000000000008", "authorized 0.00/0.00")] {
        let (customer, _, order) = app.unpaid_order().await;
        customer.pay(&order, card).await;
        assert_eq!(app.payment_status(&order).await, "authorized 0.00/0.00");
        assert_eq!(app.run_jobs().await, 1);
        assert_eq!(app.payment_status(&order).await, expected, "{card}");
        assert_eq!(app.run_jobs().await, 0);
    }
}

#[tokio::test]
async fn card_number_is_not_stored_once_the_payment_is_settled() {
    let app = app(Duration::from_secs(30), PaymentCapture::ByHand).await;
    let mut places = Vec::new();
    for (number, word, _) in CARDS.iter().filter(|(_, word, _)| !["late", "early"].contains(word)) {
        let (customer, _, order) = app.unpaid_order().await;
        customer.pay(&order, number).await;
        let tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
        for table in app.database.rows(tables).await {
            let table = table.trim_matches(['(', ')']);
            let text = app.database.rows(&format!("SELECT r::text FROM {table} r")).await.join("\n");
            if text.contains(number) {
                places.push(format!("{word}: {table}"));
            }
        }
    }
    // While the outcome is unknown the card number is in the job, and is deleted with it.
    assert_eq!(places, ["later: jobs"]);
    app.run_jobs_now("test_payment_webhook").await;
    assert_eq!(app.database.scalar("SELECT count(*) FROM jobs").await, "0");
}

#[test]
fn guide_lists_every_test_card() {
    let guide = include_str!("../../../docs/guides/payments.md");
    for (number, _, what) in CARDS {
        assert!(guide.contains(&format!("| `{number}` | {what} |")), "{number} {what}");
    }
}
