//! Rows and rules of reviews.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::{filter::Op, tables::reviews},
    error::{Result, UserError, UserErrorCode},
    ids::{ProductId, ReviewId, UserId, WebsiteId},
    paging::SortKey,
    text::Validator,
    text_enum,
};

/// Longest title, in characters.
const MAX_TITLE: usize = 150;
/// Longest text, in characters.
const MAX_TEXT: usize = 5_000;

text_enum! {
    /// Where a review stands.
    #[graphql(name = "ReviewStatus")]
    pub enum ReviewStatus {
        /// Staff have not read it yet: its author and they alone see it.
        Pending => "pending",
        /// Everybody sees it, and it counts.
        Approved => "approved",
        /// It is not shown.
        Rejected => "rejected",
    }
}

/// What a customer says of a product.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = reviews, check_for_backend(diesel::pg::Pg))]
pub struct ReviewRow {
    /// Key.
    pub id: ReviewId,
    /// Of which product.
    pub product_id: ProductId,
    /// Who wrote it.
    pub user_id: UserId,
    /// Stars, 1 to 5.
    pub rating: i32,
    /// A headline.
    pub title: Option<String>,
    /// The text; empty where there are stars alone.
    pub text: String,
    /// Where it stands.
    pub status: ReviewStatus,
    /// Whether the author had bought the product when they wrote this.
    pub is_verified_purchase: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A review to be.
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
}

/// What an author says: what is absent stays, an inner `None` clears.
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
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        let mut validator = Validator::new();
        if self.rating.is_some_and(|rating| !(1..=5).contains(&rating)) {
            validator.add(UserError::new(UserErrorCode::OutOfRange, "rating", "a rating is from 1 to 5"));
        }
        validator.optional_text("title", self.title.as_ref().and_then(Option::as_deref), MAX_TITLE);
        validator.multiline_text("text", self.text.as_deref().unwrap_or_default(), MAX_TEXT);
        validator.finish()
    }

    /// Whether the review says something else then.
    pub fn changes(&self, row: &ReviewRow) -> bool {
        self.rating.is_some_and(|rating| rating != row.rating)
            || self.title.as_ref().is_some_and(|title| *title != row.title)
            || self.text.as_ref().is_some_and(|text| *text != row.text)
    }
}

/// How an author is named in public: the first word of their name and the initial of the last. Never an e-mail address,
/// which an import may have brought as a name.
pub fn public_name(name: &str) -> String {
    let mut words = name.split_whitespace().filter(|word| !word.contains('@'));
    let Some(first) = words.next() else { return "Anonymous".to_owned() };
    match words.next_back().and_then(|last| last.chars().next()) {
        Some(initial) => format!("{first} {initial}."),
        None => first.to_owned(),
    }
}

/// A condition on reviews.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReviewCondition {
    /// By product.
    Product(Op<ProductId>),
    /// By the website of the product.
    SourceWebsite(Op<WebsiteId>),
    /// By stars.
    Rating(Op<i32>),
    /// By where it stands.
    Status(Op<ReviewStatus>),
    /// By whether the author had bought the product.
    IsVerifiedPurchase(bool),
    /// By when it was made.
    CreatedAt(Op<DateTime<Utc>>),
}

/// What a list of reviews is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum ReviewOrderField {
    /// When it was made.
    #[default]
    CreatedAt,
    /// The stars.
    Rating,
}

impl ReviewOrderField {
    /// The list's name in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::CreatedAt => "reviews:created_at",
            Self::Rating => "reviews:rating",
        }
    }

    /// The sort key of a row.
    pub fn key(self, row: &ReviewRow) -> SortKey {
        match self {
            Self::CreatedAt => SortKey::Time(row.created_at),
            Self::Rating => SortKey::Int(row.rating),
        }
    }
}

/// Whose reviews a nested list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReviewParent {
    /// A product's.
    Product,
    /// A user's.
    User,
}

/// How many approved reviews of a product have so many stars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatingCount {
    /// Of which product.
    pub product: ProductId,
    /// Stars, 1 to 5.
    pub rating: i32,
    /// Reviews.
    pub count: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_author_is_named_by_a_first_name_and_an_initial() {
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
