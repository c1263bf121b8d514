//! Sessions: logging in on several devices, refreshing tokens, and what ends a session.

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use souk::{access::actions::cache::refresh_cache, auth::PermissionCache, ids::UserId};

use crate::support::{Actor, TestApp, TestResponse};

const PASSWORD: &str = "four unusual words here";

/// Registers a user with a password, and removes the session that the registration opened.
async fn register_user(app: &TestApp, email: &str) {
    let input = json!({ "name": "Ada", "email": email, "password": PASSWORD });
    assert_eq!(app.anonymous().mutate("register", "user { id }", input).await.outcome("register"), "done");
    app.database.sql("DELETE FROM sessions").await;
}

/// The tokens of a session.
#[derive(Debug, Clone)]
struct Tokens {
    access: String,
    refresh: String,
}

impl Tokens {
    fn of(response: &TestResponse, mutation: &str) -> Self {
        let text = |field: &str| response.text_at(&format!("{mutation}.{field}"));
        Self { access: text("accessToken"), refresh: text("refreshToken") }
    }

    fn actor<'a>(&self, app: &'a TestApp) -> Actor<'a> {
        app.with_token(self.access.clone(), UserId(0))
    }
}

async fn log_in(app: &TestApp, email: &str) -> Tokens {
    let input = json!({ "email": email, "password": PASSWORD });
    let fields = "accessToken refreshToken expiresAt user { id }";
    Tokens::of(&app.anonymous().mutate("login", fields, input).await, "login")
}

async fn try_refresh(app: &TestApp, token: &str) -> TestResponse {
    let fields = "accessToken refreshToken expiresAt";
    app.anonymous().mutate("tokenRefresh", fields, json!({ "refreshToken": token })).await
}

async fn refresh(app: &TestApp, tokens: &Tokens) -> Tokens {
    Tokens::of(&try_refresh(app, &tokens.refresh).await, "tokenRefresh")
}

/// Returns `in` if the access token is valid, otherwise the error code.
async fn token_state(app: &TestApp, tokens: &Tokens) -> String {
    let response = tokens.actor(app).run("{ me { id } }").await;
    if response.json["errors"].is_null() { "in".to_owned() } else { response.code().to_owned() }
}

/// Moves the use of all refresh tokens out of the grace period.
async fn end_grace_period(app: &TestApp) {
    app.database.sql("UPDATE refresh_tokens SET used_at = used_at - interval '11 s'").await;
}

/// Runs an operation with these headers.
async fn send(app: &TestApp, headers: &[(&str, &str)], document: &str) -> (StatusCode, HeaderMap, Value) {
    let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Body::from(json!({ "query": document }).to_string());
    let (status, headers, bytes) = app.send(request.body(body).unwrap()).await;
    (status, headers, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn each_login_creates_a_session_that_records_its_device() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    let login = format!(
        r#"mutation {{ login(input: {{ email: "ada@souk.example", password: "{PASSWORD}" }}) {{ accessToken }} }}"#
    );
    // Only the entry that our own proxy added to the chain is trusted.
    let phone = [("user-agent", "Phone/1.0"), ("x-forwarded-for", "1.1.1.1, 203.0.113.7")];
    let (_, _, first) = send(&app, &phone, &login).await;
    let laptop = [("user-agent", "Laptop/2.0"), ("x-forwarded-for", "::ffff:203.0.113.8")];
    let (_, _, second) = send(&app, &laptop, &login).await;
    let token = |response: &Value| response["data"]["login"]["accessToken"].as_str().unwrap().to_owned();
    let (first, second) = (token(&first), token(&second));
    let me = app.with_token(first.clone(), UserId(0));
    let sessions = "{ me { sessions { id device address isCurrent } } }";
    let seen = me.run(sessions).await;
    let reported = |index: usize, field: &str| seen.at(&format!("me.sessions.{index}.{field}")).clone();
    assert_eq!(seen.at("me.sessions").as_array().unwrap().len(), 2);
    assert_eq!(
        (reported(0, "device"), reported(0, "address"), reported(0, "isCurrent")),
        (json!("Laptop/2.0"), json!("203.0.113.8"), json!(false))
    );
    assert_eq!(
        (reported(1, "device"), reported(1, "address"), reported(1, "isCurrent")),
        (json!("Phone/1.0"), json!("203.0.113.7"), json!(true))
    );

    let laptop = reported(0, "id").as_str().unwrap().to_owned();
    let revoked = me.mutate("sessionRevoke", "session { id device }", json!({ "id": laptop })).await;
    assert_eq!(revoked.text_at("sessionRevoke.session.device"), "Laptop/2.0");
    assert_eq!(app.with_token(second, UserId(0)).run("{ me { id } }").await.code(), "UNAUTHENTICATED");
    assert_eq!(me.run(sessions).await.at("me.sessions").as_array().unwrap().len(), 1);
    let again = me.mutate("sessionRevoke", "session { id }", json!({ "id": laptop })).await;
    assert_eq!(again.outcome("sessionRevoke"), "NOT_FOUND id");
}

#[tokio::test]
async fn sessions_of_other_users_are_not_visible() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    let ada = log_in(&app, "ada@souk.example").await;
    let mine = ada.actor(&app).run("{ me { id sessions { id } } }").await;
    let (id, session) = (mine.text_at("me.id"), mine.text_at("me.sessions.0.id"));
    for other in [app.customer().await, app.admin().await] {
        let seen = other
            .run_with(
                "query ($id: ID!) { user(id: $id) { sessions { id } } node(id: $id) { id } }",
                json!({ "id": id }),
            )
            .await;
        assert!(seen.at_ignoring_errors("user.sessions.0").is_null(), "{seen:?}");
        let node = other.run_with("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": session })).await;
        assert_eq!(node.at("node"), &Value::Null);
        let revoked = other.mutate("sessionRevoke", "session { id }", json!({ "id": session })).await;
        assert_eq!(revoked.outcome("sessionRevoke"), "NOT_FOUND id");
    }
    let own = ada.actor(&app).run_with("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": session })).await;
    assert_eq!(own.text_at("node.id"), session);
    assert_eq!(token_state(&app, &ada).await, "in");
}

