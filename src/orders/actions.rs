//! Placing, changing and cancelling orders.
//! Every action locks in one order: the order, then its products by id. So no two wait for each other in a circle.

mod lines;

use std::collections::BTreeMap;

use chrono::Utc;
use rust_decimal::Decimal;
use serde::Serialize;

use super::{
    model::{Contact, MAX_LINES, NewOrder, NewOrderDetail, OrderRow, Shipping, Status},
    store,
};
use crate::{
    auth::{Permission, Scope, Viewer},
    db::{
        Conn, Db,
        idempotency::{Claim, IdempotencyKey, Owner},
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{AddressId, OrderId, ProductId, UserId},
    products::{self, model::ProductRow},
    stock::{
        self,
        model::{MAX_PIECES, NewMovement, Reason},
    },
    users, websites,
};

pub use self::lines::{add_line, remove_line, update_line};

/// Largest total of a line or an order: `numeric(12,2)`.
const MAX_TOTAL: Decimal = Decimal::from_parts(3_567_587_327, 232, 0, false, 2);

/// What a customer wants to buy.
#[derive(Debug, Clone, Serialize)]
pub struct OrderRequest {
    /// Products and pieces; the same product twice counts together.
    pub lines: Vec<(ProductId, i32)>,
    /// Where it goes; the default address where absent.
    pub address: Option<AddressId>,
}

/// Places an order: stock taken, prices, names and the address copied, all or nothing. Sent again with the same key it
/// answers the same order.
/// # Errors
/// UNAUTHENTICATED for the anonymous; user errors naming the line: NOT_FOUND, PRODUCT_INACTIVE, OUT_OF_STOCK,
/// SEVERAL_WEBSITES, OUT_OF_RANGE; IDEMPOTENCY_MISMATCH.
pub async fn create(db: &Db, viewer: &Viewer, request: OrderRequest, key: String) -> Result<OrderRow> {
    let me = viewer.require_user()?;
    let key = IdempotencyKey { owner: Owner::User(me), operation: "orderCreate", key };
    key.check()?;
    check_lines(&request.lines)?;
    db.transaction(async |conn| {
        let claimed = match key.claim(conn, &request).await? {
            Claim::New(claimed) => claimed,
            Claim::Done(order) => {
                let order = store::by_ids(conn, &Scope::Own(me), &[OrderId(order)]).await?.pop();
                return order.ok_or_else(|| Error::Internal("an answered key without its order".into()));
            }
        };
        let order = place(conn, me, &request).await?;
        claimed.answer(conn, order.id.0).await?;
        Ok(order)
    })
    .await
}

fn check_lines(lines: &[(ProductId, i32)]) -> Result<()> {
    if lines.is_empty() {
        return Err(Error::user(UserErrorCode::Required, "lines", "an order has at least one line"));
    }
    if lines.len() > MAX_LINES {
        return Err(Error::user(UserErrorCode::OutOfRange, "lines", format!("an order has at most {MAX_LINES} lines")));
    }
    let wrong: Vec<UserError> = lines
        .iter()
        .enumerate()
        .filter_map(|(index, (_, quantity))| check_quantity(format!("lines.{index}.quantity"), *quantity).err())
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(Error::User(wrong)) }
}

fn check_quantity(field: String, quantity: i32) -> Result<(), UserError> {
    if (1..=MAX_PIECES).contains(&quantity) {
        return Ok(());
    }
    Err(UserError::new(UserErrorCode::OutOfRange, field, format!("a quantity is from 1 to {MAX_PIECES}")))
}

