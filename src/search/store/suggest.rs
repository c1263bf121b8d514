//! Suggestions from the names of products, categories and brands.
//! Rule: no statement scans more than a few thousand documents, however many match a prefix. Products are suggested from
//! their documents alone.

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
};

/// Number of matching documents that are scanned, of those with sales and of those without.
const SAMPLE: i64 = 300;
/// Number of best-selling products that are scanned for a prefix of one or two letters.
const MAX_BEST_SELLERS: i64 = 2_000;

/// Type, primary key and name of an entity.
pub type Completion = (DocumentKind, i64, String);
type CompletionType = (Text, BigInt, Text);

/// Returns products for sale: first those whose names start with the prefix, then by popularity.
/// # Errors
/// Database errors.
pub async fn products(
    mut conn: &Conn,
    prefix: &PrefixQuery,
    full_text: &FullTextQuery,
    limit: i64,
) -> Result<Vec<Completion>> {
    let mut statement = DynamicQuery::<CompletionType>::default();
    statement.sql("SELECT 'product', d.node_id, d.name FROM (");
    if prefix.is_short {
        // Very short prefixes match everywhere: the best-selling products contain enough of them.
        statement.sql("SELECT d.node_id, d.popularity, d.name FROM (SELECT * FROM search_documents d WHERE d.kind = 'product' AND d.is_public");
        push_website_filter(&mut statement, prefix);
        statement
            .sql(" ORDER BY d.popularity DESC, d.id DESC LIMIT ")
            .bind(Value::Int(MAX_BEST_SELLERS))
            .sql(") d WHERE ");
        push_match(&mut statement, full_text);
    } else {
        for (number, sold) in ["> 0", "= 0"].into_iter().enumerate() {
            statement.sql(if number == 0 { "(" } else { " UNION ALL (" });
            statement.sql("SELECT d.node_id, d.popularity, d.name FROM search_documents d WHERE d.kind = 'product' AND d.is_public AND d.popularity ");
            statement.sql(sold);
            push_website_filter(&mut statement, prefix);
            statement.sql(" AND ");
            push_match(&mut statement, full_text);
            statement.sql(" LIMIT ").bind(Value::Int(SAMPLE)).sql(")");
        }
    }
    statement.sql(") d, (SELECT lower(unaccent(");
    statement.bind(Value::Text(prefix.text.clone()));
    statement.sql(")) AS text) t ORDER BY starts_with(lower(unaccent(d.name)), t.text) DESC, d.popularity DESC, length(d.name), d.node_id LIMIT ");
    statement.bind(Value::Int(limit));
    Ok(statement.load(&mut conn).await?)
}

fn push_website_filter(out: &mut DynamicQuery<CompletionType>, prefix: &PrefixQuery) {
    if let Some(website) = prefix.website {
        out.sql(" AND d.website_id = ").bind(Value::Int(website.0));
    }
}

/// Returns categories and brands, up to `limit` of each; first those whose names start with the prefix.
/// # Errors
/// Database errors.
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
