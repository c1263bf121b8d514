//! Password reset, password change and email change: which sessions end, who is notified, and that no account is
//! revealed.

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};
use souk::{
    access::actions::{accounts::update_user, email_change, passwords},
    auth::{AuthMethod, Identity, Permission, RequestOrigin, Viewer},
    error::{Error, ErrorCode},
    graphql::schema::context::Services,
    ids::{ApiKeyId, RowId, UserId},
    users::model::UserPatch,
};

use crate::support::{
    TestApp, TestResponse,
    accounts::{PASSWORD, email_summary},
};

const ADA: &str = "ada@souk.example";
const NEW_PASSWORD: &str = "another few words of mine";

async fn request_reset(app: &TestApp, email: &str) -> TestResponse {
    app.anonymous().mutate("passwordForgot", "", json!({ "email": email })).await
}

async fn reset_password(app: &TestApp, token: &str, password: &str) -> TestResponse {
    let input = json!({ "token": token, "password": password });
    app.anonymous().mutate("passwordReset", "user { email isEmailVerified }", input).await
}

#[tokio::test]
async fn password_reset_by_email_ends_every_session() {
    let app = TestApp::new().await;
    app.register(ADA).await;
    let verify = app.email().await.token();
    let (phone, laptop) =
        (app.log_in_with_password(ADA, PASSWORD).await, app.log_in_with_password(ADA, PASSWORD).await);
    assert_eq!(request_reset(&app, ADA).await.outcome("passwordForgot"), "done");
    let mail = app.email().await;
    assert_eq!(email_summary(&mail), "ada@souk.example: Choose a new password at Souk");
    assert!(
        mail.text.contains("60 minutes") && mail.text.contains("https://shop.example/account/reset-password?token=")
    );
    let token = mail.token();
    assert!(token.starts_with("souk_pt_"), "{token}");

    // A rejected password returns its error, and the token stays valid.
    for (password, expected) in [
        ("short", "INVALID password"),
        ("password", "WEAK_PASSWORD password"),
        ("ada@souk.example", "WEAK_PASSWORD password"),
    ] {
        assert_eq!(reset_password(&app, &token, password).await.outcome("passwordReset"), expected);
    }
    assert!(phone.has_valid_session().await && laptop.has_valid_session().await);
    let document = format!(
        r#"mutation {{ passwordReset(input: {{ token: "{token}", password: "{NEW_PASSWORD}" }}) {{
            user {{ email isEmailVerified }} userErrors {{ code }} }} }}"#
    );
    let request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "Firefox on Linux")
        .header("x-forwarded-for", "192.0.2.7")
        .body(Body::from(json!({ "query": document }).to_string()))
        .expect("a request");
    let response: Value = serde_json::from_slice(&app.send(request).await.2).expect("JSON");
    // The email was received, so the address is verified.
    let done = json!({ "user": { "email": ADA, "isEmailVerified": true }, "userErrors": [] });
    assert_eq!(response["data"]["passwordReset"], done);
    assert!(!phone.has_valid_session().await && !laptop.has_valid_session().await);
    let email = app.email().await;
    assert_eq!(email_summary(&email), "ada@souk.example: Your password at Souk was changed");
    assert!(email.text.contains("Firefox on Linux") && email.text.contains("192.0.2.7"), "{}", email.text);
    assert_eq!(app.login(ADA, PASSWORD).await.outcome("login"), "INVALID_CREDENTIALS email");
    assert_eq!(app.login(ADA, NEW_PASSWORD).await.outcome("login"), "done");
    assert_eq!(reset_password(&app, &token, PASSWORD).await.outcome("passwordReset"), "INVALID_TOKEN token");
    // The token of the first email is still valid and changes nothing.
    assert_eq!(app.use_token("emailVerify", &verify).await.outcome("emailVerify"), "done");
}

#[tokio::test]
async fn whitespace_around_pasted_addresses_and_tokens_is_ignored() {
    let app = TestApp::new().await;
    let pasted = |text: &str| format!("\u{feff} \t{text}\u{a0}\u{200b}\r\n");
    let ada = pasted("Ada@souk.example");
    let new = json!({ "name": "Ada", "email": ada, "password": PASSWORD });
    assert_eq!(app.anonymous().mutate("register", "", new).await.outcome("register"), "done");
    let verify = json!({ "token": pasted(&app.email().await.token()) });
    assert_eq!(app.anonymous().mutate("emailVerify", "", verify).await.outcome("emailVerify"), "done");
    assert_eq!(app.login(&ada, PASSWORD).await.outcome("login"), "done");
    // A password keeps its edges.
    assert_eq!(app.login(&ada, &pasted(PASSWORD)).await.outcome("login"), "INVALID_CREDENTIALS email");

    assert_eq!(request_reset(&app, &ada).await.outcome("passwordForgot"), "done");
    let token = pasted(&app.email().await.token());
    assert_eq!(reset_password(&app, &token, NEW_PASSWORD).await.outcome("passwordReset"), "done");
    let login = json!({ "email": ada, "password": NEW_PASSWORD });
    let logged_in = app.anonymous().mutate("login", "refreshToken", login).await;
    let refresh = json!({ "refreshToken": pasted(&logged_in.text_at("login.refreshToken")) });
    assert_eq!(app.anonymous().mutate("tokenRefresh", "", refresh).await.outcome("tokenRefresh"), "done");
}

