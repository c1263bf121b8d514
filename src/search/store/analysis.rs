//! Analysis of a query by the database: its words, taken apart by the functions that take the indexed texts apart, and the
//! languages of the documents.

use diesel::sql_types::{Bool, Nullable, Text};
use diesel_async::RunQueryDsl;

use super::super::{
    ts_query::AnalyzedTerm,
    word_cache::{AnalyzedWord, Word},
};
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
pub async fn analyze(mut conn: &Conn, words: &[Word]) -> Result<Vec<AnalyzedWord>> {
    let texts = |text: fn(&Word) -> String| Value::Texts(words.iter().map(text).collect());
    let mut statement = DynamicQuery::<(Text, Bool, Text, Nullable<Text>)>::default();
    statement.sql(
        "SELECT coalesce(search_query(w.language, w.text, w.is_partial = 1, w.weight)::text, ''),
            coalesce(search_is_stop_word(w.language, w.text), false),
            coalesce(CASE WHEN w.is_partial = 1 THEN search_indexed_word(w.text) END, ''),
            CASE WHEN w.is_partial = 0 AND w.weight = '' THEN search_key(w.language, w.text) END
        FROM unnest(",
    );
    statement.bind(texts(|word| word.language.as_str().to_owned())).sql("::text[], ");
    statement.bind(texts(|word| word.text.clone())).sql("::text[], ");
    statement.bind(Value::Ints(words.iter().map(|word| i64::from(word.is_partial)).collect())).sql("::bigint[], ");
    statement.bind(texts(|word| if word.is_in_names { "A".to_owned() } else { String::new() }));
    statement.sql("::text[]) WITH ORDINALITY w (language, text, is_partial, weight, position) ORDER BY w.position");
    let rows: Vec<(String, bool, String, Option<String>)> = statement.load(&mut conn).await?;
    let word = |(query, is_stop_word, indexed, key)| {
        let term = AnalyzedTerm { query, is_stop_word };
        AnalyzedWord { term, indexed, key }
    };
    Ok(rows.into_iter().map(word).collect())
}

/// Returns the languages of the documents, and whether the last word of the query, as the list of all words has it, is
/// complete in each.
/// # Errors
/// Database errors.
pub async fn languages(mut conn: &Conn, partial: Option<&str>) -> Result<Vec<(Language, bool)>> {
    let mut statement = DynamicQuery::<(Text, Bool)>::default();
    statement.sql("SELECT l, ");
    push_is_complete(&mut statement, partial);
    statement.sql(" FROM search_languages() l ORDER BY l");
    Ok(statement.load(&mut conn).await?)
}

/// Writes whether a word is complete in a language `l`: it is in a name, and is not the beginning of a longer word in a name.
/// Then a search for all words that begin with it would only find the same more slowly. Not in German, which writes umlauts
/// in two ways.
pub(super) fn push_is_complete<R>(out: &mut DynamicQuery<R>, word: Option<&str>) {
    let Some(word) = word else {
        out.sql("false");
        return;
    };
    let word = || Value::Text(word.to_owned());
    out.sql("l <> 'de' AND EXISTS (SELECT FROM search_words w WHERE w.word = ").bind(word());
    out.sql(") AND NOT EXISTS (SELECT FROM search_words w WHERE w.word > ").bind(word()).sql(" AND w.word < ");
    out.bind(word()).sql(" || chr(1114111))");
}
