//! Shared loads: under load, equal loads of several operations are executed as one statement.
//! Rule: a statement starts after all loads that it serves, and serves viewers with the same rights only. It therefore
//! returns what a statement of each operation would have returned.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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

/// The values that were found, by key.
type Values<K, T> = HashMap<K, T>;
/// How the keys of a statement are read.
type Fetch<K, T> = Box<dyn FnOnce(Vec<K>) -> BoxFuture<'static, Result<Values<K, T>>> + Send>;
type Received<K, T> = Shared<oneshot::Receiver<Arc<Result<Values<K, T>>>>>;

/// The loads of one loader for one viewer.
struct Queue<K, T>(Mutex<QueueState<K, T>>);

struct QueueState<K, T> {
    running: usize,
    next: Option<NextStatement<K, T>>,
}

/// The statement that starts when one of those that run ends.
struct NextStatement<K, T> {
    keys: Vec<K>,
    fetch: Fetch<K, T>,
    recorder: StatementRecorder,
    sender: oneshot::Sender<Arc<Result<Values<K, T>>>>,
    result: Received<K, T>,
}

/// How a load goes on.
enum Entry<K, T> {
    /// By a statement of its own.
    Run(Vec<K>, Fetch<K, T>),
    /// By the next statement, which this load opened or joined.
    Opened(Received<K, T>),
    Joined(Received<K, T>),
}

impl<V: Eq + Hash + Clone + Send + Sync + 'static> SharedLoads<V> {
    /// Reads the values of these keys, by a statement of its own or together with other loads of the loader `L` for this
    /// viewer.
    /// # Errors
    /// The error of the statement.
    pub async fn load<L: 'static, K: LoaderKey, T: LoaderValue>(
        self: Arc<Self>,
        viewer: V,
        keys: Vec<K>,
        fetch: impl FnOnce(Vec<K>) -> BoxFuture<'static, Result<Values<K, T>>> + Send + 'static,
    ) -> Result<Values<K, T>> {
        let place = (TypeId::of::<L>(), viewer);
        let queue = self.queue(&place);
        let wanted = keys.clone();
        let result = match queue.enter(keys, Box::new(fetch)) {
            Entry::Run(keys, fetch) => {
                let _running = Running { loads: self, place, queue };
                return fetch(keys).await;
            }
            Entry::Opened(result) => result.await,
            Entry::Joined(result) => StatementRecorder::current().record(result).await,
        };
        let result = result.map_err(|_| Error::Internal("a shared load was dropped before it completed".into()))?;
        let values = result.as_ref().as_ref().map_err(Error::clone)?;
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
        if state.running < MAX_RUNNING || keys.len() > MAX_SHARED_KEYS {
            state.running += 1;
            return Entry::Run(keys, fetch);
        }
        match &mut state.next {
            Some(next) if next.keys.len() + keys.len() <= MAX_SHARED_KEYS => {
                next.keys.extend(keys);
                Entry::Joined(next.result.clone())
            }
            Some(_) => {
                state.running += 1;
                Entry::Run(keys, fetch)
            }
            None => {
                let (sender, receiver) = oneshot::channel();
                let result = receiver.shared();
                let recorder = StatementRecorder::current();
                state.next = Some(NextStatement { keys, fetch, recorder, sender, result: result.clone() });
                Entry::Opened(result)
            }
        }
    }
}

/// A statement that runs. When it ends or is dropped, the next one starts.
struct Running<V: Eq + Hash + Clone + Send + Sync + 'static, K: LoaderKey, T: LoaderValue> {
    loads: Arc<SharedLoads<V>>,
    place: (TypeId, V),
    queue: Arc<Queue<K, T>>,
}

impl<V: Eq + Hash + Clone + Send + Sync + 'static, K: LoaderKey, T: LoaderValue> Drop for Running<V, K, T> {
    fn drop(&mut self) {
        let mut state = lock(&self.queue.0);
        // More than usual may run if many keys were wanted at once.
        let next = if state.running > MAX_RUNNING { None } else { state.next.take() };
        // The runtime has ended if the server stops; the loads then fail.
        if let Some((next, runtime)) = next.zip(Handle::try_current().ok()) {
            let (loads, place, queue) = (Arc::clone(&self.loads), self.place.clone(), Arc::clone(&self.queue));
            runtime.spawn(run(next, Self { loads, place, queue }).boxed());
            return;
        }
        state.running -= 1;
        if state.running == 0 {
            drop(state);
            // Loads that have the queue by now still share it with each other.
            lock(&self.loads.0).remove(&self.place);
        }
    }
}

/// Runs a shared statement in a task of its own, so that it does not end with one of the operations.
async fn run<K: LoaderKey, T: LoaderValue>(next: NextStatement<K, T>, running: impl Send) {
    let NextStatement { keys, fetch, recorder, sender, .. } = next;
    let result = recorder.scope(fetch(keys)).await;
    drop(running);
    // The receivers may have been dropped.
    let _ = sender.send(Arc::new(result));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
