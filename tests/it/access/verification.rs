//! Registering, and confirming that an address is one's own: by mail, and without telling who has an account.

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk::{
    access::actions::cleanup::delete_expired,
    config::{AccountSettings, RegistrationMode},
    ids::{RowId, WebsiteId},
};

use crate::support::{
    Answer, TestApp,
    accounts::{PASSWORD, headline},
};

const ADA: &str = "ada@souk.example";

const PRIVATE: AccountSettings =
    AccountSettings { registration: RegistrationMode::Private, login_needs_verification: false };

async fn resend(app: &TestApp, email: &str) -> Answer {
    app.anonymous().mutate("emailVerificationResend", "", json!({ "email": email })).await
}

async fn accounts(app: &TestApp) -> String {
    app.database.ask("SELECT count(*) FROM users").await
}

#[tokio::test]
async fn the_mail_of_a_registration_confirms_the_address_once() {
    let app = TestApp::new().await;
    let registered = app.register(ADA).await;
    assert_eq!(registered.at("register.user.isEmailVerified"), &json!(false));
    let mail = app.mail().await;
    assert_eq!(headline(&mail), "ada@souk.example: Confirm your e-mail address at Souk");
    assert!(mail.text.contains("Hello Ada") && mail.text.contains("48 hours"), "{}", mail.text);
    let token = mail.token();
    assert!(token.starts_with("souk_vt_") && token.len() == 51, "{token}");
    assert!(!format!("{:?}", app.database.rows("SELECT * FROM account_tokens").await).contains(&token));

    let verified = app.use_token("emailVerify", &token).await;
    let ada = json!({ "id": registered.at("register.user.id"), "email": ADA, "isEmailVerified": true });
    assert_eq!(verified.at("emailVerify.user"), &ada);
    assert_eq!(app.use_token("emailVerify", &token).await.verdict("emailVerify"), "INVALID_TOKEN token");
    assert_eq!(app.headlines().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_token_is_good_for_one_thing_and_once_however_many_use_it() {
    let app = TestApp::new().await;
    app.verified(ADA).await;
    let ada = app.session(ADA, PASSWORD).await;
    app.register("bob@souk.example").await;
    let verify = app.mail().await.token();
    app.anonymous().mutate("passwordForgot", "", json!({ "email": ADA })).await;
    let reset = app.mail().await.token();
    ada.mutate("emailChange", "", json!({ "email": "new@souk.example", "password": PASSWORD })).await;
    let change = app.mail().await.token();
    // That of the address comes last: it voids what the address before was sent.
    let flows = [("emailVerify", &verify), ("passwordReset", &reset), ("emailChangeConfirm", &change)];
    for (mutation, own) in flows {
        let flipped = format!("{}{}", &own[..50], if own.ends_with('A') { "B" } else { "A" });
        let others = flows.iter().map(|(_, token)| token.as_str()).filter(|token| token != own);
        for token in others.chain(["", "souk_vt_", &flipped, &own[8..], &own.to_lowercase(), "\u{1f980}"]) {
            let answer = app.use_token(mutation, token).await;
            assert_eq!(answer.verdict(mutation), "INVALID_TOKEN token", "{mutation} {token}");
        }
    }
    for (mutation, token) in flows {
        let uses = join_all((0..20).map(|_| app.use_token(mutation, token))).await;
        let mut verdicts: Vec<_> = uses.iter().map(|answer| answer.verdict(mutation)).collect();
        verdicts.sort();
        let one_wins = [vec!["INVALID_TOKEN token"; 19], vec!["done"]].concat();
        assert_eq!(verdicts, one_wins, "{mutation}");
    }
}

#[tokio::test]
async fn a_token_expires_and_does_not_outlive_the_account() {
    let app = TestApp::new().await;
    let id = app.register(ADA).await.text_at("register.user.id");
    let verify = app.mail().await.token();
    app.anonymous().mutate("passwordForgot", "", json!({ "email": ADA })).await;
    let reset = app.mail().await.token();
    let ada = app.session(ADA, PASSWORD).await;
    ada.mutate("emailChange", "", json!({ "email": "new@souk.example", "password": PASSWORD })).await;
    let change = app.mail().await.token();
    let lives =
        "SELECT string_agg((expires_at - created_at > l AND expires_at - created_at < l + interval '1 min')::text, ' ')
        FROM account_tokens JOIN (VALUES ('verify_email', interval '48 h'), ('reset_password', interval '60 min'),
        ('change_email', interval '24 h')) v (p, l) ON p = purpose";
    assert_eq!(app.database.ask(lives).await, "true true true");
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
            let answer = app.use_token(mutation, token).await;
            assert_eq!(answer.verdict(mutation), "INVALID_TOKEN token", "{mutation} after {spoil}");
        }
        app.database.sql(cure).await;
    }
    for (mutation, token) in flows {
        let answer = app.use_token(mutation, token).await;
        assert_eq!(answer.verdict(mutation), "done", "{mutation}");
        assert_eq!(answer.text_at(&format!("{mutation}.user.id")), id);
    }
}

