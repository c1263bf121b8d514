//! The filter of a search, and its rules.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::{
    error::{Error, ErrorCode, Result, UserErrorCode},
    ids::{BrandId, CategoryId, SupplierId, WebsiteId},
    products::model::Availability,
};

/// Maximum number of options in a filter, and of values per option.
pub const MAX_OPTIONS: usize = 20;
/// Maximum length of an option name or value, in characters.
const MAX_OPTION_TEXT: usize = 100;

/// Filter on products. Conditions are combined with AND; an absent or empty one matches everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchFilter {
    /// Any of these categories.
    pub categories: Option<Vec<CategoryId>>,
    /// Whether their subcategories are included.
    pub with_subcategories: bool,
    /// The categories with their subcategories, for statements that read products; none if they are not included.
    pub subtree: Option<Vec<CategoryId>>,
    /// Any of these brands.
    pub brands: Option<Vec<BrandId>>,
    /// Any of these suppliers.
    pub suppliers: Option<Vec<SupplierId>>,
    /// Any of these websites.
    pub websites: Option<Vec<WebsiteId>>,
    /// Minimum price.
    pub price_from: Option<Decimal>,
    /// Maximum price.
    pub price_to: Option<Decimal>,
    /// Websites with the currency of the price filter; none if all websites of the search have it.
    pub price_websites: Option<Vec<WebsiteId>>,
    /// Minimum average rating.
    pub rating_from: Option<Decimal>,
    /// Any of these availabilities.
    pub availability: Option<Vec<Availability>>,
    /// Whether the compare-at price is above the price.
    pub is_on_sale: Option<bool>,
    /// Any of these tags.
    pub tags_any: Option<Vec<String>>,
    /// All of these tags.
    pub tags_all: Option<Vec<String>>,
    /// Earliest creation time.
    pub created_from: Option<DateTime<Utc>>,
    /// Latest creation time.
    pub created_to: Option<DateTime<Utc>>,
    /// For each option any of these values.
    pub options: Vec<(String, Vec<String>)>,
}

/// A condition of a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterPart {
    /// The categories.
    Category,
    /// The brands.
    Brand,
    /// The suppliers.
    Supplier,
    /// The websites.
    Website,
    /// The price range.
    Price,
    /// The minimum rating.
    Rating,
    /// The availabilities.
    Availability,
    /// On sale or not.
    OnSale,
    /// The tags.
    Tags,
    /// The range of creation times.
    CreatedAt,
    /// The option at this index of the filter.
    Option(usize),
}

impl FilterPart {
    /// Returns whether the index of the words also finds the documents of the condition. The others depend on values that
    /// change often, and are checked on the rows.
    pub fn is_key(self) -> bool {
        !matches!(self, Self::Price | Self::Rating | Self::Availability | Self::OnSale | Self::CreatedAt)
    }
}

impl SearchFilter {
    /// Returns the conditions that are set.
    pub fn parts(&self) -> Vec<FilterPart> {
        use FilterPart as P;
        let has_price = self.price_from.is_some() || self.price_to.is_some() || self.price_websites.is_some();
        let parts = [
            (P::Category, self.categories.is_some()),
            (P::Brand, self.brands.is_some()),
            (P::Supplier, self.suppliers.is_some()),
            (P::Website, self.websites.is_some()),
            (P::Price, has_price),
            (P::Rating, self.rating_from.is_some()),
            (P::Availability, self.availability.is_some()),
            (P::OnSale, self.is_on_sale.is_some()),
            (P::Tags, self.tags_any.is_some() || self.tags_all.is_some()),
            (P::CreatedAt, self.created_from.is_some() || self.created_to.is_some()),
        ];
        let options = (0..self.options.len()).map(P::Option);
        parts.into_iter().filter(|(_, is_set)| *is_set).map(|(part, _)| part).chain(options).collect()
    }

    /// Returns whether the filter has no condition.
    pub fn is_empty(&self) -> bool {
        self.parts().is_empty()
    }

    /// Returns the categories that a product can be in.
    pub fn product_categories(&self) -> Option<&[CategoryId]> {
        self.subtree.as_deref().or(self.categories.as_deref())
    }

    /// Checks the options.
    /// # Errors
    /// User errors for too many options, and for one that is too long or listed twice.
    pub fn check(&self) -> Result<()> {
        let refused = |code, rule: &str| Err(Error::user(code, "where.options", rule.to_owned()));
        let options = &self.options;
        if options.len() > MAX_OPTIONS || options.iter().any(|(_, values)| values.len() > MAX_OPTIONS) {
            return refused(UserErrorCode::TooLong, "at most 20 options with 20 values each are allowed");
        }
        for (index, (name, values)) in options.iter().enumerate() {
            let is_bad = |text: &String| text.chars().count() > MAX_OPTION_TEXT || text.contains('\0');
            if is_bad(name) || values.iter().any(is_bad) {
                return refused(UserErrorCode::TooLong, "option names and values must have at most 100 characters");
            }
            if options[..index].iter().any(|(other, _)| other == name) {
                return refused(UserErrorCode::Invalid, "an option is listed more than once");
            }
        }
        Ok(())
    }
}

/// Checks that the viewer may filter by supplier: staff and sellers only.
/// # Errors
/// FORBIDDEN for others.
pub fn check_supplier_filter(is_staff: bool) -> Result<()> {
    if is_staff {
        return Ok(());
    }
    Err(Error::Coded(ErrorCode::Forbidden, "only staff and sellers can filter by supplier".into()))
}
