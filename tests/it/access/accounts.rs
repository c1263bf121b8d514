//! Accounts: registering, logging in, and who may update whom.

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{ProductId, RowId, UserId, WebsiteId},
};

use crate::support::{Actor, TestApp, TestResponse};

const PASSWORD: &str = "correct horse";

async fn try_mutate(actor: &Actor<'_>, mutation: &str, input: Value) -> String {
    actor.mutate(mutation, "", input).await.outcome(mutation)
}

async fn login(app: &TestApp, email: &str, password: &str) -> TestResponse {
    let input = json!({ "email": email, "password": password });
    app.anonymous().mutate("login", "accessToken expiresAt user { id }", input).await
}

/// Registers a user and returns their id.
async fn register_user(app: &TestApp, email: &str) -> UserId {
    let input = json!({ "name": "Ada", "email": email, "password": PASSWORD });
    let response = app.anonymous().mutate("register", "user { id }", input).await;
    UserId::parse("id", &response.text_at("register.user.id")).expect("an id")
}

/// Logs in and returns the actor of the token.
async fn log_in_as<'a>(app: &'a TestApp, email: &str) -> Actor<'a> {
    let response = login(app, email, PASSWORD).await;
    let id = UserId::parse("id", &response.text_at("login.user.id")).expect("an id");
    app.with_token(response.text_at("login.accessToken"), id)
}

#[tokio::test]
async fn registered_user_is_a_customer_and_can_log_in() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id.to_global_id();
    let input = json!({ "name": " Ada Lovelace ", "email": "Ada@Souk.example", "password": PASSWORD,
        "phone": "+44 20 7946 0000", "sourceWebsiteId": website });
    let response = app.anonymous().mutate("register", "user { id name email phone isActive }", input).await;
    assert_eq!(response.outcome("register"), "done");
    assert_eq!(app.anonymous().run("{ me { id } }").await.json["data"], json!({ "me": null }));

    let ada = log_in_as(&app, "ada@souk.EXAMPLE").await;
    let me = ada.run("{ me { name email phone isActive role { code permissions } sourceWebsite { id } } }").await;
    let whole = json!({ "name": "Ada Lovelace", "email": "ada@souk.example", "phone": "+442079460000",
        "isActive": true, "role": { "code": "customer", "permissions": [] }, "sourceWebsite": { "id": website } });
    assert_eq!(*me.at("me"), whole);
    assert_eq!(response.text_at("register.user.name"), "Ada Lovelace");
    let hashes = app.database.rows("SELECT password_hash FROM users").await;
    assert!(hashes.len() == 1 && hashes[0].contains("$argon2id$") && !hashes[0].contains(PASSWORD), "{hashes:?}");
}

#[tokio::test]
async fn registration_works_when_customers_may_sell() {
    let app = TestApp::new().await;
    app.database
        .sql("INSERT INTO role_permissions SELECT id, 'SELL_PRODUCTS' FROM roles WHERE code = 'customer'")
        .await;
    register_user(&app, "ada@souk.example").await;
    let me = log_in_as(&app, "ada@souk.example").await.run("{ me { role { permissions } } }").await;
    assert_eq!(*me.at("me.role.permissions"), json!(["SELL_PRODUCTS"]));
}

