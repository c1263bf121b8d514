//! Recorded searches and clicks, and their ids.

pub mod report;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    auth::{AuthMethod, Identity, NetworkKey, VisitorKey},
    db::tables::searches,
    error::{Error, Result, UserErrorCode},
    ids::{ProductId, SearchId, UserId, WebsiteId},
    search::{
        model::Search,
        query::{ParsedQuery, Term},
    },
    text::normalize_search_query,
};

/// Number of random low bits of a key; the bits above are milliseconds since 1970.
const RANDOM_BITS: u32 = 21;
/// The last millisecond that a key can represent, in the year 2109.
const LAST_MILLI: i64 = (1 << (63 - RANDOM_BITS)) - 1;
/// Maximum size of recorded filters, in bytes of JSON.
const MAX_FILTERS: usize = 2_000;
/// Maximum position of a click.
const MAX_POSITION: i32 = 10_000;
/// How long after a search clicks are attributed to it.
const CLICK_WINDOW: TimeDelta = TimeDelta::days(1);
/// Maximum clock difference between two servers.
const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);

impl SearchId {
    /// Returns a new key for this time.
    pub fn at(at: DateTime<Utc>) -> Self {
        Self(Self::first_at(at).0 | rand::random_range(0..1 << RANDOM_BITS))
    }

    /// Returns the lowest key for this time.
    pub fn first_at(at: DateTime<Utc>) -> Self {
        Self(at.timestamp_millis().clamp(0, LAST_MILLI) << RANDOM_BITS)
    }

    /// Returns when the key was created, by its server's clock.
    pub fn timestamp(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0 >> RANDOM_BITS).unwrap_or_default()
    }
}

/// The user or visitor who searches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Searcher {
    user: Option<UserId>,
    visitor: Option<VisitorKey>,
    network: Option<NetworkKey>,
}

impl Searcher {
    /// Returns the searcher of a request: the logged-in user, or the visitor. A request with an API key searches for
    /// the visitor whose id it sends, and without one for the key's owner.
    pub fn of(identity: Option<&Identity>, visitor: Option<VisitorKey>) -> Self {
        match identity {
            Some(Identity { user, auth_method: AuthMethod::Session(_), .. }) => {
                Self { user: Some(*user), ..Self::default() }
            }
            Some(Identity { user, auth_method: AuthMethod::ApiKey(_), .. }) if visitor.is_none() => {
                Self { user: Some(*user), ..Self::default() }
            }
            _ => Self { visitor, ..Self::default() },
        }
    }

    /// Returns the searcher with the network that they search from.
    #[must_use]
    pub fn with_network(self, network: Option<NetworkKey>) -> Self {
        Self { network, ..self }
    }
}

/// The outcome of a search.
#[derive(Debug, Clone, Copy)]
pub struct SearchOutcome {
    /// Number of hits, as far as counted.
    pub results: i64,
    /// Whether the number is exact.
    pub is_exact: bool,
    /// Duration, in milliseconds.
    pub took_ms: f32,
}

/// A recorded search to be inserted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewSearch {
    /// Primary key.
    pub id: SearchId,
    website_id: Option<WebsiteId>,
    user_id: Option<UserId>,
    visitor: Option<String>,
    network: Option<String>,
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
    /// Returns the record of the same search by someone else, now, that was answered from a cache.
    #[must_use]
    pub fn repeated_by(&self, searcher: Searcher) -> Self {
        let at = Utc::now();
        Self {
            id: SearchId::at(at),
            user_id: searcher.user,
            visitor: searcher.visitor.map(|visitor| visitor.hex()),
            network: searcher.network.map(|network| network.hex()),
            took_ms: 0.0,
            searched_at: at,
            ..self.clone()
        }
    }

    /// Creates the record of a search with its original filters and the corrected query, if there is one.
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
            network: searcher.network.map(|network| network.hex()),
            // Staff also find hidden products, which their searches could reveal.
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

/// Returns the filters as recorded. Filters that are too long, or contain NUL (which PostgreSQL rejects), are left out.
fn limit_filters(filters: Value) -> Value {
    let text = filters.to_string();
    if text.len() > MAX_FILTERS || text.contains("\\u0000") { json!({ "leftOut": true }) } else { filters }
}

/// Returns whether a query may be suggested to others: 2 to 60 characters, no `@` (email addresses) and no five
/// consecutive digits (phone or order numbers). It must consist of plain words, because each of them occurs in the
/// hits; excluded words, phrases and `or` alternatives may be anything.
pub fn is_shareable(text: &str) -> bool {
    let is_address = text.contains('@');
    let is_number = text.split(|c: char| !c.is_numeric()).any(|run| run.chars().nth(4).is_some());
    let is_of_words = || ParsedQuery::parse(text).terms.iter().all(|term| matches!(term, Term::Word(_)));
    (2..=60).contains(&text.chars().count()) && !is_address && !is_number && is_of_words()
}

/// A row of `searches` for the export of a user's data.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = searches, check_for_backend(diesel::pg::Pg))]
pub struct UserSearchRow {
    /// Primary key.
    pub id: SearchId,
    /// Website that was searched; none for a search across websites.
    pub website_id: Option<WebsiteId>,
    /// Query, in lower case.
    pub query: String,
    /// Corrected query that was searched instead.
    pub corrected: Option<String>,
    /// Filters and sort order.
    pub filters: Value,
    /// Number of hits, as far as counted.
    pub results: i32,
    /// When the search was made.
    pub searched_at: DateTime<Utc>,
}

/// A click on a product in the results of a search.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NewClick {
    search_id: SearchId,
    product_id: ProductId,
    position: i32,
    clicked_at: DateTime<Utc>,
}

impl NewClick {
    /// Creates a click at the current time.
    /// # Errors
    /// INVALID if the search is more than a day old or in the future; OUT_OF_RANGE for an invalid position.
    pub fn new(search_id: SearchId, product_id: ProductId, position: i32) -> Result<Self> {
        let clicked_at = Utc::now();
        let age = clicked_at - search_id.timestamp();
        if age > CLICK_WINDOW || age < -MAX_CLOCK_SKEW {
            return Err(Error::bad_input("searchId", "must be the id of a search of the last 24 hours"));
        }
        if !(1..=MAX_POSITION).contains(&position) {
            let rule = format!("must be between 1 (the first hit) and {MAX_POSITION}");
            return Err(Error::user(UserErrorCode::OutOfRange, "position", rule));
        }
        Ok(Self { search_id, product_id, position, clicked_at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_ids_are_ordered_by_time_and_contain_it() {
        let at = DateTime::from_timestamp_millis(1_800_000_000_123).unwrap();
        let (key, next) = (SearchId::at(at), SearchId::first_at(at + TimeDelta::milliseconds(1)));
        assert_eq!(key.timestamp(), at);
        assert!(SearchId::first_at(at) <= key && key < next);
        assert_ne!(SearchId::at(at), SearchId::at(at));
        assert_eq!(SearchId::first_at(DateTime::<Utc>::MIN_UTC).0, 0);
        assert!(SearchId::first_at(DateTime::<Utc>::MAX_UTC).0 > key.0);
    }

    #[test]
    fn queries_that_may_identify_a_person_are_hidden() {
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
    fn unknown_filters_are_not_recorded() {
        let kept = json!({ "where": { "price": { "lte": "20" } } });
        assert_eq!(limit_filters(kept.clone()), kept);
        for odd in ["x".repeat(3_000), "\0".to_owned()] {
            assert_eq!(limit_filters(json!({ "where": odd })), json!({ "leftOut": true }));
        }
    }
}
