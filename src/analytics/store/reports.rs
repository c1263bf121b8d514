//! SQL statements of search reports. Each reads a range of primary keys, or of one website's keys.

use diesel::sql_types::{BigInt, Nullable, Numeric, Text, Timestamptz};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::super::model::report::{ClickThrough, Interval, Report, Term, TermFilter, Trend};
use crate::{
    auth::Scope,
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::Result,
    ids::{RowId, SearchId},
};

/// Adds `FROM … WHERE …` for the searches of a report, with the alias `s`.
fn push_searches<R>(out: &mut DynamicQuery<R>, report: &Report) {
    out.sql(" FROM searches s WHERE");
    push_time_range(out, report, "s.id");
    if let Some(website) = report.website {
        out.sql(" AND s.website_id = ").bind(Value::Int(website.key()));
    }
    match &report.scope {
        Scope::All => {}
        Scope::Websites(_, websites) => {
            let keys = websites.iter().map(|website| website.key()).collect();
            out.sql(" AND s.website_id = ANY (").bind(Value::Ints(keys)).sql(")");
        }
        Scope::Public | Scope::Guest(_) | Scope::Own(_) | Scope::Seller { .. } => {
            out.sql(" AND false");
        }
    }
}

fn push_time_range<R>(out: &mut DynamicQuery<R>, report: &Report, column: &'static str) {
    let (from, to) = (SearchId::first_at(report.from), SearchId::first_at(report.to));
    out.sql(" ").sql(column).sql(" >= ").bind(Value::Int(from.key()));
    out.sql(" AND ").sql(column).sql(" < ").bind(Value::Int(to.key()));
}

/// Adds `FROM …` for the searches of a report joined with their clicks, with the alias `c`; one row per search.
fn push_searches_with_clicks<R>(out: &mut DynamicQuery<R>, report: &Report) {
    out.sql(" FROM (SELECT s.id, s.query, s.user_id, s.visitor, s.results, s.searched_at");
    push_searches(out, report);
    out.sql(
        ") s LEFT JOIN (SELECT search_id, count(*) AS clicks, sum(position) AS positions FROM search_clicks
                        WHERE",
    );
    push_time_range(out, report, "search_id");
    out.sql(" GROUP BY search_id) c ON c.search_id = s.id");
}

/// The number of distinct searchers; searches without a user or visitor id are ignored.
const PEOPLE: &str =
    "count(DISTINCT (s.user_id, s.visitor)) FILTER (WHERE s.user_id IS NOT NULL OR s.visitor IS NOT NULL)";

/// Counts the searches of a report.
pub async fn count(mut conn: &Conn, report: &Report) -> Result<i64> {
    let mut statement = DynamicQuery::<BigInt>::default();
    statement.sql("SELECT count(*)");
    push_searches(&mut statement, report);
    Ok(statement.get_result(&mut conn).await?)
}

/// Counts the distinct searchers of a report.
pub async fn visitors(mut conn: &Conn, report: &Report) -> Result<i64> {
    let mut statement = DynamicQuery::<BigInt>::default();
    // PostgreSQL hashes the rows of a SELECT DISTINCT; count(DISTINCT …) would sort them, which takes three times as
    // long.
    statement.sql("SELECT count(*) FROM (SELECT DISTINCT s.user_id, s.visitor");
    push_searches(&mut statement, report);
    statement.sql(" AND (s.user_id IS NOT NULL OR s.visitor IS NOT NULL)) AS people");
    Ok(statement.get_result(&mut conn).await?)
}

/// Returns the most frequent search terms.
pub async fn terms(mut conn: &Conn, report: &Report, filter: TermFilter, limit: i64) -> Result<Vec<Term>> {
    let mut statement = DynamicQuery::<(Text, BigInt, BigInt, Numeric, BigInt)>::default();
    statement.sql("SELECT s.query, count(*), ").sql(PEOPLE);
    statement.sql(", round(avg(s.results), 1), count(c.search_id)");
    push_searches_with_clicks(&mut statement, report);
    statement.sql(match filter {
        TermFilter::All => "",
        TermFilter::WithoutResults => " WHERE s.results = 0",
    });
    statement.sql(" GROUP BY s.query ORDER BY count(*) DESC, s.query LIMIT ").bind(Value::Int(limit));
    let rows: Vec<(String, i64, i64, Decimal, i64)> = statement.load(&mut conn).await?;
    let term = |(query, searches, people, results, clicked)| Term { query, searches, people, results, clicked };
    Ok(rows.into_iter().map(term).collect())
}

/// Returns the click-through statistics.
pub async fn click_through(mut conn: &Conn, report: &Report) -> Result<ClickThrough> {
    let mut statement = DynamicQuery::<(BigInt, BigInt, Nullable<Numeric>)>::default();
    statement.sql("SELECT count(*), count(c.search_id), round(sum(c.positions) / sum(c.clicks), 2)");
    push_searches_with_clicks(&mut statement, report);
    let (searches, clicked, mean_position) = statement.get_result(&mut conn).await?;
    Ok(ClickThrough { searches, clicked, mean_position })
}

/// Returns the number of searches per interval, including intervals without searches.
pub async fn trends(mut conn: &Conn, report: &Report, interval: Interval) -> Result<Vec<Trend>> {
    let (unit, step) = match interval {
        Interval::Hour => ("'hour'", "interval '1 hour'"),
        Interval::Day => ("'day'", "interval '1 day'"),
        Interval::Week => ("'week'", "interval '1 week'"),
        Interval::Month => ("'month'", "interval '1 month'"),
    };
    // Computed on timestamps without time zone, because a day of the session's time zone may have 23 hours.
    let mut statement = DynamicQuery::<(Timestamptz, BigInt, BigInt, BigInt)>::default();
    statement.sql("WITH found AS (SELECT date_trunc(").sql(unit);
    statement.sql(", s.searched_at AT TIME ZONE 'UTC') AS at, count(*) AS searches,");
    statement.sql(" count(*) FILTER (WHERE s.results = 0) AS without_results, count(c.search_id) AS clicked");
    push_searches_with_clicks(&mut statement, report);
    statement.sql(
        " GROUP BY 1) SELECT step.at AT TIME ZONE 'UTC', coalesce(found.searches, 0), coalesce(found.without_results, 0),",
    );
    statement.sql(" coalesce(found.clicked, 0) FROM generate_series(date_trunc(").sql(unit).sql(", ");
    statement.bind(Value::Time(report.from)).sql("::timestamptz AT TIME ZONE 'UTC'), ").bind(Value::Time(report.to));
    statement.sql("::timestamptz AT TIME ZONE 'UTC' - interval '1 microsecond', ").sql(step);
    statement.sql(") AS step (at) LEFT JOIN found ON found.at = step.at ORDER BY step.at");
    let rows: Vec<(chrono::DateTime<chrono::Utc>, i64, i64, i64)> = statement.load(&mut conn).await?;
    Ok(rows
        .into_iter()
        .map(|(at, searches, without_results, clicked)| Trend { at, searches, without_results, clicked })
        .collect())
}
