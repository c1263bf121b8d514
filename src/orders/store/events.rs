//! All SQL statements on the history of orders; all events except notes are written by triggers.
//! Scopes: internal notes are visible to staff of the order's website, all other events to everyone who can see the
//! order.

use diesel::{dsl::exists, prelude::*};
use diesel_async::RunQueryDsl;

use crate::{
    auth::Scope,
    db::{
        Conn,
        filter::{Condition, constant},
        sql::{ParentId, PerParent},
        tables::{order_events, orders},
    },
    error::Result,
    ids::{OrderId, RowId},
    orders::model::{EventKind, MAX_EVENTS, NewNote, OrderEventRow},
};

fn shown(scope: &Scope) -> Condition<'static, order_events::table> {
    let open = order_events::is_internal.eq(false);
    match scope {
        Scope::All => constant(true),
        Scope::Websites(_, websites) => {
            let here = orders::table
                .filter(orders::id.eq(order_events::order_id))
                .filter(orders::source_website_id.eq_any(websites.to_vec()));
            Box::new(open.or(exists(here)))
        }
        Scope::Public | Scope::Own(_) | Scope::Guest(_) | Scope::Seller { .. } => Box::new(open),
    }
}

/// Returns the latest [`MAX_EVENTS`] events of each of these orders, oldest first within an order.
pub async fn latest_by_order_ids(mut conn: &Conn, scope: &Scope, ids: &[OrderId]) -> Result<Vec<OrderEventRow>> {
    let query = order_events::table
        .filter(order_events::order_id.eq(ParentId))
        .order(order_events::id.desc())
        .limit(MAX_EVENTS)
        .select(OrderEventRow::as_select())
        .into_boxed()
        .filter(shown(scope));
    let parents = ids.iter().map(|id| id.key()).collect();
    let rows: Vec<(i64, OrderEventRow)> = PerParent { parents, query }.load(&mut conn).await?;
    Ok(rows.into_iter().rev().map(|(_, row)| row).collect())
}

/// Returns the notes on these orders that are not internal, oldest first.
pub async fn notes_by_order_ids(mut conn: &Conn, ids: &[OrderId]) -> Result<Vec<OrderEventRow>> {
    let query = order_events::table
        .filter(order_events::order_id.eq_any(ids))
        .filter(order_events::kind.eq(EventKind::Note))
        .filter(order_events::is_internal.eq(false))
        .order((order_events::order_id, order_events::id))
        .select(OrderEventRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Returns the number of notes on an order.
pub async fn count_notes(mut conn: &Conn, order: OrderId) -> Result<i64> {
    let notes = order_events::table.filter(order_events::order_id.eq(order));
    Ok(notes.filter(order_events::kind.eq(EventKind::Note)).count().get_result(&mut conn).await?)
}

/// Inserts a note.
pub async fn insert_note(mut conn: &Conn, new: &NewNote) -> Result<()> {
    let insert = diesel::insert_into(order_events::table).values((order_events::kind.eq(EventKind::Note), new));
    insert.execute(&mut conn).await?;
    Ok(())
}
