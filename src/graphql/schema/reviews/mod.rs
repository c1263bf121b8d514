//! GraphQL types of reviews and ratings.

mod mutation;
mod query;

pub use self::{
    mutation::*,
    query::{ReviewOrder, ReviewQuery, ReviewWhere, list_from_args, of_parent},
};

use std::sync::Arc;

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Scope,
    cache::Tag,
    db::PlanMode,
    error::{Error, Result},
    graphql::{
        engine::scalars::{Decimal, global_id},
        schema::{
            context::ContextExt,
            loaders::{by_key, by_parent},
            nested_lists::nested_list,
            products::{Product, product},
            resource::resource,
            users::{User, user},
        },
    },
    ids::{ProductId, ReviewId, RowId, UserId},
    products::model::ProductRow,
    reviews::{
        self,
        model::{RatingCount, ReviewParent, ReviewRow, ReviewStatus, public_name},
        store::ReviewList,
    },
    users::{self, model::UserRow},
};

/// Returns the tag of the reviews of a product.
fn reviews_of(product: i64) -> Tag {
    Tag::of("list:reviews:product", product)
}

/// A review of a product by a customer.
#[derive(Clone)]
pub struct Review(Arc<ReviewRow>);

resource! {
    Review(review) by ReviewId of ReviewRow,
    |conn, context, ids| reviews::store::by_ids(conn, &context.review_scope(), &ids), row => row.id,
}

nested_list! {
    /// Reviews of products or users.
    ReviewPages of (ReviewParent, ReviewList) => ReviewRow,
    |conn, context, parent, list, ids|
    rows reviews::store::pages_by_parent_ids(conn, &context.review_scope(), parent, list, ids),
    counts reviews::store::counts_by_parent_ids(conn, &context.review_scope(), parent, list, ids),
    plans PlanMode::Generic,
    tags |parent, id| match parent {
        ReviewParent::Product => vec![reviews_of(id), Tag::of("product", id)],
        ReviewParent::User => vec![Tag::list("list:reviews")],
    }
}

by_parent! {
    /// Number of reviews of products per rating.
    StarsByProduct by ProductId => RatingCount,
    |conn, _, ids| reviews::store::rating_counts_by_product_ids(conn, &ids), row => row.product,
    tags |id, _| vec![reviews_of(id.key())]
}

by_key! {
    /// Authors of reviews, for their public name.
    Authors by UserId => UserRow,
    |conn, _, ids| users::store::by_ids(conn, &Scope::All, &ids), row => row.id,
    tags |id, _| vec![Tag::of("user", id.key())]
}

/// A review of a product by a customer. Approved reviews are visible to everyone, others to the author and to staff
/// with `MANAGE_REVIEWS`.
#[object]
impl Review {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Reviewed product. Null if it is no longer for sale, except for its seller and staff.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        Ok(ctx.loaders().row(self.0.product_id).await?.map(product))
    }

    /// Public name of the author: the first name and an initial.
    async fn author(&self, ctx: &Context<'_>) -> Result<String> {
        let author = ctx.loaders().load::<Authors>(self.0.user_id).await?;
        let author = author.ok_or_else(|| Error::Internal("review refers to a missing author".into()))?;
        Ok(public_name(&author.name))
    }

    /// Author of the review. Null if the viewer may not see the user.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        Ok(ctx.loaders().row(self.0.user_id).await?.map(user))
    }

    /// Rating in stars, 1 to 5.
    fn rating(&self) -> i32 {
        self.0.rating
    }

    /// Headline; null if there is none.
    fn title(&self) -> Option<&str> {
        self.0.title.as_deref()
    }

    /// Review text; empty if only stars were given.
    fn text(&self) -> &str {
        &self.0.text
    }

    /// Moderation status of the review.
    fn status(&self) -> ReviewStatus {
        self.0.status
    }

    /// Whether the author had bought the product when writing the review, that is, had an order with it that was
    /// confirmed, shipped or delivered.
    fn is_verified_purchase(&self) -> bool {
        self.0.is_verified_purchase
    }

    /// When the review was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the review was last updated (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// The aggregate rating of a product.
pub struct Rating(Arc<ProductRow>);

/// Returns the aggregate rating of a product.
pub fn rating(product: Arc<ProductRow>) -> Rating {
    Rating(product)
}

/// The aggregate rating of a product over its approved reviews.
#[object]
impl Rating {
    /// Average number of stars, with two decimals; null if there are no reviews.
    fn average(&self) -> Option<Decimal> {
        (self.0.rating_count > 0).then_some(Decimal(self.0.rating_average))
    }

    /// Number of approved reviews.
    fn count(&self) -> i32 {
        self.0.rating_count
    }

    /// Number of reviews for each number of stars: always five entries, five stars first.
    #[graphql(complexity = "5 * child_complexity")]
    async fn stars(&self, ctx: &Context<'_>) -> Result<Vec<StarCount>> {
        let found = ctx.loaders().group::<StarsByProduct, _>(self.0.id).await?;
        let count = |stars: i32| {
            let entry = found.iter().find(|found| found.rating == stars);
            entry.map_or(0, |found| found.count)
        };
        Ok((1..=5).rev().map(|stars| StarCount { stars, count: count(stars) }).collect())
    }
}

/// The number of reviews with a number of stars.
#[derive(Clone, Copy)]
pub struct StarCount {
    stars: i32,
    count: i64,
}

/// The number of reviews with a number of stars.
#[object]
impl StarCount {
    /// Number of stars, 1 to 5.
    fn stars(&self) -> i32 {
        self.stars
    }

    /// Number of approved reviews.
    fn count(&self) -> i64 {
        self.count
    }
}
