//! Recurring jobs: each runs once per period, despite failures and with any number of servers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use souk::{
    cli::job_handlers::{self, JobContext},
    config::AnalyticsSettings,
    db::Db,
    jobs::{
        model::{Failure, JobRow, MAX_ATTEMPTS},
        store,
        worker::Worker,
    },
};

use crate::{
    jobs::queue::{spawn_worker, wait_until, with_timeout},
    support::{
        TestApp, TestDb,
        mailbox::no_payloads,
        psql::{Psql, violated_constraint},
    },
};

const HOUR: Duration = Duration::from_secs(3600);
/// State of a recurring job, and the seconds until it runs again.
const JOB_STATE: &str =
    "SELECT concat_ws(' ', count(*) OVER (), state, attempts, coalesce(last_error, '-'), is_recurring,
    locked_until, round(extract(epoch FROM run_at - updated_at))) FROM jobs";
const MAKE_DUE: &str = "UPDATE jobs SET run_at = now()";

/// Returns a worker that runs `tick` every hour, and the number of runs.
fn ticking_worker(db: &Db) -> (Worker, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let kept = Arc::clone(&count);
    let worker = Worker::new(db.clone()).every("tick", HOUR, move |_: JobRow| {
        kept.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok::<_, Failure>(()))
    });
    (worker, count)
}

/// Returns a worker whose `tick` has this period and result.
fn worker_returning(db: &Db, period: Duration, response: Result<(), Failure>) -> Worker {
    Worker::new(db.clone()).every("tick", period, move |_: JobRow| std::future::ready(response.clone()))
}

#[tokio::test]
async fn recurring_job_runs_once_per_period_on_any_number_of_servers() {
    let (database, db) = TestDb::with_handle().await;
    let (one, ran_by_one) = ticking_worker(&db);
    let (other, ran_by_other) = ticking_worker(&db);
    let ran = || ran_by_one.load(Ordering::SeqCst) + ran_by_other.load(Ordering::SeqCst);
    for worker in [&one, &other, &one] {
        worker.ensure_recurring().await.unwrap();
    }
    for round in 1..=3 {
        assert_eq!(one.run_due().await + other.run_due().await, 1);
        assert_eq!((ran(), database.scalar(JOB_STATE).await.as_str()), (round, "1 queued 0 - t 3600"));
        database.sql(MAKE_DUE).await;
        // Another server that starts changes nothing.
        other.ensure_recurring().await.unwrap();
    }
}

#[tokio::test]
async fn server_creates_missing_recurring_jobs() {
    let (database, db) = TestDb::with_handle().await;
    let (worker, ran) = ticking_worker(&db);
    let (stop, worker) = spawn_worker(worker);
    wait_until(&database, JOB_STATE, "1 queued 0 - t 3600").await;
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    stop.send(()).unwrap();
    with_timeout(worker).await.unwrap();
}

#[tokio::test]
async fn failed_recurring_job_is_retried_within_its_period_and_never_dead() {
    let (database, db) = TestDb::with_handle().await;
    let minute = Duration::from_secs(60);
    for response in [Failure::Retry("busy".to_owned()), Failure::Final("never".to_owned())] {
        let worker = worker_returning(&db, minute, Err(response.clone()));
        worker.ensure_recurring().await.unwrap();
        for attempt in 1..=MAX_ATTEMPTS + 2 {
            assert_eq!(worker.run_due().await, 1);
            let now = "SELECT concat_ws(' ', state, attempts, last_error) FROM jobs";
            assert_eq!(database.scalar(now).await, format!("queued {attempt} {}", response.reason()));
            let waits = "SELECT run_at - updated_at BETWEEN interval '5 s' AND interval '60 s' FROM jobs";
            assert_eq!(database.scalar(waits).await, "t", "{attempt}");
            database.sql(MAKE_DUE).await;
        }
        assert_eq!(worker_returning(&db, minute, Ok(())).run_due().await, 1);
        assert_eq!(database.scalar(JOB_STATE).await, "1 queued 0 - t 60", "attempts start at zero again");
        database.sql(MAKE_DUE).await;
    }
    let dead = Psql::connect(&database.url).await.try_run("UPDATE jobs SET state = 'dead'").await;
    assert_eq!(dead.err().map(|error| violated_constraint(&error)).as_deref(), Some("jobs_recurring_never_dead"));
}

#[tokio::test]
async fn worker_that_lost_the_lease_cannot_reschedule() {
    let (database, db) = TestDb::with_handle().await;
    ticking_worker(&db).0.ensure_recurring().await.unwrap();
    let claim = async || db.transaction(async |conn| store::claim(conn, &["tick"], 1).await).await.unwrap().remove(0);
    let first = claim().await;
    database.sql("UPDATE jobs SET locked_until = now()").await;
    let second = claim().await;
    assert_eq!((first.attempts, second.attempts), (1, 2));
    for (job, held) in [(&first, "t"), (&second, "")] {
        db.transaction(async |conn| store::reschedule(conn, job, HOUR).await).await.unwrap();
        assert_eq!(database.scalar("SELECT locked_until > now() FROM jobs").await, held);
    }
}

#[tokio::test]
async fn cleanup_runs_every_hour() {
    let app = TestApp::new().await;
    let keys = format!(
        "INSERT INTO idempotency_keys (user_id, operation, key, request_hash, answer_id, created_at)
            SELECT {}, 'orderCreate', days::text, '', 0, now() - days * interval '1 day' FROM unnest('{{1,29,31}}'::int[]) days",
        app.customer().await.id.0
    );
    app.database.sql(&keys).await;
    let worker = job_handlers::build_worker(JobContext {
        db: app.database.db.clone(),
        mailer: None,
        providers: Arc::clone(&app.services.providers),
        image_processor: app.services.image_processor.clone(),
        analytics: AnalyticsSettings::default(),
        payloads: no_payloads(),
    });
    worker.ensure_recurring().await.unwrap();
    assert_eq!(worker.run_due().await, 12);
    let kept = "SELECT string_agg(key, ' ' ORDER BY id) FROM idempotency_keys";
    assert_eq!(app.database.scalar(kept).await, "1 29");
    let kinds = "SELECT string_agg(kind, ' ' ORDER BY kind) FROM jobs WHERE is_recurring";
    assert_eq!(
        app.database.scalar(kinds).await,
        "cancel_unpaid_orders cleanup_access cleanup_carts cleanup_events cleanup_files cleanup_transfers cleanup_webhooks deliver_webhooks fetch_images refresh_analytics refresh_search_popularity reindex_search"
    );
}