#[tokio::test]
async fn a_registration_that_is_undone_sends_no_mail() {
    let app = TestApp::new().await;
    let before = app.database.contents().await;
    // The last thing that can go wrong: the commit.
    app.database
        .sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
             CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON users DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        .await;
    assert_eq!(app.register(ADA).await.code(), "INTERNAL_SERVER_ERROR");
    app.database.sql("DROP TRIGGER refuse ON users").await;
    assert_eq!(app.headlines().await, Vec::<String>::new());
    assert_eq!(app.database.contents().await, before);

    app.register(ADA).await;
    assert_eq!(app.headlines().await.len(), 1);
    let before = app.database.contents().await;
    assert_eq!(app.register("ADA@souk.example").await.verdict("register"), "TAKEN email");
    assert_eq!(app.headlines().await, Vec::<String>::new());
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn twenty_registrations_of_one_address_make_one_account() {
    let app = TestApp::new().await;
    let answers = join_all((0..20).map(|_| app.register(ADA))).await;
    let verdicts: Vec<_> = answers.iter().map(|answer| answer.verdict("register")).collect();
    let count = |verdict: &str| verdicts.iter().filter(|other| *other == verdict).count();
    assert_eq!((count("done"), count("TAKEN email")), (1, 19), "{verdicts:?}");
    assert_eq!(app.headlines().await, ["ada@souk.example: Confirm your e-mail address at Souk"]);

    let private = TestApp::builder().accounts(PRIVATE).build().await;
    let answers = join_all((0..20).map(|_| private.register(ADA))).await;
    let seen = r#"{"data":{"register":{"user":null,"userErrors":[]}}"#;
    for answer in answers {
        assert_eq!(answer.seen(), (seen.to_owned(), answer.seen().1));
    }
    let mails = [
        "ada@souk.example: Confirm your e-mail address at Souk",
        "ada@souk.example: You already have an account at Souk",
    ];
    assert_eq!(private.headlines().await, mails);
    assert_eq!(accounts(&private).await, "1");
}

#[tokio::test]
async fn a_private_shop_tells_nobody_but_the_owner_that_an_address_has_an_account() {
    let app = TestApp::builder().accounts(PRIVATE).build().await;
    app.register(ADA).await;
    let token = app.mail().await.token();
    // Not even by whether one can log in: with the right password it is as with a wrong one.
    let refused = app.login(ADA, "another few words of mine").await;
    assert_eq!(refused.verdict("login"), "INVALID_CREDENTIALS email");
    assert_eq!(app.login(ADA, PASSWORD).await.seen(), refused.seen());
    app.use_token("emailVerify", &token).await;
    assert_eq!(app.login(ADA, PASSWORD).await.verdict("login"), "done");

    let gone = app.register("gone@souk.example").await;
    assert_eq!(app.headlines().await.len(), 1);
    app.database.sql("UPDATE users SET is_active = false WHERE email = 'gone@souk.example'").await;
    for email in [ADA, "ADA@Souk.example", "nobody@souk.example", "gone@souk.example"] {
        assert_eq!(app.register(email).await.seen(), gone.seen(), "{email}");
        let mails = app.headlines().await;
        let expected = match email {
            ADA => vec!["ada@souk.example: You already have an account at Souk"],
            "nobody@souk.example" => vec!["nobody@souk.example: Confirm your e-mail address at Souk"],
            // Told already within the hour; nobody to tell.
            _ => vec![],
        };
        assert_eq!(mails, expected, "{email}");
    }
    app.database.sql("UPDATE address_notices SET told_at = told_at - interval '1 h'").await;
    app.register(ADA).await;
    assert_eq!(app.headlines().await, ["ada@souk.example: You already have an account at Souk"]);
    assert_eq!(accounts(&app).await, "3");
}

#[tokio::test]
async fn a_private_shop_still_says_what_is_wrong_with_a_registration() {
    let app = TestApp::builder().accounts(PRIVATE).build().await;
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
        let answer = app.anonymous().mutate("register", "user { id }", input).await;
        assert_eq!(answer.verdict("register"), expected, "{field}");
    }
    // As the website that they came from.
    assert_eq!(app.headlines().await, ["ada@souk.example: Confirm your e-mail address at Shop sailor"]);
    let made = "SELECT code FROM users JOIN roles ON roles.id = role_id";
    assert_eq!(app.database.ask(made).await, "customer");
}

