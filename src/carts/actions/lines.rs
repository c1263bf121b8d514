//! Changes to the lines of a cart.

use std::collections::{BTreeMap, HashMap};

use rust_decimal::Decimal;

use super::{lock, release_all};
use crate::{
    auth::{Holder, Scope, Viewer},
    carts::{
        model::{CartLineRow, CartRow, MAX_LINES, NewCartLine},
        store,
    },
    db::{Conn, Db},
    error::{Error, Result, UserError, UserErrorCode},
    ids::{CartId, CartLineId, ProductId, WebsiteId},
    money::{Currency, check_total, line_total},
    products::{self, model::ProductRow},
    stock::{
        model::MAX_QUANTITY,
        sale::{check_quantity, check_sale},
    },
    websites,
};

/// Adds units of a product to a cart at its current price.
/// # Errors
/// FORBIDDEN for an API key; user errors: NOT_FOUND for a cart that is not the viewer's or a product that is not for
/// sale, OUT_OF_RANGE, OUT_OF_STOCK, MULTIPLE_CURRENCIES.
pub async fn add_line(db: &Db, viewer: &Viewer, cart: CartId, product: ProductId, quantity: i32) -> Result<CartRow> {
    let holder = viewer.require_holder()?;
    db.contended_transaction(async |conn| add_lines(conn, &holder, cart, &[(product, quantity)], "").await).await
}

/// Adds products to a cart. Errors name the fields as `<list>.<n>.<field>`, or just `<field>` if `list` is empty.
pub(super) async fn add_lines(
    conn: &Conn,
    holder: &Holder,
    cart: CartId,
    wanted: &[(ProductId, i32)],
    list: &str,
) -> Result<CartRow> {
    let field = |index: usize, name: &str| match list {
        "" => name.to_owned(),
        list => format!("{list}.{index}.{name}"),
    };
    let mut wrong: Vec<UserError> = Vec::new();
    for (index, (_, quantity)) in wanted.iter().enumerate() {
        wrong.extend(check_quantity(field(index, "quantity"), *quantity).err());
    }
    reject_if_any(wrong)?;
    let cart = lock(conn, holder, cart, "cartId").await?;
    release_all(conn, &[cart.id]).await?;
    let existing = store::lines_by_cart_ids(conn, &[cart.id]).await?;
    let mut ids: Vec<ProductId> = wanted.iter().map(|(id, _)| *id).collect();
    let products = products_for_sale(conn, &ids).await?;
    let currencies = currencies(conn, products.values()).await?;
    let currency_of = |product: &ProductRow| currencies.get(&product.source_website_id).copied();
    // The first product determines the currency of an empty cart.
    let first = wanted.iter().find_map(|(id, _)| products.get(id)).and_then(currency_of);
    let currency = if existing.is_empty() { first.unwrap_or(cart.currency()) } else { cart.currency() };

    let mut quantities: BTreeMap<ProductId, i32> =
        existing.iter().map(|line| (line.product_id, line.quantity)).collect();
    let mut wrong = Vec::new();
    for (index, (id, quantity)) in wanted.iter().enumerate() {
        let Some(product) = products.get(id) else {
            wrong.push(UserError::new(UserErrorCode::NotFound, field(index, "productId"), "there is no such product"));
            continue;
        };
        if currency_of(product) != Some(currency) {
            let rule = format!("The cart's currency is {currency}. Buy this product in a separate order.");
            wrong.push(UserError::new(UserErrorCode::MultipleCurrencies, field(index, "productId"), rule));
        }
        let all = quantities.entry(*id).or_default();
        *all = all.saturating_add(*quantity);
        let checked = check_quantity(field(index, "quantity"), *all)
            .and_then(|()| check_in_stock(product, *all, field(index, "productId"), field(index, "quantity")));
        wrong.extend(checked.err());
    }
    if quantities.len() > MAX_LINES {
        let rule = format!("a cart has at most {MAX_LINES} lines");
        wrong.push(UserError::new(UserErrorCode::OutOfRange, field(0, "productId"), rule));
    }
    reject_if_any(wrong)?;
    let total = cart_total(conn, &quantities, &products).await?;
    check_total(field(0, "quantity"), total)?;

    ids.sort();
    ids.dedup();
    let lines: Vec<NewCartLine> = ids
        .iter()
        .filter_map(|id| products.get(id))
        .map(|product| NewCartLine {
            cart_id: cart.id,
            product_id: product.id,
            quantity: quantities[&product.id],
            added_price: product.price,
        })
        .collect();
    store::upsert_lines(conn, &lines).await?;
    if currency == cart.currency() {
        return Ok(cart);
    }
    store::update_currency(conn, cart.id, currency.as_str()).await
}

/// Checks the quantity against the stock including units reserved for others; only reservations and sales are stricter.
fn check_in_stock(
    product: &ProductRow,
    quantity: i32,
    id_field: String,
    quantity_field: String,
) -> Result<(), UserError> {
    check_sale(product, quantity, product.reserved, id_field, quantity_field)
}