#[tokio::test]
async fn refresh_returns_new_tokens_for_the_same_session() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    let first = log_in(&app, "ada@souk.example").await;
    let second = refresh(&app, &first).await;
    assert_ne!((&first.access, &first.refresh), (&second.access, &second.refresh));
    assert_eq!(
        second.actor(&app).run("{ me { sessions { isCurrent } } }").await.at("me.sessions"),
        &json!([{ "isCurrent": true }])
    );
    assert_eq!(token_state(&app, &first).await, "in", "the previous access token is valid until it expires");
    for nonsense in ["", "x", &first.access, "souk_rt_AAAA"] {
        assert_eq!(
            try_refresh(&app, nonsense).await.outcome("tokenRefresh"),
            "INVALID_TOKEN refreshToken",
            "{nonsense}"
        );
    }
    let none = app.anonymous().mutate("tokenRefresh", "accessToken", json!({})).await;
    assert_eq!(none.outcome("tokenRefresh"), "REQUIRED refreshToken");
    // A refresh token is not an access token.
    assert_eq!(app.with_token(second.refresh.clone(), UserId(0)).run("{ me { id } }").await.code(), "UNAUTHENTICATED");
    assert_eq!(
        app.database.scalar("SELECT count(*) FROM refresh_tokens WHERE encode(hash, 'escape') LIKE 'souk%'").await,
        "0"
    );
}

#[tokio::test]
async fn refresh_token_reused_after_the_grace_period_ends_its_session() {
    for (what, seconds, expected) in [("at once, as after a lost response", 0, true), ("too late", 11, false)] {
        let app = TestApp::new().await;
        register_user(&app, "ada@souk.example").await;
        // Only a verified address gets notices.
        app.database.sql("UPDATE users SET email_verified_at = now()").await;
        let (first, other) = (log_in(&app, "ada@souk.example").await, log_in(&app, "ada@souk.example").await);
        let second = refresh(&app, &first).await;
        if seconds > 0 {
            end_grace_period(&app).await;
        }
        let again = try_refresh(&app, &first.refresh).await.outcome("tokenRefresh");
        assert_eq!(again == "done", expected, "{what}: {again}");
        if !expected {
            assert_eq!(again, "INVALID_TOKEN refreshToken");
            assert_eq!(token_state(&app, &second).await, "UNAUTHENTICATED", "the session has ended for both");
            assert_eq!(try_refresh(&app, &second.refresh).await.outcome("tokenRefresh"), "INVALID_TOKEN refreshToken");
        }
        assert_eq!(token_state(&app, &other).await, "in", "other sessions are not affected");
        let reported = app.email_summaries().await.iter().filter(|line| line.contains("logged out")).count();
        assert_eq!(reported, usize::from(!expected), "the owner is notified of a possible theft");
    }
}

