//! Batching: all loads that the fields of an operation request in one step are executed as one statement per loader.
//! Rule: a step ends when every field of the operation is waiting. Batches are dispatched at the end of a step and
//! their results are delivered together at the start of the next one, so neither thread timing nor a spurious wake-up
//! splits a batch.

use std::{
    collections::HashMap,
    fmt::Debug,
    future::poll_fn,
    hash::Hash,
    mem,
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
};

use dataloader::{BatchFn, non_cached::Loader};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, try_join_all},
    task::AtomicWaker,
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{
    db::recorder::StatementRecorder,
    error::{Error, Result},
    limits::Client,
    sync::lock,
};

/// Maximum number of keys of one statement.
const MAX_KEYS: usize = 10_000;

/// Collects and dispatches the batches of one operation. Clones belong to the same operation.
#[derive(Clone, Default)]
pub struct Dispatcher(Arc<Inner>);

#[derive(Default)]
struct Inner {
    operation_waker: Arc<OperationWaker>,
    state: Mutex<State>,
}

type Callback = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    /// The operation is being run, so results can be delivered at its next step.
    is_running: bool,
    /// The operation is being polled at this moment.
    is_polling: bool,
    /// Batches to dispatch when the step ends.
    pending_dispatches: Vec<Callback>,
    /// Results to deliver when the next step begins.
    pending_deliveries: Vec<Callback>,
    /// Canceled when the operation ends: batches that are still running then have nobody to wait for them.
    ended: CancellationToken,
}

/// Wakes the operation's task and records that it was woken.
#[derive(Default)]
struct OperationWaker {
    is_woken: AtomicBool,
    task_waker: AtomicWaker,
}

impl Wake for OperationWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_woken.store(true, Ordering::Release);
        self.task_waker.wake();
    }
}

impl Dispatcher {
    /// Runs the operation whose loads this dispatcher batches. When it ends or is dropped, its batches are dropped too.
    pub async fn run<F: Future>(&self, operation: F) -> F::Output {
        let _end = OperationEnd(self);
        let mut operation = pin!(operation);
        let operation_waker = &self.0.operation_waker;
        let waker = Waker::from(Arc::clone(operation_waker));
        poll_fn(|context| {
            operation_waker.task_waker.register(context.waker());
            self.begin_poll().into_iter().for_each(|deliver| deliver());
            operation_waker.is_woken.store(false, Ordering::Release);
            let polled = operation.as_mut().poll(&mut Context::from_waker(&waker));
            // Long lists yield and wake themselves; the step then continues with the next poll.
            let is_idle = polled.is_ready() || !operation_waker.is_woken.load(Ordering::Acquire);
            self.end_poll(polled.is_ready(), is_idle).into_iter().for_each(|send| send());
            polled
        })
        .await
    }

    fn begin_poll(&self) -> Vec<Callback> {
        let mut state = lock(&self.0.state);
        state.is_running = true;
        state.is_polling = true;
        mem::take(&mut state.pending_deliveries)
    }

    fn end_poll(&self, is_finished: bool, is_idle: bool) -> Vec<Callback> {
        let mut state = lock(&self.0.state);
        state.is_running = !is_finished;
        state.is_polling = false;
        if is_idle { mem::take(&mut state.pending_dispatches) } else { Vec::new() }
    }

    /// Dispatches a batch when the step ends, or immediately outside of a step, where no other load could join it.
    fn dispatch(&self, callback: Callback) {
        let mut state = lock(&self.0.state);
        if state.is_polling {
            state.pending_dispatches.push(callback);
        } else {
            drop(state);
            callback();
        }
    }

    /// Delivers a result when the next step begins, or immediately if the operation is not being run.
    fn deliver(&self, callback: Callback) {
        let mut state = lock(&self.0.state);
        if state.is_running {
            state.pending_deliveries.push(callback);
            drop(state);
            self.0.operation_waker.wake_by_ref();
        } else {
            drop(state);
            callback();
        }
    }
}

/// Ends the operation when it is dropped.
struct OperationEnd<'a>(&'a Dispatcher);

impl Drop for OperationEnd<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.0.0.state);
        state.is_running = false;
        let ended = mem::take(&mut state.ended);
        drop(state);
        ended.cancel();
    }
}

/// The key of a loader.
pub trait LoaderKey: Eq + Hash + Clone + Debug + Send + Sync + 'static {}
impl<K: Eq + Hash + Clone + Debug + Send + Sync + 'static> LoaderKey for K {}

/// The value of a loader.
pub trait LoaderValue: Clone + Send + Sync + 'static {}
impl<V: Clone + Send + Sync + 'static> LoaderValue for V {}

/// All values of a batch, or the batch's error.
type BatchResult<K, V> = Arc<Result<HashMap<K, V>>>;
type FetchFn<K, V> = Arc<dyn Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>>> + Send + Sync>;

