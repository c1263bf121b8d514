//! GraphQL types and queries of carts and their lines.

mod mutation;
mod subscription;

pub use self::{mutation::*, subscription::CartSubscription};

use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Holder,
    carts::{
        self, actions,
        model::{CartLineRow, CartMergeStatus, CartRow, Reservation},
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

/// A shopping cart.
#[derive(Clone)]
pub struct Cart(Arc<CartRow>);

resource! {
    Cart(cart) by CartId of CartRow,
    |conn, context, ids| carts::store::by_ids(conn, &context.cart_holder, &ids), row => row.id,
}

by_parent! {
    /// Lines of carts.
    LinesByCart by CartId => CartLineRow,
    |conn, _, ids| carts::store::lines_by_cart_ids(conn, &ids), row => row.cart_id
}

by_parent! {
    /// Stock reservations of carts.
    ReservationsByCart by CartId => Reservation,
    |conn, _, ids| carts::store::reservations_by_cart_ids(conn, &ids), row => row.cart_id
}

/// A shopping cart. It can contain products of several websites that use the same currency. Visible to its owner only:
/// the user, or the guest who sends its token in the header `X-Cart-Token`.
#[object]
impl Cart {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Lines of the cart in the order in which they were added, at most 500.
    #[graphql(complexity = "10 * child_complexity")]
    async fn lines(&self, ctx: &Context<'_>) -> Result<Vec<CartLine>> {
        let rows = ctx.loaders().group::<LinesByCart, _>(self.0.id).await?;
        let line = |row: &Arc<CartLineRow>| cart_line(Arc::clone(row), Arc::clone(&self.0));
        Ok(rows.iter().map(line).collect())
    }

    /// Sum of the lines at current prices, without products that are no longer for sale. This is the amount that
    /// `checkout` takes as `expectedTotal`.
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

    /// When the cart's stock reservation ends (UTC); null if nothing is reserved.
    async fn reserved_until(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>> {
        let reserved = ctx.loaders().group::<ReservationsByCart, _>(self.0.id).await?;
        Ok(reserved.iter().map(|row| row.expires_at).min())
    }

    /// When the cart expires and is deleted (UTC). 60 days after the last change of the cart.
    fn expires_at(&self) -> DateTime<Utc> {
        self.0.expires_at
    }

    /// When the cart was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the cart was last updated (UTC).
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

/// Creates the object of a cart line that the viewer owns.
pub fn cart_line(row: Arc<CartLineRow>, cart: Arc<CartRow>) -> CartLine {
    CartLine { row, cart }
}

impl CartLine {
    async fn current_product(&self, ctx: &Context<'_>) -> Result<Arc<ProductRow>> {
        let row = ctx.loaders().load::<UnscopedProducts>(self.row.product_id).await?;
        row.ok_or_else(|| Error::Internal("cart line references a missing product".into()))
    }
}

resource! {
    CartLine by CartLineId of CartLineRow,
    |conn, context, ids| carts::store::lines_by_ids(conn, &ids), row => row.id,
    |all, row| all.row(row.cart_id).await?.map(|cart| cart_line(row, cart)),
}

/// A line of a cart. Its price and availability are current.
#[object]
impl CartLine {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.row.id)
    }

    /// Cart that contains the line.
    fn cart(&self) -> Cart {
        cart(Arc::clone(&self.cart))
    }

    /// Product of the line. It stays in the cart when it is no longer for sale.
    async fn product(&self, ctx: &Context<'_>) -> Result<Product> {
        Ok(product(self.current_product(ctx).await?))
    }

    /// Number of units.
    fn quantity(&self) -> i32 {
        self.row.quantity
    }

    /// Current price of one unit.
    async fn unit_price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(self.current_product(ctx).await?.price, self.cart.currency()))
    }

    /// Current price of one unit times the quantity.
    async fn total_price(&self, ctx: &Context<'_>) -> Result<Money> {
        Ok(money(line_total(self.current_product(ctx).await?.price, self.row.quantity), self.cart.currency()))
    }

    /// Price of one unit when the line was added.
    fn price_when_added(&self) -> Money {
        money(self.row.added_price, self.cart.currency())
    }

    /// Whether the current unit price differs from `priceWhenAdded`.
    async fn price_changed(&self, ctx: &Context<'_>) -> Result<bool> {
        Ok(self.current_product(ctx).await?.price != self.row.added_price)
    }

    /// Whether the line's quantity can be bought now. Units reserved for other carts are not available.
    async fn availability(&self, ctx: &Context<'_>) -> Result<Availability> {
        let reserved = ctx.loaders().group::<ReservationsByCart, _>(self.row.cart_id);
        let (product, reserved) = futures_util::future::try_join(self.current_product(ctx), reserved).await?;
        let reserved: HashMap<_, _> = reserved.iter().map(|row| (row.product_id, row.quantity)).collect();
        let reserved = reserved.get(&product.id).copied().unwrap_or_default();
        Ok(Availability::of(&product, self.row.quantity, reserved))
    }

    /// When the cart line was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }
}

