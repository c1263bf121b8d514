//! Loads of several operations that share a statement. The statements are functions here, which end when the test says so.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all, poll_immediate},
};
use souk::db::recorder::StatementRecorder;
use souk::error::{Error, Result};
use souk::graphql::engine::shared_loads::SharedLoads;
use tokio::{runtime::Builder, sync::oneshot};

/// A loader.
struct Names;

type Loads = Arc<SharedLoads<&'static str>>;
type Found = Result<HashMap<i64, String>>;

/// A statement that has been sent, with the sender of its result.
type Sent = (Vec<i64>, oneshot::Sender<Result<()>>);

/// The statements that run.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<Vec<Sent>>>);

impl Statements {
    fn fetch(&self, keys: Vec<i64>) -> BoxFuture<'static, Found> {
        let (sender, result) = oneshot::channel();
        self.0.lock().expect("a lock").push((keys.clone(), sender));
        let found = async move {
            result.await.expect("a result")?;
            Ok(keys.into_iter().filter(|key| *key > 0).map(|key| (key, format!("name {key}"))).collect())
        };
        found.boxed()
    }

    fn load(&self, loads: &Loads, viewer: &'static str, keys: &[i64]) -> BoxFuture<'static, Found> {
        let (statements, loads, keys) = (self.clone(), Arc::clone(loads), keys.to_vec());
        let load = loads.load::<Names, _, _>(viewer, keys, move |keys| statements.fetch(keys));
        load.boxed()
    }

    /// Returns the keys of the statements that run, sorted.
    fn running(&self) -> Vec<Vec<i64>> {
        let sorted = |(keys, _): &Sent| {
            let mut keys = keys.clone();
            keys.sort_unstable();
            keys
        };
        self.0.lock().expect("a lock").iter().map(sorted).collect()
    }

    /// Ends the statement that was sent first.
    fn end(&self, result: Result<()>) {
        let (_, sender) = self.0.lock().expect("a lock").remove(0);
        sender.send(result).expect("a statement that runs");
    }
}

/// Starts loads of one key each, and returns them while they wait.
async fn start(
    statements: &Statements,
    loads: &Loads,
    keys: impl IntoIterator<Item = i64>,
) -> Vec<BoxFuture<'static, Found>> {
    let mut started: Vec<_> = keys.into_iter().map(|key| statements.load(loads, "public", &[key])).collect();
    for load in &mut started {
        assert!(poll_immediate(load).await.is_none());
    }
    started
}

fn named(keys: &[i64]) -> HashMap<i64, String> {
    keys.iter().map(|key| (*key, format!("name {key}"))).collect()
}

#[tokio::test]
async fn loads_that_start_while_two_statements_run_share_the_next_one() {
    let (statements, loads) = (Statements::default(), Loads::default());
    let mut started = start(&statements, &loads, 1..=5).await;
    assert_eq!(statements.running(), [[1], [2]]);
    statements.end(Ok(()));
    assert_eq!(started.remove(0).await.expect("values"), named(&[1]));
    tokio::task::yield_now().await;
    assert_eq!(statements.running(), [vec![2], vec![3, 4, 5]]);
    // The statement that has started is not shared with a later load.
    let mut later = start(&statements, &loads, [6]).await;
    assert_eq!(statements.running(), [vec![2], vec![3, 4, 5]]);
    statements.end(Ok(()));
    statements.end(Ok(()));
    let found = join_all(started).await;
    for (key, found) in (2..).zip(found) {
        assert_eq!(found.expect("values"), named(&[key]));
    }
    tokio::task::yield_now().await;
    assert_eq!(statements.running(), [[6]]);
    statements.end(Ok(()));
    assert_eq!(later.remove(0).await.expect("values"), named(&[6]));
}

#[tokio::test]
async fn key_of_several_loads_is_read_once() {
    let (statements, loads) = (Statements::default(), Loads::default());
    let mut started = start(&statements, &loads, [1, 2, 3, 3]).await;
    for _ in 0..2 {
        statements.end(Ok(()));
        started.remove(0).await.expect("values");
    }
    tokio::task::yield_now().await;
    assert_eq!(statements.running(), [[3]]);
    statements.end(Ok(()));
    for load in started {
        assert_eq!(load.await.expect("values"), named(&[3]));
    }
}

#[tokio::test]
async fn shared_statement_starts_even_if_it_is_full_and_others_run() {
    let (statements, loads) = (Statements::default(), Loads::default());
    let mut started = start(&statements, &loads, 1..=2).await;
    let many: Vec<i64> = (100..600).collect();
    let mut full = statements.load(&loads, "public", &many);
    assert!(poll_immediate(&mut full).await.is_none());
    // It does not fit into the next statement.
    let _third = start(&statements, &loads, [3]).await;
    assert_eq!(statements.running(), [[1], [2], [3]]);
    statements.end(Ok(()));
    started.remove(0).await.expect("values");
    tokio::task::yield_now().await;
    assert_eq!(statements.running().last().map(Vec::len), Some(many.len()));
}

