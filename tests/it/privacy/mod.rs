//! Privacy: the export of all data about a user, and erasure.

use serde_json::{Value, json};
use souk::{auth::Permission, ids::RowId};

use crate::support::{Actor, ProductSpec, TestApp};

const PASSWORD: &str = "four unusual words here";

/// Data that identifies the user of these tests. None of it is contained in the random email addresses of other users,
/// which end in hexadecimal digits.
const PERSONAL_DATA: [&str; 20] = [
    "Ada Lovelace",
    "Anne Isabella",
    "Analytical Engines",
    "+442079460999",
    "Bernoulli & Fils",
    "Difference engine",
    "lovelace@souk.example",
    "Marylebone",
    "St James Square",
    "SW1Y 4LB",
    "Analytical/1.0",
    "203.0.113.99",
    "Countess Lovelace",
    "Leave it at the gate",
    "Ring twice",
    "Ockham Park",
    "It tore on the stairs",
    "She wore it",
    "AAL-1815",
    "Weaves no algebra",
];

/// Creates a customer with every kind of data, logged in.
async fn customer_with_all_data(app: &TestApp) -> Actor<'_> {
    let input = json!({ "name": "Ada Lovelace", "email": "lovelace@souk.example", "password": PASSWORD });
    app.anonymous().mutate("register", "user { id }", input).await.at("register.user.id");
    let website = app.website("sailor").await;
    let product = app.product(website.id, ProductSpec { stock: 10, ..ProductSpec::default() }).await;
    let login = json!({ "email": "lovelace@souk.example", "password": PASSWORD });
    let login = app.anonymous().mutate("login", "accessToken user { id }", login).await;
    let (_, id) = souk::ids::decode(&login.text_at("login.user.id")).unwrap();
    let ada = app.with_token(login.text_at("login.accessToken"), souk::ids::UserId(id));
    let known = json!({ "userId": ada.global_id(), "websiteId": website.id.to_global_id(), "externalId": "AAL-1815" });
    app.manager().await.mutate("userIdentityAdd", "user { id }", known).await.at("userIdentityAdd.user.id");
    let address = json!({
        "recipientName": "Anne Isabella", "company": "Analytical Engines", "phone": "020 7946 0999", "countryCode": "GB", "city": "London", "district": "Marylebone", "address": "12 St James Square", "postalCode": "SW1Y 4LB",
    });
    ada.mutate("addressCreate", "address { id }", address).await.at("addressCreate.address.id");
    let order = ada.order(&[(product.id, 2)]).await;
    let update = "UPDATE orders SET contact_name = 'Countess Lovelace', customer_note = 'Leave it at the gate',
        billing_address = '{\"country\": \"FR\", \"company\": \"Bernoulli & Fils\"}'";
    app.database.sql(update).await;
    ship_and_return(app, &ada, &order).await;
    let review = json!({ "productId": product.id.to_global_id(), "rating": 2, "text": "Weaves no algebra." });
    assert_eq!(ada.mutate("reviewCreate", "", review).await.outcome("reviewCreate"), "done");
    let key = json!({ "name": "Difference engine", "permissions": [] });
    ada.mutate("apiKeyCreate", "apiKey { id }", key).await.at("apiKeyCreate.apiKey.id");
    app.database
        .sql("UPDATE sessions SET device = 'Analytical/1.0', address = '203.0.113.99' WHERE device IS NULL")
        .await;
    ada
}

