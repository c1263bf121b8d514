//! The webhook endpoint: what is accepted, what is rejected, and that no event is applied twice.

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header::ALLOW},
};
use chrono::{Duration, Utc};
use serde_json::{Value, json};
use souk::payments::providers::signature::sign;

use crate::support::{PAYMENT_SECRET, TestApp};

/// Creates a payment that is pending until its webhook arrives; returns its id and the key of its authorization.
async fn pending_payment(app: &TestApp) -> (String, String, String) {
    let (customer, _, order) = app.unpaid_order().await;
    let payment = customer.pay(&order, "4000000000000004").await;
    let key = app.database.scalar("SELECT key FROM payment_operations ORDER BY id DESC LIMIT 1").await;
    (order, payment, key)
}

fn event(id: &str, key: &str, status: &str) -> String {
    let (reference, failure) = (json!("test_later_x"), json!("card_declined"));
    json!({ "id": id, "key": key, "status": status, "reference": reference, "failure": failure }).to_string()
}

/// Sends a webhook; returns the HTTP status, and the outcome or the error code.
async fn send(app: &TestApp, provider: &str, signature: Option<String>, body: &str) -> (StatusCode, String) {
    let request = Request::post(format!("/webhooks/payments/{provider}"));
    let request = signature.into_iter().fold(request, |request, signature| request.header("Souk-Signature", signature));
    let (status, headers, bytes) = app.send(request.body(Body::from(body.to_owned())).unwrap()).await;
    assert!(headers.contains_key("x-request-id"));
    let json: Value = serde_json::from_slice(&bytes).expect("JSON");
    let word = json["outcome"].as_str().or(json["errors"][0]["extensions"]["code"].as_str());
    (status, word.unwrap_or_else(|| panic!("{json}")).to_owned())
}

async fn send_signed(app: &TestApp, body: &str) -> (u16, String) {
    let (status, word) = send(app, "test", Some(sign(PAYMENT_SECRET, body.as_bytes(), Utc::now())), body).await;
    (status.as_u16(), word)
}

