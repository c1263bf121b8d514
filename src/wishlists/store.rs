//! All statements on wishlists and their items.
//! Visibility by scope: `All` sees every wishlist, website staff those of users who originate there and their own, a
//! user their own, everyone else none.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{count_star, exists, now},
    prelude::*,
    upsert::excluded,
};
use diesel_async::RunQueryDsl;

use super::model::{WishlistCondition, WishlistItemRow, WishlistOrderField, WishlistRow};
use crate::{
    auth::{Permission, Scope},
    db::{
        Conn,
        export::{Export, columns, utc_timestamp},
        filter::{Condition, constant},
        list_statements::list_statements,
        sql::{BoxedSelect, CountUpTo, ParentId, PerParent, name_op, op},
        tables::{users, wishlist_items as items, wishlists},
    },
    error::Result,
    ids::{ProductId, UserId, WishlistId, WishlistItemId},
    paged,
    paging::{Direction, NewestFirst},
};

fn visible(scope: &Scope) -> Condition<'static, wishlists::table> {
    match scope {
        Scope::All => constant(true),
        Scope::Own(user) | Scope::Seller { own: user, .. } => Box::new(wishlists::user_id.eq(*user)),
        Scope::Websites(user, websites) => {
            let website = users::source_website_id;
            let theirs = users::table
                .filter(users::id.eq(wishlists::user_id))
                .filter(website.is_not_null().and(website.assume_not_null().eq_any(websites.to_vec())));
            Box::new(wishlists::user_id.eq(*user).or(exists(theirs)))
        }
        Scope::Public | Scope::Guest(_) => constant(false),
    }
}

fn condition(condition: &WishlistCondition) -> Condition<'static, wishlists::table> {
    match condition {
        WishlistCondition::User(user) => op!(user, wishlists::user_id),
        WishlistCondition::Name(name) => name_op!(name, wishlists::name),
        WishlistCondition::IsShared(true) => Box::new(wishlists::shared_at.is_not_null()),
        WishlistCondition::IsShared(false) => Box::new(wishlists::shared_at.is_null()),
        WishlistCondition::CreatedAt(at) => op!(at, wishlists::created_at),
    }
}

list_statements! {
    /// A list of wishlists.
    WishlistList of WishlistRow in wishlists where WishlistCondition by WishlistOrderField {
        CreatedAt => created_at: DateTime<Utc>,
        Name => name by name_order: String,
    }
    for scope by visible
}

/// Returns the visible wishlists with these IDs, in no particular order.
pub async fn by_ids(mut conn: &Conn, scope: &Scope, ids: &[WishlistId]) -> Result<Vec<WishlistRow>> {
    let query = wishlists::table.filter(wishlists::id.eq_any(ids)).select(WishlistRow::as_select()).into_boxed();
    Ok(query.filter(visible(scope)).load(&mut conn).await?)
}

/// Returns the wishlist that is shared by the token with this hash, if its owner's account is active.
pub async fn find_shared(mut conn: &Conn, hash: &[u8]) -> Result<Option<WishlistRow>> {
    let shared = wishlists::share_hash.is_not_null().and(wishlists::share_hash.assume_not_null().eq(hash));
    let owner = users::table.filter(users::id.eq(wishlists::user_id)).filter(users::is_active);
    let query = wishlists::table.filter(shared).filter(exists(owner)).select(WishlistRow::as_select());
    Ok(query.first(&mut conn).await.optional()?)
}

/// Returns the number of wishlists of a user.
pub async fn count_by_user(mut conn: &Conn, user: UserId) -> Result<i64> {
    Ok(wishlists::table.filter(wishlists::user_id.eq(user)).select(count_star()).first(&mut conn).await?)
}

/// Locks a wishlist of this user.
pub async fn lock(mut conn: &Conn, user: UserId, id: WishlistId) -> Result<Option<WishlistRow>> {
    let own = wishlists::table.filter(wishlists::id.eq(id)).filter(wishlists::user_id.eq(user));
    Ok(own.select(WishlistRow::as_select()).for_no_key_update().first(&mut conn).await.optional()?)
}

/// Inserts a wishlist.
pub async fn insert(mut conn: &Conn, user: UserId, name: &str) -> Result<WishlistRow> {
    let new = (wishlists::user_id.eq(user), wishlists::name.eq(name));
    let query = diesel::insert_into(wishlists::table).values(new).returning(WishlistRow::as_returning());
    Ok(query.get_result(&mut conn).await?)
}

/// Updates the name of a wishlist.
pub async fn update_name(mut conn: &Conn, id: WishlistId, name: &str) -> Result<WishlistRow> {
    let query = diesel::update(wishlists::table.find(id)).set(wishlists::name.eq(name));
    Ok(query.returning(WishlistRow::as_returning()).get_result(&mut conn).await?)
}

