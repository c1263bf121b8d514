//! Search reports: period, website and results.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

use crate::{
    auth::{Permission, Scope, Viewer},
    error::{Error, Result, UserErrorCode},
    ids::WebsiteId,
};

/// Default period of a report.
const DEFAULT_PERIOD: TimeDelta = TimeDelta::days(30);
/// Maximum period of a report.
const MAX_PERIOD: TimeDelta = TimeDelta::days(400);
/// Maximum number of intervals in a report.
const MAX_STEPS: i64 = 1_000;

/// The searches that a report covers.
#[derive(Debug, Clone)]
pub struct Report {
    /// Start of the period, inclusive.
    pub from: DateTime<Utc>,
    /// End of the period, exclusive.
    pub to: DateTime<Utc>,
    /// Website; none for all websites.
    pub website: Option<WebsiteId>,
    /// Searches that the viewer may see.
    pub scope: Scope,
}

impl Report {
    /// Creates a report for a period; the default is the last 30 days.
    /// # Errors
    /// OUT_OF_RANGE if the period ends before it starts, or is longer than 400 days.
    pub fn new(
        viewer: &Viewer,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        website: Option<WebsiteId>,
    ) -> Result<Self> {
        let to = to.unwrap_or_else(Utc::now);
        let from = from.or_else(|| to.checked_sub_signed(DEFAULT_PERIOD)).unwrap_or(to);
        let wrong = |rule: &'static str| Err(Error::user(UserErrorCode::OutOfRange, "from", rule));
        if from >= to {
            return wrong("`from` must be before `to`");
        }
        if to - from > MAX_PERIOD {
            return wrong("the period must be at most 400 days long");
        }
        Ok(Self { from, to, website, scope: viewer.scope(Permission::ViewAnalytics) })
    }

    /// Checks the number of intervals in the report.
    /// # Errors
    /// OUT_OF_RANGE for more than 1,000 intervals.
    pub fn check_steps(&self, interval: Interval) -> Result<()> {
        // Partial intervals at both ends count as well.
        if (self.to - self.from).num_seconds() / interval.seconds() + 2 > MAX_STEPS {
            let rule =
                format!("a report has at most {MAX_STEPS} intervals; choose a longer interval or a shorter period");
            return Err(Error::user(UserErrorCode::OutOfRange, "interval", rule));
        }
        Ok(())
    }
}

/// Interval of a search trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
#[graphql(name = "SearchTrendInterval")]
pub enum Interval {
    /// One hour.
    Hour,
    /// One day (UTC).
    Day,
    /// One week (UTC), starting on Monday.
    Week,
    /// One month (UTC).
    Month,
}

impl Interval {
    /// Returns the minimum length, in seconds.
    fn seconds(self) -> i64 {
        match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
            Self::Month => 28 * 86_400,
        }
    }
}

/// Filter for the search terms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermFilter {
    /// All searches.
    All,
    /// Searches without results.
    WithoutResults,
}

/// A search term with its statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Search term, in lower case.
    pub query: String,
    /// Number of searches.
    pub searches: i64,
    /// Number of distinct searchers.
    pub people: i64,
    /// Average number of hits.
    pub results: Decimal,
    /// Number of searches followed by a click.
    pub clicked: i64,
}

/// Click-through statistics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClickThrough {
    /// Number of searches.
    pub searches: i64,
    /// Number of searches followed by a click.
    pub clicked: i64,
    /// Average position of the clicked hits; none without clicks.
    pub mean_position: Option<Decimal>,
}

/// Returns the ratio `part / whole` with four decimals; none if `whole` is zero.
pub fn rate(part: i64, whole: i64) -> Option<Decimal> {
    Decimal::from(part).checked_div(Decimal::from(whole)).map(|rate| rate.round_dp(4).normalize())
}

/// The statistics of one interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// Start of the interval.
    pub at: DateTime<Utc>,
    /// Number of searches.
    pub searches: i64,
    /// Number of searches without results.
    pub without_results: i64,
    /// Number of searches followed by a click.
    pub clicked: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_has_four_decimals_and_is_null_without_searches() {
        let shown = |part, whole| rate(part, whole).map(|rate| rate.to_string());
        assert_eq!(shown(1, 3).as_deref(), Some("0.3333"));
        assert_eq!(shown(1, 4).as_deref(), Some("0.25"));
        assert_eq!(shown(0, 7).as_deref(), Some("0"));
        assert_eq!(shown(0, 0), None);
    }
}
