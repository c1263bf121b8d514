//! What people search, in the graph: recording it, and what staff reads of it.
//! Rule: staff sees what was searched, and never by whom.

use async_graphql::{Context, ID, InputObject};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use souk_macros::object;

use crate::{
    analytics::{
        actions,
        model::{
            NewClick, Searcher,
            report::{ClickThrough, Interval, Report, Term, TermFilter, Trend, rate},
        },
    },
    auth::Permission,
    error::{Error, Result, UserErrorCode},
    graphql::{
        engine::{
            guards::PermissionGuard,
            payload::payload,
            scalars::{Decimal, optional_id},
        },
        schema::context::ContextExt,
    },
    ids::{ProductId, RowId, SearchId},
    search::actions::SearchResults,
};

/// The arguments of a search that are kept with it.
const RECORDED_ARGUMENTS: [&str; 3] = ["where", "types", "orderBy"];
/// Number of search terms returned by default.
const DEFAULT_TERMS: i32 = 20;
/// Maximum number of search terms returned.
const MAX_TERMS: i32 = 100;

/// Records a search with the arguments that are kept, and returns its id, where it is recorded.
pub(super) fn record_search(ctx: &Context<'_>, found: &SearchResults) -> Option<SearchId> {
    let filters = || {
        let arguments = ctx.field().arguments().unwrap_or_default();
        let recorded = arguments.into_iter().filter(|(name, _)| RECORDED_ARGUMENTS.contains(&name.as_str()));
        let recorded = recorded.filter_map(|(name, value)| Some((name.to_string(), value.into_json().ok()?)));
        recorded.filter(|(_, value)| !value.is_null()).collect::<Map<String, Value>>().into()
    };
    let searcher = Searcher::of(ctx.viewer().identity(), ctx.origin().visitor);
    actions::record(&ctx.services().search_recorder, found, searcher, filters)
}

/// What was taken of what a search found.
#[derive(Debug, InputObject)]
pub struct SearchClickInput {
    /// The `searchId` of the search's first page.
    search_id: ID,
    /// Which product.
    product_id: ID,
    /// Its place among all hits: 1 for the first, 10,000 at most.
    position: i32,
}

payload! {
    /// The answer of `searchClick`.
    SearchClickPayload
}

/// Mutations of what is known of searches.
#[derive(Default)]
pub struct AnalyticsMutation;

#[object]
impl AnalyticsMutation {
    /// Tells that somebody took a product of what a search of the last day found. The same product counts once for a search.
    async fn search_click(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was taken.")] input: SearchClickInput,
    ) -> Result<SearchClickPayload> {
        let click = || {
            let search = SearchId::parse("searchId", &input.search_id)?;
            NewClick::new(search, ProductId::parse("productId", &input.product_id)?, input.position)
        };
        SearchClickPayload::of(click().map(|click| ctx.services().search_recorder.record_click(click)))
    }
}

/// What people searched in a stretch of time.
pub struct SearchAnalytics(Report);

/// What people searched in a stretch of time. Each field is counted only where it is selected.
#[object]
impl SearchAnalytics {
    /// How many searches there were; the later pages of one are no others.
    #[graphql(complexity = 100)]
    async fn searches(&self, ctx: &Context<'_>) -> Result<i64> {
        actions::count(ctx.db(), &self.0).await
    }

    /// How many different people searched: users, and visitors by their `X-Visitor-Id`. Who sends none is not counted.
    #[graphql(complexity = 100)]
    async fn visitors(&self, ctx: &Context<'_>) -> Result<i64> {
        actions::visitors(ctx.db(), &self.0).await
    }

    /// What was searched most.
    #[graphql(complexity = "100 + child_complexity")]
    async fn top(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 where absent.")] first: Option<i32>,
    ) -> Result<Vec<SearchTerm>> {
        terms(ctx, &self.0, TermFilter::All, first).await
    }

    /// What was searched most of what found nothing; only searches that found nothing are counted.
    #[graphql(complexity = "100 + child_complexity")]
    async fn zero_results(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 1 to 100; 20 where absent.")] first: Option<i32>,
    ) -> Result<Vec<SearchTerm>> {
        terms(ctx, &self.0, TermFilter::WithoutResults, first).await
    }