fn reject_if_any(wrong: Vec<UserError>) -> Result<()> {
    if wrong.is_empty() { Ok(()) } else { Err(Error::User(wrong)) }
}

/// Returns those of the products that the public can buy.
async fn products_for_sale(conn: &Conn, ids: &[ProductId]) -> Result<HashMap<ProductId, ProductRow>> {
    let found = products::store::by_ids(conn, &Scope::Public, ids).await?;
    Ok(found.into_iter().map(|product| (product.id, product)).collect())
}

async fn currencies(conn: &Conn, products: impl Iterator<Item = &ProductRow>) -> Result<HashMap<WebsiteId, Currency>> {
    let mut ids: Vec<WebsiteId> = products.map(|product| product.source_website_id).collect();
    ids.sort();
    ids.dedup();
    let found = websites::store::by_ids(conn, &ids).await?;
    Ok(found.into_iter().map(|website| (website.id, website.currency())).collect())
}

/// Returns the total of a cart at current prices, without products that are not for sale.
async fn cart_total(
    conn: &Conn,
    quantities: &BTreeMap<ProductId, i32>,
    known: &HashMap<ProductId, ProductRow>,
) -> Result<Decimal> {
    let others: Vec<ProductId> = quantities.keys().filter(|id| !known.contains_key(id)).copied().collect();
    let others = if others.is_empty() { HashMap::new() } else { products_for_sale(conn, &others).await? };
    let product = |id| known.get(id).or_else(|| others.get(id));
    Ok(quantities.iter().filter_map(|(id, n)| product(id).map(|product| line_total(product.price, *n))).sum())
}

/// Changes the quantity of a line, or removes the line if the quantity is 0. Its added price stays the same.
/// # Errors
/// As [`add_line`].
pub async fn update_line(db: &Db, viewer: &Viewer, id: CartLineId, quantity: i32) -> Result<CartRow> {
    if quantity == 0 {
        return remove_line(db, viewer, id).await;
    }
    let holder = viewer.require_holder()?;
    if !(1..=MAX_QUANTITY).contains(&quantity) {
        let rule = format!("quantity must be between 0 and {MAX_QUANTITY}; 0 removes the line");
        return Err(Error::user(UserErrorCode::OutOfRange, "quantity", rule));
    }
    db.contended_transaction(async |conn| {
        let (cart, line, lines) = lock_line(conn, &holder, id).await?;
        release_all(conn, &[cart.id]).await?;
        let mut quantities: BTreeMap<ProductId, i32> =
            lines.iter().map(|line| (line.product_id, line.quantity)).collect();
        let is_increase = quantity > line.quantity;
        quantities.insert(line.product_id, quantity);
        let products = products_for_sale(conn, &quantities.keys().copied().collect::<Vec<_>>()).await?;
        // A decrease is always allowed, since it may be what makes the cart valid again.
        if is_increase {
            let inactive = || Error::user(UserErrorCode::ProductInactive, "id", "this product is no longer for sale");
            let product = products.get(&line.product_id).ok_or_else(inactive)?;
            check_in_stock(product, quantity, "id".into(), "quantity".into())?;
            check_total("quantity", cart_total(conn, &quantities, &products).await?)?;
        }
        store::update_line(conn, id, quantity).await?;
        Ok(cart)
    })
    .await
}

/// Removes a line from a cart.
/// # Errors
/// NOT_FOUND for a line that is not the viewer's.
pub async fn remove_line(db: &Db, viewer: &Viewer, id: CartLineId) -> Result<CartRow> {
    let holder = viewer.require_holder()?;
    db.contended_transaction(async |conn| {
        let (cart, line, _) = lock_line(conn, &holder, id).await?;
        release_all(conn, &[cart.id]).await?;
        store::delete_line(conn, line.id).await?;
        Ok(cart)
    })
    .await
}

/// Removes all lines from a cart.
/// # Errors
/// NOT_FOUND for a cart that is not the viewer's.
pub async fn clear(db: &Db, viewer: &Viewer, id: CartId) -> Result<CartRow> {
    let holder = viewer.require_holder()?;
    db.contended_transaction(async |conn| {
        let cart = lock(conn, &holder, id, "id").await?;
        release_all(conn, &[cart.id]).await?;
        store::delete_lines(conn, cart.id).await?;
        Ok(cart)
    })
    .await
}

/// Locks the cart of a line; returns the cart, the locked line and all lines of the cart.
async fn lock_line(conn: &Conn, holder: &Holder, id: CartLineId) -> Result<(CartRow, CartLineRow, Vec<CartLineRow>)> {
    let missing = || Error::not_found("id", "line");
    let cart = store::lines_by_ids(conn, &[id]).await?.pop().ok_or_else(missing)?.cart_id;
    let cart = lock(conn, holder, cart, "id").await.map_err(|error| match error {
        Error::User(_) => missing(),
        other => other,
    })?;
    let lines = store::lines_by_cart_ids(conn, &[cart.id]).await?;
    let line = lines.iter().find(|line| line.id == id).cloned().ok_or_else(missing)?;
    Ok((cart, line, lines))
}
