//! The plans of the statements that read events, on many rows.

use souk::{
    db::{PlanMode, changes::Position, recorder::StatementRecorder},
    events::{
        model::{EventKind, Start, Topic, Window},
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
    let window = Window {
        start: Start::Moment("49000:49990:49000,49500".parse().expect("a snapshot")),
        since: chrono::Utc::now(),
        until: Position { server: String::new(), moment: "50001:50001:".parse().expect("a snapshot") },
    };
    let recorder = StatementRecorder::with_texts();
    let found = recorder.clone().scope(async {
        let all = database.db.read_with(PlanMode::Custom, async |conn| {
            store::in_window(conn, &window, i64::MIN, vec![EventKind::OrderUpdated], 100).await
        });
        let of_topic = database.db.read_with(PlanMode::Custom, async |conn| {
            store::of_topics(conn, &[Topic::Order(OrderId(95))], &window, i64::MIN, 10).await
        });
        (all.await.expect("events").len(), of_topic.await.expect("events").len())
    });
    assert_eq!(found.await, (13, 1), "two that were running, and eleven that began later");
    let statements: Vec<_> = recorder.texts().into_iter().filter(|sql| sql.contains("FROM events")).collect();
    assert_eq!(statements.len(), 2);
    for statement in statements {
        let plan = database.explain(&statement).await;
        assert!(plan.contains("events_pkey") && !plan.contains("Seq Scan"), "{plan}");
    }
}
