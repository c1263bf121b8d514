//! Mutations of reviews.

use async_graphql::{Context, ID, InputObject, MaybeUndefined};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::Result,
    graphql::{
        engine::{
            guards::{LoginGuard, PermissionGuard},
            patch,
            payload::payload,
        },
        schema::{
            context::ContextExt,
            reviews::{Review, review},
        },
    },
    ids::{ProductId, ReviewId, RowId},
    reviews::{
        actions::{self, ReviewDraft},
        model::{ReviewPatch, ReviewStatus},
    },
};

/// A review to be.
#[derive(Debug, InputObject)]
pub struct ReviewCreateInput {
    /// Of which product.
    product_id: ID,
    /// Stars, 1 to 5.
    rating: i32,
    /// A headline, 1 to 150 characters.
    title: Option<String>,
    /// The text, at most 5,000 characters.
    #[graphql(default)]
    text: String,
}

/// A change of a review: an absent field stays, null clears.
#[derive(Debug, InputObject)]
pub struct ReviewUpdateInput {
    /// Which review.
    id: ID,
    /// Stars, 1 to 5.
    rating: MaybeUndefined<i32>,
    /// A headline, 1 to 150 characters.
    title: MaybeUndefined<String>,
    /// The text, at most 5,000 characters.
    text: MaybeUndefined<String>,
}

/// Which review to delete.
#[derive(Debug, InputObject)]
pub struct ReviewDeleteInput {
    /// Which review.
    id: ID,
}

/// Which review to show.
#[derive(Debug, InputObject)]
pub struct ReviewApproveInput {
    /// Which review.
    id: ID,
}

/// Which review not to show.
#[derive(Debug, InputObject)]
pub struct ReviewRejectInput {
    /// Which review.
    id: ID,
}

payload! {
    /// The answer of `reviewCreate`.
    ReviewCreatePayload {
        /// The new review.
        review: Review
    }
}
payload! {
    /// The answer of `reviewUpdate`.
    ReviewUpdatePayload {
        /// The review as it is now.
        review: Review
    }
}
payload! {
    /// The answer of `reviewDelete`.
    ReviewDeletePayload {
        /// The id of the review that is gone.
        deleted_id: ID
    }
}
payload! {
    /// The answer of `reviewApprove`.
    ReviewApprovePayload {
        /// The review as it is now.
        review: Review
    }
}
payload! {
    /// The answer of `reviewReject`.
    ReviewRejectPayload {
        /// The review as it is now.
        review: Review
    }
}

/// Mutations of reviews.
#[derive(Default)]
pub struct ReviewMutation;

#[object]
impl ReviewMutation {
    /// Writes your review of a product, one for each product. Unless the shop says otherwise it is shown once staff have
    /// approved it. Requires being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn review_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The review to be.")] input: ReviewCreateInput,
    ) -> Result<ReviewCreatePayload> {
        let created = async {
            let product = ProductId::parse("productId", &input.product_id)?;
            let draft = ReviewDraft { product, rating: input.rating, title: input.title, text: input.text };
            actions::create(ctx.db(), ctx.viewer(), ctx.services().reviews, draft).await
        };
        ReviewCreatePayload::of(created.await.map(review))
    }

    /// Changes a review of your own. It waits for staff again, unless the shop says otherwise. Requires being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn review_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The change.")] input: ReviewUpdateInput,
    ) -> Result<ReviewUpdatePayload> {
        let updated = async {
            let id = ReviewId::parse("id", &input.id)?;
            let patch = ReviewPatch {
                rating: patch::required("rating", input.rating)?,
                title: input.title.into(),
                text: patch::text(input.text),
            };
            actions::update(ctx.db(), ctx.viewer(), ctx.services().reviews, id, patch).await
        };
        ReviewUpdatePayload::of(updated.await.map(review))
    }

    /// Deletes a review: your own, with MANAGE_REVIEWS any. Requires being logged in.
    #[graphql(guard = "LoginGuard")]
    async fn review_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which review.")] input: ReviewDeleteInput,
    ) -> Result<ReviewDeletePayload> {
        let deleted = async {
            let id = ReviewId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await?;
            Ok(input.id.clone())
        };
        ReviewDeletePayload::of(deleted.await)
    }

    /// Shows a review to everybody: from now on it counts. Requires MANAGE_REVIEWS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageReviews])")]
    async fn review_approve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which review.")] input: ReviewApproveInput,
    ) -> Result<ReviewApprovePayload> {
        let approved = async {
            let id = ReviewId::parse("id", &input.id)?;
            actions::moderate(ctx.db(), ctx.viewer(), id, ReviewStatus::Approved).await
        };
        ReviewApprovePayload::of(approved.await.map(review))
    }

    /// Does not show a review, or not any more: it counts no longer. Requires MANAGE_REVIEWS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageReviews])")]
    async fn review_reject(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which review.")] input: ReviewRejectInput,
    ) -> Result<ReviewRejectPayload> {
        let rejected = async {
            let id = ReviewId::parse("id", &input.id)?;
            actions::moderate(ctx.db(), ctx.viewer(), id, ReviewStatus::Rejected).await
        };
        ReviewRejectPayload::of(rejected.await.map(review))
    }
}