#[tokio::test]
async fn reused_refresh_token_ends_the_session_once_its_successor_was_used() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    let first = log_in(&app, "ada@souk.example").await;
    let second = refresh(&app, &first).await;
    let third = refresh(&app, &second).await;
    assert_eq!(try_refresh(&app, &first.refresh).await.outcome("tokenRefresh"), "INVALID_TOKEN refreshToken");
    assert_eq!(token_state(&app, &third).await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn only_one_of_two_refresh_chains_continues() {
    for is_late in [true, false] {
        let app = TestApp::new().await;
        register_user(&app, "ada@souk.example").await;
        let first = log_in(&app, "ada@souk.example").await;
        let (left, right) = (refresh(&app, &first).await, refresh(&app, &first).await);
        let left = refresh(&app, &left).await;
        if is_late {
            end_grace_period(&app).await;
        }
        assert_eq!(try_refresh(&app, &right.refresh).await.outcome("tokenRefresh"), "INVALID_TOKEN refreshToken");
        assert_eq!(token_state(&app, &left).await, "UNAUTHENTICATED", "one of the two may be a thief");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_concurrent_refreshes_leave_one_session() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    let first = log_in(&app, "ada@souk.example").await;
    let responses = join_all((0..20).map(|_| try_refresh(&app, &first.refresh))).await;
    assert!(responses.iter().all(|response| response.outcome("tokenRefresh") == "done"), "all within the grace period");
    let last = Tokens::of(&responses[7], "tokenRefresh");
    assert_eq!(
        last.actor(&app).run("{ me { sessions { isCurrent } } }").await.at("me.sessions"),
        &json!([{ "isCurrent": true }])
    );
    // Whichever response the client keeps works, and no other.
    let next = refresh(&app, &last).await;
    assert_eq!(token_state(&app, &next).await, "in");
    assert_eq!(app.database.scalar("SELECT count(*) FROM refresh_tokens WHERE used_at IS NULL").await, "1");
}

#[tokio::test]
async fn logout_takes_effect_immediately() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    let here = log_in(&app, "ada@souk.example").await;
    let there = log_in(&app, "ada@souk.example").await;
    let everywhere = log_in(&app, "ada@souk.example").await;
    assert_eq!(app.anonymous().run("mutation { logout { userErrors { code } } }").await.code(), "UNAUTHENTICATED");
    let out = here.actor(&app).run("mutation { logout { userErrors { code } } }").await;
    assert_eq!(out.at("logout.userErrors"), &json!([]));
    assert_eq!(
        (token_state(&app, &here).await.as_str(), token_state(&app, &there).await.as_str()),
        ("UNAUTHENTICATED", "in")
    );
    assert_eq!(try_refresh(&app, &here.refresh).await.outcome("tokenRefresh"), "INVALID_TOKEN refreshToken");
    everywhere.actor(&app).run("mutation { logoutEverywhere { userErrors { code } } }").await.at("logoutEverywhere");
    for tokens in [&there, &everywhere] {
        assert_eq!(token_state(&app, tokens).await, "UNAUTHENTICATED");
    }
    assert_eq!(token_state(&app, &log_in(&app, "ada@souk.example").await).await, "in", "the user can log in again");
}

#[tokio::test]
async fn other_servers_learn_of_revocations_without_a_query_per_request() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    let (tokens, other) = (log_in(&app, "ada@souk.example").await, log_in(&app, "ada@souk.example").await);
    let identity = |tokens: &Tokens| app.services.jwt.verify(&tokens.access).unwrap();
    let elsewhere = PermissionCache::new(app.services.jwt.lifetime());
    refresh_cache(&app.database.db, &elsewhere).await.unwrap();
    assert!(elsewhere.authorize(identity(&tokens)).is_ok());
    tokens.actor(&app).run("mutation { logout { userErrors { code } } }").await;
    refresh_cache(&app.database.db, &elsewhere).await.unwrap();
    assert!(elsewhere.authorize(identity(&tokens)).is_err());
    assert!(elsewhere.authorize(identity(&other)).is_ok());
    // A server that starts later also applies the revocation.
    let later = PermissionCache::new(app.services.jwt.lifetime());
    refresh_cache(&app.database.db, &later).await.unwrap();
    assert!(later.authorize(identity(&tokens)).is_err());
    let asked = other.actor(&app).run("{ __typename }").await;
    assert_eq!(asked.sql, Vec::<String>::new());
}

