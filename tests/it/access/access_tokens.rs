//! Access tokens: which are accepted, the viewer they produce, and that rejected tokens run nothing.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use souk::{
    auth::{AuthMethod, Permission, TokenError},
    ids::{RowId, SessionId, UserId},
};

use crate::support::{
    SECRET, TestApp, TestResponse,
    forged_token::{ForgedToken, parts},
};

const REGISTER: &str = r#"mutation { register(input: {
    name: "Eve", email: "eve@souk.example", password: "a long enough password" }) { user { id } } }"#;

/// Needs no token, but does not run with an invalid one.
const CART_CREATE: &str = "mutation { cartCreate { cart { id } } }";

/// Runs an operation with this `Authorization` header; returns the status and the response.
async fn run(app: &TestApp, authorization: &str, document: &str) -> (StatusCode, Value) {
    let request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, authorization)
        .body(Body::from(json!({ "query": document }).to_string()));
    let (status, headers, bytes) = app.send(request.unwrap()).await;
    assert_eq!(status == StatusCode::UNAUTHORIZED, headers.contains_key(header::WWW_AUTHENTICATE));
    (status, serde_json::from_slice(&bytes).unwrap())
}

/// Returns a token of a new admin, because a forged admin token would do the most harm.
async fn admin(app: &TestApp) -> (UserId, String) {
    let id = app.admin().await.id;
    let permissions = Permission::ALL.iter().copied().collect();
    let identity = souk::auth::Identity {
        user: id,
        auth_method: AuthMethod::Session(SessionId(1)),
        role: "admin".into(),
        permissions,
        websites: None,
    };
    (id, app.services.jwt.issue(&identity).unwrap().token)
}

