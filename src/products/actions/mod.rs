//! Actions on products.

pub mod categories;
pub mod links;
pub mod name_indexes;

use super::{
    model::{NewProduct, ProductPatch, ProductRow},
    store,
};
use crate::{
    auth::{Permission, Viewer},
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    groups::{
        self,
        model::{OptionValue, values_in_order},
    },
    ids::{ProductGroupId, ProductId},
    text::slug_candidates,
    websites,
};

const MAY_WRITE: &[Permission] = &[Permission::ManageProducts, Permission::SellProducts];

/// Creates a product as [`create_in`] does. Option values are matched to the group's options by name.
/// # Errors
/// Returns those of [`create_in`]; user errors of the options.
pub async fn create_with_options(
    conn: &Conn,
    viewer: &Viewer,
    mut new: NewProduct,
    options: Option<&[OptionValue]>,
) -> Result<ProductRow> {
    if new.group_id.is_some() || options.is_some() {
        new.option_values = option_values(conn, viewer, [None, new.group_id], options).await?;
    }
    create_in(conn, viewer, new).await
}

/// Creates a product without stock, within the caller's transaction. A product created by a seller belongs to that
/// seller. Without a slug, one is generated from the name.
/// # Errors
/// Returns FORBIDDEN without a permission to edit products; user errors of the fields; [`Error::Retry`] if a concurrent
/// request takes the generated slug.
pub async fn create_in(conn: &Conn, viewer: &Viewer, mut new: NewProduct) -> Result<ProductRow> {
    viewer.require_any(MAY_WRITE)?;
    if !viewer.can(Permission::ManageProducts) {
        new.seller_id = viewer.user_id();
    }
    if !viewer.can_access_website(new.source_website_id) {
        return Err(Error::user(
            UserErrorCode::PermissionNotHeld,
            "sourceWebsiteId",
            "your role is limited to other websites",
        ));
    }
    let website = websites::store::by_ids(conn, &[new.source_website_id]).await?.pop();
    let website = website.ok_or_else(|| Error::not_found("sourceWebsiteId", "website"))?;
    let mut new = new.checked(website.currency())?;
    if !new.slug.is_empty() {
        return store::insert(conn, &new).await;
    }
    new.slug = store::free_slug(conn, slug_candidates(&new.name, &new.sku)).await?;
    store::insert(conn, &new).await.map_err(Error::retry_if_slug_taken)
}

/// Returns the option values of a product that changes its group, in the option order of the new group; none without a
/// group.
async fn option_values(
    conn: &Conn,
    viewer: &Viewer,
    [from, to]: [Option<ProductGroupId>; 2],
    options: Option<&[OptionValue]>,
) -> Result<Vec<String>> {
    if from.or(to).is_some() && !viewer.can(Permission::ManageProducts) {
        let rule = "only staff can add products to a group or remove them from it";
        return Err(Error::user(UserErrorCode::PermissionNotHeld, "groupId", rule));
    }
    let options = options.unwrap_or_default();
    match to {
        Some(group) => {
            let group = groups::store::lock_shared(conn, group).await?;
            values_in_order(&group.ok_or_else(|| Error::not_found("groupId", "group"))?.varies_by, options)
        }
        None if options.is_empty() => Ok(Vec::new()),
        None => Err(Error::bad_input("options", "options can only be set for a product in a group")),
    }
}

/// Updates a product. Option values are matched to the group's options by name and must be complete.
/// # Errors
/// Returns FORBIDDEN without a permission to edit products; NOT_FOUND for a product that the viewer may not edit; user
/// errors of the fields.
pub async fn update(
    db: &Db,
    viewer: &Viewer,
    id: ProductId,
    patch: ProductPatch,
    options: Option<Vec<OptionValue>>,
) -> Result<ProductRow> {
    viewer.require_any(MAY_WRITE)?;
    let scope = viewer.scope(Permission::ManageProducts);
    db.transaction(async |conn| {
        let product = store::lock_writable(conn, &scope, id).await?.ok_or_else(|| Error::not_found("id", "product"))?;
        let website = websites::store::by_ids(conn, &[product.source_website_id]).await?.pop();
        let website = website.ok_or_else(|| Error::Internal("the website of a product does not exist".into()))?;
        let mut patch = patch.clone().checked(website.currency())?;
        if patch.group_id.is_some() || options.is_some() {
            let group = patch.group_id.unwrap_or(product.group_id);
            patch.option_values =
                Some(option_values(conn, viewer, [product.group_id, group], options.as_deref()).await?);
        }
        if patch.is_empty() { Ok(product) } else { store::update(conn, id, &patch).await }
    })
    .await
}

/// Deactivates a product, which is no longer for sale; existing orders keep it.
/// # Errors
/// Returns those of [`update`].
pub async fn delete(db: &Db, viewer: &Viewer, id: ProductId) -> Result<ProductRow> {
    update(db, viewer, id, ProductPatch { is_active: Some(false), ..ProductPatch::default() }, None).await
}
