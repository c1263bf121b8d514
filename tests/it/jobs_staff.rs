//! Jobs that recur, and what staff sees of jobs and does to them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    cli::work::{self, JobContext},
    config::AnalyticsSettings,
    db::Db,
    ids::{JobId, RowId},
    jobs::{
        model::{Failure, JobRow, MAX_ATTEMPTS},
        store,
        worker::Worker,
    },
};

use crate::{
    jobs::{running, soon, until},
    support::{
        Actor, TestApp, TestDb,
        psql::{Psql, refused_by},
    },
};

const HOUR: Duration = Duration::from_secs(3600);
/// What becomes of a recurring job, and in how many seconds it runs again.
const STANDS: &str = "SELECT concat_ws(' ', count(*) OVER (), state, attempts, coalesce(last_error, '-'), is_recurring,
    locked_until, round(extract(epoch FROM run_at - updated_at))) FROM jobs";
const DUE: &str = "UPDATE jobs SET run_at = now()";

/// A worker that runs `tick` every hour, and how often it did.
fn ticking(db: &Db) -> (Worker, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let kept = Arc::clone(&count);
    let worker = Worker::new(db.clone()).every("tick", HOUR, move |_: JobRow| {
        kept.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok::<_, Failure>(()))
    });
    (worker, count)
}

/// A worker whose `tick` of this period answers this.
fn answering(db: &Db, period: Duration, answer: Result<(), Failure>) -> Worker {
    Worker::new(db.clone()).every("tick", period, move |_: JobRow| std::future::ready(answer.clone()))
}

