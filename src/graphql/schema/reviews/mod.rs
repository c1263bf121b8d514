//! Reviews in the graph: what customers say of products, and what comes of it.

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
    db::PlanMode,
    error::{Error, Result},
    graphql::{
        engine::scalars::{Decimal, global_id},
        schema::{
            context::ContextExt,
            loaders::{by_key, by_parent, nested_list},
            products::{Product, product},
            resource::resource,
            users::{User, user},
        },
    },
    ids::{ProductId, ReviewId, UserId},
    products::model::ProductRow,
    reviews::{
        self,
        model::{RatingCount, ReviewParent, ReviewRow, ReviewStatus, public_name},
        store::ReviewList,
    },
    users::{self, model::UserRow},
};

/// What a customer says of a product.
#[derive(Clone)]
pub struct Review(Arc<ReviewRow>);

resource! {
    Review(review) by ReviewId of ReviewRow,
    |conn, context, ids| reviews::store::by_ids(conn, &context.review_scope(), &ids), row => row.id,
}

nested_list! {
    /// The reviews of products or users.
    ReviewPages of (ReviewParent, ReviewList) => ReviewRow,
    |conn, context, parent, list, ids|
    rows reviews::store::pages_by_parent_ids(conn, &context.review_scope(), parent, list, ids),
    counts reviews::store::counts_by_parent_ids(conn, &context.review_scope(), parent, list, ids),
    plans PlanMode::Generic
}

by_parent! {
    /// How many reviews with each number of stars products have.
    StarsByProduct by ProductId => RatingCount,
    |conn, _, ids| reviews::store::rating_counts_by_product_ids(conn, &ids), row => row.product
}

by_key! {
    /// The authors of reviews, for the name that everybody sees.
    Authors by UserId => UserRow,
    |conn, _, ids| users::store::by_ids(conn, &Scope::All, &ids), row => row.id
}

/// What a customer says of a product. Everybody sees it once it is approved, its author and staff with MANAGE_REVIEWS before.
#[object]
impl Review {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Of which product; null where it is not for sale any more.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        Ok(ctx.loaders().row(self.0.product_id).await?.map(product))
    }

    /// How its author is named in public: the first name and an initial.
    async fn author(&self, ctx: &Context<'_>) -> Result<String> {
        let author = ctx.loaders().load::<Authors>(self.0.user_id).await?;
        let author = author.ok_or_else(|| Error::Internal("a review without its author".into()))?;
        Ok(public_name(&author.name))
    }

    /// Its author; null where you may not see them.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        Ok(ctx.loaders().row(self.0.user_id).await?.map(user))
    }

    /// Stars, 1 to 5.
    fn rating(&self) -> i32 {
        self.0.rating
    }

    /// A headline.
    fn title(&self) -> Option<&str> {
        self.0.title.as_deref()
    }

    /// The text; empty where there are stars alone.
    fn text(&self) -> &str {
        &self.0.text
    }

    /// Where it stands.
    fn status(&self) -> ReviewStatus {
        self.0.status
    }

    /// Whether the author had bought the product when they wrote this: an order with it was confirmed, shipped or delivered.
    fn is_verified_purchase(&self) -> bool {
        self.0.is_verified_purchase
    }

    /// When it was made.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// What the reviews of a product come to.
pub struct Rating(Arc<ProductRow>);

/// The rating of a product.
pub fn rating(product: Arc<ProductRow>) -> Rating {
    Rating(product)
}

/// What the approved reviews of a product come to.
#[object]
impl Rating {
    /// The mean of their stars, with two decimals; null without any.
    fn average(&self) -> Option<Decimal> {
        (self.0.rating_count > 0).then_some(Decimal(self.0.rating_average))
    }

    /// How many there are.
    fn count(&self) -> i32 {
        self.0.rating_count
    }

    /// How many have how many stars: always five entries, the most stars first.
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

/// How many reviews have so many stars.
#[derive(Clone, Copy)]
pub struct StarCount {
    stars: i32,
    count: i64,
}

/// How many reviews have so many stars.
#[object]
impl StarCount {
    /// Stars, 1 to 5.
    fn stars(&self) -> i32 {
        self.stars
    }

    /// Reviews.
    fn count(&self) -> i64 {
        self.count
    }
}
