//! Login throttling: the number of attempts is limited on every path, and attackers cannot lock out the owner.

use std::net::{IpAddr, SocketAddr};

use axum::{
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode, header},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use souk::{
    access::{
        actions::{cleanup::delete_expired, throttle},
        model::throttle::AttemptKind,
    },
    auth::RequestOrigin,
    error::Error,
    ids::{RowId, UserId},
};

use crate::support::TestApp;

const ADA: &str = "ada@souk.example";
const PASSWORD: &str = "four unusual words here";
const CLIENT_ADDRESS: &str = "192.0.2.1";

async fn register_ada(app: &TestApp) -> UserId {
    let input = json!({ "name": "Ada", "email": ADA, "password": PASSWORD });
    let registered = app.anonymous().mutate("register", "user { id }", input).await;
    UserId::parse("id", &registered.text_at("register.user.id")).unwrap()
}

/// Returns a request from this address, as forwarded by the shop's proxy.
fn request(from: Option<&str>, document: &str) -> Request<Body> {
    let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    if let Some(from) = from {
        request = request.header("x-forwarded-for", from);
    }
    request.body(Body::from(json!({ "query": document }).to_string())).unwrap()
}

async fn send(app: &TestApp, request: Request<Body>) -> (StatusCode, HeaderMap, Value) {
    let (status, headers, bytes) = app.send(request).await;
    (status, headers, serde_json::from_slice(&bytes).unwrap())
}

fn document(email: &str, password: &str) -> String {
    format!("mutation {{ login(input: {{ email: {email:?}, password: {password:?} }}) {{ userErrors {{ code }} }} }}")
}

/// Returns the outcome of a login: `done`, or the error code.
fn outcome(response: &Value) -> String {
    let code = &response["errors"][0]["extensions"]["code"];
    let user_error = &response["data"]["login"]["userErrors"][0]["code"];
    code.as_str().or(user_error.as_str()).unwrap_or("done").to_owned()
}

async fn log_in(app: &TestApp, from: Option<&str>, email: &str, password: &str) -> String {
    outcome(&send(app, request(from, &document(email, password))).await.2)
}

/// Returns the attempts of all counters, highest first.
async fn attempts(app: &TestApp) -> Vec<i64> {
    let rows = app.database.rows("SELECT attempts FROM login_throttles ORDER BY 1 DESC").await;
    rows.iter().map(|row| row.trim_matches(['(', ')']).parse().unwrap()).collect()
}

/// Ends the blocks of all counters.
async fn expire_blocks(app: &TestApp) {
    app.database.sql("UPDATE login_throttles SET blocked_until = now() - interval '1 s'").await;
}

/// Extends the current blocks beyond the duration of a test.
async fn extend_blocks(app: &TestApp) {
    app.database
        .sql("UPDATE login_throttles SET blocked_until = now() + interval '10 min' WHERE blocked_until > now()")
        .await;
}

#[tokio::test]
async fn each_login_alias_in_a_document_counts_as_an_attempt() {
    let app = TestApp::new().await;
    register_ada(&app).await;
    let wrong = |i: usize| {
        format!("a{i}: login(input: {{ email: {ADA:?}, password: \"wrong {i}\" }}) {{ userErrors {{ code }} }}")
    };
    // More of them in a document are too complex.
    let mut outcomes = Vec::new();
    for _ in 0..7 {
        let all: Vec<_> = (0..3).map(wrong).collect();
        outcomes.push(send(&app, request(Some(CLIENT_ADDRESS), &format!("mutation {{ {} }}", all.join(" ")))).await);
        if outcomes.last().is_some_and(|(.., response)| outcome(response) == "RATE_LIMITED") {
            break;
        }
    }
    let (status, headers, response) = outcomes.pop().expect("a response");
    assert_eq!(outcome(&response), "RATE_LIMITED", "{response:#}");
    // The first blocks are short, so a slow machine may outlast one or two.
    let counted = attempts(&app).await;
    assert!((5..=8).contains(&counted[0]), "{counted:?}");
    let error = &response["errors"][0];
    assert!(error["extensions"]["retryAfter"].as_u64().is_some_and(|seconds| (1..=8).contains(&seconds)), "{error}");
    assert_eq!(headers["retry-after"].to_str().unwrap(), error["extensions"]["retryAfter"].to_string());
    assert_eq!(status, StatusCode::OK, "the document itself was valid");
}

