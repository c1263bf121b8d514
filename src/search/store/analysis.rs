//! Analysis of a query by the database: its words, taken apart by the functions that take the indexed texts apart, and the
//! languages of the documents.

use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;

use super::super::{query::ParsedQuery, ts_query::AnalyzedTerm, word_cache::Word};
use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::Result,
    websites::language::Language,
};

/// Returns these words as the database takes them apart, in the same order.
/// # Errors
/// Database errors.
pub async fn analyze(mut conn: &Conn, words: &[Word]) -> Result<Vec<AnalyzedTerm>> {
    let texts = |text: fn(&Word) -> String| Value::Texts(words.iter().map(text).collect());
    let mut statement = DynamicQuery::<(Text, Bool)>::default();
    statement.sql(
        "SELECT coalesce(search_query(w.language, w.text, w.is_partial = 1, w.weight)::text, ''),
            coalesce(search_is_stop_word(w.language, w.text), false)
        FROM unnest(",
    );
    statement.bind(texts(|word| word.language.as_str().to_owned())).sql("::text[], ");
    statement.bind(texts(|word| word.text.clone())).sql("::text[], ");
    statement.bind(Value::Ints(words.iter().map(|word| i64::from(word.is_partial)).collect())).sql("::bigint[], ");
    statement.bind(texts(|word| if word.is_in_names { "A".to_owned() } else { String::new() }));
    statement.sql("::text[]) WITH ORDINALITY w (language, text, is_partial, weight, position) ORDER BY w.position");
    let rows: Vec<(String, bool)> = statement.load(&mut conn).await?;
    Ok(rows.into_iter().map(|(query, is_stop_word)| AnalyzedTerm { query, is_stop_word }).collect())
}

/// Returns the languages of the documents, and whether the last word of the query is complete in each: it is a word, and no
/// longer word begins with it.
/// # Errors
/// Database errors.
pub async fn languages(mut conn: &Conn, query: &ParsedQuery) -> Result<Vec<(Language, bool)>> {
    let mut statement = DynamicQuery::<(Text, Bool)>::default();
    statement.sql("SELECT l, ");
    push_is_complete(&mut statement, query);
    statement.sql(" FROM search_languages() l ORDER BY l");
    Ok(statement.load(&mut conn).await?)
}

/// Writes whether the last word of the query is complete in a language `l`.
pub(super) fn push_is_complete<R>(out: &mut DynamicQuery<R>, query: &ParsedQuery) {
    match query.partial_text() {
        Some(text) => out.sql("search_is_complete(l, ").bind(Value::Text(text.to_owned())).sql(")"),
        None => out.sql("false"),
    };
}
