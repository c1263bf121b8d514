//! The cursor of an event, from which a client resumes its subscription on any server.
//! Rule: a cursor names the window of the event: the two positions of the database between which it became visible. Events
//! before the window were delivered, those after it were not, and those in it were delivered up to this event.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::{Event, RESUME_PERIOD, Start, Window};
use crate::{
    db::changes::{Moment, Position},
    error::{Error, Result},
    paging::CursorSeal,
};

/// Maximum length of a cursor; it names the transactions that were running.
const MAX_LENGTH: usize = 64 * 1024;

/// What cursors are sealed for.
const LIST: &str = "events";

/// The place of an event among all events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCursor {
    /// Hash of the database server and its start, which the positions belong to.
    server: String,
    /// When the window began.
    since: DateTime<Utc>,
    after: Option<Moment>,
    until: Moment,
    id: i64,
}

impl EventCursor {
    /// Returns the cursor of an event.
    pub fn of(event: &Event) -> Self {
        Self::at(&event.window, event.row.id)
    }

    /// Returns the cursor after the event with this ID in a window.
    pub fn at(window: &Window, id: i64) -> Self {
        let after = match &window.start {
            Start::Moment(moment) => Some(moment.clone()),
            Start::Time => None,
        };
        Self { server: hash(&window.until.server), since: window.since, after, until: window.until.moment.clone(), id }
    }

    /// Returns the text of the cursor. Clients cannot read it, because it tells how much happens in the shop.
    pub fn sealed(&self, seal: &CursorSeal) -> String {
        let Self { server, since, after, until, id } = self;
        let after = after.as_ref().map(Moment::to_string).unwrap_or_default();
        let text = format!("{server}|{}|{after}|{until}|{id}", since.timestamp_millis());
        URL_SAFE_NO_PAD.encode(seal.seal(LIST, text.as_bytes()))
    }

    /// Parses the argument `after` of a subscription.
    /// # Errors
    /// A user error if the text is no cursor, or one from which a subscription cannot be resumed any more.
    pub fn parse(text: &str, seal: &CursorSeal) -> Result<Self> {
        let invalid = |message: &'static str| Error::bad_input("after", message);
        let unknown = || invalid("must be the `cursor` of an event of a subscription");
        let cursor = Self::open(text, seal).ok_or_else(unknown)?;
        let limit = TimeDelta::from_std(RESUME_PERIOD).unwrap_or(TimeDelta::MAX);
        match Utc::now() - cursor.since <= limit {
            true => Ok(cursor),
            false => Err(invalid(
                "the event is too old: subscriptions can be resumed for 10 minutes. Load the current state, and subscribe \
                 without `after`",
            )),
        }
    }

    fn open(text: &str, seal: &CursorSeal) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok().filter(|_| text.len() <= MAX_LENGTH)?;
        let text = String::from_utf8(seal.open(LIST, &sealed)?).ok()?;
        let [server, since, after, until, id] = text.split('|').collect::<Vec<_>>().try_into().ok()?;
        let after = Some(after).filter(|after| !after.is_empty());
        Some(Self {
            server: server.to_owned(),
            since: DateTime::from_timestamp_millis(since.parse().ok()?)?,
            after: after.map(str::parse).transpose().ok()?,
            until: until.parse().ok()?,
            id: id.parse().ok()?,
        })
    }

    /// Returns the windows between the cursor and a position, and the ID after which the first one is read.
    pub fn windows_until(self, end: &Position) -> (Vec<Window>, i64) {
        let Self { server, since, after, until, id } = self;
        let window = |start, until: &Position| Window { start, since, until: until.clone() };
        if server != hash(&end.server) {
            // Transactions of another start of the database server cannot be compared.
            return (vec![window(Start::Time, end)], i64::MIN);
        }
        let start = after.map_or(Start::Time, Start::Moment);
        let middle = Position { server: end.server.clone(), moment: until.clone() };
        (vec![window(start, &middle), window(Start::Moment(until), end)], id)
    }
}

fn hash(server: &str) -> String {
    hex::encode(&Sha256::digest(server)[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal() -> CursorSeal {
        CursorSeal::new([3; 32])
    }

    fn position(server: &str, moment: &str) -> Position {
        Position { server: server.to_owned(), moment: moment.parse().unwrap() }
    }

    fn cursor() -> EventCursor {
        let since = DateTime::from_timestamp_millis(Utc::now().timestamp_millis()).unwrap();
        let start = Start::Moment("5:9:6,8".parse().unwrap());
        EventCursor::at(&Window { start, since, until: position("one", "8:12:8,11") }, 40)
    }

    #[test]
    fn the_text_of_a_cursor_can_be_parsed_with_the_same_key_only() {
        let without = EventCursor { after: None, ..cursor() };
        for cursor in [cursor(), without] {
            let text = cursor.sealed(&seal());
            assert_eq!(EventCursor::parse(&text, &seal()).unwrap(), cursor);
            assert!(EventCursor::parse(&text, &CursorSeal::new([4; 32])).is_err());
        }
    }

    #[test]
    fn other_texts_are_no_cursors() {
        let snapshots = ["9:5:", "5:9:4", "5:9:9", "5:9:8,6", "0:9:", "-1:9:", "5:9", "x"];
        let sealed = |moment| seal().seal(LIST, format!("s|1|5:9:|{moment}|1").as_bytes());
        let texts = snapshots.map(|moment| URL_SAFE_NO_PAD.encode(sealed(moment)));
        let others = ["", "!", "c3w", &"A".repeat(70_000)].map(str::to_owned);
        for text in texts.into_iter().chain(others) {
            let error = EventCursor::parse(&text, &seal()).unwrap_err();
            assert!(error.to_string().contains("must be the `cursor`"), "{text}");
        }
    }

    #[test]
    fn reading_goes_on_in_the_window_of_the_cursor_and_then_after_it() {
        let (windows, id) = cursor().windows_until(&position("one", "20:20:"));
        let moments: Vec<_> =
            windows.iter().map(|window| (window.start.clone(), window.until.moment.to_string())).collect();
        let start = |moment: &str| Start::Moment(moment.parse().unwrap());
        let expected = [(start("5:9:6,8"), "8:12:8,11".to_owned()), (start("8:12:8,11"), "20:20:".to_owned())];
        assert_eq!((moments.as_slice(), id), (expected.as_slice(), 40));
        assert!(windows.iter().all(|window| window.since == cursor().since || window.since <= Utc::now()));
    }

    #[test]
    fn the_cursor_of_another_database_server_is_one_of_time() {
        let (windows, id) = cursor().windows_until(&position("two", "20:20:"));
        assert!(matches!(windows.as_slice(), [Window { start: Start::Time, .. }]) && id == i64::MIN);
    }

    #[test]
    fn a_cursor_that_is_too_old_is_rejected() {
        let old = EventCursor { since: Utc::now() - chrono::Duration::minutes(11), ..cursor() };
        let error = EventCursor::parse(&old.sealed(&seal()), &seal()).unwrap_err();
        assert!(error.to_string().contains("too old"));
    }
}