#[tokio::test]
async fn each_parallel_login_counts_as_an_attempt() {
    let app = TestApp::new().await;
    register_ada(&app).await;
    // From an address with five free attempts, and without an address with fifty.
    for (from, free, total) in [(Some(CLIENT_ADDRESS), 5, 50), (None, 50, 80)] {
        app.database.sql("DELETE FROM login_throttles").await;
        let tries = join_all((0..total).map(|_| log_in(&app, from, ADA, "wrong one"))).await;
        let hashed = tries.iter().filter(|outcome| *outcome == "INVALID_CREDENTIALS").count();
        assert_eq!(hashed + tries.iter().filter(|outcome| *outcome == "RATE_LIMITED").count(), total, "{tries:?}");
        assert!((free..free + 4).contains(&hashed), "{hashed} of {total} reached the hash");
        assert_eq!(attempts(&app).await[0], hashed as i64, "rejected attempts are not counted");
    }
}

#[tokio::test]
async fn attackers_cannot_lock_out_the_owner_at_a_known_address() {
    let app = TestApp::new().await;
    register_ada(&app).await;
    let home = "2001:db8:1:2:aaaa::1";
    for known in [CLIENT_ADDRESS, home] {
        assert_eq!(log_in(&app, Some(known), ADA, PASSWORD).await, "done");
    }
    let strangers = (0..50).map(|i| format!("198.51.100.{i}"));
    for stranger in strangers {
        assert_eq!(log_in(&app, Some(&stranger), ADA, "wrong one").await, "INVALID_CREDENTIALS", "{stranger}");
    }
    extend_blocks(&app).await;
    assert_eq!(log_in(&app, Some("203.0.113.1"), ADA, PASSWORD).await, "RATE_LIMITED");
    assert_eq!(log_in(&app, None, ADA, PASSWORD).await, "RATE_LIMITED");
    assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), ADA, PASSWORD).await, "done");
    // Of an IPv6 address only the first half counts, because the other half changes daily.
    assert_eq!(log_in(&app, Some("2001:db8:1:2:bbbb::2"), ADA, PASSWORD).await, "done");
    assert_eq!(log_in(&app, Some("2001:db8:1:3::1"), ADA, PASSWORD).await, "RATE_LIMITED");
    // The known address has no extra attempts for other accounts.
    assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), "eve@souk.example", "wrong one").await, "INVALID_CREDENTIALS");
    let pause = "SELECT extract(epoch FROM max(blocked_until - now())) < 601 FROM login_throttles";
    assert_eq!(app.database.scalar(pause).await, "t");
    // Failed logins from a known address have a counter of their own.
    for _ in 0..5 {
        assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), ADA, "wrong one").await, "INVALID_CREDENTIALS");
    }
    extend_blocks(&app).await;
    assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), ADA, PASSWORD).await, "RATE_LIMITED");
    // Old sessions do not make an address known.
    app.database.sql("UPDATE sessions SET last_used_at = now() - interval '91 days'").await;
    assert_eq!(log_in(&app, Some("2001:db8:1:2:bbbb::2"), ADA, PASSWORD).await, "RATE_LIMITED");
}

#[tokio::test]
async fn block_doubles_up_to_fifteen_minutes_and_ends_on_success() {
    let app = TestApp::new().await;
    register_ada(&app).await;
    let wrong = async || log_in(&app, Some(CLIENT_ADDRESS), ADA, "wrong one").await;
    let pause = "SELECT coalesce(max(extract(epoch FROM blocked_until - updated_at))::int, 0) FROM login_throttles";
    let mut pauses = Vec::new();
    for _ in 0..18 {
        expire_blocks(&app).await;
        assert_eq!(wrong().await, "INVALID_CREDENTIALS");
        pauses.push(app.database.scalar(pause).await.parse::<i64>().unwrap().max(0));
    }
    assert_eq!(pauses, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]);
    assert_eq!(
        log_in(&app, Some(CLIENT_ADDRESS), ADA, PASSWORD).await,
        "RATE_LIMITED",
        "the correct password is blocked, too"
    );
    expire_blocks(&app).await;
    assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), ADA, PASSWORD).await, "done");
    // The counter of account and address is reset; those of the account or the address alone only uncount the
    // successful attempt.
    assert_eq!(attempts(&app).await, [18, 18, 0]);
    for _ in 0..4 {
        assert_eq!(wrong().await, "INVALID_CREDENTIALS");
    }
    assert_eq!(app.database.scalar("SELECT count(*) FROM login_throttles WHERE blocked_until > now()").await, "0");
}

#[tokio::test]
async fn logging_in_to_own_account_does_not_reset_attempts_on_others() {
    let app = TestApp::new().await;
    register_ada(&app).await;
    app.database.sql("UPDATE users SET email = 'eve@souk.example'").await;
    for i in 0..100 {
        assert_eq!(
            log_in(&app, Some(CLIENT_ADDRESS), &format!("u{i}@souk.example"), "wrong one").await,
            "INVALID_CREDENTIALS"
        );
        if i % 10 == 0 {
            assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), "eve@souk.example", PASSWORD).await, "done");
        }
    }
    extend_blocks(&app).await;
    assert_eq!(attempts(&app).await[0], 100);
    assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), "another@souk.example", "wrong one").await, "RATE_LIMITED");
    assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), "eve@souk.example", PASSWORD).await, "RATE_LIMITED");
    assert_eq!(log_in(&app, Some("192.0.2.2"), "eve@souk.example", PASSWORD).await, "done");
}