#[tokio::test]
async fn rejected_registration_returns_errors_and_writes_nothing() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    let with = |field: &str, value: Value| {
        let mut input = json!({ "name": "Bob", "email": "bob@souk.example", "password": PASSWORD });
        input[field] = value;
        input
    };
    let before = app.database.contents().await;
    for (input, expected) in [
        (with("email", json!("ada@souk.example")), "TAKEN email"),
        (with("email", json!("ADA@SOUK.EXAMPLE")), "TAKEN email"),
        (with("email", json!("ａｄａ＠souk。example")), "TAKEN email"),
        (with("email", json!("bob")), "INVALID email"),
        (with("email", json!("a\0@souk.example")), "!BAD_USER_INPUT"),
        (with("email", Value::Null), "!BAD_USER_INPUT"),
        (with("password", json!("")), "INVALID password"),
        (with("password", json!("seven77")), "INVALID password"),
        (with("password", json!("a".repeat(20))), "WEAK_PASSWORD password"),
        (with("password", json!("bob@souk.example")), "WEAK_PASSWORD password"),
        (with("password", json!(format!("{PASSWORD}{}", "ö".repeat(116)))), "INVALID password"),
        (with("password", Value::Null), "!BAD_USER_INPUT"),
        (with("phone", json!("+++")), "INVALID phone"),
        (with("phone", json!("")), "INVALID phone"),
        (with("name", json!("Bo\u{202e}b")), "INVALID name"),
        (with("sourceWebsiteId", json!(WebsiteId(9).to_global_id())), "NOT_FOUND sourceWebsiteId"),
        (with("sourceWebsiteId", json!("9")), "INVALID sourceWebsiteId"),
        (with("role", json!("admin")), "!BAD_USER_INPUT"),
        (with("isActive", json!(true)), "!BAD_USER_INPUT"),
        (
            json!({ "name": "", "email": "x", "password": "x", "phone": "x" }),
            "REQUIRED name, INVALID email, INVALID phone, INVALID password",
        ),
    ] {
        assert_eq!(try_mutate(&app.anonymous(), "register", input.clone()).await, expected, "{input}");
    }
    assert_eq!(app.database.contents().await, before);
    let long = format!("{}@{}.example", "a".repeat(64), "b".repeat(63));
    for (email, password) in [
        (long.as_str(), format!("{PASSWORD}{}", "ö".repeat(115))),
        ("x@y", "kX9#mP2$".to_owned()),
        ("ä@ö.example", " ".repeat(9) + "whelk 7"),
    ] {
        let input = json!({ "name": "Bob", "email": email, "password": password });
        assert_eq!(try_mutate(&app.anonymous(), "register", input).await, "done", "{email}");
        assert_eq!(login(&app, email, &password).await.outcome("login"), "done", "{email}");
        // The whole password is hashed; nothing is cut off.
        let (last, _) = password.char_indices().last().unwrap();
        assert_eq!(
            login(&app, email, &password[..last]).await.outcome("login"),
            "INVALID_CREDENTIALS email",
            "{email}"
        );
    }
}

#[tokio::test]
async fn failed_logins_return_the_same_error() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    let removed = register_user(&app, "gone@souk.example").await;
    let admin = app.admin().await;
    assert_eq!(try_mutate(&admin, "userDeactivate", json!({ "id": removed.to_global_id() })).await, "done");
    let input = json!({ "name": "No Password", "email": "none@souk.example" });
    assert_eq!(try_mutate(&admin, "userCreate", input).await, "done");
    assert_eq!(login(&app, "ADA@souk.example", PASSWORD).await.outcome("login"), "done");

    let contents = async || {
        let mut contents = app.database.contents().await;
        contents.remove("(login_throttles").expect("the counted attempts");
        contents
    };
    let before = contents().await;
    let mut responses = Vec::new();
    let long = format!("{PASSWORD}{}", "x".repeat(1_000));
    for (email, password) in [
        ("ada@souk.example", "wrong horse"),
        ("ada@souk.example", "Correct horse"),
        ("ada@souk.example", "correct horse "),
        ("ada@souk.example", ""),
        ("nobody@souk.example", PASSWORD),
        ("gone@souk.example", PASSWORD),
        ("none@souk.example", ""),
        ("none@souk.example", PASSWORD),
        ("", ""),
        ("%", PASSWORD),
        ("аda@souk.example", PASSWORD),
        ("ada@souk.example x", PASSWORD),
        ("ada@souk.example", &long),
        ("ada@souk.exampl_", PASSWORD),
        ("' OR true --", PASSWORD),
    ] {
        responses.push(login(&app, email, password).await.at("login").clone());
    }
    let rejection = json!({ "accessToken": null, "expiresAt": null, "user": null, "userErrors": [{
        "code": "INVALID_CREDENTIALS", "message": "the email address or password is incorrect", "field": "email" }] });
    for response in responses {
        assert_eq!(response, rejection);
    }
    assert_eq!(contents().await, before);
}

#[tokio::test]
async fn login_grants_the_permissions_of_the_role() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for (role, count) in
        [("customer", 0), ("seller", 1), ("manager", Permission::ALL.len() - 3), ("admin", Permission::ALL.len())]
    {
        let email = format!("{role}@souk.example");
        let input = json!({ "name": "Ada", "email": email, "password": PASSWORD, "role": role });
        assert_eq!(try_mutate(&admin, "userCreate", input).await, "done");
        let me = log_in_as(&app, &email).await.run("{ me { role { code permissions } } }").await;
        assert_eq!(me.text_at("me.role.code"), role);
        assert_eq!(me.at("me.role.permissions").as_array().map(Vec::len), Some(count), "{role}");
        // The token carries the role's permissions.
        let input =
            json!({ "code": format!("new-{role}"), "name": "n", "baseUrl": "https://new.example", "currency": "EUR" });
        let said = try_mutate(&log_in_as(&app, &email).await, "websiteCreate", input).await;
        assert_eq!(said, if role == "admin" { "done" } else { "!FORBIDDEN" }, "{role}");
    }
}

