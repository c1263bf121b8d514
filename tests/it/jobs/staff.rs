//! Jobs as staff see them, and retrying and deleting dead ones.

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{JobId, RowId},
    jobs::{model::Failure, worker::Worker},
};

use crate::support::{Actor, TestApp};

/// Inserts a job in each state, oldest first, with secret payloads.
async fn seed_jobs(app: &TestApp) {
    let jobs = r#"INSERT INTO jobs (id, kind, payload, state, attempts, run_at, locked_until, last_error, is_recurring, created_at)
        VALUES
        (1, 'mail', '{"token": "the secret"}', 'dead', 10, '2026-01-01', NULL, 'no such address', false, '2026-01-01'),
        (2, 'mail', '{"token": "the secret"}', 'queued', 2, '2999-01-01', NULL, 'busy', false, '2026-01-02'),
        (3, 'refund', '{"token": "the secret"}', 'queued', 1, '2026-01-03', now() + interval '5 minutes', NULL, false, '2026-01-03'),
        (4, 'refund', '{"token": "the secret"}', 'queued', 1, '2026-01-02', now() - interval '1 minute', NULL, false, '2026-01-04'),
        (5, 'tick', '{}', 'queued', 0, '2999-01-02', NULL, NULL, true, '2026-01-05')"#;
    app.database.sql(jobs).await;
}

/// Returns the keys of the jobs of a list, in order.
async fn list_jobs(actor: &Actor<'_>, arguments: &str) -> String {
    let response = actor.run(&format!("{{ jobs{arguments} {{ nodes {{ id }} totalCount {{ value }} }} }}")).await;
    let keys: Vec<_> = response.at("jobs.nodes").as_array().unwrap().iter().map(|node| key_of(&node["id"])).collect();
    assert_eq!(response.at("jobs.totalCount.value"), &json!(keys.len()));
    keys.join(" ")
}

fn key_of(id: &Value) -> String {
    JobId::parse("id", id.as_str().unwrap()).unwrap().0.to_string()
}

#[tokio::test]
async fn staff_filter_jobs_but_do_not_see_payloads() {
    let app = TestApp::new().await;
    seed_jobs(&app).await;
    let manager = app.manager().await;
    let table = [
        ("", "5 4 3 2 1"),
        ("(orderBy: {field: CREATED_AT})", "1 2 3 4 5"),
        ("(where: {state: {eq: DEAD}})", "1"),
        ("(where: {state: {eq: RUNNING}})", "3"),
        ("(where: {state: {eq: QUEUED}})", "5 4 2"),
        ("(where: {state: {in: [DEAD, RUNNING]}})", "3 1"),
        ("(where: {state: {in: []}})", ""),
        ("(where: {not: {state: {eq: RUNNING}}})", "5 4 2 1"),
        ("(where: {not: {state: {eq: QUEUED}}})", "3 1"),
        ("(where: {kind: {eq: \"mail\"}})", "2 1"),
        ("(where: {kind: {contains: \"I\"}})", "5 2 1"),
        ("(where: {kind: {in: [\"mail\", \"tick\"]}, state: {eq: QUEUED}})", "5 2"),
        ("(where: {createdAt: {gte: \"2026-01-02T00:00:00Z\", lte: \"2026-01-03T00:00:00Z\"}})", "3 2"),
        ("(where: {or: [{state: {eq: DEAD}}, {kind: {eq: \"tick\"}}]})", "5 1"),
    ];
    for (arguments, expected) in table {
        assert_eq!(list_jobs(&manager, arguments).await, expected, "{arguments}");
    }
    let all = "{ jobs { nodes { kind state attempts runAt lockedUntil lastError isRecurring createdAt } } }";
    let response = manager.run(all).await;
    assert!(!response.text.contains("secret"), "{}", response.text);
    let first = json!({
        "kind": "mail", "state": "DEAD", "attempts": 10, "runAt": "2026-01-01T00:00:00+00:00", "lockedUntil": null,
        "lastError": "no such address", "isRecurring": false, "createdAt": "2026-01-01T00:00:00+00:00"
    });
    assert_eq!(response.at("jobs.nodes.4"), &first);
    assert_eq!(response.at("jobs.nodes.0.isRecurring"), true);
    assert!(response.at("jobs.nodes.2.lockedUntil").is_string());
}

#[tokio::test]
async fn only_dead_jobs_can_be_retried_or_deleted() {
    let app = TestApp::new().await;
    seed_jobs(&app).await;
    let manager = app.manager().await;
    let stands = async |key: i64| {
        let sql = format!(
            "SELECT concat_ws(' ', state, attempts, run_at <= now(), locked_until, last_error) FROM jobs WHERE id = {key}"
        );
        app.database.scalar(&sql).await
    };
    for mutation in ["jobRetry", "jobDelete"] {
        for key in 2..=5 {
            let before = stands(key).await;
            let response = manager.mutate(mutation, "job { id }", json!({ "id": JobId(key).to_global_id() })).await;
            assert_eq!(response.outcome(mutation), "ILLEGAL_TRANSITION id", "{key}");
            assert_eq!(stands(key).await, before);
        }
        let response = manager.mutate(mutation, "", json!({ "id": JobId(6).to_global_id() })).await;
        assert_eq!(response.outcome(mutation), "NOT_FOUND id");
    }
    let dead = json!({ "id": JobId(1).to_global_id() });
    let response = manager.mutate("jobRetry", "job { state attempts lastError }", dead.clone()).await;
    assert_eq!(
        response.at("jobRetry.job"),
        &json!({ "state": "QUEUED", "attempts": 0, "lastError": "no such address" })
    );
    assert_eq!(stands(1).await, "queued 0 t no such address");
    // A worker runs it like any other job.
    let failing = Worker::new(app.database.db.clone())
        .on("mail", |_| std::future::ready(Err::<(), _>(Failure::Final("still no such address".to_owned()))));
    assert_eq!(failing.run_due().await, 1);
    assert_eq!(stands(1).await, "dead 1 t still no such address");
    let response = manager.mutate("jobDelete", "job { kind state }", dead.clone()).await;
    assert_eq!(response.at("jobDelete.job"), &json!({ "kind": "mail", "state": "DEAD" }));
    assert_eq!(manager.mutate("jobDelete", "", dead).await.outcome("jobDelete"), "NOT_FOUND id");
    assert_eq!(list_jobs(&manager, "").await, "5 4 3 2");
}

#[tokio::test]
async fn website_role_cannot_access_jobs() {
    let app = TestApp::new().await;
    seed_jobs(&app).await;
    let website = app.website("sailor").await.id;
    let (everywhere, limited) =
        (app.user_with(&[Permission::ManageJobs], &[]).await, app.user_with(Permission::ALL, &[website]).await);
    let dead = json!({ "id": JobId(1).to_global_id() });
    let node = "query ($id: ID!) { node(id: $id) { id ... on Job { kind } } }";
    assert_eq!(list_jobs(&limited, "").await, "");
    assert_eq!(limited.run_with(node, dead.clone()).await.at("node"), &json!(null));
    for mutation in ["jobRetry", "jobDelete"] {
        assert_eq!(limited.mutate(mutation, "", dead.clone()).await.outcome(mutation), "NOT_FOUND id");
    }
    assert_eq!(list_jobs(&everywhere, "").await, "5 4 3 2 1");
    assert_eq!(everywhere.run_with(node, dead).await.text_at("node.kind"), "mail");
}
