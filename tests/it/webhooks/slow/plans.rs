//! The plans of the statements on deliveries, on many rows.

use std::{collections::HashMap, time::Duration};

use souk::{
    db::recorder::StatementRecorder,
    jobs::worker::StopSignal,
    webhooks::{actions::deliver::run, store::deliveries},
};

use super::super::{
    context, deliveries as listed,
    receiver::{Behavior, Receiver},
    shop, subscribe,
};

#[tokio::test]
async fn due_deliveries_are_found_by_index() {
    let (app, _) = shop().await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    subscribe(&admin, &receiver, &["PRODUCT_UPDATED"], serde_json::json!({})).await;
    app.database
        .sql(
            "INSERT INTO webhook_deliveries (subscription_id, event_id, event, entity, subject, is_public, event_at, status)
             SELECT s.id, n, 'product_updated', 'product', n % 20000, true, now(), CASE WHEN n % 3 = 0 THEN 'pending' ELSE 'delivered' END
             FROM webhook_subscriptions s, generate_series(1, 60000) n; ANALYZE webhook_deliveries",
        )
        .await;
    let recorder = StatementRecorder::with_texts();
    let claim = app.database.db.transaction(async |conn| deliveries::claim_due(conn, &HashMap::new(), 4, 16).await);
    assert_eq!(recorder.clone().scope(claim).await.expect("a claim").expect("deliveries").len(), 4);
    let statement = recorder.texts().into_iter().find(|sql| sql.contains("LATERAL")).expect("the statement");
    let plan = app.database.explain(&statement).await;
    assert!(plan.contains("webhook_deliveries_due_idx") && plan.contains("webhook_deliveries_entity_idx"), "{plan}");
    assert!(!plan.contains("Seq Scan on webhook_deliveries"), "{plan}");
}

#[tokio::test]
async fn due_deliveries_are_found_by_index_with_statistics_of_an_empty_queue() {
    let (app, _) = shop().await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    subscribe(&admin, &receiver, &["PRODUCT_UPDATED"], serde_json::json!({})).await;
    let insert = |status: &str| {
        format!(
            "INSERT INTO webhook_deliveries (subscription_id, event_id, event, entity, subject, is_public, event_at, status)
             SELECT s.id, n, 'product_updated', 'product', n, true, now(), '{status}'
             FROM webhook_subscriptions s, generate_series(1, 20000) n"
        )
    };
    app.database.sql(&format!("{}; ANALYZE webhook_deliveries; {}", insert("delivered"), insert("pending"))).await;
    let recorder = StatementRecorder::with_texts();
    let claim = app.database.db.transaction(async |conn| deliveries::claim_due(conn, &HashMap::new(), 4, 16).await);
    recorder.clone().scope(claim).await.expect("a claim");
    let statement = recorder.texts().into_iter().find(|sql| sql.contains("LATERAL")).expect("the statement");
    let plan = app.database.explain(&statement).await;
    assert!(plan.contains("webhook_deliveries_entity_idx") && !plan.contains("created_at_idx"), "{plan}");
}

#[tokio::test]
async fn events_of_others_are_delivered_while_many_of_one_product_wait() {
    let (app, _) = shop().await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    subscribe(&admin, &receiver, &["PRODUCT_UPDATED"], serde_json::json!({})).await;
    // The first one is retried later.
    app.database
        .sql(
            "INSERT INTO webhook_deliveries (subscription_id, event_id, event, entity, subject, is_public, event_at, attempts, attempt_at)
             SELECT s.id, n, 'product_updated', 'product', 999, true, now(), (n = 1)::int,
                    CASE WHEN n = 1 THEN now() + interval '1 hour' ELSE now() - interval '1 minute' END
             FROM webhook_subscriptions s, generate_series(1, 20000) n; ANALYZE webhook_deliveries",
        )
        .await;
    super::super::touch(&app, "Rope 2").await;
    super::super::deliver(&app).await;
    assert_eq!(receiver.take().len(), 1);
    // They are not looked at again each time.
    let due = "SELECT count(*) FROM webhook_deliveries WHERE status = 'pending' AND attempt_at <= now()";
    assert_eq!(app.database.scalar(due).await, "0");
}

#[tokio::test]
async fn a_receiver_that_does_not_respond_is_given_up_after_ten_seconds() {
    let (app, _) = shop().await;
    let (admin, receiver) = (app.admin().await, Receiver::start().await);
    receiver.respond(Behavior::Hang);
    let id = subscribe(&admin, &receiver, &["PRODUCT_UPDATED"], serde_json::json!({})).await;
    assert_eq!(admin.try_mutate("webhookTest", serde_json::json!({ "id": id })).await, "done");
    let (context, never) = (context(&app), StopSignal::never());
    tokio::time::timeout(Duration::from_secs(40), run(&context, &never)).await.expect("a run that ends").unwrap();
    let last = listed(&admin).await.pop().expect("a delivery");
    assert_eq!(last["failure"], "there was no response within 10 s");
}
