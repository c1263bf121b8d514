//! Placing orders: what `orderCreate` and `checkout` have in common.
//! Rule: everything is written in one transaction; the number of statements does not depend on the number of products.

use std::collections::BTreeMap;

use chrono::Utc;
use futures_util::{FutureExt, future::BoxFuture};
use rust_decimal::Decimal;

use super::emails::{self, Confirmation, ConfirmedLine, Trust};
use crate::{
    auth::{GuestKey, Scope},
    carts::{self, model::Shopper},
    db::{Conn, idempotency::ClaimedKey, run_pipelined},
    error::{Error, Result, UserError, UserErrorCode},
    ids::{AddressId, OrderId, ProductId, UserId, WebsiteId},
    mail::{self, model::Message},
    money::{check_total, line_total},
    orders::{
        model::{Contact, NewOrder, NewOrderDetail, NewUnpaidOrder, OrderAddress, OrderRow, Status},
        store,
    },
    postal::CountryCode,
    products::model::ProductRow,
    stock::{
        self,
        model::{NewMovement, Reason},
        sale::check_sale,
    },
    users::{
        self,
        model::{AddressRow, UserRow},
    },
    websites::{self, model::WebsiteRow},
};

/// The buyer and the details that are copied to their orders.
pub(super) struct Buyer<'a> {
    pub(super) shopper: &'a Shopper,
    pub(super) user: Option<UserId>,
    pub(super) guest: Option<GuestKey>,
    pub(super) contact: Contact,
    pub(super) trust: Trust,
    pub(super) addresses: Addresses,
    pub(super) note: Option<String>,
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

