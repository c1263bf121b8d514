//! Jobs that may take hours: they stop with their worker and do not block other jobs.

use souk::jobs::{model::Failure, worker::Worker};

use crate::support::TestDb;

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
    assert_eq!(database.scalar(left).await, "long 1 the server stopped, long 1 the server stopped, long 0");
}