#[tokio::test]
async fn throttling_is_the_same_for_existing_and_missing_accounts() {
    let app = TestApp::new().await;
    register_ada(&app).await;
    let mut stories = Vec::new();
    for email in [ADA, "nobody@souk.example", "ADA@Souk.Example"] {
        app.database.sql("DELETE FROM login_throttles").await;
        let mut story = Vec::new();
        for i in 0..7 {
            if i == 5 {
                extend_blocks(&app).await;
            }
            let (status, headers, mut response) =
                send(&app, request(Some(CLIENT_ADDRESS), &document(email, "wrong one"))).await;
            if let Some(Value::Object(reported)) = response.pointer_mut("/errors/0/extensions") {
                let wait = reported.insert("retryAfter".to_owned(), json!("so long")).and_then(|wait| wait.as_u64());
                assert!(wait.is_some_and(|seconds| (590..=601).contains(&seconds)), "{wait:?}");
                reported.remove("requestId");
            }
            response["extensions"] = Value::Null;
            story.push((status, headers.contains_key("retry-after"), response));
        }
        assert!(story[5].1 && !story[4].1, "{story:#?}");
        stories.push(story);
    }
    assert_eq!(stories[0], stories[1]);
    assert_eq!(stories[0], stories[2]);
}

#[tokio::test]
async fn forwarded_address_is_trusted_only_from_own_proxies() {
    // Whatever the header contains, it is the same client.
    for (trusted, forwarded) in
        [(0, "10.0.0.<i>"), (1, "10.0.0.<i>, 192.0.2.9"), (2, "10.0.0.<i>, 192.0.2.9, 10.1.1.1")]
    {
        let app = TestApp::builder().http(|http| http.trusted_proxies = trusted).build().await;
        let mut outcomes = Vec::new();
        for i in 0..6 {
            if i == 5 {
                extend_blocks(&app).await;
            }
            let from = forwarded.replace("<i>", &i.to_string());
            let mut request = request(Some(&from), &document(ADA, "wrong one"));
            request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([192, 0, 2, 77], 4711))));
            outcomes.push(outcome(&send(&app, request).await.2));
        }
        assert_eq!(outcomes[4..], ["INVALID_CREDENTIALS", "RATE_LIMITED"], "{trusted} proxies");
    }
}

#[tokio::test]
async fn attempts_survive_a_restart_and_are_shared_by_servers() {
    let app = TestApp::new().await;
    for _ in 0..3 {
        assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), ADA, "wrong one").await, "INVALID_CREDENTIALS");
    }
    let other = app.second_server().await;
    for _ in 0..2 {
        assert_eq!(log_in(&other, Some(CLIENT_ADDRESS), ADA, "wrong one").await, "INVALID_CREDENTIALS");
    }
    extend_blocks(&app).await;
    assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), ADA, "wrong one").await, "RATE_LIMITED");
    assert_eq!(log_in(&app.second_server().await, Some(CLIENT_ADDRESS), ADA, "wrong one").await, "RATE_LIMITED");
}

#[tokio::test]
async fn counters_hold_no_personal_data_and_expire_within_a_day() {
    let app = TestApp::new().await;
    for _ in 0..5 {
        assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), ADA, "wrong one").await, "INVALID_CREDENTIALS");
    }
    assert_eq!(attempts(&app).await, [5, 5, 5]);
    let rows = app.database.rows("SELECT * FROM login_throttles").await.join("\n");
    assert!(!rows.contains("ada") && !rows.contains(CLIENT_ADDRESS), "{rows}");
    let deleted = async || delete_expired(&app.database.db).await.unwrap();
    assert_eq!(deleted().await, 0);
    app.database
        .sql("UPDATE login_throttles SET updated_at = now() - interval '25 h', blocked_until = now() - interval '24 h'")
        .await;
    // The next attempt starts at zero, whether or not the cleanup ran.
    assert_eq!(log_in(&app, Some("192.0.2.2"), ADA, "wrong one").await, "INVALID_CREDENTIALS");
    assert_eq!(attempts(&app).await, [5, 5, 1, 1, 1]);
    assert_eq!(deleted().await, 2);
    assert_eq!(attempts(&app).await, [1, 1, 1]);
}

#[tokio::test]
async fn attempt_that_fails_internally_is_not_counted() {
    let app = TestApp::new().await;
    register_ada(&app).await;
    app.database.sql("UPDATE users SET password_hash = 'damaged'").await;
    for _ in 0..7 {
        assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), ADA, PASSWORD).await, "INTERNAL_SERVER_ERROR");
    }
    assert_eq!(attempts(&app).await, [0, 0, 0]);
}

