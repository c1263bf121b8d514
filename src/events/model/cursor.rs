//! The cursor of an event, from which a client resumes its subscription on any server.
//! Rule: a cursor names the positions of the database between which its event became visible. Events before the first were
//! delivered, those after the second were not, and those between were delivered up to this event.

use std::{fmt, str::FromStr, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::{Batch, Event, EventRow, RESUME_PERIOD};
use crate::{
    db::changes::{Moment, Position},
    error::{Error, Result},
};

/// Maximum length of a cursor; it names the transactions that were running.
const MAX_LENGTH: usize = 16 * 1024;

/// The place of an event among all events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCursor {
    /// Hash of the database server and its start, which the positions belong to.
    server: String,
    /// When the event was read.
    at: DateTime<Utc>,
    after: Option<Moment>,
    until: Moment,
    id: i64,
}

impl EventCursor {
    /// Returns the cursor of an event.
    pub fn after(event: &Event) -> Self {
        let Batch { after, until, at } = &*event.batch;
        Self {
            server: hash(&until.server),
            at: *at,
            after: after.as_ref().map(|position| position.moment.clone()),
            until: until.moment.clone(),
            id: event.row.id,
        }
    }

    /// Parses the argument `after` of a subscription.
    /// # Errors
    /// A user error if the text is no cursor, or one from which a subscription cannot be resumed any more.
    pub fn parse(text: &str) -> Result<Self> {
        let invalid = |message: &'static str| Error::bad_input("after", message);
        let cursor: Self = text.parse().map_err(|()| invalid("must be the `cursor` of an event of a subscription"))?;
        let age = Utc::now() - cursor.at;
        let limit = TimeDelta::from_std(RESUME_PERIOD).unwrap_or(TimeDelta::MAX);
        match age <= limit {
            true => Ok(cursor),
            false => Err(invalid(
                "the event is too old: subscriptions can be resumed for 10 minutes. Load the current state, and subscribe \
                 without `after`",
            )),
        }
    }

    /// Returns where to read on: after the moment, if the database server has not been started again since, or from the
    /// time.
    pub fn start(&self, current: &Position) -> Start {
        match &self.after {
            Some(moment) if self.server == hash(&current.server) => Start::Moment(moment.clone()),
            _ => Start::Time(self.at),
        }
    }

    /// Returns whether an event of the same database server was delivered before.
    pub fn includes(&self, event: &EventRow, current: &Position) -> bool {
        self.server == hash(&current.server) && self.until.sees(event.transaction_id) && event.id <= self.id
    }
}

/// Where events are read from.
#[derive(Debug, Clone)]
pub enum Start {
    /// Those that were not visible at this moment.
    Moment(Moment),
    /// Those of transactions that began at this time or shortly before.
    Time(DateTime<Utc>),
}

impl From<&Arc<Batch>> for Start {
    fn from(batch: &Arc<Batch>) -> Self {
        Self::Moment(batch.until.moment.clone())
    }
}

fn hash(server: &str) -> String {
    hex::encode(&Sha256::digest(server)[..6])
}

impl fmt::Display for EventCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, at, after, until, id } = self;
        let after = after.as_ref().map(Moment::to_string).unwrap_or_default();
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("{server}|{}|{after}|{until}|{id}", at.timestamp_millis())))
    }
}

impl FromStr for EventCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let parse = || {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|_| text.len() <= MAX_LENGTH)?;
            let text = String::from_utf8(bytes).ok()?;
            let [server, at, after, until, id] = text.split('|').collect::<Vec<_>>().try_into().ok()?;
            let after = Some(after).filter(|after| !after.is_empty());
            Some(Self {
                server: server.to_owned(),
                at: DateTime::from_timestamp_millis(at.parse().ok()?)?,
                after: after.map(str::parse).transpose().ok()?,
                until: until.parse().ok()?,
                id: id.parse().ok()?,
            })
        };
        parse().ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor() -> EventCursor {
        EventCursor {
            server: hash("one"),
            at: DateTime::from_timestamp_millis(1_800_000_000_123).unwrap(),
            after: Some("5:9:6,8".parse().unwrap()),
            until: "8:12:8,11".parse().unwrap(),
            id: 40,
        }
    }

    #[test]
    fn the_text_of_a_cursor_can_be_parsed() {
        let without = EventCursor { after: None, ..cursor() };
        for cursor in [cursor(), without] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
    }

    #[test]
    fn other_texts_are_no_cursors() {
        let snapshots = ["9:5:", "5:9:4", "5:9:9", "5:9:8,6", "0:9:", "-1:9:", "5:9", "x"];
        let texts = snapshots.map(|moment| URL_SAFE_NO_PAD.encode(format!("s|1|5:9:|{moment}|1")));
        let others = ["", "!", "c3w", &"A".repeat(20_000)].map(str::to_owned);
        for text in texts.into_iter().chain(others) {
            assert_eq!(text.parse::<EventCursor>(), Err(()), "{text}");
        }
    }

    #[test]
    fn the_cursor_of_another_database_server_is_one_of_time() {
        let position = |server: &str| Position { server: server.to_owned(), moment: "20:20:".parse().unwrap() };
        assert!(matches!(cursor().start(&position("one")), Start::Moment(moment) if moment.to_string() == "5:9:6,8"));
        assert!(matches!(cursor().start(&position("two")), Start::Time(at) if at == cursor().at));
    }

    #[test]
    fn a_cursor_that_is_too_old_is_rejected() {
        let now = EventCursor { at: Utc::now(), ..cursor() };
        assert_eq!(
            EventCursor::parse(&now.to_string()).unwrap(),
            EventCursor { at: EventCursor::parse(&now.to_string()).unwrap().at, ..now }
        );
        let old = EventCursor { at: Utc::now() - chrono::Duration::minutes(11), ..cursor() };
        assert!(EventCursor::parse(&old.to_string()).unwrap_err().to_string().contains("too old"));
    }
}
