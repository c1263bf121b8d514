//! The plans of the statements that read events, on many rows.

use souk::{
    db::{PlanMode, recorder::StatementRecorder},
    events::{
        model::{EventKind, Start, Topic},
        store,
    },
    ids::OrderId,
};

use crate::support::TestDb;

#[tokio::test]
async fn new_events_are_found_by_their_transactions() {
    let database = TestDb::new().await;
    database
        .sql(
            "INSERT INTO events (transaction_id, kind, subject)
             SELECT n, 'order_updated', n % 100 FROM generate_series(1, 50000) n; ANALYZE events",
        )
        .await;
    let start = || Start::Moment("49990:49990:".parse().expect("a snapshot"));
    let until = "50001:50001:".parse().expect("a snapshot");
    let recorder = StatementRecorder::with_texts();
    let found = recorder.clone().scope(async {
        let between = database.db.read_with(PlanMode::Custom, async |conn| {
            store::between(conn, start(), &until, &[EventKind::OrderUpdated]).await
        });
        let of_topic = database.db.read_with(PlanMode::Custom, async |conn| {
            store::of_topic(conn, Topic::Order(OrderId(95)), start(), &until, 10).await
        });
        (between.await.expect("events").len(), of_topic.await.expect("events").len())
    });
    assert_eq!(found.await, (11, 1));
    let statements: Vec<_> = recorder.texts().into_iter().filter(|sql| sql.contains("FROM events")).collect();
    assert_eq!(statements.len(), 2);
    for statement in statements {
        let plan = database.explain(&statement).await;
        assert!(plan.contains("events_pkey") && !plan.contains("Seq Scan"), "{plan}");
    }
}
