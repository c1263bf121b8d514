//! The refresh cookie: another host of the domain cannot plant one, and of several none is used.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};
use souk::config::Environment;

use crate::support::TestApp;

const PASSWORD: &str = "four unusual words here";
const RENEW: &str = "mutation { tokenRefresh(input: {}) { accessToken refreshToken userErrors { code } } }";

/// Sends an operation with these headers; returns the cookies that are set, and the response.
async fn send(app: &TestApp, headers: &[(&str, &str)], document: &str) -> (Vec<String>, Value) {
    let request = Request::post("/graphql").header("content-type", "application/json");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let body = Body::from(json!({ "query": document }).to_string());
    let (_, headers, bytes) = app.send(request.body(body).unwrap()).await;
    let set = headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned());
    (set.collect(), serde_json::from_slice(&bytes).unwrap())
}

/// Registers a user, who is logged in by a cookie; returns it as the server sets it.
async fn registered(app: &TestApp, email: &str, headers: &[(&str, &str)]) -> String {
    let document = format!(
        r#"mutation {{ register(input: {{ name: "Ada", email: "{email}", password: "{PASSWORD}", refreshCookie: true }}) {{
            accessToken userErrors {{ code }} }} }}"#
    );
    let (set, response) = send(app, headers, &document).await;
    assert!(response["data"]["register"]["accessToken"].is_string(), "{response:#}");
    assert_eq!(set.len(), 1, "{set:?}");
    set[0].clone()
}

/// Returns the pair that a browser sends.
fn pair(set: &str) -> &str {
    set.split(';').next().unwrap()
}

#[tokio::test]
async fn cookie_is_bound_to_the_host_over_tls() {
    let development = TestApp::new().await;
    let production = TestApp::builder().environment(Environment::Production).build().await;
    let tls: &[(&str, &str)] = &[("x-forwarded-proto", "https")];
    for (app, headers) in [(&development, tls), (&production, tls), (&production, &[][..])] {
        let email = format!("ada{}@souk.example", headers.len());
        let set = registered(app, &email, headers).await;
        assert!(set.starts_with("__Host-souk_refresh=souk_rt_"), "{set}");
        assert!(set.ends_with("; Path=/; HttpOnly; Secure; SameSite=Strict") && !set.contains("Domain"), "{set}");
        // A cookie without the prefix, which any host of the domain can set, is not read.
        let planted = pair(&set).trim_start_matches("__Host-").to_owned();
        let (_, response) = send(app, &[headers, &[("cookie", planted.as_str())]].concat(), RENEW).await;
        assert_eq!(response["data"]["tokenRefresh"]["userErrors"][0]["code"], "REQUIRED", "{response:#}");
        let (next, response) = send(app, &[headers, &[("cookie", pair(&set))]].concat(), RENEW).await;
        assert!(response["data"]["tokenRefresh"]["accessToken"].is_string(), "{response:#}");
        assert!(next[0].starts_with("__Host-souk_refresh=souk_rt_"), "{next:?}");
        // A failed refresh removes it.
        let (cleared, _) =
            send(app, &[headers, &[("cookie", "__Host-souk_refresh=souk_rt_none")]].concat(), RENEW).await;
        assert_eq!(cleared, ["__Host-souk_refresh=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict"]);
    }
}

#[tokio::test]
async fn development_without_tls_keeps_working() {
    let app = TestApp::new().await;
    let set = registered(&app, "ada@souk.example", &[]).await;
    assert!(set.starts_with("souk_refresh=souk_rt_"), "{set}");
    assert!(set.ends_with("; Path=/graphql; HttpOnly; SameSite=Strict"), "{set}");
    let (_, response) = send(&app, &[("cookie", pair(&set))], RENEW).await;
    assert!(response["data"]["tokenRefresh"]["accessToken"].is_string(), "{response:#}");
}

#[tokio::test]
async fn of_several_cookies_none_is_used() {
    let app = TestApp::new().await;
    for (headers, prefix) in [(&[("x-forwarded-proto", "https")][..], "__Host-"), (&[][..], "")] {
        let mut cookies = Vec::new();
        for name in ["victim", "attacker"] {
            let set = registered(&app, &format!("{name}{}@souk.example", headers.len()), headers).await;
            assert!(set.starts_with(&format!("{prefix}souk_refresh=")), "{set}");
            cookies.push(pair(&set).to_owned());
        }
        let sessions = "SELECT count(*) FROM sessions WHERE ended_at IS NULL";
        let before = app.database.scalar(sessions).await;
        let both = cookies.join("; ");
        let reversed = format!("{}; theme=dark; {}", cookies[1], cookies[0]);
        let twice = format!("{0}; {0}", cookies[0]);
        // In one header, or each in a header of its own as HTTP/2 sends them.
        let split = vec![("cookie", cookies[0].as_str()), ("cookie", cookies[1].as_str())];
        for sent in [
            vec![("cookie", both.as_str())],
            vec![("cookie", reversed.as_str())],
            vec![("cookie", twice.as_str())],
            split,
        ] {
            for document in [RENEW, "mutation { logout { userErrors { code } } }"] {
                let (set, response) = send(&app, &[headers, &sent[..]].concat(), document).await;
                let error = &response["errors"][0];
                assert_eq!(error["extensions"]["code"], "UNAUTHENTICATED", "{sent:?} {response:#}");
                assert!(error["message"].as_str().unwrap().contains("several cookies"), "{error}");
                assert_eq!(set, Vec::<String>::new());
            }
        }
        assert_eq!(app.database.scalar(sessions).await, before, "no session was used or ended");
        // A token that is given is not ambiguous, and each cookie still works by itself.
        let token = cookies[0].split_once('=').unwrap().1;
        let given = format!(r#"mutation {{ tokenRefresh(input: {{ refreshToken: "{token}" }}) {{ accessToken }} }}"#);
        let (_, response) = send(&app, &[headers, &[("cookie", both.as_str())]].concat(), &given).await;
        assert!(response["data"]["tokenRefresh"]["accessToken"].is_string(), "{response:#}");
        let (_, response) = send(&app, &[headers, &[("cookie", cookies[1].as_str())]].concat(), RENEW).await;
        assert!(response["data"]["tokenRefresh"]["accessToken"].is_string(), "{response:#}");
    }
}
