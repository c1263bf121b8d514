//! Lookup of a guest's order by its number and email address: who finds what, and the limits of failed lookups.

use serde_json::{Value, json};
use souk::ids::{RowId, WebsiteId};

use crate::support::{Actor, ProductSpec, TestApp, TestResponse, fixtures::TestCart};

/// The contact of every order that a test places.
const EMAIL: &str = "ada@souk.example";
const HERE: &str = "192.0.2.1";
const ELSEWHERE: &str = "192.0.2.2";

/// An order that a guest placed.
struct GuestOrder<'a> {
    id: String,
    number: String,
    guest: Actor<'a>,
}

/// Places an order as a guest with a cart of their own.
async fn guest_order(app: &TestApp) -> GuestOrder<'_> {
    let website = app.website("sailor").await.id;
    let rope = app.product(website, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
    let cart: TestCart = app.anonymous().create_cart(&[(rope, 2)]).await;
    let guest = app.anonymous().with_cart(cart.token.clone());
    let placed = guest.checkout(&cart, "k").await;
    let (id, number) = (placed.text_at("checkout.orders.0.id"), placed.text_at("checkout.orders.0.orderNumber"));
    GuestOrder { id, number, guest }
}

/// Looks an order up from this address, as forwarded by the shop's proxy.
async fn look_up(actor: &Actor<'_>, from: &str, variables: Value) -> TestResponse {
    let document = "query ($id: ID, $number: String, $email: String, $website: String) {
        order(id: $id, orderNumber: $number, email: $email, website: $website) { id } }";
    actor.run_request(actor.request().header("x-forwarded-for", from), document, variables).await
}

/// Returns `found`, `null` or the error code of a lookup by an anonymous viewer.
async fn outcome(app: &TestApp, from: &str, number: &str, email: &str) -> String {
    let response = look_up(&app.anonymous(), from, json!({ "number": number, "email": email })).await;
    match &response.json["data"]["order"] {
        Value::Object(_) => "found".to_owned(),
        _ if response.json["errors"].is_null() => "null".to_owned(),
        _ => response.code().to_owned(),
    }
}

/// Moves all failed lookups and blocks this much into the past.
async fn pass(app: &TestApp, time: &str) {
    let sql = "UPDATE login_throttles SET updated_at = updated_at - interval '<t>', blocked_until = blocked_until - interval '<t>'";
    app.database.sql(&sql.replace("<t>", time)).await;
}

#[tokio::test]
async fn guest_finds_their_order_by_number_and_email_and_sees_all_of_it() {
    let app = TestApp::new().await;
    let order = guest_order(&app).await;
    assert_eq!(order.guest.try_pay(&order.id, "4111111111111111", "p").await.outcome("paymentCreate"), "done");
    let manager = app.manager().await;
    for is_internal in [true, false] {
        let note = json!({ "orderId": order.id, "text": "Fragile", "isInternal": is_internal });
        assert_eq!(manager.mutate("orderNoteAdd", "", note).await.outcome("orderNoteAdd"), "done");
    }
    let fields = "{ id orderNumber status paymentStatus totalAmount { amount } user { id } contact { name email }
        shippingAddress { city address } details { name quantity product { id } } payments { status amount { amount } }
        events { kind message isInternal by { id } } shipments { id } returns { id } source { externalId } }";
    let with_token = format!("query ($id: ID!) {{ order(id: $id) {fields} }}");
    let with_token = order.guest.run_with(&with_token, json!({ "id": order.id })).await;
    let expected = with_token.at("order");
    assert_eq!(expected["payments"].as_array().expect("a list").len(), 1);
    let (number, lower) = (order.number.as_str(), order.number.to_lowercase());
    let document = format!(
        "query ($number: String, $email: String, $website: String) {{
            order(orderNumber: $number, email: $email, website: $website) {fields} }}"
    );
    let spaced = format!(" {number} ");
    for (number, email, website) in
        [(number, EMAIL, None), (lower.as_str(), " ADA@Souk.Example\n", None), (spaced.as_str(), EMAIL, Some("sailor"))]
    {
        let variables = json!({ "number": number, "email": email, "website": website });
        let found = app.anonymous().run_with(&document, variables).await;
        assert_eq!(found.at("order"), expected, "{number:?} {email:?}");
    }
    // Finding it gives no right to change it, and its ID gives no access.
    let anonymous = app.anonymous();
    let cancel = anonymous.mutate("orderCancel", "", json!({ "id": order.id })).await;
    assert_eq!(cancel.outcome("orderCancel"), "!UNAUTHENTICATED");
    assert_eq!(look_up(&anonymous, HERE, json!({ "id": order.id })).await.at("order"), &Value::Null);
}

