//! Anybody can register with the email address of another person. What the shop knows about the owner of the address must not
//! become theirs: imported data is kept apart until the owner confirms the address.

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{RowId, WebsiteId},
};

use crate::{
    support::{Actor, ProductSpec, TestApp, accounts::PASSWORD},
    transfers::mutations::run_import,
};

const BOB: &str = "bob@souk.example";
const ME: &str = "{ me { id name phone addresses { address isDefault } identities { externalId }
    orders { nodes { orderNumber } } } }";

const CUSTOMERS: &str = "external_id,email,name,phone,addresses\n\
    B-7,bob@souk.example,Bob Secret,+442079460999,\
    \"[{\"\"country\"\":\"\"GB\"\",\"\"city\"\":\"\"London\"\",\"\"address\"\":\"\"1 Secret St\"\",\"\"is_default\"\":true}]\"\n";

/// Imports Bob, an order of his, and one with his email address only; checks the number of created and unchanged rows.
async fn import_bob(admin: &Actor<'_>, website: WebsiteId, expected: [u64; 2]) {
    let order = |number: &str, customer: &str| {
        format!(
            "{{\"number\":\"{number}\",\"status\":\"delivered\",{customer},\"placed_at\":\"2020-12-01T08:26:00Z\",\
             \"ship_address\":\"1 Secret St\",\"ship_country\":\"GB\",\
             \"lines\":[{{\"sku\":\"R\",\"name\":\"Rope\",\"quantity\":2,\"unit_price\":\"1.50\"}}]}}\n"
        )
    };
    let orders = order("B-1", "\"customer_id\":\"B-7\"") + &order("B-2", "\"customer_email\":\"bob@souk.example\"");
    let customers = run_import(admin, website, CUSTOMERS, json!({ "resource": "CUSTOMERS" })).await;
    let orders = run_import(admin, website, &orders, json!({ "resource": "ORDERS", "format": "SOUK_JSONL" })).await;
    let sum = |field: &str| customers[field].as_u64().unwrap() + orders[field].as_u64().unwrap();
    assert_eq!([sum("created"), sum("unchanged")], expected, "{customers:#} {orders:#}");
}

/// Checks that a user sees nothing of Bob's.
async fn assert_empty(actor: &Actor<'_>) {
    let me = actor.run(ME).await;
    let text = me.at("me").to_string();
    for trace in ["Secret", "999", "B-"] {
        assert!(!text.contains(trace), "{text}");
    }
    assert_eq!(me.at("me.orders.nodes"), &json!([]));
}

/// Checks that a user sees everything of Bob's.
async fn assert_complete(actor: &Actor<'_>) {
    let me = actor.run(ME).await;
    let numbers: Vec<_> =
        me.at("me.orders.nodes").as_array().unwrap().iter().map(|o| o["orderNumber"].clone()).collect();
    assert!(numbers.len() == 2 && numbers.contains(&json!("B-1")) && numbers.contains(&json!("B-2")), "{numbers:?}");
    assert_eq!(me.at("me.addresses"), &json!([{ "address": "1 Secret St", "isDefault": true }]));
    assert_eq!((me.at("me.phone"), me.at("me.name")), (&json!("+442079460999"), &json!("Ada")));
    assert_eq!(me.at("me.identities"), &json!([{ "externalId": "B-7" }]));
}

async fn shop(app: &TestApp) -> (WebsiteId, Actor<'_>) {
    let website = app.website("sailor").await.id;
    app.product(website, ProductSpec { sku: Some("R".into()), ..ProductSpec::default() }).await;
    (website, app.admin().await)
}

/// Returns the token of the last email to an address.
async fn token_for(app: &TestApp, to: &str) -> String {
    let emails = app.emails().await;
    emails.iter().rev().find(|email| email.to == [to]).expect("an email").token()
}

#[tokio::test]
async fn stranger_with_an_unconfirmed_address_gets_nothing_of_its_owner() {
    let app = TestApp::new().await;
    let (website, admin) = shop(&app).await;
    app.register(BOB).await;
    let stranger = app.log_in_with_password(BOB, PASSWORD).await;
    let key = stranger.mutate("apiKeyCreate", "secret", json!({ "name": "Trap", "permissions": [] })).await;
    let key = app.with_key(key.text_at("apiKeyCreate.secret"), stranger.id);
    let away = json!({ "email": "stranger@souk.example", "password": PASSWORD });
    assert_eq!(stranger.try_mutate("emailChange", away).await, "done");
    let away = token_for(&app, "stranger@souk.example").await;
    import_bob(&admin, website, [3, 0]).await;
    import_bob(&admin, website, [0, 3]).await;
    assert_empty(&stranger).await;
    // An identity that staff record does not help either.
    let twin = json!({ "userId": stranger.global_id(), "websiteId": website.to_global_id(), "externalId": "B-8" });
    assert_eq!(admin.try_mutate("userIdentityAdd", twin.clone()).await, "done");
    let more = json!({ "resource": "CUSTOMERS" });
    let rejected = run_import(&admin, website, &CUSTOMERS.replace("B-7", "B-8"), more).await;
    assert_eq!((&rejected["rejected"], &rejected["errors"][0]["column"]), (&json!(1), &json!("external_id")));
    let twin = json!({ "userId": stranger.global_id(), "websiteId": website.to_global_id() });
    assert_eq!(admin.try_mutate("userIdentityRemove", twin).await, "done");
    // Staff see the customer with the address.
    let found = format!("{{ users(where: {{email: {{eq: {BOB:?}}}}}) {{ nodes {{ name email }} }} }}");
    let found = admin.run(&found).await;
    assert_eq!(found.at("users.nodes.0"), &json!({ "name": "Bob Secret", "email": BOB }));
    // Bob resets the password, and gets what is his. What the stranger prepared ends.
    app.anonymous().mutate("passwordForgot", "", json!({ "email": BOB })).await;
    let token = token_for(&app, BOB).await;
    let reset = json!({ "token": token, "password": "other unusual words now" });
    let reset = app.anonymous().mutate("passwordReset", "user { phone sourceWebsite { code } }", reset).await;
    assert_eq!(
        reset.at("passwordReset.user"),
        &json!({ "phone": "+442079460999", "sourceWebsite": { "code": "sailor" } })
    );
    let bob = app.log_in_with_password(BOB, "other unusual words now").await;
    assert_complete(&bob).await;
    assert!(!stranger.has_valid_session().await);
    assert_eq!(key.run("{ me { id } }").await.code(), "UNAUTHENTICATED");
    assert_eq!(app.use_token("emailChangeConfirm", &away).await.outcome("emailChangeConfirm"), "INVALID_TOKEN token");
    assert_eq!(app.database.scalar("SELECT count(*) FROM users WHERE name = 'Bob Secret'").await, "0");
    // The orders are known, and the account gets the name in the file.
    import_bob(&admin, website, [0, 2]).await;
}

