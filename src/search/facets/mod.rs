//! Facets of a search: the requested kinds, the products that each is counted among, and the counts.
//! Rule: a facet is counted under all filters but its own, so that the other values of a filtered facet still show
//! their counts.

mod counts;
mod values;

use std::collections::HashMap;

use rust_decimal::Decimal;

pub use self::values::{CountedProducts, OPTION_SEPARATOR, PRODUCT_SEPARATOR};
use self::{
    counts::{count, price_ranges, top},
    values::FacetValues,
};
use super::model::{FilterPart, SearchFilter};
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

impl FacetKind {
    /// Returns the filter that the facet is counted without; options are counted without that of the same name.
    fn own_filter(self) -> Option<FilterPart> {
        Some(match self {
            Self::Categories => FilterPart::Category,
            Self::Brands => FilterPart::Brand,
            Self::Websites => FilterPart::Website,
            Self::Prices => FilterPart::Price,
            Self::Ratings => FilterPart::Rating,
            Self::Availability => FilterPart::Availability,
            Self::Tags => FilterPart::Tags,
            Self::OnSale => FilterPart::OnSale,
            Self::Options => return None,
        })
    }
}

/// Products that are counted together: all that match the search without one condition of its filter, or with all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FacetBase {
    /// The condition that the products need not match.
    pub without: Option<FilterPart>,
    /// The facets that count these products; none if only their number is requested.
    pub kinds: Vec<FacetKind>,
}

impl FacetBase {
    /// Returns the bases of facets. The first has all filters, and is there if a facet or the total number of hits is
    /// counted under all filters.
    pub fn all(filter: &SearchFilter, kinds: &[FacetKind], has_total: bool) -> Vec<Self> {
        let parts = filter.parts();
        let mut bases: Vec<Self> = Vec::new();
        if has_total {
            bases.push(Self { without: None, kinds: Vec::new() });
        }
        let mut add = |without: Option<FilterPart>, kind: FacetKind| match bases
            .iter_mut()
            .find(|base| base.without == without)
        {
            Some(base) => base.kinds.push(kind),
            None => bases.push(Self { without, kinds: vec![kind] }),
        };
        for kind in kinds {
            add(kind.own_filter().filter(|own| parts.contains(own)), *kind);
            if *kind == FacetKind::Options {
                (0..filter.options.len()).for_each(|index| add(Some(FilterPart::Option(index)), *kind));
            }
        }
        bases.sort_by_key(|base| base.without.is_some());
        bases
    }

    /// Returns whether the facets need the values of the products.
    pub fn has_values(&self) -> bool {
        self.kinds.iter().any(|kind| !matches!(kind, FacetKind::Options | FacetKind::Tags))
    }

    /// Returns whether the facets need options or tags.
    pub fn has_terms(&self) -> bool {
        self.kinds.iter().any(|kind| matches!(kind, FacetKind::Options | FacetKind::Tags))
    }
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionValues {
    /// Name of the option, such as Size.
    pub name: String,
    /// The values, by number of hits, descending.
    pub values: Vec<(String, i64)>,
}

/// What the values of products refer to.
#[derive(Debug, Default)]
pub struct FacetContext {
    /// The path of each category, from the root to itself.
    pub paths: HashMap<CategoryId, Vec<CategoryId>>,
    /// The currency of each website.
    pub currencies: HashMap<WebsiteId, Currency>,
}

impl Facets {
    /// Counts the facets of a base.
    pub fn add(&mut self, base: &FacetBase, products: &CountedProducts, filter: &SearchFilter, context: &FacetContext) {
        if !base.kinds.is_empty() {
            self.counted = self.counted.max(products.count);
        }
        for kind in &base.kinds {
            let values = || products.values();
            match kind {
                FacetKind::Categories => self.categories = category_counts(products, context),
                FacetKind::Brands => self.brands = top(count(values().filter_map(|it| it.brand()))),
                FacetKind::Websites => self.websites = top(count(values().map(|it| it.website()))),
                FacetKind::Prices => self.prices = price_ranges(values(), &context.currencies),
                FacetKind::Ratings => self.ratings = top(count(values().filter_map(|it| it.stars()))),
                FacetKind::Availability => {
                    let counts = count(values().filter_map(|it| it.availability()).map(Availability::as_str));
                    let named =
                        |(name, hits)| Some((Availability::ALL.iter().copied().find(|it| it.as_str() == name)?, hits));
                    self.availability = top(counts).into_iter().filter_map(named).collect();
                }
                FacetKind::OnSale => self.on_sale = values().map(|it| i64::from(it.is_on_sale())).sum(),
                FacetKind::Tags => self.tags = tag_counts(products),
                FacetKind::Options => self.add_options(base, products, filter),
            }
        }
    }

