//! Spelling correction.

use diesel::sql_types::{Array, BigInt, Text};
use diesel_async::RunQueryDsl;

use super::{super::model::FullTextQuery, push_match};
use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::Result,
};

/// Returns similar indexed words for those words that match no public document, by position and most similar first.
/// Each word comes with its position and query.
/// # Errors
/// Database errors.
pub async fn similar_words(
    mut conn: &Conn,
    words: &[(usize, String, FullTextQuery)],
) -> Result<Vec<(i64, Vec<String>)>> {
    let mut statement = DynamicQuery::<(BigInt, Array<Text>)>::default();
    for (number, (position, word, query)) in words.iter().enumerate() {
        statement.sql(if number == 0 { "SELECT " } else { " UNION ALL SELECT " });
        statement
            .bind(Value::Int(*position as i64))
            .sql("::bigint, ARRAY(SELECT s.word FROM search_words s WHERE s.word % t.word");
        statement.sql(
            " ORDER BY similarity(s.word, t.word) DESC, s.word LIMIT 200) FROM (SELECT btrim(unaccent(search_plain('other', ",
        );
        statement.bind(Value::Text(word.clone())).sql(")), ' ' || chr(2)) COLLATE \"C\" AS word) t WHERE NOT EXISTS");
        statement.sql(" (SELECT FROM search_documents d WHERE d.is_public AND ");
        push_match(&mut statement, query);
        statement.sql(")");
    }
    Ok(statement.load(&mut conn).await?)
}
