//! Registration and email verification, without revealing who has an account.

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk::{
    access::actions::cleanup::delete_expired,
    config::{AccountSettings, RegistrationMode},
    ids::{RowId, WebsiteId},
};

use crate::support::{
    TestApp, TestResponse,
    accounts::{PASSWORD, email_summary},
};

const ADA: &str = "ada@souk.example";

const PRIVATE_ACCOUNTS: AccountSettings =
    AccountSettings { registration: RegistrationMode::Private, login_needs_verification: false };

async fn resend(app: &TestApp, email: &str) -> TestResponse {
    app.anonymous().mutate("emailVerificationResend", "", json!({ "email": email })).await
}

async fn accounts(app: &TestApp) -> String {
    app.database.scalar("SELECT count(*) FROM users").await
}

#[tokio::test]
async fn registration_email_verifies_the_address_once() {
    let app = TestApp::new().await;
    let registered = app.register(ADA).await;
    assert_eq!(registered.at("register.user.isEmailVerified"), &json!(false));
    let mail = app.email().await;
    assert_eq!(email_summary(&mail), "ada@souk.example: Confirm your email address at Souk");
    assert!(mail.text.contains("Hello customer,") && mail.text.contains("48 hours"), "{}", mail.text);
    let token = mail.token();
    assert!(token.starts_with("souk_vt_") && token.len() == 51, "{token}");
    assert!(!format!("{:?}", app.database.rows("SELECT * FROM account_tokens").await).contains(&token));

    let verified = app.use_token("emailVerify", &token).await;
    let ada = json!({ "id": registered.at("register.user.id"), "email": ADA, "isEmailVerified": true });
    assert_eq!(verified.at("emailVerify.user"), &ada);
    assert_eq!(app.use_token("emailVerify", &token).await.outcome("emailVerify"), "INVALID_TOKEN token");
    assert_eq!(app.email_summaries().await, Vec::<String>::new());
}

#[tokio::test]
async fn token_works_only_once_and_only_for_its_purpose() {
    let app = TestApp::new().await;
    app.register_verified(ADA).await;
    let ada = app.log_in_with_password(ADA, PASSWORD).await;
    app.register("bob@souk.example").await;
    let verify = app.email().await.token();
    app.anonymous().mutate("passwordForgot", "", json!({ "email": ADA })).await;
    let reset = app.email().await.token();
    ada.mutate("emailChange", "", json!({ "email": "new@souk.example", "password": PASSWORD })).await;
    let change = app.email().await.token();
    // The email change comes last, because it invalidates the tokens sent to the previous address.
    let flows = [("emailVerify", &verify), ("passwordReset", &reset), ("emailChangeConfirm", &change)];
    for (mutation, own) in flows {
        let flipped = format!("{}{}", &own[..50], if own.ends_with('A') { "B" } else { "A" });
        let others = flows.iter().map(|(_, token)| token.as_str()).filter(|token| token != own);
        for token in others.chain(["", "souk_vt_", &flipped, &own[8..], &own.to_lowercase(), "\u{1f980}"]) {
            let response = app.use_token(mutation, token).await;
            assert_eq!(response.outcome(mutation), "INVALID_TOKEN token", "{mutation} {token}");
        }
    }
    for (mutation, token) in flows {
        let uses = join_all((0..20).map(|_| app.use_token(mutation, token))).await;
        let mut outcomes: Vec<_> = uses.iter().map(|response| response.outcome(mutation)).collect();
        outcomes.sort();
        let one_wins = [vec!["INVALID_TOKEN token"; 19], vec!["done"]].concat();
        assert_eq!(outcomes, one_wins, "{mutation}");
    }
}

