//! SQL statements on the tokens with which the owner of an order's email address confirms it.
//! Rule: an address is confirmed for the user or guest who ordered with it, and for nobody else.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{IntoBoxed, Select, exists, now},
    pg::Pg,
    prelude::*,
    sql_types::{BigInt, Bytea, Timestamptz},
};
use diesel_async::RunQueryDsl;

use crate::{
    db::{
        Conn,
        insert_rows::{Statement, insert_rows},
        tables::{deferred_confirmations as deferred, order_email_confirmations as confirmations, orders},
    },
    error::Result,
    ids::OrderId,
    orders::model::{NewEmailConfirmation, Purchaser},
};

/// Maximum number of deferred confirmation emails that are sent when an address is confirmed; the others are sent when
/// their orders are paid or confirmed.
const MAX_DEFERRED: i64 = 20;

/// Returns the orders of this user or guest with this contact email address.
fn orders_of(purchaser: &Purchaser, email: &str) -> IntoBoxed<'static, Select<orders::table, orders::id>, Pg> {
    let is_same = orders::contact_email.assume_not_null().eq(email.to_owned());
    let with_email = orders::contact_email.is_not_null().and(is_same);
    let theirs = orders::table.select(orders::id).into_boxed::<Pg>().filter(with_email);
    match purchaser {
        Purchaser::User(user) => theirs.filter(orders::user_id.assume_not_null().eq(*user)),
        Purchaser::Guest(hash) => theirs.filter(orders::cart_token_hash.assume_not_null().eq(hash.clone())),
    }
}

insert_rows! {
    /// Inserts the tokens of new orders.
    InsertTokens in order_email_confirmations of NewEmailConfirmation {
        order_id: OrderId as BigInt,
        token_hash: Vec<u8> as Bytea,
        expires_at: DateTime<Utc> as Timestamptz,
    }
}

/// Returns the statement that inserts the tokens of new orders, as a part of the statement that places the orders;
/// none if there are none.
pub fn insert_statement(new: &[NewEmailConfirmation]) -> Option<Statement<'static>> {
    InsertTokens::new(new).map(|insert| Box::new(insert) as Statement<'_>)
}

/// Uses a token and returns its order; none if it is unknown, was used or has expired.
pub async fn redeem(mut conn: &Conn, hash: &[u8]) -> Result<Option<OrderId>> {
    let valid = confirmations::table
        .filter(confirmations::token_hash.assume_not_null().eq(hash))
        .filter(confirmations::expires_at.gt(now));
    let user = orders::table.filter(orders::id.eq(confirmations::order_id)).select(orders::user_id).single_value();
    let used = (
        confirmations::token_hash.eq(None::<Vec<u8>>),
        confirmations::confirmed_at.eq(now),
        confirmations::user_id.eq(user),
    );
    let order = diesel::update(valid).set(used).returning(confirmations::order_id);
    Ok(order.get_result(&mut conn).await.optional()?)
}

/// Returns whether the owner of the address has confirmed an order of this user or guest.
pub async fn is_confirmed(mut conn: &Conn, purchaser: &Purchaser, email: &str) -> Result<bool> {
    let confirmed = confirmations::table.filter(confirmations::confirmed_at.is_not_null());
    let is_confirmed = match purchaser {
        Purchaser::User(user) => {
            // A user may have many orders, and has few confirmed ones: later orders need no confirmation. No index has these
            // comparisons of the orders, so the confirmed ones are found first.
            let theirs = confirmed
                .inner_join(orders::table)
                .filter(confirmations::user_id.eq(*user))
                .filter(orders::user_id.is_not_distinct_from(*user))
                .filter(orders::contact_email.is_not_distinct_from(email));
            diesel::select(exists(theirs)).get_result(&mut conn).await?
        }
        Purchaser::Guest(_) => {
            let theirs = confirmed.filter(confirmations::order_id.eq_any(orders_of(purchaser, email)));
            diesel::select(exists(theirs)).get_result(&mut conn).await?
        }
    };
    Ok(is_confirmed)
}

/// Removes the orders of this user or guest with this address whose confirmation email was deferred, and returns them.
pub async fn take_deferred(mut conn: &Conn, purchaser: &Purchaser, email: &str) -> Result<Vec<OrderId>> {
    let found: Vec<OrderId> = deferred::table
        .filter(deferred::order_id.eq_any(orders_of(purchaser, email)))
        .order(deferred::order_id)
        .limit(MAX_DEFERRED)
        .select(deferred::order_id)
        .load(&mut conn)
        .await?;
    let taken = diesel::delete(deferred::table.filter(deferred::order_id.eq_any(found)));
    Ok(taken.returning(deferred::order_id).get_results(&mut conn).await?)
}

/// Returns the hash of the cart token with which a guest placed an order.
pub async fn guest_of(mut conn: &Conn, order: OrderId) -> Result<Option<Vec<u8>>> {
    Ok(orders::table.find(order).select(orders::cart_token_hash).first(&mut conn).await?)
}

/// Deletes tokens that have expired unused.
pub async fn delete_expired(mut conn: &Conn) -> Result<()> {
    let expired =
        confirmations::table.filter(confirmations::confirmed_at.is_null()).filter(confirmations::expires_at.le(now));
    diesel::delete(expired).execute(&mut conn).await?;
    Ok(())
}
