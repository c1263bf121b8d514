//! Emails about an order. They are sent to the contact of the order; without a contact email address none is sent.
//! Rule: they cannot be used to write to a stranger. An address that is not that of a verified account, and whose owner did
//! not confirm an order of the same user or guest, gets no text that the sender of the order typed, and one confirmation
//! until an order is paid or confirmed.

use std::collections::HashMap;

use chrono::Utc;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::quantities::LineQuantities;
use crate::{
    auth::{Scope, secret},
    db::Conn,
    error::{Error, Result},
    ids::{OrderId, UserId, WebsiteId},
    mail::{
        self,
        model::{Message, Template, UNKNOWN_CUSTOMER},
    },
    orders::{
        model::{
            Account, Contact, NewEmailConfirmation, ORDER_EMAIL_TOKEN_LIFETIME, ORDER_EMAIL_TOKEN_PREFIX,
            OrderDetailRow, OrderRow, Purchaser, Status, Tracking,
        },
        store,
    },
    users::{self, model::UserRow},
    websites::{self, model::WebsiteRow},
};

/// Trust in the contact of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// The email address is that of the customer's account and verified, its owner confirmed an order of the customer, or
    /// the order was paid or confirmed.
    Known,
    /// Anybody may have typed name, email address and shipping address.
    Unknown,
}

/// A line in the confirmation of an order.
pub(super) struct ConfirmedLine<'a> {
    pub(super) name: &'a str,
    pub(super) sku: &'a str,
    pub(super) quantity: i32,
    pub(super) total: Decimal,
}

/// An order to confirm.
pub(super) struct Confirmation<'a> {
    pub(super) website: &'a WebsiteRow,
    pub(super) user: Option<UserId>,
    pub(super) contact: &'a Contact,
    pub(super) number: &'a str,
    pub(super) total: Decimal,
    /// Lines of the shipping address.
    pub(super) address: Vec<String>,
}

impl Confirmation<'_> {
    /// Returns the confirmation email; none without a contact email address. With the token the owner of the address confirms
    /// the order.
    pub(super) fn message<'a>(
        self,
        trust: Trust,
        token: Option<&str>,
        lines: impl IntoIterator<Item = ConfirmedLine<'a>>,
    ) -> Option<Message> {
        let currency = self.website.currency();
        let money = |amount: Decimal| format!("{} {currency}", currency.format(amount));
        let line = |line: ConfirmedLine<'_>| {
            let ConfirmedLine { name, sku, quantity, total } = line;
            json!({ "name": name, "sku": sku, "quantity": quantity, "total": money(total) })
        };
        let to = self.contact.contact_email.clone()?;
        let address = if trust == Trust::Known { self.address } else { Vec::new() };
        let values = json!({
            "name": greeting(self.contact, &to, trust),
            "order": self.number,
            "lines": lines.into_iter().map(line).collect::<Vec<_>>(),
            "total": money(self.total),
            "address": address,
            "token": token,
            "hours": ORDER_EMAIL_TOKEN_LIFETIME.num_hours(),
        });
        Some(Message { template: Template::OrderPlaced, to, user: self.user, website: Some(self.website.id), values })
    }
}

fn greeting(contact: &Contact, to: &str, trust: Trust) -> String {
    match trust {
        Trust::Known => contact.contact_name.clone().unwrap_or_else(|| to.to_owned()),
        Trust::Unknown => UNKNOWN_CUSTOMER.to_owned(),
    }
}

/// Returns the trust in the contact of an order that is placed with this account; `is_confirmed`: the owner of the email
/// address has confirmed an order of the purchaser.
pub(super) fn trust(account: Option<&Account>, contact: &Contact, is_confirmed: bool) -> Trust {
    match &contact.contact_email {
        Some(email) if is_confirmed || account.is_some_and(|account| has_verified(&account.user, email)) => {
            Trust::Known
        }
        _ => Trust::Unknown,
    }
}

/// Returns whether an email address is the verified one of this user.
fn has_verified(user: &UserRow, email: &str) -> bool {
    let verified = user.email.as_deref().filter(|_| user.email_verified_at.is_some());
    verified.is_some_and(|verified| verified.eq_ignore_ascii_case(email))
}

/// Returns the trust in the contact of an existing order.
pub(super) async fn trust_in_order(conn: &Conn, order: &OrderRow) -> Result<Trust> {
    let (Some(purchaser), Some(email)) = (purchaser_of(conn, order).await?, &order.contact.contact_email) else {
        return Ok(Trust::Unknown);
    };
    let account = match purchaser {
        Purchaser::User(user) => users::store::by_ids(conn, &Scope::All, &[user]).await?.pop(),
        Purchaser::Guest(_) => None,
    };
    let is_known = account.is_some_and(|user| has_verified(&user, email))
        || store::email_confirmations::is_confirmed(conn, &purchaser, email).await?;
    Ok(if is_known { Trust::Known } else { Trust::Unknown })
}

async fn purchaser_of(conn: &Conn, order: &OrderRow) -> Result<Option<Purchaser>> {
    Ok(match order.user_id {
        Some(user) => Some(Purchaser::User(user)),
        None => store::email_confirmations::guest_of(conn, order.id).await?.map(Purchaser::Guest),
    })
}

