//! Placing orders: what `orderCreate` and `checkout` have in common.
//! Rule: everything is written in one transaction; the number of statements does not depend on the number of products.

use std::collections::BTreeMap;

use chrono::Utc;
use rust_decimal::Decimal;

use super::emails::{self, Confirmation, ConfirmedLine, Trust};
use crate::{
    carts::{self, model::Shopper},
    db::{Conn, idempotency::ClaimedKey, insert_rows::Statement, pipeline::pipelined},
    error::{Error, Result, UserError, UserErrorCode},
    ids::{AddressId, OrderId, ProductId, UserId, WebsiteId},
    jobs,
    mail::{self, model::Message},
    money::{check_total, line_total},
    orders::{
        model::{
            Account, Contact, NewEmailConfirmation, NewOrderDetail, NewUnpaidOrder, OrderAddress, OrderRow,
            PlacedOrder, Purchaser, Status,
        },
        store,
    },
    postal::CountryCode,
    products::model::ProductRow,
    stock::{self, sale::check_sale},
    users::model::AddressRow,
    websites::model::WebsiteRow,
};

/// The buyer and the details that are copied to their orders.
pub(super) struct Buyer<'a> {
    pub(super) shopper: &'a Shopper,
    pub(super) purchaser: &'a Purchaser,
    pub(super) contact: Contact,
    pub(super) trust: Trust,
    pub(super) addresses: Addresses,
    pub(super) note: Option<String>,
}

impl Buyer<'_> {
    fn user(&self) -> Option<UserId> {
        match self.purchaser {
            Purchaser::User(user) => Some(*user),
            Purchaser::Guest(_) => None,
        }
    }

    /// Returns the hash of a guest's cart token.
    fn token_hash(&self) -> Option<Vec<u8>> {
        match self.purchaser {
            Purchaser::User(_) => None,
            Purchaser::Guest(hash) => Some(hash.clone()),
        }
    }
}

/// The addresses that are copied to the orders.
pub(super) struct Addresses {
    shipping: OrderAddress,
    billing: Option<OrderAddress>,
}

impl Addresses {
    /// Leaves out a billing address that equals the shipping address.
    pub(super) fn new(shipping: OrderAddress, billing: Option<OrderAddress>) -> Self {
        let billing = billing.filter(|billing| *billing != shipping);
        Self { shipping, billing }
    }
}

/// What is bought: products, which the caller has locked and checked, with quantities.
pub(super) type Items<'a> = [(&'a ProductRow, i32)];

/// The orders of a purchase, and the rows that are inserted with them.
#[derive(Default)]
struct Purchase {
    orders: Vec<PlacedOrder>,
    lines: Vec<NewOrderDetail>,
    sold: Vec<(OrderId, ProductId, i32)>,
    messages: Vec<Message>,
    tokens: Vec<NewEmailConfirmation>,
}

/// Inserts one order per website of the items, takes the stock and queues the confirmation emails, all by one statement.
/// The ID of the first order identifies the checkout and is that with which the idempotency key was claimed. `others` are
/// run together with that.
pub(super) async fn place(
    conn: &Conn,
    buyer: &Buyer<'_>,
    items: &Items<'_>,
    field: &'static str,
    websites: &[WebsiteRow],
    claimed: &ClaimedKey,
    others: impl IntoIterator<Item = Statement<'static>>,
) -> Result<Vec<OrderRow>> {
    let mut by_website: BTreeMap<WebsiteId, Vec<(&ProductRow, i32)>> = BTreeMap::new();
    for (product, quantity) in items {
        by_website.entry(product.source_website_id).or_default().push((product, *quantity));
    }
    for website_items in by_website.values() {
        check_total(field, total_of(website_items))?;
    }
    let first = OrderId(claimed.result());
    let (is_deferred, numbers) = pipelined!(
        is_deferred: emails::must_wait(conn, buyer.trust, &buyer.contact),
        numbers: store::next_numbers(conn, first, by_website.len()),
    )?;
    let mut purchase = Purchase::default();
    for ((id, number), (website_id, website_items)) in numbers.into_iter().zip(&by_website) {
        let website = websites.iter().find(|website| website.id == *website_id);
        let website = website.ok_or_else(|| Error::Internal("the website of a product does not exist".into()))?;
        purchase.add(buyer, website, website_items, (id, first), number, is_deferred);
    }
    let deferred = if is_deferred { &*purchase.orders } else { &[] };
    let jobs = mail::actions::jobs(&purchase.messages)?;
    let parts = [
        stock::store::take_statement(&purchase.sold),
        store::unpaid::insert_statement(&unpaid_orders(buyer, &purchase.orders)),
        store::confirmations::defer_statement(deferred),
        store::email_confirmations::insert_statement(&purchase.tokens),
        jobs::store::queue_statement(&jobs),
    ];
    let others = parts.into_iter().flatten().chain(others).collect();
    let placed = store::placement::place(conn, &purchase.orders, &purchase.lines, others).await;
    placed.map_err(stock::store::constraint_error)
}