#[tokio::test]
async fn invalid_token_runs_nothing() {
    let app = TestApp::new().await;
    let (id, token) = admin(&app).await;
    let real = || ForgedToken::of(&token);
    let now = chrono::Utc::now().timestamp();
    let signature = token.rsplit_once('.').unwrap().1;
    let key = |secret: &str| real().secret(secret);
    let algorithm = |name: &str, algorithm| real().header("alg", name).algorithm(algorithm);
    let bearer = |token: &str| format!("Bearer {token}");
    let forged = |forge: ForgedToken| bearer(&forge.token());
    let unsigned = |alg: &str| bearer(&format!("{}.", real().header("alg", json!(alg)).message()));
    let payload_of = |forge: ForgedToken| bearer(&format!("{}.{signature}", forge.message()));
    for (what, authorization) in [
        (
            "another user under the same signature",
            payload_of(real().claim("sub", json!(UserId(id.0 + 1).to_global_id()))),
        ),
        ("more permissions under the same signature", payload_of(real().claim("permissions", json!(["X"])))),
        ("no signature", unsigned("HS256")),
        ("alg none", unsigned("none")),
        ("alg None", unsigned("None")),
        ("alg none with a signature", forged(real().header("alg", json!("none")))),
        ("another algorithm", forged(algorithm("HS512", Algorithm::HS512))),
        ("another algorithm than it says", forged(real().algorithm(Algorithm::HS384))),
        ("an asymmetric algorithm", forged(real().header("alg", json!("RS256")))),
        ("no algorithm", forged(real().header("alg", Value::Null))),
        ("another key", forged(key("another secret, as long as the one of the tests"))),
        ("an empty key", forged(key(""))),
        ("another kid", forged(real().header("kid", json!("00000000")))),
        ("no kid", forged(real().header("kid", Value::Null))),
        ("a kid that is a path", forged(real().header("kid", json!("../../dev/null")))),
        ("another issuer", forged(real().claim("iss", json!("another")))),
        ("no issuer", forged(real().claim("iss", Value::Null))),
        ("another audience", forged(real().claim("aud", json!("another")))),
        ("no audience", forged(real().claim("aud", Value::Null))),
        ("expired", forged(real().claim("exp", json!(now - 1)))),
        ("expired this second", forged(real().claim("exp", now))),
        ("not yet valid", forged(real().claim("nbf", now + 30))),
        ("a not-before time that is text", forged(real().claim("nbf", "now"))),
        ("issued in the future", forged(real().claim("iat", now + 120))),
        ("no time of issue", forged(real().claim("iat", Value::Null))),
        ("several issuers", forged(real().claim("iss", json!(["souk", "another"])))),
        ("several audiences", forged(real().claim("aud", json!(["souk", "another"])))),
        ("a session of another type", forged(real().claim("sid", souk::ids::ProductId(1).to_global_id()))),
        ("a critical header", forged(real().header("crit", json!(["exp"])))),
        ("an empty list of critical headers", forged(real().header("crit", json!([])))),
        ("a payload that is not encoded", forged(real().header("crit", json!(["b64"])).header("b64", false))),
        ("an invalid embedded key", forged(real().header("jwk", "key"))),
        ("no expiry", forged(real().claim("exp", Value::Null))),
        ("an expiry that is text", forged(real().claim("exp", json!("tomorrow")))),
        ("no subject", forged(real().claim("sub", Value::Null))),
        ("a subject that is a number", forged(real().claim("sub", json!(id.0)))),
        ("a subject of another type", forged(real().claim("sub", json!(souk::ids::ProductId(id.0).to_global_id())))),
        ("a subject that is not an id", forged(real().claim("sub", json!("admin")))),
        ("no session", forged(real().claim("sid", Value::Null))),
        ("no permissions", forged(real().claim("permissions", Value::Null))),
        ("no role", forged(real().claim("role", Value::Null))),
        ("garbage", bearer("garbage")),
        ("three invalid parts", bearer("a.b.c")),
        ("four parts", bearer(&format!("{token}.{signature}"))),
        ("a truncated token", bearer(&token[..token.len() - 1])),
        ("nothing", bearer("")),
        ("only the scheme", "Bearer".to_owned()),
        ("an empty header", String::new()),
        ("only the token", token.clone()),
        ("a password", "Basic YWRtaW46YWRtaW4=".to_owned()),
        ("another scheme", format!("Token {token}")),
        ("two tokens", format!("Bearer {token}, Bearer {token}")),
    ] {
        for document in [CART_CREATE, "{ me { id } }", "{ products { nodes { id } } }"] {
            let (status, response) = run(&app, &authorization, document).await;
            let error = &response["errors"][0];
            assert_eq!(error["extensions"]["code"], "UNAUTHENTICATED", "{what}: {response:#}");
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{what}");
            assert_eq!(response.get("data"), None, "{what}");
            let expired = error["message"].as_str().unwrap().contains("expired");
            assert_eq!(expired, what.starts_with("expired"), "{what}: {error}");
        }
    }
    assert_eq!(app.database.scalar("SELECT count(*) FROM carts").await, "0");
    // A valid token passes, whatever additional header fields it has.
    let besides = real()
        .header("jku", "https://evil.example/jwks.json")
        .header("x5u", "https://evil.example/x5u")
        .claim("nbf", now);
    assert_eq!(run(&app, &forged(besides.claim("iat", now + 30)), "{ me { id } }").await.0, StatusCode::OK);
    assert_eq!(run(&app, &forged(real()), "{ me { id } }").await.1["data"]["me"]["id"], id.to_global_id());
}

#[tokio::test]
async fn authorization_scheme_is_case_insensitive() {
    let app = TestApp::new().await;
    let (id, token) = admin(&app).await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let (status, response) = run(&app, &format!("{scheme} {token}"), "{ me { id } }").await;
        assert_eq!((status, &response["data"]["me"]["id"]), (StatusCode::OK, &json!(id.to_global_id())));
    }
}

