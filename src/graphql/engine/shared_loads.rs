//! Shared loads: under load, the loads of several operations by the same loader are executed as one statement.
//! Rule: a statement starts after all loads that it serves, and serves equal viewers only. It therefore returns what a
//! statement of each operation would have returned.

use std::{
    any::{Any, TypeId},
    collections::{HashMap, HashSet},
    ptr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use tokio::{runtime::Handle, sync::oneshot};

use super::batching::{LoaderKey, LoaderValue};
use crate::{
    db::recorder::StatementRecorder,
    error::{Error, Result},
    sync::lock,
};

/// Number of statements of one loader that run at the same time before further loads wait for the next statement.
const MAX_RUNNING: usize = 2;
/// Maximum number of keys of a statement that several operations share. Loads with more keys gain nothing by sharing.
const MAX_SHARED_KEYS: usize = 500;

/// The loads that run at this moment, by loader and viewer. `V` identifies what the viewer may see.
pub struct SharedLoads<V>(Mutex<HashMap<(TypeId, V), Arc<dyn Any + Send + Sync>>>);

impl<V> Default for SharedLoads<V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// How the keys of a statement are read.
type Fetch<K, T> = Box<dyn FnOnce(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, T>>> + Send>;
/// The result of a shared statement, and how long it took.
type Answer<K, T> = Arc<(Result<HashMap<K, T>>, Duration)>;
type Received<K, T> = Shared<oneshot::Receiver<Answer<K, T>>>;

/// The loads of one loader for one viewer.
struct Queue<K, T>(Mutex<QueueState<K, T>>);

struct QueueState<K, T> {
    running: usize,
    next: Option<NextStatement<K, T>>,
}

/// The statement that starts when one of those that run ends.
struct NextStatement<K, T> {
    keys: HashSet<K>,
    fetch: Fetch<K, T>,
    recorder: StatementRecorder,
    sender: oneshot::Sender<Answer<K, T>>,
    receiver: Received<K, T>,
}

/// How a load goes on.
enum Entry<K, T> {
    /// By a statement of its own.
    Run(Vec<K>, Fetch<K, T>),
    /// By the next statement, which this load opened, or joined after another one.
    Wait { receiver: Received<K, T>, has_joined: bool },
}

impl<V: LoaderKey> SharedLoads<V> {
    /// Reads the values of these keys, by a statement of its own or together with other loads of the loader `L` for this
    /// viewer.
    /// # Errors
    /// The error of the statement.
    pub async fn load<L: 'static, K: LoaderKey, T: LoaderValue>(
        self: Arc<Self>,
        viewer: V,
        keys: Vec<K>,
        fetch: impl FnOnce(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, T>>> + Send + 'static,
    ) -> Result<HashMap<K, T>> {
        let place = (TypeId::of::<L>(), viewer);
        let queue = self.queue(&place);
        let wanted = keys.clone();
        let (receiver, has_joined) = match queue.enter(keys, Box::new(fetch)) {
            Entry::Run(keys, fetch) => {
                let _running = Running { loads: self, place, queue };
                return fetch(keys).await;
            }
            Entry::Wait { receiver, has_joined } => (receiver, has_joined),
        };
        let answer = receiver.await;
        let answer = answer.map_err(|_| Error::Internal("a shared load was dropped before it completed".into()))?;
        let (result, duration) = &*answer;
        // The operation that opened the statement has recorded it.
        if has_joined {
            StatementRecorder::current().add_statement(*duration);
        }
        let values = result.as_ref().map_err(Error::clone)?;
        Ok(wanted.into_iter().filter_map(|key| values.get(&key).cloned().map(|value| (key, value))).collect())
    }

    fn queue<K: LoaderKey, T: LoaderValue>(&self, place: &(TypeId, V)) -> Arc<Queue<K, T>> {
        let mut queues = lock(&self.0);
        let found = queues.get(place).cloned().and_then(|queue| queue.downcast().ok());
        found.unwrap_or_else(|| {
            let queue = Arc::new(Queue(Mutex::new(QueueState { running: 0, next: None })));
            queues.insert(place.clone(), Arc::clone(&queue) as Arc<dyn Any + Send + Sync>);
            queue
        })
    }
}

impl<K: LoaderKey, T: LoaderValue> Queue<K, T> {
    fn enter(&self, keys: Vec<K>, fetch: Fetch<K, T>) -> Entry<K, T> {
        let mut state = lock(&self.0);
        let waiting = state.next.as_ref().map_or(0, |next| next.keys.len());
        if state.running < MAX_RUNNING || waiting + keys.len() > MAX_SHARED_KEYS {
            state.running += 1;
            return Entry::Run(keys, fetch);
        }
        if let Some(next) = &mut state.next {
            next.keys.extend(keys);
            return Entry::Wait { receiver: next.receiver.clone(), has_joined: true };
        }
        let (sender, receiver) = oneshot::channel();
        let receiver = receiver.shared();
        let (keys, recorder) = (keys.into_iter().collect(), StatementRecorder::current());
        state.next = Some(NextStatement { keys, fetch, recorder, sender, receiver: receiver.clone() });
        Entry::Wait { receiver, has_joined: false }
    }

    /// Ends a statement: returns the next one, which takes its place.
    fn leave(&self) -> Option<NextStatement<K, T>> {
        let mut state = lock(&self.0);
        let next = state.next.take();
        state.running -= usize::from(next.is_none());
        next
    }

    fn is_idle(&self) -> bool {
        lock(&self.0).running == 0
    }
}

/// A statement that runs. When it ends or is dropped, the next one starts.
struct Running<V: LoaderKey, K: LoaderKey, T: LoaderValue> {
    loads: Arc<SharedLoads<V>>,
    place: (TypeId, V),
    queue: Arc<Queue<K, T>>,
}

impl<V: LoaderKey, K: LoaderKey, T: LoaderValue> Drop for Running<V, K, T> {
    fn drop(&mut self) {
        let Some(next) = self.queue.leave() else {
            let mut queues = lock(&self.loads.0);
            let is_listed =
                queues.get(&self.place).is_some_and(|queue| ptr::addr_eq(Arc::as_ptr(queue), Arc::as_ptr(&self.queue)));
            if is_listed && self.queue.is_idle() {
                queues.remove(&self.place);
            }
            return;
        };
        let running =
            Self { loads: Arc::clone(&self.loads), place: self.place.clone(), queue: Arc::clone(&self.queue) };
        // Without a runtime, and on one that shuts down, the task is dropped, and its loads fail.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(run(next, running).boxed());
        }
    }
}

/// Runs a shared statement in a task of its own, so that it does not end with one of the operations.
async fn run<K: LoaderKey, T: LoaderValue>(next: NextStatement<K, T>, running: impl Send) {
    let NextStatement { keys, fetch, recorder, sender, receiver } = next;
    drop(receiver);
    if sender.is_closed() {
        return;
    }
    let started = Instant::now();
    let result = recorder.scope(fetch(keys.into_iter().collect())).await;
    drop(running);
    // The receivers may have been dropped.
    let _ = sender.send(Arc::new((result, started.elapsed())));
}
