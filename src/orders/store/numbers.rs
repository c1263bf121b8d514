//! IDs and numbers of new orders, from their sequences.

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{BigInt, Integer},
};
use diesel_async::RunQueryDsl;

use crate::{
    db::{Conn, sql::nextval},
    error::Result,
    ids::OrderId,
};

/// Query that returns the next IDs and order numbers in one statement.
#[derive(Debug, Clone, Copy, QueryId)]
struct OrderNumbers(i32);

impl Query for OrderNumbers {
    type SqlType = (BigInt, BigInt);
}
impl QueryFragment<Pg> for OrderNumbers {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT nextval('orders_id_seq'), nextval('order_numbers') FROM generate_series(1, ");
        out.push_bind_param::<Integer, _>(&self.0)?;
        out.push_sql(")");
        Ok(())
    }
}

/// Returns IDs and order numbers for `count` new orders.
pub async fn next_numbers(mut conn: &Conn, count: usize) -> Result<Vec<(OrderId, i64)>> {
    Ok(OrderNumbers(i32::try_from(count).unwrap_or(i32::MAX)).load(&mut conn).await?)
}

/// Returns the next order number.
pub async fn next_number(mut conn: &Conn) -> Result<i64> {
    Ok(diesel::select(nextval("order_numbers")).get_result(&mut conn).await?)
}
