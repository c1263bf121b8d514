//! Carts and their lines in the graph.

mod mutation;

pub use self::mutation::*;

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    carts::{
        self, actions,
        model::{CartLineRow, CartRow, Reservation},
        store,
    },
    error::{Error, Result},
    graphql::{
        engine::scalars::{Money, global_id, money},
        schema::{
            context::ContextExt,
            loaders::by_parent,
            products::{Product, UnscopedProducts, product},
            resource::resource,
        },
    },
    ids::{CartId, CartLineId, RowId, UserId},
    money::line_total,
    products::model::ProductRow,
    stock::sale::Availability,
};

/// What somebody is about to buy.
#[derive(Clone)]
pub struct Cart(Arc<CartRow>);

resource! {
    Cart(cart) by CartId of CartRow,
    |conn, context, ids| carts::store::by_ids(conn, &context.cart_holder, &ids), row => row.id,
}

by_parent! {
    /// The lines of carts.
    LinesByCart by CartId => CartLineRow,
    |conn, _, ids| carts::store::lines_by_cart_ids(conn, &ids), row => row.cart_id
}

by_parent! {
    /// What is reserved for carts.
    ReservationsByCart by CartId => Reservation,
    |conn, _, ids| carts::store::reservations_by_cart_ids(conn, &ids), row => row.cart_id
}

/// What somebody is about to buy, of one website or several, in one currency. Seen by its holder alone: the user, or
/// whoever sends its token.
#[object]
impl Cart {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Its lines, in the order they were added: at most 500.
    #[graphql(complexity = "10 * child_complexity")]
    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<CartLine>> {
        let rows = ctx.loaders().group::<LinesByCart, _>(self.0.id).await?;
        let line = |row: &Arc<CartLineRow>| cart_line(Arc::clone(row), Arc::clone(&self.0));
        Ok(rows.iter().map(line).collect())
    }

    /// The sum of its lines at today's prices, without those whose product is not for sale any more: what `checkout`
    /// takes as `expectedTotal`.
    #[graphql(complexity = "10")]
    async fn total(&self, ctx: &Context<'_>) -> Result<Money> {
        let rows = ctx.loaders().group::<LinesByCart, _>(self.0.id).await?;
        let rows: Vec<Arc<CartLineRow>> = rows.iter().cloned().collect();
        let products = rows.iter().map(|row| ctx.loaders().load::<UnscopedProducts>(row.product_id));
        let products = futures_util::future::try_join_all(products).await?;
        let for_sale = rows.iter().zip(products).filter_map(|(row, product)| {
            let product = product.filter(|product| product.is_active)?;
            Some(line_total(product.price, row.quantity))
        });
        Ok(money(for_sale.sum(), self.0.currency()))
    }

    /// Until when its pieces are kept for you; null where nothing is reserved.
    async fn reserved_until(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        let reserved = ctx.loaders().group::<ReservationsByCart, _>(self.0.id).await?;
        Ok(reserved.iter().map(|row| row.expires_at).min())
    }

    /// From then on it is gone; each change moves it on.
    fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// When it was made.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// A line of a cart.
#[derive(Clone)]
pub struct CartLine {
    row: Arc<CartLineRow>,
    cart: Arc<CartRow>,
}

/// The object of a line of a cart of the viewer's.
pub fn cart_line(row: Arc<CartLineRow>, cart: Arc<CartRow>) -> CartLine {
    CartLine { row, cart }
}

impl CartLine {
    async fn current_product(&self, ctx: &Context<'_>) -> Result<Arc<ProductRow>> {
        let row = ctx.loaders().load::<UnscopedProducts>(self.row.product_id).await?;
        row.ok_or_else(|| Error::Internal("a line without its product".into()))
    }
}

resource! {
    CartLine by CartLineId of CartLineRow,
    |conn, context, ids| carts::store::lines_by_ids(conn, &ids), row => row.id,
    |all, row| all.row(row.cart_id).await?.map(|cart| cart_line(row, cart)),
}

/// A line of a cart. Its price and availability are those of this moment.
#[object]
impl CartLine {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.row.id)
    }

    /// Whose line.
    fn cart(&self) -> Cart {
        cart(Arc::clone(&self.cart))
    }

    /// What to buy; it stays when it is not for sale any more.
    async fn product(&self, ctx: &Context<'_>) -> Result<Product> {
        Ok(product(self.current_product(ctx).await?))
    }

    /// Pieces.
    fn quantity(&self) -> i32 {
        self.row.quantity
    }

    /// Price of one today.
    async fn unit_price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.current_product(ctx).await?.price, self.cart.currency()))
    }

    /// Quantity times today's price.
    async fn total_price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(line_total(self.current_product(ctx).await?.price, self.row.quantity), self.cart.currency()))
    }

    /// Price of one when it was added.
    fn price_when_added(&self) -> Money {
        money(self.row.added_price, self.cart.currency())
    }

    /// Whether today's price is another than when it was added.
    async fn price_changed(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.current_product(ctx).await?.price != self.row.added_price)
    }

    /// Whether it can be bought at this moment: what others have reserved cannot.
    async fn availability(&self, ctx: &Context<'_>) -> Result<Availability> {
        let reserved = ctx.loaders().group::<ReservationsByCart, _>(self.row.cart_id);
        let (product, reserved) = futures_util::future::try_join(self.current_product(ctx), reserved).await?;
        let reserved: HashMap<_, _> = reserved.iter().map(|row| (row.product_id, row.quantity)).collect();
        let reserved = reserved.get(&product.id).copied().unwrap_or_default();
        Ok(Availability::of(&product, self.row.quantity, reserved))
    }

    /// When it was added.
    fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }
}

/// Queries of carts.
#[derive(Default)]
pub struct CartQuery;

#[object]
impl CartQuery {
    /// One of your carts: the one with this id, or else that of your account, or else that whose token you send as
    /// `X-Cart-Token`. Null where there is none.
    async fn cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id; may be left out.")] id: Option<ID>,
    ) -> Result<Option<Cart>> {
        if let Some(id) = id {
            return Ok(ctx.loaders().row(CartId::parse("id", &id)?).await?.map(cart));
        }
        let holder = ctx.viewer().holder();
        if holder.user.is_none() && holder.guest.is_none() {
            return Ok(None);
        }
        let carts = ctx.db().read(async |conn| store::by_holder(conn, &holder).await).await?;
        Ok(carts.into_iter().next().map(cart))
    }
}

/// Makes the cart whose token came with a login the user's. Where that fails the cart stays what it is, and `cartCreate`
/// makes up for it: nobody is kept from logging in.
pub async fn merge_guest_cart(ctx: &Context<'_>, user: UserId) {
    let Some(guest) = ctx.viewer().holder().guest else { return };
    if let Err(error) = actions::merge(ctx.db(), user, guest).await {
        tracing::warn!(%error, user = user.0, "a cart was not merged at a login");
    }
}