impl Purchase {
    /// Adds the order of a website. `ids` are its ID and that of the first order of the checkout.
    fn add(
        &mut self,
        buyer: &Buyer<'_>,
        website: &WebsiteRow,
        items: &Items<'_>,
        ids: (OrderId, OrderId),
        number: i64,
        is_deferred: bool,
    ) {
        let (id, checkout_id) = ids;
        let order = PlacedOrder {
            id,
            checkout_id,
            source_website_id: website.id,
            order_number: format!("{}-{number}", website.code.to_uppercase()),
            user_id: buyer.user(),
            status: Status::Pending,
            total_amount: total_of(items),
            shipping: buyer.addresses.shipping.clone(),
            billing_address: buyer.addresses.billing.clone(),
            contact: buyer.contact.clone(),
            customer_note: buyer.note.clone(),
            cart_token_hash: buyer.token_hash(),
            placed_at: Utc::now(),
        };
        if !is_deferred {
            let has_token = buyer.trust == Trust::Unknown && buyer.contact.contact_email.is_some();
            let (token, row) = has_token.then(|| emails::generate_token(id)).unzip();
            self.messages.extend(confirmation(buyer, token.as_deref(), &order, website, items));
            self.tokens.extend(row);
        }
        self.lines.extend(items.iter().map(|(product, quantity)| line(id, product, *quantity)));
        let tracked = items.iter().filter(|(product, _)| product.is_tracked());
        self.sold.extend(tracked.map(|(product, quantity)| (id, product.id, *quantity)));
        self.orders.push(order);
    }
}

fn total_of(items: &Items<'_>) -> Decimal {
    items.iter().map(|(product, quantity)| line_total(product.price, *quantity)).sum()
}

/// Returns the orders that wait for payment: none that staff placed. There is nothing to pay for an order whose total is
/// 0, so it does not expire.
fn unpaid_orders(buyer: &Buyer<'_>, orders: &[PlacedOrder]) -> Vec<NewUnpaidOrder> {
    if buyer.shopper.is_staff() {
        return Vec::new();
    }
    let expires_at = buyer.shopper.settings().unpaid_wait().map(|wait| Utc::now() + wait);
    let network = &buyer.shopper.network;
    let unpaid = orders.iter().map(|order| NewUnpaidOrder {
        order_id: order.id,
        user_id: buyer.user(),
        network: network.clone(),
        expires_at: expires_at.filter(|_| !order.total_amount.is_zero()),
    });
    unpaid.collect()
}

/// Returns the confirmation email of an order; none without a contact email address.
fn confirmation(
    buyer: &Buyer<'_>,
    token: Option<&str>,
    order: &PlacedOrder,
    website: &WebsiteRow,
    website_items: &Items<'_>,
) -> Option<Message> {
    let confirmation = Confirmation {
        website,
        user: buyer.user(),
        contact: &buyer.contact,
        number: &order.order_number,
        total: order.total_amount,
        address: buyer.addresses.shipping.lines(),
    };
    let lines = website_items.iter().map(|(product, quantity)| ConfirmedLine {
        name: &product.name,
        sku: &product.sku,
        quantity: *quantity,
        total: line_total(product.price, *quantity),
    });
    confirmation.message(buyer.trust, token, lines)
}

pub(super) fn line(order: OrderId, product: &ProductRow, quantity: i32) -> NewOrderDetail {
    NewOrderDetail {
        order_id: order,
        product_id: product.id,
        name: product.name.clone(),
        sku: product.sku.clone(),
        quantity,
        unit_price: product.price,
    }
}

/// Checks whether this quantity can be sold to a buyer without a reservation.
/// # Errors
/// PRODUCT_INACTIVE or OUT_OF_STOCK of these fields.
pub(super) fn check_stock(
    product: &ProductRow,
    quantity: i32,
    id_field: String,
    quantity_field: String,
) -> Result<(), UserError> {
    check_sale(product, quantity, 0, id_field, quantity_field)
}

/// Locks the wanted products; expired reservations are released if stock is short.
pub(super) async fn lock_products(
    conn: &Conn,
    wanted: &BTreeMap<ProductId, i32>,
) -> Result<BTreeMap<ProductId, ProductRow>> {
    Ok(carts::actions::lock_available(conn, None, wanted).await?.0)
}

/// Returns an address of a user, of those that were read: the given one or the default address; none if there is no default.
/// # Errors
/// NOT_FOUND for an address that is not the user's, and INVALID for one whose country is not known.
pub(super) fn choose_address(
    addresses: &[AddressRow],
    id: Option<AddressId>,
    field: &'static str,
) -> Result<Option<OrderAddress>> {
    let found = match id {
        Some(id) => {
            let found = addresses.iter().find(|address| address.id == id);
            Some(found.ok_or_else(|| Error::not_found(field, "address"))?)
        }
        None => addresses.iter().find(|address| address.is_default),
    };
    let Some(found) = found else { return Ok(None) };
    if CountryCode::parse(&found.fields.country).is_none() {
        let rule = "The country of the address is not known. Update the address first.";
        return Err(Error::user(UserErrorCode::Invalid, field, rule));
    }
    Ok(Some(found.fields.clone().into()))
}

/// Returns a saved billing address; none if it is not given.
/// # Errors
/// As [`choose_address`].
pub(super) fn choose_billing_address(addresses: &[AddressRow], id: Option<AddressId>) -> Result<Option<OrderAddress>> {
    if id.is_none() { Ok(None) } else { choose_address(addresses, id, "billingAddressId") }
}

/// Returns the contact details of an account.
pub(super) fn account_contact(account: Option<&Account>) -> Contact {
    account.map_or_else(Contact::default, |account| Contact {
        contact_name: Some(account.user.name.clone()),
        contact_email: account.user.email.clone(),
        contact_phone: account.user.phone.clone(),
    })
}
