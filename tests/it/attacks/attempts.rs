//! Guesses and registrations, again and again: the settings limit them. Networks that many clients share are not counted.

use serde_json::{Value, json};
use souk::{config::AttemptSettings, limits::AttemptLimit};

use crate::support::{Actor, TestApp, accounts::PASSWORD};

const ADA: &str = "ada@souk.example";
const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "203.0.113.1";

fn limit(text: &str) -> AttemptLimit {
    text.parse().unwrap()
}

async fn app_with(attempts: AttemptSettings) -> TestApp {
    TestApp::builder().attempts(attempts).build().await
}

async fn outcome_at(actor: Actor<'_>, address: &str, mutation: &str, input: Value) -> String {
    actor.at_address(address).mutate(mutation, "", input).await.outcome(mutation)
}

async fn log_in(app: &TestApp, address: &str, email: &str, password: &str) -> String {
    outcome_at(app.anonymous(), address, "login", json!({ "email": email, "password": password })).await
}

async fn register(app: &TestApp, address: &str, email: &str) -> String {
    let input = json!({ "name": "Ada", "email": email, "password": PASSWORD });
    outcome_at(app.anonymous(), address, "register", input).await
}

/// Ends all blocks.
async fn expire_blocks(app: &TestApp) {
    let sql = "UPDATE login_throttles SET blocked_until = now() - interval '1 s' WHERE blocked_until IS NOT NULL";
    app.database.sql(sql).await;
}

/// Extends all blocks beyond the duration of a test, also those that have just ended.
async fn hold_blocks(app: &TestApp) {
    let sql = "UPDATE login_throttles SET blocked_until = now() + interval '10 min' WHERE blocked_until > updated_at";
    app.database.sql(sql).await;
}

/// Returns the pause that the last attempt caused, in seconds.
async fn last_pause(app: &TestApp) -> i64 {
    let sql = "SELECT coalesce(max(extract(epoch FROM blocked_until - updated_at))::int, 0) FROM login_throttles";
    app.database.scalar(sql).await.parse::<i64>().unwrap().max(0)
}

#[tokio::test]
async fn logins_have_the_free_attempts_and_the_longest_pause_of_the_setting() {
    let app = app_with(AttemptSettings { login: limit("2:3"), ..AttemptSettings::default() }).await;
    assert_eq!(register(&app, HOME, ADA).await, "done");
    let mut pauses = Vec::new();
    for _ in 0..6 {
        expire_blocks(&app).await;
        assert_eq!(log_in(&app, HOME, ADA, "wrong one").await, "INVALID_CREDENTIALS email");
        pauses.push(last_pause(&app).await);
    }
    assert_eq!(pauses, [0, 1, 2, 3, 3, 3]);
    hold_blocks(&app).await;
    assert_eq!(log_in(&app, HOME, ADA, PASSWORD).await, "!RATE_LIMITED");
    assert_eq!(log_in(&app, ELSEWHERE, ADA, PASSWORD).await, "done", "strangers do not lock out the owner");
}

#[tokio::test]
async fn strangers_block_an_account_for_the_longest_pause_of_the_setting_at_most() {
    let app = app_with(AttemptSettings { login_account: limit("2:3"), ..AttemptSettings::default() }).await;
    assert_eq!(register(&app, HOME, ADA).await, "done");
    let mut pauses = Vec::new();
    for stranger in 0..6 {
        expire_blocks(&app).await;
        let address = format!("198.51.100.{stranger}");
        assert_eq!(log_in(&app, &address, ADA, "wrong one").await, "INVALID_CREDENTIALS email");
        pauses.push(last_pause(&app).await);
    }
    assert_eq!(pauses, [0, 1, 2, 3, 3, 3]);
    hold_blocks(&app).await;
    assert_eq!(log_in(&app, ELSEWHERE, ADA, PASSWORD).await, "!RATE_LIMITED");
    assert_eq!(log_in(&app, HOME, ADA, PASSWORD).await, "done", "the account was logged in from here before");
}