#[tokio::test]
async fn owner_who_confirms_the_address_takes_the_imported_data_over() {
    for way in ["emailVerify", "emailChangeConfirm"] {
        let app = TestApp::new().await;
        let (website, _) = shop(&app).await;
        let clerk = app.user_with(&[Permission::ManageUsers, Permission::ManageOrders], &[website]).await;
        let account = match way {
            "emailVerify" => {
                app.register(BOB).await;
                app.log_in_with_password(BOB, PASSWORD).await
            }
            _ => {
                app.register_verified("old@souk.example").await;
                let account = app.log_in_with_password("old@souk.example", PASSWORD).await;
                let change = json!({ "email": BOB, "password": PASSWORD });
                assert_eq!(account.try_mutate("emailChange", change).await, "done");
                account
            }
        };
        let token = token_for(&app, BOB).await;
        import_bob(&clerk, website, [3, 0]).await;
        assert_empty(&account).await;
        assert_eq!(app.use_token(way, &token).await.outcome(way), "done", "{way}");
        assert_complete(&account).await;
        // The orders are known, and the account gets the name in the file.
        import_bob(&clerk, website, [0, 2]).await;
    }
}

#[tokio::test]
async fn address_that_staff_enter_is_not_confirmed() {
    let app = TestApp::new().await;
    let (website, admin) = shop(&app).await;
    let created = json!({ "name": "Ada", "email": BOB, "password": PASSWORD });
    assert_eq!(admin.try_mutate("userCreate", created).await, "done");
    import_bob(&admin, website, [3, 0]).await;
    assert_empty(&app.log_in_with_password(BOB, PASSWORD).await).await;
    let app = TestApp::new().await;
    let (website, admin) = shop(&app).await;
    let eve = app.register_verified("eve@souk.example").await;
    let change = json!({ "id": eve.to_global_id(), "email": BOB });
    assert_eq!(admin.try_mutate("userUpdate", change).await, "done");
    import_bob(&admin, website, [3, 0]).await;
    assert_empty(&app.log_in_with_password(BOB, PASSWORD).await).await;
    // An invited user of another website cannot collect what is imported for this one.
    let app = TestApp::new().await;
    let (website, admin) = shop(&app).await;
    let other = app.website("rise").await.id;
    let invited = json!({ "name": "Ada", "email": BOB, "sourceWebsiteId": other.to_global_id() });
    let invited = admin.mutate("userCreate", "user { id }", invited).await.text_at("userCreate.user.id");
    import_bob(&admin, website, [3, 0]).await;
    let seen =
        admin.run(&format!("{{ user(id: {invited:?}) {{ addresses {{ id }} orders {{ nodes {{ id }} }} }} }}")).await;
    assert_eq!(seen.at("user"), &json!({ "addresses": [], "orders": { "nodes": [] } }));
}

#[tokio::test]
async fn imported_customer_without_an_account_can_choose_a_password() {
    let app = TestApp::new().await;
    let (website, _) = shop(&app).await;
    let clerk = app.user_with(&[Permission::ManageUsers, Permission::ManageOrders], &[website]).await;
    import_bob(&clerk, website, [3, 0]).await;
    app.anonymous().mutate("passwordForgot", "", json!({ "email": BOB })).await;
    let token = token_for(&app, BOB).await;
    let reset = json!({ "token": token, "password": "other unusual words now" });
    assert_eq!(app.anonymous().try_mutate("passwordReset", reset).await, "done");
    let bob = app.log_in_with_password(BOB, "other unusual words now").await;
    let me = bob.run(ME).await;
    assert_eq!((me.at("me.name"), me.at("me.phone")), (&json!("Bob Secret"), &json!("+442079460999")));
    assert_eq!(me.at("me.orders.nodes").as_array().map(Vec::len), Some(2));
    assert_ne!(me.at("me.addresses"), &Value::Array(Vec::new()));
}
