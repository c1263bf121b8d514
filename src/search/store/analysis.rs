//! Analysis of a query by the database: its terms, taken apart by the functions that take the indexed texts apart.

use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::RunQueryDsl;

use super::super::{
    query::ParsedQuery,
    ts_query::{Analysis, AnalyzedTerm},
};
use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::Result,
    websites::language::Language,
};

/// Returns the analysis of a query in each language of the documents, for searches in names only.
/// # Errors
/// Database errors.
pub async fn analyze(mut conn: &Conn, query: &ParsedQuery) -> Result<Vec<(Language, Analysis)>> {
    let mut statement = DynamicQuery::<(Text, BigInt, Text, Bool)>::default();
    statement.sql("SELECT l, q.position, coalesce(q.query, ''), q.is_stop_word FROM search_languages() l, ");
    push_terms(&mut statement, query, "A");
    statement.sql(" ORDER BY l");
    let rows: Vec<(Language, i64, String, bool)> = statement.load(&mut conn).await?;
    let mut analyses: Vec<(Language, Analysis)> = Vec::new();
    for (language, position, query, is_stop_word) in rows {
        if analyses.last().is_none_or(|(last, _)| *last != language) {
            analyses.push((language, Analysis::default()));
        }
        if let (Some((_, analysis)), Ok(position)) = (analyses.last_mut(), usize::try_from(position)) {
            analysis.terms.insert(position, AnalyzedTerm { query, is_stop_word });
        }
    }
    Ok(analyses)
}

/// Writes a subquery `q` with position, query and kind of each term in a language `l`. A weight restricts the fields.
pub(super) fn push_terms<R>(out: &mut DynamicQuery<R>, query: &ParsedQuery, weight: &str) {
    let (positions, texts) = query.texts().map(|(position, text)| (position as i64, text.to_owned())).unzip();
    let partial = query.partial_word().map_or(-1, |position| position as i64);
    out.sql("LATERAL (SELECT r.position, search_query(l, r.text, r.position = ").bind(Value::Int(partial));
    out.sql(" AND NOT search_is_complete(l, r.text), ").bind(Value::Text(weight.to_owned()));
    out.sql(")::text AS query, search_is_stop_word(l, r.text) AS is_stop_word FROM unnest(");
    out.bind(Value::Ints(positions)).sql("::bigint[], ").bind(Value::Texts(texts));
    out.sql("::text[]) AS r (position, text)) q");
}
