//! A password that was forgotten or changed, and an address that changes: what ends, who is told, and what stays unsaid.

use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};
use souk::{
    access::actions::{accounts::update_user, email_change, passwords},
    auth::{AuthMethod, Identity, Permission, RequestOrigin, Viewer},
    error::{Error, ErrorCode},
    ids::{ApiKeyId, RowId, UserId},
    users::model::UserPatch,
};

use crate::support::{
    Answer, TestApp,
    accounts::{PASSWORD, headline},
};

const ADA: &str = "ada@souk.example";
const NEW: &str = "another few words of mine";

async fn forgot(app: &TestApp, email: &str) -> Answer {
    app.anonymous().mutate("passwordForgot", "", json!({ "email": email })).await
}

async fn reset(app: &TestApp, token: &str, password: &str) -> Answer {
    let input = json!({ "token": token, "password": password });
    app.anonymous().mutate("passwordReset", "user { email isEmailVerified }", input).await
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_mail_and_every_session_ends() {
    let app = TestApp::new().await;
    app.register(ADA).await;
    let verify = app.mail().await.token();
    let (phone, laptop) = (app.session(ADA, PASSWORD).await, app.session(ADA, PASSWORD).await);
    assert_eq!(forgot(&app, ADA).await.verdict("passwordForgot"), "done");
    let mail = app.mail().await;
    assert_eq!(headline(&mail), "ada@souk.example: Choose a new password at Souk");
    assert!(
        mail.text.contains("60 minutes") && mail.text.contains("https://shop.example/account/reset-password?token=")
    );
    let token = mail.token();
    assert!(token.starts_with("souk_pt_"), "{token}");

    // What is wrong with the password is said, and the token stays good.
    for (password, expected) in [
        ("short", "INVALID password"),
        ("password", "WEAK_PASSWORD password"),
        ("ada@souk.example", "WEAK_PASSWORD password"),
    ] {
        assert_eq!(reset(&app, &token, password).await.verdict("passwordReset"), expected);
    }
    assert!(phone.is_in().await && laptop.is_in().await);
    let document = format!(
        r#"mutation {{ passwordReset(input: {{ token: "{token}", password: "{NEW}" }}) {{
            user {{ email isEmailVerified }} userErrors {{ code }} }} }}"#
    );
    let request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "Firefox on Linux")
        .header("x-forwarded-for", "192.0.2.7")
        .body(Body::from(json!({ "query": document }).to_string()))
        .expect("a request");
    let answer: Value = serde_json::from_slice(&app.send(request).await.2).expect("JSON");
    // The mail reached them: the address is theirs.
    let done = json!({ "user": { "email": ADA, "isEmailVerified": true }, "userErrors": [] });
    assert_eq!(answer["data"]["passwordReset"], done);
    assert!(!phone.is_in().await && !laptop.is_in().await);
    let told = app.mail().await;
    assert_eq!(headline(&told), "ada@souk.example: Your password at Souk was changed");
    assert!(told.text.contains("Firefox on Linux") && told.text.contains("192.0.2.7"), "{}", told.text);
    assert_eq!(app.login(ADA, PASSWORD).await.verdict("login"), "INVALID_CREDENTIALS email");
    assert_eq!(app.login(ADA, NEW).await.verdict("login"), "done");
    assert_eq!(reset(&app, &token, PASSWORD).await.verdict("passwordReset"), "INVALID_TOKEN token");
    // A verified address stays so by its first mail, which is still good.
    assert_eq!(app.use_token("emailVerify", &verify).await.verdict("emailVerify"), "done");
}