#[tokio::test]
async fn loads_fail_if_their_statement_panics_and_the_next_one_runs() {
    let (statements, loads) = (Statements::default(), Loads::default());
    let mut started = start(&statements, &loads, [1, 2]).await;
    let mut failing = Arc::clone(&loads).load::<Names, i64, String>("public", vec![3], |_| panic!("a panic")).boxed();
    assert!(poll_immediate(&mut failing).await.is_none());
    statements.end(Ok(()));
    started.remove(0).await.expect("values");
    assert!(matches!(failing.await, Err(Error::Internal(_))));
    let mut next = start(&statements, &loads, [4]).await;
    assert_eq!(statements.running(), [[2], [4]]);
    statements.end(Ok(()));
    statements.end(Ok(()));
    assert_eq!(next.remove(0).await.expect("values"), named(&[4]));
}

#[test]
fn runtime_shuts_down_while_loads_wait() {
    let (ended, has_ended) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
        let (statements, loads) = (Statements::default(), Loads::default());
        let tasks = (1..=3).map(|key| runtime.spawn(statements.load(&loads, "public", &[key])));
        let tasks: Vec<_> = tasks.collect();
        runtime.block_on(async {
            while statements.running().len() < 2 {
                tokio::task::yield_now().await;
            }
        });
        drop((tasks, runtime));
        ended.send(()).expect("a receiver");
    });
    has_ended.recv_timeout(Duration::from_secs(60)).expect("the runtime shuts down");
}

#[tokio::test]
async fn other_viewers_do_not_share_statements() {
    let (statements, loads) = (Statements::default(), Loads::default());
    let _started = start(&statements, &loads, [1, 2]).await;
    let mut other = statements.load(&loads, "staff", &[3]);
    assert!(poll_immediate(&mut other).await.is_none());
    assert_eq!(statements.running(), [[1], [2], [3]]);
}

#[tokio::test]
async fn next_statement_starts_when_an_operation_ends_early() {
    let (statements, loads) = (Statements::default(), Loads::default());
    let mut started = start(&statements, &loads, 1..=3).await;
    drop(started.remove(0));
    tokio::task::yield_now().await;
    assert_eq!(statements.running(), [[1], [2], [3]]);
    // Nobody waits for the shared statement any more; further loads still run.
    started.clear();
    tokio::task::yield_now().await;
    let mut further = start(&statements, &loads, [4]).await;
    for (_, sender) in mem::take(&mut *statements.0.lock().expect("a lock")) {
        // Two of them were dropped.
        let _ = sender.send(Ok(()));
    }
    assert_eq!(further.remove(0).await.expect("values"), named(&[4]));
}

#[tokio::test]
async fn error_of_a_shared_statement_reaches_each_of_its_loads() {
    let (statements, loads) = (Statements::default(), Loads::default());
    let mut started = start(&statements, &loads, 1..=4).await;
    statements.end(Ok(()));
    started.remove(0).await.expect("values");
    tokio::task::yield_now().await;
    statements.end(Ok(()));
    started.remove(0).await.expect("values");
    statements.end(Err(Error::Unavailable("the connection was lost".into())));
    for failed in started {
        assert!(matches!(failed.await, Err(Error::Unavailable(_))));
    }
}

#[tokio::test]
async fn keys_without_a_value_are_left_out_and_many_keys_are_not_shared() {
    let (statements, loads) = (Statements::default(), Loads::default());
    let mut started = start(&statements, &loads, [1, 2, -3, 4]).await;
    let many: Vec<i64> = (1_000..2_000).collect();
    let mut large = statements.load(&loads, "public", &many);
    assert!(poll_immediate(&mut large).await.is_none());
    assert_eq!(statements.running(), [vec![1], vec![2], many.clone()]);
    for _ in 0..3 {
        statements.end(Ok(()));
    }
    assert_eq!(large.await.expect("values"), named(&many));
    for load in started.drain(..2) {
        load.await.expect("values");
    }
    tokio::task::yield_now().await;
    assert_eq!(statements.running(), [[-3, 4]]);
    statements.end(Ok(()));
    assert_eq!(started.remove(0).await.expect("values"), HashMap::new());
    assert_eq!(started.remove(0).await.expect("values"), named(&[4]));
}

#[tokio::test]
async fn each_operation_counts_the_statement_that_it_shares() {
    let (statements, loads) = (Statements::default(), Loads::default());
    let mut started = start(&statements, &loads, 1..=3).await;
    let recorder = StatementRecorder::default();
    let mut joined = recorder.clone().scope(statements.load(&loads, "public", &[4])).boxed();
    assert!(poll_immediate(&mut joined).await.is_none());
    statements.end(Ok(()));
    started.remove(0).await.expect("values");
    tokio::task::yield_now().await;
    statements.end(Ok(()));
    statements.end(Ok(()));
    assert_eq!(joined.await.expect("values"), named(&[4]));
    assert_eq!((recorder.statements(), recorder.round_trips()), (1, 1));
}
