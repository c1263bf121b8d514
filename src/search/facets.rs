//! The facets of a search: which are asked for, the rows of their statement, and what they say.

use rust_decimal::Decimal;

use crate::{
    ids::{BrandId, CategoryId, WebsiteId},
    products::model::Availability,
};

/// A facet that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FacetKind {
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

/// The facets of a search: each value with the number of hits that have it, in the order in which they are shown.
#[derive(Debug, Clone, Default)]
pub struct Facets {
    /// How many hits were counted.
    pub counted: i64,
    /// Categories, with all that are above them.
    pub categories: Vec<(CategoryId, i64)>,
    /// Brands.
    pub brands: Vec<(BrandId, i64)>,
    /// Websites.
    pub websites: Vec<(WebsiteId, i64)>,
    /// Ranges of prices, from the lowest.
    pub prices: Vec<PriceRange>,
    /// Whole stars.
    pub ratings: Vec<(i32, i64)>,
    /// Availabilities.
    pub availability: Vec<(Availability, i64)>,
    /// The values of each option.
    pub options: Vec<OptionValues>,
}

/// How many hits have a price in a range.
#[derive(Debug, Clone, Copy)]
pub struct PriceRange {
    /// The lowest price.
    pub min: Decimal,
    /// The highest price.
    pub max: Decimal,
    /// How many hits have it.
    pub count: i64,
}

/// How many hits have which values of an option.
#[derive(Debug, Clone)]
pub struct OptionValues {
    /// The option, such as Size.
    pub name: String,
    /// Its values, that of most hits first.
    pub values: Vec<(String, i64)>,
}

impl Facets {
    /// Sorts rows by facet.
    pub fn from_rows(rows: Vec<FacetRow>) -> Self {
        let mut facets = Self::default();
        for row in rows {
            facets.add(row);
        }
        facets
    }

    /// Adds a row; one whose value cannot be read is left out.
    fn add(&mut self, row: FacetRow) {
        let FacetRow { facet, name, value, count, min, max } = row;
        let key = || value.as_deref().and_then(|value| value.parse::<i64>().ok());
        match facet.as_str() {
            "all" => self.counted += count,
            "category" => self.categories.extend(key().map(|key| (CategoryId(key), count))),
            "brand" => self.brands.extend(key().map(|key| (BrandId(key), count))),
            "website" => self.websites.extend(key().map(|key| (WebsiteId(key), count))),
            "price" => self.prices.extend(min.zip(max).map(|(min, max)| PriceRange { min, max, count })),
            "rating" => {
                let stars = value.as_deref().and_then(|value| value.parse().ok());
                self.ratings.extend(stars.map(|stars| (stars, count)));
            }
            "availability" => {
                let named = |it: &Availability| value.as_deref() == Some(it.as_str());
                self.availability.extend(Availability::ALL.iter().copied().find(named).map(|it| (it, count)));
            }
            "option" => {
                let Some((name, value)) = name.zip(value) else { return };
                match self.options.iter_mut().find(|option| option.name == name) {
                    Some(option) => option.values.push((value, count)),
                    None => self.options.push(OptionValues { name, values: vec![(value, count)] }),
                }
            }
            _ => {}
        }
    }
}
