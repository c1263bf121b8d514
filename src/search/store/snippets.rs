//! Snippets: excerpts of the matching texts.

use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;

use super::{super::model::FullTextQuery, push_ranking_query};
use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::Result,
};

/// Start and end of a matched word in a snippet: control characters that no stored text contains.
pub const HIGHLIGHT_MARKS: [char; 2] = ['\u{2}', '\u{3}'];

/// Returns the snippets, by document ID.
/// # Errors
/// Database errors.
pub async fn snippets(mut conn: &Conn, documents: &[i64], full_text: &FullTextQuery) -> Result<Vec<(i64, String)>> {
    let mut statement = DynamicQuery::<(BigInt, Text)>::default();
    statement.sql("SELECT d.id, ts_headline(");
    push_config(&mut statement, full_text);
    statement.sql(", concat_ws(' – ', coalesce(p.name, c.name, b.name, s.name),");
    statement.sql(" nullif(coalesce(p.description, c.description, b.description, ''), '')), ");
    push_ranking_query(&mut statement, full_text);
    statement.sql(", 'MaxWords=30, MinWords=10, StartSel=' || chr(2) || ', StopSel=' || chr(3))");
    statement.sql(" FROM search_documents d LEFT JOIN products p ON d.kind = 'product' AND p.id = d.node_id");
    statement.sql(" LEFT JOIN categories c ON d.kind = 'category' AND c.id = d.node_id");
    statement.sql(" LEFT JOIN brands b ON d.kind = 'brand' AND b.id = d.node_id");
    statement.sql(" LEFT JOIN suppliers s ON d.kind = 'supplier' AND s.id = d.node_id WHERE d.id = ANY (");
    statement.bind(Value::Ints(documents.to_vec())).sql(")");
    Ok(statement.load(&mut conn).await?)
}

/// Writes the text search configuration of a document `d`; documents with language `all` use the first language.
fn push_config<R>(out: &mut DynamicQuery<R>, full_text: &FullTextQuery) {
    let first = full_text.0.as_slice().first().map(|(language, _)| *language).unwrap_or_default();
    out.sql("CASE d.language");
    for (language, _) in &full_text.0 {
        out.sql(" WHEN '").sql(language.as_str()).sql("' THEN 'souk_").sql(language.as_str()).sql("'::regconfig");
    }
    out.sql(" ELSE 'souk_").sql(first.as_str()).sql("'::regconfig END");
}
