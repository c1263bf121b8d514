//! Notes on orders.

use super::access::editor_scope;
use crate::{
    auth::Viewer,
    db::Db,
    error::{Error, Result, UserErrorCode},
    ids::OrderId,
    orders::{
        model::{MAX_NOTES, NewNote, OrderActor, OrderRow, checked_note},
        store,
    },
};

/// Adds a note to an order: staff to any order of their websites, customers and guests to their own. Only staff write
/// internal notes.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers; NOT_FOUND for an order that is not the viewer's; BAD_USER_INPUT for an
/// internal note of a customer or guest; OUT_OF_RANGE if the order has too many notes; user errors of the text.
pub async fn add_note(db: &Db, viewer: &Viewer, id: OrderId, text: String, is_internal: bool) -> Result<OrderRow> {
    let scope = editor_scope(viewer)?;
    let text = checked_note(text)?;
    db.transaction(async |conn| {
        let missing = || Error::not_found("orderId", "order");
        let order = store::lock(conn, &scope, id).await?.ok_or_else(missing)?;
        if is_internal && OrderActor::of(viewer, &order) != OrderActor::Staff {
            return Err(Error::bad_input("isInternal", "only staff can add internal notes"));
        }
        if store::events::count_notes(conn, id).await? >= MAX_NOTES {
            let rule = format!("an order has at most {MAX_NOTES} notes");
            return Err(Error::user(UserErrorCode::OutOfRange, "orderId", rule));
        }
        let note = NewNote { order_id: id, user_id: viewer.user_id(), message: text.clone(), is_internal };
        store::events::insert_note(conn, &note).await?;
        Ok(order)
    })
    .await
}
