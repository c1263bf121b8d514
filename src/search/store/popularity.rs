//! Popularity of products.

use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;

use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::Result,
};

/// Number of days whose sales count.
const DAYS: i64 = 90;

/// Stores the popularity of each product, the logarithm of the units sold recently, and its tier among all products. Returns
/// the number of changed documents.
/// # Errors
/// Database errors.
pub async fn update_popularity(mut conn: &Conn) -> Result<usize> {
    let mut statement = DynamicQuery::<BigInt>::default();
    statement.sql(
        "WITH sold AS (
             SELECT l.product_id, round(ln(1 + sum(l.quantity))::numeric, 1)::real AS popularity
             FROM order_details l JOIN orders o ON o.id = l.order_id
             WHERE o.status <> 'cancelled' AND o.placed_at > now() - make_interval(days => (",
    );
    statement.bind(Value::Int(DAYS)).sql(
        ")::int) GROUP BY l.product_id
         ), ranked AS (
             SELECT product_id, popularity,
                 row_number() OVER (ORDER BY popularity DESC, product_id DESC)
                     / (SELECT count(*) FROM search_documents WHERE kind = 'product')::real AS share
             FROM sold WHERE popularity > 0
         ), become AS (
             SELECT e.id, coalesce(r.popularity, 0) AS popularity,
                 CASE WHEN r.share <= 0.02 THEN 1 WHEN r.share <= 0.2 THEN 2 ELSE 0 END AS sales_tier
             FROM search_documents e LEFT JOIN ranked r ON r.product_id = e.node_id WHERE e.kind = 'product'
         )
         UPDATE search_documents d SET popularity = b.popularity, sales_tier = b.sales_tier
         FROM become b WHERE d.id = b.id AND (d.popularity, d.sales_tier) IS DISTINCT FROM (b.popularity, b.sales_tier)",
    );
    Ok(statement.execute(&mut conn).await?)
}
