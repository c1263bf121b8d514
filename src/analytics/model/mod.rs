//! What is kept of a search and of a click.

pub mod report;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    auth::{AuthMethod, Identity, VisitorKey},
    db::tables::searches,
    error::{Error, Result, UserErrorCode},
    ids::{ProductId, SearchId, UserId, WebsiteId},
    search::{
        model::Search,
        query::{ParsedQuery, Term},
    },
    text::normalize_search_query,
};

/// Random bits of a key, behind the milliseconds since 1970.
const RANDOM_BITS: u32 = 21;
/// The last millisecond that has a key: in the year 2109.
const LAST_MILLI: i64 = (1 << (63 - RANDOM_BITS)) - 1;
/// Longest conditions of a search that are kept, in bytes of JSON.
const MAX_FILTERS: usize = 2_000;
/// The last place of a list that a click has.
const MAX_POSITION: i32 = 10_000;
/// How long after a search a click is one of it.
const CLICK_WINDOW: TimeDelta = TimeDelta::days(1);
/// How far the clocks of two servers may be apart.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

impl SearchId {
    /// A new key, of this moment.
    pub fn at(at: DateTime<Utc>) -> Self {
        Self(Self::first_at(at).0 | rand::random_range(0..1 << RANDOM_BITS))
    }

    /// The least key of a moment.
    pub fn first_at(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_millis().clamp(0, LAST_MILLI) << RANDOM_BITS)
    }

    /// The moment that it was made at, as its server's clock had it.
    pub fn timestamp(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0 >> RANDOM_BITS).unwrap_or_default()
    }
}

/// Who searches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Searcher {
    user: Option<UserId>,
    visitor: Option<VisitorKey>,
}

impl Searcher {
    /// A user who is logged in is that user. A machine with an API key searches for the visitor whose id it sends, and
    /// where it sends none for its owner.
    pub fn of(identity: Option<&Identity>, visitor: Option<VisitorKey>) -> Self {
        match identity {
            Some(Identity { user, auth_method: AuthMethod::Session(_), .. }) => {
                Self { user: Some(*user), visitor: None }
            }
            Some(Identity { user, auth_method: AuthMethod::ApiKey(_), .. }) if visitor.is_none() => {
                Self { user: Some(*user), visitor: None }
            }
            _ => Self { user: None, visitor },
        }
    }
}

/// How a search came out.
#[derive(Debug, Clone, Copy)]
pub struct SearchOutcome {
    /// How many hits there are, as far as they are known.
    pub results: i64,
    /// Whether there are no more.
    pub is_exact: bool,
    /// How long it took, in milliseconds.
    pub took_ms: f32,
}

/// A search that was answered, as it is written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewSearch {
    /// Primary key.
    pub id: SearchId,
    website_id: Option<WebsiteId>,
    user_id: Option<UserId>,
    visitor: Option<String>,
    query: String,
    corrected: Option<String>,
    filters: Value,
    results: i64,
    results_exact: bool,
    is_shareable: bool,
    took_ms: f32,
    searched_at: DateTime<Utc>,
}

impl NewSearch {
    /// What is kept of a search: with the conditions as they were given, and what was searched in the place of what was
    /// typed.
    pub fn new(
        search: &Search,
        searcher: Searcher,
        filters: Value,
        correction: Option<&str>,
        outcome: SearchOutcome,
    ) -> Self {
        let at = Utc::now();
        let website = match search.filter.websites.as_deref() {
            Some([website]) => Some(*website),
            _ => None,
        };
        let (query, corrected) = (normalize_search_query(&search.text), correction.map(normalize_search_query));
        Self {
            id: SearchId::at(at),
            website_id: website,
            user_id: searcher.user,
            visitor: searcher.visitor.map(|visitor| visitor.hex()),
            // Staff finds what others do not: what they search would tell of it.
            is_shareable: !search.is_staff && is_shareable(corrected.as_deref().unwrap_or(&query)),
            query,
            corrected,
            filters: limit_filters(filters),
            results: outcome.results,
            results_exact: outcome.is_exact,
            took_ms: outcome.took_ms,
            searched_at: at,
        }
    }
}