#[tokio::test]
async fn a_recurring_job_runs_once_in_each_period_however_many_servers_there_are() {
    let (database, db) = TestDb::with_handle().await;
    let (one, ran_by_one) = ticking(&db);
    let (other, ran_by_other) = ticking(&db);
    let ran = || ran_by_one.load(Ordering::SeqCst) + ran_by_other.load(Ordering::SeqCst);
    for worker in [&one, &other, &one] {
        worker.install().await.unwrap();
    }
    for round in 1..=3 {
        assert_eq!(one.run_due().await + other.run_due().await, 1);
        assert_eq!((ran(), database.ask(STANDS).await.as_str()), (round, "1 queued 0 - t 3600"));
        database.sql(DUE).await;
        // A server that starts meanwhile changes nothing.
        other.install().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_makes_the_recurring_jobs_that_are_missing() {
    let (database, db) = TestDb::with_handle().await;
    let (worker, ran) = ticking(&db);
    let (stop, worker) = running(worker);
    until(&database, STANDS, "1 queued 0 - t 3600").await;
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    stop.send(()).unwrap();
    soon(worker).await.unwrap();
}

#[tokio::test]
async fn a_recurring_job_that_fails_is_tried_again_within_its_period_and_never_dies() {
    let (database, db) = TestDb::with_handle().await;
    let minute = Duration::from_secs(60);
    for answer in [Failure::Again("busy".to_owned()), Failure::Final("never".to_owned())] {
        let worker = answering(&db, minute, Err(answer.clone()));
        worker.install().await.unwrap();
        for attempt in 1..=MAX_ATTEMPTS + 2 {
            assert_eq!(worker.run_due().await, 1);
            let now = "SELECT concat_ws(' ', state, attempts, last_error) FROM jobs";
            assert_eq!(database.ask(now).await, format!("queued {attempt} {}", answer.why()));
            let waits = "SELECT run_at - updated_at BETWEEN interval '5 s' AND interval '60 s' FROM jobs";
            assert_eq!(database.ask(waits).await, "t", "{attempt}");
            database.sql(DUE).await;
        }
        assert_eq!(answering(&db, minute, Ok(())).run_due().await, 1);
        assert_eq!(database.ask(STANDS).await, "1 queued 0 - t 60", "it starts from the beginning");
        database.sql(DUE).await;
    }
    let dead = Psql::connect(&database.url).await.try_run("UPDATE jobs SET state = 'dead'").await;
    assert_eq!(dead.err().map(|error| refused_by(&error)).as_deref(), Some("jobs_recurring_never_dead"));
}

#[tokio::test]
async fn whoever_lost_the_lease_has_no_say_in_the_next_time() {
    let (database, db) = TestDb::with_handle().await;
    ticking(&db).0.install().await.unwrap();
    let claim = async || db.transaction(async |conn| store::claim(conn, &["tick"], 1).await).await.unwrap().remove(0);
    let first = claim().await;
    database.sql("UPDATE jobs SET locked_until = now()").await;
    let second = claim().await;
    assert_eq!((first.attempts, second.attempts), (1, 2));
    for (job, held) in [(&first, "t"), (&second, "")] {
        db.transaction(async |conn| store::done_until_next(conn, job, HOUR).await).await.unwrap();
        assert_eq!(database.ask("SELECT locked_until > now() FROM jobs").await, held);
    }
}

#[tokio::test]
async fn the_server_tidies_up_every_hour() {
    let app = TestApp::new().await;
    let keys = format!(
        "INSERT INTO idempotency_keys (user_id, operation, key, request_hash, answer_id, created_at)
            SELECT {}, 'orderCreate', days::text, '', 0, now() - days * interval '1 day' FROM unnest('{{1,29,31}}'::int[]) days",
        app.customer().await.id.0
    );
    app.database.sql(&keys).await;
    let worker = work::worker(JobContext {
        db: app.database.db.clone(),
        mailer: None,
        providers: Arc::clone(&app.services.providers),
        studio: app.services.studio.clone(),
        analytics: AnalyticsSettings::default(),
    });
    worker.install().await.unwrap();
    assert_eq!(worker.run_due().await, 8);
    let kept = "SELECT string_agg(key, ' ' ORDER BY id) FROM idempotency_keys";
    assert_eq!(app.database.ask(kept).await, "1 29");
    let kinds = "SELECT string_agg(kind, ' ' ORDER BY kind) FROM jobs WHERE is_recurring";
    assert_eq!(
        app.database.ask(kinds).await,
        "fetch_images index_search sweep_files sweep_transfers tend_analytics tend_search tidy_access tidy_carts"
    );
}

/// A job in each state, the oldest first; their payloads are secrets.
async fn several(app: &TestApp) {
    let jobs = r#"INSERT INTO jobs (id, kind, payload, state, attempts, run_at, locked_until, last_error, is_recurring, created_at)
        VALUES
        (1, 'mail', '{"token": "the secret"}', 'dead', 10, '2026-01-01', NULL, 'no such address', false, '2026-01-01'),
        (2, 'mail', '{"token": "the secret"}', 'queued', 2, '2999-01-01', NULL, 'busy', false, '2026-01-02'),
        (3, 'refund', '{"token": "the secret"}', 'queued', 1, '2026-01-03', now() + interval '5 minutes', NULL, false, '2026-01-03'),
        (4, 'refund', '{"token": "the secret"}', 'queued', 1, '2026-01-02', now() - interval '1 minute', NULL, false, '2026-01-04'),
        (5, 'tick', '{}', 'queued', 0, '2999-01-02', NULL, NULL, true, '2026-01-05')"#;
    app.database.sql(jobs).await;
}

/// The keys of the jobs of a list, in order.
async fn listed(actor: &Actor<'_>, arguments: &str) -> String {
    let answer = actor.run(&format!("{{ jobs{arguments} {{ nodes {{ id }} totalCount {{ value }} }} }}")).await;
    let keys: Vec<_> = answer.at("jobs.nodes").as_array().unwrap().iter().map(|node| key_of(&node["id"])).collect();
    assert_eq!(answer.at("jobs.totalCount.value"), &json!(keys.len()));
    keys.join(" ")
}

fn key_of(id: &Value) -> String {
    JobId::parse("id", id.as_str().unwrap()).unwrap().0.to_string()
}

#[tokio::test]
async fn staff_sees_jobs_by_state_kind_and_time_but_not_what_they_hold() {
    let app = TestApp::new().await;
    several(&app).await;
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
        assert_eq!(listed(&manager, arguments).await, expected, "{arguments}");
    }
    let all = "{ jobs { nodes { kind state attempts runAt lockedUntil lastError isRecurring createdAt } } }";
    let answer = manager.run(all).await;
    assert!(!answer.text.contains("secret"), "{}", answer.text);
    let first = json!({
        "kind": "mail", "state": "DEAD", "attempts": 10, "runAt": "2026-01-01T00:00:00+00:00", "lockedUntil": null,
        "lastError": "no such address", "isRecurring": false, "createdAt": "2026-01-01T00:00:00+00:00"
    });
    assert_eq!(answer.at("jobs.nodes.4"), &first);
    assert_eq!(answer.at("jobs.nodes.0.isRecurring"), true);
    assert!(answer.at("jobs.nodes.2.lockedUntil").is_string());
}

#[tokio::test]
async fn a_dead_job_is_run_again_or_deleted_and_no_other() {
    let app = TestApp::new().await;
    several(&app).await;
    let manager = app.manager().await;
    let stands = async |key: i64| {
        let sql = format!(
            "SELECT concat_ws(' ', state, attempts, run_at <= now(), locked_until, last_error) FROM jobs WHERE id = {key}"
        );
        app.database.ask(&sql).await
    };
    for mutation in ["jobRetry", "jobDelete"] {
        for key in 2..=5 {
            let before = stands(key).await;
            let answer = manager.mutate(mutation, "job { id }", json!({ "id": JobId(key).global() })).await;
            assert_eq!(answer.verdict(mutation), "ILLEGAL_TRANSITION id", "{key}");
            assert_eq!(stands(key).await, before);
        }
        let answer = manager.mutate(mutation, "", json!({ "id": JobId(6).global() })).await;
        assert_eq!(answer.verdict(mutation), "NOT_FOUND id");
    }
    let dead = json!({ "id": JobId(1).global() });
    let answer = manager.mutate("jobRetry", "job { state attempts lastError }", dead.clone()).await;
    assert_eq!(answer.at("jobRetry.job"), &json!({ "state": "QUEUED", "attempts": 0, "lastError": "no such address" }));
    assert_eq!(stands(1).await, "queued 0 t no such address");
    // A worker takes it as any other.
    let failing = Worker::new(app.database.db.clone())
        .on("mail", |_| std::future::ready(Err::<(), _>(Failure::Final("still no such address".to_owned()))));
    assert_eq!(failing.run_due().await, 1);
    assert_eq!(stands(1).await, "dead 1 t still no such address");
    let answer = manager.mutate("jobDelete", "job { kind state }", dead.clone()).await;
    assert_eq!(answer.at("jobDelete.job"), &json!({ "kind": "mail", "state": "DEAD" }));
    assert_eq!(manager.mutate("jobDelete", "", dead).await.verdict("jobDelete"), "NOT_FOUND id");
    assert_eq!(listed(&manager, "").await, "5 4 3 2");
}

#[tokio::test]
async fn a_role_that_is_limited_to_websites_does_not_reach_jobs() {
    let app = TestApp::new().await;
    several(&app).await;
    let website = app.website("sailor").await.id;
    let (everywhere, limited) =
        (app.holder(&[Permission::ManageJobs], &[]).await, app.holder(Permission::ALL, &[website]).await);
    let dead = json!({ "id": JobId(1).global() });
    let node = "query ($id: ID!) { node(id: $id) { id ... on Job { kind } } }";
    assert_eq!(listed(&limited, "").await, "");
    assert_eq!(limited.run_with(node, dead.clone()).await.at("node"), &json!(null));
    for mutation in ["jobRetry", "jobDelete"] {
        assert_eq!(limited.mutate(mutation, "", dead.clone()).await.verdict(mutation), "NOT_FOUND id");
    }
    assert_eq!(listed(&everywhere, "").await, "5 4 3 2 1");
    assert_eq!(everywhere.run_with(node, dead).await.text_at("node.kind"), "mail");
}