#[tokio::test]
async fn asking_for_a_password_tells_nobody_who_has_an_account() {
    let app = TestApp::new().await;
    app.verified(ADA).await;
    app.register("new@souk.example").await;
    let manager = app.manager().await;
    manager.mutate("userCreate", "", json!({ "name": "Invited", "email": "invited@souk.example" })).await;
    app.register("gone@souk.example").await;
    app.database.sql("UPDATE users SET is_active = false WHERE email = 'gone@souk.example'").await;
    app.mails().await;
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
        seen.push(forgot(&app, email).await.seen());
    }
    assert_eq!(seen[0].0, r#"{"data":{"passwordForgot":{"userErrors":[]}}"#);
    assert!(seen.iter().all(|other| *other == seen[0]), "{seen:#?}");
    let about = |email: &str| format!("{email}: Choose a new password at Souk");
    let told = [ADA, ADA, "invited@souk.example", "new@souk.example"].map(about);
    assert_eq!(app.headlines().await, told);
    for email in ["nobody", "", "a@b@c"] {
        assert_eq!(forgot(&app, email).await.verdict("passwordForgot"), "INVALID email", "{email}");
    }
}

#[tokio::test]
async fn a_second_mail_voids_the_first_and_there_are_three_an_hour() {
    let app = TestApp::new().await;
    app.verified(ADA).await;
    let mut tokens = Vec::new();
    for round in 1..=5 {
        forgot(&app, ADA).await;
        tokens.extend(app.mails().await.iter().map(crate::support::email::Mail::token));
        assert_eq!(tokens.len(), round.min(3), "round {round}");
    }
    let verdicts = async |tokens: &[String]| {
        let mut verdicts = Vec::new();
        for token in tokens {
            verdicts.push(reset(&app, token, NEW).await.verdict("passwordReset"));
        }
        verdicts
    };
    assert_eq!(verdicts(&tokens).await, ["INVALID_TOKEN token", "INVALID_TOKEN token", "done"]);
    app.mails().await;
    // An hour later, which is past the pauses of whoever asks so often, too.
    app.database.sql("UPDATE account_tokens SET created_at = created_at - interval '1 h'").await;
    app.database.sql("UPDATE login_throttles SET blocked_until = blocked_until - interval '1 h'").await;
    forgot(&app, ADA).await;
    assert_eq!(reset(&app, &app.mail().await.token(), PASSWORD).await.verdict("passwordReset"), "done");
}

#[tokio::test]
async fn the_mail_is_that_of_the_website() {
    let app = TestApp::new().await;
    let (sailor, baker) = (app.website("sailor").await.id.to_global_id(), app.website("baker").await.id.to_global_id());
    let input = json!({ "name": "Ada", "email": ADA, "password": PASSWORD, "sourceWebsiteId": sailor });
    app.anonymous().mutate("register", "", input).await;
    app.mails().await;
    for (website, shop) in [(json!(null), "sailor"), (json!(baker), "baker")] {
        let input = json!({ "email": ADA, "websiteId": website });
        app.anonymous().mutate("passwordForgot", "", input).await;
        let mail = app.mail().await;
        assert_eq!(headline(&mail), format!("ada@souk.example: Choose a new password at Shop {shop}"));
        assert!(mail.text.contains(&format!("https://{shop}.example/account/reset-password")), "{}", mail.text);
    }
    let input = json!({ "email": ADA, "websiteId": UserId(1).to_global_id() });
    let wrong = app.anonymous().mutate("passwordForgot", "", input).await;
    assert_eq!(wrong.verdict("passwordForgot"), "INVALID websiteId");
}