#[tokio::test]
async fn failed_lookups_are_alike_and_orders_of_users_are_not_found() {
    let app = TestApp::new().await;
    let order = guest_order(&app).await;
    let rope = app.product(WebsiteId(1), ProductSpec { stock: 9, ..ProductSpec::default() }).await.id;
    let customer = app.customer().await;
    let placed = customer.try_order(&[(rope, 1)], "k").await;
    let (id, number) = (placed.text_at("orderCreate.order.id"), placed.text_at("orderCreate.order.orderNumber"));
    app.database.sql(&format!("UPDATE orders SET contact_email = '{EMAIL}'")).await;
    let mut seen = Vec::new();
    let long = "9".repeat(5000);
    for (number, email) in [
        ("SAILOR-999999", EMAIL),
        (order.number.as_str(), "eve@souk.example"),
        (order.number.as_str(), "nothing"),
        (order.number.as_str(), ""),
        ("", EMAIL),
        (long.as_str(), long.as_str()),
        (number.as_str(), EMAIL),
    ] {
        let response = look_up(&app.anonymous(), HERE, json!({ "number": number, "email": email })).await;
        assert_eq!(response.at("order"), &Value::Null, "{number:?} {email:?}");
        seen.push(response.observable_output());
    }
    assert!(seen.iter().all(|other| *other == seen[0]), "{seen:#?}");
    // The order is not found by a seller of its lines, who could otherwise try email addresses of the customer.
    let seller = app.seller().await;
    app.database.sql(&format!("UPDATE order_details SET seller_id = {}", seller.id.0)).await;
    let sold = json!({ "id": id });
    assert!(seller.run_with("query ($id: ID!) { order(id: $id) { id } }", sold).await.at("order").is_object());
    assert_eq!(customer.try_pay(&id, "4111111111111111", "p").await.outcome("paymentCreate"), "done");
    let document =
        "query ($number: String, $email: String) { order(orderNumber: $number, email: $email) { payments { id } } }";
    let found = customer.run_with(document, json!({ "number": number, "email": EMAIL })).await;
    assert_eq!(found.at("order.payments").as_array().expect("a list").len(), 1);
    let found = seller.run_with(document, json!({ "number": number, "email": EMAIL })).await;
    assert_eq!(found.at("order"), &Value::Null);
    // The customer and staff find what they may see anyway; another customer does not.
    for (actor, expected) in
        [(&customer, json!(id)), (&app.manager().await, json!(id)), (&app.customer().await, Value::Null)]
    {
        let found = look_up(actor, ELSEWHERE, json!({ "number": number, "email": EMAIL })).await;
        assert_eq!(found.at("order").get("id").cloned().unwrap_or_default(), expected);
    }
}

#[tokio::test]
async fn order_is_looked_up_in_exactly_one_way() {
    let app = TestApp::new().await;
    let order = guest_order(&app).await;
    for variables in [
        json!({}),
        json!({ "number": order.number }),
        json!({ "email": EMAIL }),
        json!({ "website": "sailor" }),
        json!({ "id": order.id, "website": "sailor" }),
        json!({ "id": order.id, "number": order.number, "email": EMAIL }),
    ] {
        let response = look_up(&order.guest, HERE, variables.clone()).await;
        assert_eq!(response.code(), "BAD_USER_INPUT", "{variables}");
    }
}

