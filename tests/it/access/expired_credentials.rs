//! Requests with a credential that is not valid: which operations run as without it, and which fail.

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use serde_json::{Value, json};
use souk::{graphql::schema::access::expired_credentials, ids::RowId};

use crate::support::{ProductSpec, TestApp, forged_token::ForgedToken, sdl::Sdl};

const PASSWORD: &str = "four unusual words here";
const BAD_LOGIN: &str = r#"login(input: { email: "a@souk.example", password: "wrong" }) { userErrors { code } }"#;

async fn send(app: &TestApp, headers: &[(&str, &str)], document: &str) -> (StatusCode, Value) {
    let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = Body::from(json!({ "query": document }).to_string());
    let (status, _, bytes) = app.send(request.body(body).unwrap()).await;
    (status, serde_json::from_slice(&bytes).unwrap())
}

/// Returns an access token that has expired.
async fn expired_token(app: &TestApp) -> String {
    let token = app.customer().await.token().unwrap();
    ForgedToken::of(&token).claim("exp", json!(chrono::Utc::now().timestamp() - 1)).token()
}

/// Logs a new user in and returns their refresh token.
async fn log_in(app: &TestApp) -> String {
    let user = json!({ "name": "Ada", "email": "ada@souk.example", "password": PASSWORD });
    app.anonymous().mutate("register", "", user).await;
    let input = json!({ "email": "ada@souk.example", "password": PASSWORD });
    app.anonymous().mutate("login", "refreshToken", input).await.text_at("login.refreshToken")
}

async fn active_sessions(app: &TestApp) -> String {
    app.database.scalar("SELECT count(*) FROM sessions WHERE ended_at IS NULL").await
}