#[tokio::test]
async fn unused_session_expires() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    let tokens = log_in(&app, "ada@souk.example").await;
    app.database.sql("UPDATE sessions SET expires_at = now()").await;
    assert_eq!(try_refresh(&app, &tokens.refresh).await.outcome("tokenRefresh"), "INVALID_TOKEN refreshToken");
    assert_eq!(tokens.actor(&app).run("{ me { sessions { id } } }").await.at("me.sessions"), &json!([]));
}

#[tokio::test]
async fn deactivation_ends_sessions_immediately_and_can_be_undone() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    let tokens = log_in(&app, "ada@souk.example").await;
    let id = tokens.actor(&app).run("{ me { id } }").await.text_at("me.id");
    let manager = app.manager().await;
    let out = manager.mutate("userDeactivate", "user { isActive }", json!({ "id": id })).await;
    assert_eq!(out.at("userDeactivate.user.isActive"), &json!(false));
    assert_eq!(token_state(&app, &tokens).await, "UNAUTHENTICATED");
    assert_eq!(try_refresh(&app, &tokens.refresh).await.outcome("tokenRefresh"), "INVALID_TOKEN refreshToken");
    let back = manager.mutate("userReactivate", "user { isActive }", json!({ "id": id })).await;
    assert_eq!(back.at("userReactivate.user.isActive"), &json!(true));
    assert_eq!(token_state(&app, &tokens).await, "UNAUTHENTICATED", "an ended session stays ended");
    assert_eq!(token_state(&app, &log_in(&app, "ada@souk.example").await).await, "in");
}

#[tokio::test]
async fn login_beyond_one_hundred_sessions_ends_the_least_recently_used() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    let first = log_in(&app, "ada@souk.example").await;
    let many = "INSERT INTO sessions (user_id, expires_at) SELECT id, now() + interval '1 d' FROM users, generate_series(1, 99)";
    app.database.sql(many).await;
    assert_eq!(token_state(&app, &first).await, "in");
    log_in(&app, "ada@souk.example").await;
    assert_eq!(app.database.scalar("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await, "100");
    assert_eq!(try_refresh(&app, &first.refresh).await.outcome("tokenRefresh"), "INVALID_TOKEN refreshToken");
}

#[tokio::test]
async fn refresh_token_can_be_an_http_only_cookie() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    let login = format!(
        r#"mutation {{ login(input: {{ email: "ada@souk.example", password: "{PASSWORD}", refreshCookie: true }}) {{ accessToken refreshToken }} }}"#
    );
    let cookie = |headers: &HeaderMap| headers.get("set-cookie").map(|value| value.to_str().unwrap().to_owned());
    let (_, headers, response) = send(&app, &[], &login).await;
    assert_eq!(response["data"]["login"]["refreshToken"], Value::Null);
    let set = cookie(&headers).unwrap();
    for attribute in ["souk_refresh=souk_rt_", "; Max-Age=", "; Path=/graphql", "; HttpOnly", "; SameSite=Strict"] {
        assert!(set.contains(attribute), "{set}");
    }
    let value = |set: &str| set.split(';').next().unwrap().to_owned();
    let renew = "mutation { tokenRefresh(input: {}) { accessToken refreshToken userErrors { code } } }";
    let sent = format!("theme=dark; {}", value(&set));
    let (_, headers, response) = send(&app, &[("cookie", &sent)], renew).await;
    let payload = &response["data"]["tokenRefresh"];
    assert_eq!((&payload["refreshToken"], &payload["userErrors"]), (&Value::Null, &json!([])));
    let next = cookie(&headers).unwrap();
    assert_ne!(value(&next), value(&set));
    // Logging out clears the cookie.
    let bearer = format!("Bearer {}", payload["accessToken"].as_str().unwrap());
    let out = "mutation { logout { userErrors { code } } }";
    let (_, headers, _) = send(&app, &[("cookie", &value(&next)), ("authorization", &bearer)], out).await;
    assert!(cookie(&headers).unwrap().starts_with("souk_refresh=; Max-Age=0;"));
    let (_, headers, response) = send(&app, &[("cookie", &value(&next))], renew).await;
    assert_eq!(response["data"]["tokenRefresh"]["userErrors"][0]["code"], "INVALID_TOKEN");
    assert!(cookie(&headers).unwrap().starts_with("souk_refresh=; Max-Age=0;"), "an invalid cookie is cleared");
}
