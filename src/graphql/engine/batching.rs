//! Batches: what the fields of an operation ask for in one step of it is one statement.
//! Rule: a step lasts until no field of the operation can go on. Statements leave when it ends and answers come in, all
//! of them at once, when the next begins: neither another thread's timing nor a spurious wake-up splits a batch.

use std::{
    collections::HashMap,
    fmt::Debug,
    future::poll_fn,
    hash::Hash,
    mem,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
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

use crate::{
    db::recorder::StatementRecorder,
    error::{Error, Result},
};

/// Most keys of one statement.
const MAX_KEYS: usize = 10_000;

/// The steps of one operation. Clones are of the same operation.
#[derive(Clone, Default)]
pub struct Steps(Arc<Operation>);

#[derive(Default)]
struct Operation {
    alarm: Arc<Alarm>,
    state: Mutex<State>,
}

type Action = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    /// Somebody runs the operation, so that answers can wait for its next step.
    is_run: bool,
    /// It is being polled right now.
    is_polled: bool,
    /// Statements that leave when the step ends.
    asked: Vec<Action>,
    /// Answers that come in when the next step begins.
    answered: Vec<Action>,
}

/// Wakes the operation, and remembers that it did.
#[derive(Default)]
struct Alarm {
    rang: AtomicBool,
    operation: AtomicWaker,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rang.store(true, Ordering::Release);
        self.operation.wake();
    }
}

impl Steps {
    /// Runs the operation whose batches these are.
    pub async fn run<F: Future>(&self, operation: F) -> F::Output {
        let mut operation = pin!(operation);
        let alarm = &self.0.alarm;
        let waker = Waker::from(Arc::clone(alarm));
        poll_fn(|context| {
            alarm.operation.register(context.waker());
            self.begin().into_iter().for_each(|deliver| deliver());
            alarm.rang.store(false, Ordering::Release);
            let polled = operation.as_mut().poll(&mut Context::from_waker(&waker));
            // Long lists pause in between and wake themselves: then the step goes on with the next poll.
            let is_over = polled.is_ready() || !alarm.rang.load(Ordering::Acquire);
            self.end(polled.is_ready(), is_over).into_iter().for_each(|send| send());
            polled
        })
        .await
    }

    fn begin(&self) -> Vec<Action> {
        let mut state = lock(&self.0.state);
        state.is_run = true;
        state.is_polled = true;
        mem::take(&mut state.answered)
    }

    fn end(&self, is_last: bool, is_over: bool) -> Vec<Action> {
        let mut state = lock(&self.0.state);
        state.is_run = !is_last;
        state.is_polled = false;
        if is_over { mem::take(&mut state.asked) } else { Vec::new() }
    }

    /// Sends a statement when the step ends; at once outside of a step, where nobody else would join it.
    fn ask(&self, send: Action) {
        let mut state = lock(&self.0.state);
        if state.is_polled {
            state.asked.push(send);
        } else {
            drop(state);
            send();
        }
    }

