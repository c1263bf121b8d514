//! Actions on wishlists.
//! Rule: only the owner edits a wishlist. The wishlist is locked first, then the cart and its products.

use serde_json::{Value, json};

use super::{
    model::{MAX_ITEMS, MAX_WISHLISTS, TOKEN_PREFIX, WishlistItemRow, WishlistRow, checked_name},
    store,
};
use crate::{
    auth::{Permission, Scope, Viewer, secret},
    carts::{self, model::CartRow},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{ProductId, RowId, UserId, WishlistId, WishlistItemId},
    products,
    stock::sale::check_quantity,
    users,
};

/// Creates a wishlist of the viewer.
/// # Errors
/// Returns UNAUTHENTICATED without a user, FORBIDDEN for an API key; user errors of `name`; OUT_OF_RANGE if the user
/// has the maximum number of wishlists.
pub async fn create(db: &Db, viewer: &Viewer, name: &str) -> Result<WishlistRow> {
    let me = viewer.require_account()?;
    let name = checked_name(name)?;
    db.transaction(async |conn| {
        // Locked, so that two concurrent requests do not both pass the limit.
        users::store::lock(conn, &Scope::All, me).await?.ok_or_else(|| Error::not_found("", "user"))?;
        if store::count_by_user(conn, me).await? >= MAX_WISHLISTS as i64 {
            let rule = format!("a user has at most {MAX_WISHLISTS} wishlists. Delete one first.");
            return Err(Error::user(UserErrorCode::OutOfRange, "", rule));
        }
        store::insert(conn, me, &name).await
    })
    .await
}

/// Renames a wishlist of the viewer.
/// # Errors
/// Returns UNAUTHENTICATED without a user, FORBIDDEN for an API key; NOT_FOUND of `id`; user errors of `name`.
pub async fn rename(db: &Db, viewer: &Viewer, id: WishlistId, name: Option<&str>) -> Result<WishlistRow> {
    let me = viewer.require_account()?;
    let name = name.map(checked_name).transpose()?;
    db.transaction(async |conn| {
        let wishlist = lock(conn, me, id, "id").await?;
        match &name {
            Some(name) if *name != wishlist.name => store::update_name(conn, id, name).await,
            _ => Ok(wishlist),
        }
    })
    .await
}

/// Deletes a wishlist of the viewer with its items; its share link stops working.
/// # Errors
/// Returns UNAUTHENTICATED without a user, FORBIDDEN for an API key; NOT_FOUND of `id`.
pub async fn delete(db: &Db, viewer: &Viewer, id: WishlistId) -> Result<()> {
    let me = viewer.require_account()?;
    db.transaction(async |conn| {
        lock(conn, me, id, "id").await?;
        store::delete(conn, id).await
    })
    .await
}

/// Shares a wishlist of the viewer by a new link. Returns the wishlist and the token of the link. An earlier link stops
/// working.
/// # Errors
/// Returns UNAUTHENTICATED without a user, FORBIDDEN for an API key; NOT_FOUND of `id`.
pub async fn share(db: &Db, viewer: &Viewer, id: WishlistId) -> Result<(WishlistRow, String)> {
    let me = viewer.require_account()?;
    let (token, hash) = secret::generate(TOKEN_PREFIX);
    let wishlist = db
        .transaction(async |conn| {
            lock(conn, me, id, "id").await?;
            store::update_shared(conn, id, Some(hash.clone())).await
        })
        .await?;
    Ok((wishlist, token))
}

/// Revokes the share link of a wishlist of the viewer; a wishlist without a link is unchanged.
/// # Errors
/// Returns UNAUTHENTICATED without a user, FORBIDDEN for an API key; NOT_FOUND of `id`.
pub async fn unshare(db: &Db, viewer: &Viewer, id: WishlistId) -> Result<WishlistRow> {
    let me = viewer.require_account()?;
    db.transaction(async |conn| {
        let wishlist = lock(conn, me, id, "id").await?;
        if wishlist.shared_at.is_none() { Ok(wishlist) } else { store::update_shared(conn, id, None).await }
    })
    .await
}

/// Returns the wishlist that is shared by this token.
/// # Errors
/// Returns the error of the statement.
pub async fn find_shared(db: &Db, token: &str) -> Result<Option<WishlistRow>> {
    let hash = secret::hash(token);
    db.read(async |conn| store::find_shared(conn, &hash).await).await
}

/// Adds a product to a wishlist of the viewer. If the product is already on it, its quantity is replaced. Returns the
/// wishlist and the item.
/// # Errors
/// Returns UNAUTHENTICATED without a user, FORBIDDEN for an API key; OUT_OF_RANGE of `quantity`; NOT_FOUND of
/// `wishlistId` and `productId`; OUT_OF_RANGE of `productId` if the wishlist has the maximum number of items.
pub async fn add_item(
    db: &Db,
    viewer: &Viewer,
    id: WishlistId,
    product: ProductId,
    quantity: i32,
) -> Result<(WishlistRow, WishlistItemRow)> {
    let me = viewer.require_account()?;
    check_quantity("quantity".into(), quantity)?;
    let scope = viewer.scope(Permission::ManageProducts);
    db.transaction(async |conn| {
        let wishlist = lock(conn, me, id, "wishlistId").await?;
        if products::store::by_ids(conn, &scope, &[product]).await?.is_empty() {
            return Err(Error::not_found("productId", "product"));
        }
        let items = store::items_by_wishlist_ids(conn, &[id]).await?;
        if items.len() >= MAX_ITEMS && items.iter().all(|item| item.product_id != product) {
            let rule = format!("a wishlist has at most {MAX_ITEMS} items. Remove one first.");
            return Err(Error::user(UserErrorCode::OutOfRange, "productId", rule));
        }
        let item = store::put_item(conn, id, product, quantity).await?;
        Ok((wishlist, item))
    })
    .await
}

