//! A fair queue: a fixed number of places, for which the work of many clients waits.
//! Rule: free places go to the waiting clients in turn, one piece of work each, so that a client with much work delays its
//! own work only. The queue is bounded, in total and for each client.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

use super::{Client, ClientKey};

/// The sizes of a queue.
#[derive(Debug, Clone, Copy)]
pub struct QueueLimits {
    /// Pieces of work that run at the same time.
    pub running: usize,
    /// Pieces of work of one client that run at the same time. Clients that are exempt have no such limit.
    pub running_per_client: usize,
    /// Pieces of work that wait.
    pub waiting: usize,
    /// Pieces of work of one client that wait. Clients that are exempt have no such limit.
    pub waiting_per_client: usize,
}

/// The queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueFull {
    /// With work of this client.
    Client,
    /// With work of many clients.
    All,
}

/// Places for work, and the work that waits for them. Clones share them.
#[derive(Clone)]
pub struct FairQueue(Arc<Inner>);

struct Inner {
    limits: QueueLimits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: usize,
    clients: HashMap<ClientKey, ClientState>,
    /// Clients with waiting work; the next one that may run more is served first.
    turns: VecDeque<ClientKey>,
    waiting: usize,
}

#[derive(Default)]
struct ClientState {
    is_exempt: bool,
    running: usize,
    waiting: VecDeque<oneshot::Sender<Place>>,
}

/// The right to run, until it is dropped.
pub struct Place(Option<(FairQueue, ClientKey)>);

impl FairQueue {
    /// Creates a queue without work.
    pub fn new(limits: QueueLimits) -> Self {
        Self(Arc::new(Inner { limits, state: Mutex::default() }))
    }

    /// Waits for a place.
    /// # Errors
    /// Returns [`QueueFull`] at once if too much work waits already.
    pub async fn enter(&self, client: Client) -> Result<Place, QueueFull> {
        match self.enter_or_wait(client)? {
            Entry::Place(place) => Ok(place),
            // The queue keeps the sender until it sends the place.
            Entry::Position(mut position) => position.place().await.ok_or(QueueFull::All),
        }
    }

    /// Takes a free place, or a position in the queue.
    fn enter_or_wait(&self, client: Client) -> Result<Entry, QueueFull> {
        let limits = &self.0.limits;
        let mut guard = self.state();
        let state = &mut *guard;
        let entry = state.clients.entry(client.key).or_default();
        entry.is_exempt = client.is_exempt;
        if state.running < limits.running && entry.may_run(limits) {
            entry.running += 1;
            state.running += 1;
            return Ok(Entry::Place(Place(Some((self.clone(), client.key)))));
        }
        let full = match (state.waiting >= limits.waiting, client.is_exempt) {
            (true, _) => Some(QueueFull::All),
            (false, false) if entry.waiting.len() >= limits.waiting_per_client => Some(QueueFull::Client),
            _ => None,
        };
        if let Some(full) = full {
            state.forget_if_idle(client.key);
            return Err(full);
        }
        let (sender, receiver) = oneshot::channel();
        entry.waiting.push_back(sender);
        state.waiting += 1;
        if entry.waiting.len() == 1 {
            state.turns.push_back(client.key);
        }
        Ok(Entry::Position(Position { queue: self.clone(), key: client.key, receiver: Some(receiver) }))
    }

    /// Returns a place of this client, and gives free places to waiting work.
    fn leave(&self, key: ClientKey) {
        let mut guard = self.state();
        let state = &mut *guard;
        state.running -= 1;
        if let Some(client) = state.clients.get_mut(&key) {
            client.running -= 1;
        }
        state.forget_if_idle(key);
        while state.running < self.0.limits.running && self.serve_next(state) {}
    }