/// Queries of carts.
#[derive(Default)]
pub struct CartQuery;

#[object]
impl CartQuery {
    /// The viewer's cart: the cart with the given ID, or else the cart of the viewer's account, or else the guest cart
    /// whose token is sent in the header `X-Cart-Token`. Null if there is none.
    async fn cart(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of one of the viewer's carts; defaults to the current cart.")] id: Option<ID>,
    ) -> Result<Option<Cart>> {
        if let Some(id) = id {
            return Ok(ctx.loaders().row(CartId::parse("id", &id)?).await?.map(cart));
        }
        current_cart(ctx).await
    }
}

/// Returns the cart of the viewer's account, or else the guest cart whose token was sent.
async fn current_cart(ctx: &Context<'_>) -> Result<Option<Cart>> {
    // Without a cart, no statement says so.
    ctx.depend_on_unknown();
    let holder = ctx.viewer().holder();
    if holder.user.is_none() && holder.guest.is_none() {
        return Ok(None);
    }
    let carts = ctx.db().read(async |conn| store::by_holder(conn, &holder).await).await?;
    Ok(carts.into_iter().next().map(cart))
}

/// The user's cart after a login, and what became of the guest's cart.
pub struct CartAfterLogin {
    /// The cart of the user; read only if the payload's field `cart` is selected.
    pub cart: Option<Cart>,
    /// What became of the guest's cart.
    pub merge_status: CartMergeStatus,
}

/// Merges the guest cart whose token was sent with a login into the user's cart. A failure does not prevent the login:
/// the guest cart remains, and `cartCreate` merges it later.
pub async fn merge_guest_cart(ctx: &Context<'_>, user: UserId) -> CartAfterLogin {
    let merged = match ctx.viewer().holder().guest {
        Some(guest) => actions::merge(ctx.db(), user, guest).await,
        None => Ok(None),
    };
    match merged {
        Ok(Some((row, merge_status))) => CartAfterLogin { cart: Some(cart(row)), merge_status },
        Ok(None) => CartAfterLogin { cart: cart_of_user(ctx, user).await, merge_status: CartMergeStatus::None },
        Err(error) => {
            tracing::warn!(%error, user = user.0, "merging the guest cart at login failed");
            CartAfterLogin { cart: cart_of_user(ctx, user).await, merge_status: CartMergeStatus::Failed }
        }
    }
}

/// Returns the cart of a user who has just logged in, if the field `cart` of the payload is selected.
async fn cart_of_user(ctx: &Context<'_>, user: UserId) -> Option<Cart> {
    if !ctx.look_ahead().field("cart").exists() {
        return None;
    }
    let holder = Holder { user: Some(user), guest: None };
    match ctx.db().read(async |conn| store::by_holder(conn, &holder).await).await {
        Ok(rows) => rows.into_iter().next().map(cart),
        Err(error) => {
            // An error would withhold the tokens of the new session. The page reads the cart again with them.
            tracing::warn!(%error, user = user.0, "reading the cart at login failed");
            None
        }
    }
}
