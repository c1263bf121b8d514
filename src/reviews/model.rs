//! Rows and rules of reviews.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::{filter::Op, tables::reviews},
    error::{Result, UserError, UserErrorCode},
    ids::{ProductId, ReviewId, UserId},
    paging::SortKey,
    text::Validator,
    text_enum,
    websites::model::WebsiteOp,
};

/// Maximum length of a headline, in characters.
const MAX_TITLE: usize = 150;
/// Maximum length of a review text, in characters.
const MAX_TEXT: usize = 5_000;

text_enum! {
    /// Moderation status of a review.
    #[graphql(name = "ReviewStatus")]
    pub enum ReviewStatus {
        /// The review awaits moderation. It is visible to its author and to staff with `MANAGE_REVIEWS`.
        Pending => "pending",
        /// The review is published and counts in the product's rating.
        Approved => "approved",
        /// The review was rejected. It is visible to its author and to staff with `MANAGE_REVIEWS`.
        Rejected => "rejected",
    }
}

/// A review of a product by a customer.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = reviews, check_for_backend(diesel::pg::Pg))]
pub struct ReviewRow {
    /// Primary key.
    pub id: ReviewId,
    /// Reviewed product.
    pub product_id: ProductId,
    /// Author.
    pub user_id: UserId,
    /// Rating in stars, 1 to 5.
    pub rating: i32,
    /// Headline.
    pub title: Option<String>,
    /// Review text; empty if only stars were given.
    pub text: String,
    /// Moderation status.
    pub status: ReviewStatus,
    /// Whether the author had bought the product when writing the review.
    pub is_verified_purchase: bool,
    /// When the review was created.
    pub created_at: DateTime<Utc>,
    /// When the review was last updated.
    pub updated_at: DateTime<Utc>,
}

/// A new review.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = reviews)]
pub struct NewReview {
    /// See [`ReviewRow`].
    pub product_id: ProductId,
    /// See [`ReviewRow`].
    pub user_id: UserId,
    /// See [`ReviewRow`].
    pub rating: i32,
    /// See [`ReviewRow`].
    pub title: Option<String>,
    /// See [`ReviewRow`].
    pub text: String,
    /// See [`ReviewRow`].
    pub status: ReviewStatus,
    /// See [`ReviewRow`].
    pub is_verified_purchase: bool,
    /// When the review was written; defaults to now.
    pub created_at: Option<DateTime<Utc>>,
}

/// Changes of a review: an absent field keeps its value, an inner `None` clears it.
#[derive(Debug, Clone, Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = reviews)]
pub struct ReviewPatch {
    /// See [`ReviewRow`].
    pub rating: Option<i32>,
    /// See [`ReviewRow`].
    pub title: Option<Option<String>>,
    /// See [`ReviewRow`].
    pub text: Option<String>,
}

impl ReviewPatch {
    /// Trims and checks the fields.
    /// # Errors
    /// Returns user errors of invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        if self.rating.is_some_and(|rating| !(1..=5).contains(&rating)) {
            validator.add(UserError::new(UserErrorCode::OutOfRange, "rating", "rating must be between 1 and 5"));
        }
        validator.optional_texts("title", &mut self.title, MAX_TITLE);
        validator.multiline_texts("text", &mut self.text, MAX_TEXT);
        validator.finish()?;
        Ok(self)
    }

    /// Returns whether the patch changes the review.
    pub fn changes(&self, row: &ReviewRow) -> bool {
        self.rating.is_some_and(|rating| rating != row.rating)
            || self.title.as_ref().is_some_and(|title| *title != row.title)
            || self.text.as_ref().is_some_and(|text| *text != row.text)
    }
}

/// Returns the public name of an author: the first word of the name and the initial of the last word. Never an email
/// address, which may have been imported as a name.
pub fn public_name(name: &str) -> String {
    let mut words = name.split_whitespace().filter(|word| !word.contains('@'));
    let Some(first) = words.next() else { return "Anonymous".to_owned() };
    match words.next_back().and_then(|last| last.chars().next()) {
        Some(initial) => format!("{first} {initial}."),
        None => first.to_owned(),
    }
}

/// A filter condition on reviews.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReviewCondition {
    /// Filter by product.
    Product(Op<ProductId>),
    /// Filter by the product's website.
    SourceWebsite(WebsiteOp),
    /// Filter by rating.
    Rating(Op<i32>),
    /// Filter by moderation status.
    Status(Op<ReviewStatus>),
    /// Filter by whether the author had bought the product.
    IsVerifiedPurchase(bool),
    /// Filter by creation time.
    CreatedAt(Op<DateTime<Utc>>),
}

/// Fields that reviews can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum ReviewOrderField {
    /// Time when the review was created.
    #[default]
    CreatedAt,
    /// Rating in stars.
    Rating,
}

impl ReviewOrderField {
    /// Returns the name of the list in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::CreatedAt => "reviews:created_at",
            Self::Rating => "reviews:rating",
        }
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &ReviewRow) -> SortKey {
        match self {
            Self::CreatedAt => SortKey::Time(row.created_at),
            Self::Rating => SortKey::Int(row.rating),
        }
    }
}

/// Type of the parent of a nested list of reviews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReviewParent {
    /// A product.
    Product,
    /// A user.
    User,
}

/// Number of approved reviews of a product with a rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatingCount {
    /// Product that the reviews are about.
    pub product: ProductId,
    /// Rating in stars, 1 to 5.
    pub rating: i32,
    /// Number of reviews.
    pub count: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn author_name_is_first_name_and_initial() {
        let names = [
            ("Ada Lovelace", "Ada L."),
            ("Ada King, Countess of Lovelace", "Ada L."),
            ("  Ada  ", "Ada"),
            ("Ævar Þór", "Ævar Þ."),
            ("ada@souk.example", "Anonymous"),
            ("Ada ada@souk.example", "Ada"),
            ("", "Anonymous"),
        ];
        for (name, public) in names {
            assert_eq!(public_name(name), public, "{name:?}");
        }
    }
}