async fn place(conn: &Conn, me: UserId, request: &OrderRequest) -> Result<OrderRow> {
    // By id: the order in which the rows are locked.
    let mut wanted: BTreeMap<ProductId, i32> = BTreeMap::new();
    for (product, quantity) in &request.lines {
        let pieces = wanted.entry(*product).or_default();
        *pieces = pieces.saturating_add(*quantity);
    }
    let ids: Vec<ProductId> = wanted.keys().copied().collect();
    let found: BTreeMap<ProductId, ProductRow> =
        products::store::lock(conn, &ids).await?.into_iter().map(|product| (product.id, product)).collect();
    check_products(request, &wanted, &found)?;
    let website = found.values().next().map(|product| product.source_website_id);
    let website = match website {
        Some(id) => websites::store::by_ids(conn, &[id]).await?.pop(),
        None => None,
    }
    .ok_or_else(|| Error::Internal("a product without its website".into()))?;
    let total = found.values().map(|product| product.price * Decimal::from(wanted[&product.id])).sum();
    check_total("lines", total)?;
    let number = store::next_number(conn).await?;
    let order = NewOrder {
        contact: Contact::default(),
        customer_note: None,
        cart_token_hash: None,
        source_website_id: website.id,
        order_number: format!("{}-{number}", website.code.to_uppercase()),
        user_id: Some(me),
        status: Status::Pending,
        shipping: shipping(conn, me, request.address).await?,
        placed_at: Utc::now(),
    };
    let order = store::insert(conn, &order).await?;
    let lines: Vec<NewOrderDetail> =
        found.values().map(|product| line(order.id, product, wanted[&product.id])).collect();
    store::insert_lines(conn, &lines).await?;
    let sold: Vec<NewMovement> = wanted
        .iter()
        .map(|(product, pieces)| NewMovement::new(*product, Some(order.id), Some(me), Reason::Sale, -pieces))
        .collect();
    stock::store::insert(conn, &sold).await?;
    // Read again: its total is now the sum of its lines.
    store::by_ids(conn, &Scope::All, &[order.id])
        .await?
        .pop()
        .ok_or_else(|| Error::Internal("the order is gone".into()))
}