#[tokio::test]
async fn token_expires_and_is_invalid_without_the_account() {
    let app = TestApp::new().await;
    let id = app.register(ADA).await.text_at("register.user.id");
    let verify = app.email().await.token();
    app.anonymous().mutate("passwordForgot", "", json!({ "email": ADA })).await;
    let reset = app.email().await.token();
    let ada = app.log_in_with_password(ADA, PASSWORD).await;
    ada.mutate("emailChange", "", json!({ "email": "new@souk.example", "password": PASSWORD })).await;
    let change = app.email().await.token();
    let lives =
        "SELECT string_agg((expires_at - created_at > l AND expires_at - created_at < l + interval '1 min')::text, ' ')
        FROM account_tokens JOIN (VALUES ('verify_email', interval '48 h'), ('reset_password', interval '60 min'),
        ('change_email', interval '24 h')) v (p, l) ON p = purpose";
    assert_eq!(app.database.scalar(lives).await, "true true true");
    let spoil = [
        (
            "UPDATE account_tokens SET expires_at = now()",
            "UPDATE account_tokens SET expires_at = now() + interval '1 h'",
        ),
        ("UPDATE users SET is_active = false", "UPDATE users SET is_active = true"),
    ];
    let flows = [("emailVerify", &verify), ("passwordReset", &reset), ("emailChangeConfirm", &change)];
    for (spoil, cure) in spoil {
        app.database.sql(spoil).await;
        for (mutation, token) in flows {
            let response = app.use_token(mutation, token).await;
            assert_eq!(response.outcome(mutation), "INVALID_TOKEN token", "{mutation} after {spoil}");
        }
        app.database.sql(cure).await;
    }
    for (mutation, token) in flows {
        let response = app.use_token(mutation, token).await;
        assert_eq!(response.outcome(mutation), "done", "{mutation}");
        assert_eq!(response.text_at(&format!("{mutation}.user.id")), id);
    }
}

