//! The mails about an order. They go to the contact that was named when it was placed; without one there is none.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::pieces::Pieces;
use crate::{
    db::Conn,
    error::{Error, Result},
    mail::{
        self,
        model::{Message, Template},
    },
    money::format_amount,
    orders::model::{OrderDetailRow, OrderRow, Tracking},
    websites,
};

/// Says what is on its way, and how many pieces are left to follow.
pub(super) async fn shipped(
    conn: &Conn,
    order: &OrderRow,
    lines: &[OrderDetailRow],
    tracking: &Tracking,
    pieces: &Pieces,
    left: i64,
) -> Result<()> {
    let pieces: HashMap<_, _> = pieces.iter().copied().collect();
    let in_it = lines.iter().filter_map(|line| pieces.get(&line.id).map(|pieces| item(line, *pieces)));
    let values = json!({
        "order": order.order_number,
        "lines": in_it.collect::<Vec<_>>(),
        "left": left,
        "carrier": tracking.carrier,
        "tracking_number": tracking.tracking_number,
        "tracking_url": tracking.tracking_url,
    });
    send(conn, order, Template::OrderShipped, values).await
}

/// Says that an order is called off, and what is paid back.
pub(super) async fn cancelled(conn: &Conn, order: &OrderRow, lines: &[OrderDetailRow]) -> Result<()> {
    let back = order.paid_amount - order.refunded_amount;
    let back = if back.is_zero() {
        None
    } else {
        let website = websites::store::by_ids(conn, &[order.source_website_id]).await?.pop();
        let website = website.ok_or_else(|| Error::Internal("an order without its website".into()))?;
        Some(format!("{} {}", format_amount(back), website.currency()))
    };
    let values = json!({
        "order": order.order_number,
        "lines": lines.iter().map(|line| item(line, line.quantity)).collect::<Vec<_>>(),
        "refund": back,
    });
    send(conn, order, Template::OrderCancelled, values).await
}

fn item(line: &OrderDetailRow, quantity: i32) -> Value {
    json!({ "name": line.name, "quantity": quantity })
}

async fn send(conn: &Conn, order: &OrderRow, template: Template, mut values: Value) -> Result<()> {
    let Some(to) = order.contact.contact_email.clone() else { return Ok(()) };
    values["name"] = json!(order.contact.contact_name.as_ref().unwrap_or(&to));
    let message = Message { template, to, user: order.user_id, website: Some(order.source_website_id), values };
    mail::actions::queue(conn, &message).await
}
