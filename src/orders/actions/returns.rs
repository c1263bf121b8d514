//! Returns: requested by the customer, received or rejected by staff.
//! Rule: the order is locked first, then the products to restock, by ID.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    access::{editor_scope, reread},
    quantities::check_quantities,
};
use crate::{
    auth::{Permission, Viewer},
    db::{
        Conn, Db,
        idempotency::{Claim, IdempotencyKey, Owner},
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{OrderDetailId, OrderId, ProductId, ReturnId},
    orders::{
        model::{
            MAX_RETURNS, OrderActor, OrderRow, ReturnLineRow, ReturnRequest, ReturnRow, ReturnStatus, checked_reason,
        },
        store,
    },
    products,
    stock::{
        self,
        model::{NewMovement, Reason},
    },
};

/// A return and its order in their current state.
pub type ReturnWithOrder = (ReturnRow, OrderRow);

/// Requests a return of units of an order, for its customer, the guest who placed it, or staff. Repeating the request
/// with the same key returns the same return.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers; NOT_FOUND for an order that is not the viewer's; ILLEGAL_TRANSITION if no
/// unit has been shipped; user errors of the lines; IDEMPOTENCY_MISMATCH.
pub async fn create_return(db: &Db, viewer: &Viewer, request: ReturnRequest, key: String) -> Result<ReturnWithOrder> {
    let scope = editor_scope(viewer)?;
    let owner = match Owner::of(viewer.holder()) {
        Some(owner) => owner,
        None => Owner::User(viewer.require_user()?),
    };
    let key = IdempotencyKey { owner, operation: "returnCreate", key };
    key.check()?;
    let request = request.checked()?;
    db.contended_transaction(async |conn| {
        let claimed = match key.claim(conn, &request).await? {
            Claim::New(claimed) => claimed,
            Claim::Done(id) => {
                let row = store::returns::by_ids(conn, &[ReturnId(id)]).await?.pop().ok_or_else(missing)?;
                let order = store::by_ids(conn, &scope, &[row.order_id]).await?.pop().ok_or_else(missing)?;
                return Ok((row, order));
            }
        };
        let no_order = || Error::not_found("orderId", "order");
        let order = store::lock(conn, &scope, request.order).await?.ok_or_else(no_order)?;
        let lines = store::lines_by_order_ids(conn, &[order.id]).await?;
        if lines.iter().all(|line| line.shipped(order.status) == 0) {
            let rule = "the order has not been shipped; there is nothing to return";
            return Err(Error::user(UserErrorCode::IllegalTransition, "orderId", rule));
        }
        let quantities: Vec<_> = request.lines.iter().map(|line| (line.line, line.quantity)).collect();
        check_quantities(&quantities, &lines, |line| line.left_to_return(order.status), "return")?;
        if store::returns::count_by_order(conn, order.id).await? >= MAX_RETURNS {
            let rule = format!("an order has at most {MAX_RETURNS} returns");
            return Err(Error::user(UserErrorCode::OutOfRange, "orderId", rule));
        }
        let row = store::returns::insert(conn, &request).await?;
        claimed.store_result(conn, row.id.0).await?;
        Ok((row, order))
    })
    .await
}

/// Marks a return as received. The lines named with `true` go back to stock, all others do not.
/// # Errors
/// FORBIDDEN without the permission; NOT_FOUND for a return that is not of the viewer's websites; ILLEGAL_TRANSITION
/// unless its status is requested; user errors of the lines.
pub async fn receive_return(
    db: &Db,
    viewer: &Viewer,
    id: ReturnId,
    named: Vec<(OrderDetailId, bool)>,
) -> Result<ReturnWithOrder> {
    viewer.require_any(&[Permission::ManageOrders])?;
    db.contended_transaction(async |conn| {
        let order = lock_requested(conn, viewer, id).await?;
        let lines = store::returns::lines_by_return_ids(conn, &[id]).await?;
        check_named(&named, &lines)?;
        let restocked: HashSet<_> = named.iter().filter(|(_, restock)| *restock).map(|(line, _)| *line).collect();
        let restocked: Vec<&ReturnLineRow> =
            lines.iter().filter(|line| restocked.contains(&line.order_detail_id)).collect();
        if !restocked.is_empty() {
            restock(conn, viewer, order.id, id, &restocked).await?;
        }
        let row = store::returns::update_settled(conn, id, ReturnStatus::Received, None).await?;
        Ok((row, reread(conn, order.id).await?))
    })
    .await
}

/// Rejects a return; its units can be requested again.
/// # Errors
/// As [`receive_return`].
pub async fn reject_return(db: &Db, viewer: &Viewer, id: ReturnId, reason: String) -> Result<ReturnWithOrder> {
    viewer.require_any(&[Permission::ManageOrders])?;
    let reason = checked_reason(reason)?;
    db.contended_transaction(async |conn| {
        let order = lock_requested(conn, viewer, id).await?;
        let row = store::returns::update_settled(conn, id, ReturnStatus::Rejected, Some(&reason)).await?;
        Ok((row, reread(conn, order.id).await?))
    })
    .await
}

fn missing() -> Error {
    Error::not_found("id", "return")
}

/// Locks the order of a return whose status is requested.
async fn lock_requested(conn: &Conn, viewer: &Viewer, id: ReturnId) -> Result<OrderRow> {
    let seen = store::returns::by_ids(conn, &[id]).await?.pop().ok_or_else(missing)?;
    let scope = viewer.scope(Permission::ManageOrders);
    let order = store::lock(conn, &scope, seen.order_id)
        .await?
        .filter(|order| OrderActor::of(viewer, order) == OrderActor::Staff);
    let order = order.ok_or_else(missing)?;
    let row = store::returns::by_ids(conn, &[id]).await?.pop().ok_or_else(missing)?;
    if row.status != ReturnStatus::Requested {
        let rule = format!("the return is already {}", row.status.as_str());
        return Err(Error::user(UserErrorCode::IllegalTransition, "id", rule));
    }
    Ok(order)
}

fn check_named(named: &[(OrderDetailId, bool)], lines: &[ReturnLineRow]) -> Result<()> {
    let mut seen = HashSet::new();
    let wrong = named.iter().enumerate().filter_map(|(index, (id, _))| {
        let field = format!("lines.{index}.orderDetailId");
        if lines.iter().all(|line| line.order_detail_id != *id) {
            return Some(UserError::new(UserErrorCode::NotFound, field, "the return has no such line"));
        }
        let rule = "the line is listed more than once";
        (!seen.insert(*id)).then(|| UserError::new(UserErrorCode::Invalid, field, rule))
    });
    let wrong: Vec<UserError> = wrong.collect();
    if wrong.is_empty() { Ok(()) } else { Err(Error::User(wrong)) }
}

/// Returns units to stock through the ledger, except for products whose stock is not tracked.
async fn restock(conn: &Conn, viewer: &Viewer, order: OrderId, id: ReturnId, lines: &[&ReturnLineRow]) -> Result<()> {
    let ids: Vec<OrderDetailId> = lines.iter().map(|line| line.order_detail_id).collect();
    let sold = store::lines_by_ids(conn, &ids).await?;
    let products: HashMap<_, _> = sold.into_iter().map(|line| (line.id, line.product_id)).collect();
    // By product ID, the order in which the rows are locked.
    let mut restocked: BTreeMap<ProductId, i32> = BTreeMap::new();
    for line in lines {
        let product = products.get(&line.order_detail_id);
        let product = product.ok_or_else(|| Error::Internal("the order line of a return does not exist".into()))?;
        *restocked.entry(*product).or_default() += line.quantity;
    }
    let locked = products::store::lock(conn, &restocked.keys().copied().collect::<Vec<_>>()).await?;
    let tracked: HashSet<ProductId> = locked.iter().filter(|row| row.is_tracked()).map(|row| row.id).collect();
    restocked.retain(|product, _| tracked.contains(product));
    let movement = |(product, quantity): (&ProductId, &i32)| {
        NewMovement::new(*product, Some(order), viewer.user_id(), Reason::Return, *quantity)
    };
    stock::store::insert(conn, &restocked.iter().map(movement).collect::<Vec<_>>()).await?;
    store::returns::update_restocked(conn, id, &ids).await
}