    /// Counts the values of the options: under all filters those that are not filtered, without the filter of an option
    /// those of this option.
    fn add_options(&mut self, base: &FacetBase, products: &CountedProducts, filter: &SearchFilter) {
        let is_counted = |name: &str| match base.without {
            Some(FilterPart::Option(index)) => filter.options[index].0 == name,
            _ => !filter.options.iter().any(|(filtered, _)| filtered == name),
        };
        for ((name, value), hits) in top(count(products.options().filter(|(name, _)| is_counted(name)))) {
            let value = (value.to_owned(), hits);
            match self.options.iter_mut().find(|option| option.name == name) {
                Some(option) => option.values.push(value),
                None => self.options.push(OptionValues { name: name.to_owned(), values: vec![value] }),
            }
        }
        let hits = |option: &OptionValues| option.values.first().map_or(0, |(_, hits)| *hits);
        self.options.sort_by(|a, b| hits(b).cmp(&hits(a)).then_with(|| a.name.cmp(&b.name)));
    }
}

/// Counts the hits of each category and its ancestors.
fn category_counts(products: &CountedProducts, context: &FacetContext) -> Vec<(CategoryId, i64)> {
    let mut counts = HashMap::new();
    for (category, hits) in count(products.values().filter_map(|it| it.category())) {
        for ancestor in context.paths.get(&category).into_iter().flatten() {
            *counts.entry(*ancestor).or_default() += hits;
        }
    }
    top(counts)
}

/// Counts the tags. Spellings that differ in case are one tag, shown in the most frequent one.
fn tag_counts(products: &CountedProducts) -> Vec<(String, i64)> {
    let mut tags: HashMap<String, (i64, i64, &str)> = HashMap::new();
    let mut spellings: Vec<(&str, i64)> = count(products.tags()).into_iter().collect();
    spellings.sort_unstable();
    for (spelling, hits) in spellings {
        let (total, most, shown) = tags.entry(spelling.to_lowercase()).or_insert((0, 0, spelling));
        *total += hits;
        if hits > *most {
            (*most, *shown) = (hits, spelling);
        }
    }
    let shown: HashMap<&String, &str> = tags.iter().map(|(key, (_, _, spelling))| (key, *spelling)).collect();
    let totals = tags.iter().map(|(key, (total, ..))| (key, *total)).collect();
    top(totals).into_iter().map(|(key, hits)| (shown[key].to_owned(), hits)).collect()
}

/// Returns the categories and the websites that the facets of the bases refer to.
pub fn references(counted: &[(FacetBase, CountedProducts)]) -> (Vec<CategoryId>, Vec<WebsiteId>) {
    let of = |kind: FacetKind| {
        let counting = counted.iter().filter(move |(base, _)| base.kinds.contains(&kind));
        counting.flat_map(|(_, products)| products.values())
    };
    let categories = count(of(FacetKind::Categories).filter_map(|it: FacetValues<'_>| it.category()));
    let websites = count(of(FacetKind::Prices).map(|it| it.website()));
    (categories.into_keys().collect(), websites.into_keys().collect())
}
