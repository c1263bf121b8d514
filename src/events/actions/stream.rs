//! The events of one subscription: first those after a cursor, from the table, then those that follow, from the feed.
//! Rule: a subscription that cannot keep up reads the rest from the table. It ends if its client is too slow for too long.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use super::{
    feed::{EventFeed, Subscriber},
    registry::Wanted,
};
use crate::{
    db::PlanMode,
    error::Result,
    events::{
        model::{Event, EventCursor, Window},
        store,
    },
};

/// Number of events that are read from the table at once.
const PAGE: i64 = 500;

/// Time in which a client has to take the events that wait for it when there are more.
const MAX_LAG: Duration = Duration::from_secs(10);

/// The events of a subscription.
pub struct EventStream {
    feed: EventFeed,
    wanted: Wanted,
    subscriber: Subscriber,
    /// The windows that are read from the table, and the ID after which the first one is read.
    missed: VecDeque<Arc<Window>>,
    after_id: i64,
    pending: VecDeque<Arc<Event>>,
    /// Where the last event was, or the subscription began.
    cursor: EventCursor,
}

/// What a subscription waits for.
pub enum Next {
    /// An event.
    Event(Arc<Event>),
    /// Events have to be read from the table, by [`EventStream::read`].
    Read,
    /// The client is too slow: the subscription ends.
    TooSlow,
}

impl EventStream {
    /// Subscribes: to the events after a cursor, if there is one, and to all that follow.
    /// # Errors
    /// UNAVAILABLE while the database cannot be reached.
    pub async fn open(feed: &EventFeed, wanted: Wanted, after: Option<EventCursor>) -> Result<Self> {
        let (subscriber, window) = feed.join(wanted.clone()).await?;
        // All events of the window are before the subscription.
        let start = EventCursor::at(&window, i64::MAX);
        let mut stream = Self {
            feed: feed.clone(),
            wanted,
            subscriber,
            missed: VecDeque::new(),
            after_id: i64::MIN,
            pending: VecDeque::new(),
            cursor: start,
        };
        if let Some(after) = after {
            stream.read_from(after, &window);
        }
        Ok(stream)
    }

    fn read_from(&mut self, cursor: EventCursor, end: &Window) {
        let (windows, after_id) = cursor.windows_until(&end.until);
        self.missed = windows.into_iter().map(Arc::new).collect();
        self.after_id = after_id;
    }

    /// Waits for what comes next.
    pub async fn next(&mut self) -> Next {
        if let Some(event) = self.pending.pop_front() {
            return self.took(event);
        }
        if !self.missed.is_empty() {
            return Next::Read;
        }
        // Also before the waiting events are taken: a connection of many subscriptions takes them slowly.
        if self.subscriber.overflowed.get().is_some_and(|since| since.elapsed() > MAX_LAG) {
            return Next::TooSlow;
        }
        match self.subscriber.events.recv().await {
            Some(event) => self.took(event),
            None => Next::Read,
        }
    }

    fn took(&mut self, event: Arc<Event>) -> Next {
        self.cursor = EventCursor::of(&event);
        Next::Event(event)
    }

    /// Reads events from the table: those that were missed, or that did not fit into the queue.
    /// # Errors
    /// UNAVAILABLE while the database cannot be reached.
    pub async fn read(&mut self) -> Result<()> {
        if self.missed.is_empty() {
            let (subscriber, window) = self.feed.join(self.wanted.clone()).await?;
            self.subscriber = subscriber;
            self.read_from(self.cursor.clone(), &window);
        }
        let Some(window) = self.missed.front().map(Arc::clone) else { return Ok(()) };
        let (topics, after_id) = (&self.wanted.topics, self.after_id);
        let read = self
            .feed
            .db()
            .read_with(PlanMode::Custom, async |conn| store::of_topics(conn, topics, &window, after_id, PAGE).await);
        let rows = read.await?;
        match store::rest_after(&rows, PAGE) {
            Some(id) => self.after_id = id,
            None => {
                self.missed.pop_front();
                self.after_id = i64::MIN;
            }
        }
        let events = rows.into_iter().map(|row| Arc::new(Event { row, window: Arc::clone(&window) }));
        self.pending.extend(events.filter(|event| self.wanted.includes(event)));
        Ok(())
    }
}