/// Says of every line what is wrong with it.
fn check_products(
    request: &OrderRequest,
    wanted: &BTreeMap<ProductId, i32>,
    found: &BTreeMap<ProductId, ProductRow>,
) -> Result<()> {
    let mut wrong = Vec::new();
    let website = request.lines.iter().find_map(|(id, _)| found.get(id)).map(|product| product.source_website_id);
    for (index, (id, _)) in request.lines.iter().enumerate() {
        let field = |name: &str| format!("lines.{index}.{name}");
        match found.get(id) {
            None => wrong.push(UserError::new(UserErrorCode::NotFound, field("productId"), "there is no such product")),
            Some(product) => {
                if Some(product.source_website_id) != website {
                    wrong.push(UserError::new(
                        UserErrorCode::SeveralWebsites,
                        field("productId"),
                        "an order is placed at one website: order this product apart",
                    ));
                }
                wrong.extend(check_stock(product, wanted[id], field("productId"), field("quantity")).err());
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::User(wrong)) }
}

fn check_stock(product: &ProductRow, pieces: i32, id_field: String, quantity_field: String) -> Result<(), UserError> {
    if !product.is_active {
        return Err(UserError::new(UserErrorCode::ProductInactive, id_field, "this product is not for sale any more"));
    }
    if product.stock < pieces {
        let rule = format!("{} in stock, {pieces} wanted", product.stock);
        return Err(UserError::new(UserErrorCode::OutOfStock, quantity_field, rule));
    }
    Ok(())
}

fn check_total(field: &'static str, total: Decimal) -> Result<()> {
    if total <= MAX_TOTAL {
        return Ok(());
    }
    Err(Error::user(UserErrorCode::OutOfRange, field, format!("the total of an order is at most {MAX_TOTAL}")))
}

fn line(order: OrderId, product: &ProductRow, quantity: i32) -> NewOrderDetail {
    NewOrderDetail {
        order_id: order,
        product_id: product.id,
        name: product.name.clone(),
        sku: product.sku.clone(),
        quantity,
        unit_price: product.price,
    }
}

async fn shipping(conn: &Conn, me: UserId, address: Option<AddressId>) -> Result<Shipping> {
    let own = &Scope::Own(me);
    let address = match address {
        Some(id) => {
            let found = users::store::addresses_by_ids(conn, own, &[id]).await?.pop();
            Some(found.ok_or_else(|| Error::not_found("addressId", "address"))?)
        }
        None => users::store::addresses_by_user_ids(conn, own, &[me]).await?.into_iter().find(|a| a.is_default),
    };
    Ok(address.map_or_else(Shipping::default, |address| Shipping {
        ship_country: Some(address.country),
        ship_city: Some(address.city),
        ship_district: address.district,
        ship_address: Some(address.address),
        ship_postal_code: address.postal_code,
    }))
}

/// Who may change the lines of an order and cancel it: its customer, or staff.
fn editor_scope(viewer: &Viewer) -> Result<Scope> {
    let me = viewer.require_user()?;
    Ok(match viewer.scope(Permission::ManageOrders) {
        Scope::Seller(_) => Scope::Own(me),
        other => other,
    })
}

async fn reread(conn: &Conn, id: OrderId) -> Result<OrderRow> {
    let order = store::by_ids(conn, &Scope::All, &[id]).await?.pop();
    order.ok_or_else(|| Error::Internal("the order is gone".into()))
}

/// Moves an order along: for staff, and for sellers where it holds their products.
/// # Errors
/// FORBIDDEN without a permission to run orders; NOT_FOUND for an order that is not the viewer's to see;
/// ILLEGAL_TRANSITION for a move that is not allowed.
pub async fn update_status(db: &Db, viewer: &Viewer, id: OrderId, status: Status) -> Result<OrderRow> {
    viewer.require_any(&[Permission::ManageOrders, Permission::SellProducts])?;
    let scope = viewer.scope(Permission::ManageOrders);
    db.transaction(async |conn| {
        let order = store::lock(conn, &scope, id).await?.ok_or_else(|| Error::not_found("id", "order"))?;
        if !may_run(viewer, &order) {
            return Err(Error::not_found("id", "order"));
        }
        become_status(conn, viewer, order, status, "status").await
    })
    .await
}

/// A seller runs the orders that hold their products, not what they bought themselves.
fn may_run(viewer: &Viewer, order: &OrderRow) -> bool {
    viewer.can_at(Permission::ManageOrders, order.source_website_id) || order.user_id != viewer.user_id()
}

/// Cancels an order and puts its stock back: its customer while it is pending, staff until it is shipped.
/// # Errors
/// UNAUTHENTICATED for the anonymous; NOT_FOUND for an order that is not the viewer's; ILLEGAL_TRANSITION too late.
pub async fn cancel(db: &Db, viewer: &Viewer, id: OrderId) -> Result<OrderRow> {
    let scope = editor_scope(viewer)?;
    db.transaction(async |conn| {
        let order = store::lock(conn, &scope, id).await?.ok_or_else(|| Error::not_found("id", "order"))?;
        if order.status == Status::Confirmed && !viewer.can_at(Permission::ManageOrders, order.source_website_id) {
            return Err(Error::user(
                UserErrorCode::IllegalTransition,
                "id",
                "the shop has confirmed this order: ask them to cancel it",
            ));
        }
        become_status(conn, viewer, order, Status::Cancelled, "id").await
    })
    .await
}

async fn become_status(
    conn: &Conn,
    viewer: &Viewer,
    order: OrderRow,
    status: Status,
    field: &'static str,
) -> Result<OrderRow> {
    if !order.status.may_become(status) {
        let rule = format!("an order that is {} cannot become {}", order.status.as_str(), status.as_str());
        return Err(Error::user(UserErrorCode::IllegalTransition, field, rule));
    }
    if status == Status::Cancelled {
        // What the ledger says it took, no more: an imported order took nothing.
        let taken = stock::store::taken_by_order(conn, order.id).await?;
        let ids: Vec<ProductId> = taken.iter().map(|(product, _)| *product).collect();
        products::store::lock(conn, &ids).await?;
        let back = taken
            .into_iter()
            .map(|(product, pieces)| {
                let pieces =
                    i32::try_from(pieces).map_err(|_| Error::Internal("the ledger of an order overflows".into()))?;
                Ok(NewMovement::new(product, Some(order.id), viewer.user_id(), Reason::Cancellation, pieces))
            })
            .collect::<Result<Vec<_>>>()?;
        stock::store::insert(conn, &back).await?;
    }
    store::update_status(conn, order.id, status).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_total_is_that_of_the_column() {
        assert_eq!(MAX_TOTAL.to_string(), "9999999999.99");
    }
}
