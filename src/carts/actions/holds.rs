//! Limits of what one client may hold in reservations and unpaid orders, so that a client cannot sell out a product without
//! paying.

use std::collections::HashMap;

use crate::{
    carts::{
        model::{HeldUnits, Shopper},
        store::holds::{self, Except},
    },
    db::Conn,
    error::{Error, Result, UserError, UserErrorCode},
    ids::{CartId, OrderId, ProductId},
    products::model::ProductRow,
};

/// What a client can do who has reservations or unpaid orders.
const PAY_FIRST: &str = "one customer cannot hold this many units without paying. Choose a smaller quantity, or pay for your \
                         other orders first.";
/// What a client can do whose email address nobody has confirmed.
const CONFIRM_FIRST: &str = "this many units can be ordered with a confirmed email address only. Choose a smaller quantity, or \
                             confirm your email address first.";
/// What a client can do who wants to pay on delivery.
const PAY_BEFORE_DELIVERY: &str = "this many units cannot be paid on delivery. Choose another payment method, or a smaller \
                                   quantity.";

/// Checks that the client may reserve these quantities in addition to what it holds in other carts and in unpaid orders. The
/// caller has locked the products.
/// # Errors
/// OUT_OF_RANGE of `lines.<n>.quantity`.
pub(super) async fn check_reservation(
    conn: &Conn,
    shopper: &Shopper,
    cart: CartId,
    items: &[(&ProductRow, i32)],
) -> Result<()> {
    let except = Except { cart: Some(cart), ..Except::default() };
    let limit = |_: &HeldUnits| Some(PAY_FIRST);
    let field = |line: usize, _: &ProductRow| format!("lines.{line}.quantity");
    let products: Vec<ProductId> =
        items.iter().filter(|(product, _)| !product.sells_without_stock()).map(|(product, _)| product.id).collect();
    if products.is_empty() || shopper.max_units(0).is_none() {
        return Ok(());
    }
    let held = holds::units_by_product(conn, shopper, shopper.reserving_network(), except, Some(&products)).await?;
    check_units(shopper, &held, items, limit, field)
}

/// Reads what the client holds of these products, or those of the excepted cart, without having paid for it, as far as limits
/// apply to the client. What is reserved in the cart is always read.
/// # Errors
/// Database errors.
pub async fn held_units(
    conn: &Conn,
    shopper: &Shopper,
    except: Except,
    products: Option<&[ProductId]>,
) -> Result<HashMap<ProductId, HeldUnits>> {
    if shopper.max_units(0).is_none() && except.cart.is_none() {
        return Ok(HashMap::new());
    }
    holds::units_by_product(conn, shopper, shopper.counted_network(), except, products).await
}

/// Checks that the client, who holds these units, may order these quantities. An order of any size is allowed if the email
/// address is known to be the client's, as long as the client has no other unpaid order of the product, open or canceled in
/// the past day: otherwise a customer could not buy most of the stock. The caller has locked the products. `quantity_field`
/// returns the name of the field of a quantity.
/// # Errors
/// OUT_OF_RANGE of the quantities that are too large.
pub fn check_order(
    shopper: &Shopper,
    is_trusted: bool,
    held: &HashMap<ProductId, HeldUnits>,
    items: &[(&ProductRow, i32)],
    quantity_field: impl Fn(usize, &ProductRow) -> String,
) -> Result<()> {
    let limit = |held: &HeldUnits| match held.ordered > 0 || held.has_lapsed {
        true => Some(PAY_FIRST),
        false => (!is_trusted).then_some(CONFIRM_FIRST),
    };
    check_units(shopper, held, items, limit, quantity_field)
}

/// Checks that an order with these quantities may be paid on delivery: such an order holds its units until the shop delivers or
/// cancels it, so the limit applies whether or not the email address is known. Orders that do not wait for payment have no
/// limit, such as those of staff.
/// # Errors
/// OUT_OF_RANGE of `method`.
pub async fn check_payment_on_delivery(
    conn: &Conn,
    shopper: &Shopper,
    order: OrderId,
    items: &[(&ProductRow, i32)],
) -> Result<()> {
    let except = Except { order: Some(order), ..Except::default() };
    let limit = |held: &HeldUnits| (held.changing > 0).then_some(PAY_BEFORE_DELIVERY);
    let products: Vec<ProductId> = items.iter().map(|(product, _)| product.id).collect();
    let held = held_units(conn, shopper, except, Some(&products)).await?;
    check_units(shopper, &held, items, limit, |_, _| "method".to_owned())
}

/// `limit` returns what a client who holds these units can do about the limit; none if it does not apply.
fn check_units(
    shopper: &Shopper,
    held: &HashMap<ProductId, HeldUnits>,
    items: &[(&ProductRow, i32)],
    limit: impl Fn(&HeldUnits) -> Option<&'static str>,
    quantity_field: impl Fn(usize, &ProductRow) -> String,
) -> Result<()> {
    let mut wrong = Vec::new();
    for (index, (product, quantity)) in items.iter().enumerate() {
        let theirs = held.get(&product.id).copied().unwrap_or_default();
        let max = shopper.max_units(i64::from(product.stock) + theirs.ordered + theirs.changing);
        let wanted = theirs.reserved + theirs.ordered + i64::from(*quantity);
        if product.sells_without_stock() || max.is_none_or(|max| wanted <= max) {
            continue;
        }
        if let Some(advice) = limit(&theirs) {
            // Without numbers, because everyone could compute the stock from them.
            let rule = format!("{}: {advice}", product.name);
            wrong.push(UserError::new(UserErrorCode::OutOfRange, quantity_field(index, product), rule));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::User(wrong)) }
}

/// Checks that the client may reserve this cart in addition to its other reserved carts.
/// # Errors
/// OUT_OF_RANGE of `id`.
pub(super) async fn check_reserved_carts(conn: &Conn, shopper: &Shopper, cart: CartId) -> Result<()> {
    let max = shopper.settings().reserved_carts as usize;
    if max == 0 || holds::count_reserved_carts(conn, shopper, cart).await? < max {
        return Ok(());
    }
    let rule = format!("There are reservations for {max} carts already. Check out, or try again later.");
    Err(Error::user(UserErrorCode::OutOfRange, "id", rule))
}

/// Returns the number of the client's unpaid orders; none if there is no limit.
/// # Errors
/// Database errors.
pub async fn count_unpaid_orders(conn: &Conn, shopper: &Shopper) -> Result<Option<i64>> {
    match shopper.settings().unpaid_orders {
        0 => Ok(None),
        _ => holds::count_unpaid_orders(conn, shopper).await.map(Some),
    }
}

/// Checks that a client with this number of unpaid orders may place another one before it has paid for the others.
/// # Errors
/// OUT_OF_RANGE of this field.
pub fn check_unpaid_orders(shopper: &Shopper, unpaid: Option<i64>, field: &'static str) -> Result<()> {
    let max = i64::from(shopper.settings().unpaid_orders);
    if unpaid.is_none_or(|unpaid| unpaid < max) {
        return Ok(());
    }
    let rule = format!("There are {max} unpaid orders already. Pay for them first, or try again tomorrow.");
    Err(Error::user(UserErrorCode::OutOfRange, field, rule))
}