#[tokio::test]
async fn a_changed_password_ends_every_session_but_the_one_that_changed_it() {
    let app = TestApp::new().await;
    app.verified(ADA).await;
    let (here, there, other) =
        (app.session(ADA, PASSWORD).await, app.session(ADA, PASSWORD).await, app.customer().await);
    forgot(&app, ADA).await;
    let token = app.mail().await.token();
    let change = |password: &str, new: &str| json!({ "password": password, "newPassword": new });
    for (current, new, expected) in [
        (NEW, NEW, "INVALID_CREDENTIALS password"),
        ("", NEW, "INVALID_CREDENTIALS password"),
        (&"x".repeat(1000), NEW, "INVALID_CREDENTIALS password"),
        (PASSWORD, "short", "INVALID newPassword"),
        (PASSWORD, "password", "WEAK_PASSWORD newPassword"),
    ] {
        let answer = here.mutate("passwordChange", "user { id }", change(current, new)).await;
        assert_eq!(answer.verdict("passwordChange"), expected);
    }
    let nobody = app.anonymous().mutate("passwordChange", "", change(PASSWORD, NEW)).await;
    assert_eq!(nobody.verdict("passwordChange"), "!UNAUTHENTICATED");
    assert!(here.is_in().await && there.is_in().await);

    let done = here.mutate("passwordChange", "user { id }", change(PASSWORD, NEW)).await;
    assert_eq!(done.text_at("passwordChange.user.id"), here.global_id());
    assert!(here.is_in().await && !there.is_in().await && other.is_in().await);
    assert_eq!(app.headlines().await, ["ada@souk.example: Your password at Souk was changed"]);
    assert_eq!(app.login(ADA, PASSWORD).await.verdict("login"), "INVALID_CREDENTIALS email");
    assert_eq!(app.login(ADA, NEW).await.verdict("login"), "done");
    // What was asked for before is void.
    assert_eq!(reset(&app, &token, PASSWORD).await.verdict("passwordReset"), "INVALID_TOKEN token");
}

#[tokio::test]
async fn a_new_address_counts_once_it_is_confirmed_and_the_old_one_is_told() {
    let app = TestApp::new().await;
    app.verified(ADA).await;
    let ada = app.session(ADA, PASSWORD).await;
    forgot(&app, ADA).await;
    let old = app.mail().await.token();
    let change = |email: &str, password: &str| json!({ "email": email, "password": password });
    for (email, password, expected) in [
        ("new@souk.example", NEW, "INVALID_CREDENTIALS password"),
        ("nobody", PASSWORD, "INVALID email"),
        ("New@Souk.example", PASSWORD, "done"),
    ] {
        let answer = ada.mutate("emailChange", "", change(email, password)).await;
        assert_eq!(answer.verdict("emailChange"), expected, "{email}");
    }
    let nobody = app.anonymous().mutate("emailChange", "", change("new@souk.example", PASSWORD)).await;
    assert_eq!(nobody.verdict("emailChange"), "!UNAUTHENTICATED");
    let mail = app.mail().await;
    assert_eq!(headline(&mail), "new@souk.example: Confirm your new e-mail address at Souk");
    assert!(mail.text.contains("24 hours") && mail.token().starts_with("souk_et_"), "{}", mail.text);
    assert_eq!(ada.run("{ me { email } }").await.text_at("me.email"), ADA);

    let confirmed = app.use_token("emailChangeConfirm", &mail.token()).await;
    let user = json!({ "id": ada.global_id(), "email": "new@souk.example", "isEmailVerified": true });
    assert_eq!(confirmed.at("emailChangeConfirm.user"), &user);
    let told = app.mail().await;
    assert_eq!(headline(&told), "ada@souk.example: Your e-mail address at Souk was changed");
    assert!(told.text.contains("new@souk.example"), "{}", told.text);
    assert_eq!(reset(&app, &old, NEW).await.verdict("passwordReset"), "INVALID_TOKEN token");
    assert_eq!(app.login(ADA, PASSWORD).await.verdict("login"), "INVALID_CREDENTIALS email");
    assert_eq!(app.login("new@souk.example", PASSWORD).await.verdict("login"), "done");
}

