//! Search analytics: recording clicks, and reports for staff.
//! Rule: staff see what was searched, never who searched it.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use souk_macros::object;

use crate::{
    analytics::{
        actions,
        model::{
            NewClick, NewSearch, Searcher,
            report::{ClickThrough, Interval, Report, Term, TermFilter, Trend, rate},
        },
        recorder::SearchRecorder,
    },
    auth::{Permission, RequestOrigin, Viewer},
    cache::Effect,
    error::{Error, Result, UserErrorCode},
    graphql::{
        engine::{
            guards::PermissionGuard,
            payload::payload,
            scalars::{Decimal, Time},
        },
        schema::{context::ContextExt, websites::named_website},
    },
    ids::{ProductId, RowId, SearchId},
    search::actions::SearchResults,
};

/// Arguments of a search that are recorded with it.
const RECORDED_ARGUMENTS: [&str; 3] = ["where", "types", "orderBy"];
/// Number of search terms returned by default.
const DEFAULT_TERMS: i32 = 20;
/// Maximum number of search terms returned.
const MAX_TERMS: i32 = 100;

/// Records a search with its arguments, and returns its id if it is recorded.
pub(super) fn record_search(ctx: &Context<'_>, found: &SearchResults) -> Option<SearchId> {
    let filters = || {
        let arguments = ctx.field().arguments().unwrap_or_default();
        let recorded = arguments.into_iter().filter(|(name, _)| RECORDED_ARGUMENTS.contains(&name.as_str()));
        let recorded = recorded.filter_map(|(name, value)| Some((name.to_string(), value.into_json().ok()?)));
        recorded.filter(|(_, value)| !value.is_null()).collect::<Map<String, Value>>().into()
    };
    let recorder = &ctx.services().search_recorder;
    let recorded = actions::record(recorder, found, searcher(recorder, ctx.viewer(), ctx.origin()), filters)?;
    let id = recorded.id;
    ctx.repeat_effect(|| {
        // Who searched first is not told to the other servers.
        let text = serde_json::to_string(&recorded.repeated_by(Searcher::default())).ok()?;
        Some(recording(recorded, text.into(), recorder.clone()))
    });
    Some(id)
}

/// Makes the effect of a cached response again that records a search, from the text that another server wrote.
pub(super) fn parse_recording(text: &str, recorder: &SearchRecorder) -> Option<Effect> {
    let recorded = serde_json::from_str(text).ok()?;
    Some(recording(recorded, text.into(), recorder.clone()))
}

/// Returns the effect that records a search again, with its text.
fn recording(search: NewSearch, text: Arc<str>, recorder: SearchRecorder) -> Effect {
    let run = move |origin: &RequestOrigin| {
        recorder.record_search(search.repeated_by(searcher(&recorder, &Viewer::anonymous(), origin)));
    };
    Effect { run: Arc::new(run), text }
}

fn searcher(recorder: &SearchRecorder, viewer: &Viewer, origin: &RequestOrigin) -> Searcher {
    let network = origin.address.and_then(|address| recorder.network(address));
    Searcher::of(viewer.identity(), origin.visitor).with_network(network)
}

/// Input for `searchClick`.
#[derive(Debug, InputObject)]
pub struct SearchClickInput {
    /// `searchId` of the search, from its first page of results.
    search_id: ID,
    /// ID of the product that was clicked.
    product_id: ID,
    /// Position of the product among all results, 1 (the first) to 10,000.
    position: i32,
}

payload! {
    /// Result of `searchClick`.
    SearchClickPayload
}

/// Mutations of search analytics.
#[derive(Default)]
pub struct AnalyticsMutation;

#[object]
impl AnalyticsMutation {
    /// Records that a product was clicked in the results of a search of the last 24 hours. Clicks on the same product
    /// count once per search.
    async fn search_click(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The search and the clicked product.")] input: SearchClickInput,
    ) -> Result<SearchClickPayload> {
        let click = || {
            let search = SearchId::parse("searchId", &input.search_id)?;
            NewClick::new(search, ProductId::parse("productId", &input.product_id)?, input.position)
        };
        SearchClickPayload::of(click().map(|click| ctx.services().search_recorder.record_click(click)))
    }
}

/// Search analytics of a period.
pub struct SearchAnalytics(Report);

/// Search analytics of a period. Each field is computed only if selected.
#[object]
impl SearchAnalytics {
    /// Number of searches. Requests for further pages of the same search are not counted.
    #[graphql(complexity = 100)]
    async fn searches(&self, ctx: &Context<'_>) -> Result<i64> {
        actions::count(ctx.db(), &self.0).await
    }

    /// Number of distinct visitors who searched: users, and guests identified by the header `X-Visitor-Id`. Guests
    /// without the header are not counted.
    #[graphql(complexity = 100)]
    async fn visitors(&self, ctx: &Context<'_>) -> Result<i64> {
        actions::visitors(ctx.db(), &self.0).await
    }

