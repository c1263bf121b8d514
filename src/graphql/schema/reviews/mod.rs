//! Reviews in the graph: what customers say of products, and what comes of it.

mod mutation;
mod query;

pub use self::{
    mutation::*,
    query::{ReviewOrder, ReviewQuery, ReviewWhere, list_of, of_parent},
};

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Value};
use chrono::{DateTime, Utc};

use crate::graphql::engine::container::Ordered;
use crate::graphql::engine::container::Plain;
use crate::graphql::engine::scalars::Decimal;
use crate::graphql::engine::scalars::global;
use crate::graphql::schema::context::ContextExt;
use crate::graphql::schema::products::Product;
use crate::graphql::schema::products::product;
use crate::graphql::schema::users::User;
use crate::graphql::schema::users::user;
use crate::{
    error::{Error, Result},
    products::model::ProductRow,
    reviews::model::{ReviewRow, ReviewStatus, public_name},
};

/// See [`ReviewObject`].
pub type Review = Ordered<ReviewObject>;

/// What a customer says of a product.
#[derive(Clone)]
pub struct ReviewObject(Arc<ReviewRow>);

impl Plain for ReviewObject {
    const PLAIN: &'static [&'static str] =
        &["id", "rating", "title", "text", "status", "isBuyer", "createdAt", "updatedAt"];

    fn leaf(&self, field: &str) -> Option<Value> {
        Some(match field {
            "id" => Value::String(global(self.0.id).0),
            "rating" => Value::Number(self.0.rating.into()),
            "text" => Value::String(self.0.text.clone()),
            _ => return None,
        })
    }
}

/// The object of a row.
pub fn review(row: impl Into<Arc<ReviewRow>>) -> Review {
    Ordered(ReviewObject(row.into()))
}

/// What a customer says of a product. Everybody sees it once it is approved, its author and staff with MANAGE_REVIEWS before.
#[Object(name = "Review")]
impl ReviewObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Of which product; null where it is not for sale any more.
    async fn product(&self, ctx: &Context<'_>) -> Result<Option<Product>> {
        Ok(ctx.loaders().products.load(self.0.product_id).await?.map(product))
    }

    /// How its author is named in public: the first name and an initial.
    async fn author(&self, ctx: &Context<'_>) -> Result<String> {
        let author = ctx.loaders().authors.load(self.0.user_id).await?;
        let author = author.ok_or_else(|| Error::Internal("a review without its author".into()))?;
        Ok(public_name(&author.name))
    }

    /// Its author; null where you may not see them.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        Ok(ctx.loaders().users.load(self.0.user_id).await?.map(user))
    }

    /// Stars, 1 to 5.
    async fn rating(&self) -> i32 {
        self.0.rating
    }

    /// A headline.
    async fn title(&self) -> Option<&str> {
        self.0.title.as_deref()
    }

    /// The text; empty where there are stars alone.
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// Where it stands.
    async fn status(&self) -> ReviewStatus {
        self.0.status
    }

    /// Whether the author had bought the product when they wrote this: an order with it was confirmed, shipped or delivered.
    async fn is_buyer(&self) -> bool {
        self.0.is_buyer
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// See [`RatingObject`].
pub type Rating = Ordered<RatingObject>;

/// What the reviews of a product come to.
pub struct RatingObject(Arc<ProductRow>);

impl Plain for RatingObject {
    const PLAIN: &'static [&'static str] = &["average", "count"];
}

/// The rating of a product.
pub fn rating(product: Arc<ProductRow>) -> Rating {
    Ordered(RatingObject(product))
}

/// What the approved reviews of a product come to.
#[Object(name = "Rating")]
impl RatingObject {
    /// The mean of their stars, with two decimals; null without any.
    async fn average(&self) -> Option<Decimal> {
        (self.0.rating_count > 0).then_some(Decimal(self.0.rating_average))
    }

    /// How many there are.
    async fn count(&self) -> i32 {
        self.0.rating_count
    }

    /// How many have how many stars: always five entries, the most stars first.
    #[graphql(complexity = "5 * child_complexity")]
    async fn stars(&self, ctx: &Context<'_>) -> Result<Vec<StarCount>> {
        let found = ctx.loaders().stars_by_product.load(self.0.id).await?;
        let count = |stars: i32| {
            let of_so_many = found.iter().flat_map(|found| found.iter()).find(|found| found.rating == stars);
            of_so_many.map_or(0, |found| found.count)
        };
        Ok((1..=5).rev().map(|stars| Ordered(StarCountObject { stars, count: count(stars) })).collect())
    }
}

/// See [`StarCountObject`].
pub type StarCount = Ordered<StarCountObject>;

/// How many reviews have so many stars.
#[derive(Clone, Copy)]
pub struct StarCountObject {
    stars: i32,
    count: i64,
}

impl Plain for StarCountObject {
    const PLAIN: &'static [&'static str] = &["stars", "count"];
}

/// How many reviews have so many stars.
#[Object(name = "StarCount")]
impl StarCountObject {
    /// Stars, 1 to 5.
    async fn stars(&self) -> i32 {
        self.stars
    }

    /// Reviews.
    async fn count(&self) -> i64 {
        self.count
    }
}