#[tokio::test]
async fn account_operations_run_as_without_the_credential() {
    let app = TestApp::new().await;
    let expired = format!("Bearer {}", expired_token(&app).await);
    let key = format!("souk_k_{}_{}", "a".repeat(8), "b".repeat(43));
    for (index, credential) in [
        ("authorization", expired.as_str()),
        ("authorization", "Bearer null"),
        ("authorization", "Bearer undefined"),
        ("authorization", "Bearer "),
        ("authorization", ""),
        ("x-api-key", key.as_str()),
        ("x-api-key", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let run = async |fields: &str| {
            let (status, response) = send(&app, &[credential], &format!("mutation {{ {fields} }}")).await;
            assert_eq!((status, &response["errors"]), (StatusCode::OK, &Value::Null), "{credential:?}: {fields}");
            response["data"].clone()
        };
        let email = format!("user{index}@souk.example");
        let input = format!(r#"name: "Eve", email: "{email}", password: "{PASSWORD}""#);
        run(&format!("register(input: {{ {input} }}) {{ userErrors {{ code }} }}")).await;
        let login = format!(r#"login(input: {{ email: "{email}", password: "{PASSWORD}" }}) {{ refreshToken }}"#);
        let refresh = run(&login).await["login"]["refreshToken"].as_str().unwrap().to_owned();
        let refreshed = format!(r#"tokenRefresh(input: {{ refreshToken: "{refresh}" }}) {{ accessToken }}"#);
        assert!(run(&refreshed).await["tokenRefresh"]["accessToken"].is_string(), "{credential:?}");
        run(&format!(r#"passwordForgot(input: {{ email: "{email}" }}) {{ userErrors {{ code }} }}"#)).await;
        for field in [
            r#"passwordReset(input: { token: "x", password: "four unusual words" }) { userErrors { code } }"#,
            r#"emailVerify(input: { token: "x" }) { userErrors { code } }"#,
            r#"emailChangeConfirm(input: { token: "x" }) { userErrors { code } }"#,
            r#"orderEmailConfirm(input: { token: "x" }) { userErrors { code } }"#,
        ] {
            run(field).await;
        }
        // Renamed, in a fragment, and beside each other.
        run(&format!("... on Mutation {{ a: {login} }} __typename")).await;
    }
}

#[tokio::test]
async fn other_operations_fail_so_that_clients_refresh() {
    let app = TestApp::new().await;
    let expired = format!("Bearer {}", expired_token(&app).await);
    for document in [
        "{ products { nodes { id } } }".to_owned(),
        "{ cart { id } }".to_owned(),
        "{ __typename }".to_owned(),
        "mutation { cartCreate { cart { id } } }".to_owned(),
        format!("mutation {{ {BAD_LOGIN} cartCreate {{ cart {{ id }} }} }}"),
        format!("mutation {{ {BAD_LOGIN} logoutEverywhere {{ userErrors {{ code }} }} }}"),
        format!(
            "mutation {{ ...F }} fragment F on Mutation {{ login: cartCreate {{ cart {{ id }} }} a: {BAD_LOGIN} }}"
        ),
    ] {
        for authorization in [expired.as_str(), "Bearer null", "Bearer "] {
            let (status, response) = send(&app, &[("authorization", authorization)], &document).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{document}: {response:#}");
            assert_eq!(response["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{document}");
        }
    }
    // Which of two credentials is meant is unknown, whatever the operation.
    let both = [("authorization", expired.as_str()), ("x-api-key", "souk_k_x")];
    let (status, _) = send(&app, &both, &format!("mutation {{ {BAD_LOGIN} }}")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(app.database.scalar("SELECT count(*) FROM carts").await, "0");
}

#[tokio::test]
async fn guest_cart_is_available_with_an_expired_token() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 5, ..ProductSpec::default() }).await.id.to_global_id();
    let created = app.anonymous().mutate("cartCreate", "cart { id } cartToken", json!({})).await;
    let (cart, token) = (created.text_at("cartCreate.cart.id"), created.text_at("cartCreate.cartToken"));
    let expired = format!("Bearer {}", expired_token(&app).await);
    let headers = [("authorization", expired.as_str()), ("x-cart-token", token.as_str())];
    assert_eq!(send(&app, &headers, "{ cart { id } }").await.1["data"]["cart"]["id"], cart);
    let add = format!(
        r#"mutation {{ cartLineAdd(input: {{ cartId: "{cart}", productId: "{product}", quantity: 2 }}) {{
            cart {{ lines {{ quantity }} }} }} }}"#
    );
    assert_eq!(send(&app, &headers, &add).await.1["data"]["cartLineAdd"]["cart"]["lines"][0]["quantity"], 2);
    // Only the cart, and only with the token of a cart that exists.
    assert_eq!(send(&app, &headers, "{ cart { id } products { nodes { id } } }").await.0, StatusCode::UNAUTHORIZED);
    let headers = [("authorization", expired.as_str()), ("x-cart-token", "souk_c_unknown")];
    assert_eq!(send(&app, &headers, "{ cart { id } }").await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn logout_accepts_the_refresh_token_instead_of_an_access_token() {
    let app = TestApp::new().await;
    let refresh = log_in(&app).await;
    let expired = format!("Bearer {}", expired_token(&app).await);
    let before: i64 = active_sessions(&app).await.parse().unwrap();
    let out = |token: &str| {
        format!(r#"mutation {{ logout(input: {{ refreshToken: "{token}" }}) {{ userErrors {{ code field }} }} }}"#)
    };
    let (_, unknown) = send(&app, &[], &out("souk_rt_unknown")).await;
    assert_eq!(unknown["data"]["logout"]["userErrors"], json!([{ "code": "INVALID_TOKEN", "field": "refreshToken" }]));
    // The second call changes nothing.
    for _ in 0..2 {
        let (_, response) = send(&app, &[("authorization", &expired)], &out(&refresh)).await;
        assert_eq!(response["data"]["logout"]["userErrors"], json!([]), "{response:#}");
        assert_eq!(active_sessions(&app).await, (before - 1).to_string());
    }
    let again = app.anonymous().mutate("tokenRefresh", "", json!({ "refreshToken": refresh })).await;
    assert_eq!(again.outcome("tokenRefresh"), "INVALID_TOKEN refreshToken");

    let cookie = format!("souk_refresh={}", log_in(&app).await);
    let headers = [("authorization", expired.as_str()), ("cookie", cookie.as_str())];
    let (_, response) = send(&app, &headers, "mutation { logout { userErrors { code } } }").await;
    assert_eq!(response["data"]["logout"]["userErrors"], json!([]), "{response:#}");
    assert_eq!(active_sessions(&app).await, (before - 1).to_string());
    // Without either there is nothing to end.
    let (_, response) = send(&app, &[("authorization", &expired)], "mutation { logout { userErrors { code } } }").await;
    assert_eq!(response["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{response:#}");
}

#[test]
fn fields_that_run_with_an_invalid_credential_exist() {
    let sdl = Sdl::read();
    let root_fields: Vec<_> = ["Query", "Mutation"].into_iter().flat_map(|root| sdl.fields(root)).collect();
    let listed = [expired_credentials::ACCOUNT_FIELDS, expired_credentials::CART_FIELDS].concat();
    let unknown = listed.into_iter().filter(|name| root_fields.iter().all(|field| field.name.node != *name));
    assert_eq!(unknown.collect::<Vec<_>>(), Vec::<&str>::new());
}