/// Adds all data that an order can have: half of it is shipped and returned.
async fn ship_and_return(app: &TestApp, ada: &Actor<'_>, order: &str) {
    let manager = app.manager().await;
    let done = async |actor: &Actor<'_>, mutation: &str, fields: &str, input: Value| {
        let response = actor.mutate(mutation, fields, input).await;
        assert_eq!(response.outcome(mutation), "done", "{mutation}");
        response
    };
    done(ada, "orderNoteAdd", "", json!({ "orderId": order, "text": "Ring twice." })).await;
    done(&manager, "orderStatusUpdate", "", json!({ "id": order, "status": "CONFIRMED" })).await;
    let line = "order { details { id } }";
    let note = json!({ "orderId": order, "text": "She moved to Ockham Park.", "isInternal": true });
    let line = done(&manager, "orderNoteAdd", line, note).await.text_at("orderNoteAdd.order.details.0.id");
    let one = json!([{ "orderDetailId": line, "quantity": 1 }]);
    let ship = json!({ "orderId": order, "lines": one, "carrier": "Penny Post", "idempotencyKey": "1" });
    done(&manager, "shipmentCreate", "", ship).await;
    let one = json!([{ "orderDetailId": line, "quantity": 1, "reason": "It tore on the stairs" }]);
    let back =
        json!({ "orderId": order, "lines": one, "note": "It tore on the stairs, I fear.", "idempotencyKey": "1" });
    let back = done(ada, "returnCreate", "return { id }", back).await.text_at("returnCreate.return.id");
    done(&manager, "returnReject", "", json!({ "id": back, "reason": "She wore it." })).await;
    // So that no emails are left in the queue for the erasure.
    app.emails().await;
}

/// Returns each table and word where the database contains one of these words.
async fn locations_of(app: &TestApp, words: &[&str]) -> Vec<String> {
    let tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    let mut found = Vec::new();
    for table in app.database.rows(tables).await {
        let table = table.trim_matches(['(', ')']);
        let text = app.database.rows(&format!("SELECT r::text FROM {table} r")).await.join("\n");
        found.extend(words.iter().filter(|word| text.contains(**word)).map(|word| format!("{table}: {word}")));
    }
    found
}

async fn deliver_all(app: &TestApp) {
    app.database.sql("UPDATE orders SET status = 'delivered'").await;
}

#[tokio::test]
async fn user_export_contains_all_personal_data() {
    let app = TestApp::new().await;
    let ada = customer_with_all_data(&app).await;
    let response = ada.run("{ userExport }").await;
    let export = response.at("userExport");
    let text = export.to_string();
    // Internal notes of staff are not exported.
    for trace in PERSONAL_DATA {
        assert_eq!(text.contains(trace), trace != "Ockham Park", "{trace} in {export:#}");
    }
    assert_eq!(export["identities"][0]["externalId"], json!("AAL-1815"));
    assert_eq!(export["orders"][0]["shippingAddress"]["company"], json!("Analytical Engines"));
    assert_eq!(export["orders"][0]["billingAddress"]["countryCode"], json!("FR"));
    assert_eq!(export["orders"][0]["shipments"][0]["carrier"], json!("Penny Post"));
    assert_eq!(export["orders"][0]["shipments"][0]["lines"][0]["quantity"], json!(1));
    assert_eq!(export["orders"][0]["returns"][0]["status"], json!("REJECTED"));
    assert_eq!(export["orders"][0]["notes"][0]["text"], json!("Ring twice."));
    assert_eq!(export["orders"][0]["details"][0]["quantity"], json!(2));
    assert_eq!(export["orders"][0]["totalAmount"], json!("20.00"));
    assert_eq!(export["stockMovements"][0]["delta"], json!(-2));
    assert!(!text.contains("argon2"), "no password hash");
    // Staff export what they may see elsewhere, too; for others the user does not exist.
    let theirs = "query ($id: ID!) { userExport(id: $id) }";
    let id = json!({ "id": ada.global_id() });
    let seen = app.manager().await.run_with(theirs, id.clone()).await.at("userExport").clone();
    let mut own = export.clone();
    own["exportedAt"] = seen["exportedAt"].clone();
    for hidden in ["sessions", "apiKeys", "searches", "auditLog"] {
        assert!(own[hidden].take().is_array(), "{hidden}");
    }
    assert_eq!(seen, own);
    for other in [app.customer().await, app.seller().await, app.user_with(&[Permission::ManageOrders], &[]).await] {
        assert_eq!(other.run_with(theirs, id.clone()).await.at("userExport"), &Value::Null);
    }
    assert_eq!(app.anonymous().run_with(theirs, id).await.code(), "UNAUTHENTICATED");
    // An API key cannot export all data of its owner.
    let key = ada.mutate("apiKeyCreate", "secret", json!({ "name": "Till", "permissions": [] })).await;
    let key = app.with_key(key.text_at("apiKeyCreate.secret"), ada.id);
    assert_eq!(key.run("{ userExport }").await.code(), "FORBIDDEN");
}

