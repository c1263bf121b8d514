//! How much products sell.

use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;

use crate::{
    db::{
        Conn,
        dynamic_query::{DynamicQuery, Value},
    },
    error::Result,
};

/// Days of which the sales count.
const DAYS: i64 = 90;

/// Notes how much each product was sold lately, as the logarithm of the pieces; how many documents changed.
/// # Errors
/// Those of the database.
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