#[tokio::test]
async fn rolled_back_registration_sends_no_email() {
    let app = TestApp::new().await;
    let before = app.database.contents().await;
    // The commit is the last step that can fail.
    app.database
        .sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
             CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await;
    assert_eq!(app.register(ADA).await.code(), "INTERNAL_SERVER_ERROR");
    app.database.sql("DROP TRIGGER refuse ON users").await;
    assert_eq!(app.email_summaries().await, Vec::<String>::new());
    assert_eq!(app.database.contents().await, before);

    app.register(ADA).await;
    assert_eq!(app.email_summaries().await.len(), 1);
    let before = app.database.contents().await;
    assert_eq!(app.register("ADA@souk.example").await.outcome("register"), "TAKEN email");
    assert_eq!(app.email_summaries().await, Vec::<String>::new());
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn concurrent_registrations_of_one_email_create_one_account() {
    let app = TestApp::new().await;
    let responses = join_all((0..20).map(|_| app.register(ADA))).await;
    let outcomes: Vec<_> = responses.iter().map(|response| response.outcome("register")).collect();
    let count = |outcome: &str| outcomes.iter().filter(|other| *other == outcome).count();
    assert_eq!((count("done"), count("TAKEN email")), (1, 19), "{outcomes:?}");
    assert_eq!(app.email_summaries().await, ["ada@souk.example: Confirm your email address at Souk"]);

    let private = TestApp::builder().accounts(PRIVATE_ACCOUNTS).build().await;
    let responses = join_all((0..20).map(|_| private.register(ADA))).await;
    let seen = r#"{"data":{"register":{"user":null,"userErrors":[]}}"#;
    for response in responses {
        assert_eq!(response.observable_output(), (seen.to_owned(), response.observable_output().1));
    }
    let emails = [
        "ada@souk.example: Confirm your email address at Souk",
        "ada@souk.example: You already have an account at Souk",
    ];
    assert_eq!(private.email_summaries().await, emails);
    assert_eq!(accounts(&private).await, "1");
}

#[tokio::test]
async fn private_registration_reveals_an_account_only_to_its_owner() {
    let app = TestApp::builder().accounts(PRIVATE_ACCOUNTS).build().await;
    app.register(ADA).await;
    let token = app.email().await.token();
    // Not even logging in reveals it: the correct password returns the same error as a wrong one.
    let refused = app.login(ADA, "another few words of mine").await;
    assert_eq!(refused.outcome("login"), "INVALID_CREDENTIALS email");
    assert_eq!(app.login(ADA, PASSWORD).await.observable_output(), refused.observable_output());
    app.use_token("emailVerify", &token).await;
    assert_eq!(app.login(ADA, PASSWORD).await.outcome("login"), "done");

    let removed = app.register("gone@souk.example").await;
    assert_eq!(app.email_summaries().await.len(), 1);
    app.database.sql("UPDATE users SET is_active = false WHERE email = 'gone@souk.example'").await;
    for email in [ADA, "ADA@Souk.example", "nobody@souk.example", "gone@souk.example"] {
        assert_eq!(app.register(email).await.observable_output(), removed.observable_output(), "{email}");
        let emails = app.email_summaries().await;
        let expected = match email {
            ADA => vec!["ada@souk.example: You already have an account at Souk"],
            "nobody@souk.example" => vec!["nobody@souk.example: Confirm your email address at Souk"],
            // Already notified within the hour; or no address to notify.
            _ => vec![],
        };
        assert_eq!(emails, expected, "{email}");
    }
    app.database.sql("UPDATE address_notices SET told_at = told_at - interval '1 h'").await;
    app.register(ADA).await;
    assert_eq!(app.email_summaries().await, ["ada@souk.example: You already have an account at Souk"]);
    assert_eq!(accounts(&app).await, "3");
}

#[tokio::test]
async fn private_registration_still_returns_validation_errors() {
    let app = TestApp::builder().accounts(PRIVATE_ACCOUNTS).build().await;
    let website = app.website("sailor").await.id;
    for (field, value, expected) in [
        ("email", json!("nobody"), "INVALID email"),
        ("name", json!(" "), "REQUIRED name"),
        ("password", json!("short"), "INVALID password"),
        ("password", json!("password"), "WEAK_PASSWORD password"),
        ("sourceWebsiteId", json!(WebsiteId(website.0 + 1).to_global_id()), "NOT_FOUND sourceWebsiteId"),
        ("sourceWebsiteId", json!(website.to_global_id()), "done"),
    ] {
        let mut input = json!({ "name": "Ada", "email": ADA, "password": PASSWORD });
        input[field] = value;
        let response = app.anonymous().mutate("register", "user { id }", input).await;
        assert_eq!(response.outcome("register"), expected, "{field}");
    }
    // In the name of the website where the user registered.
    assert_eq!(app.email_summaries().await, ["ada@souk.example: Confirm your email address at Shop sailor"]);
    let made = "SELECT code FROM users JOIN roles ON roles.id = role_id";
    assert_eq!(app.database.scalar(made).await, "customer");
}

#[tokio::test]
async fn account_creation_job_is_idempotent() {
    let app = TestApp::builder().accounts(PRIVATE_ACCOUNTS).build().await;
    app.register(ADA).await;
    app.database.sql("CREATE TABLE kept AS SELECT * FROM jobs").await;
    assert_eq!(app.email_summaries().await.len(), 1);
    app.database.sql("INSERT INTO jobs OVERRIDING SYSTEM VALUE SELECT * FROM kept").await;
    assert_eq!(app.run_jobs().await, 1);
    assert_eq!((app.email_summaries().await.len(), accounts(&app).await.as_str()), (0, "1"));
}

#[tokio::test]
async fn resending_verification_does_not_reveal_accounts() {
    let app = TestApp::new().await;
    app.register_verified("known@souk.example").await;
    for email in [ADA, "gone@souk.example"] {
        app.register(email).await;
    }
    let first = app.emails().await[0].token();
    app.database.sql("UPDATE users SET is_active = false WHERE email = 'gone@souk.example'").await;
    let mut seen = Vec::new();
    for email in ["nobody@souk.example", "known@souk.example", "gone@souk.example", ADA, "ADA@SOUK.example"] {
        seen.push(resend(&app, email).await.observable_output());
    }
    assert_eq!(seen[0].0, r#"{"data":{"emailVerificationResend":{"userErrors":[]}}"#);
    assert!(seen.iter().all(|other| *other == seen[0]), "{seen:#?}");
    let emails = app.emails().await;
    let headlines: Vec<_> = emails.iter().map(email_summary).collect();
    assert_eq!(headlines, ["ada@souk.example: Confirm your email address at Souk"; 2]);
    assert_eq!(resend(&app, "nobody").await.outcome("emailVerificationResend"), "INVALID email");

    // At most three within an hour, the first one included.
    resend(&app, ADA).await;
    assert_eq!(app.email_summaries().await.len(), 0);
    app.database.sql("UPDATE account_tokens SET created_at = created_at - interval '1 h'").await;
    resend(&app, ADA).await;
    let last = app.email().await.token();
    for (token, expected) in [
        (first, "INVALID_TOKEN token"),
        (emails[0].token(), "INVALID_TOKEN token"),
        (emails[1].token(), "INVALID_TOKEN token"),
        (last, "done"),
    ] {
        assert_eq!(app.use_token("emailVerify", &token).await.outcome("emailVerify"), expected);
    }
    resend(&app, ADA).await;
    assert_eq!(app.email_summaries().await.len(), 0);
}

#[tokio::test]
async fn login_can_require_a_verified_email() {
    let settings = AccountSettings { login_needs_verification: true, ..AccountSettings::default() };
    let app = TestApp::builder().accounts(settings).build().await;
    app.register(ADA).await;
    let token = app.email().await.token();
    for (email, password, expected) in [
        (ADA, PASSWORD, "EMAIL_NOT_VERIFIED email"),
        (ADA, "another few words of mine", "INVALID_CREDENTIALS email"),
        ("nobody@souk.example", PASSWORD, "INVALID_CREDENTIALS email"),
    ] {
        let response = app.login(email, password).await;
        assert_eq!((response.outcome("login").as_str(), response.at("login.accessToken")), (expected, &Value::Null));
    }
    assert_eq!(app.database.scalar("SELECT count(*) FROM sessions").await, "0");
    app.use_token("emailVerify", &token).await;
    assert_eq!(app.login(ADA, PASSWORD).await.outcome("login"), "done");
}

#[tokio::test]
async fn invited_user_chooses_the_password() {
    let settings = AccountSettings { login_needs_verification: true, ..AccountSettings::default() };
    let app = TestApp::builder().accounts(settings).build().await;
    let manager = app.manager().await;
    let input = json!({ "name": "Ada", "email": ADA });
    assert_eq!(manager.mutate("userCreate", "", input).await.outcome("userCreate"), "done");
    let mail = app.email().await;
    assert_eq!(email_summary(&mail), "ada@souk.example: Your account at Souk");
    assert!(mail.text.contains("168 hours"), "{}", mail.text);
    let life = "SELECT expires_at - created_at > interval '167 h' FROM account_tokens";
    assert_eq!(app.database.scalar(life).await, "t");
    let chosen = app.use_token("passwordReset", &mail.token()).await;
    assert_eq!(chosen.at("passwordReset.user.isEmailVerified"), &json!(true));
    assert_eq!(app.login(ADA, PASSWORD).await.outcome("login"), "done");
    assert_eq!(app.email_summaries().await, ["ada@souk.example: Your password at Souk was changed"]);

    // If staff chose the password, the address still has to be verified.
    let input = json!({ "name": "Bob", "email": "bob@souk.example", "password": PASSWORD });
    manager.mutate("userCreate", "", input).await;
    assert_eq!(app.login("bob@souk.example", PASSWORD).await.outcome("login"), "EMAIL_NOT_VERIFIED email");
    app.use_token("emailVerify", &app.email().await.token()).await;
    assert_eq!(app.login("bob@souk.example", PASSWORD).await.outcome("login"), "done");
}

#[tokio::test]
async fn email_changed_by_staff_must_be_verified_and_the_old_one_is_notified() {
    let app = TestApp::new().await;
    let ada = app.register_verified(ADA).await;
    app.anonymous().mutate("passwordForgot", "", json!({ "email": ADA })).await;
    let old = app.email().await.token();
    let manager = app.manager().await;
    let change = |email: &str| json!({ "id": ada.to_global_id(), "email": email, "name": "Countess" });
    let same = manager.mutate("userUpdate", "user { isEmailVerified }", change("ADA@souk.example")).await;
    assert_eq!(same.at("userUpdate.user.isEmailVerified"), &json!(true));
    assert_eq!(app.email_summaries().await.len(), 0);
    let moved = manager.mutate("userUpdate", "user { email isEmailVerified }", change("new@souk.example")).await;
    assert_eq!(moved.at("userUpdate.user"), &json!({ "email": "new@souk.example", "isEmailVerified": false }));
    let emails = app.emails().await;
    let headlines: Vec<_> = emails.iter().map(email_summary).collect();
    let expected = [
        "new@souk.example: Confirm your email address at Souk",
        "ada@souk.example: Your email address at Souk was changed",
    ];
    assert_eq!(headlines, expected);
    assert!(emails[1].text.contains("new@souk.example"));
    // Tokens sent to the old address are invalid.
    assert_eq!(app.use_token("passwordReset", &old).await.outcome("passwordReset"), "INVALID_TOKEN token");
    assert_eq!(app.use_token("emailVerify", &emails[0].token()).await.outcome("emailVerify"), "done");

    app.database.sql("UPDATE users SET is_active = false WHERE email = 'new@souk.example'").await;
    assert_eq!(manager.mutate("userUpdate", "", change("late@souk.example")).await.outcome("userUpdate"), "done");
    assert_eq!(app.email_summaries().await.len(), 0);
}

#[tokio::test]
async fn expired_tokens_and_sessions_are_deleted() {
    let app = TestApp::new().await;
    app.register_verified(ADA).await;
    app.log_in_with_password(ADA, PASSWORD).await;
    app.anonymous().mutate("passwordForgot", "", json!({ "email": ADA })).await;
    let left = async || {
        let tokens = app.database.scalar("SELECT count(*) FROM account_tokens").await;
        (tokens, app.database.scalar("SELECT count(*) FROM sessions").await)
    };
    app.emails().await;
    let whole = left().await;
    assert_eq!(whole, ("2".to_owned(), "2".to_owned()), "the registration and the login opened a session each");
    // Ended sessions are kept longer, so that known addresses stay known.
    for (age, expected) in [("29 days", 0), ("31 days", 2), ("91 days", 2)] {
        let age = format!("now() - interval '{age}'");
        app.database
            .sql(&format!("UPDATE account_tokens SET expires_at = {age}; UPDATE sessions SET ended_at = {age}"))
            .await;
        assert_eq!(delete_expired(&app.database.db).await.expect("a cleanup"), expected, "{age}");
    }
    assert_eq!(left().await, ("0".to_owned(), "0".to_owned()));
}

#[tokio::test]
async fn erasing_a_user_deletes_their_emails_and_tokens() {
    let app = TestApp::new().await;
    app.register(ADA).await;
    app.register("bob@souk.example").await;
    let ada = app.log_in_with_password(ADA, PASSWORD).await;
    let held = async || {
        let tables = ["account_tokens", "jobs"].map(|table| format!("(SELECT count(*) FROM {table})"));
        app.database.rows(&format!("SELECT {}", tables.join(", "))).await
    };
    assert_eq!(held().await, ["(2,2)"]);
    let erased = ada.mutate("userErase", "", json!({ "id": ada.global_id(), "password": PASSWORD })).await;
    assert_eq!(erased.outcome("userErase"), "done");
    assert_eq!(held().await, ["(1,1)"]);
    assert_eq!(app.email_summaries().await, ["bob@souk.example: Confirm your email address at Souk"]);
}
