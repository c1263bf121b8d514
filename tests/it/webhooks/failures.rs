//! Receivers that fail: retries, their order, and what happens after three days.

use serde_json::json;
use souk::jobs::worker::StopSignal;
use souk::webhooks::actions::deliver::run;

use super::{
    context, deliver, deliveries, main_website,
    receiver::{Behavior, Received, Receiver},
    set_stock, shop, skip_delays, states, subscribe, touch,
};
use crate::support::ProductSpec;

fn name(request: &Received) -> String {
    let event = request.json()["data"]["event"].clone();
    format!("{} {}", event["kind"].as_str().unwrap_or_default(), event["product"]["name"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn the_events_of_one_product_do_not_overtake_each_other() {
    let (app, product) = shop().await;
    app.product(main_website(&app).await, ProductSpec { sku: Some("CHAIN".to_owned()), ..ProductSpec::default() })
        .await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    subscribe(&admin, &receiver, &["PRODUCT_UPDATED", "STOCK_CHANGED"], json!({})).await;
    receiver.respond(Behavior::Status(500));
    touch(&app, "Rope 2").await;
    set_stock(&admin, &product, 7).await;
    app.database.sql("UPDATE products SET name = 'Chain 2' WHERE sku = 'CHAIN'").await;
    deliver(&app).await;
    let mut names: Vec<_> = receiver.take().iter().map(name).collect();
    names.sort();
    assert_eq!(names, ["PRODUCT_UPDATED Chain 2", "PRODUCT_UPDATED Rope 2"]);
    assert_eq!(states(&admin).await, ["PENDING 1", "PENDING 0", "PENDING 1"]);
    let failed = &deliveries(&admin).await[0];
    assert_eq!((&failed["responseStatus"], &failed["responseExcerpt"]), (&json!(500), &json!("response 500")));
    assert_eq!(failed["failure"], "the receiver responded with status 500");
    // Not before the delay has passed.
    deliver(&app).await;
    assert!(receiver.take().is_empty());

    receiver.respond(Behavior::Status(204));
    skip_delays(&app).await;
    deliver(&app).await;
    let names: Vec<_> = receiver.take().iter().map(name).collect();
    let position =
        |of: &str| names.iter().position(|name| name.starts_with(of) && name.ends_with("Rope 2")).expect("a request");
    assert!(names.len() == 3 && position("PRODUCT_UPDATED") < position("STOCK_CHANGED"), "{names:?}");
    assert_eq!(states(&admin).await, ["DELIVERED 2", "DELIVERED 1", "DELIVERED 2"]);
}

#[tokio::test]
async fn every_response_but_success_is_a_failure() {
    let (app, _) = shop().await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let id = subscribe(&admin, &receiver, &["PRODUCT_UPDATED"], json!({})).await;
    for (behavior, status, failure) in [
        (Behavior::Redirect, json!(307), json!("the receiver responded with the redirect 307, which is not followed")),
        (Behavior::Status(404), json!(404), json!("the receiver responded with status 404")),
        (Behavior::Endless, json!(200), json!(null)),
        (Behavior::Stall, json!(200), json!(null)),
    ] {
        receiver.respond(behavior);
        assert_eq!(admin.try_mutate("webhookTest", json!({ "id": id })).await, "done");
        deliver(&app).await;
        let last = deliveries(&admin).await.pop().expect("a delivery");
        assert_eq!((&last["responseStatus"], &last["failure"]), (&status, &failure), "{behavior:?}");
        assert_eq!(receiver.take().len(), 1, "{behavior:?}");
        app.database.sql("DELETE FROM webhook_deliveries").await;
    }
    // Nobody listens there.
    let update = json!({ "id": id, "url": "http://127.0.0.1:1/hook" });
    assert_eq!(admin.try_mutate("webhookSubscriptionUpdate", update).await, "done");
    assert_eq!(admin.try_mutate("webhookTest", json!({ "id": id })).await, "done");
    deliver(&app).await;
    let last = deliveries(&admin).await.pop().expect("a delivery");
    assert!(last["failure"].as_str().is_some_and(|text| text.contains("request failed: Connection refused")), "{last}");
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_no_other_one() {
    let (app, _) = shop().await;
    let (admin, hanging, good) = (app.admin().await, Receiver::start().await, Receiver::start().await);
    hanging.respond(Behavior::Hang);
    let id = subscribe(&admin, &hanging, &["PRODUCT_UPDATED"], json!({})).await;
    for _ in 0..40 {
        assert_eq!(admin.try_mutate("webhookTest", json!({ "id": id })).await, "done");
    }
    subscribe(&admin, &good, &["PRODUCT_UPDATED"], json!({})).await;
    let running = tokio::spawn({
        let context = context(&app);
        async move { run(&context, &StopSignal::never()).await }
    });
    hanging.wait_for(4).await;
    for number in 0..5 {
        touch(&app, &format!("Rope {number}")).await;
    }
    good.wait_for(5).await;
    assert_eq!(hanging.take().len(), 4, "only a few requests wait for a receiver at the same time");
    running.abort();
}

#[tokio::test]
async fn a_receiver_that_failed_for_three_days_is_disabled_and_its_owner_told() {
    let (app, _) = shop().await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let id = subscribe(&admin, &receiver, &["PRODUCT_UPDATED"], json!({})).await;
    receiver.respond(Behavior::Status(503));
    touch(&app, "Rope 2").await;
    deliver(&app).await;
    app.emails().await;
    app.database
        .sql(
            "UPDATE webhook_deliveries SET retry_since = now() - interval '71 hours';
        UPDATE webhook_subscriptions SET failing_since = now() - interval '71 hours'",
        )
        .await;
    skip_delays(&app).await;
    deliver(&app).await;
    assert_eq!(states(&admin).await, ["PENDING 2"]);
    app.database
        .sql(
            "UPDATE webhook_deliveries SET retry_since = now() - interval '73 hours';
        UPDATE webhook_subscriptions SET failing_since = now() - interval '73 hours'",
        )
        .await;
    touch(&app, "Rope 3").await;
    skip_delays(&app).await;
    deliver(&app).await;
    assert_eq!(states(&admin).await, ["FAILED 3", "PENDING 0"]);
    let [email] = app.emails().await.try_into().expect("one email");
    assert!(email.text.contains(&receiver.url) && email.text.contains("status 503"), "{}", email.text);
    // Nothing is queued or delivered while it is disabled.
    touch(&app, "Rope 4").await;
    receiver.take();
    deliver(&app).await;
    assert!(receiver.take().is_empty() && states(&admin).await.len() == 2);
    assert_eq!(admin.try_mutate("webhookTest", json!({ "id": id })).await, "ILLEGAL_TRANSITION id");

    receiver.respond(Behavior::Status(200));
    assert_eq!(admin.try_mutate("webhookSubscriptionUpdate", json!({ "id": id, "isEnabled": true })).await, "done");
    deliver(&app).await;
    assert_eq!(states(&admin).await, ["FAILED 3", "DELIVERED 1"]);
}

#[tokio::test]
async fn one_delivery_that_always_fails_disables_nothing() {
    let (app, _) = shop().await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    let id = subscribe(&admin, &receiver, &["PRODUCT_UPDATED"], json!({})).await;
    receiver.respond(Behavior::Status(400));
    touch(&app, "Rope 2").await;
    deliver(&app).await;
    receiver.respond(Behavior::Status(200));
    app.database.sql("INSERT INTO products (source_website_id, name, slug, sku, price) SELECT id, 'Other', 'other', 'OTHER', 1 FROM websites;
        UPDATE products SET name = 'Other 2' WHERE sku = 'OTHER'").await;
    deliver(&app).await;
    receiver.respond(Behavior::Status(400));
    app.database.sql("UPDATE webhook_deliveries SET retry_since = now() - interval '4 days'").await;
    skip_delays(&app).await;
    deliver(&app).await;
    assert_eq!(states(&admin).await, ["FAILED 2", "DELIVERED 1"]);
    let active =
        admin.run("{ webhookSubscriptions(where: {status: {eq: ACTIVE}}) { nodes { id failingSince } } }").await;
    assert_eq!(active.text_at("webhookSubscriptions.nodes.0.id"), id);
}

#[tokio::test]
async fn a_receiver_that_is_not_reachable_is_left_alone_for_a_while() {
    let (app, _) = shop().await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    subscribe(&admin, &receiver, &["PRODUCT_CREATED"], json!({})).await;
    receiver.respond(Behavior::Status(500));
    app.database
        .sql(
            "INSERT INTO products (source_website_id, name, slug, sku, price)
             SELECT (SELECT id FROM websites), n::text, n::text, n::text, 1 FROM generate_series(1, 60) n",
        )
        .await;
    deliver(&app).await;
    let tried = receiver.take().len();
    assert!((5..20).contains(&tried), "{tried} of 60");
}
