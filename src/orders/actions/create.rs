//! `orderCreate`: places an order of given products without a cart.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{
    access::retain_known,
    emails::{self, Trust},
    place::{Addresses, Buyer, account_contact, check_stock, choose_address, choose_billing_address, place},
};
use crate::{
    auth::{Scope, Viewer},
    carts::{
        self,
        model::{HeldUnits, Shopper},
        store::holds::Except,
    },
    db::{
        Conn, Db,
        idempotency::{Claim, ClaimedKey, IdempotencyKey, Owner},
        pipeline::pipelined,
    },
    error::{Error, Result, UserError, UserErrorCode},
    ids::{AddressId, OrderId, ProductId, UserId},
    orders::{
        model::{Account, MAX_LINES, OrderRow, Purchaser},
        store,
    },
    products::{self, model::ProductRow},
    stock::sale::check_quantity,
    users::{self, model::AddressRow},
    websites::model::WebsiteRow,
};

/// Input of [`create`].
#[derive(Debug, Clone, Serialize)]
pub struct OrderRequest {
    /// Products and quantities; quantities of the same product are added up.
    pub lines: Vec<(ProductId, i32)>,
    /// Saved shipping address; the default address if absent.
    pub address: Option<AddressId>,
    /// Saved billing address; the shipping address if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_address: Option<AddressId>,
}

/// Places an order, all or nothing: takes the stock and copies prices, names, contact and address. Repeating the
/// request with the same key returns the same order.
/// # Errors
/// UNAUTHENTICATED for anonymous viewers; FORBIDDEN for an API key; user errors of the lines: NOT_FOUND, PRODUCT_INACTIVE for a product that the
/// viewer may see or knows, OUT_OF_STOCK, MULTIPLE_WEBSITES, OUT_OF_RANGE; IDEMPOTENCY_MISMATCH.
pub async fn create(
    db: &Db,
    viewer: &Viewer,
    shopper: &Shopper,
    request: OrderRequest,
    key: String,
) -> Result<OrderRow> {
    let me = viewer.require_account()?;
    let key = IdempotencyKey { owner: Owner::User(me), operation: "orderCreate", key };
    key.check()?;
    check_lines(&request.lines)?;
    // Sorted by ID, the order in which the products are locked.
    let mut wanted: BTreeMap<ProductId, i32> = BTreeMap::new();
    for (product, quantity) in &request.lines {
        let total = wanted.entry(*product).or_default();
        *total = total.saturating_add(*quantity);
    }
    db.contended_transaction(async |conn| {
        let (claim, context) = pipelined!(
            claim: key.claim_id(conn, &request, store::placement::IDS),
            context: Context::read(conn, shopper, me, &request, &wanted),
        )?;
        let claimed = match claim {
            Claim::New(claimed) => claimed,
            Claim::Done(order) => {
                let order = store::by_ids(conn, &Scope::Own(me), &[OrderId(order)]).await?.pop();
                return order
                    .ok_or_else(|| Error::Internal("the order of a stored idempotency key does not exist".into()));
            }
        };
        place_order(conn, viewer, shopper, (me, &request), &wanted, context, &claimed).await
    })
    .await
}

/// What an order depends on, read in one round trip.
struct Context {
    /// The products, locked.
    products: Vec<ProductRow>,
    websites: Vec<WebsiteRow>,
    account: Option<Account>,
    addresses: Vec<AddressRow>,
    held: HashMap<ProductId, HeldUnits>,
    unpaid: Option<i64>,
}

impl Context {
    async fn read(
        conn: &Conn,
        shopper: &Shopper,
        me: UserId,
        request: &OrderRequest,
        wanted: &BTreeMap<ProductId, i32>,
    ) -> Result<Self> {
        let ids: Vec<ProductId> = wanted.keys().copied().collect();
        let chosen: Vec<AddressId> = request.address.into_iter().chain(request.billing_address).collect();
        let (products, websites, account, addresses, held, unpaid) = pipelined!(
            products: products::store::lock(conn, &ids),
            websites: store::placement::websites_of_products(conn, &ids),
            account: store::placement::account(conn, me),
            addresses: users::store::default_and_chosen_addresses(conn, me, &chosen),
            held: carts::actions::held_units(conn, shopper, Except::default(), Some(&ids)),
            unpaid: carts::actions::count_unpaid_orders(conn, shopper),
        )?;
        Ok(Self { products, websites, account, addresses, held, unpaid })
    }
}

fn check_lines(lines: &[(ProductId, i32)]) -> Result<()> {
    if lines.is_empty() {
        return Err(Error::user(UserErrorCode::Required, "lines", "an order must have at least one line"));
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

async fn place_order(
    conn: &Conn,
    viewer: &Viewer,
    shopper: &Shopper,
    (me, request): (UserId, &OrderRequest),
    wanted: &BTreeMap<ProductId, i32>,
    context: Context,
    claimed: &ClaimedKey,
) -> Result<OrderRow> {
    let Context { products, websites, account, addresses, held, unpaid } = context;
    let (mut found, _) = carts::actions::release_expired(conn, None, wanted, products, HashMap::new()).await?;
    retain_known(conn, viewer, &mut found).await?;
    check_products(request, wanted, &found)?;
    let shipping = choose_address(&addresses, request.address, "addressId")?;
    let billing = choose_billing_address(&addresses, request.billing_address)?;
    let contact = account_contact(account.as_ref());
    let addresses = Addresses::new(shipping.unwrap_or_default(), billing);
    let is_confirmed = account.as_ref().is_some_and(|account| account.has_confirmed);
    let trust = emails::trust(account.as_ref(), &contact, is_confirmed);
    let buyer = Buyer { shopper, purchaser: &Purchaser::User(me), contact, trust, addresses, note: None };
    let items: Vec<_> = found.values().map(|product| (product, wanted[&product.id])).collect();
    carts::actions::check_unpaid_orders(shopper, unpaid, "lines")?;
    let field = |_: usize, product: &ProductRow| quantity_field(request, product);
    carts::actions::check_order(shopper, trust == Trust::Known, &held, &items, field)?;
    let order = place(conn, &buyer, &items, "lines", &websites, claimed, None).await?.pop();
    order.ok_or_else(|| Error::Internal("no order was created".into()))
}

/// Returns the name of the quantity of the first line with this product.
fn quantity_field(request: &OrderRequest, product: &ProductRow) -> String {
    let index = request.lines.iter().position(|(id, _)| *id == product.id).unwrap_or_default();
    format!("lines.{index}.quantity")
}

/// Checks each line against the locked products and collects all errors.
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
                        UserErrorCode::MultipleWebsites,
                        field("productId"),
                        "All products of an order must be from one website. Place a separate order.",
                    ));
                }
                wrong.extend(check_stock(product, wanted[id], field("productId"), field("quantity")).err());
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::User(wrong)) }
}
