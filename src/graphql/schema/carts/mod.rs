//! Carts and their lines in the graph.

mod mutation;

pub use self::mutation::*;

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, ID, Object, Value};
use chrono::{DateTime, Utc};

use crate::graphql::engine::container::Ordered;
use crate::graphql::engine::container::Plain;
use crate::graphql::engine::scalars::Money;
use crate::graphql::engine::scalars::global;
use crate::graphql::engine::scalars::money;
use crate::graphql::schema::context::ContextExt;
use crate::graphql::schema::products::Product;
use crate::graphql::schema::products::product;
use crate::{
    carts::{
        actions,
        model::{CartLineRow, CartRow},
        store,
    },
    error::{Error, Result},
    ids::{CartId, RowId, UserId},
    money::line_total,
    products::model::ProductRow,
    stock::sale::Availability,
};

/// See [`CartObject`].
pub type Cart = Ordered<CartObject>;

/// What somebody is about to buy.
#[derive(Clone)]
pub struct CartObject(Arc<CartRow>);

impl Plain for CartObject {
    const PLAIN: &'static [&'static str] = &["id", "expiresAt", "createdAt", "updatedAt"];
}

/// The object of a row.
pub fn cart(row: impl Into<Arc<CartRow>>) -> Cart {
    Ordered(CartObject(row.into()))
}

/// What somebody is about to buy, of one website or several, in one currency. Seen by its holder alone: the user, or
/// whoever sends its token.
#[Object(name = "Cart")]
impl CartObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Its lines, in the order they were added: at most 500.
    #[graphql(complexity = "10 * child_complexity")]
    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<CartLine>> {
        let rows = ctx.loaders().lines_by_cart.load(self.0.id).await?;
        let line = |row: &Arc<CartLineRow>| cart_line(Arc::clone(row), Arc::clone(&self.0));
        Ok(rows.iter().flat_map(|rows| rows.iter()).map(line).collect())
    }

    /// The sum of its lines at today's prices, without those whose product is not for sale any more: what `checkout`
    /// takes as `expectedTotal`.
    #[graphql(complexity = "10")]
    async fn total(&self, ctx: &Context<'_>) -> Result<Money> {
        let rows = ctx.loaders().lines_by_cart.load(self.0.id).await?;
        let rows: Vec<Arc<CartLineRow>> = rows.iter().flat_map(|rows| rows.iter()).cloned().collect();
        let products = rows.iter().map(|row| ctx.loaders().products_as_sold.load(row.product_id));
        let products = futures_util::future::try_join_all(products).await?;
        let for_sale = rows.iter().zip(products).filter_map(|(row, product)| {
            let product = product.filter(|product| product.is_active)?;
            Some(line_total(product.price, row.quantity))
        });
        Ok(money(for_sale.sum(), self.0.currency()))
    }

    /// Until when its pieces are kept for you; null where nothing is reserved.
    async fn reserved_until(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        let kept = ctx.loaders().reservations_by_cart.load(self.0.id).await?;
        Ok(kept.iter().flat_map(|rows| rows.iter()).map(|row| row.expires_at).min())
    }

    /// From then on it is gone; each change moves it on.
    async fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// See [`CartLineObject`].
pub type CartLine = Ordered<CartLineObject>;

/// A line of a cart.
#[derive(Clone)]
pub struct CartLineObject {
    row: Arc<CartLineRow>,
    cart: Arc<CartRow>,
}

impl Plain for CartLineObject {
    const PLAIN: &'static [&'static str] = &["id", "quantity", "cart", "priceWhenAdded", "createdAt"];

    fn leaf(&self, field: &str) -> Option<Value> {
        Some(match field {
            "id" => Value::String(global(self.row.id).0),
            "quantity" => Value::Number(self.row.quantity.into()),
            _ => return None,
        })
    }
}

/// The object of a line of a cart of the viewer's.
pub fn cart_line(row: Arc<CartLineRow>, cart: Arc<CartRow>) -> CartLine {
    Ordered(CartLineObject { row, cart })
}

impl CartLineObject {
    async fn today(&self, ctx: &Context<'_>) -> Result<Arc<ProductRow>> {
        let row = ctx.loaders().products_as_sold.load(self.row.product_id).await?;
        row.ok_or_else(|| Error::Internal("a line without its product".into()))
    }
}

/// A line of a cart. Its price and availability are those of this moment.
#[Object(name = "CartLine")]
impl CartLineObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.row.id)
    }

    /// Whose line.
    async fn cart(&self) -> Cart {
        cart(Arc::clone(&self.cart))
    }

    /// What to buy; it stays when it is not for sale any more.
    async fn product(&self, ctx: &Context<'_>) -> Result<Product> {
        Ok(product(self.today(ctx).await?))
    }

    /// Pieces.
    async fn quantity(&self) -> i32 {
        self.row.quantity
    }

    /// Price of one today.
    async fn unit_price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.today(ctx).await?.price, self.cart.currency()))
    }

    /// Quantity times today's price.
    async fn total_price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(line_total(self.today(ctx).await?.price, self.row.quantity), self.cart.currency()))
    }

    /// Price of one when it was added.
    async fn price_when_added(&self) -> Money {
        money(self.row.added_price, self.cart.currency())
    }

    /// Whether today's price is another than when it was added.
    async fn price_changed(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.today(ctx).await?.price != self.row.added_price)
    }

    /// Whether it can be bought at this moment: what others have reserved cannot.
    async fn availability(&self, ctx: &Context<'_>) -> Result<Availability> {
        let kept = ctx.loaders().reservations_by_cart.load(self.row.cart_id);
        let (product, kept) = futures_util::future::try_join(self.today(ctx), kept).await?;
        let kept: HashMap<_, _> =
            kept.iter().flat_map(|rows| rows.iter()).map(|row| (row.product_id, row.quantity)).collect();
        let kept = kept.get(&product.id).copied().unwrap_or_default();
        Ok(Availability::of(&product, self.row.quantity, kept))
    }

    /// When it was added.
    async fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }
}

/// Queries of carts.
#[derive(Default)]
pub struct CartQuery;

#[Object]
impl CartQuery {
    /// One of your carts: the one with this id, or else that of your account, or else that whose token you send as
    /// `X-Cart-Token`. Null where there is none.
    async fn cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id; may be left out.")] id: Option<ID>,
    ) -> Result<Option<Cart>> {
        if let Some(id) = id {
            return Ok(ctx.loaders().carts.load(CartId::parse("id", &id)?).await?.map(cart));
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
pub async fn adopt(ctx: &Context<'_>, user: UserId) {
    let Some(guest) = ctx.viewer().holder().guest else { return };
    if let Err(error) = actions::merge(ctx.db(), user, guest).await {
        tracing::warn!(%error, user = user.0, "a cart was not merged at a login");
    }
}
