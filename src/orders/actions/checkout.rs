//! `checkout`: turns a cart into orders, one per website, all or none.

use std::collections::{BTreeMap, HashMap};

use chrono::Utc;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{
    emails::{self, Trust},
    place::{Addresses, Buyer, account_contact, choose_address, choose_billing_address, place},
};
use crate::{
    auth::{Scope, Viewer},
    carts::{
        self,
        model::{CartLineRow, CartRow, HeldUnits, LIFETIME, Shopper},
        store::holds::Except,
    },
    db::{
        Conn, Db,
        idempotency::{Claim, ClaimedKey, IdempotencyKey, Owner},
        pipeline::pipelined,
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{AddressId, CartId, OrderId, ProductId, UserId},
    money::{Currency, line_total},
    orders::{
        model::{Account, Contact, OrderAddress, OrderRow, Purchaser},
        store,
    },
    products::model::ProductRow,
    text::{self, Validator},
    users::{
        self,
        model::{AddressFields, AddressRow},
    },
    websites::model::WebsiteRow,
};

/// Maximum length of a customer's note, in characters.
const MAX_NOTE: usize = 1000;

/// Input of [`checkout`].
#[derive(Debug, Clone, Serialize)]
pub struct CheckoutRequest {
    /// The cart.
    pub cart: CartId,
    /// Shipping address of the orders.
    pub destination: Destination,
    /// Billing address of the orders; the shipping address if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing: Option<Billing>,
    /// Contact of the orders; that of the account if absent.
    pub contact: Option<ContactRequest>,
    /// The customer's note to the shop.
    pub note: Option<String>,
    /// Total shown to the customer. If absent, current prices are compared with those at which the lines were added.
    pub expected_total: Option<Decimal>,
}

/// Shipping address of orders.
#[derive(Debug, Clone, Serialize)]
pub enum Destination {
    /// The user's default address.
    Default,
    /// A saved address of the user.
    Saved(AddressId),
    /// A new address, stored on the orders only.
    New(Box<AddressFields>),
}

/// Billing address of orders.
#[derive(Debug, Clone, Serialize)]
pub enum Billing {
    /// A saved address of the user.
    Saved(AddressId),
    /// A new address, stored on the orders only.
    New(Box<AddressFields>),
}

/// Contact of orders.
#[derive(Debug, Clone, Serialize)]
pub struct ContactRequest {
    /// Name.
    pub name: String,
    /// Email address.
    pub email: String,
    /// Phone number.
    pub phone: Option<String>,
}

/// Turns a cart into orders, one per website, all or none. Takes the stock, copies prices, names, contact and address,
/// empties the cart and queues the confirmation emails. Repeating the request with the same key returns the same
/// orders.
/// # Errors
/// FORBIDDEN for an API key; user errors: NOT_FOUND for a cart or an address that is not the viewer's; REQUIRED, INVALID and TOO_LONG for missing
/// or invalid fields; CART_EMPTY; PRODUCT_INACTIVE and OUT_OF_STOCK of `lines.<n>` of the cart; PRICE_CHANGED;
/// OUT_OF_RANGE, also if the client would hold too much without paying; IDEMPOTENCY_MISMATCH.
pub async fn checkout(
    db: &Db,
    viewer: &Viewer,
    shopper: &Shopper,
    request: CheckoutRequest,
    key: String,
) -> Result<Vec<OrderRow>> {
    let holder = viewer.require_holder()?;
    let no_cart = || Error::not_found("cartId", "cart");
    let key = IdempotencyKey { owner: Owner::of(holder).ok_or_else(no_cart)?, operation: "checkout", key };
    let country = phone_country(db, viewer, &request).await?;
    let request = normalize(viewer, &key, request, country.as_deref())?;
    let purchaser = Purchaser::new(holder.user, viewer.guest()).ok_or_else(no_cart)?;
    let scope = match (holder.user, viewer.guest()) {
        (Some(me), _) => Scope::Own(me),
        (None, Some(guest)) => Scope::Guest(guest),
        (None, None) => return Err(no_cart()),
    };
    db.contended_transaction(async |conn| {
        let (claim, cart) = pipelined!(
            claim: key.claim_id(conn, &request, store::placement::IDS),
            cart: carts::store::lock(conn, &holder, request.cart, Utc::now() + LIFETIME),
        )?;
        let claimed = match claim {
            Claim::New(claimed) => claimed,
            Claim::Done(first) => return store::by_checkout(conn, &scope, OrderId(first)).await,
        };
        let cart = cart.ok_or_else(no_cart)?;
        let context = Context::read(conn, shopper, cart.id, &purchaser, &request).await?;
        place_cart(conn, shopper, &purchaser, &request, &cart, context, &claimed).await
    })
    .await
}

/// What a checkout depends on, read in one round trip once the cart is locked.
struct Context {
    lines: Vec<CartLineRow>,
    /// The products of the lines, locked.
    products: Vec<ProductRow>,
    websites: Vec<WebsiteRow>,
    held: HashMap<ProductId, HeldUnits>,
    unpaid: Option<i64>,
    account: Option<Account>,
    addresses: Vec<AddressRow>,
    /// Whether the owner of the given email address has confirmed an order of the purchaser.
    is_confirmed: bool,
}

impl Context {
    async fn read(
        conn: &Conn,
        shopper: &Shopper,
        cart: CartId,
        purchaser: &Purchaser,
        request: &CheckoutRequest,
    ) -> Result<Self> {
        let except = Except { cart: Some(cart), ..Except::default() };
        let cart_ids = [cart];
        let (lines, products, websites, held, unpaid, buyer, is_confirmed) = pipelined!(
            lines: carts::store::lines_by_cart_ids(conn, &cart_ids),
            products: carts::store::lock_products(conn, cart),
            websites: store::placement::websites_of_cart(conn, cart),
            held: carts::actions::held_units(conn, shopper, except, None),
            unpaid: carts::actions::count_unpaid_orders(conn, shopper),
            buyer: read_buyer(conn, purchaser, request),
            is_confirmed: is_contact_confirmed(conn, purchaser, request),
        )?;
        let (account, addresses) = buyer;
        Ok(Self { lines, products, websites, held, unpaid, account, addresses, is_confirmed })
    }
}

/// Returns the account of the purchaser and the addresses that the request chooses; none for a guest.
async fn read_buyer(
    conn: &Conn,
    purchaser: &Purchaser,
    request: &CheckoutRequest,
) -> Result<(Option<Account>, Vec<AddressRow>)> {
    let Purchaser::User(me) = purchaser else { return Ok((None, Vec::new())) };
    let chosen = chosen_addresses(request);
    pipelined!(
        account: store::placement::account(conn, *me),
        addresses: users::store::default_and_chosen_addresses(conn, *me, &chosen),
    )
}

fn chosen_addresses(request: &CheckoutRequest) -> Vec<AddressId> {
    let shipping = match &request.destination {
        Destination::Saved(id) => Some(*id),
        Destination::Default | Destination::New(_) => None,
    };
    let billing = match &request.billing {
        Some(Billing::Saved(id)) => Some(*id),
        Some(Billing::New(_)) | None => None,
    };
    shipping.into_iter().chain(billing).collect()
}

async fn is_contact_confirmed(conn: &Conn, purchaser: &Purchaser, request: &CheckoutRequest) -> Result<bool> {
    match &request.contact {
        Some(contact) => store::email_confirmations::is_confirmed(conn, purchaser, &contact.email).await,
        None => Ok(false),
    }
}

/// Places the orders of a locked cart and empties it.
async fn place_cart(
    conn: &Conn,
    shopper: &Shopper,
    purchaser: &Purchaser,
    request: &CheckoutRequest,
    cart: &CartRow,
    context: Context,
    claimed: &ClaimedKey,
) -> Result<Vec<OrderRow>> {
    let Context { lines, products, websites, held, unpaid, account, addresses, is_confirmed } = context;
    if lines.is_empty() {
        return Err(Error::user(
            UserErrorCode::CartEmpty,
            "cartId",
            "The cart is empty. Add at least one product before checking out.",
        ));
    }
    let wanted: BTreeMap<ProductId, i32> = lines.iter().map(|line| (line.product_id, line.quantity)).collect();
    let in_cart = held.iter().filter(|(_, held)| held.in_cart > 0);
    // A reservation has at most 1,000,000 units.
    let reserved = in_cart.map(|(product, held)| (*product, i32::try_from(held.in_cart).unwrap_or(i32::MAX))).collect();
    let (products, reserved) =
        carts::actions::release_expired(conn, Some(cart.id), &wanted, products, reserved).await?;
    let items = carts::actions::check_lines(&lines, &products, &reserved)?;
    check_prices(request, &lines, &items, cart.currency())?;
    carts::actions::check_unpaid_orders(shopper, unpaid, "cartId")?;
    let me = match purchaser {
        Purchaser::User(me) => Some(*me),
        Purchaser::Guest(_) => None,
    };
    let shipping = resolve_shipping(&addresses, request)?;
    let billing = resolve_billing(&addresses, request)?;
    let contact = resolve_contact(account.as_ref(), me, request)?;
    let is_confirmed = match request.contact {
        Some(_) => is_confirmed,
        None => account.as_ref().is_some_and(|account| account.has_confirmed),
    };
    let trust = emails::trust(account.as_ref(), &contact, is_confirmed);
    let field = |line: usize, _: &ProductRow| format!("lines.{line}.quantity");
    carts::actions::check_order(shopper, trust == Trust::Known, &held, &items, field)?;
    let (addresses, note) = (Addresses::new(shipping, billing), request.note.clone());
    let buyer = Buyer { shopper, purchaser, contact, trust, addresses, note };
    let released = (!reserved.is_empty()).then(|| carts::store::delete_reservations_statement(cart.id));
    let others = released.into_iter().chain([carts::store::delete_lines_statement(cart.id)]);
    place(conn, &buyer, &items, "cartId", &websites, claimed, others).await
}

/// Returns the country of the shipping address, if the contact's phone number has no country code.
async fn phone_country(db: &Db, viewer: &Viewer, request: &CheckoutRequest) -> Result<Option<String>> {
    let phone = request.contact.as_ref().and_then(|contact| contact.phone.as_deref());
    if !phone.is_some_and(text::is_national_phone) {
        return Ok(None);
    }
    let id = match &request.destination {
        Destination::New(address) => return Ok(Some(address.country.clone())),
        Destination::Saved(id) => Some(*id),
        Destination::Default => None,
    };
    let Some(me) = viewer.account() else { return Ok(None) };
    let chosen = Vec::from_iter(id);
    let addresses = async |conn: &Conn| users::store::default_and_chosen_addresses(conn, me, &chosen).await;
    let address = choose_address(&db.read(addresses).await?, id, "addressId")?;
    Ok(address.and_then(|address| address.country))
}

/// Validates the request and returns it in canonical form, so that equal requests hash equally. A phone number without
/// country code is read in `country`.
fn normalize(
    viewer: &Viewer,
    key: &IdempotencyKey,
    request: CheckoutRequest,
    country: Option<&str>,
) -> Result<CheckoutRequest> {
    key.check()?;
    let mut validator = Validator::new();
    let destination = match request.destination {
        Destination::New(address) => {
            Destination::New(Box::new(address.checked().map_err(|error| prefix_fields("address", error))?))
        }
        saved => saved,
    };
    let billing = match request.billing {
        Some(Billing::New(address)) => {
            Some(Billing::New(Box::new(address.checked().map_err(|error| prefix_fields("billingAddress", error))?)))
        }
        saved => saved,
    };
    if viewer.account().is_none() {
        match &destination {
            Destination::New(_) => {}
            Destination::Saved(_) => return Err(Error::not_found("addressId", "address")),
            Destination::Default => validator.add(required("address", "guests must give a shipping address")),
        }
        if matches!(billing, Some(Billing::Saved(_))) {
            return Err(Error::not_found("billingAddressId", "address"));
        }
        if request.contact.is_none() {
            validator.add(required("contact", "guests must give a contact"));
        }
    }
    let contact = request.contact.map(|mut contact| {
        validator.names("contact.name", [&mut contact.name], 255);
        ContactRequest {
            name: contact.name,
            email: validator.value_or_default(text::normalize_email("contact.email", &contact.email)),
            phone: contact
                .phone
                .map(|phone| validator.value_or_default(text::normalize_phone("contact.phone", &phone, country))),
        }
    });
    let mut note = request.note;
    validator.multiline_texts("note", &mut note, MAX_NOTE);
    let note = note.filter(|note| !note.is_empty());
    validator.finish()?;
    let expected_total = request.expected_total.map(|total| total.normalize());
    Ok(CheckoutRequest { cart: request.cart, destination, billing, contact, note, expected_total })
}

fn required(field: &'static str, rule: &'static str) -> UserError {
    UserError::new(UserErrorCode::Required, field, rule)
}

/// Prefixes the field paths of user errors with the field of the enclosing input.
fn prefix_fields(field: &str, error: Error) -> Error {
    let Error::User(errors) = error else { return error };
    let inner = |error: UserError| {
        let path = error.field.as_deref().map_or(field.to_owned(), |inner| format!("{field}.{inner}"));
        UserError { field: Some(path.into()), ..error }
    };
    Error::User(errors.into_iter().map(inner).collect())
}

/// Checks that the current prices are those shown to the customer.
fn check_prices(
    request: &CheckoutRequest,
    lines: &[CartLineRow],
    items: &[(&ProductRow, i32)],
    currency: Currency,
) -> Result<()> {
    if let Some(expected) = request.expected_total {
        let total: Decimal = items.iter().map(|(product, quantity)| line_total(product.price, *quantity)).sum();
        if total == expected {
            return Ok(());
        }
        let rule = format!("The cart total is now {}. Review the cart and check out again.", currency.format(total));
        return Err(Error::user(UserErrorCode::PriceChanged, "expectedTotal", rule));
    }
    let wrong: Vec<UserError> = lines
        .iter()
        .zip(items)
        .enumerate()
        .filter(|(_, (line, (product, _)))| line.added_price != product.price)
        .map(|(index, (_, (product, _)))| {
            let rule = format!("the price of {} is now {}", product.name, currency.format(product.price));
            UserError::new(UserErrorCode::PriceChanged, format!("lines.{index}.unitPrice"), rule)
        })
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(Error::User(wrong)) }
}