/// Sets the hash of the share token of a wishlist, replacing the previous one. Without a hash, the wishlist is no
/// longer shared.
pub async fn update_shared(mut conn: &Conn, id: WishlistId, hash: Option<Vec<u8>>) -> Result<WishlistRow> {
    let wishlist = wishlists::table.find(id);
    let row = WishlistRow::as_returning();
    let Some(hash) = hash else {
        let private = (wishlists::share_hash.eq(None::<Vec<u8>>), wishlists::shared_at.eq(None::<DateTime<Utc>>));
        return Ok(diesel::update(wishlist).set(private).returning(row).get_result(&mut conn).await?);
    };
    let shared = (wishlists::share_hash.eq(hash), wishlists::shared_at.eq(now));
    Ok(diesel::update(wishlist).set(shared).returning(row).get_result(&mut conn).await?)
}

/// Deletes a wishlist with its items.
pub async fn delete(mut conn: &Conn, id: WishlistId) -> Result<()> {
    diesel::delete(wishlists::table.find(id)).execute(&mut conn).await?;
    Ok(())
}

/// Deletes all wishlists of a user with their items.
pub async fn delete_by_user(mut conn: &Conn, user: UserId) -> Result<()> {
    diesel::delete(wishlists::table.filter(wishlists::user_id.eq(user))).execute(&mut conn).await?;
    Ok(())
}

/// Returns all visible wishlists of a user, oldest first.
pub async fn all_by_user(mut conn: &Conn, scope: &Scope, user: UserId) -> Result<Vec<WishlistRow>> {
    let query = wishlists::table.filter(wishlists::user_id.eq(user)).order((wishlists::created_at, wishlists::id));
    Ok(query.select(WishlistRow::as_select()).into_boxed().filter(visible(scope)).load(&mut conn).await?)
}

/// Returns all items of these wishlists, in the order in which they were added.
pub async fn items_by_wishlist_ids(mut conn: &Conn, ids: &[WishlistId]) -> Result<Vec<WishlistItemRow>> {
    let query = items::table.filter(items::wishlist_id.eq_any(ids)).order((items::wishlist_id, items::id));
    Ok(query.select(WishlistItemRow::as_select()).load(&mut conn).await?)
}

/// Returns the items with these IDs, in no particular order. Their visibility is that of their wishlist.
pub async fn items_by_ids(mut conn: &Conn, ids: &[WishlistItemId]) -> Result<Vec<WishlistItemRow>> {
    let query = items::table.filter(items::id.eq_any(ids)).select(WishlistItemRow::as_select());
    Ok(query.load(&mut conn).await?)
}

fn of_wishlist() -> BoxedSelect<items::table, WishlistItemRow> {
    items::table.select(WishlistItemRow::as_select()).into_boxed().filter(items::wishlist_id.eq(ParentId))
}

/// Returns a page of the items of each wishlist, newest first, in one statement.
pub async fn item_pages(mut conn: &Conn, list: &NewestFirst, parents: Vec<i64>) -> Result<Vec<(i64, WishlistItemRow)>> {
    let query = paged!(of_wishlist(), &list.page, Direction::Desc, items::id);
    Ok(PerParent { parents, query }.load(&mut conn).await?)
}

/// Returns the number of items of each wishlist, in one statement.
pub async fn item_counts(mut conn: &Conn, parents: Vec<i64>) -> Result<Vec<(i64, i64)>> {
    Ok(PerParent { parents, query: CountUpTo(of_wishlist()) }.load(&mut conn).await?)
}

/// Adds a product to a wishlist, or replaces its quantity if it is already on it.
pub async fn put_item(
    mut conn: &Conn,
    wishlist: WishlistId,
    product: ProductId,
    quantity: i32,
) -> Result<WishlistItemRow> {
    let new = (items::wishlist_id.eq(wishlist), items::product_id.eq(product), items::quantity.eq(quantity));
    let put = diesel::insert_into(items::table)
        .values(new)
        .on_conflict((items::wishlist_id, items::product_id))
        .do_update()
        .set(items::quantity.eq(excluded(items::quantity)));
    Ok(put.returning(WishlistItemRow::as_returning()).get_result(&mut conn).await?)
}

/// Deletes items with these IDs.
pub async fn delete_items(mut conn: &Conn, ids: &[WishlistItemId]) -> Result<()> {
    diesel::delete(items::table.filter(items::id.eq_any(ids))).execute(&mut conn).await?;
    Ok(())
}

/// Export of wishlists: one row for each item, of users who originate at the website.
pub const WISHLISTS: Export = Export {
    permission: Permission::ManageUsers,
    has_website: true,
    is_importable: false,
    with: "",
    table: "wishlist_items i",
    joins:
        "JOIN wishlists w ON w.id = i.wishlist_id
        JOIN users u ON u.id = w.user_id
        JOIN products p ON p.id = i.product_id
        LEFT JOIN sources s ON s.resource_type = 'User' AND s.resource_id = u.id AND s.website_id = u.source_website_id",
    filter: "i.wishlist_id IN (SELECT l.id FROM wishlists l JOIN users o ON o.id = l.user_id
        WHERE o.source_website_id = ANY ($1) AND ($2 IS NULL OR o.source_website_id = ANY ($2)))",
    order: "i.wishlist_id, i.id",
    columns: columns! {
        customer_id: Text = "s.external_id",
        customer_email: Text = "coalesce(u.email, u.imported_email)",
        wishlist: Text = "w.name",
        sku: Text = "p.sku",
        quantity: Integer = "i.quantity",
        created_at: Text = utc_timestamp!("i.created_at"),
    },
};