/// Removes an item from a wishlist of the viewer.
/// # Errors
/// Returns UNAUTHENTICATED without a user, FORBIDDEN for an API key; NOT_FOUND of `id`.
pub async fn remove_item(db: &Db, viewer: &Viewer, id: WishlistItemId) -> Result<()> {
    let me = viewer.require_account()?;
    let missing = || Error::not_found("id", "wishlist item");
    db.transaction(async |conn| {
        let item = store::items_by_ids(conn, &[id]).await?.pop().ok_or_else(missing)?;
        store::lock(conn, me, item.wishlist_id).await?.ok_or_else(missing)?;
        store::delete_items(conn, &[id]).await
    })
    .await
}

/// Moves all items of a wishlist of the viewer, or those with these IDs, to the viewer's cart and returns the cart.
/// Either all of them are moved or none.
/// # Errors
/// Returns UNAUTHENTICATED without a user, FORBIDDEN for an API key; NOT_FOUND of `id`, and of `itemIds.<n>` for an
/// item that is not on the wishlist; INVALID of `itemIds.<n>` for a repeated ID; REQUIRED if there is nothing to move;
/// the errors of the cart, at `itemIds.<n>` or, without IDs, at `items.<n>` in the order of the wishlist, newest item
/// first.
pub async fn move_to_cart(
    db: &Db,
    viewer: &Viewer,
    id: WishlistId,
    wanted: Option<&[WishlistItemId]>,
) -> Result<CartRow> {
    let me = viewer.require_account()?;
    db.transaction(async |conn| {
        lock(conn, me, id, "id").await?;
        let mut items = store::items_by_wishlist_ids(conn, &[id]).await?;
        items.reverse();
        let (items, list) = match wanted {
            Some(wanted) => (choose(&items, wanted)?, "itemIds"),
            None => (items, "items"),
        };
        if items.is_empty() {
            let field = if wanted.is_some() { "itemIds" } else { "id" };
            return Err(Error::user(UserErrorCode::Required, field, "there are no items to move to the cart"));
        }
        let lines: Vec<_> = items.iter().map(|item| (item.product_id, item.quantity)).collect();
        let (cart, _) = carts::actions::create_in(conn, viewer, &lines, list).await?;
        let moved: Vec<_> = items.iter().map(|item| item.id).collect();
        store::delete_items(conn, &moved).await?;
        Ok(cart)
    })
    .await
}

/// Returns the items with these IDs, in the order of the IDs.
fn choose(items: &[WishlistItemRow], wanted: &[WishlistItemId]) -> Result<Vec<WishlistItemRow>> {
    let item = |(at, id): (usize, &WishlistItemId)| {
        if wanted[..at].contains(id) {
            return Err(Error::bad_input(format!("itemIds.{at}"), "this item is listed more than once"));
        }
        let found = items.iter().find(|item| item.id == *id).cloned();
        found.ok_or_else(|| Error::not_found(format!("itemIds.{at}"), "item on this wishlist"))
    };
    wanted.iter().enumerate().map(item).collect()
}

async fn lock(conn: &Conn, user: UserId, id: WishlistId, field: &'static str) -> Result<WishlistRow> {
    store::lock(conn, user, id).await?.ok_or_else(|| Error::not_found(field, "wishlist"))
}

/// Returns the wishlists of a user with their items, for the export of personal data.
/// # Errors
/// Returns the errors of the statements.
pub async fn personal_data(conn: &Conn, scope: &Scope, user: UserId) -> Result<Value> {
    let wishlists = store::all_by_user(conn, scope, user).await?;
    let ids: Vec<_> = wishlists.iter().map(|wishlist| wishlist.id).collect();
    let items = store::items_by_wishlist_ids(conn, &ids).await?;
    let shown = wishlists.iter().map(|wishlist| {
        let items = items.iter().filter(|item| item.wishlist_id == wishlist.id).map(|item| {
            json!({
                "id": item.id.to_global_id(),
                "productId": item.product_id.to_global_id(),
                "quantity": item.quantity,
                "createdAt": item.created_at,
            })
        });
        json!({
            "id": wishlist.id.to_global_id(),
            "name": wishlist.name,
            "sharedAt": wishlist.shared_at,
            "createdAt": wishlist.created_at,
            "updatedAt": wishlist.updated_at,
            "items": items.collect::<Vec<_>>(),
        })
    });
    Ok(shown.collect())
}

/// Deletes the wishlists of a user; their share links stop working.
/// # Errors
/// Returns the error of the statement.
pub async fn erase_personal_data(conn: &Conn, user: UserId) -> Result<()> {
    store::delete_by_user(conn, user).await
}
