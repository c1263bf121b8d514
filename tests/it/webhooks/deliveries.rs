//! What is delivered: payloads, signatures, and what a subscription leaves out.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use souk::{auth::Permission, ids::RowId};

use super::{
    SECRET, create, deliver, deliveries, main_website,
    receiver::{Received, Receiver},
    set_stock, shop, states, subscribe, touch,
};
use crate::{
    access::api_keys::{api_key_actor, key_input},
    support::ProductSpec,
};

/// Returns the signatures of a request that are made with a secret.
fn valid_signatures(request: &Received, secret: &str) -> usize {
    let header = request.header("souk-signature");
    let (time, signatures) = header.strip_prefix("t=").and_then(|rest| rest.split_once(',')).expect("a signature");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(format!("{time}.{}", request.body).as_bytes());
    let expected = format!("v1={}", hex::encode(mac.finalize().into_bytes()));
    signatures.split(',').filter(|signature| **signature == expected).count()
}

#[tokio::test]
async fn an_order_is_delivered_with_a_signature() {
    let (app, _) = shop().await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let id = subscribe(&admin, &receiver, &["ORDER_PLACED", "ORDER_STATUS_CHANGED"], json!({})).await;
    let product = app.database.scalar("SELECT id FROM products").await.parse().expect("an ID");
    let order = app.customer().await.order(&[(souk::ids::ProductId(product), 2)]).await;
    deliver(&app).await;

    let [request] = receiver.take().try_into().expect("one request");
    assert_eq!(valid_signatures(&request, SECRET), 1, "{request:?}");
    assert_eq!(valid_signatures(&request, "another secret!!"), 0);
    let body = request.json();
    assert_eq!(
        (&body["event"], &body["version"], &body["subscriptionId"]),
        (&json!("ORDER_PLACED"), &json!(1), &json!(id))
    );
    let event = &body["data"]["event"];
    assert_eq!(
        (&event["eventId"], &event["kind"], &event["subjectId"]),
        (&body["id"], &json!("ORDER_PLACED"), &json!(order))
    );
    assert_eq!((&event["order"]["id"], &event["order"]["details"][0]["sku"]), (&json!(order), &json!("ROPE")));
    assert_eq!(event["product"], json!(null));
    assert_eq!((request.header("souk-event"), request.header("content-type")), ("ORDER_PLACED", "application/json"));
    assert_eq!((request.header("souk-event-id"), request.header("souk-attempt")), (body["id"].as_str().unwrap(), "1"));

    let [delivery] = deliveries(&admin).await.try_into().expect("one delivery");
    assert_eq!((&delivery["status"], &delivery["eventId"]), (&json!("DELIVERED"), &body["id"]));
    assert_eq!((&delivery["responseStatus"], &delivery["responseExcerpt"]), (&json!(200), &json!("response 200")));
    assert_eq!(
        (&delivery["id"], &delivery["nextAttemptAt"]),
        (&json!(request.header("souk-delivery-id")), &json!(null))
    );

    let input = json!({ "id": order, "status": "CONFIRMED" });
    assert_eq!(admin.try_mutate("orderStatusUpdate", input).await, "done");
    deliver(&app).await;
    let [request] = receiver.take().try_into().expect("one request");
    let event = request.json()["data"]["event"].clone();
    assert_eq!((&event["previousState"], &event["state"]), (&json!("PENDING"), &json!("CONFIRMED")));
    // Nothing is delivered twice.
    deliver(&app).await;
    assert!(receiver.take().is_empty());
}

#[tokio::test]
async fn a_query_selects_the_payload() {
    let (app, product) = shop().await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let query = "subscription Mine { event { subjectId product { name costPrice { amount } } } }";
    subscribe(&admin, &receiver, &["PRODUCT_UPDATED", "PRODUCT_DELETED"], json!({ "query": query })).await;
    touch(&app, "Long rope").await;
    deliver(&app).await;
    let data = receiver.take()[0].json()["data"].clone();
    assert_eq!(
        data,
        json!({ "event": { "subjectId": product, "product": { "name": "Long rope", "costPrice": null } } })
    );
    app.database
        .sql(
            "ALTER TABLE stock_movements DISABLE TRIGGER USER; ALTER TABLE price_changes DISABLE TRIGGER USER;
        DELETE FROM stock_movements; DELETE FROM price_changes; DELETE FROM products",
        )
        .await;
    deliver(&app).await;
    assert_eq!(receiver.take()[0].json()["data"]["event"], json!({ "subjectId": product, "product": null }));
}