#[tokio::test]
async fn a_job_that_opens_an_account_may_run_twice() {
    let app = TestApp::builder().accounts(PRIVATE).build().await;
    app.register(ADA).await;
    app.database.sql("CREATE TABLE kept AS SELECT * FROM jobs").await;
    assert_eq!(app.headlines().await.len(), 1);
    app.database.sql("INSERT INTO jobs OVERRIDING SYSTEM VALUE SELECT * FROM kept").await;
    assert_eq!(app.run_jobs().await, 1);
    assert_eq!((app.headlines().await.len(), accounts(&app).await.as_str()), (0, "1"));
}

#[tokio::test]
async fn another_mail_is_asked_for_without_telling_who_has_an_account() {
    let app = TestApp::new().await;
    app.verified("known@souk.example").await;
    for email in [ADA, "gone@souk.example"] {
        app.register(email).await;
    }
    let first = app.mails().await[0].token();
    app.database.sql("UPDATE users SET is_active = false WHERE email = 'gone@souk.example'").await;
    let mut seen = Vec::new();
    for email in ["nobody@souk.example", "known@souk.example", "gone@souk.example", ADA, "ADA@SOUK.example"] {
        seen.push(resend(&app, email).await.seen());
    }
    assert_eq!(seen[0].0, r#"{"data":{"emailVerificationResend":{"userErrors":[]}}"#);
    assert!(seen.iter().all(|other| *other == seen[0]), "{seen:#?}");
    let mails = app.mails().await;
    let headlines: Vec<_> = mails.iter().map(headline).collect();
    assert_eq!(headlines, ["ada@souk.example: Confirm your e-mail address at Souk"; 2]);
    assert_eq!(resend(&app, "nobody").await.verdict("emailVerificationResend"), "INVALID email");

    // Three within an hour, the first one counted.
    resend(&app, ADA).await;
    assert_eq!(app.headlines().await.len(), 0);
    app.database.sql("UPDATE account_tokens SET created_at = created_at - interval '1 h'").await;
    resend(&app, ADA).await;
    let last = app.mail().await.token();
    for (token, expected) in [
        (first, "INVALID_TOKEN token"),
        (mails[0].token(), "INVALID_TOKEN token"),
        (mails[1].token(), "INVALID_TOKEN token"),
        (last, "done"),
    ] {
        assert_eq!(app.use_token("emailVerify", &token).await.verdict("emailVerify"), expected);
    }
    resend(&app, ADA).await;
    assert_eq!(app.headlines().await.len(), 0);
}

#[tokio::test]
async fn a_shop_may_ask_for_a_confirmed_address_before_the_first_login() {
    let settings = AccountSettings { login_needs_verification: true, ..AccountSettings::default() };
    let app = TestApp::builder().accounts(settings).build().await;
    app.register(ADA).await;
    let token = app.mail().await.token();
    for (email, password, expected) in [
        (ADA, PASSWORD, "EMAIL_NOT_VERIFIED email"),
        (ADA, "another few words of mine", "INVALID_CREDENTIALS email"),
        ("nobody@souk.example", PASSWORD, "INVALID_CREDENTIALS email"),
    ] {
        let answer = app.login(email, password).await;
        assert_eq!((answer.verdict("login").as_str(), answer.at("login.accessToken")), (expected, &Value::Null));
    }
    assert_eq!(app.database.ask("SELECT count(*) FROM sessions").await, "0");
    app.use_token("emailVerify", &token).await;
    assert_eq!(app.login(ADA, PASSWORD).await.verdict("login"), "done");
}

#[tokio::test]
async fn whoever_is_given_an_account_chooses_the_password() {
    let settings = AccountSettings { login_needs_verification: true, ..AccountSettings::default() };
    let app = TestApp::builder().accounts(settings).build().await;
    let manager = app.manager().await;
    let input = json!({ "name": "Ada", "email": ADA });
    assert_eq!(manager.mutate("userCreate", "", input).await.verdict("userCreate"), "done");
    let mail = app.mail().await;
    assert_eq!(headline(&mail), "ada@souk.example: Your account at Souk");
    assert!(mail.text.contains("168 hours"), "{}", mail.text);
    let life = "SELECT expires_at - created_at > interval '167 h' FROM account_tokens";
    assert_eq!(app.database.ask(life).await, "t");
    let chosen = app.use_token("passwordReset", &mail.token()).await;
    assert_eq!(chosen.at("passwordReset.user.isEmailVerified"), &json!(true));
    assert_eq!(app.login(ADA, PASSWORD).await.verdict("login"), "done");
    assert_eq!(app.headlines().await, ["ada@souk.example: Your password at Souk was changed"]);

    // Where staff chose one, the address is still to be confirmed.
    let input = json!({ "name": "Bob", "email": "bob@souk.example", "password": PASSWORD });
    manager.mutate("userCreate", "", input).await;
    assert_eq!(app.login("bob@souk.example", PASSWORD).await.verdict("login"), "EMAIL_NOT_VERIFIED email");
    app.use_token("emailVerify", &app.mail().await.token()).await;
    assert_eq!(app.login("bob@souk.example", PASSWORD).await.verdict("login"), "done");
}

#[tokio::test]
async fn an_address_that_staff_change_is_confirmed_anew_and_the_old_one_is_told() {
    let app = TestApp::new().await;
    let ada = app.verified(ADA).await;
    app.anonymous().mutate("passwordForgot", "", json!({ "email": ADA })).await;
    let old = app.mail().await.token();
    let manager = app.manager().await;
    let change = |email: &str| json!({ "id": ada.to_global_id(), "email": email, "name": "Countess" });
    let same = manager.mutate("userUpdate", "user { isEmailVerified }", change("ADA@souk.example")).await;
    assert_eq!(same.at("userUpdate.user.isEmailVerified"), &json!(true));
    assert_eq!(app.headlines().await.len(), 0);
    let moved = manager.mutate("userUpdate", "user { email isEmailVerified }", change("new@souk.example")).await;
    assert_eq!(moved.at("userUpdate.user"), &json!({ "email": "new@souk.example", "isEmailVerified": false }));
    let mails = app.mails().await;
    let headlines: Vec<_> = mails.iter().map(headline).collect();
    let expected = [
        "new@souk.example: Confirm your e-mail address at Souk",
        "ada@souk.example: Your e-mail address at Souk was changed",
    ];
    assert_eq!(headlines, expected);
    assert!(mails[1].text.contains("new@souk.example"));
    // What the old address was sent opens nothing.
    assert_eq!(app.use_token("passwordReset", &old).await.verdict("passwordReset"), "INVALID_TOKEN token");
    assert_eq!(app.use_token("emailVerify", &mails[0].token()).await.verdict("emailVerify"), "done");

    app.database.sql("UPDATE users SET is_active = false WHERE email = 'new@souk.example'").await;
    assert_eq!(manager.mutate("userUpdate", "", change("late@souk.example")).await.verdict("userUpdate"), "done");
    assert_eq!(app.headlines().await.len(), 0);
}

#[tokio::test]
async fn what_is_over_is_cleared_away_in_time() {
    let app = TestApp::new().await;
    app.verified(ADA).await;
    app.session(ADA, PASSWORD).await;
    app.anonymous().mutate("passwordForgot", "", json!({ "email": ADA })).await;
    let left = async || {
        let tokens = app.database.ask("SELECT count(*) FROM account_tokens").await;
        (tokens, app.database.ask("SELECT count(*) FROM sessions").await)
    };
    app.mails().await;
    let whole = left().await;
    assert_eq!(whole, ("2".to_owned(), "1".to_owned()));
    // From where somebody was logged in is known for longer.
    for (age, expected) in [("29 days", 0), ("31 days", 2), ("91 days", 1)] {
        let age = format!("now() - interval '{age}'");
        app.database
            .sql(&format!("UPDATE account_tokens SET expires_at = {age}; UPDATE sessions SET ended_at = {age}"))
            .await;
        assert_eq!(delete_expired(&app.database.db).await.expect("tidied"), expected, "{age}");
    }
    assert_eq!(left().await, ("0".to_owned(), "0".to_owned()));
}

#[tokio::test]
async fn nothing_that_was_sent_outlives_an_erased_user() {
    let app = TestApp::new().await;
    app.register(ADA).await;
    app.register("bob@souk.example").await;
    let ada = app.session(ADA, PASSWORD).await;
    let held = async || {
        let tables = ["account_tokens", "jobs"].map(|table| format!("(SELECT count(*) FROM {table})"));
        app.database.rows(&format!("SELECT {}", tables.join(", "))).await
    };
    assert_eq!(held().await, ["(2,2)"]);
    let erased = ada.mutate("userErase", "", json!({ "id": ada.global_id(), "password": PASSWORD })).await;
    assert_eq!(erased.verdict("userErase"), "done");
    assert_eq!(held().await, ["(1,1)"]);
    assert_eq!(app.headlines().await, ["bob@souk.example: Confirm your e-mail address at Souk"]);
}
