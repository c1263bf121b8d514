//! Actions on reviews.
//! Rule: the product is locked before its review.

use serde_json::{Value, json};

use super::{
    model::{NewReview, ReviewPatch, ReviewRow, ReviewStatus},
    store,
};
use crate::{
    auth::{Permission, Scope, Viewer},
    config::ReviewSettings,
    db::{Conn, Db},
    error::{Error, Result, UserErrorCode},
    ids::{ProductId, ReviewId, RowId, UserId},
    products::{self, model::ProductRow},
};

/// A new review.
#[derive(Debug, Clone)]
pub struct ReviewDraft {
    /// Product to review.
    pub product: ProductId,
    /// Rating in stars, 1 to 5.
    pub rating: i32,
    /// Headline.
    pub title: Option<String>,
    /// Review text.
    pub text: String,
}

/// Creates a review of a product that the viewer may see. If moderation is on, the review must be approved by staff.
/// # Errors
/// Returns UNAUTHENTICATED without a user, FORBIDDEN for an API key; NOT_FOUND, PRODUCT_INACTIVE and INVALID (for its
/// seller) of the product; PURCHASE_REQUIRED if only buyers may review; TAKEN for a second review; user errors of the
/// fields.
pub async fn create(db: &Db, viewer: &Viewer, settings: ReviewSettings, draft: ReviewDraft) -> Result<ReviewRow> {
    let me = viewer.require_account()?;
    let ReviewDraft { product: id, rating, title, text } = draft;
    let checked = ReviewPatch { rating: Some(rating), title: Some(title), text: Some(text) }.checked()?;
    let (title, text) = (checked.title.flatten(), checked.text.unwrap_or_default());
    let scope = viewer.scope(Permission::ManageProducts);
    db.transaction(async |conn| {
        let missing = || Error::not_found("productId", "product");
        products::store::by_ids(conn, &scope, &[id]).await?.pop().ok_or_else(missing)?;
        let product = products::store::lock(conn, &[id]).await?.pop().ok_or_else(missing)?;
        if !product.is_active {
            let rule = "this product is no longer for sale";
            return Err(Error::user(UserErrorCode::ProductInactive, "productId", rule));
        }
        if product.seller_id == Some(me) {
            let rule = "sellers cannot review their own products";
            return Err(Error::user(UserErrorCode::Invalid, "productId", rule));
        }
        let is_verified_purchase = store::has_bought(conn, me, id).await?;
        if settings.reviews_buyers_only && !is_verified_purchase {
            let rule = "only customers who bought this product can review it";
            return Err(Error::user(UserErrorCode::PurchaseRequired, "productId", rule));
        }
        let status = if settings.reviews_moderated { ReviewStatus::Pending } else { ReviewStatus::Approved };
        let (title, text) = (title.clone(), text.clone());
        let new = NewReview {
            product_id: id,
            user_id: me,
            rating,
            title,
            text,
            status,
            is_verified_purchase,
            created_at: None,
        };
        store::insert(conn, &new).await
    })
    .await
}

/// Updates a review of the viewer. An approved review must be approved again if moderation is on, a rejected one
/// always.
/// # Errors
/// Returns UNAUTHENTICATED without a user, FORBIDDEN for an API key; NOT_FOUND for a review of another user; user
/// errors of the fields.
pub async fn update(
    db: &Db,
    viewer: &Viewer,
    settings: ReviewSettings,
    id: ReviewId,
    patch: ReviewPatch,
) -> Result<ReviewRow> {
    let me = viewer.require_account()?;
    let patch = patch.checked()?;
    db.transaction(async |conn| {
        let row = lock(conn, id, |row, _| row.user_id == me).await?;
        if !patch.changes(&row) {
            return Ok(row);
        }
        let stays = row.status == ReviewStatus::Approved && !settings.reviews_moderated;
        let status = if stays { ReviewStatus::Approved } else { ReviewStatus::Pending };
        let is_verified_purchase = store::has_bought(conn, me, row.product_id).await?;
        store::update(conn, id, &patch, status, is_verified_purchase).await
    })
    .await
}

/// Deletes a review, by its author or staff.
/// # Errors
/// Returns UNAUTHENTICATED without a user, FORBIDDEN for an API key without the permission; NOT_FOUND for a review that
/// is neither the viewer's own nor at a website that the viewer moderates.
pub async fn delete(db: &Db, viewer: &Viewer, id: ReviewId) -> Result<()> {
    viewer.require_account_or(Permission::ManageReviews)?;
    db.transaction(async |conn| {
        lock(conn, id, |row, product| Some(row.user_id) == viewer.account() || can_moderate(viewer, product)).await?;
        store::delete(conn, id).await
    })
    .await
}

/// Approves or rejects a review.
/// # Errors
/// Returns FORBIDDEN without the permission; NOT_FOUND for a review at a website that the viewer does not moderate.
pub async fn moderate(db: &Db, viewer: &Viewer, id: ReviewId, status: ReviewStatus) -> Result<ReviewRow> {
    viewer.require_any(&[Permission::ManageReviews])?;
    db.transaction(async |conn| {
        let row = lock(conn, id, |_, product| can_moderate(viewer, product)).await?;
        if row.status == status { Ok(row) } else { store::update_status(conn, id, status).await }
    })
    .await
}

fn can_moderate(viewer: &Viewer, product: &ProductRow) -> bool {
    viewer.can_at(Permission::ManageReviews, product.source_website_id)
}

/// Locks the product of a review and then the review, if the viewer may edit it.
async fn lock(conn: &Conn, id: ReviewId, is_allowed: impl Fn(&ReviewRow, &ProductRow) -> bool) -> Result<ReviewRow> {
    let missing = || Error::not_found("id", "review");
    let seen = store::by_ids(conn, &Scope::All, &[id]).await?.pop().ok_or_else(missing)?;
    let product = products::store::lock(conn, &[seen.product_id]).await?.pop().ok_or_else(missing)?;
    store::lock(conn, id).await?.filter(|row| is_allowed(row, &product)).ok_or_else(missing)
}

/// Returns the reviews of a user, for the export of personal data.
/// # Errors
/// Returns the error of the statement.
pub async fn personal_data(conn: &Conn, scope: &Scope, user: UserId) -> Result<Value> {
    let rows = store::all_by_user(conn, scope, user).await?;
    let shown = rows.iter().map(|row| {
        json!({
            "id": row.id.to_global_id(),
            "productId": row.product_id.to_global_id(),
            "rating": row.rating,
            "title": row.title,
            "text": row.text,
            "status": row.status.as_str().to_uppercase(),
            "isVerifiedPurchase": row.is_verified_purchase,
            "createdAt": row.created_at,
            "updatedAt": row.updated_at,
        })
    });
    Ok(shown.collect())
}

/// Deletes the reviews of a user. The database updates the products' ratings.
/// # Errors
/// Returns the error of the statement.
pub async fn erase_personal_data(conn: &Conn, user: UserId) -> Result<()> {
    store::delete_by_user(conn, user).await
}
