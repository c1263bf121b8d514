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

/// Stores the popularity of each product: the logarithm of the units sold recently. Returns the number of changed
/// documents.
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
         )
         UPDATE search_documents d SET popularity = coalesce(s.popularity, 0)
         FROM search_documents e LEFT JOIN sold s ON s.product_id = e.node_id
         WHERE e.kind = 'product' AND d.id = e.id AND e.popularity IS DISTINCT FROM coalesce(s.popularity, 0)",
    );
    Ok(statement.execute(&mut conn).await?)
}