#[tokio::test]
async fn changing_an_address_tells_nobody_but_its_owner_that_it_has_an_account() {
    let app = TestApp::new().await;
    app.verified(ADA).await;
    app.verified("bob@souk.example").await;
    app.verified("gone@souk.example").await;
    app.database.sql("UPDATE users SET is_active = false WHERE email = 'gone@souk.example'").await;
    let ada = app.session(ADA, PASSWORD).await;
    let free = ada.mutate("emailChange", "", json!({ "email": "free@souk.example", "password": PASSWORD })).await;
    assert_eq!(free.verdict("emailChange"), "done");
    let token = app.mail().await.token();
    for (email, told) in [
        ("bob@souk.example", vec!["bob@souk.example: You already have an account at Souk"]),
        ("BOB@souk.example", vec![]),
        ("gone@souk.example", vec![]),
        (ADA, vec![]),
    ] {
        let answer = ada.mutate("emailChange", "", json!({ "email": email, "password": PASSWORD })).await;
        assert_eq!(answer.seen(), free.seen(), "{email}");
        assert_eq!(app.headlines().await, told, "{email}");
    }
    // Somebody was faster: their mailbox, and they were there first.
    assert_eq!(app.register("free@souk.example").await.verdict("register"), "done");
    let late = app.use_token("emailChangeConfirm", &token).await;
    assert_eq!(late.verdict("emailChangeConfirm"), "TAKEN email");
    assert_eq!(ada.run("{ me { email } }").await.text_at("me.email"), ADA);
}

#[tokio::test]
async fn nobody_floods_a_stranger_with_mails_of_a_new_address() {
    let app = TestApp::new().await;
    app.verified(ADA).await;
    let ada = app.session(ADA, PASSWORD).await;
    for index in 0..6 {
        let input = json!({ "email": format!("stranger-{index}@souk.example"), "password": PASSWORD });
        assert_eq!(ada.mutate("emailChange", "", input).await.verdict("emailChange"), "done");
    }
    assert_eq!(app.headlines().await.len(), 3);
}

#[tokio::test]
async fn an_api_key_changes_no_password_and_no_address_of_its_owner() {
    let app = TestApp::new().await;
    let id = app.verified(ADA).await;
    app.database.sql("UPDATE users SET role_id = (SELECT id FROM roles WHERE code = 'admin')").await;
    let key = Viewer::user(Identity {
        user: id,
        auth_method: AuthMethod::ApiKey(ApiKeyId(1)),
        role: "admin".to_owned(),
        permissions: Permission::ALL.iter().copied().collect(),
        websites: None,
    });
    let before = app.database.contents().await;
    let (db, passwords, live) = (&app.database.db, &app.services.passwords, &app.services.permission_cache);
    let (origin, pass) = (RequestOrigin::default(), PASSWORD.to_owned());
    let patch = UserPatch { email: Some("new@souk.example".to_owned()), ..UserPatch::default() };
    let answers = [
        passwords::change(db, passwords, live, &key, &origin, pass.clone(), NEW.to_owned()).await.map(drop),
        email_change::request(db, passwords, &key, &origin, "new@souk.example", pass).await,
        update_user(db, &key, id, patch).await.map(drop),
    ];
    for answer in answers {
        assert!(matches!(answer, Err(Error::Coded(ErrorCode::Forbidden, _))), "{answer:?}");
    }
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn the_audit_log_tells_of_passwords_and_addresses_but_holds_no_secret() {
    let app = TestApp::new().await;
    app.verified(ADA).await;
    forgot(&app, ADA).await;
    reset(&app, &app.mail().await.token(), NEW).await;
    app.mails().await;
    let ada = app.session(ADA, NEW).await;
    ada.mutate("passwordChange", "", json!({ "password": NEW, "newPassword": PASSWORD })).await;
    ada.mutate("emailChange", "", json!({ "email": "new@souk.example", "password": PASSWORD })).await;
    let mails = app.mails().await;
    app.use_token("emailChangeConfirm", &mails[1].token()).await;
    let keys = "(SELECT string_agg(key, ' ' ORDER BY key) FROM jsonb_object_keys(after) key)";
    let entries =
        format!("SELECT via, {keys} FROM audit_log WHERE resource_type = 'User' AND change = 'updated' ORDER BY id");
    let told = [
        "(anonymous,email_verified_at)",
        "(anonymous,password_hash)",
        "(session,password_hash)",
        r#"(anonymous,"email email_verified_at")"#,
    ];
    assert_eq!(app.database.rows(&entries).await, told);
    let secrets = "SELECT count(*) FROM audit_log l WHERE l::text ~ 'argon2|souk_.t_'";
    assert_eq!(app.database.ask(secrets).await, "0");
}