fn resolve_shipping(addresses: &[AddressRow], request: &CheckoutRequest) -> Result<OrderAddress> {
    let id = match &request.destination {
        Destination::New(address) => return Ok((**address).clone().into()),
        Destination::Saved(id) => Some(*id),
        Destination::Default => None,
    };
    let found = choose_address(addresses, id, "addressId")?;
    found.ok_or_else(|| required("addressId", "You have no default address. Give a shipping address.").into())
}

fn resolve_billing(addresses: &[AddressRow], request: &CheckoutRequest) -> Result<Option<OrderAddress>> {
    match &request.billing {
        Some(Billing::New(address)) => Ok(Some((**address).clone().into())),
        Some(Billing::Saved(id)) => choose_billing_address(addresses, Some(*id)),
        None => Ok(None),
    }
}

fn resolve_contact(account: Option<&Account>, me: Option<UserId>, request: &CheckoutRequest) -> Result<Contact> {
    match (&request.contact, me) {
        (Some(contact), _) => Ok(Contact {
            contact_name: Some(contact.name.clone()),
            contact_email: Some(contact.email.clone()),
            contact_phone: contact.phone.clone(),
        }),
        (None, Some(_)) => Ok(account_contact(account)),
        (None, None) => Err(required("contact", "guests must give a contact").into()),
    }
}
