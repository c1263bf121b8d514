//! Changes to the lines of a pending order.

use std::collections::BTreeMap;

use chrono::Utc;

use super::{
    access::{editor_scope, reread, retain_known},
    emails::{Trust, trust_in_order},
    place::{check_stock, line, lock_products},
};
use crate::{
    auth::{Scope, Viewer},
    carts::{self, model::Shopper, store::holds::Except},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{OrderDetailId, OrderId, ProductId},
    money::{check_total, line_total},
    orders::{
        model::{MAX_LINES, OrderActor, OrderDetailRow, OrderRow, PaymentStatus, Status},
        store,
    },
    products::model::ProductRow,
    stock::{
        self,
        model::{NewMovement, Reason},
        sale::check_quantity,
    },
};

/// Locks an order whose lines may be changed: it is pending and has no payment in progress or done.
async fn lock_pending(
    conn: &Conn,
    scope: &Scope,
    id: OrderId,
    field: &'static str,
    resource: &str,
) -> Result<OrderRow> {
    let order = store::lock(conn, scope, id).await?.ok_or_else(|| Error::not_found(field, resource))?;
    if order.status != Status::Pending {
        return Err(Error::user(
            UserErrorCode::IllegalTransition,
            field,
            format!("only the lines of a pending order can be changed; this order is {}", order.status.as_str()),
        ));
    }
    if order.payment_status != PaymentStatus::None {
        let rule = "the order has a payment; its lines cannot be changed";
        return Err(Error::user(UserErrorCode::PaymentExists, field, rule));
    }
    Ok(order)
}

/// Locks a product of which `more` additional units are wanted.
async fn lock_product(conn: &Conn, id: ProductId, more: i32) -> Result<Option<ProductRow>> {
    Ok(lock_products(conn, &BTreeMap::from([(id, more)])).await?.remove(&id))
}

/// Locks a product that is added to an order with these lines; none if the viewer may not know of it.
async fn lock_addition(
    conn: &Conn,
    viewer: &Viewer,
    lines: &[OrderDetailRow],
    id: ProductId,
    quantity: i32,
) -> Result<Option<ProductRow>> {
    let mut found = lock_products(conn, &BTreeMap::from([(id, quantity)])).await?;
    if lines.iter().all(|line| line.product_id != id) {
        retain_known(conn, viewer, &mut found).await?;
    }
    Ok(found.remove(&id))
}

/// Adds a product to a pending order at its current price: to the line that already has the product at this price, or
/// as a new line.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers; NOT_FOUND for an order that is not the viewer's; ILLEGAL_TRANSITION unless
/// the order is pending; PAYMENT_EXISTS if it has a payment; user errors of the line.
pub async fn add_line(
    db: &Db,
    viewer: &Viewer,
    shopper: &Shopper,
    order: OrderId,
    product: ProductId,
    quantity: i32,
) -> Result<OrderRow> {
    let scope = editor_scope(viewer)?;
    check_quantity("quantity".into(), quantity)?;
    db.contended_transaction(async |conn| {
        let order = lock_pending(conn, &scope, order, "orderId", "order").await?;
        let lines = store::lines_by_order_ids(conn, &[order.id]).await?;
        let product = lock_addition(conn, viewer, &lines, product, quantity).await?;
        let product = product.ok_or_else(|| Error::not_found("productId", "product"))?;
        let same = line_to_extend(&lines, &product, "orderId")?;
        if product.source_website_id != order.source_website_id {
            return Err(Error::user(
                UserErrorCode::MultipleWebsites,
                "productId",
                "All products of an order must be from one website. Place a separate order.",
            ));
        }
        check_stock(&product, quantity, "productId".into(), "quantity".into())?;
        check_shopper(conn, shopper, &order, &lines, &product, quantity).await?;
        check_total("quantity", order.total_amount + line_total(product.price, quantity))?;
        add_units(conn, order.id, &product, same, quantity).await?;
        take_stock(conn, viewer, order.id, &product, quantity).await?;
        reread(conn, order.id).await
    })
    .await
}

/// Checks that the client may hold additional units in an unpaid order with these lines. An order that had nothing to pay
/// for can expire from now on.
async fn check_shopper(
    conn: &Conn,
    shopper: &Shopper,
    order: &OrderRow,
    lines: &[OrderDetailRow],
    product: &ProductRow,
    more: i32,
) -> Result<()> {
    let of_product = lines.iter().filter(|line| line.product_id == product.id);
    let units = of_product.fold(more, |units, line| units.saturating_add(line.quantity));
    let except = Except { order: Some(order.id), ..Except::default() };
    let is_trusted = trust_in_order(conn, order).await? == Trust::Known;
    let field = |_: usize, _: &ProductRow| "quantity".to_owned();
    let held = carts::actions::held_units(conn, shopper, except, Some(&[product.id])).await?;
    carts::actions::check_order(shopper, is_trusted, &held, &[(product, units)], field)?;
    match shopper.settings().unpaid_wait() {
        Some(wait) if order.total_amount.is_zero() => store::unpaid::start(conn, order.id, Utc::now() + wait).await,
        _ => Ok(()),
    }
}

/// Returns the line that additional units of a product at its current price are added to; none for a new line.
fn line_to_extend<'a>(
    lines: &'a [OrderDetailRow],
    product: &ProductRow,
    field: &'static str,
) -> Result<Option<&'a OrderDetailRow>> {
    let same = lines.iter().find(|line| line.product_id == product.id && line.unit_price == product.price);
    if same.is_none() && lines.len() >= MAX_LINES {
        let rule = format!("an order has at most {MAX_LINES} lines");
        return Err(Error::user(UserErrorCode::OutOfRange, field, rule));
    }
    Ok(same)
}