    /// Delivers an answer when the next step begins; at once where nobody runs the operation.
    fn answer(&self, deliver: Action) {
        let mut state = lock(&self.0.state);
        if state.is_run {
            state.answered.push(deliver);
            drop(state);
            self.0.alarm.wake_by_ref();
        } else {
            drop(state);
            deliver();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A key of a loader.
pub trait Key: Eq + Hash + Clone + Debug + Send + Sync + 'static {}
impl<K: Eq + Hash + Clone + Debug + Send + Sync + 'static> Key for K {}

/// A value of a loader.
pub trait Loaded: Clone + Send + Sync + 'static {}
impl<V: Clone + Send + Sync + 'static> Loaded for V {}

/// All answers of a batch, or its error.
type Found<K, V> = Arc<Result<HashMap<K, V>>>;
type Ask<K, V> = Arc<dyn Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>>> + Send + Sync>;

/// What the loader crate asks: it makes keys unique, cuts batches to size and gives each key its own answer.
struct Asked<K, V>(Ask<K, V>);

impl<K: Key, V: Loaded> BatchFn<K, Result<Option<V>>> for Asked<K, V> {
    async fn load(&mut self, keys: &[K]) -> HashMap<K, Result<Option<V>>> {
        let found = (self.0)(keys.to_vec()).await;
        let answer = |key: &K| found.as_ref().map(|found| found.get(key).cloned()).map_err(Error::clone);
        keys.iter().map(|key| (key.clone(), answer(key))).collect()
    }
}

type Crate<K, V> = Loader<K, Result<Option<V>>, Asked<K, V>>;

/// The batch that can still be joined.
struct Open<K, V> {
    keys: Vec<K>,
    sender: oneshot::Sender<Found<K, V>>,
    answers: Shared<oneshot::Receiver<Found<K, V>>>,
}

/// Loads values by key in batches.
pub struct Batched<K: Key, V: Loaded> {
    steps: Steps,
    open: Arc<Mutex<Option<Open<K, V>>>>,
    loader: Crate<K, V>,
}

impl<K: Key, V: Loaded> Batched<K, V> {
    /// A loader that asks by this function.
    pub fn new<F, Fut>(steps: &Steps, ask: F) -> Self
    where
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<HashMap<K, V>>> + Send + 'static,
    {
        let ask: Ask<K, V> = Arc::new(move |keys| ask(keys).boxed());
        let loader = Loader::new(Asked(ask)).with_yield_count(1).with_max_batch_size(MAX_KEYS);
        Self { steps: steps.clone(), open: Arc::default(), loader }
    }

    /// The value of a key; none where the batch found none.
    /// # Errors
    /// That of the whole batch.
    pub async fn load(&self, key: K) -> Result<Option<V>> {
        let found = self.join(key.clone()).await.map_err(|_| Error::Internal("a batch came to nothing".into()))?;
        match &*found {
            Ok(found) => Ok(found.get(&key).cloned()),
            Err(error) => Err(error.clone()),
        }
    }

    /// The values of several keys, those without a value left out.
    /// # Errors
    /// That of the whole batch.
    pub async fn load_many(&self, keys: impl IntoIterator<Item = K>) -> Result<Vec<V>> {
        Ok(try_join_all(keys.into_iter().map(|key| self.load(key))).await?.into_iter().flatten().collect())
    }

    /// Joins the open batch, or opens one.
    fn join(&self, key: K) -> Shared<oneshot::Receiver<Found<K, V>>> {
        let mut open = lock(&self.open);
        if let Some(batch) = open.as_mut() {
            batch.keys.push(key);
            return batch.answers.clone();
        }
        let (sender, receiver) = oneshot::channel();
        let answers = receiver.shared();
        *open = Some(Open { keys: vec![key], sender, answers: answers.clone() });
        drop(open);
        let (steps, open, loader) = (self.steps.clone(), Arc::clone(&self.open), self.loader.clone());
        self.steps.ask(Box::new(move || send(&steps, &open, loader)));
        answers
    }
}

/// Sends the open batch in a task of its own: a field that is dropped takes nobody's answer with it.
fn send<K: Key, V: Loaded>(steps: &Steps, open: &Mutex<Option<Open<K, V>>>, loader: Crate<K, V>) {
    let Some(Open { keys, sender, .. }) = lock(open).take() else { return };
    let steps = steps.clone();
    let work = async move {
        let answers = loader.try_load_many(keys).await;
        let found = answers.map_err(|error| Error::Internal(error.to_string())).and_then(gather);
        // Whoever asked may be gone.
        steps.answer(Box::new(move || drop(sender.send(Arc::new(found)))));
    };
    // Boxed, so that tokio's task is compiled once and not for each loader.
    tokio::spawn(StatementRecorder::current().scope(work.boxed()));
}

/// The values that were found, or the first error.
fn gather<K: Key, V: Loaded>(answers: HashMap<K, Result<Option<V>>>) -> Result<HashMap<K, V>> {
    let found = answers.into_iter().filter_map(|(key, answer)| answer.map(|value| Some((key, value?))).transpose());
    found.collect()
}
