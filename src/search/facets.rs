//! What facets tell.

use rust_decimal::Decimal;

/// A facet that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Categories and all above them.
    Categories,
    /// Brands.
    Brands,
    /// Websites.
    Websites,
    /// Ranges of prices.
    Prices,
    /// Whole stars.
    Ratings,
    /// Availabilities.
    Availability,
    /// Values of each option.
    Options,
}

/// How many hits have a value.
#[derive(Debug, Clone)]
pub struct FacetRow {
    /// Which facet: the name of one, or `all` for how many hits were counted.
    pub facet: String,
    /// The name of the option.
    pub name: Option<String>,
    /// The value, as text; a key of what is a thing.
    pub value: Option<String>,
    /// How many hits have it.
    pub count: i64,
    /// The lowest price of a range.
    pub min: Option<Decimal>,
    /// The highest price of a range.
    pub max: Option<Decimal>,
}
