//! The job queue: jobs run after the transaction that queued them, at least once, on one worker at a time.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};
use souk::{
    db::{Db, DbSettings, recorder::StatementRecorder},
    error::Error,
    jobs::{
        model::{Failure, JobRow, MAX_ATTEMPTS, NewJob},
        store,
        worker::Worker,
    },
};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::support::{Proxy, TestApp, TestDb, psql::Psql};

const COUNT: &str = "SELECT count(*) FROM jobs";
/// Timeout for every signal in these tests.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

fn job(payload: Value) -> NewJob {
    NewJob { kind: "test", payload, user_id: None, run_at: None }
}

async fn queue(db: &Db, payload: Value) {
    let new = job(payload);
    db.transaction(async |conn| store::enqueue(conn, &new).await).await.unwrap();
}

async fn claim(db: &Db) -> Option<JobRow> {
    db.transaction(async |conn| store::claim(conn, &["test"], 1).await).await.unwrap().pop()
}

/// The payloads that a worker's handler received.
type HandledPayloads = Arc<Mutex<Vec<Value>>>;

/// Returns a worker whose handler returns this result.
fn worker_returning(db: &Db, response: Result<(), Failure>) -> (Worker, HandledPayloads) {
    let seen = HandledPayloads::default();
    let kept = Arc::clone(&seen);
    let worker = Worker::new(db.clone()).on("test", move |job: JobRow| {
        kept.lock().unwrap().push(job.payload);
        std::future::ready(response.clone())
    });
    (worker, seen)
}

/// Returns a worker whose handler reports that it runs, and waits for a permit.
fn blocking_worker(db: &Db) -> (Worker, mpsc::UnboundedReceiver<Value>, Arc<Semaphore>) {
    let (send, started) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let kept = Arc::clone(&gate);
    let worker = Worker::new(db.clone()).on("test", move |job: JobRow| {
        let (send, gate) = (send.clone(), Arc::clone(&kept));
        async move {
            send.send(job.payload).unwrap();
            gate.acquire().await.unwrap().forget();
            Ok::<_, Error>(())
        }
    });
    (worker, started, gate)
}

/// Starts a worker that runs until it is told to stop.
pub fn spawn_worker(worker: Worker) -> (oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel();
    (stop, tokio::spawn(async move { worker.run(async { drop(stopped.await) }).await }))
}

pub async fn with_timeout<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT, future).await.expect("a signal in time")
}