#[tokio::test]
async fn password_reset_request_does_not_reveal_accounts() {
    let app = TestApp::new().await;
    app.register_verified(ADA).await;
    app.register("new@souk.example").await;
    let manager = app.manager().await;
    manager.mutate("userCreate", "", json!({ "name": "Invited", "email": "invited@souk.example" })).await;
    app.register("gone@souk.example").await;
    app.database.sql("UPDATE users SET is_active = false WHERE email = 'gone@souk.example'").await;
    app.emails().await;
    let mut seen = Vec::new();
    let emails = [
        "nobody@souk.example",
        "gone@souk.example",
        ADA,
        "Ada@Souk.Example",
        "new@souk.example",
        "invited@souk.example",
    ];
    for email in emails {
        seen.push(request_reset(&app, email).await.observable_output());
    }
    assert_eq!(seen[0].0, r#"{"data":{"passwordForgot":{"userErrors":[]}}"#);
    assert!(seen.iter().all(|other| *other == seen[0]), "{seen:#?}");
    let about = |email: &str| format!("{email}: Choose a new password at Souk");
    let expected = [ADA, ADA, "invited@souk.example", "new@souk.example"].map(about);
    assert_eq!(app.email_summaries().await, expected);
    for email in ["nobody", "", "a@b@c"] {
        assert_eq!(request_reset(&app, email).await.outcome("passwordForgot"), "INVALID email", "{email}");
    }
}

#[tokio::test]
async fn second_reset_email_invalidates_the_first_and_three_are_sent_per_hour() {
    let app = TestApp::new().await;
    app.register_verified(ADA).await;
    let mut tokens = Vec::new();
    for round in 1..=5 {
        request_reset(&app, ADA).await;
        tokens.extend(app.emails().await.iter().map(crate::support::email::Email::token));
        assert_eq!(tokens.len(), round.min(3), "round {round}");
    }
    let outcomes = async |tokens: &[String]| {
        let mut outcomes = Vec::new();
        for token in tokens {
            outcomes.push(reset_password(&app, token, NEW_PASSWORD).await.outcome("passwordReset"));
        }
        outcomes
    };
    assert_eq!(outcomes(&tokens).await, ["INVALID_TOKEN token", "INVALID_TOKEN token", "done"]);
    app.emails().await;
    // An hour later, when the blocks of frequent requests have ended, too.
    app.database.sql("UPDATE account_tokens SET created_at = created_at - interval '1 h'").await;
    app.database.sql("UPDATE login_throttles SET blocked_until = blocked_until - interval '1 h'").await;
    request_reset(&app, ADA).await;
    assert_eq!(reset_password(&app, &app.email().await.token(), PASSWORD).await.outcome("passwordReset"), "done");
}

#[tokio::test]
async fn reset_email_is_sent_in_the_name_of_the_website() {
    let app = TestApp::new().await;
    let (sailor, baker) = (app.website("sailor").await.id.to_global_id(), app.website("baker").await.id.to_global_id());
    let input = json!({ "name": "Ada", "email": ADA, "password": PASSWORD, "sourceWebsiteId": sailor });
    app.anonymous().mutate("register", "", input).await;
    app.emails().await;
    for (website, shop) in [(json!(null), "sailor"), (json!(baker), "baker")] {
        let input = json!({ "email": ADA, "websiteId": website });
        app.anonymous().mutate("passwordForgot", "", input).await;
        let mail = app.email().await;
        assert_eq!(email_summary(&mail), format!("ada@souk.example: Choose a new password at Shop {shop}"));
        assert!(mail.text.contains(&format!("https://{shop}.example/account/reset-password")), "{}", mail.text);
    }
    let input = json!({ "email": ADA, "websiteId": UserId(1).to_global_id() });
    let wrong = app.anonymous().mutate("passwordForgot", "", input).await;
    assert_eq!(wrong.outcome("passwordForgot"), "INVALID websiteId");
}

#[tokio::test]
async fn password_change_ends_every_other_session() {
    let app = TestApp::new().await;
    app.register_verified(ADA).await;
    let (here, there, other) = (
        app.log_in_with_password(ADA, PASSWORD).await,
        app.log_in_with_password(ADA, PASSWORD).await,
        app.customer().await,
    );
    request_reset(&app, ADA).await;
    let token = app.email().await.token();
    let change = |password: &str, new: &str| json!({ "password": password, "newPassword": new });
    for (current, new, expected) in [
        (NEW_PASSWORD, NEW_PASSWORD, "INVALID_CREDENTIALS password"),
        ("", NEW_PASSWORD, "INVALID_CREDENTIALS password"),
        (&"x".repeat(1000), NEW_PASSWORD, "INVALID_CREDENTIALS password"),
        (PASSWORD, "short", "INVALID newPassword"),
        (PASSWORD, "password", "WEAK_PASSWORD newPassword"),
    ] {
        let response = here.mutate("passwordChange", "user { id }", change(current, new)).await;
        assert_eq!(response.outcome("passwordChange"), expected);
    }
    let nobody = app.anonymous().mutate("passwordChange", "", change(PASSWORD, NEW_PASSWORD)).await;
    assert_eq!(nobody.outcome("passwordChange"), "!UNAUTHENTICATED");
    assert!(here.has_valid_session().await && there.has_valid_session().await);

    let done = here.mutate("passwordChange", "user { id }", change(PASSWORD, NEW_PASSWORD)).await;
    assert_eq!(done.text_at("passwordChange.user.id"), here.global_id());
    assert!(here.has_valid_session().await && !there.has_valid_session().await && other.has_valid_session().await);
    assert_eq!(app.email_summaries().await, ["ada@souk.example: Your password at Souk was changed"]);
    assert_eq!(app.login(ADA, PASSWORD).await.outcome("login"), "INVALID_CREDENTIALS email");
    assert_eq!(app.login(ADA, NEW_PASSWORD).await.outcome("login"), "done");
    // Earlier tokens are invalid.
    assert_eq!(reset_password(&app, &token, PASSWORD).await.outcome("passwordReset"), "INVALID_TOKEN token");
}

#[tokio::test]
async fn new_email_takes_effect_once_confirmed_and_the_old_one_is_notified() {
    let app = TestApp::new().await;
    app.register_verified(ADA).await;
    let ada = app.log_in_with_password(ADA, PASSWORD).await;
    request_reset(&app, ADA).await;
    let old = app.email().await.token();
    let change = |email: &str, password: &str| json!({ "email": email, "password": password });
    for (email, password, expected) in [
        ("new@souk.example", NEW_PASSWORD, "INVALID_CREDENTIALS password"),
        ("nobody", PASSWORD, "INVALID email"),
        ("New@Souk.example", PASSWORD, "done"),
    ] {
        let response = ada.mutate("emailChange", "", change(email, password)).await;
        assert_eq!(response.outcome("emailChange"), expected, "{email}");
    }
    let nobody = app.anonymous().mutate("emailChange", "", change("new@souk.example", PASSWORD)).await;
    assert_eq!(nobody.outcome("emailChange"), "!UNAUTHENTICATED");
    let mail = app.email().await;
    assert_eq!(email_summary(&mail), "new@souk.example: Confirm your new email address at Souk");
    assert!(mail.text.contains("24 hours") && mail.token().starts_with("souk_et_"), "{}", mail.text);
    assert_eq!(ada.run("{ me { email } }").await.text_at("me.email"), ADA);

    let confirmed = app.use_token("emailChangeConfirm", &mail.token()).await;
    let user = json!({ "id": ada.global_id(), "email": "new@souk.example", "isEmailVerified": true });
    assert_eq!(confirmed.at("emailChangeConfirm.user"), &user);
    let email = app.email().await;
    assert_eq!(email_summary(&email), "ada@souk.example: Your email address at Souk was changed");
    assert!(email.text.contains("new@souk.example"), "{}", email.text);
    assert_eq!(reset_password(&app, &old, NEW_PASSWORD).await.outcome("passwordReset"), "INVALID_TOKEN token");
    assert_eq!(app.login(ADA, PASSWORD).await.outcome("login"), "INVALID_CREDENTIALS email");
    assert_eq!(app.login("new@souk.example", PASSWORD).await.outcome("login"), "done");
}

#[tokio::test]
async fn email_change_reveals_an_account_only_to_its_owner() {
    let app = TestApp::new().await;
    app.register_verified(ADA).await;
    app.register_verified("bob@souk.example").await;
    app.register_verified("gone@souk.example").await;
    app.database.sql("UPDATE users SET is_active = false WHERE email = 'gone@souk.example'").await;
    let ada = app.log_in_with_password(ADA, PASSWORD).await;
    let free = ada.mutate("emailChange", "", json!({ "email": "free@souk.example", "password": PASSWORD })).await;
    assert_eq!(free.outcome("emailChange"), "done");
    let token = app.email().await.token();
    for (email, expected) in [
        ("bob@souk.example", vec!["bob@souk.example: You already have an account at Souk"]),
        ("BOB@souk.example", vec![]),
        ("gone@souk.example", vec![]),
        (ADA, vec![]),
    ] {
        let response = ada.mutate("emailChange", "", json!({ "email": email, "password": PASSWORD })).await;
        assert_eq!(response.observable_output(), free.observable_output(), "{email}");
        assert_eq!(app.email_summaries().await, expected, "{email}");
    }
    // Another user registered and verified the address first.
    assert_eq!(app.register("free@souk.example").await.outcome("register"), "done");
    let late = app.use_token("emailChangeConfirm", &token).await;
    assert_eq!(late.outcome("emailChangeConfirm"), "TAKEN email");
    assert_eq!(ada.run("{ me { email } }").await.text_at("me.email"), ADA);
}

#[tokio::test]
async fn email_change_messages_are_rate_limited() {
    let app = TestApp::new().await;
    app.register_verified(ADA).await;
    let ada = app.log_in_with_password(ADA, PASSWORD).await;
    for index in 0..6 {
        let input = json!({ "email": format!("stranger-{index}@souk.example"), "password": PASSWORD });
        assert_eq!(ada.mutate("emailChange", "", input).await.outcome("emailChange"), "done");
    }
    assert_eq!(app.email_summaries().await.len(), 3);
}

#[tokio::test]
async fn api_key_cannot_change_the_password_or_email_of_its_owner() {
    let app = TestApp::new().await;
    let id = app.register_verified(ADA).await;
    app.database.sql("UPDATE users SET role_id = (SELECT id FROM roles WHERE code = 'admin')").await;
    let key = Viewer::user(Identity {
        user: id,
        auth_method: AuthMethod::ApiKey(ApiKeyId(1)),
        role: "admin".to_owned(),
        permissions: Permission::ALL.iter().copied().collect(),
        websites: None,
    });
    let before = app.database.contents().await;
    let Services { db, attempts, passwords, permission_cache: live, .. } = &*app.services;
    let (origin, pass) = (RequestOrigin::default(), PASSWORD.to_owned());
    let patch = UserPatch { email: Some("new@souk.example".to_owned()), ..UserPatch::default() };
    let responses = [
        passwords::change(db, attempts, passwords, live, &key, &origin, pass.clone(), NEW_PASSWORD.to_owned())
            .await
            .map(drop),
        email_change::request(db, attempts, passwords, &key, &origin, "new@souk.example", pass).await,
        update_user(db, &key, id, patch).await.map(drop),
    ];
    for response in responses {
        assert!(matches!(response, Err(Error::Coded(ErrorCode::Forbidden, _))), "{response:?}");
    }
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn audit_log_records_credential_changes_without_secrets() {
    let app = TestApp::new().await;
    app.register_verified(ADA).await;
    request_reset(&app, ADA).await;
    reset_password(&app, &app.email().await.token(), NEW_PASSWORD).await;
    app.emails().await;
    let ada = app.log_in_with_password(ADA, NEW_PASSWORD).await;
    ada.mutate("passwordChange", "", json!({ "password": NEW_PASSWORD, "newPassword": PASSWORD })).await;
    ada.mutate("emailChange", "", json!({ "email": "new@souk.example", "password": PASSWORD })).await;
    let emails = app.emails().await;
    app.use_token("emailChangeConfirm", &emails[1].token()).await;
    let keys = "(SELECT string_agg(key, ' ' ORDER BY key) FROM jsonb_object_keys(after) key)";
    let entries =
        format!("SELECT via, {keys} FROM audit_log WHERE resource_type = 'User' AND change = 'updated' ORDER BY id");
    let expected = [
        "(anonymous,email_verified_at)",
        "(anonymous,password_hash)",
        // A reset confirms the address again.
        "(anonymous,email_verified_at)",
        "(session,password_hash)",
        r#"(anonymous,"email email_verified_at")"#,
    ];
    assert_eq!(app.database.rows(&entries).await, expected);
    let secrets = "SELECT count(*) FROM audit_log l WHERE l::text ~ 'argon2|souk_.t_'";
    assert_eq!(app.database.scalar(secrets).await, "0");
}
