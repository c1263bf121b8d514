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

/// Input for `reviewCreate`.
#[derive(Debug, InputObject)]
pub struct ReviewCreateInput {
    /// ID of the product to review.
    product_id: ID,
    /// Rating in stars, 1 to 5.
    rating: i32,
    /// Headline, 1 to 150 characters.
    title: Option<String>,
    /// Review text, at most 5,000 characters.
    #[graphql(default)]
    text: String,
}

/// Input for `reviewUpdate`. An omitted field keeps its value; null clears an optional one.
#[derive(Debug, InputObject)]
pub struct ReviewUpdateInput {
    /// ID of the review.
    id: ID,
    /// Rating in stars, 1 to 5.
    rating: MaybeUndefined<i32>,
    /// Headline, 1 to 150 characters.
    title: MaybeUndefined<String>,
    /// Review text, at most 5,000 characters.
    text: MaybeUndefined<String>,
}

/// Input for `reviewDelete`.
#[derive(Debug, InputObject)]
pub struct ReviewDeleteInput {
    /// ID of the review.
    id: ID,
}

/// Input for `reviewApprove`.
#[derive(Debug, InputObject)]
pub struct ReviewApproveInput {
    /// ID of the review.
    id: ID,
}

/// Input for `reviewReject`.
#[derive(Debug, InputObject)]
pub struct ReviewRejectInput {
    /// ID of the review.
    id: ID,
}

payload! {
    /// Result of `reviewCreate`.
    ReviewCreatePayload {
        /// The new review.
        review: Review
    }
}
payload! {
    /// Result of `reviewUpdate`.
    ReviewUpdatePayload {
        /// The updated review.
        review: Review
    }
}
payload! {
    /// Result of `reviewDelete`.
    ReviewDeletePayload {
        /// ID of the deleted review.
        deleted_id: ID
    }
}
payload! {
    /// Result of `reviewApprove`.
    ReviewApprovePayload {
        /// The approved review.
        review: Review
    }
}
payload! {
    /// Result of `reviewReject`.
    ReviewRejectPayload {
        /// The rejected review.
        review: Review
    }
}

/// Mutation root for reviews.
#[derive(Default)]
pub struct ReviewMutation;

#[object]
impl ReviewMutation {
    /// Creates the viewer's review of a product. Each user can review a product once. The review is published after
    /// staff approve it, or at once if moderation is turned off. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn review_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Product, rating and text of the review.")] input: ReviewCreateInput,
    ) -> Result<ReviewCreatePayload> {
        let created = async {
            let product = ProductId::parse("productId", &input.product_id)?;
            let draft = ReviewDraft { product, rating: input.rating, title: input.title, text: input.text };
            actions::create(ctx.db(), ctx.viewer(), ctx.services().reviews, draft).await
        };
        ReviewCreatePayload::of(created.await.map(review))
    }

    /// Updates a review of the viewer. It must be approved again, unless moderation is turned off and it was approved
    /// before. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn review_update(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Review and the fields to change.")] input: ReviewUpdateInput,
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

    /// Deletes a review. Authors can delete their own reviews; `MANAGE_REVIEWS` allows any review. Requires login.
    #[graphql(guard = "LoginGuard")]
    async fn review_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Review to delete.")] input: ReviewDeleteInput,
    ) -> Result<ReviewDeletePayload> {
        let deleted = async {
            let id = ReviewId::parse("id", &input.id)?;
            actions::delete(ctx.db(), ctx.viewer(), id).await?;
            Ok(input.id.clone())
        };
        ReviewDeletePayload::of(deleted.await)
    }

    /// Approves a review: it is published and counts in the product's rating. Requires `MANAGE_REVIEWS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageReviews])")]
    async fn review_approve(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Review to approve.")] input: ReviewApproveInput,
    ) -> Result<ReviewApprovePayload> {
        let approved = async {
            let id = ReviewId::parse("id", &input.id)?;
            actions::moderate(ctx.db(), ctx.viewer(), id, ReviewStatus::Approved).await
        };
        ReviewApprovePayload::of(approved.await.map(review))
    }

    /// Rejects a review: it is not published, and no longer counts in the product's rating. Requires `MANAGE_REVIEWS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManageReviews])")]
    async fn review_reject(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Review to reject.")] input: ReviewRejectInput,
    ) -> Result<ReviewRejectPayload> {
        let rejected = async {
            let id = ReviewId::parse("id", &input.id)?;
            actions::moderate(ctx.db(), ctx.viewer(), id, ReviewStatus::Rejected).await
        };
        ReviewRejectPayload::of(rejected.await.map(review))
    }
}
