//! Use cases of search rules.
//! Rule: a rule belongs to a website and is managed by those who manage the catalog there.

use crate::{
    auth::{Permission, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{ProductId, SearchRuleId},
    products,
    search::{
        model::rules::{NewSearchRule, SearchRulePatch, SearchRuleRow},
        store::{popular_searches, rules},
    },
};

/// Creates a rule.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; user errors of the fields.
pub async fn create(db: &Db, viewer: &Viewer, new: NewSearchRule) -> Result<SearchRuleRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    if !viewer.can_access_website(new.website_id) {
        return Err(Error::user(
            UserErrorCode::PermissionNotHeld,
            "websiteId",
            "your role is limited to other websites",
        ));
    }
    let new = new.checked()?;
    db.transaction(async |conn| {
        require_visible_product(conn, viewer, new.product_id).await?;
        apply(conn, rules::insert(conn, &new).await?).await
    })
    .await
}

/// Changes a rule.
/// # Errors
/// FORBIDDEN without [`Permission::ManageCatalogue`]; NOT_FOUND for a rule of another website; user errors of the
/// fields.
pub async fn update(db: &Db, viewer: &Viewer, id: SearchRuleId, patch: SearchRulePatch) -> Result<SearchRuleRow> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    let patch = patch.checked()?;
    db.transaction(async |conn| {
        let row = lock(conn, viewer, id).await?;
        require_visible_product(conn, viewer, patch.product_id.flatten()).await?;
        if patch.is_empty() { Ok(row) } else { apply(conn, rules::update(conn, id, &patch).await?).await }
    })
    .await
}

/// Deletes a rule.
/// # Errors
/// FORBIDDEN and NOT_FOUND as [`update`].
pub async fn delete(db: &Db, viewer: &Viewer, id: SearchRuleId) -> Result<()> {
    viewer.require_any(&[Permission::ManageCatalogue])?;
    db.transaction(async |conn| {
        lock(conn, viewer, id).await?;
        rules::delete(conn, id).await
    })
    .await
}

async fn lock(conn: &Conn, viewer: &Viewer, id: SearchRuleId) -> Result<SearchRuleRow> {
    let row = rules::lock(conn, id).await?.filter(|row| viewer.can_access_website(row.website_id));
    row.ok_or_else(|| Error::not_found("id", "search rule"))
}

/// Checks a written rule, and removes the suggestions that it blocks.
async fn apply(conn: &Conn, row: SearchRuleRow) -> Result<SearchRuleRow> {
    let row = require_distinct_words(row)?;
    if row.blocks_suggestions {
        popular_searches::delete_blocked(conn, Some(row.id)).await?;
    }
    Ok(row)
}

/// Checks that the normalized words are distinct: some words, such as `the`, are ignored by the search, and some are
/// normalized to the same key.
fn require_distinct_words(row: SearchRuleRow) -> Result<SearchRuleRow> {
    if row.keys.len() == row.words.len() {
        return Ok(row);
    }
    let rule = "in the website's language some of these words are equal or are ignored by the search";
    Err(Error::user(UserErrorCode::Invalid, "words", rule))
}

/// Checks that the viewer can see the product that a rule redirects to.
async fn require_visible_product(conn: &Conn, viewer: &Viewer, product: Option<ProductId>) -> Result<()> {
    let Some(id) = product else { return Ok(()) };
    let scope = viewer.scope(Permission::ManageProducts);
    let found = products::store::by_ids(conn, &scope, &[id]).await?;
    if found.is_empty() { Err(Error::not_found("target", "product")) } else { Ok(()) }
}