#[tokio::test]
async fn registrations_are_limited_by_network_address() {
    let app = TestApp::new().await;
    let register = async |from: &str, i: usize| {
        let document = format!(
            "mutation {{ login: register(input: {{ name: \"A\", email: \"a{i}@souk.example\", password: {PASSWORD:?} }}) {{
                userErrors {{ code }} }} }}"
        );
        outcome(&send(&app, request(Some(from), &document)).await.2)
    };
    for i in 0..30 {
        assert_eq!(register(CLIENT_ADDRESS, i).await, "done");
    }
    extend_blocks(&app).await;
    assert_eq!(register(CLIENT_ADDRESS, 30).await, "RATE_LIMITED");
    assert_eq!(register("192.0.2.2", 30).await, "done");
    // Invalid input is not counted, so that a form can be corrected.
    assert_eq!(attempts(&app).await, [30, 1]);
    let wrong =
        r#"mutation { login: register(input: { name: "", email: "a", password: "b" }) { userErrors { code } } }"#;
    assert_ne!(outcome(&send(&app, request(Some("192.0.2.2"), wrong)).await.2), "done");
    assert_eq!(attempts(&app).await, [30, 1]);
}

#[tokio::test]
async fn emails_are_limited_by_recipient_and_client_address() {
    let app = TestApp::new().await;
    let count = async |kind, from: &str, email: &str| {
        let origin = RequestOrigin::new(from.parse::<IpAddr>().ok(), None);
        throttle::count_attempt(&app.database.db, &app.services.attempts, kind, &origin, Some(email)).await
    };
    for kind in [AttemptKind::PasswordForgot, AttemptKind::EmailVerificationResend, AttemptKind::EmailChange] {
        for i in 0..5 {
            count(kind, &format!("198.51.100.{i}"), ADA).await.unwrap();
        }
        extend_blocks(&app).await;
        let rejected = count(kind, CLIENT_ADDRESS, ADA).await;
        assert!(matches!(rejected, Err(Error::TooManyAttempts { retry_after: 590..=601 })), "{kind:?}: {rejected:?}");
        // Each kind of email has its own counters.
        count(kind, CLIENT_ADDRESS, "bob@souk.example").await.unwrap();
    }
    for i in 0..29 {
        count(AttemptKind::PasswordForgot, CLIENT_ADDRESS, &format!("u{i}@souk.example")).await.unwrap();
    }
    extend_blocks(&app).await;
    count(AttemptKind::PasswordForgot, CLIENT_ADDRESS, "new@souk.example").await.unwrap_err();
}

#[tokio::test]
async fn password_change_clears_failed_logins_of_the_account() {
    let app = TestApp::new().await;
    let id = register_ada(&app).await;
    for _ in 0..5 {
        assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), ADA, "wrong one").await, "INVALID_CREDENTIALS");
    }
    extend_blocks(&app).await;
    assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), ADA, PASSWORD).await, "RATE_LIMITED");
    let origin = RequestOrigin::new(CLIENT_ADDRESS.parse().ok(), None);
    let cleared = app.database.db.transaction(async |conn| throttle::clear_account(conn, &origin, id, Some(ADA)).await);
    cleared.await.unwrap();
    assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), ADA, PASSWORD).await, "done");
    // The counter of the address alone is unchanged.
    assert_eq!(attempts(&app).await[0], 5);
}

#[tokio::test]
async fn current_password_cannot_be_guessed_with_a_stolen_token() {
    let app = TestApp::new().await;
    let id = register_ada(&app).await;
    let thief = app.existing_user(id, "customer").await;
    let change = async |password: &str| {
        let input = json!({ "password": password, "newPassword": "three other words" });
        thief.mutate("passwordChange", "", input).await.outcome("passwordChange")
    };
    let erase = async |password: &str| {
        thief
            .mutate("userErase", "", json!({ "id": thief.global_id(), "password": password }))
            .await
            .outcome("userErase")
    };
    for _ in 0..5 {
        assert_eq!(change("wrong one").await, "INVALID_CREDENTIALS password");
        assert_eq!(erase("wrong one").await, "INVALID_CREDENTIALS password");
    }
    extend_blocks(&app).await;
    assert_eq!((change(PASSWORD).await, erase(PASSWORD).await), ("!RATE_LIMITED".into(), "!RATE_LIMITED".into()));
    // These counters do not block logins.
    assert_eq!(log_in(&app, Some(CLIENT_ADDRESS), ADA, PASSWORD).await, "done");
    expire_blocks(&app).await;
    assert_eq!(change(PASSWORD).await, "done");
}
