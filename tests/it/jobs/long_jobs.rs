//! Jobs that may take hours: they stop with their worker, go on soon after it was killed, and do not block other jobs.

use souk::jobs::{model::Failure, worker::Worker};

use crate::{
    jobs::queue::{spawn_worker, wait_until, with_timeout},
    support::TestDb,
};

#[tokio::test]
async fn long_job_ends_with_its_worker_and_does_not_block_others() {
    let database = TestDb::new().await;
    let queue =
        "INSERT INTO jobs (kind, payload) SELECT kind, '{}' FROM unnest(ARRAY['long', 'long', 'long', 'short']) kind";
    database.sql(queue).await;
    let (ran, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let worker = Worker::new(database.db.clone())
        .on_long("long", {
            let ran = ran.clone();
            move |_| {
                let ran = ran.clone();
                async move {
                    ran.send("long").unwrap();
                    std::future::pending::<Result<(), Failure>>().await
                }
            }
        })
        .on("short", move |_| {
            let ran = ran.clone();
            async move {
                ran.send("short").unwrap();
                Ok::<_, Failure>(())
            }
        });
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let working = tokio::spawn(async move { worker.run(async { drop(stopped.await) }).await });
    let mut seen = Vec::new();
    while seen.len() < 3 {
        seen.push(heard.recv().await.unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, ["long", "long", "short"]);
    stop.send(()).unwrap();
    working.await.unwrap();
    let left = "SELECT string_agg(concat_ws(' ', kind, attempts, last_error), ', ' ORDER BY id) FROM jobs";
    assert_eq!(database.scalar(left).await, "long 0, long 0, long 0", "as if they had not been claimed");
}

#[tokio::test]
async fn lease_of_a_running_job_is_short_and_renewed() {
    let database = TestDb::new().await;
    database.sql("INSERT INTO jobs (kind, payload) VALUES ('long', '{}'), ('short', '{}')").await;
    let waiting = |_| std::future::pending::<Result<(), Failure>>();
    let worker = Worker::new(database.db.clone()).on_long("long", waiting).on("short", waiting);
    let (stop, worker) = spawn_worker(worker);
    let claimed = "SELECT count(*) FROM jobs WHERE locked_until IS NOT NULL";
    wait_until(&database, claimed, "2").await;
    // If the server were killed now, another one would claim its jobs within half a minute.
    let soon = "SELECT bool_and(locked_until < now() + interval '29 seconds') FROM jobs";
    assert_eq!(database.scalar(soon).await, "t");
    database.sql("UPDATE jobs SET locked_until = now() + interval '9 seconds'").await;
    wait_until(&database, "SELECT bool_and(locked_until > now() + interval '10 seconds') FROM jobs", "t").await;
    // A worker that has lost its lease gives up.
    database.sql("UPDATE jobs SET attempts = attempts + 1").await;
    stop.send(()).unwrap();
    with_timeout(worker).await.unwrap();
    assert_eq!(database.scalar("SELECT string_agg(attempts::text, ' ') FROM jobs").await, "2 2");
}

#[tokio::test]
async fn recurring_job_is_interrupted_with_its_worker_and_stays_due() {
    let database = TestDb::new().await;
    let (started, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let worker = Worker::new(database.db.clone()).every("tick", std::time::Duration::from_secs(3600), move |_| {
        started.send(()).unwrap();
        std::future::pending::<Result<(), Failure>>()
    });
    let (stop, worker) = spawn_worker(worker);
    with_timeout(heard.recv()).await.unwrap();
    stop.send(()).unwrap();
    with_timeout(worker).await.unwrap();
    let left = "SELECT concat_ws(' ', attempts, locked_until, last_error, run_at <= now()) FROM jobs";
    assert_eq!(database.scalar(left).await, "0 t");
}
