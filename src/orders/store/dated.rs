//! Pages of staff's lists of orders that are filtered by a date and sorted by something else.
//! Order numbers and statuses go along with dates, which PostgreSQL's statistics do not tell: it expects the orders of a
//! month everywhere in the order of numbers, and would read nearly all orders before it finds the first of them. So only
//! the first rows are read in order. Unless they fill the page, the orders of a short period are found by date and sorted.

use diesel::{
    IntoSql,
    dsl::array,
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Integer},
};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::{OrderList, condition, rows};
use crate::{
    auth::Scope,
    db::{Conn, filter::Filter, tables::orders},
    error::Result,
    orders::model::{OrderCondition, OrderOrderField, OrderRow},
    paged,
};

/// Number of rows that are read in order, which takes at most eight milliseconds.
const FIRST_ROWS: i64 = 2_000;
/// Maximum number of orders of a short period. Finding and sorting them takes about 25 ms.
const SHORT_PERIOD: i64 = 50_000;

/// Reads the page. `$sorted` has the values of the column, but is in no index, so that the rows are found by the filter.
macro_rules! read_page {
    ($conn:ident, $scope:ident, $list:ident, $period:ident, $column:expr, $sorted:expr, $type:ty) => {{
        let (page, direction) = (&$list.page, $list.direction);
        let ids = orders::table.select(orders::id).into_boxed::<Pg>();
        let first_rows = paged!(ids, page, direction, $column, $type, orders::id).limit(FIRST_ROWS);
        let query = rows($scope, $list).filter(orders::id.eq_any(array::<BigInt, _>(first_rows)));
        let found: Vec<OrderRow> = paged!(query, page, direction, $sorted, $type, orders::id).load(&mut $conn).await?;
        if i64::try_from(found.len()).is_ok_and(|found| found >= page.fetch_limit()) {
            return Ok(found);
        }
        if !is_short($conn, &$period).await? {
            return super::page($conn, $scope, $list).await;
        }
        Ok(paged!(rows($scope, $list), page, direction, $sorted, $type, orders::id).load(&mut $conn).await?)
    }};
}

/// Returns a page of the visible orders.
pub async fn page(mut conn: &Conn, scope: &Scope, list: &OrderList) -> Result<Vec<OrderRow>> {
    let period = period(list);
    let is_dated = !period.is_empty() && matches!(scope, Scope::All | Scope::Websites(..));
    match list.order {
        OrderOrderField::TotalAmount if is_dated => {
            let column = orders::total_amount;
            read_page!(conn, scope, list, period, column, column + Decimal::ZERO, Decimal)
        }
        OrderOrderField::OrderNumber if is_dated => {
            let column = orders::order_number;
            read_page!(conn, scope, list, period, column, column.concat(""), String)
        }
        _ => super::page(conn, scope, list).await,
    }
}

/// Returns the conditions on dates that every order of the list meets.
fn period(list: &OrderList) -> Vec<&OrderCondition> {
    let Filter::And(all) = &list.filter else { return Vec::new() };
    let dates = all.iter().filter_map(|filter| match filter {
        Filter::Is(date @ (OrderCondition::PlacedAt(_) | OrderCondition::UpdatedAt(_))) => Some(date),
        _ => None,
    });
    dates.collect()
}

/// Returns whether a period has few orders, from an index alone.
async fn is_short(mut conn: &Conn, period: &[&OrderCondition]) -> Result<bool> {
    let orders = orders::table.select(1.into_sql::<Integer>()).into_boxed::<Pg>();
    let of_period = period.iter().fold(orders, |orders, date| orders.filter(condition(date)));
    let next: Option<i32> = of_period.offset(SHORT_PERIOD).limit(1).first(&mut conn).await.optional()?;
    Ok(next.is_none())
}
