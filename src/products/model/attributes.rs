//! Tags, weight and SEO texts of products.
//! Rule: tags that differ only in case are the same tag, and a product has it once, as it was written first.

use std::collections::HashSet;

use rust_decimal::{Decimal, RoundingStrategy};

use crate::{
    error::{UserError, UserErrorCode},
    text::{Validator, trim},
    text_enum,
};

/// Maximum number of tags of a product.
pub const MAX_TAGS: usize = 250;
/// Maximum length of a tag, in characters.
pub const MAX_TAG: usize = 255;
/// Maximum length of the title for search engines, in characters.
pub const MAX_SEO_TITLE: usize = 255;
/// Maximum length of the description for search engines, in characters.
pub const MAX_SEO_DESCRIPTION: usize = 1_000;
/// Decimal places of a weight.
const WEIGHT_DIGITS: u32 = 4;
/// Heaviest weight, in any unit.
const MAX_WEIGHT: Decimal = Decimal::from_parts(0xd4a5_0fff, 0xe8, 0, false, WEIGHT_DIGITS);

text_enum! {
    /// Units in which a weight is given.
    pub enum WeightUnit {
        /// A thousandth of a kilogram.
        Gram => "g",
        /// 1,000 grams.
        Kilogram => "kg",
        /// The avoirdupois ounce, 28.349523125 grams.
        Ounce => "oz",
        /// The avoirdupois pound, 453.59237 grams.
        Pound => "lb",
    }
}

/// A weight with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// Number of units.
    pub value: Decimal,
    /// Unit.
    pub unit: WeightUnit,
}

impl WeightUnit {
    /// Returns the unit with this abbreviation, such as `kg`; `lbs` is a pound, too.
    pub fn parse(text: &str) -> Option<Self> {
        let text = trim(text).to_ascii_lowercase();
        let text = if text == "lbs" { "lb" } else { &text };
        Self::ALL.iter().copied().find(|unit| unit.as_str() == text)
    }

    fn grams(self) -> Decimal {
        match self {
            Self::Gram => Decimal::ONE,
            Self::Kilogram => Decimal::ONE_THOUSAND,
            Self::Ounce => Decimal::new(28_349_523_125, 9),
            Self::Pound => Decimal::new(45_359_237, 5),
        }
    }
}

impl Weight {
    /// Creates a weight with as many decimal places as are stored.
    pub fn rounded(value: Decimal, unit: WeightUnit) -> Self {
        let value = value.round_dp_with_strategy(WEIGHT_DIGITS, RoundingStrategy::MidpointAwayFromZero);
        Self { value: value.normalize(), unit }
    }

    /// Converts a weight in grams to a unit.
    pub fn of_grams(grams: Decimal, unit: WeightUnit) -> Self {
        Self::rounded(grams / unit.grams(), unit)
    }
}

/// Trims and checks tags, and removes those that repeat an earlier one.
pub fn check_tags(validator: &mut Validator, tags: Option<&mut Vec<String>>) {
    let Some(tags) = tags else { return };
    let mut seen = HashSet::new();
    tags.retain(|tag| seen.insert(trim(tag).to_lowercase()));
    if tags.len() > MAX_TAGS {
        let rule = format!("a product has at most {MAX_TAGS} tags");
        return validator.add(UserError::new(UserErrorCode::OutOfRange, "tags", rule));
    }
    validator.texts("tags", tags, MAX_TAG);
}

/// Checks the value of a weight.
pub(super) fn check_weight(validator: &mut Validator, weight: Option<Decimal>) {
    let Some(weight) = weight else { return };
    if weight.normalize().scale() > WEIGHT_DIGITS || weight < Decimal::ZERO || weight > MAX_WEIGHT {
        let rule = "weight must be between 0 and 99,999,999.9999, with at most 4 decimal places";
        validator.add(UserError::new(UserErrorCode::OutOfRange, "weight.value", rule));
    }
}

/// Trims and checks the texts for search engines.
pub(super) fn check_seo(
    validator: &mut Validator,
    title: Option<&mut Option<String>>,
    description: Option<&mut Option<String>>,
) {
    validator.optional_texts("seo.title", title, MAX_SEO_TITLE);
    validator.optional_texts("seo.description", description, MAX_SEO_DESCRIPTION);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_tags_are_removed() {
        let checked = |tags: &[&str]| {
            let (mut validator, mut tags) = (Validator::new(), tags.iter().map(|tag| (*tag).to_owned()).collect());
            check_tags(&mut validator, Some(&mut tags));
            validator.finish().map(|()| tags)
        };
        assert_eq!(checked(&[" Wool\u{a0}", "winter", "WOOL", "Ärmel", "ärmel"]).unwrap(), ["Wool", "winter", "Ärmel"]);
        assert_eq!(checked(&[]).unwrap(), Vec::<String>::new());
        for tags in [vec![" "], vec!["a\nb"], vec!["a\u{7}b"]] {
            assert!(checked(&tags).is_err(), "{tags:?}");
        }
        let many: Vec<String> = (0..=MAX_TAGS).map(|number| number.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(checked(&many).is_err() && checked(&many[1..]).is_ok());
        assert!(checked(&["x".repeat(MAX_TAG).as_str()]).is_ok());
        assert!(checked(&["x".repeat(MAX_TAG + 1).as_str()]).is_err());
    }

    #[test]
    fn weights_are_converted_from_grams() {
        for (grams, unit, expected) in [
            ("450.0", WeightUnit::Gram, "450"),
            ("450", WeightUnit::Kilogram, "0.45"),
            ("28.349523125", WeightUnit::Ounce, "1"),
            ("907.18474", WeightUnit::Pound, "2"),
            ("100", WeightUnit::Pound, "0.2205"),
        ] {
            assert_eq!(Weight::of_grams(grams.parse().unwrap(), unit).value.to_string(), expected, "{grams}");
        }
        assert_eq!(WeightUnit::parse(" LBS"), Some(WeightUnit::Pound));
        assert_eq!(WeightUnit::parse("stone"), None);
    }

    #[test]
    fn weights_are_limited() {
        let is_valid = |weight: &str| {
            let mut validator = Validator::new();
            check_weight(&mut validator, Some(weight.parse().unwrap()));
            validator.finish().is_ok()
        };
        for weight in ["0", "0.0001", "99999999.9999", "1.50000"] {
            assert!(is_valid(weight), "{weight}");
        }
        for weight in ["-0.1", "0.00001", "100000000"] {
            assert!(!is_valid(weight), "{weight}");
        }
    }
}
