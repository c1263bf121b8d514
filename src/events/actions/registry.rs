//! The subscribers of a server, by topic.
//! Rule: a subscriber that has not taken its events while others followed is removed, so that memory is bounded.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::{mpsc, oneshot};

use crate::events::model::{Batch, Event, EventKind, Topic};

/// Maximum number of events that wait for a subscriber.
const CAPACITY: usize = 256;

/// The subscribers.
#[derive(Default)]
pub(super) struct Registry {
    last_id: u64,
    /// Number of polls that have begun.
    pub(super) begun: u64,
    joining: Vec<Joining>,
    subscribers: HashMap<u64, Subscriber>,
    by_topic: HashMap<Topic, BTreeSet<u64>>,
    /// Number of topics by kind of event.
    by_kind: HashMap<EventKind, usize>,
}

/// A subscriber that gets the events after a poll that has not begun yet.
struct Joining {
    poll: u64,
    subscriber: Subscriber,
    joined: oneshot::Sender<(u64, Arc<Batch>)>,
}

struct Subscriber {
    topics: Box<[Topic]>,
    sender: mpsc::Sender<Arc<Event>>,
    has_lagged: Arc<AtomicBool>,
    /// ID of the last event: one of several topics is sent once.
    last_event: i64,
}

/// The receiving end of a subscriber.
pub(super) struct Joined {
    pub(super) receiver: mpsc::Receiver<Arc<Event>>,
    /// Whether events were lost, because too many were waiting.
    pub(super) has_lagged: Arc<AtomicBool>,
    /// Has the number of the subscriber, and the batch before its first event, once it gets events.
    pub(super) joined: oneshot::Receiver<(u64, Arc<Batch>)>,
}

impl Registry {
    /// Adds a subscriber, which gets the events after the next poll.
    pub(super) fn add(&mut self, topics: Box<[Topic]>) -> Joined {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let (joined_sender, joined) = oneshot::channel();
        let has_lagged = Arc::new(AtomicBool::new(false));
        let subscriber = Subscriber { topics, sender, has_lagged: Arc::clone(&has_lagged), last_event: 0 };
        self.joining.push(Joining { poll: self.begun + 1, subscriber, joined: joined_sender });
        Joined { receiver, has_lagged, joined }
    }

    /// Removes a subscriber.
    pub(super) fn remove(&mut self, id: u64) {
        let Some(subscriber) = self.subscribers.remove(&id) else { return };
        for topic in &subscriber.topics {
            let Some(ids) = self.by_topic.get_mut(topic) else { continue };
            ids.remove(&id);
            if ids.is_empty() {
                self.by_topic.remove(topic);
                for kind in topic.kinds() {
                    *self.by_kind.entry(*kind).or_default() -= 1;
                }
            }
        }
    }

    /// Returns the number of subscribers that get events.
    pub(super) fn count(&self) -> usize {
        self.subscribers.len()
    }

    /// Returns whether there are no subscribers.
    pub(super) fn is_empty(&self) -> bool {
        self.subscribers.is_empty() && self.joining.is_empty()
    }

    /// Returns the kinds of events that subscribers get.
    pub(super) fn kinds(&self) -> Vec<EventKind> {
        self.by_kind.iter().filter(|(_, topics)| **topics > 0).map(|(kind, _)| *kind).collect()
    }

    /// Sends the events of a poll, and admits those who waited for it.
    pub(super) fn dispatch(&mut self, poll: u64, batch: &Arc<Batch>, events: &[Arc<Event>]) {
        for event in events {
            self.send(event);
        }
        let (joined, joining) = std::mem::take(&mut self.joining).into_iter().partition(|new| new.poll <= poll);
        self.joining = joining;
        let joined: Vec<Joining> = joined;
        for Joining { subscriber, joined, .. } in joined {
            self.last_id += 1;
            // Nobody may be waiting any more.
            if joined.send((self.last_id, Arc::clone(batch))).is_ok() {
                self.admit(subscriber);
            }
        }
    }

    fn admit(&mut self, subscriber: Subscriber) {
        for topic in &subscriber.topics {
            let ids = self.by_topic.entry(*topic).or_default();
            if ids.is_empty() {
                for kind in topic.kinds() {
                    *self.by_kind.entry(*kind).or_default() += 1;
                }
            }
            ids.insert(self.last_id);
        }
        self.subscribers.insert(self.last_id, subscriber);
    }

    fn send(&mut self, event: &Arc<Event>) {
        let mut lagging = Vec::new();
        for topic in event.row.topics() {
            for id in self.by_topic.get(&topic).into_iter().flatten() {
                let Some(subscriber) = self.subscribers.get_mut(id) else { continue };
                if subscriber.last_event == event.row.id {
                    continue;
                }
                subscriber.last_event = event.row.id;
                if subscriber.sender.try_send(Arc::clone(event)).is_err() {
                    subscriber.has_lagged.store(true, Ordering::Release);
                    lagging.push(*id);
                }
            }
        }
        for id in lagging {
            self.remove(id);
        }
    }
}