/// The batch function of the `dataloader` crate, which deduplicates keys, splits batches by size and maps results to
/// keys.
struct BatchFetcher<K, V>(FetchFn<K, V>);

impl<K: LoaderKey, V: LoaderValue> BatchFn<K, Result<Option<V>>> for BatchFetcher<K, V> {
    async fn load(&mut self, keys: &[K]) -> HashMap<K, Result<Option<V>>> {
        let batch = (self.0)(keys.to_vec()).await;
        let value = |key: &K| batch.as_ref().map(|values| values.get(key).cloned()).map_err(Error::clone);
        keys.iter().map(|key| (key.clone(), value(key))).collect()
    }
}

type InnerLoader<K, V> = Loader<K, Result<Option<V>>, BatchFetcher<K, V>>;

/// The batch that further keys can join.
struct OpenBatch<K, V> {
    keys: Vec<K>,
    sender: oneshot::Sender<BatchResult<K, V>>,
    result: Shared<oneshot::Receiver<BatchResult<K, V>>>,
}

/// Loads values by key in batches.
pub struct BatchLoader<K: LoaderKey, V: LoaderValue> {
    dispatcher: Dispatcher,
    open_batch: Arc<Mutex<Option<OpenBatch<K, V>>>>,
    loader: InnerLoader<K, V>,
}

impl<K: LoaderKey, V: LoaderValue> BatchLoader<K, V> {
    /// Creates a loader that reads values with this function.
    pub fn new<F, Fut>(dispatcher: &Dispatcher, fetch: F) -> Self
    where
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<HashMap<K, V>>> + Send + 'static,
    {
        let fetch: FetchFn<K, V> = Arc::new(move |keys| fetch(keys).boxed());
        let loader = Loader::new(BatchFetcher(fetch)).with_yield_count(1).with_max_batch_size(MAX_KEYS);
        Self { dispatcher: dispatcher.clone(), open_batch: Arc::default(), loader }
    }

    /// Returns the value of a key, or `None` if the batch has no value for it.
    /// # Errors
    /// The error of the whole batch.
    pub async fn load(&self, key: K) -> Result<Option<V>> {
        let batch = self
            .join(key.clone())
            .await
            .map_err(|_| Error::Internal("a batch was dropped before it completed".into()))?;
        match &*batch {
            Ok(values) => Ok(values.get(&key).cloned()),
            Err(error) => Err(error.clone()),
        }
    }

    /// Returns the values of several keys; keys without a value are left out.
    /// # Errors
    /// The error of the whole batch.
    pub async fn load_many(&self, keys: impl IntoIterator<Item = K>) -> Result<Vec<V>> {
        Ok(try_join_all(keys.into_iter().map(|key| self.load(key))).await?.into_iter().flatten().collect())
    }

    /// Adds a key to the open batch, or opens a new batch.
    fn join(&self, key: K) -> Shared<oneshot::Receiver<BatchResult<K, V>>> {
        let mut open_batch = lock(&self.open_batch);
        if let Some(batch) = open_batch.as_mut() {
            batch.keys.push(key);
            return batch.result.clone();
        }
        let (sender, receiver) = oneshot::channel();
        let result = receiver.shared();
        *open_batch = Some(OpenBatch { keys: vec![key], sender, result: result.clone() });
        drop(open_batch);
        let (dispatcher, open_batch, loader) =
            (self.dispatcher.clone(), Arc::clone(&self.open_batch), self.loader.clone());
        self.dispatcher.dispatch(Box::new(move || dispatch_batch(&dispatcher, &open_batch, loader)));
        result
    }
}

/// Dispatches the open batch in a separate task, so that dropping one field does not cancel the others' result.
fn dispatch_batch<K: LoaderKey, V: LoaderValue>(
    dispatcher: &Dispatcher,
    open_batch: &Mutex<Option<OpenBatch<K, V>>>,
    loader: InnerLoader<K, V>,
) {
    let Some(OpenBatch { keys, sender, .. }) = lock(open_batch).take() else { return };
    let (dispatcher, ended) = (dispatcher.clone(), lock(&dispatcher.0.state).ended.clone());
    let work = async move {
        let answers = loader.try_load_many(keys).await;
        let result = answers.map_err(|error| Error::Internal(error.to_string())).and_then(collect_values);
        // The receivers may have been dropped.
        dispatcher.deliver(Box::new(move || drop(sender.send(Arc::new(result)))));
    };
    // Boxed, so that tokio's task code is compiled once instead of once per loader.
    let work = Client::current().scope(StatementRecorder::current().scope(work.boxed()));
    tokio::spawn(async move { ended.run_until_cancelled(work).await });
}

/// Returns the values that were found, or the first error.
fn collect_values<K: LoaderKey, V: LoaderValue>(answers: HashMap<K, Result<Option<V>>>) -> Result<HashMap<K, V>> {
    let values = answers.into_iter().filter_map(|(key, answer)| answer.map(|value| Some((key, value?))).transpose());
    values.collect()
}