    /// Most frequent search terms.
    #[graphql(complexity = "100 + child_complexity")]
    async fn top(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return up to the first n terms (1–100, default 20).")] first: Option<i32>,
    ) -> Result<Vec<SearchTerm>> {
        terms(ctx, &self.0, TermFilter::All, first).await
    }

    /// Most frequent search terms among the searches without results.
    #[graphql(complexity = "100 + child_complexity")]
    async fn zero_results(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Return up to the first n terms (1–100, default 20).")] first: Option<i32>,
    ) -> Result<Vec<SearchTerm>> {
        terms(ctx, &self.0, TermFilter::WithoutResults, first).await
    }

    /// Click-through rate of the searches.
    #[graphql(complexity = "100 + child_complexity")]
    async fn click_through(&self, ctx: &Context<'_>) -> Result<SearchClickThrough> {
        Ok(SearchClickThrough(actions::click_through(ctx.db(), &self.0).await?))
    }

    /// Number of searches per interval, in chronological order; intervals without searches have 0. The first entry
    /// starts at the beginning of its interval, but only searches within the period are counted.
    #[graphql(complexity = "100 + child_complexity")]
    async fn trends(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Length of an interval. The period must have at most 1,000 intervals.")] interval: Interval,
    ) -> Result<Vec<SearchTrend>> {
        let trends = actions::trends(ctx.db(), &self.0, interval).await?;
        Ok(trends.into_iter().map(SearchTrend).collect())
    }
}

async fn terms(ctx: &Context<'_>, report: &Report, filter: TermFilter, first: Option<i32>) -> Result<Vec<SearchTerm>> {
    let first = first.unwrap_or(DEFAULT_TERMS);
    if !(1..=MAX_TERMS).contains(&first) {
        return Err(Error::user(
            UserErrorCode::OutOfRange,
            "first",
            format!("first must be between 1 and {MAX_TERMS}"),
        ));
    }
    let terms = actions::terms(ctx.db(), report, filter, i64::from(first)).await?;
    Ok(terms.into_iter().map(SearchTerm).collect())
}

/// A search term and its statistics.
pub struct SearchTerm(Term);

/// A search term and its statistics.
#[object]
impl SearchTerm {
    /// Search text, in lower case and with single spaces between words.
    fn query(&self) -> &str {
        &self.0.query
    }

    /// Number of searches for this term.
    fn searches(&self) -> i64 {
        self.0.searches
    }

    /// Number of distinct visitors who searched for this term. Guests without `X-Visitor-Id` are not counted.
    fn visitors(&self) -> i64 {
        self.0.people
    }

    /// Average number of results. For searches that did not select `totalCount`, only the results of the first page are
    /// counted.
    fn results(&self) -> Decimal {
        Decimal(self.0.results)
    }

    /// Fraction of the searches that were followed by a click, 0 to 1.
    fn click_through(&self) -> Decimal {
        Decimal(rate(self.0.clicked, self.0.searches).unwrap_or_default())
    }
}

/// Click-through rate of searches.
pub struct SearchClickThrough(ClickThrough);

/// Click-through rate of searches.
#[object]
impl SearchClickThrough {
    /// Number of searches.
    fn searches(&self) -> i64 {
        self.0.searches
    }

    /// Number of searches that were followed by at least one click.
    fn clicked(&self) -> i64 {
        self.0.clicked
    }

    /// Fraction of the searches that were followed by a click, 0 to 1; null if there were no searches.
    fn rate(&self) -> Option<Decimal> {
        rate(self.0.clicked, self.0.searches).map(Decimal)
    }

    /// Average position of the clicked results, where 1 is the first; null if there were no clicks.
    fn mean_position(&self) -> Option<Decimal> {
        self.0.mean_position.map(Decimal)
    }
}

/// Search statistics of one interval.
pub struct SearchTrend(Trend);

/// Search statistics of one interval.
#[object]
impl SearchTrend {
    /// Start of the interval (UTC).
    fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// Number of searches.
    fn searches(&self) -> i64 {
        self.0.searches
    }

    /// Number of searches without results.
    fn zero_results(&self) -> i64 {
        self.0.without_results
    }

    /// Number of searches that were followed by a click.
    fn clicked(&self) -> i64 {
        self.0.clicked
    }
}

/// Queries of search analytics.
#[derive(Default)]
pub struct AnalyticsQuery;

#[object]
impl AnalyticsQuery {
    /// Search analytics of a period: frequent terms, searches without results, click-through rate and trends. A role
    /// that is restricted to websites sees only searches that were limited to exactly one of its websites.
    /// Requires `VIEW_ANALYTICS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ViewAnalytics])")]
    async fn search_analytics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Start of the period; defaults to 30 days before `to`.")] from: Option<Time>,
        #[graphql(desc = "End of the period, at most 400 days later; defaults to now.")] to: Option<Time>,
        #[graphql(desc = "Code or ID of the website to report on; defaults to all websites.")] website: Option<String>,
    ) -> Result<SearchAnalytics> {
        let website = named_website(ctx, "website", website).await?;
        Ok(SearchAnalytics(Report::new(ctx.viewer(), from.map(|time| time.0), to.map(|time| time.0), website)?))
    }
}
