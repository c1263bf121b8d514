//! All SQL statements on carts, their lines and reservations.
//! Rule: a cart is visible only to its owner, and only until it expires.

pub mod holds;

use chrono::{DateTime, Utc};
use diesel::{dsl::now, pg::Pg, prelude::*, upsert::excluded};
use diesel_async::RunQueryDsl;

use super::model::{CartLineRow, CartRow, NewCart, NewCartLine, Reservation};
use crate::{
    auth::Holder,
    db::{
        Conn,
        filter::{Condition, constant},
        insert_rows::Statement,
        sql::clock_timestamp,
        tables::{cart_lines as lines, cart_reservations as reservations, carts, products},
    },
    error::Result,
    ids::{CartId, CartLineId, ProductId, UserId},
    products::model::ProductRow,
};

/// Maximum number of rows per cleanup batch.
pub const BATCH_SIZE: i64 = 500;

fn held_by(holder: &Holder) -> Condition<'static, carts::table> {
    let user = |user| Box::new(carts::user_id.is_not_null().and(carts::user_id.assume_not_null().eq(user)));
    let guest = |hash| Box::new(carts::token_hash.is_not_null().and(carts::token_hash.assume_not_null().eq(hash)));
    match (holder.user, holder.guest.map(|guest| guest.hash().to_vec())) {
        (None, None) => constant(false),
        (Some(id), None) => user(id),
        (None, Some(hash)) => guest(hash),
        (Some(id), Some(hash)) => Box::new(user(id).or(guest(hash))),
    }
}

/// Returns the holder's carts, the user's before the guest's.
pub async fn by_holder(mut conn: &Conn, holder: &Holder) -> Result<Vec<CartRow>> {
    let query = carts::table.select(CartRow::as_select()).into_boxed::<Pg>();
    let query = query.filter(held_by(holder)).filter(carts::expires_at.gt(now)).order(carts::user_id.asc());
    Ok(query.load(&mut conn).await?)
}

/// Returns the holder's carts with these IDs, in no particular order.
pub async fn by_ids(mut conn: &Conn, holder: &Holder, ids: &[CartId]) -> Result<Vec<CartRow>> {
    let query = carts::table.filter(carts::id.eq_any(ids)).select(CartRow::as_select()).into_boxed::<Pg>();
    Ok(query.filter(held_by(holder)).filter(carts::expires_at.gt(now)).load(&mut conn).await?)
}

