//! The subscribers of a server, by topic.
//! Rule: a subscriber for which too many events wait gets no more until it has read the rest from the table, so that memory is
//! bounded.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, OnceLock},
    time::Instant,
};

use tokio::sync::{mpsc, oneshot};

use crate::events::model::{Event, EventKind, Topic, Window};

/// Maximum number of events that wait for a subscriber.
const CAPACITY: usize = 256;

/// What a subscriber gets.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The topics.
    pub topics: Arc<[Topic]>,
    /// Whether the subscriber also gets events that customers cannot see.
    pub internal: bool,
}

impl Wanted {
    /// Returns whether an event is wanted.
    pub fn includes(&self, event: &Event) -> bool {
        (self.internal || event.row.is_public) && event.row.topics().iter().any(|topic| self.topics.contains(topic))
    }
}

/// The subscribers.
#[derive(Default)]
pub(super) struct Registry {
    last_id: u64,
    /// Number of polls that have begun.
    pub(super) begun: u64,
    joining: HashMap<u64, Joining>,
    subscribers: HashMap<u64, Subscriber>,
    by_topic: HashMap<Topic, BTreeSet<u64>>,
    /// Number of topics by kind of event.
    by_kind: HashMap<EventKind, usize>,
}

/// A subscriber that gets the events after a poll that has not begun yet.
struct Joining {
    poll: u64,
    subscriber: Subscriber,
    joined: oneshot::Sender<Arc<Window>>,
}

struct Subscriber {
    wanted: Wanted,
    sender: mpsc::Sender<Arc<Event>>,
    overflowed: Arc<OnceLock<Instant>>,
    /// ID of the last event: one of several topics is sent once.
    last_event: i64,
}

/// The receiving end of a subscriber.
pub(super) struct Receiver {
    pub(super) id: u64,
    pub(super) events: mpsc::Receiver<Arc<Event>>,
    /// When the first event was not sent because too many were waiting. No event follows it.
    pub(super) overflowed: Arc<OnceLock<Instant>>,
    /// Has the window before the first event, once the subscriber gets events.
    pub(super) joined: oneshot::Receiver<Arc<Window>>,
}

impl Registry {
    /// Adds a subscriber, which gets the events after the next poll, until it is removed.
    pub(super) fn add(&mut self, wanted: Wanted) -> Receiver {
        let (sender, events) = mpsc::channel(CAPACITY);
        let (joined_sender, joined) = oneshot::channel();
        let overflowed = Arc::new(OnceLock::new());
        let subscriber = Subscriber { wanted, sender, overflowed: Arc::clone(&overflowed), last_event: 0 };
        self.last_id += 1;
        let joining = Joining { poll: self.begun + 1, subscriber, joined: joined_sender };
        self.joining.insert(self.last_id, joining);
        Receiver { id: self.last_id, events, overflowed, joined }
    }

    /// Removes a subscriber.
    pub(super) fn remove(&mut self, id: u64) {
        self.joining.remove(&id);
        let Some(subscriber) = self.subscribers.remove(&id) else { return };
        for topic in subscriber.wanted.topics.iter() {
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
    pub(super) fn dispatch(&mut self, poll: u64, window: &Arc<Window>, events: &[Arc<Event>]) {
        for event in events {
            self.send(event);
        }
        let joined: Vec<_> = self.joining.extract_if(|_, joining| joining.poll <= poll).collect();
        for (id, Joining { subscriber, joined, .. }) in joined {
            // Nobody may be waiting any more.
            if joined.send(Arc::clone(window)).is_ok() {
                self.admit(id, subscriber);
            }
        }
    }

    fn admit(&mut self, id: u64, subscriber: Subscriber) {
        for topic in subscriber.wanted.topics.iter() {
            let ids = self.by_topic.entry(*topic).or_default();
            if ids.is_empty() {
                for kind in topic.kinds() {
                    *self.by_kind.entry(*kind).or_default() += 1;
                }
            }
            ids.insert(id);
        }
        self.subscribers.insert(id, subscriber);
    }

    fn send(&mut self, event: &Arc<Event>) {
        let mut full = Vec::new();
        for topic in event.row.topics() {
            for id in self.by_topic.get(&topic).into_iter().flatten() {
                let Some(subscriber) = self.subscribers.get_mut(id) else { continue };
                let is_hidden = !event.row.is_public && !subscriber.wanted.internal;
                if is_hidden || subscriber.last_event == event.row.id {
                    continue;
                }
                subscriber.last_event = event.row.id;
                if subscriber.sender.try_send(Arc::clone(event)).is_err() {
                    let _ = subscriber.overflowed.set(Instant::now());
                    full.push(*id);
                }
            }
        }
        for id in full {
            self.remove(id);
        }
    }
}