#[tokio::test]
async fn user_cannot_grant_a_role_above_their_own() {
    let app = TestApp::new().await;
    let roles = ["customer", "seller", "manager", "admin"];
    let (customer, seller) = (app.customer().await, app.seller().await);
    let (manager, admin, anonymous) = (app.manager().await, app.admin().await, app.anonymous());
    let make = async |actor: &Actor<'_>, role: Option<&str>| {
        let email = format!("{}@souk.example", uuid::Uuid::new_v4().simple());
        let input = json!({ "name": "Bob", "email": email, "role": role });
        let response = actor.mutate("userCreate", "user { role { code } }", input).await;
        let said = response.outcome("userCreate");
        if said == "done" {
            assert_eq!(response.text_at("userCreate.user.role.code"), role.unwrap_or("customer").trim());
        }
        said
    };
    let before = app.database.contents().await;
    for role in roles {
        assert_eq!(make(&anonymous, Some(role)).await, "!UNAUTHENTICATED");
        assert_eq!(make(&customer, Some(role)).await, "!FORBIDDEN");
        assert_eq!(make(&seller, Some(role)).await, "!FORBIDDEN");
    }
    assert_eq!(make(&manager, Some("admin")).await, "PERMISSION_NOT_HELD role");
    for role in ["", "owner", "Admin", "admin x"] {
        assert_eq!(make(&admin, Some(role)).await, "NOT_FOUND role", "{role:?}");
    }
    assert_eq!(app.database.contents().await, before);
    for role in [None, Some("customer"), Some("seller"), Some("manager")] {
        assert_eq!(make(&manager, role).await, "done");
    }
    assert_eq!(make(&admin, Some("admin")).await, "done");
}

