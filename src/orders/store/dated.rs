//! Pages of staff's lists of orders that are filtered by a date and sorted by something else.
//! Order numbers and statuses go along with dates, which PostgreSQL's statistics do not tell: it expects the orders of a
//! month everywhere in the order of numbers, and would read nearly all orders before it finds the first of them. So only
//! the first rows are read in order. Unless they fill the page, the matching rows are found by date and sorted.

use diesel::{dsl::array, pg::Pg, prelude::*, sql_types::BigInt};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::{OrderList, rows};
use crate::{
    auth::Scope,
    db::{Conn, tables::orders},
    error::Result,
    orders::model::{OrderCondition, OrderOrderField, OrderRow},
    paged,
};

/// Number of rows that are read in order, which takes about two milliseconds.
const FIRST_ROWS: i64 = 2_000;

/// Reads the page. `$sorted` has the values of the column, but is in no index, so that the rows are found by the filter.
macro_rules! read_page {
    ($conn:ident, $scope:ident, $list:ident, $column:expr, $sorted:expr, $type:ty) => {{
        let (page, direction) = (&$list.page, $list.direction);
        let ids = orders::table.select(orders::id).into_boxed::<Pg>();
        let first_rows = paged!(ids, page, direction, $column, $type, orders::id).limit(FIRST_ROWS);
        let query = rows($scope, $list).filter(orders::id.eq_any(array::<BigInt, _>(first_rows)));
        let found: Vec<OrderRow> = paged!(query, page, direction, $sorted, $type, orders::id).load(&mut $conn).await?;
        if i64::try_from(found.len()).is_ok_and(|found| found >= page.fetch_limit()) {
            return Ok(found);
        }
        Ok(paged!(rows($scope, $list), page, direction, $sorted, $type, orders::id).load(&mut $conn).await?)
    }};
}

/// Returns a page of the visible orders.
pub async fn page(mut conn: &Conn, scope: &Scope, list: &OrderList) -> Result<Vec<OrderRow>> {
    let is_dated =
        list.filter.any(&|condition| matches!(condition, OrderCondition::PlacedAt(_) | OrderCondition::UpdatedAt(_)));
    let is_of_staff = matches!(scope, Scope::All | Scope::Websites(..));
    match list.order {
        OrderOrderField::TotalAmount if is_dated && is_of_staff => {
            let sorted = || orders::total_amount + Decimal::ZERO;
            read_page!(conn, scope, list, orders::total_amount, sorted(), Decimal)
        }
        OrderOrderField::OrderNumber if is_dated && is_of_staff => {
            let sorted = || orders::order_number.concat("");
            read_page!(conn, scope, list, orders::order_number, sorted(), String)
        }
        _ => super::page(conn, scope, list).await,
    }
}
