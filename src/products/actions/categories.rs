//! Deleting a category that products may be in.
//! Rule: nothing loses its place unasked, and what holds a category is counted before it is refused.

use crate::{
    auth::{Permission, Viewer},
    categories::{
        self,
        model::{CategoryRow, allocate_position},
    },
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::CategoryId,
    paging::MAX_COUNT,
    products::store,
};

/// What becomes of what is in a category that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentsPolicy {
    /// There is none, or nothing is deleted.
    RequireEmpty,
    /// It goes to the category above; from a root the children become roots, and the products have no category.
    MoveToParent,
    /// It goes to this category.
    MoveTo(CategoryId),
}

/// Deletes a category, and before that moves its children, behind those that are there, and its products.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; IN_USE where it has children or products and nobody says where they go;
/// NOT_FOUND for the category and for the one that they go to, CYCLE where that is the category or below it.
pub async fn delete(db: &Db, viewer: &Viewer, id: CategoryId, policy: ContentsPolicy) -> Result<()> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    db.transaction(async |conn| {
        let missing = || Error::not_found("id", "category");
        if policy != ContentsPolicy::RequireEmpty {
            // Products before anything else, as everywhere.
            store::lock_in_category(conn, id).await?;
        }
        categories::store::lock_moves(conn).await?;
        let row = categories::store::by_ids(conn, &[id]).await?.pop().ok_or_else(missing)?;
        match policy {
            ContentsPolicy::RequireEmpty => require_empty(conn, id).await?,
            ContentsPolicy::MoveToParent => move_contents(conn, id, row.parent_id).await?,
            ContentsPolicy::MoveTo(other) => {
                move_contents(conn, id, Some(check_move_target(conn, &row, other).await?)).await?
            }
        }
        match categories::store::delete(conn, id).await? {
            true => Ok(()),
            false => Err(missing()),
        }
    })
    .await
}

/// The category that is to take the contents of another one: not that one, nor one below it.
async fn check_move_target(conn: &Conn, from: &CategoryRow, to: CategoryId) -> Result<CategoryId> {
    let row = categories::store::by_ids(conn, &[to]).await?.pop();
    let row = row.ok_or_else(|| Error::not_found("moveTo", "category"))?;
    match row.path.contains(&from.id) {
        true => Err(Error::user(UserErrorCode::Cycle, "moveTo", "this is the category itself, or below it")),
        false => Ok(to),
    }
}

async fn move_contents(conn: &Conn, from: CategoryId, to: Option<CategoryId>) -> Result<()> {
    store::update_category(conn, from, to).await?;
    let children = categories::store::positions(conn, Some(from)).await?;
    let mut siblings = categories::store::positions(conn, to).await?;
    siblings.retain(|(id, _)| *id != from);
    let mut placed = Vec::new();
    for (id, _) in children {
        let (position, pushed) = allocate_position(&siblings, siblings.len());
        placed.extend(pushed);
        placed.push((id, position));
        siblings.push((id, position));
    }
    categories::store::update_positions(conn, &placed).await?;
    categories::store::update_parents(conn, from, to).await
}

async fn require_empty(conn: &Conn, id: CategoryId) -> Result<()> {
    let children = categories::store::count_children(conn, id).await?;
    let products = store::count_in_category(conn, id).await?;
    if children == 0 && products == 0 {
        return Ok(());
    }
    let held = [count_phrase(children, "child", "children"), count_phrase(products, "product", "products")];
    let held: Vec<_> = held.into_iter().flatten().collect();
    let rule = format!(
        "the category has {}: move or delete them first, or say where they go by moveTo or moveToParent",
        held.join(" and ")
    );
    Err(Error::user(UserErrorCode::InUse, "id", rule))
}

/// `3 children`; nothing for none, and no number beyond the one to which is counted.
fn count_phrase(count: i64, one: &str, many: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count if count > MAX_COUNT => Some(format!("more than {MAX_COUNT} {many}")),
        count => Some(format!("{count} {many}")),
    }
}