#[tokio::test]
async fn users_update_themselves_and_staff_update_users_with_no_more_permissions() {
    let app = TestApp::new().await;
    let (customer, neighbour, seller) = (app.customer().await, app.customer().await, app.seller().await);
    let (manager, colleague, admin, anonymous) =
        (app.manager().await, app.manager().await, app.admin().await, app.anonymous());
    // Another admin, because the last one cannot be deactivated.
    app.admin().await;
    let everybody = [("customer", &customer), ("seller", &seller), ("colleague", &colleague), ("admin", &admin)];
    // The actor, and the outcome of updating or deactivating each of the four users.
    let cases: [(&str, &Actor, [&str; 4]); 6] = [
        ("anonymous", &anonymous, ["!UNAUTHENTICATED"; 4]),
        ("neighbour", &neighbour, ["NOT_FOUND id"; 4]),
        ("seller", &seller, ["NOT_FOUND id", "done", "NOT_FOUND id", "NOT_FOUND id"]),
        ("customer", &customer, ["done", "NOT_FOUND id", "NOT_FOUND id", "NOT_FOUND id"]),
        ("manager", &manager, ["done", "done", "done", "PERMISSION_NOT_HELD id"]),
        ("admin", &admin, ["done"; 4]),
    ];
    for (who, actor, expected) in cases {
        for ((whom, target), expected) in everybody.iter().zip(expected) {
            let id = target.global_id();
            // Users who deactivated themselves are logged out, so each attempt is a new login.
            let actor = &actor.log_in_again().await;
            let before = app.database.contents().await;
            let name = format!("{whom} by {who}");
            let change = json!({ "id": id, "name": name, "phone": "+44 20 7946 0000" });
            assert_eq!(try_mutate(actor, "userUpdate", change).await, expected, "{name}");
            assert_eq!(try_mutate(actor, "userDeactivate", json!({ "id": id })).await, expected, "{name}");
            if expected == "done" {
                let seen = admin
                    .log_in_again()
                    .await
                    .run_with("query ($id: ID!) { user(id: $id) { name phone isActive } }", json!({ "id": id }))
                    .await;
                assert_eq!(*seen.at("user"), json!({ "name": name, "phone": "+442079460000", "isActive": false }));
                app.database.sql("UPDATE users SET is_active = true").await;
            } else {
                assert_eq!(app.database.contents().await, before, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn rejected_user_update_returns_errors_and_writes_nothing() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    register_user(&app, "bob@souk.example").await;
    let (ada, manager) = (log_in_as(&app, "ada@souk.example").await, app.manager().await);
    let before = app.database.contents().await;
    for (actor, change, expected) in [
        (&ada, json!({ "name": " " }), "REQUIRED name"),
        (&ada, json!({ "name": null }), "REQUIRED name"),
        (&ada, json!({ "phone": "x" }), "INVALID phone"),
        (&ada, json!({ "email": "new@souk.example" }), "PERMISSION_NOT_HELD email"),
        (&ada, json!({ "email": null }), "REQUIRED email"),
        (&ada, json!({ "role": "admin" }), "!BAD_USER_INPUT"),
        (&ada, json!({ "isActive": false }), "!BAD_USER_INPUT"),
        (&ada, json!({ "password": PASSWORD }), "!BAD_USER_INPUT"),
        (&manager, json!({ "email": "BOB@souk.example" }), "TAKEN email"),
        (&manager, json!({ "email": "x" }), "INVALID email"),
        (&manager, json!({ "id": UserId(999).to_global_id(), "name": "x" }), "NOT_FOUND id"),
        (&manager, json!({ "id": ProductId(1).to_global_id(), "name": "x" }), "INVALID id"),
        (&ada, json!({ "id": UserId(999).to_global_id(), "name": "x" }), "NOT_FOUND id"),
    ] {
        let mut input = json!({ "id": ada.global_id() });
        input.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
        assert_eq!(try_mutate(actor, "userUpdate", input.clone()).await, expected, "{input}");
    }
    assert_eq!(app.database.contents().await, before);

    let change = json!({ "id": ada.global_id(), "phone": "+44 20 7946 0000" });
    assert_eq!(try_mutate(&ada, "userUpdate", change).await, "done");
    let change = json!({ "id": ada.global_id(), "email": "Countess@souk.example", "phone": null });
    let changed = manager.mutate("userUpdate", "user { name email phone }", change).await;
    assert_eq!(
        *changed.at("userUpdate.user"),
        json!({ "name": "Ada", "email": "countess@souk.example", "phone": null })
    );
    assert_eq!(login(&app, "ada@souk.example", PASSWORD).await.outcome("login"), "INVALID_CREDENTIALS email");
    assert_eq!(login(&app, "countess@souk.example", PASSWORD).await.outcome("login"), "done");
}

#[tokio::test]
async fn deactivated_user_cannot_log_in_and_their_email_stays_taken() {
    let app = TestApp::new().await;
    register_user(&app, "ada@souk.example").await;
    let ada = log_in_as(&app, "ada@souk.example").await;
    let removed = ada.mutate("userDeactivate", "user { isActive }", json!({ "id": ada.global_id() })).await;
    assert_eq!(*removed.at("userDeactivate.user.isActive"), false);
    assert_eq!(login(&app, "ada@souk.example", PASSWORD).await.outcome("login"), "INVALID_CREDENTIALS email");
    let again = json!({ "name": "Ada", "email": "ada@souk.example", "password": PASSWORD });
    assert_eq!(try_mutate(&app.anonymous(), "register", again).await, "TAKEN email");
}

#[tokio::test]
async fn login_attempts_with_malformed_addresses_are_counted_each_for_itself() {
    let app = TestApp::new().await;
    let anonymous = app.anonymous();
    let login = async |email: &str| {
        let document = "mutation ($input: LoginInput!) { login(input: $input) { userErrors { code field } } }";
        let request = anonymous.request().header("x-forwarded-for", "192.0.2.1");
        let input = json!({ "input": { "email": email, "password": "wrong one" } });
        anonymous.run_request(request, document, input).await.outcome("login")
    };
    for typed in ["ada", "ada@", "ada souk.example", "@souk.example", "ada@souk..example", "ada,@souk.example"] {
        for _ in 0..5 {
            assert_eq!(login(typed).await, "INVALID_CREDENTIALS email", "{typed}");
        }
    }
    app.database.sql("UPDATE login_throttles SET blocked_until = now() + interval '10 min' WHERE attempts = 5").await;
    assert_eq!(login("ada").await, "!RATE_LIMITED");
    assert_eq!(login(" ADA\u{a0}").await, "!RATE_LIMITED");
    assert_eq!(login("eve@").await, "INVALID_CREDENTIALS email");
}