/// Returns all carts of a user, including expired ones.
pub async fn all_by_user(mut conn: &Conn, user: UserId) -> Result<Vec<CartRow>> {
    let query = carts::table.filter(carts::user_id.assume_not_null().eq(user)).select(CartRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Inserts a cart. If the user has one already, that one is locked, its expiry is extended, and it is returned.
pub async fn insert(mut conn: &Conn, new: &NewCart) -> Result<CartRow> {
    let insert = diesel::insert_into(carts::table).values(new).on_conflict(carts::user_id);
    let insert = insert.do_update().set(carts::expires_at.eq(excluded(carts::expires_at)));
    Ok(insert.returning(CartRow::as_returning()).get_result(&mut conn).await?)
}

/// Locks one of the holder's carts and extends its expiry.
pub async fn lock(mut conn: &Conn, holder: &Holder, id: CartId, expires_at: DateTime<Utc>) -> Result<Option<CartRow>> {
    let cart = carts::table.filter(carts::id.eq(id)).filter(carts::expires_at.gt(now));
    let update = diesel::update(cart).set(carts::expires_at.eq(expires_at)).into_boxed().filter(held_by(holder));
    Ok(update.returning(CartRow::as_returning()).get_result(&mut conn).await.optional()?)
}

/// Sets the currency of a cart.
pub async fn update_currency(mut conn: &Conn, id: CartId, currency: &str) -> Result<CartRow> {
    let update = diesel::update(carts::table.find(id)).set(carts::currency.eq(currency));
    Ok(update.returning(CartRow::as_returning()).get_result(&mut conn).await?)
}

/// Deletes carts with their lines. The caller has released their reservations.
pub async fn delete(mut conn: &Conn, ids: &[CartId]) -> Result<usize> {
    Ok(diesel::delete(carts::table.filter(carts::id.eq_any(ids))).execute(&mut conn).await?)
}

/// Locks a batch of expired carts that no other transaction has locked.
pub async fn lock_expired(mut conn: &Conn) -> Result<Vec<CartId>> {
    let over = carts::table.filter(carts::expires_at.le(now)).order(carts::id).limit(BATCH_SIZE).select(carts::id);
    Ok(over.for_update().skip_locked().load(&mut conn).await?)
}

/// Returns the lines of these carts, in the order in which they were added.
pub async fn lines_by_cart_ids(mut conn: &Conn, ids: &[CartId]) -> Result<Vec<CartLineRow>> {
    let query = lines::table.filter(lines::cart_id.eq_any(ids)).order((lines::cart_id, lines::id));
    Ok(query.select(CartLineRow::as_select()).load(&mut conn).await?)
}

/// Returns the lines with these IDs, in no particular order. A line is visible to the owner of its cart.
pub async fn lines_by_ids(mut conn: &Conn, ids: &[CartLineId]) -> Result<Vec<CartLineRow>> {
    let query = lines::table.filter(lines::id.eq_any(ids)).select(CartLineRow::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Inserts lines into a cart; each replaces the line of the same product.
pub async fn upsert_lines(mut conn: &Conn, new: &[NewCartLine]) -> Result<()> {
    let insert = diesel::insert_into(lines::table).values(new).on_conflict((lines::cart_id, lines::product_id));
    let put = insert
        .do_update()
        .set((lines::quantity.eq(excluded(lines::quantity)), lines::added_price.eq(excluded(lines::added_price))));
    put.execute(&mut conn).await?;
    Ok(())
}

/// Changes the quantity of a line.
pub async fn update_line(mut conn: &Conn, id: CartLineId, quantity: i32) -> Result<()> {
    diesel::update(lines::table.find(id)).set(lines::quantity.eq(quantity)).execute(&mut conn).await?;
    Ok(())
}

/// Deletes a line.
pub async fn delete_line(mut conn: &Conn, id: CartLineId) -> Result<()> {
    diesel::delete(lines::table.find(id)).execute(&mut conn).await?;
    Ok(())
}

/// Returns the statement that deletes all lines of a cart, as a part of a larger statement.
pub fn delete_lines_statement(cart: CartId) -> Statement<'static> {
    Box::new(diesel::delete(lines::table.filter(lines::cart_id.eq(cart))))
}

/// Returns the statement that deletes the reservations of a cart, as a part of a larger statement; the caller holds the
/// locks of the products.
pub fn delete_reservations_statement(cart: CartId) -> Statement<'static> {
    Box::new(diesel::delete(reservations::table.filter(reservations::cart_id.eq(cart))))
}

/// Locks the products in a cart in the order of their IDs. The caller has locked the cart.
pub async fn lock_products(mut conn: &Conn, cart: CartId) -> Result<Vec<ProductRow>> {
    let in_cart = lines::table.filter(lines::cart_id.eq(cart)).select(lines::product_id);
    let query =
        products::table.filter(products::id.eq_any(in_cart)).order(products::id).select(ProductRow::as_select());
    Ok(query.for_no_key_update().load(&mut conn).await?)
}

/// Deletes all lines of a cart.
pub async fn delete_lines(mut conn: &Conn, cart: CartId) -> Result<()> {
    diesel::delete(lines::table.filter(lines::cart_id.eq(cart))).execute(&mut conn).await?;
    Ok(())
}

/// Returns the unexpired reservations of these carts, sorted by product.
pub async fn reservations_by_cart_ids(mut conn: &Conn, ids: &[CartId]) -> Result<Vec<Reservation>> {
    let query = reservations::table.filter(reservations::cart_id.eq_any(ids)).filter(reservations::expires_at.gt(now));
    let query = query.order((reservations::cart_id, reservations::product_id)).select(Reservation::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Returns all reservations of a cart. Expired ones are included because they count until they are deleted.
pub async fn all_reservations(mut conn: &Conn, cart: CartId) -> Result<Vec<Reservation>> {
    let query = reservations::table.filter(reservations::cart_id.eq(cart)).select(Reservation::as_select());
    Ok(query.load(&mut conn).await?)
}

/// Returns the products that are reserved for these carts, including expired reservations.
pub async fn reserved_products(mut conn: &Conn, carts: &[CartId]) -> Result<Vec<ProductId>> {
    let query = reservations::table.filter(reservations::cart_id.eq_any(carts));
    Ok(query.select(reservations::product_id).distinct().load(&mut conn).await?)
}

/// Inserts reservations; the caller holds the locks of the products.
pub async fn insert_reservations(mut conn: &Conn, new: &[Reservation]) -> Result<()> {
    diesel::insert_into(reservations::table).values(new).execute(&mut conn).await?;
    Ok(())
}

/// Deletes the reservations of these carts; the caller holds the locks of the products.
pub async fn delete_reservations(mut conn: &Conn, carts: &[CartId]) -> Result<usize> {
    Ok(diesel::delete(reservations::table.filter(reservations::cart_id.eq_any(carts))).execute(&mut conn).await?)
}

/// Returns a batch of products that have an expired reservation.
pub async fn products_with_expired_reservations(mut conn: &Conn) -> Result<Vec<ProductId>> {
    let over = reservations::table.filter(reservations::expires_at.le(now)).limit(BATCH_SIZE);
    Ok(over.select(reservations::product_id).distinct().load(&mut conn).await?)
}

/// Deletes the expired reservations of these products; the caller holds their locks.
pub async fn delete_expired_reservations(mut conn: &Conn, products: &[ProductId]) -> Result<usize> {
    let over = reservations::table
        .filter(reservations::product_id.eq_any(products))
        // Not `now()`: the transaction may have waited for the locks since it started.
        .filter(reservations::expires_at.le(clock_timestamp()));
    Ok(diesel::delete(over).execute(&mut conn).await?)
}
