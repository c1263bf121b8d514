//! What a text that is not finished yet may become.
//! Rule: no statement looks at more than some thousand documents, however many begin with a letter.

use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;

use super::{
    super::model::{DocumentKind, FullTextQuery, suggest::PrefixQuery},
    push_match,
};
use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::Result,
    websites::language::Language,
};

/// How many documents that match are looked at, of those that are sold and of the others.
const SAMPLE: i64 = 300;
/// How many of what sells best are looked at for one or two letters.
const MAX_BEST_SELLERS: i64 = 2_000;

/// What kind of thing, its key and its name.
pub type Completion = (DocumentKind, i64, String);
type CompletionType = (Text, BigInt, Text);

/// Products for sale: those whose names begin so first, then what sells best.
/// # Errors
/// Those of the database.
pub async fn products(
    mut conn: &Conn,
    prefix: &PrefixQuery,
    full_text: &FullTextQuery,
    limit: i64,
) -> Result<Vec<Completion>> {
    let mut statement = DynamicQuery::<CompletionType>::default();
    statement.sql("SELECT 'product', p.id, p.name FROM (");
    if prefix.is_short {
        // So few letters begin names everywhere: what sells best has enough of them.
        statement.sql("SELECT d.node_id, d.popularity FROM (SELECT * FROM search_documents d WHERE d.kind = 'product' AND d.is_public");
        push_website_filter(&mut statement, prefix);
        statement
            .sql(" ORDER BY d.popularity DESC, d.id DESC LIMIT ")
            .bind(Value::Int(MAX_BEST_SELLERS))
            .sql(") d WHERE ");
        push_match(&mut statement, full_text);
    } else {
        for (number, sold) in ["> 0", "= 0"].into_iter().enumerate() {
            statement.sql(if number == 0 { "(" } else { " UNION ALL (" });
            statement.sql("SELECT d.node_id, d.popularity FROM search_documents d WHERE d.kind = 'product' AND d.is_public AND d.popularity ");
            statement.sql(sold);
            push_website_filter(&mut statement, prefix);
            statement.sql(" AND ");
            push_match(&mut statement, full_text);
            statement.sql(" LIMIT ").bind(Value::Int(SAMPLE)).sql(")");
        }
    }
    statement.sql(") d JOIN products p ON p.id = d.node_id, (SELECT lower(unaccent(");
    statement.bind(Value::Text(prefix.text.clone()));
    statement.sql(")) AS text) t ORDER BY starts_with(lower(unaccent(p.name)), t.text) DESC, d.popularity DESC, length(p.name), p.id LIMIT ");
    statement.bind(Value::Int(limit));
    Ok(statement.load(&mut conn).await?)
}

fn push_website_filter(out: &mut DynamicQuery<CompletionType>, prefix: &PrefixQuery) {
    if let Some(website) = prefix.website {
        out.sql(" AND d.website_id = ").bind(Value::Int(website.0));
    }
}

/// Categories and brands, up to so many of each: those whose names begin so first.
/// # Errors
/// Those of the database.
pub async fn categories_and_brands(
    mut conn: &Conn,
    prefix: &PrefixQuery,
    full_text: &FullTextQuery,
    limit: i64,
) -> Result<Vec<Completion>> {
    let mut statement = DynamicQuery::<CompletionType>::default();
    statement.sql("WITH d AS MATERIALIZED (SELECT d.kind, d.node_id FROM search_documents d WHERE d.kind IN ('category', 'brand') AND d.is_public AND ");
    push_match(&mut statement, full_text);
    statement.sql(" LIMIT ").bind(Value::Int(SAMPLE));
    statement.sql("), t AS (SELECT lower(unaccent(").bind(Value::Text(prefix.text.clone())).sql(")) AS text)");
    for (number, kind, table) in [(0, "category", "categories"), (1, "brand", "brands")] {
        statement.sql(if number == 0 { " (" } else { " UNION ALL (" });
        statement
            .sql("SELECT d.kind, n.id, n.name FROM d JOIN ")
            .sql(table)
            .sql(" n ON n.id = d.node_id, t WHERE d.kind = '")
            .sql(kind);
        statement.sql("' ORDER BY starts_with(lower(unaccent(n.name)), t.text) DESC, length(n.name), n.id LIMIT ");
        statement.bind(Value::Int(limit)).sql(")");
    }
    Ok(statement.load(&mut conn).await?)
}

/// The languages of all documents.
/// # Errors
/// Those of the database.
pub async fn languages(mut conn: &Conn) -> Result<Vec<Language>> {
    let mut statement = DynamicQuery::<Text>::default();
    statement.sql("SELECT l FROM search_languages() l ORDER BY l");
    Ok(statement.load(&mut conn).await?)
}
