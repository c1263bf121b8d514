//! The session that a registration opens, and when it opens none.

use axum::{
    body::Body,
    http::{HeaderMap, Request, header},
};
use serde_json::{Value, json};
use souk::{
    config::{AccountSettings, RegistrationMode},
    ids::UserId,
};

use crate::support::{ProductSpec, TestApp, TestResponse, accounts::PASSWORD};

const ADA: &str = "ada@souk.example";
const FIELDS: &str = "user { id } accessToken refreshToken expiresAt cart { id } cartMergeStatus";

async fn register(app: &TestApp, cart: Option<String>) -> TestResponse {
    let input = json!({ "name": "Ada", "email": ADA, "password": PASSWORD });
    app.anonymous().with_cart(cart).mutate("register", FIELDS, input).await
}

async fn sessions(app: &TestApp) -> String {
    app.database.scalar("SELECT count(*) FROM sessions").await
}

#[tokio::test]
async fn registration_opens_a_session_like_a_login() {
    let app = TestApp::new().await;
    let document = format!(
        r#"mutation {{ register(input: {{ name: "Ada", email: "{ADA}", password: "{PASSWORD}" }}) {{ {FIELDS} userErrors {{ code }} }} }}"#
    );
    let request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "Phone/1.0")
        .header("x-forwarded-for", "203.0.113.7")
        .body(Body::from(json!({ "query": document }).to_string()));
    let (_, headers, bytes) = app.send(request.unwrap()).await;
    assert!(!headers.contains_key("set-cookie"));
    let response: Value = serde_json::from_slice(&bytes).unwrap();
    let payload = &response["data"]["register"];
    assert_eq!((&payload["userErrors"], &payload["cart"]), (&json!([]), &Value::Null));
    assert_eq!(payload["cartMergeStatus"], "NONE");
    let expires = chrono::DateTime::parse_from_rfc3339(payload["expiresAt"].as_str().unwrap()).unwrap();
    assert!((expires.timestamp() - 3600).abs_diff(chrono::Utc::now().timestamp()) < 60);

    let ada = app.with_token(payload["accessToken"].as_str().unwrap().to_owned(), UserId(0));
    let me = ada.run("{ me { id sessions { id device address isCurrent } } }").await;
    assert_eq!(me.at("me.id"), &payload["user"]["id"]);
    let session = me.at("me.sessions.0");
    assert_eq!(
        (&session["device"], &session["address"], &session["isCurrent"]),
        (&json!("Phone/1.0"), &json!("203.0.113.7"), &json!(true))
    );
    let refresh = json!({ "refreshToken": payload["refreshToken"] });
    let refreshed = app.anonymous().mutate("tokenRefresh", "accessToken", refresh).await;
    assert_eq!(refreshed.outcome("tokenRefresh"), "done");
    let revoked = ada.mutate("sessionRevoke", "", json!({ "id": session["id"] })).await;
    assert_eq!(revoked.outcome("sessionRevoke"), "done");
    assert!(!ada.has_valid_session().await);
}

#[tokio::test]
async fn refresh_token_of_a_registration_can_be_a_cookie() {
    let app = TestApp::new().await;
    let document = format!(
        r#"mutation {{ register(input: {{ name: "Ada", email: "{ADA}", password: "{PASSWORD}", refreshCookie: true }}) {{
            accessToken refreshToken userErrors {{ code }} }} }}"#
    );
    let send = async |cookie: Option<&str>, document: &str| -> (HeaderMap, Value) {
        let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        if let Some(cookie) = cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let body = Body::from(json!({ "query": document }).to_string());
        let (_, headers, bytes) = app.send(request.body(body).unwrap()).await;
        (headers, serde_json::from_slice(&bytes).unwrap())
    };
    let (headers, response) = send(None, &document).await;
    let payload = &response["data"]["register"];
    assert!(payload["accessToken"].is_string());
    assert_eq!(payload["refreshToken"], Value::Null);
    let cookie = headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("souk_refresh=souk_rt_") && cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    let renew = "mutation { tokenRefresh(input: {}) { accessToken userErrors { code } } }";
    let (_, response) = send(Some(cookie.split(';').next().unwrap()), renew).await;
    assert!(response["data"]["tokenRefresh"]["accessToken"].is_string(), "{response:#}");
    // A rejected registration sets none.
    let (headers, response) = send(None, &document).await;
    assert_eq!(response["data"]["register"]["userErrors"], json!([{ "code": "TAKEN" }]));
    assert!(!headers.contains_key("set-cookie"));
    assert_eq!(sessions(&app).await, "1");
}

#[tokio::test]
async fn no_session_is_opened_before_a_required_verification() {
    let settings = AccountSettings { login_needs_verification: true, ..AccountSettings::default() };
    let app = TestApp::builder().accounts(settings).build().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 5, ..ProductSpec::default() }).await.id;
    let guest = app.anonymous().create_cart(&[(product, 1)]).await;
    let registered = register(&app, guest.token.clone()).await;
    assert!(registered.at("register.user.id").is_string());
    for field in ["accessToken", "refreshToken", "expiresAt", "cart", "cartMergeStatus"] {
        assert_eq!(registered.at(&format!("register.{field}")), &Value::Null, "{field}");
    }
    assert_eq!(sessions(&app).await, "0");
    // The cart is still the guest's, and the first login merges it.
    let token = app.email().await.token();
    app.use_token("emailVerify", &token).await;
    let login = json!({ "email": ADA, "password": PASSWORD });
    let login = app
        .anonymous()
        .with_cart(guest.token)
        .mutate("login", "cartMergeStatus cart { lines { quantity } }", login)
        .await;
    assert_eq!(login.at("login.cartMergeStatus"), "MERGED");
    assert_eq!(login.at("login.cart.lines"), &json!([{ "quantity": 1 }]));
}

#[tokio::test]
async fn private_registration_opens_no_session_and_keeps_the_cart() {
    let private = AccountSettings { registration: RegistrationMode::Private, login_needs_verification: false };
    let app = TestApp::builder().accounts(private).build().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 5, ..ProductSpec::default() }).await.id;
    let guest = app.anonymous().create_cart(&[(product, 1)]).await;
    let first = register(&app, guest.token.clone()).await;
    app.emails().await;
    let again = register(&app, guest.token.clone()).await;
    assert_eq!(again.observable_output(), first.observable_output());
    let nothing = json!({ "user": null, "accessToken": null, "refreshToken": null, "expiresAt": null, "cart": null,
        "cartMergeStatus": null, "userErrors": [] });
    assert_eq!(first.at("register"), &nothing);
    assert_eq!(sessions(&app).await, "0");
    let cart = app.anonymous().with_cart(guest.token).run("{ cart { id } }").await;
    assert_eq!(cart.text_at("cart.id"), guest.id);
}
