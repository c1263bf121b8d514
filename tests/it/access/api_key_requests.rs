//! API keys in requests: which are rejected, what they cost, and how their use is recorded.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::{Value, json};
use souk::access::actions::{cache::refresh_cache, keys::write_last_used};

use crate::{
    access::api_keys::{api_key_actor, key_input, try_create_key, try_mutate},
    support::{Actor, TestApp},
};

/// Reads public data with these headers and returns the status and the response; it works without a login, but not
/// with an invalid key.
async fn read(app: &TestApp, headers: &[(&str, String)]) -> (StatusCode, Value) {
    let document = "{ websites { nodes { id } } }";
    let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let body = Body::from(json!({ "query": document }).to_string());
    let (status, _, bytes) = app.send(request.body(body).unwrap()).await;
    (status, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn invalid_api_key_runs_nothing() {
    let app = TestApp::new().await;
    let (owner, removed) = (app.admin().await, app.customer().await);
    let new = async |owner: &Actor<'_>| {
        let response = try_create_key(owner, key_input(&[])).await;
        (response.text_at("apiKeyCreate.secret"), response.text_at("apiKeyCreate.apiKey.id"))
    };
    let ((good, _), (revoked, id)) = (new(&owner).await, new(&owner).await);
    let ((expired, expired_id), (of_removed, _)) = (new(&owner).await, new(&removed).await);
    // Each key is used first: a cached key must not be accepted either.
    for secret in [&good, &revoked, &expired, &of_removed] {
        app.with_key(secret.clone(), owner.id).run("{ websites { nodes { id } } }").await.at("websites.nodes");
    }
    assert_eq!(try_mutate(&owner, "apiKeyRevoke", json!({ "id": id })).await, "done");
    assert_eq!(try_mutate(&owner, "userDeactivate", json!({ "id": removed.global_id() })).await, "done");
    let (_, key) = souk::ids::decode(&expired_id).unwrap();
    app.database.sql(&format!("UPDATE api_keys SET expires_at = now() - interval '1 s' WHERE id = {key}")).await;
    refresh_cache(&app.database.db, &app.services.permission_cache).await.unwrap();

    let key = |text: &str| vec![("x-api-key", text.to_owned())];
    let last = if good.ends_with('A') { 'B' } else { 'A' };
    let flipped = format!("{}{last}", &good[..good.len() - 1]);
    let token = owner.log_in_again().await.token().expect("a token");
    let bearer = |text: &str| ("authorization", format!("Bearer {text}"));
    for (what, headers) in [
        ("revoked", key(&revoked)),
        ("expired", key(&expired)),
        ("of a deactivated user", key(&of_removed)),
        ("another last character", key(&flipped)),
        ("truncated", key(&good[..good.len() - 1])),
        ("longer", key(&format!("{good}A"))),
        ("only the prefix", key(&good[..15])),
        ("in upper case", key(&good.to_uppercase())),
        ("its hash", key(&"a".repeat(64))),
        ("nothing", key("")),
        ("a token", key(&token)),
        ("an injection", key("souk_k_' OR 1=1 --")),
        ("the valid key twice", vec![("x-api-key", good.clone()), ("x-api-key", good.clone())]),
        ("the valid key beside a token", vec![("x-api-key", good.clone()), bearer(&token)]),
        ("the valid key in the other header", vec![bearer(&good)]),
    ] {
        let (status, response) = read(&app, &headers).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{what}: {response:#}");
        assert_eq!(response["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{what}");
        assert_eq!(response.get("data"), None, "{what}");
        let message = response["errors"][0]["message"].as_str().unwrap();
        assert_eq!(
            message.contains("send either"),
            what.contains("beside") || what.contains("twice"),
            "{what}: {message}"
        );
    }
    assert_eq!(read(&app, &key(&good)).await.0, StatusCode::OK);
    // The keys of a reactivated user work again, within a second.
    assert_eq!(try_mutate(&owner, "userReactivate", json!({ "id": removed.global_id() })).await, "done");
    refresh_cache(&app.database.db, &app.services.permission_cache).await.unwrap();
    app.with_key(of_removed, removed.id).run("{ websites { nodes { id } } }").await.at("websites.nodes");
}

#[tokio::test]
async fn recently_used_api_key_takes_no_statement() {
    let app = TestApp::new().await;
    let owner = app.customer().await;
    let good = api_key_actor(&owner, key_input(&[])).await;
    let bad = app.with_key(format!("souk_k_{}_{}", "a".repeat(8), "b".repeat(43)), owner.id);
    for key in [&good, &bad] {
        // The cache expires after a second, which a busy machine may take between two requests.
        let mut costs = Vec::new();
        for _ in 0..20 {
            refresh_cache(&app.database.db, &app.services.permission_cache).await.unwrap();
            let (first, second) = (key.run("{ __typename }").await, key.run("{ __typename }").await);
            assert_eq!(first.sql.len(), 1, "{:?}", first.sql);
            costs.push(second.sql.len());
        }
        assert!(costs.contains(&0), "{costs:?}");
    }
}

#[tokio::test]
async fn api_key_use_is_recorded_in_the_background_once_a_minute() {
    let app = TestApp::new().await;
    let (owner, live) = (app.customer().await, &app.services.permission_cache);
    let key = api_key_actor(&owner, key_input(&[])).await;
    let ask = async || {
        refresh_cache(&app.database.db, live).await.unwrap();
        let before = app.database.contents().await;
        key.run("{ websites { nodes { id } } }").await.at("websites.nodes");
        assert_eq!(app.database.contents().await, before, "a request writes nothing");
        write_last_used(&app.database.db, live).await.unwrap();
        owner.run("{ me { apiKeys { lastUsedAt } } }").await.at("me.apiKeys.0.lastUsedAt").clone()
    };
    let used = ask().await;
    assert!(used.is_string());
    assert_eq!(ask().await, used, "it is recorded at most once a minute");
    app.database.sql("UPDATE api_keys SET last_used_at = now() - interval '61 s'").await;
    let later = ask().await;
    assert!(later.as_str() > used.as_str(), "{later} after {used}");
}