#[tokio::test]
async fn erasure_leaves_only_anonymous_statistics() {
    let app = TestApp::new().await;
    let ada = customer_with_all_data(&app).await;
    assert!(!locations_of(&app, &PERSONAL_DATA).await.is_empty());
    let total = app.database.scalar("SELECT sum(total_amount) FROM orders").await;
    let input = |password: &str| json!({ "id": ada.global_id(), "password": password });
    let erase = async |actor: &Actor<'_>, input: Value| {
        let response = actor.mutate("userErase", "user { name email phone isActive addresses { id } }", input).await;
        (response.outcome("userErase"), response)
    };
    assert_eq!(erase(&ada, input("wrong password")).await.0, "INVALID_CREDENTIALS password");
    assert_eq!(erase(&ada, json!({ "id": ada.global_id() })).await.0, "INVALID_CREDENTIALS password");
    assert_eq!(erase(&ada, input(PASSWORD)).await.0, "IN_USE id", "the order is not yet delivered");
    deliver_all(&app).await;
    let (outcome, response) = erase(&ada, input(PASSWORD)).await;
    assert_eq!(outcome, "done");
    let nobody = json!({ "name": "Erased", "email": null, "phone": null, "isActive": false, "addresses": [] });
    assert_eq!(response.at("userErase.user"), &nobody);
    assert_eq!(locations_of(&app, &PERSONAL_DATA).await, Vec::<String>::new());
    let select = "SELECT count(*), count(message) FROM order_events WHERE kind = 'note'";
    assert_eq!(app.database.rows(select).await, ["(2,0)"], "the note's event is kept without its text");
    assert_eq!(app.database.scalar("SELECT sum(total_amount) FROM orders").await, total);
    assert_eq!(app.database.scalar("SELECT ship_country FROM orders").await, "GB");
    assert_eq!(app.database.scalar("SELECT billing_address FROM orders").await, "{\"country\": \"FR\"}");
    app.database.assert_invariants().await;
    // The token is invalid, the email address is free again, and the user cannot be erased twice.
    assert_eq!(ada.run("{ me { id } }").await.code(), "UNAUTHENTICATED");
    let login = json!({ "email": "lovelace@souk.example", "password": PASSWORD });
    assert_eq!(
        app.anonymous().mutate("login", "user { id }", login).await.outcome("login"),
        "INVALID_CREDENTIALS email"
    );
    let manager = app.manager().await;
    assert_eq!(erase(&manager, input("")).await.0, "NOT_FOUND id");
    let back = manager.mutate("userReactivate", "user { id }", json!({ "id": ada.global_id() })).await;
    assert_eq!(back.outcome("userReactivate"), "NOT_FOUND id");
    let again = json!({ "name": "Ada Lovelace", "email": "lovelace@souk.example", "password": PASSWORD });
    assert_eq!(app.anonymous().mutate("register", "user { id }", again).await.outcome("register"), "done");
    // The order still exists, without the customer's name.
    let orders = manager.run("{ orders { nodes { totalAmount { amount } user { name } } } }").await;
    assert_eq!(
        orders.at("orders.nodes"),
        &json!([{ "totalAmount": { "amount": "20.00" }, "user": { "name": "Erased" } }])
    );
}

#[tokio::test]
async fn erasing_a_user_requires_permission() {
    let app = TestApp::new().await;
    let (customer, manager, admin) = (app.customer().await, app.manager().await, app.admin().await);
    let before = app.database.contents().await;
    for (who, whom, expected) in [
        (&app.anonymous(), &customer, "!UNAUTHENTICATED"),
        (&customer, &manager, "NOT_FOUND id"),
        (&manager, &admin, "PERMISSION_NOT_HELD id"),
        (&admin, &admin, "PROTECTED id"),
    ] {
        let response = who.mutate("userErase", "user { id }", json!({ "id": whom.global_id() })).await;
        assert_eq!(response.outcome("userErase"), expected);
    }
    assert_eq!(app.database.contents().await, before);
    let response = manager.mutate("userErase", "user { name }", json!({ "id": customer.global_id() })).await;
    assert_eq!(response.text_at("userErase.user.name"), "Erased");
}