/// Adds units of a product at its current price to this line, or as a new line.
async fn add_units(
    conn: &Conn,
    order: OrderId,
    product: &ProductRow,
    same: Option<&OrderDetailRow>,
    quantity: i32,
) -> Result<()> {
    let Some(same) = same else { return store::insert_lines(conn, &[line(order, product, quantity)]).await };
    let all = same.quantity.saturating_add(quantity);
    check_quantity("quantity".into(), all)?;
    store::update_line(conn, same.id, all).await
}

/// Changes the quantity of a line of a pending order. Staff change it at the line's unit price. If a customer raises it
/// and the product has another price by now, the line stays as it is, and the additional units are added at the current
/// price as [`add_line`] does.
/// # Errors
/// As [`add_line`].
pub async fn update_line(
    db: &Db,
    viewer: &Viewer,
    shopper: &Shopper,
    id: OrderDetailId,
    quantity: i32,
) -> Result<OrderRow> {
    let scope = editor_scope(viewer)?;
    check_quantity("quantity".into(), quantity)?;
    db.contended_transaction(async |conn| {
        let (order, line, lines) = lock_line(conn, &scope, id).await?;
        let more = quantity - line.quantity;
        let product = lock_product(conn, line.product_id, more).await?.ok_or_else(|| Error::not_found("id", "line"))?;
        let is_at_current_price =
            more > 0 && line.unit_price != product.price && OrderActor::of(viewer, &order) != OrderActor::Staff;
        if more > 0 {
            let price = if is_at_current_price { product.price } else { line.unit_price };
            check_stock(&product, more, "id".into(), "quantity".into())?;
            check_shopper(conn, shopper, &order, &lines, &product, more).await?;
            check_total("quantity", order.total_amount + line_total(price, more))?;
        }
        if is_at_current_price {
            add_units(conn, order.id, &product, line_to_extend(&lines, &product, "id")?, more).await?;
        } else {
            store::update_line(conn, id, quantity).await?;
        }
        match more {
            1.. => take_stock(conn, viewer, order.id, &product, more).await?,
            _ => return_surplus(conn, viewer, order.id, product.id).await?,
        }
        reread(conn, order.id).await
    })
    .await
}

/// Removes a line of a pending order, except for the last one.
/// # Errors
/// As [`add_line`]; REQUIRED for the last line.
pub async fn remove_line(db: &Db, viewer: &Viewer, id: OrderDetailId) -> Result<OrderRow> {
    let scope = editor_scope(viewer)?;
    db.contended_transaction(async |conn| {
        let (order, line, lines) = lock_line(conn, &scope, id).await?;
        if lines.len() == 1 {
            return Err(Error::user(
                UserErrorCode::Required,
                "id",
                "An order must have at least one line. Cancel the order instead.",
            ));
        }
        lock_product(conn, line.product_id, 0).await?;
        store::delete_line(conn, id).await?;
        return_surplus(conn, viewer, order.id, line.product_id).await?;
        reread(conn, order.id).await
    })
    .await
}

/// Locks the pending order of a line; returns the order, the line and all lines of the order.
async fn lock_line(
    conn: &Conn,
    scope: &Scope,
    id: OrderDetailId,
) -> Result<(OrderRow, OrderDetailRow, Vec<OrderDetailRow>)> {
    let missing = || Error::not_found("id", "line");
    let line = store::lines_by_ids(conn, &[id]).await?.pop().ok_or_else(missing)?;
    let order = lock_pending(conn, scope, line.order_id, "id", "line").await?;
    let lines = store::lines_by_order_ids(conn, &[order.id]).await?;
    let line = lines.iter().find(|line| line.id == id).cloned().ok_or_else(missing)?;
    Ok((order, line, lines))
}

/// Takes units that are added to an order from stock, if the product's stock is tracked.
async fn take_stock(conn: &Conn, viewer: &Viewer, order: OrderId, product: &ProductRow, more: i32) -> Result<()> {
    if !product.is_tracked() {
        return Ok(());
    }
    change_stock(conn, viewer, order, product.id, -more).await
}

/// Returns to stock the units of a product that the order took and its lines no longer contain. These can be fewer
/// than were removed from the lines, since the stock may not have been tracked when some of them were ordered.
async fn return_surplus(conn: &Conn, viewer: &Viewer, order: OrderId, product: ProductId) -> Result<()> {
    let lines = store::lines_by_order_ids(conn, &[order]).await?;
    let ordered: i64 =
        lines.iter().filter(|line| line.product_id == product).map(|line| i64::from(line.quantity)).sum();
    let taken = stock::store::deducted_by_order(conn, order).await?;
    let taken = taken.into_iter().find(|(id, _)| *id == product).map_or(0, |(_, quantity)| quantity);
    match i32::try_from(taken - ordered) {
        Ok(surplus @ 1..) => change_stock(conn, viewer, order, product, surplus).await,
        _ => Ok(()),
    }
}

async fn change_stock(conn: &Conn, viewer: &Viewer, order: OrderId, product: ProductId, delta: i32) -> Result<()> {
    let movement = NewMovement::new(product, Some(order), viewer.user_id(), Reason::OrderChange, delta);
    stock::store::insert(conn, &[movement]).await
}