#[tokio::test]
async fn webhook_without_a_current_valid_signature_changes_nothing() {
    let app = TestApp::new().await;
    let (order, _, key) = pending_payment(&app).await;
    let body = event("evt_1", &key, "succeeded");
    let signed = |secret: &str, text: &str, minutes: i64| {
        Some(sign(secret, text.as_bytes(), Utc::now() + Duration::seconds(60 * minutes)))
    };
    let good = signed(PAYMENT_SECRET, &body, 0).unwrap();
    let table = [
        ("test", None, body.as_str(), (401, "UNAUTHENTICATED")),
        ("test", Some(String::new()), &body, (401, "UNAUTHENTICATED")),
        ("test", Some("nonsense".into()), &body, (401, "UNAUTHENTICATED")),
        ("test", signed("another secret", &body, 0), &body, (401, "UNAUTHENTICATED")),
        ("test", signed(PAYMENT_SECRET, "another body", 0), &body, (401, "UNAUTHENTICATED")),
        ("test", signed(PAYMENT_SECRET, &body, -6), &body, (401, "UNAUTHENTICATED")),
        ("test", signed(PAYMENT_SECRET, &body, 6), &body, (401, "UNAUTHENTICATED")),
        // The timestamp is part of the signed text.
        ("test", Some(good.replacen("t=1", "t=2", 1)), &body, (401, "UNAUTHENTICATED")),
        ("test", signed(PAYMENT_SECRET, "", 0), "", (400, "BAD_USER_INPUT")),
        ("test", signed(PAYMENT_SECRET, "{}", 0), "{}", (400, "BAD_USER_INPUT")),
        ("test", signed(PAYMENT_SECRET, "[[[[", 0), "[[[[", (400, "BAD_USER_INPUT")),
        ("manual", Some(good.clone()), &body, (404, "NOT_FOUND")),
        ("nobody", Some(good.clone()), &body, (404, "NOT_FOUND")),
    ];
    let before = app.database.contents().await;
    for (provider, signature, body, (status, code)) in table {
        let sent = send(&app, provider, signature.clone(), body).await;
        assert_eq!((sent.0.as_u16(), sent.1.as_str()), (status, code), "{provider} {signature:?} {body}");
    }
    for (id, key) in [("", key.as_str()), (&"e".repeat(201), &key), ("evt_1", "no key"), ("nul\0", &key)] {
        assert_eq!(
            send_signed(&app, &event(id, key, "succeeded")).await,
            (400, "BAD_USER_INPUT".to_owned()),
            "{id} {key}"
        );
    }
    let huge = event(&"e".repeat(300_000), &key, "succeeded");
    assert_eq!(send_signed(&app, &huge).await, (413, "LIMIT_EXCEEDED".to_owned()));
    assert_eq!(app.database.contents().await, before);
    let get = Request::builder().method(Method::GET).uri("/webhooks/payments/test").body(Body::empty()).unwrap();
    let (status, headers, _) = app.send(get).await;
    assert_eq!((status, headers[ALLOW].to_str().unwrap()), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
    assert_eq!(app.payment_status(&order).await, "pending 0.00/0.00");
    // The same body with a valid signature, its time up to five minutes off.
    let sent = send(&app, "test", signed(PAYMENT_SECRET, &body, -4), &body).await;
    assert_eq!(sent, (StatusCode::OK, "applied".to_owned()));
    assert_eq!(app.payment_status(&order).await, "authorized 0.00/0.00");
}

#[tokio::test]
async fn event_applies_once_and_contradictions_change_nothing() {
    let app = TestApp::new().await;
    let (order, payment, key) = pending_payment(&app).await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    for (body, expected) in [
        (event("evt_0", nobody, "succeeded"), "unknown"),
        (event("evt_0", nobody, "succeeded"), "repeated"),
        (event("evt_1", &key, "pending"), "applied"),
        (event("evt_2", &key, "succeeded"), "applied"),
        (event("evt_2", &key, "succeeded"), "repeated"),
        // A known event id is ignored, whatever its contents.
        (event("evt_2", &key, "failed"), "repeated"),
        (event("evt_3", &key, "succeeded"), "known"),
        (event("evt_4", &key, "pending"), "known"),
        (event("evt_5", &key, "failed"), "conflict"),
        (event("evt_6", &key, "succeeded"), "known"),
    ] {
        assert_eq!(send_signed(&app, &body).await, (200, expected.to_owned()), "{body}");
    }
    assert_eq!(app.payment_status(&order).await, "authorized 0.00/0.00");
    assert_eq!(app.payment_history(&order).await, ["authorized 20.00"]);
    let noted = "SELECT string_agg(event_id || ' ' || outcome, ', ' ORDER BY id) FROM payment_webhooks";
    let expected = "evt_0 unknown, evt_1 applied, evt_2 applied, evt_3 known, evt_4 known, evt_5 conflict, evt_6 known";
    assert_eq!(app.database.scalar(noted).await, expected);
    let payload = app.database.scalar("SELECT payload FROM payment_webhooks WHERE event_id = 'evt_2'").await;
    let payload: Value = serde_json::from_str(&payload).unwrap();
    assert_eq!(payload, json!({ "key": key, "status": "succeeded", "reference": "test_later_x" }));
    // The opposite: a failed operation stays failed.
    let (order, _, key) = pending_payment(&app).await;
    assert_eq!(send_signed(&app, &event("evt_7", &key, "failed")).await, (200, "applied".to_owned()));
    assert_eq!(send_signed(&app, &event("evt_8", &key, "succeeded")).await, (200, "conflict".to_owned()));
    assert_eq!(app.payment_status(&order).await, "none 0.00/0.00");
    let staff = app.manager().await;
    assert_eq!(staff.payment_summary(&payment).await, "authorized 0.00/0.00: authorize 20.00 succeeded");
}

#[tokio::test]
async fn concurrent_deliveries_of_an_event_apply_once() {
    let app = TestApp::new().await;
    app.database.disable_deadlock_detection().await;
    let (order, _, key) = pending_payment(&app).await;
    let body = event("evt_1", &key, "succeeded");
    let reported = futures_util::future::join_all((0..20).map(|_| send_signed(&app, &body))).await;
    let count = |word: &str| reported.iter().filter(|(status, reported)| *status == 200 && reported == word).count();
    assert_eq!((count("applied"), count("repeated")), (1, 19), "{reported:?}");
    assert_eq!(app.payment_history(&order).await, ["authorized 20.00"]);
}