/// Inserts one order per website of the items, takes the stock and queues the confirmation emails. The ID of the first
/// order identifies the checkout and is stored as the result of the idempotency key. `also` must not depend on the
/// orders; it is pipelined with their lines.
pub(super) async fn place<'a>(
    conn: &'a Conn,
    buyer: &Buyer<'_>,
    items: &Items<'_>,
    field: &'static str,
    claimed: &'a ClaimedKey,
    also: Option<BoxFuture<'a, Result<()>>>,
) -> Result<Vec<OrderRow>> {
    let mut by_website: BTreeMap<WebsiteId, Vec<(&ProductRow, i32)>> = BTreeMap::new();
    for (product, quantity) in items {
        by_website.entry(product.source_website_id).or_default().push((product, *quantity));
    }
    let ids: Vec<WebsiteId> = by_website.keys().copied().collect();
    let websites = websites::store::by_ids(conn, &ids);
    let numbers = store::next_numbers(conn, ids.len());
    let (websites, numbers) = futures_util::future::try_join(websites, numbers).await?;
    let websites: BTreeMap<WebsiteId, WebsiteRow> = websites.into_iter().map(|row| (row.id, row)).collect();
    let website = |id: &WebsiteId| {
        websites.get(id).ok_or_else(|| Error::Internal("the website of a product does not exist".into()))
    };
    let first = numbers.first().ok_or_else(|| Error::Internal("no order was created".into()))?.0;
    let mut new = Vec::new();
    let mut totals: BTreeMap<OrderId, Decimal> = BTreeMap::new();
    let (mut lines, mut sold, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    let mut tokens = Vec::new();
    let is_deferred = emails::must_wait(conn, buyer.trust, &buyer.contact).await?;
    for ((id, number), (website_id, website_items)) in numbers.into_iter().zip(&by_website) {
        let website = website(website_id)?;
        let total: Decimal = website_items.iter().map(|(product, quantity)| line_total(product.price, *quantity)).sum();
        check_total(field, total)?;
        totals.insert(id, total);
        let order = NewOrder {
            id: Some(id),
            checkout_id: Some(first),
            source_website_id: *website_id,
            order_number: format!("{}-{number}", website.code.to_uppercase()),
            user_id: buyer.user,
            status: Status::Pending,
            shipping: buyer.addresses.shipping.clone().into(),
            billing_address: buyer.addresses.billing.clone(),
            contact: buyer.contact.clone(),
            customer_note: buyer.note.clone(),
            cart_token_hash: buyer.guest.filter(|_| buyer.user.is_none()).map(|guest| guest.hash().to_vec()),
            placed_at: Utc::now(),
        };
        if !is_deferred {
            let has_token = buyer.trust == Trust::Unknown && buyer.contact.contact_email.is_some();
            let (token, row) = has_token.then(|| emails::generate_token(id)).unzip();
            messages.extend(confirmation(buyer, token.as_deref(), &order, website, website_items, total));
            tokens.extend(row);
        }
        lines.extend(website_items.iter().map(|(product, quantity)| line(id, product, *quantity)));
        sold.extend(
            website_items
                .iter()
                .filter(|(product, _)| product.is_tracked())
                .map(|(product, quantity)| NewMovement::new(product.id, Some(id), buyer.user, Reason::Sale, -quantity)),
        );
        new.push(order);
    }
    // By product ID, the order in which the products are locked.
    sold.sort_by_key(|movement| movement.product_id);
    let mut orders = store::insert_all(conn, &new).await?;
    orders.sort_by_key(|order| order.id);
    let deferred: Vec<OrderId> = orders.iter().filter(|_| is_deferred).map(|order| order.id).collect();
    let unpaid = unpaid_orders(buyer, &totals);
    let rest = [
        store::insert_lines(conn, &lines).boxed(),
        stock::store::insert(conn, &sold).boxed(),
        mail::actions::queue_all(conn, &messages).boxed(),
        store::confirmations::insert_all(conn, &deferred).boxed(),
        store::email_confirmations::insert_all(conn, &tokens).boxed(),
        store::unpaid::insert_all(conn, &unpaid).boxed(),
        claimed.store_result(conn, first.0).boxed(),
    ];
    run_pipelined(rest.into_iter().chain(also)).await?;
    for order in &mut orders {
        // The trigger has updated the total by now.
        order.total_amount = totals.get(&order.id).copied().unwrap_or_default();
    }
    Ok(orders)
}

/// Returns the orders that wait for payment: none that staff placed. There is nothing to pay for an order whose total is
/// 0, so it does not expire.
fn unpaid_orders(buyer: &Buyer<'_>, totals: &BTreeMap<OrderId, Decimal>) -> Vec<NewUnpaidOrder> {
    if buyer.shopper.is_staff() {
        return Vec::new();
    }
    let expires_at = buyer.shopper.settings().unpaid_wait().map(|wait| Utc::now() + wait);
    let network = &buyer.shopper.network;
    let unpaid = totals.iter().map(|(order, total)| NewUnpaidOrder {
        order_id: *order,
        user_id: buyer.user,
        network: network.clone(),
        expires_at: expires_at.filter(|_| !total.is_zero()),
    });
    unpaid.collect()
}

/// Returns the confirmation email of an order; none without a contact email address.
fn confirmation(
    buyer: &Buyer<'_>,
    token: Option<&str>,
    order: &NewOrder,
    website: &WebsiteRow,
    website_items: &Items<'_>,
    total: Decimal,
) -> Option<Message> {
    let confirmation = Confirmation {
        website,
        user: buyer.user,
        contact: &buyer.contact,
        number: &order.order_number,
        total,
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

/// Returns an address of a user: the given one or the default address; none if there is no default.
/// # Errors
/// NOT_FOUND for an address that is not the user's, and INVALID for one whose country is not known.
pub(super) async fn find_address(
    conn: &Conn,
    me: UserId,
    address: Option<AddressId>,
    field: &'static str,
) -> Result<Option<OrderAddress>> {
    let own = &Scope::Own(me);
    let found: Option<AddressRow> = match address {
        Some(id) => {
            let found = users::store::addresses_by_ids(conn, own, &[id]).await?.pop();
            Some(found.ok_or_else(|| Error::not_found(field, "address"))?)
        }
        None => users::store::addresses_by_user_ids(conn, own, &[me]).await?.into_iter().find(|a| a.is_default),
    };
    let Some(found) = found else { return Ok(None) };
    if CountryCode::parse(&found.fields.country).is_none() {
        let rule = "The country of the address is not known. Update the address first.";
        return Err(Error::user(UserErrorCode::Invalid, field, rule));
    }
    Ok(Some(found.fields.into()))
}

/// Returns a saved billing address; none if it is not given.
/// # Errors
/// As [`find_address`].
pub(super) async fn find_billing_address(
    conn: &Conn,
    me: UserId,
    address: Option<AddressId>,
) -> Result<Option<OrderAddress>> {
    match address {
        Some(id) => find_address(conn, me, Some(id), "billingAddressId").await,
        None => Ok(None),
    }
}

/// Returns the contact details of an account.
pub(super) async fn account_contact(conn: &Conn, me: UserId) -> Result<Contact> {
    let found: Option<UserRow> = users::store::by_ids(conn, &Scope::Own(me), &[me]).await?.pop();
    Ok(found.map_or_else(Contact::default, |user| Contact {
        contact_name: Some(user.name),
        contact_email: user.email,
        contact_phone: user.phone,
    }))
}
