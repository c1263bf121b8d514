//! Deletion of a category that may contain products.
//! Rule: contents are moved only on request; without a request, the deletion of a category with contents is rejected.

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

/// What happens to the contents of a deleted category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentsPolicy {
    /// The deletion fails if the category has contents.
    RequireEmpty,
    /// The contents move to the parent category. From a root category, the children become roots and the products have
    /// no category.
    MoveToParent,
    /// The contents move to this category.
    MoveTo(CategoryId),
}

/// Deletes a category, after moving its children behind the existing ones of the target, and its products.
/// # Errors
/// Returns FORBIDDEN without [`Permission::ManageCatalogue`]; IN_USE if the category has contents and no target is
/// given; NOT_FOUND for the category or the target; CYCLE if the target is the category itself or below it.
pub async fn delete(db: &Db, viewer: &Viewer, id: CategoryId, policy: ContentsPolicy) -> Result<()> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    db.transaction(async |conn| {
        let missing = || Error::not_found("id", "category");
        if policy != ContentsPolicy::RequireEmpty {
            // Products are locked before anything else, as everywhere.
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

/// Returns the target of a move, which must not be the category itself or one of its descendants.
async fn check_move_target(conn: &Conn, from: &CategoryRow, to: CategoryId) -> Result<CategoryId> {
    let row = categories::store::by_ids(conn, &[to]).await?.pop();
    let row = row.ok_or_else(|| Error::not_found("moveTo", "category"))?;
    match row.path.contains(&from.id) {
        true => Err(Error::user(
            UserErrorCode::Cycle,
            "moveTo",
            "moveTo must not be the category itself or one of its descendants",
        )),
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
    let rule =
        format!("the category has {}. Move or delete them first, or set moveTo or moveToParent.", held.join(" and "));
    Err(Error::user(UserErrorCode::InUse, "id", rule))
}

/// Formats a count, such as `3 children`; none for 0, and no exact number beyond [`MAX_COUNT`].
fn count_phrase(count: i64, one: &str, many: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        count if count > MAX_COUNT => Some(format!("more than {MAX_COUNT} {many}")),
        count => Some(format!("{count} {many}")),
    }
}