pub async fn wait_until(database: &TestDb, sql: &str, value: &str) {
    with_timeout(async {
        while database.scalar(sql).await != value {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn job_runs_once_after_its_transaction_and_is_deleted() {
    let (database, db) = TestDb::with_handle().await;
    let (worker, seen) = worker_returning(&db, Ok(()));
    assert_eq!(worker.run_due().await, 0);
    db.transaction(async |conn| {
        store::enqueue(conn, &job(json!(1))).await?;
        store::enqueue(conn, &job(json!(2))).await?;
        // Uncommitted jobs are not visible.
        assert!(claim(&db).await.is_none());
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!((worker.run_due().await, worker.run_due().await), (2, 0));
    assert_eq!(*seen.lock().unwrap(), [json!(1), json!(2)]);
    assert_eq!(database.scalar(COUNT).await, "0");
}

#[tokio::test]
async fn job_of_a_rolled_back_transaction_never_runs() {
    let (database, db) = TestDb::with_handle().await;
    let (worker, seen) = worker_returning(&db, Ok(()));
    let undone = db.transaction(async |conn| {
        store::enqueue(conn, &job(json!(1))).await?;
        Err::<(), _>(Error::Internal("changed my mind".to_owned()))
    });
    assert!(undone.await.is_err());
    assert_eq!((worker.run_due().await, database.scalar(COUNT).await.as_str()), (0, "0"));
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn job_waits_until_due_and_the_longest_due_runs_first() {
    let (database, db) = TestDb::with_handle().await;
    let (worker, seen) = worker_returning(&db, Ok(()));
    let at = |moment: &str| Some(moment.parse().unwrap());
    let new = [
        NewJob { run_at: at("2999-01-01T00:00:00Z"), ..job(json!("far")) },
        NewJob { run_at: at("2020-01-01T00:00:00Z"), ..job(json!("late")) },
        NewJob { run_at: at("2010-01-01T00:00:00Z"), ..job(json!("later")) },
    ];
    for new in new {
        db.transaction(async |conn| store::enqueue(conn, &new).await).await.unwrap();
    }
    assert_eq!(worker.run_due().await, 2);
    assert_eq!(*seen.lock().unwrap(), [json!("later"), json!("late")]);
    database.sql("UPDATE jobs SET run_at = now()").await;
    assert_eq!(worker.run_due().await, 1);
}

#[tokio::test]
async fn job_kind_without_a_handler_is_not_claimed() {
    let (database, db) = TestDb::with_handle().await;
    let (worker, _) = worker_returning(&db, Ok(()));
    let other = NewJob { kind: "other", ..job(json!(1)) };
    db.transaction(async |conn| store::enqueue(conn, &other).await).await.unwrap();
    queue(&db, json!(2)).await;
    assert_eq!(worker.run_due().await, 1);
    assert_eq!(Worker::new(db).run_due().await, 0);
    let left = "SELECT string_agg(concat_ws(' ', kind, state, attempts, locked_until), ',') FROM jobs";
    assert_eq!(database.scalar(left).await, "other queued 0");
}

#[tokio::test]
async fn failing_job_backs_off_and_is_finally_dead() {
    let (database, db) = TestDb::with_handle().await;
    let (worker, seen) = worker_returning(&db, Err(Failure::Retry("  the line is busy  ".to_owned())));
    queue(&db, json!(1)).await;
    for attempt in 1..MAX_ATTEMPTS {
        assert_eq!((worker.run_due().await, worker.run_due().await), (1, 0), "{attempt}");
        let now = "SELECT concat_ws(' ', state, attempts, locked_until, last_error) FROM jobs";
        assert_eq!(database.scalar(now).await, format!("queued {attempt} the line is busy"));
        // Both times are from the same transaction.
        let pause = database.scalar("SELECT extract(epoch FROM run_at - updated_at)::float8 FROM jobs").await;
        let longest = (10.0 * 2_f64.powi(attempt - 1)).min(3600.0);
        let pause: f64 = pause.parse().unwrap();
        assert!((longest / 2.0 - 0.001..=longest).contains(&pause), "{attempt}: {pause}");
        database.sql("UPDATE jobs SET run_at = now()").await;
    }
    assert_eq!(worker.run_due().await, 1);
    database.sql("UPDATE jobs SET run_at = now()").await;
    assert_eq!(worker.run_due().await, 0, "dead jobs are not run");
    assert_eq!(
        database.scalar("SELECT concat_ws(' ', state, attempts, last_error) FROM jobs").await,
        "dead 10 the line is busy"
    );
    assert_eq!(seen.lock().unwrap().len(), 10);
}

#[tokio::test]
async fn job_with_a_permanent_failure_is_dead_immediately() {
    let (database, db) = TestDb::with_handle().await;
    // Long, multi-byte or empty reasons are shortened or replaced to fit.
    for (why, kept) in [("no".to_owned(), "no".to_owned()), ("ü".repeat(2000), "ü".repeat(1000))] {
        let (worker, _) = worker_returning(&db, Err(Failure::Final(why)));
        queue(&db, json!(1)).await;
        assert_eq!(worker.run_due().await, 1);
        let dead = "SELECT concat_ws(' ', state, attempts, last_error) FROM jobs ORDER BY id DESC LIMIT 1";
        assert_eq!(database.scalar(dead).await, format!("dead 1 {kept}"));
    }
    let (worker, _) = worker_returning(&db, Err(Failure::Final(String::new())));
    queue(&db, json!(1)).await;
    assert_eq!(worker.run_due().await, 1);
    assert_eq!(database.scalar("SELECT count(*) FROM jobs WHERE state = 'dead'").await, "3");
}

#[tokio::test]
async fn panicking_handler_fails_only_its_own_job() {
    let (database, db) = TestDb::with_handle().await;
    let worker = Worker::new(db.clone()).on("test", async |job: JobRow| {
        let number = job.payload.as_i64().unwrap();
        assert!(number != 1, "the secret of one");
        Ok::<_, Error>(())
    });
    for number in [1, 2] {
        queue(&db, json!(number)).await;
    }
    assert_eq!(worker.run_due().await, 2);
    let left = "SELECT string_agg(concat_ws(' ', payload, state, last_error), ',') FROM jobs";
    assert_eq!(database.scalar(left).await, "1 queued the handler panicked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_workers_run_each_job_once() {
    let (database, db) = TestDb::with_handle().await;
    let seen: Arc<Mutex<BTreeMap<i64, u32>>> = Arc::default();
    for number in 0..60 {
        queue(&db, json!(number)).await;
    }
    let workers = (0..4).map(|_| {
        let seen = Arc::clone(&seen);
        let worker = Worker::new(db.clone()).on("test", move |job: JobRow| {
            *seen.lock().unwrap().entry(job.payload.as_i64().unwrap()).or_default() += 1;
            std::future::ready(Ok::<_, Error>(()))
        });
        tokio::spawn(async move { worker.run_due().await })
    });
    let ran = futures_util::future::join_all(workers).await;
    assert_eq!(ran.into_iter().map(|count| count.unwrap()).sum::<usize>(), 60);
    let seen = seen.lock().unwrap().clone();
    assert!(seen.len() == 60 && seen.values().all(|count| *count == 1), "{seen:?}");
    assert_eq!(database.scalar(COUNT).await, "0");
}

#[tokio::test]
async fn running_job_is_not_claimed_until_its_lease_expires() {
    let (database, db) = TestDb::with_handle().await;
    let (slow, mut started, gate) = blocking_worker(&db);
    let (other, seen) = worker_returning(&db, Ok(()));
    queue(&db, json!(1)).await;
    let slow = tokio::spawn(async move { slow.run_due().await });
    with_timeout(started.recv()).await.unwrap();
    assert_eq!(other.run_due().await, 0);
    assert_eq!(database.scalar("SELECT locked_until > now() + interval '10 seconds' FROM jobs").await, "t");
    // As if the process of the first worker had ended.
    database.sql("UPDATE jobs SET locked_until = now()").await;
    assert_eq!((other.run_due().await, seen.lock().unwrap().len()), (1, 1));
    gate.add_permits(1);
    assert_eq!(with_timeout(slow).await.unwrap(), 1);
    assert_eq!(database.scalar(COUNT).await, "0");
}

#[tokio::test]
async fn worker_that_lost_the_lease_cannot_report_a_failure() {
    let (database, db) = TestDb::with_handle().await;
    queue(&db, json!(1)).await;
    let first = claim(&db).await.unwrap();
    assert!(claim(&db).await.is_none());
    database.sql("UPDATE jobs SET locked_until = now()").await;
    let second = claim(&db).await.unwrap();
    assert_eq!((first.id, first.attempts, second.attempts), (second.id, 1, 2));
    let failure = Failure::Final("too late".to_owned());
    db.transaction(async |conn| store::fail(conn, &first, &failure, None).await).await.unwrap();
    let holds = "SELECT concat_ws(' ', state, locked_until > now(), last_error) FROM jobs";
    assert_eq!(database.scalar(holds).await, "queued t");
    // A completed job is deleted, whichever worker completed it.
    db.transaction(async |conn| store::complete(conn, &first).await).await.unwrap();
    assert_eq!(database.scalar(COUNT).await, "0");
    db.transaction(async |conn| store::fail(conn, &second, &failure, None).await).await.unwrap();
}

#[tokio::test]
async fn job_that_crashes_the_process_is_finally_dead() {
    let (database, db) = TestDb::with_handle().await;
    queue(&db, json!(1)).await;
    for _ in 0..MAX_ATTEMPTS {
        assert!(claim(&db).await.is_some());
        database.sql("UPDATE jobs SET locked_until = now()").await;
    }
    let (worker, seen) = worker_returning(&db, Ok(()));
    assert_eq!(worker.run_due().await, 1);
    assert!(seen.lock().unwrap().is_empty(), "the job is not run again");
    assert_eq!(database.scalar("SELECT state || ' ' || last_error FROM jobs").await, "dead no attempt ever finished");
}

#[tokio::test]
async fn worker_runs_jobs_concurrently_and_finishes_them_on_stop() {
    let (database, db) = TestDb::with_handle().await;
    let (worker, mut started, gate) = blocking_worker(&db);
    let (stop, worker) = spawn_worker(worker);
    for number in 0..6 {
        queue(&db, json!(number)).await;
    }
    for _ in 0..4 {
        with_timeout(started.recv()).await.unwrap();
    }
    let claimed = "SELECT count(*) FROM jobs WHERE locked_until > now()";
    assert_eq!(database.scalar(claimed).await, "4");
    // When one job ends, the next starts.
    gate.add_permits(1);
    with_timeout(started.recv()).await.unwrap();
    assert_eq!((database.scalar(claimed).await, database.scalar(COUNT).await), ("4".to_owned(), "5".to_owned()));
    stop.send(()).unwrap();
    assert!(!worker.is_finished());
    gate.add_permits(10);
    with_timeout(worker).await.unwrap();
    // The sixth job may have started before the stop; no job is left unfinished.
    assert_eq!(database.scalar(claimed).await, "0");
    let ran = 5 + usize::from(started.try_recv().is_ok());
    assert_eq!(database.scalar(COUNT).await, (6 - ran).to_string());
}

#[tokio::test]
async fn worker_resumes_when_the_database_is_back() {
    let mut database = TestDb::new().await;
    let door = Proxy::start(&database.url).await;
    let settings = DbSettings { read_connections: 1, pool_size: 2, ..DbSettings::default() };
    let direct = std::mem::replace(&mut database.db, Db::connect(&door.url, &settings).await.unwrap());
    let done = Arc::new(AtomicUsize::new(0));
    let (counted, shut) = (Arc::clone(&done), Arc::new(door));
    let kept = Arc::clone(&shut);
    let worker = Worker::new(database.db.clone()).on("test", move |job: JobRow| {
        counted.fetch_add(1, Ordering::SeqCst);
        if job.payload == json!("the lights go out") {
            kept.close();
        }
        std::future::ready(Ok::<_, Error>(()))
    });
    let (stop, worker) = spawn_worker(worker);
    queue(&direct, json!("one")).await;
    wait_until(&database, COUNT, "0").await;
    // While the database is down, jobs queued elsewhere wait.
    shut.close();
    queue(&direct, json!("two")).await;
    assert_eq!(database.scalar(COUNT).await, "1");
    shut.open();
    wait_until(&database, COUNT, "0").await;
    // The connection is lost after the job's work, before its completion is recorded: it is recorded later, without
    // running the job again.
    queue(&direct, json!("the lights go out")).await;
    wait_until(&database, "SELECT count(*) FROM jobs WHERE locked_until IS NOT NULL", "1").await;
    with_timeout(async {
        while done.load(Ordering::SeqCst) < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(database.scalar(COUNT).await, "1");
    shut.open();
    wait_until(&database, COUNT, "0").await;
    assert_eq!(done.load(Ordering::SeqCst), 3);
    stop.send(()).unwrap();
    with_timeout(worker).await.unwrap();
}

#[tokio::test]
async fn jobs_of_a_user_can_be_deleted() {
    let app = TestApp::new().await;
    let (eve, bob) = (app.customer().await.id, app.customer().await.id);
    let db = &app.database.db;
    for user_id in [Some(eve), Some(eve), Some(bob), None] {
        let new = NewJob { user_id, ..job(json!(1)) };
        db.transaction(async |conn| store::enqueue(conn, &new).await).await.unwrap();
    }
    app.database.sql("UPDATE jobs SET state = 'dead' WHERE id = (SELECT min(id) FROM jobs)").await;
    assert_eq!(db.transaction(async |conn| store::delete_of_user(conn, eve).await).await.unwrap(), 2);
    let left = "SELECT string_agg(coalesce(user_id::text, '-'), ' ' ORDER BY id) FROM jobs";
    assert_eq!(app.database.scalar(left).await, format!("{} -", bob.0));
}

#[tokio::test]
async fn due_jobs_are_found_by_index() {
    let (database, db) = TestDb::with_handle().await;
    let many = "INSERT INTO jobs (kind, payload, state, run_at)
        SELECT 'test', '{}', CASE WHEN n % 2 = 0 THEN 'dead' ELSE 'queued' END, now() + n * interval '1 minute'
        FROM generate_series(1, 20000) n; ANALYZE jobs";
    database.sql(many).await;
    queue(&db, json!("due")).await;
    let recorder = StatementRecorder::with_texts();
    assert!(recorder.clone().scope(claim(&db)).await.is_some());
    let statements = recorder.texts();
    let session = Psql::connect(&database.url).await;
    session.rows("SET plan_cache_mode = force_generic_plan").await;
    for (number, verb) in ["SELECT ", "UPDATE "].into_iter().enumerate() {
        let sql = statements.iter().find(|sql| sql.starts_with(verb)).unwrap_or_else(|| panic!("{statements:?}"));
        let sql = sql.split(" -- binds:").next().unwrap();
        // The types of the arguments of `unnest` cannot be inferred.
        let types = ["(text[], bigint, bigint)", ""][number];
        session.rows(&format!("PREPARE claim{number} {types} AS {sql}")).await;
        let arguments = vec!["NULL"; sql.matches('$').count()].join(", ");
        let plan = session.column(&format!("EXPLAIN (COSTS OFF) EXECUTE claim{number} ({arguments})")).await.join("\n");
        let index = ["jobs_due_idx", "jobs_pkey"][number];
        assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{plan}");
    }
}