#[tokio::test]
async fn a_payload_shows_what_the_owner_may_see_when_it_is_sent() {
    let (app, product) = shop().await;
    let other = app.website("other").await.id;
    let elsewhere = ProductSpec { sku: Some("ELSEWHERE".to_owned()), ..ProductSpec::default() };
    let elsewhere = app.product(other, elsewhere).await.id.to_global_id();
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let permissions = [Permission::ManageWebhooks, Permission::ManageStock];
    let limited = app.user_with(&permissions, &[main_website(&app).await]).await;
    subscribe(&limited, &receiver, &["STOCK_CHANGED"], json!({ "website": "main" })).await;
    let by_key = Receiver::start().await;
    let key = api_key_actor(&admin, key_input(&[Permission::ManageWebhooks, Permission::ManageStock])).await;
    subscribe(&key, &by_key, &["STOCK_CHANGED"], json!({ "website": "other" })).await;

    set_stock(&admin, &product, 20).await;
    set_stock(&admin, &elsewhere, 20).await;
    deliver(&app).await;
    let skus = |receiver: &Receiver| -> Vec<String> {
        let sku = |request: &Received| request.json()["data"]["event"]["product"]["sku"].as_str().unwrap().to_owned();
        receiver.take().iter().map(sku).collect()
    };
    assert_eq!((skus(&receiver), skus(&by_key)), (vec!["ROPE".to_owned()], vec!["ELSEWHERE".to_owned()]));

    // The role loses the website, and the key is revoked.
    app.database.sql("UPDATE role_websites SET website_id = (SELECT id FROM websites WHERE code = 'other')").await;
    app.database.sql("UPDATE api_keys SET revoked_at = now()").await;
    set_stock(&admin, &product, 10).await;
    set_stock(&admin, &elsewhere, 10).await;
    souk::access::actions::cache::refresh_cache(&app.database.db, &app.services.permission_cache).await.unwrap();
    deliver(&app).await;
    assert!(receiver.take().is_empty() && by_key.take().is_empty());
    let states = states(&admin).await;
    assert_eq!(states[2..], ["SKIPPED 1", "PENDING 0"]);
    let reasons =
        admin.run("{ webhookSubscriptions(where: {status: {eq: DISABLED}}) { nodes { disabledReason } } }").await;
    let reason = reasons.text_at("webhookSubscriptions.nodes.0.disabledReason");
    assert!(reason.contains("not active any more"), "{reason}");
}

#[tokio::test]
async fn a_secret_is_generated_and_replaced_without_a_gap() {
    let (app, _) = shop().await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let created = create(&admin, json!({ "url": receiver.url, "events": ["PRODUCT_UPDATED"] })).await;
    let first = created.text_at("webhookSubscriptionCreate.secret");
    assert!(first.starts_with("souk_w_") && first.len() > 40, "{first}");
    let id = created.text_at("webhookSubscriptionCreate.webhookSubscription.id");
    assert_eq!(admin.try_mutate("webhookSubscriptionUpdate", json!({ "id": id, "secret": SECRET })).await, "done");
    touch(&app, "Rope 2").await;
    deliver(&app).await;
    let [request] = receiver.take().try_into().expect("one request");
    assert_eq!((valid_signatures(&request, &first), valid_signatures(&request, SECRET)), (1, 1));
    app.database.sql("UPDATE webhook_subscriptions SET previous_secret_until = now()").await;
    touch(&app, "Rope 3").await;
    deliver(&app).await;
    let [request] = receiver.take().try_into().expect("one request");
    assert_eq!((valid_signatures(&request, &first), valid_signatures(&request, SECRET)), (0, 1));
}

#[tokio::test]
async fn tests_and_repetitions_are_delivered() {
    let (app, _) = shop().await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let id = subscribe(&admin, &receiver, &["PRODUCT_UPDATED"], json!({})).await;
    let test = admin.mutate("webhookTest", "webhookDelivery { id isTest event status }", json!({ "id": id })).await;
    assert_eq!(test.at("webhookTest.webhookDelivery.isTest"), &json!(true));
    deliver(&app).await;
    let [request] = receiver.take().try_into().expect("one request");
    assert_eq!((&request.json()["event"], &request.json()["data"]), (&json!("TEST"), &json!(null)));
    assert_eq!(valid_signatures(&request, SECRET), 1);

    touch(&app, "Rope 2").await;
    let pending = deliveries(&admin).await[1]["id"].clone();
    assert_eq!(admin.try_mutate("webhookRedeliver", json!({ "id": pending })).await, "ILLEGAL_TRANSITION id");
    let test = test.text_at("webhookTest.webhookDelivery.id");
    assert_eq!(admin.try_mutate("webhookRedeliver", json!({ "id": test })).await, "INVALID id");
    deliver(&app).await;
    let first = receiver.take().pop().expect("a request");
    touch(&app, "Rope 3").await;
    app.database.sql("DELETE FROM webhook_deliveries WHERE status = 'pending'").await;
    assert_eq!(admin.try_mutate("webhookRedeliver", json!({ "id": pending })).await, "done");
    deliver(&app).await;
    let second = receiver.take().pop().expect("a request");
    assert_eq!(second.json()["id"], first.json()["id"], "a receiver recognizes the event");
    assert_ne!(second.header("souk-delivery-id"), first.header("souk-delivery-id"));
    assert_eq!(second.json()["data"]["event"]["product"]["name"], "Rope 3");
}

#[tokio::test]
async fn events_arrive_over_subscriptions_as_well() {
    let (app, product) = shop().await;
    let admin = app.admin().await;
    let document = "subscription { event(kinds: [PRODUCT_UPDATED, STOCK_CHANGED]) { eventId kind subjectId product { name } cursor } }";
    let address = app.listen().await;
    let mut socket = admin.subscribe(address, document).await;
    touch(&app, "Rope 2").await;
    let event = socket.next().await["event"].clone();
    assert_eq!((&event["kind"], &event["subjectId"]), (&json!("PRODUCT_UPDATED"), &json!(product)));
    set_stock(&admin, &product, 0).await;
    assert_eq!(socket.next().await["event"]["kind"], "STOCK_CHANGED");
    let mut customer = crate::support::websocket::WebSocket::connect(address, &app.customer().await).await;
    customer.start(document).await;
    assert_eq!(customer.error_code().await, "FORBIDDEN");
}