#[tokio::test]
async fn number_that_several_websites_have_is_told_apart_by_the_website() {
    let app = TestApp::new().await;
    let (sailor, rise) = (app.website("sailor").await, app.website("rise").await);
    let insert = format!(
        "INSERT INTO orders (source_website_id, order_number, contact_email, status, placed_at) VALUES
            ({}, 'A-1', 'Ada@Souk.example', 'delivered', '2026-01-01'), ({}, 'A-1', '{EMAIL}', 'delivered', '2026-02-01')",
        sailor.id.0, rise.id.0
    );
    app.database.sql(&insert).await;
    let document = "query ($website: String) {
        order(orderNumber: \"A-1\", email: \"ada@souk.example\", website: $website) { sourceWebsite { code } } }";
    for (website, expected) in [
        (None, "rise"),
        (Some("sailor".to_owned()), "sailor"),
        (Some(sailor.id.to_global_id()), "sailor"),
        (Some(rise.id.to_global_id()), "rise"),
    ] {
        let found = app.anonymous().run_with(document, json!({ "website": website })).await;
        assert_eq!(found.text_at("order.sourceWebsite.code"), expected, "{website:?}");
    }
    for website in ["nothing".to_owned(), WebsiteId(999).to_global_id()] {
        let found = app.anonymous().run_with(document, json!({ "website": website })).await;
        assert_eq!(found.at("order"), &Value::Null, "{website}");
    }
}

#[tokio::test]
async fn ten_failed_lookups_block_the_client_for_a_quarter_of_an_hour() {
    let app = TestApp::new().await;
    let order = guest_order(&app).await;
    for index in 0..10 {
        assert_eq!(outcome(&app, HERE, &format!("SAILOR-{index}"), EMAIL).await, "null");
    }
    let blocked = look_up(&app.anonymous(), HERE, json!({ "number": order.number, "email": EMAIL })).await;
    assert_eq!(blocked.code(), "RATE_LIMITED");
    let wait = blocked.json["errors"][0]["extensions"]["retryAfter"].as_u64();
    assert!(wait.is_some_and(|seconds| (890..=901).contains(&seconds)), "{wait:?}");
    assert_eq!(outcome(&app, ELSEWHERE, &order.number, EMAIL).await, "found", "other clients are not affected");
    let with_token = look_up(&order.guest, HERE, json!({ "id": order.id })).await;
    assert_eq!(with_token.at("order.id"), &json!(order.id), "the guest's token is not affected");
    // A blocked lookup is not counted, so it does not extend the block.
    assert_eq!(app.database.scalar("SELECT max(attempts) FROM login_throttles").await, "10");
    pass(&app, "14 min").await;
    assert_eq!(outcome(&app, HERE, &order.number, EMAIL).await, "RATE_LIMITED");
    pass(&app, "2 min").await;
    for index in 0..10 {
        assert_eq!(outcome(&app, HERE, &format!("RISE-{index}"), EMAIL).await, "null", "{index}");
    }
    assert_eq!(outcome(&app, HERE, &order.number, EMAIL).await, "RATE_LIMITED");
}

#[tokio::test]
async fn ten_failed_lookups_of_a_number_block_it_for_all_clients() {
    let app = TestApp::new().await;
    let order = guest_order(&app).await;
    let forms = [order.number.clone(), order.number.to_lowercase(), format!(" {} ", order.number)];
    for index in 0..10 {
        let (from, email) = (format!("198.51.100.{index}"), format!("eve-{index}@souk.example"));
        assert_eq!(outcome(&app, &from, &forms[index % 3], &email).await, "null");
    }
    assert_eq!(outcome(&app, HERE, &order.number, EMAIL).await, "RATE_LIMITED");
    assert_eq!(outcome(&app, HERE, "SAILOR-1", EMAIL).await, "null", "other numbers are not affected");
    // All servers share the counters.
    assert_eq!(outcome(&app.second_server().await, HERE, &order.number, EMAIL).await, "RATE_LIMITED");
    pass(&app, "16 min").await;
    assert_eq!(outcome(&app, HERE, &order.number, EMAIL).await, "found");
}

#[tokio::test]
async fn successful_lookups_do_not_count() {
    let app = TestApp::new().await;
    let order = guest_order(&app).await;
    for _ in 0..30 {
        assert_eq!(outcome(&app, HERE, &order.number, EMAIL).await, "found");
    }
    assert_eq!(app.database.scalar("SELECT max(attempts) FROM login_throttles").await, "0");
    for index in 0..9 {
        assert_eq!(outcome(&app, HERE, &format!("SAILOR-{index}"), EMAIL).await, "null");
    }
    assert_eq!(outcome(&app, HERE, &order.number, EMAIL).await, "found");
    assert_eq!(outcome(&app, HERE, "SAILOR-9", EMAIL).await, "null", "the tenth failure");
    assert_eq!(outcome(&app, HERE, &order.number, EMAIL).await, "RATE_LIMITED");
}

#[tokio::test]
async fn each_lookup_in_a_document_counts() {
    let app = TestApp::new().await;
    let order = guest_order(&app).await;
    let aliases: Vec<_> =
        (0..15).map(|i| format!("a{i}: order(orderNumber: \"SAILOR-{i}\", email: {EMAIL:?}) {{ id }}")).collect();
    let document = format!("{{ {} }}", aliases.join(" "));
    let anonymous = app.anonymous();
    let response =
        anonymous.run_request(anonymous.request().header("x-forwarded-for", HERE), &document, json!({})).await;
    let errors = response.json["errors"].as_array().expect("errors");
    assert_eq!(errors.len(), 5, "{:#}", response.json);
    assert!(errors.iter().all(|error| error["extensions"]["code"] == "RATE_LIMITED"), "{:#}", response.json);
    assert_eq!(outcome(&app, HERE, &order.number, EMAIL).await, "RATE_LIMITED");
}