#[tokio::test]
async fn each_kind_of_attempts_has_its_setting() {
    let attempts = AttemptSettings {
        login_network: limit("3:900"),
        register: limit("2:900"),
        password: limit("1:900"),
        email: limit("1:900"),
        email_network: limit("2:900"),
        ..AttemptSettings::default()
    };
    let app = app_with(attempts).await;
    let mut found = Vec::new();
    for i in 0..3 {
        found.push(register(&app, HOME, &format!("u{i}@souk.example")).await);
        hold_blocks(&app).await;
    }
    assert_eq!(found, ["done", "done", "!RATE_LIMITED"]);
    assert_eq!(register(&app, ELSEWHERE, ADA).await, "done");

    let mut found = Vec::new();
    for i in 0..4 {
        found.push(log_in(&app, HOME, &format!("v{i}@souk.example"), "wrong one").await);
        hold_blocks(&app).await;
    }
    let wrong = "INVALID_CREDENTIALS email";
    assert_eq!(found, [wrong, wrong, wrong, "!RATE_LIMITED"]);

    for mutation in ["passwordForgot", "emailVerificationResend"] {
        let mut found = Vec::new();
        for (address, email) in [
            (HOME, ADA),
            // The recipient, from anywhere.
            (ELSEWHERE, ADA),
            (HOME, "eve@souk.example"),
            // The network address, to anyone.
            (HOME, "bob@souk.example"),
            (ELSEWHERE, "bob@souk.example"),
        ] {
            found.push(outcome_at(app.anonymous(), address, mutation, json!({ "email": email })).await);
            hold_blocks(&app).await;
        }
        assert_eq!(found, ["done", "!RATE_LIMITED", "done", "!RATE_LIMITED", "done"], "{mutation}");
    }

    let mut found = Vec::new();
    let thief = app.log_in_with_password(ADA, PASSWORD).await;
    for _ in 0..2 {
        let input = json!({ "password": "wrong one", "newPassword": "three other words" });
        found.push(thief.mutate("passwordChange", "", input).await.outcome("passwordChange"));
        hold_blocks(&app).await;
    }
    assert_eq!(found, ["INVALID_CREDENTIALS password", "!RATE_LIMITED"]);
}

#[tokio::test]
async fn lookups_are_blocked_for_the_time_of_the_setting_and_counted_anew_after_it() {
    let app = app_with(AttemptSettings { order_lookup: limit("2:60"), ..AttemptSettings::default() }).await;
    let guest = app.anonymous().at_address(HOME);
    let look_up = async || guest.run(r#"{ order(orderNumber: "SAILOR-1", email: "eve@souk.example") { id } }"#).await;
    for _ in 0..2 {
        assert_eq!(look_up().await.at("order"), &Value::Null);
    }
    assert_eq!(last_pause(&app).await, 60);
    assert_eq!(look_up().await.code(), "RATE_LIMITED");
    let later = "UPDATE login_throttles SET updated_at = updated_at - interval '61 s', blocked_until = blocked_until - interval '61 s'";
    app.database.sql(later).await;
    assert_eq!(look_up().await.at("order"), &Value::Null);
    assert_eq!(app.database.scalar("SELECT max(attempts) FROM login_throttles").await, "1");
}

#[tokio::test]
async fn attempts_of_exempt_networks_are_not_counted_together() {
    let attempts = AttemptSettings { register: limit("1:900"), login: limit("2:900"), ..AttemptSettings::default() };
    let (default, front_ends) = ("127.0.0.0/8,::1/128", "10.1.0.0/16,2001:db8:1::/48");
    for (is_on, networks, exempt, counted) in [
        (true, default, &["127.0.0.1", "::1", "::ffff:127.0.0.1"][..], &["10.1.2.3", HOME][..]),
        (true, front_ends, &["10.1.2.3", "2001:db8:1:2::3"], &["127.0.0.1", "10.2.0.1", HOME]),
        (false, default, &[HOME, "10.1.2.3", "127.0.0.1"], &[]),
    ] {
        let app = TestApp::builder()
            .attempts(attempts)
            .http(|http| {
                http.rates.is_on = is_on;
                http.rates.exempt = networks.split(',').map(|network| network.parse().unwrap()).collect();
            })
            .build()
            .await;
        let twice = async |address: &str| {
            let mut found = Vec::new();
            for _ in 0..2 {
                let email = format!("{}@souk.example", uuid::Uuid::new_v4().simple());
                found.push(register(&app, address, &email).await);
                hold_blocks(&app).await;
            }
            found
        };
        for address in exempt {
            assert_eq!(twice(address).await, ["done", "done"], "{is_on} {networks}: {address}");
        }
        for address in counted {
            assert_eq!(twice(address).await, ["done", "!RATE_LIMITED"], "{is_on} {networks}: {address}");
        }
        // The passwords of an account cannot be guessed from there either.
        for _ in 0..2 {
            assert_eq!(log_in(&app, exempt[0], ADA, "wrong one").await, "INVALID_CREDENTIALS email");
        }
        hold_blocks(&app).await;
        assert_eq!(log_in(&app, exempt[0], ADA, "wrong one").await, "!RATE_LIMITED", "{is_on} {networks}");
    }
}