    /// How many searches were followed by a click.
    #[graphql(complexity = "100 + child_complexity")]
    async fn click_through(&self, ctx: &Context<'_>) -> Result<SearchClickThrough> {
        Ok(SearchClickThrough(actions::click_through(ctx.db(), &self.0).await?))
    }

    /// How much was searched in each step of the time, from the first; 0 in those without any search. The first step is
    /// whole, and counts from where the stretch begins.
    #[graphql(complexity = "100 + child_complexity")]
    async fn trends(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How long a step is; there are at most 1,000.")] interval: Interval,
    ) -> Result<Vec<SearchTrend>> {
        let trends = actions::trends(ctx.db(), &self.0, interval).await?;
        Ok(trends.into_iter().map(SearchTrend).collect())
    }
}

async fn terms(ctx: &Context<'_>, report: &Report, filter: TermFilter, first: Option<i32>) -> Result<Vec<SearchTerm>> {
    let first = first.unwrap_or(DEFAULT_TERMS);
    if !(1..=MAX_TERMS).contains(&first) {
        return Err(Error::user(UserErrorCode::OutOfRange, "first", format!("`first` is 1 to {MAX_TERMS}")));
    }
    let terms = actions::terms(ctx.db(), report, filter, i64::from(first)).await?;
    Ok(terms.into_iter().map(SearchTerm).collect())
}

/// What was searched, and what came of it.
pub struct SearchTerm(Term);

/// What was searched, and what came of it.
#[object]
impl SearchTerm {
    /// What was typed, in lower case and with one blank between words.
    fn query(&self) -> &str {
        &self.0.query
    }

    /// How often it was searched.
    fn searches(&self) -> i64 {
        self.0.searches
    }

    /// By how many different people, of those who are known by anything.
    fn visitors(&self) -> i64 {
        self.0.people
    }

    /// How many hits there were on average: all of them where the search asked for `totalCount`, else those of its first page.
    fn results(&self) -> Decimal {
        Decimal(self.0.results)
    }

    /// Which part of the searches was followed by a click, 0 to 1.
    fn click_through(&self) -> Decimal {
        Decimal(rate(self.0.clicked, self.0.searches).unwrap_or_default())
    }
}

/// How many searches were followed by a click.
pub struct SearchClickThrough(ClickThrough);

/// How many searches were followed by a click.
#[object]
impl SearchClickThrough {
    /// All searches.
    fn searches(&self) -> i64 {
        self.0.searches
    }

    /// Those followed by a click, or several.
    fn clicked(&self) -> i64 {
        self.0.clicked
    }

    /// Which part of all searches that is, 0 to 1; null where there is none.
    fn rate(&self) -> Option<Decimal> {
        rate(self.0.clicked, self.0.searches).map(Decimal)
    }

    /// The mean place of what was clicked, 1 for the first hit; null where nothing was.
    fn mean_position(&self) -> Option<Decimal> {
        self.0.mean_position.map(Decimal)
    }
}

/// How much was searched in a step of time.
pub struct SearchTrend(Trend);

/// How much was searched in a step of time.
#[object]
impl SearchTrend {
    /// When the step begins.
    fn at(&self) -> DateTime<Utc> {
        self.0.at
    }

    /// How many searches there were.
    fn searches(&self) -> i64 {
        self.0.searches
    }

    /// How many of them found nothing.
    fn zero_results(&self) -> i64 {
        self.0.without_results
    }

    /// How many of them were followed by a click.
    fn clicked(&self) -> i64 {
        self.0.clicked
    }
}

/// Queries of what is known of searches.
#[derive(Default)]
pub struct AnalyticsQuery;

#[object]
impl AnalyticsQuery {
    /// What people searched in a stretch of time, and what they took of it. A role that is limited to websites sees the
    /// searches at these: those whose `where` names that website alone. Requires VIEW_ANALYTICS.
    #[graphql(guard = "PermissionGuard(&[Permission::ViewAnalytics])")]
    async fn search_analytics(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "From when on; 30 days before `to` where absent.")] from: Option<DateTime<Utc>>,
        #[graphql(desc = "Until when, at most 400 days after `from`; now where absent.")] to: Option<DateTime<Utc>>,
        #[graphql(desc = "At which website; everywhere where absent.")] website: Option<ID>,
    ) -> Result<SearchAnalytics> {
        let website = optional_id("website", website)?;
        Ok(SearchAnalytics(Report::new(ctx.viewer(), from, to, website)?))
    }
}
