//! Spelling correction.

use std::collections::HashMap;

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

/// Returns indexed words as most names of these documents, their categories and brands write them; in lower case, by the
/// indexed word, which has no accents.
/// # Errors
/// Database errors.
pub async fn written_words(mut conn: &Conn, words: &[String], documents: &[i64]) -> Result<HashMap<String, String>> {
    let mut statement = DynamicQuery::<(Text, Text)>::default();
    // The signs are explicit, because character classes depend on the locale of the database.
    statement.sql(
        "SELECT DISTINCT ON (1) lower(unaccent(w.word)), w.word
         FROM search_documents d LEFT JOIN products p ON d.kind = 'product' AND p.id = d.node_id
             LEFT JOIN categories c ON c.id = CASE d.kind WHEN 'product' THEN p.category_id WHEN 'category' THEN d.node_id END
             LEFT JOIN brands b ON b.id = CASE d.kind WHEN 'product' THEN p.brand_id WHEN 'brand' THEN d.node_id END
             CROSS JOIN regexp_split_to_table(concat_ws(' ', p.name, p.variant, c.name, b.name), '[ -/:-@\\[-`{-~]+') AS w (word)
         WHERE d.id = ANY (",
    );
    statement.bind(Value::Ints(documents.to_vec())).sql(") AND lower(unaccent(w.word)) = ANY (");
    statement.bind(Value::Texts(words.to_vec())).sql(") GROUP BY w.word ORDER BY 1, count(*) DESC, w.word");
    let rows: Vec<(String, String)> = statement.load(&mut conn).await?;
    Ok(rows.into_iter().map(|(word, written)| (word, written.to_lowercase())).collect())
}
