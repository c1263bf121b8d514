//! Who may subscribe, and which input is rejected.

use serde_json::{Value, json};
use souk::{auth::Permission, config::Environment};

use super::{SECRET, create, receiver::Receiver, shop, subscribe};
use crate::support::TestApp;

fn input(more: Value) -> Value {
    let mut input = json!({ "url": "https://erp.example/hook", "events": ["ORDER_PLACED"], "secret": SECRET });
    input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    input
}

#[tokio::test]
async fn invalid_input_is_rejected_with_its_field() {
    let (app, _) = shop().await;
    let admin = app.admin().await;
    for (more, expected) in [
        (json!({ "url": "" }), "REQUIRED url"),
        (json!({ "url": "ftp://erp.example/" }), "INVALID url"),
        (json!({ "url": "https://user:secret@erp.example/" }), "INVALID url"),
        (json!({ "url": format!("https://erp.example/{}", "x".repeat(2_000)) }), "TOO_LONG url"),
        (json!({ "events": [] }), "REQUIRED events"),
        (json!({ "secret": "short" }), "INVALID secret"),
        (json!({ "secret": "with spaces in the middle" }), "INVALID secret"),
        (json!({ "website": "nowhere" }), "NOT_FOUND website"),
        (json!({ "query": "{ products { nodes { id } } }" }), "INVALID query"),
        (json!({ "query": "subscription { productChanged { cursor } }" }), "INVALID query"),
        (json!({ "query": "subscription { event { nothing } }" }), "INVALID query"),
        (json!({ "query": "subscription ($id: ID!) { event(website: $id) { eventId } }" }), "INVALID query"),
        (json!({ "query": "subscription {" }), "INVALID query"),
        (
            json!({ "query": format!("subscription {{ event {{ eventId }} }} # {}", "x".repeat(20_000)) }),
            "TOO_LONG query",
        ),
        (json!({ "events": ["SOMETHING"] }), "!BAD_USER_INPUT"),
        (json!({ "events": ["JOB_DIED"], "website": "main" }), "INVALID events"),
        // The tests may send to all ports.
        (json!({ "url": "https://erp.example:8443/hook", "website": "main", "query": "" }), "done"),
    ] {
        assert_eq!(create(&admin, input(more.clone())).await.outcome("webhookSubscriptionCreate"), expected, "{more}");
    }
}

#[tokio::test]
async fn a_website_with_webhooks_cannot_be_deleted() {
    let app = TestApp::new().await;
    let (admin, website) = (app.admin().await, app.website("main").await.id);
    assert_eq!(create(&admin, input(json!({ "website": "main" }))).await.outcome("webhookSubscriptionCreate"), "done");
    let id = souk::ids::RowId::to_global_id(website);
    assert_eq!(admin.try_mutate("websiteDelete", json!({ "id": id })).await, "IN_USE id");
}

#[tokio::test]
async fn many_subscriptions_share_the_connections_to_the_database() {
    let (app, _) = shop().await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    for _ in 0..20 {
        subscribe(&admin, &receiver, &["PRODUCT_CREATED"], json!({})).await;
    }
    app.database
        .sql(
            "INSERT INTO products (source_website_id, name, slug, sku, price)
             SELECT (SELECT id FROM websites), n::text, n::text, n::text, 1 FROM generate_series(1, 20) n",
        )
        .await;
    super::deliver(&app).await;
    assert_eq!(receiver.take().len(), 400);
    assert_eq!(
        app.database
            .scalar("SELECT count(*) FROM webhook_deliveries WHERE status = 'delivered' AND attempts = 1")
            .await,
        "400"
    );
}

#[tokio::test]
async fn private_addresses_are_rejected_when_a_webhook_is_sent() {
    let (app, _) = shop().await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let id = subscribe(&admin, &receiver, &["PRODUCT_UPDATED"], json!({})).await;
    let mut context = super::context(&app);
    context.addresses = souk::outbound::Addresses::Public;
    for (url, why) in [
        ("http://127.0.0.1/hook", "not public"),
        ("http://localhost/hook", "not public"),
        ("http://169.254.169.254/", "not public"),
        ("http://[::1]/", "not public"),
        (receiver.url.as_str(), "the port must be 80 or 443"),
    ] {
        app.database
            .sql(&format!(
                "DELETE FROM webhook_deliveries; UPDATE webhook_subscriptions SET url = '{url}', retry_at = NULL"
            ))
            .await;
        assert_eq!(admin.try_mutate("webhookTest", json!({ "id": id })).await, "done");
        souk::webhooks::actions::deliver::run(&context, &souk::jobs::worker::StopSignal::never()).await.unwrap();
        let last = super::deliveries(&admin).await.pop().expect("a delivery");
        assert!(last["failure"].as_str().is_some_and(|text| text.contains(why)), "{url}: {last}");
    }
    assert!(receiver.take().is_empty());
}