/// Generates the token with which the owner of the address confirms a new order, and the row that stores its hash.
pub(super) fn generate_token(order: OrderId) -> (String, NewEmailConfirmation) {
    let (token, token_hash) = secret::generate(ORDER_EMAIL_TOKEN_PREFIX);
    let expires_at = Utc::now() + ORDER_EMAIL_TOKEN_LIFETIME;
    (token, NewEmailConfirmation { order_id: order, token_hash, expires_at })
}

/// Returns whether the confirmation of a new order has to wait until the order is paid or confirmed: another order of an
/// unverified address is not paid.
pub(super) async fn must_wait(conn: &Conn, trust: Trust, contact: &Contact) -> Result<bool> {
    match (&contact.contact_email, trust) {
        (Some(email), Trust::Unknown) => store::unpaid::exists_for_email(conn, email).await,
        _ => Ok(false),
    }
}

/// Queues the confirmation of an order that was paid or confirmed, if it was deferred.
/// # Errors
/// Database errors.
pub async fn queue_deferred_confirmation(conn: &Conn, order: &OrderRow) -> Result<()> {
    if !store::confirmations::take(conn, order.id).await? {
        return Ok(());
    }
    queue_confirmations(conn, std::slice::from_ref(order)).await
}

/// Queues the deferred confirmations of the user or guest who placed this order and used the same address, because its
/// owner has confirmed the order.
/// # Errors
/// Database errors.
pub(super) async fn queue_deferred_confirmations_like(conn: &Conn, order: &OrderRow) -> Result<()> {
    let (Some(purchaser), Some(email)) = (purchaser_of(conn, order).await?, &order.contact.contact_email) else {
        return Ok(());
    };
    let taken = store::email_confirmations::take_deferred(conn, &purchaser, email).await?;
    if taken.is_empty() {
        return Ok(());
    }
    let mut orders = store::by_ids(conn, &Scope::All, &taken).await?;
    orders.sort_by_key(|order| order.id);
    queue_confirmations(conn, &orders).await
}

/// Queues the complete confirmations of these orders.
async fn queue_confirmations(conn: &Conn, orders: &[OrderRow]) -> Result<()> {
    let ids: Vec<OrderId> = orders.iter().map(|order| order.id).collect();
    let websites: Vec<WebsiteId> = orders.iter().map(|order| order.source_website_id).collect();
    let websites = websites::store::by_ids(conn, &websites).await?;
    let lines = store::lines_by_order_ids(conn, &ids).await?;
    let mut messages = Vec::new();
    for order in orders {
        let website = websites.iter().find(|website| website.id == order.source_website_id);
        let confirmation = Confirmation {
            website: website.ok_or_else(no_website)?,
            user: order.user_id,
            contact: &order.contact,
            number: &order.order_number,
            total: order.total_amount,
            address: order.shipping_address().map(|address| address.lines()).unwrap_or_default(),
        };
        let lines = lines.iter().filter(|line| line.order_id == order.id).map(|line| ConfirmedLine {
            name: &line.name,
            sku: &line.sku,
            quantity: line.quantity,
            total: line.total_price,
        });
        messages.extend(confirmation.message(Trust::Known, None, lines));
    }
    mail::actions::queue_all(conn, &messages).await
}

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

/// Queues the cancellation email with the amount to be refunded. None is sent if the order was never confirmed by email.
pub(super) async fn queue_cancelled(conn: &Conn, order: &OrderRow, lines: &[OrderDetailRow]) -> Result<()> {
    if store::confirmations::take(conn, order.id).await? {
        return Ok(());
    }
    let refund = order.paid_amount - order.refunded_amount;
    let refund = if refund.is_zero() {
        None
    } else {
        let currency = find_website(conn, order.source_website_id).await?.currency();
        Some(format!("{} {currency}", currency.format(refund)))
    };
    let values = json!({
        "order": order.order_number,
        "lines": lines.iter().map(|line| item(line, line.quantity)).collect::<Vec<_>>(),
        "refund": refund,
    });
    queue(conn, order, Template::OrderCancelled, values).await
}

async fn find_website(conn: &Conn, id: WebsiteId) -> Result<WebsiteRow> {
    let website = websites::store::by_ids(conn, &[id]).await?.pop();
    website.ok_or_else(no_website)
}

fn no_website() -> Error {
    Error::Internal("the website of an order does not exist".into())
}

fn item(line: &OrderDetailRow, quantity: i32) -> Value {
    json!({ "name": line.name, "quantity": quantity })
}

/// `order` has the status before the change that the email is about.
async fn queue(conn: &Conn, order: &OrderRow, template: Template, mut values: Value) -> Result<()> {
    let Some(to) = order.contact.contact_email.clone() else { return Ok(()) };
    let trust = match order.status == Status::Pending && order.paid_amount.is_zero() {
        true => trust_in_order(conn, order).await?,
        false => Trust::Known,
    };
    values["name"] = json!(greeting(&order.contact, &to, trust));
    let message = Message { template, to, user: order.user_id, website: Some(order.source_website_id), values };
    mail::actions::queue(conn, &message).await
}
