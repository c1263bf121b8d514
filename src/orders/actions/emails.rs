//! Emails about an order. They are sent to the contact of the order; without a contact email address none is sent.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::quantities::LineQuantities;
use crate::{
    db::Conn,
    error::{Error, Result},
    mail::{
        self,
        model::{Message, Template},
    },
    orders::model::{OrderDetailRow, OrderRow, Tracking},
    websites,
};

/// Queues the shipping confirmation: the shipped lines and the number of units still to be shipped.
pub(super) async fn queue_shipped(
    conn: &Conn,
    order: &OrderRow,
    lines: &[OrderDetailRow],
    tracking: &Tracking,
    quantities: &LineQuantities,
    left: i64,
) -> Result<()> {
    let quantities: HashMap<_, _> = quantities.iter().copied().collect();
    let shipped_lines = lines.iter().filter_map(|line| quantities.get(&line.id).map(|quantity| item(line, *quantity)));
    let values = json!({
        "order": order.order_number,
        "lines": shipped_lines.collect::<Vec<_>>(),
        "left": left,
        "carrier": tracking.carrier,
        "tracking_number": tracking.tracking_number,
        "tracking_url": tracking.tracking_url,
    });
    queue(conn, order, Template::OrderShipped, values).await
}

/// Queues the cancellation email with the amount to be refunded.
pub(super) async fn queue_cancelled(conn: &Conn, order: &OrderRow, lines: &[OrderDetailRow]) -> Result<()> {
    let refund = order.paid_amount - order.refunded_amount;
    let refund = if refund.is_zero() {
        None
    } else {
        let website = websites::store::by_ids(conn, &[order.source_website_id]).await?.pop();
        let website = website.ok_or_else(|| Error::Internal("the website of an order does not exist".into()))?;
        let currency = website.currency();
        Some(format!("{} {currency}", currency.format(refund)))
    };
    let values = json!({
        "order": order.order_number,
        "lines": lines.iter().map(|line| item(line, line.quantity)).collect::<Vec<_>>(),
        "refund": refund,
    });
    queue(conn, order, Template::OrderCancelled, values).await
}

fn item(line: &OrderDetailRow, quantity: i32) -> Value {
    json!({ "name": line.name, "quantity": quantity })
}

async fn queue(conn: &Conn, order: &OrderRow, template: Template, mut values: Value) -> Result<()> {
    let Some(to) = order.contact.contact_email.clone() else { return Ok(()) };
    values["name"] = json!(order.contact.contact_name.as_ref().unwrap_or(&to));
    let message = Message { template, to, user: order.user_id, website: Some(order.source_website_id), values };
    mail::actions::queue(conn, &message).await
}