#[tokio::test]
async fn login_returns_a_token_with_the_claims_of_the_user() {
    let app = TestApp::new().await;
    let id = app.anonymous().run(REGISTER).await.text_at("register.user.id");
    let login = r#"mutation { login(input: { email: "EVE@souk.example", password: "a long enough password" }) {
        accessToken expiresAt user { id } userErrors { code } } }"#;
    let (first, second) = (app.anonymous().run(login).await, app.anonymous().run(login).await);
    let claims = |response: &TestResponse| parts(&response.text_at("login.accessToken"));
    let [header, payload] = claims(&first);
    let kid = header["kid"].as_str().unwrap();
    assert_eq!(header, json!({"typ": "JWT", "alg": "HS256", "kid": kid}));
    assert!(!kid.is_empty() && !SECRET.contains(kid));
    let (sid, iat) = (payload["sid"].as_str().unwrap(), payload["iat"].as_i64().unwrap());
    let expected = json!({
        "sub": id, "sid": sid, "role": "customer", "permissions": [], "iss": "souk", "aud": "souk",
        "iat": iat, "exp": iat + 3600,
    });
    assert_eq!(payload, expected);
    let expires = chrono::DateTime::parse_from_rfc3339(&first.text_at("login.expiresAt")).unwrap();
    assert_eq!(expires.timestamp(), iat + 3600);
    assert!(iat.abs_diff(chrono::Utc::now().timestamp()) < 60);
    // Each login opens a new session.
    assert_ne!(claims(&second)[1]["sid"], sid);

    let me = app.with_token(first.text_at("login.accessToken"), UserId(0)).run("{ me { id } }").await;
    assert_eq!(me.text_at("me.id"), id);
}

#[tokio::test]
async fn token_claims_determine_the_viewer() {
    let app = TestApp::new().await;
    let (id, token) = admin(&app).await;
    let permissions = json!(["MANAGE_CATALOGUE", "DESTROY_THE_WORLD"]);
    let forge = ForgedToken::of(&token).claim("permissions", permissions);
    let identity = app.services.jwt.verify(&forge.token()).unwrap();
    assert_eq!(
        (identity.user, identity.auth_method, identity.role.as_str()),
        (id, AuthMethod::Session(SessionId(1)), "admin")
    );
    // An unknown permission, from a newer server, grants nothing.
    assert_eq!(identity.permissions.iter().collect::<Vec<_>>(), [Permission::ManageCatalogue]);
    // The role in the database adds no permissions to those of the token.
    let librarian = app.with_token(forge.token(), id);
    let brand = r#"mutation { brandCreate(input: { name: "Vauen" }) { brand { slug } userErrors { code } } }"#;
    assert_eq!(librarian.run(brand).await.text_at("brandCreate.brand.slug"), "vauen");
    let user = r#"mutation { userCreate(input: { name: "A", email: "a@souk.example" }) { userErrors { code } } }"#;
    assert_eq!(librarian.run(user).await.code(), "FORBIDDEN");

    let expired = forge.claim("exp", json!(chrono::Utc::now().timestamp() - 1)).token();
    assert_eq!(app.services.jwt.verify(&expired).unwrap_err(), TokenError::Expired);
}

#[tokio::test]
async fn token_of_a_missing_user_reads_and_writes_nothing() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let spec = crate::support::ProductSpec { stock: 5, ..Default::default() };
    let product = app.product(website.id, spec).await;
    let (id, token) = admin(&app).await;
    let ghost = UserId(id.0 + 1000);
    let ghost = app.with_token(ForgedToken::of(&token).claim("sub", json!(ghost.to_global_id())).token(), ghost);
    assert_eq!(ghost.run("{ me { id } }").await.at("me"), &Value::Null);
    assert_eq!(ghost.run("{ orders { nodes { id } } }").await.at("orders.nodes"), &json!([]));
    let order = ghost.try_order(&[(product.id, 1)], "one").await;
    assert_eq!(order.at_ignoring_errors("orderCreate"), &Value::Null, "{order:?}");
    let address = r#"mutation { addressCreate(input: {
        countryCode: "DE", city: "Hamburg", address: "Hafenstrasse 1", postalCode: "20457" }) { address { id } } }"#;
    assert_eq!(ghost.run(address).await.at_ignoring_errors("addressCreate.address.id"), &Value::Null);
    assert_eq!(app.stock(product.id).await, 5);
    for table in ["orders", "addresses", "idempotency_keys"] {
        assert_eq!(app.database.scalar(&format!("SELECT count(*) FROM {table}")).await, "0", "{table}");
    }
}
