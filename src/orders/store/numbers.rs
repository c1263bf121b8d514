//! Numbers of new orders, from their sequence, and IDs of further orders of a checkout.

use diesel::{
    QueryResult,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types::{BigInt, Integer, Nullable},
};
use diesel_async::RunQueryDsl;

use crate::{
    db::{Conn, sql::nextval},
    error::Result,
    ids::OrderId,
};

/// Query that returns the next order numbers, and an ID with each but the first.
#[derive(Debug, Clone, Copy, QueryId)]
struct OrderNumbers(i32);

impl Query for OrderNumbers {
    type SqlType = (Nullable<BigInt>, BigInt);
}
impl QueryFragment<Pg> for OrderNumbers {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "SELECT CASE WHEN i > 1 THEN nextval('orders_id_seq') END, nextval('order_numbers')
                FROM generate_series(1, ",
        );
        out.push_bind_param::<Integer, _>(&self.0)?;
        out.push_sql(") AS i");
        Ok(())
    }
}

/// Returns IDs and order numbers for `count` new orders, the first of which has this ID.
pub async fn next_numbers(mut conn: &Conn, first: OrderId, count: usize) -> Result<Vec<(OrderId, i64)>> {
    let query = OrderNumbers(i32::try_from(count).unwrap_or(i32::MAX));
    let numbers: Vec<(Option<OrderId>, i64)> = query.load(&mut conn).await?;
    Ok(numbers.into_iter().map(|(id, number)| (id.unwrap_or(first), number)).collect())
}

/// Returns the next order number.
pub async fn next_number(mut conn: &Conn) -> Result<i64> {
    Ok(diesel::select(nextval("order_numbers")).get_result(&mut conn).await?)
}