#[tokio::test]
async fn only_staff_with_the_permissions_subscribe() {
    let app = TestApp::builder().environment(Environment::Development).build().await;
    let (main, other) = (app.website("main").await.id, app.website("other").await.id);
    let with_orders = [Permission::ManageWebhooks, Permission::ManageOrders];
    let outcome = async |actor: &crate::support::Actor<'_>, more: Value| {
        create(actor, input(more)).await.outcome("webhookSubscriptionCreate")
    };
    assert_eq!(outcome(&app.anonymous(), json!({})).await, "!UNAUTHENTICATED");
    assert_eq!(outcome(&app.customer().await, json!({})).await, "!FORBIDDEN");
    assert_eq!(outcome(&app.user_with(&[Permission::ManageOrders], &[]).await, json!({})).await, "!FORBIDDEN");
    let without_orders = app.user_with(&[Permission::ManageWebhooks], &[]).await;
    assert_eq!(outcome(&without_orders, json!({})).await, "PERMISSION_NOT_HELD events");
    let limited = app.user_with(&with_orders, &[main]).await;
    assert_eq!(outcome(&limited, json!({})).await, "PERMISSION_NOT_HELD website");
    assert_eq!(outcome(&limited, json!({ "website": "other" })).await, "PERMISSION_NOT_HELD website");
    assert_eq!(outcome(&limited, json!({ "website": "main" })).await, "done");
    let elsewhere = app.user_with(&with_orders, &[other]).await;
    assert_eq!(outcome(&elsewhere, json!({ "website": "other" })).await, "done");

    let count = async |actor: &crate::support::Actor<'_>| {
        let listed = actor
            .run("{ webhookSubscriptions { nodes { id owner { id } website { code } } totalCount { value } } }")
            .await;
        listed.at("webhookSubscriptions.totalCount.value").as_i64()
    };
    assert_eq!((count(&limited).await, count(&elsewhere).await), (Some(1), Some(1)));
    assert_eq!(count(&app.admin().await).await, Some(2));
    let listed = limited.run("{ webhookSubscriptions { nodes { id } } }").await;
    let id = listed.text_at("webhookSubscriptions.nodes.0.id");
    for mutation in ["webhookSubscriptionUpdate", "webhookSubscriptionDelete", "webhookTest"] {
        assert_eq!(elsewhere.try_mutate(mutation, json!({ "id": id })).await, "NOT_FOUND id", "{mutation}");
    }
    // Others cannot make it send elsewhere what its owner may see, nor something else to its owner's receiver.
    let admin = app.admin().await;
    for change in [
        json!({ "url": "https://mine.example/" }),
        json!({ "events": ["PAYMENT_FAILED"] }),
        json!({ "website": null }),
        json!({ "query": "subscription { event { kind } }", "isEnabled": true }),
        json!({ "secret": "fedcba9876543210" }),
    ] {
        let mut input = change.clone();
        input["id"] = json!(id);
        assert_eq!(admin.try_mutate("webhookSubscriptionUpdate", input.clone()).await, "PROTECTED id", "{change}");
        if change.get("events").is_some() {
            assert_eq!(limited.try_mutate("webhookSubscriptionUpdate", input).await, "PERMISSION_NOT_HELD events");
        }
    }
    assert_eq!(admin.try_mutate("webhookSubscriptionUpdate", json!({ "id": id, "isEnabled": false })).await, "done");
    assert_eq!(limited.try_mutate("webhookTest", json!({ "id": id })).await, "ILLEGAL_TRANSITION id");
    assert_eq!(limited.try_mutate("webhookSubscriptionDelete", json!({ "id": id })).await, "done");
    assert_eq!(count(&limited).await, Some(0));
}
