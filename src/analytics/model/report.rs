//! What staff asks of searches: which stretch of time, where, and what is answered.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

use crate::{
    auth::{Permission, Scope, Viewer},
    error::{Error, Result, UserErrorCode},
    ids::WebsiteId,
};

/// How far back a report goes where nothing is said.
const DEFAULT_PERIOD: TimeDelta = TimeDelta::days(30);
/// The longest stretch of time of a report.
const MAX_PERIOD: TimeDelta = TimeDelta::days(400);
/// Most steps of a report.
const MAX_STEPS: i64 = 1_000;

/// Which searches a report counts.
#[derive(Debug, Clone)]
pub struct Report {
    /// From this moment on.
    pub from: DateTime<Utc>,
    /// Before this moment.
    pub to: DateTime<Utc>,
    /// At this website; everywhere without.
    pub website: Option<WebsiteId>,
    /// Of those that may be seen.
    pub scope: Scope,
}

impl Report {
    /// The report of a stretch of time; the last 30 days where nothing is said.
    /// # Errors
    /// OUT_OF_RANGE for a stretch that ends before it begins, or is longer than 400 days.
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
            return wrong("`from` lies before `to`");
        }
        if to - from > MAX_PERIOD {
            return wrong("give a stretch of at most 400 days");
        }
        Ok(Self { from, to, website, scope: viewer.scope(Permission::ViewAnalytics) })
    }

    /// Checks that the report has few enough steps.
    /// # Errors
    /// OUT_OF_RANGE for more than 1,000.
    pub fn check_steps(&self, interval: Interval) -> Result<()> {
        // One more, where it begins within a step.
        if (self.to - self.from).num_seconds() / interval.seconds() + 2 > MAX_STEPS {
            let rule = format!("that is more than {MAX_STEPS} steps: give a longer interval or a shorter stretch");
            return Err(Error::user(UserErrorCode::OutOfRange, "interval", rule));
        }
        Ok(())
    }
}

/// A step of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
#[graphql(name = "SearchTrendInterval")]
pub enum Interval {
    /// An hour.
    Hour,
    /// A day of UTC.
    Day,
    /// A week of UTC, from Monday.
    Week,
    /// A month of UTC.
    Month,
}

impl Interval {
    /// Its least length.
    fn seconds(self) -> i64 {
        match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
            Self::Week => 7 * 86_400,
            Self::Month => 28 * 86_400,
        }
    }
}

/// Which searches are told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TermFilter {
    /// All.
    All,
    /// Those that found nothing.
    WithoutResults,
}

/// What was searched, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// The text, in lower case.
    pub query: String,
    /// How often.
    pub searches: i64,
    /// By how many different people.
    pub people: i64,
    /// How many hits there were, on average.
    pub results: Decimal,
    /// How many searches were followed by a click.
    pub clicked: i64,
}

/// How many searches were followed by a click.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClickThrough {
    /// All searches.
    pub searches: i64,
    /// Those followed by a click.
    pub clicked: i64,
    /// The mean place of what was clicked; none where nothing was.
    pub mean_position: Option<Decimal>,
}

/// A part of a whole, with four decimals; none of nothing.
pub fn rate(part: i64, whole: i64) -> Option<Decimal> {
    Decimal::from(part).checked_div(Decimal::from(whole)).map(|rate| rate.round_dp(4).normalize())
}

/// How much was searched in a step of time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// When the step begins.
    pub at: DateTime<Utc>,
    /// How many searches.
    pub searches: i64,
    /// How many of them found nothing.
    pub without_results: i64,
    /// How many of them were followed by a click.
    pub clicked: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_four_decimals_and_there_is_none_of_nothing() {
        let shown = |part, whole| rate(part, whole).map(|rate| rate.to_string());
        assert_eq!(shown(1, 3).as_deref(), Some("0.3333"));
        assert_eq!(shown(1, 4).as_deref(), Some("0.25"));
        assert_eq!(shown(0, 7).as_deref(), Some("0"));
        assert_eq!(shown(0, 0), None);
    }
}
