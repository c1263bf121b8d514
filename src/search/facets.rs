//! Facets of a search: the requested kinds, the rows of the SQL statement, and the result.

use rust_decimal::Decimal;

use crate::{
    ids::{BrandId, CategoryId, WebsiteId},
    money::Currency,
    products::model::Availability,
};

/// A facet that can be requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FacetKind {
    /// Categories, including all ancestors.
    Categories,
    /// Brands.
    Brands,
    /// Websites.
    Websites,
    /// Price ranges.
    Prices,
    /// Rating, rounded down to whole stars.
    Ratings,
    /// Availabilities.
    Availability,
    /// Values of each variant option.
    Options,
    /// Tags.
    Tags,
    /// Products on sale.
    OnSale,
}

/// A facet value with its number of hits.
#[derive(Debug, Clone)]
pub struct FacetRow {
    /// Name of the facet, or `all` for the number of counted hits.
    pub facet: String,
    /// Name of the option, for options; currency, for prices.
    pub name: Option<String>,
    /// The value as text; a primary key for entities.
    pub value: Option<String>,
    /// Number of hits with this value.
    pub count: i64,
    /// Lowest price of a range.
    pub min: Option<Decimal>,
    /// Highest price of a range.
    pub max: Option<Decimal>,
}

/// The facets of a search: each value with its number of hits, in display order.
#[derive(Debug, Clone, Default)]
pub struct Facets {
    /// Number of hits that were counted, of the facet with the most.
    pub counted: i64,
    /// Categories, including all ancestors.
    pub categories: Vec<(CategoryId, i64)>,
    /// Brands.
    pub brands: Vec<(BrandId, i64)>,
    /// Websites.
    pub websites: Vec<(WebsiteId, i64)>,
    /// Price ranges of each currency, ascending.
    pub prices: Vec<PriceRange>,
    /// Ratings, rounded down to whole stars.
    pub ratings: Vec<(i32, i64)>,
    /// Availabilities.
    pub availability: Vec<(Availability, i64)>,
    /// Values of each variant option.
    pub options: Vec<OptionValues>,
    /// Tags.
    pub tags: Vec<(String, i64)>,
    /// Number of hits that are on sale.
    pub on_sale: i64,
}

/// A price range with its number of hits.
#[derive(Debug, Clone, Copy)]
pub struct PriceRange {
    /// Currency of the prices.
    pub currency: Currency,
    /// Lowest price.
    pub min: Decimal,
    /// Highest price.
    pub max: Decimal,
    /// Number of hits with a price in the range.
    pub count: i64,
}

/// The values of a variant option with their numbers of hits.
#[derive(Debug, Clone)]
pub struct OptionValues {
    /// Name of the option, such as Size.
    pub name: String,
    /// The values, by number of hits, descending.
    pub values: Vec<(String, i64)>,
}

impl Facets {
    /// Groups the rows by facet.
    pub fn from_rows(rows: Vec<FacetRow>) -> Self {
        let mut facets = Self::default();
        for row in rows {
            facets.add(row);
        }
        facets
    }

    /// Adds a row; a row with an unreadable value is skipped.
    fn add(&mut self, row: FacetRow) {
        let FacetRow { facet, name, value, count, min, max } = row;
        let key = || value.as_deref().and_then(|value| value.parse::<i64>().ok());
        match facet.as_str() {
            "all" => self.counted = self.counted.max(count),
            "category" => self.categories.extend(key().map(|key| (CategoryId(key), count))),
            "brand" => self.brands.extend(key().map(|key| (BrandId(key), count))),
            "website" => self.websites.extend(key().map(|key| (WebsiteId(key), count))),
            "price" => {
                let currency = name.as_deref().and_then(Currency::from_stored);
                let range = currency.zip(min.zip(max));
                self.prices.extend(range.map(|(currency, (min, max))| PriceRange { currency, min, max, count }));
            }
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
            "tag" => self.tags.extend(value.map(|tag| (tag, count))),
            "on_sale" => self.on_sale = count,
            _ => {}
        }
    }
}