    /// Gives a place to the next client in turn that may run more. Returns whether there was one.
    fn serve_next(&self, state: &mut State) -> bool {
        let may_run = |key: &ClientKey| state.clients.get(key).is_some_and(|client| client.may_run(&self.0.limits));
        let Some(turn) = state.turns.iter().position(may_run) else { return false };
        let Some(key) = state.turns.remove(turn) else { return false };
        let Some(client) = state.clients.get_mut(&key) else { return false };
        while let Some(sender) = client.waiting.pop_front() {
            state.waiting -= 1;
            match sender.send(Place(Some((self.clone(), key)))) {
                Ok(()) => {
                    client.running += 1;
                    state.running += 1;
                    break;
                }
                // Its receiver is gone. The place must not be returned, because it was not taken.
                Err(mut place) => place.0 = None,
            }
        }
        if !client.waiting.is_empty() {
            state.turns.push_back(key);
        }
        state.forget_if_idle(key);
        true
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets a client without work, so that the number of clients is bounded by the work.
    fn forget_if_idle(&mut self, key: ClientKey) {
        if self.clients.get(&key).is_some_and(|client| client.running == 0 && client.waiting.is_empty()) {
            self.clients.remove(&key);
        }
    }
}

impl ClientState {
    fn may_run(&self, limits: &QueueLimits) -> bool {
        self.is_exempt || self.running < limits.running_per_client
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((queue, key)) = self.0.take() {
            queue.leave(key);
        }
    }
}

/// What work gets that enters a queue.
enum Entry {
    Place(Place),
    Position(Position),
}

/// A position in the queue, which is given up when it is dropped.
struct Position {
    queue: FairQueue,
    key: ClientKey,
    receiver: Option<oneshot::Receiver<Place>>,
}

impl Position {
    async fn place(&mut self) -> Option<Place> {
        self.receiver.as_mut()?.await.ok()
    }
}

impl Drop for Position {
    fn drop(&mut self) {
        // First, because a place that was sent meanwhile is returned, which locks the queue.
        drop(self.receiver.take());
        let mut guard = self.queue.state();
        let State { clients, turns, waiting, .. } = &mut *guard;
        let Some(client) = clients.get_mut(&self.key) else { return };
        let before = client.waiting.len();
        client.waiting.retain(|sender| !sender.is_closed());
        *waiting -= before - client.waiting.len();
        if client.waiting.is_empty() {
            turns.retain(|key| *key != self.key);
        }
        guard.forget_if_idle(self.key);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::{ids::UserId, limits::ClientClass};

    const LIMITS: QueueLimits = QueueLimits { running: 3, running_per_client: 2, waiting: 5, waiting_per_client: 3 };

    fn client(id: i64) -> Client {
        Client { key: ClientKey::User(UserId(id)), class: ClientClass::Customer, is_exempt: false }
    }

    /// Enters without waiting.
    fn place(queue: &FairQueue, id: i64) -> Option<Place> {
        queue.enter(client(id)).now_or_never().and_then(Result::ok)
    }

    /// Starts to wait.
    async fn wait(queue: &FairQueue, id: i64, log: &Arc<Mutex<Vec<i64>>>) -> tokio::task::JoinHandle<()> {
        let waiting = queue.state().waiting;
        let (entered, log) = (queue.clone(), Arc::clone(log));
        let task = tokio::spawn(async move {
            let place = entered.enter(client(id)).await;
            assert!(place.is_ok());
            log.lock().unwrap().push(id);
        });
        while queue.state().waiting == waiting {
            tokio::task::yield_now().await;
        }
        task
    }

    #[tokio::test]
    async fn a_client_with_much_work_delays_its_own_only() {
        let queue = FairQueue::new(LIMITS);
        let log = Arc::default();
        let greedy = [place(&queue, 1), place(&queue, 1)].map(Option::unwrap);
        assert!(place(&queue, 1).is_none(), "one client takes all places");
        let other = place(&queue, 2).expect("a place that one client cannot take");
        let mut waiting = Vec::new();
        for id in [1, 1, 1, 3, 2] {
            waiting.push(wait(&queue, id, &log).await);
        }
        assert_eq!(queue.enter(client(4)).await.err(), Some(QueueFull::All));
        drop(other);
        // The places of the first client stay taken, so the others share the one that is free.
        for task in waiting.drain(3..) {
            task.await.unwrap();
        }
        assert_eq!(*log.lock().unwrap(), [3, 2]);
        assert_eq!(queue.enter(client(1)).await.err(), Some(QueueFull::Client));
        drop(greedy);
        for task in waiting {
            task.await.unwrap();
        }
        assert_eq!(*log.lock().unwrap(), [3, 2, 1, 1, 1]);
        let state = queue.state();
        assert_eq!((state.running, state.waiting, state.clients.len(), state.turns.len()), (0, 0, 0, 0));
    }

    #[tokio::test]
    async fn abandoned_work_gives_up_its_position() {
        let queue = FairQueue::new(LIMITS);
        let log = Arc::default();
        let taken = [1, 1, 2].map(|id| place(&queue, id).unwrap());
        let abandoned = wait(&queue, 3, &log).await;
        let served = wait(&queue, 4, &log).await;
        abandoned.abort();
        assert!(abandoned.await.unwrap_err().is_cancelled());
        assert_eq!(queue.state().waiting, 1);
        drop(taken);
        served.await.unwrap();
        assert_eq!(*log.lock().unwrap(), [4]);
        assert_eq!(queue.state().running, 0);
    }

    #[tokio::test]
    async fn exempt_clients_share_the_total_only() {
        let queue = FairQueue::new(LIMITS);
        let places: Vec<_> = (0..3).map(|_| queue.enter(Client::SERVER).now_or_never()).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(queue.enter(Client::SERVER).now_or_never().is_none());
    }
}