/// Conditions as they are kept: of what is longer than anybody chooses, or holds what no table takes, that it was.
fn limit_filters(filters: Value) -> Value {
    let text = filters.to_string();
    if text.len() > MAX_FILTERS || text.contains("\\u0000") { json!({ "leftOut": true }) } else { filters }
}

/// Whether others may be shown a text: 2 to 60 characters, nothing like an e-mail address, and no run of five digits,
/// which may be a telephone or an order's number. Words alone, since each of these occurs in what was found; what was
/// searched without, or beside with `or`, may say anything.
pub fn is_shareable(text: &str) -> bool {
    let is_address = text.contains('@');
    let is_number = text.split(|c: char| !c.is_numeric()).any(|run| run.chars().nth(4).is_some());
    let is_of_words = || ParsedQuery::parse(text).terms.iter().all(|term| matches!(term, Term::Word(_)));
    (2..=60).contains(&text.chars().count()) && !is_address && !is_number && is_of_words()
}

/// A search as its user is told of it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = searches, check_for_backend(diesel::pg::Pg))]
pub struct UserSearchRow {
    /// Primary key.
    pub id: SearchId,
    /// At which website; none where it was not at one.
    pub website_id: Option<WebsiteId>,
    /// What was searched, in lower case.
    pub query: String,
    /// What was searched in its place.
    pub corrected: Option<String>,
    /// Under which conditions and in which order.
    pub filters: Value,
    /// How many hits there were, as far as they were counted.
    pub results: i32,
    /// When.
    pub searched_at: DateTime<Utc>,
}

/// A product that somebody took of what a search found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewClick {
    search_id: SearchId,
    product_id: ProductId,
    position: i32,
    clicked_at: DateTime<Utc>,
}

impl NewClick {
    /// A click at this moment.
    /// # Errors
    /// INVALID for a search that was more than a day ago, or is to come; OUT_OF_RANGE for a place that no list has.
    pub fn new(search_id: SearchId, product_id: ProductId, position: i32) -> Result<Self> {
        let clicked_at = Utc::now();
        let age = clicked_at - search_id.timestamp();
        if age > CLICK_WINDOW || age < -MAX_CLOCK_SKEW {
            return Err(Error::bad_input("searchId", "this is not the id of a search of the last day"));
        }
        if !(1..=MAX_POSITION).contains(&position) {
            let rule = format!("a position is 1 to {MAX_POSITION}, counted from the first hit");
            return Err(Error::user(UserErrorCode::OutOfRange, "position", rule));
        }
        Ok(Self { search_id, product_id, position, clicked_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_time_and_know_it() {
        let at = DateTime::from_timestamp_millis(1_800_000_000_123).unwrap();
        let (key, next) = (SearchId::at(at), SearchId::first_at(at + TimeDelta::milliseconds(1)));
        assert_eq!(key.timestamp(), at);
        assert!(SearchId::first_at(at) <= key && key < next);
        assert_ne!(SearchId::at(at), SearchId::at(at));
        assert_eq!(SearchId::first_at(DateTime::<Utc>::MIN_UTC).0, 0);
        assert!(SearchId::first_at(DateTime::<Utc>::MAX_UTC).0 > key.0);
    }

    #[test]
    fn what_may_name_somebody_is_not_shown_to_others() {
        for (text, expected) in [
            ("storm lantern", true),
            ("iphone 15 128gb", true),
            ("4711", true),
            ("wi-fi", true),
            ("l", false),
            ("ada@souk.example", false),
            ("order 10023", false),
            ("01715550123", false),
            ("lantern -lovelace", false),
            ("lantern or lovelace", false),
            ("\"ada lovelace\" lantern", false),
        ] {
            assert_eq!(is_shareable(text), expected, "{text}");
        }
        assert!(is_shareable(&"a".repeat(60)) && !is_shareable(&"a".repeat(61)));
    }

    #[test]
    fn odd_conditions_are_not_kept() {
        let kept = json!({ "where": { "price": { "lte": "20" } } });
        assert_eq!(limit_filters(kept.clone()), kept);
        for odd in ["x".repeat(3_000), "\0".to_owned()] {
            assert_eq!(limit_filters(json!({ "where": odd })), json!({ "leftOut": true }));
        }
    }
}
