//! The values of products that facets count, as the search documents hold them; see the migration that adds `facets` and
//! `terms`.

use crate::{
    ids::{BrandId, CategoryId, WebsiteId},
    products::model::Availability,
};

/// Separates the terms of a product.
const TERM_SEPARATOR: char = '\u{1}';
/// Separates the name of an option from its value.
pub const OPTION_SEPARATOR: char = '\u{2}';
/// Separates the terms of products.
pub const PRODUCT_SEPARATOR: char = '\u{3}';

/// Number of bytes per product.
const LENGTH: usize = 35;

/// Products that facets count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CountedProducts {
    /// Number of products.
    pub count: i64,
    /// Their values, [`LENGTH`] bytes each.
    pub values: Vec<u8>,
    /// Their options and tags.
    pub terms: String,
}

impl CountedProducts {
    /// Returns the values of each product.
    pub(super) fn values(&self) -> impl Iterator<Item = FacetValues<'_>> {
        let (records, _) = self.values.as_chunks::<LENGTH>();
        records.iter().map(FacetValues)
    }

    /// Returns name and value of each option of each product.
    pub(super) fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        self.terms().filter_map(|term| term.split_once(OPTION_SEPARATOR))
    }

    /// Returns each tag of each product.
    pub(super) fn tags(&self) -> impl Iterator<Item = &str> {
        self.terms().filter(|term| !term.is_empty() && !term.contains(OPTION_SEPARATOR))
    }

    fn terms(&self) -> impl Iterator<Item = &str> {
        self.terms.split([TERM_SEPARATOR, PRODUCT_SEPARATOR])
    }
}

/// The values of a product.
#[derive(Debug, Clone, Copy)]
pub(super) struct FacetValues<'a>(&'a [u8; LENGTH]);

impl FacetValues<'_> {
    /// Returns the number at an index, of the four that come first.
    fn number(self, index: usize) -> i64 {
        let (numbers, _) = self.0.as_chunks::<8>();
        i64::from_be_bytes(numbers[index])
    }

    fn key(self, index: usize) -> Option<i64> {
        Some(self.number(index)).filter(|key| *key != 0)
    }

    pub(super) fn category(self) -> Option<CategoryId> {
        self.key(0).map(CategoryId)
    }

    pub(super) fn brand(self) -> Option<BrandId> {
        self.key(1).map(BrandId)
    }

    pub(super) fn website(self) -> WebsiteId {
        WebsiteId(self.number(2))
    }

    /// Returns the price in thousandths.
    pub(super) fn price(self) -> i64 {
        self.number(3)
    }

    /// Returns the average rating, rounded down; none without ratings.
    pub(super) fn stars(self) -> Option<i32> {
        Some(i32::from(self.0[32])).filter(|stars| *stars != 0)
    }

    /// Returns the availability, of which the first letter is stored.
    pub(super) fn availability(self) -> Option<Availability> {
        Availability::ALL.iter().copied().find(|it| it.as_str().as_bytes().first() == Some(&self.0[33]))
    }

    pub(super) fn is_on_sale(self) -> bool {
        self.0[34] != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn availabilities_differ_in_their_first_letter() {
        let mut letters: Vec<u8> = Availability::ALL.iter().map(|it| it.as_str().as_bytes()[0]).collect();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!(letters.len(), Availability::ALL.len());
    }

    #[test]
    fn options_and_tags_are_told_apart() {
        let terms = "Size\u{2}M\u{1}Color\u{2}Red\u{1}summer\u{3}\u{3}sale".to_owned();
        let products = CountedProducts { terms, ..CountedProducts::default() };
        assert_eq!(products.options().collect::<Vec<_>>(), [("Size", "M"), ("Color", "Red")]);
        assert_eq!(products.tags().collect::<Vec<_>>(), ["summer", "sale"]);
    }
}
