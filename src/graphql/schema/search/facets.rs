//! How many hits have which values.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use async_graphql::{Context, ID, Lookahead, Object};

use crate::brands::model::BrandRow;
use crate::categories::model::CategoryRow;
use crate::error::Result;
use crate::graphql::engine::connections::Precision;
use crate::graphql::engine::container::Ordered;
use crate::graphql::engine::container::Plain;
use crate::graphql::engine::scalars::Decimal;
use crate::graphql::engine::scalars::global;
use crate::graphql::schema::brands::Brand;
use crate::graphql::schema::brands::brand;
use crate::graphql::schema::categories::Category;
use crate::graphql::schema::categories::category;
use crate::graphql::schema::context::ContextExt;
use crate::graphql::schema::websites::Website;
use crate::graphql::schema::websites::website;
use crate::products::model::Availability;
use crate::search::facets::Facets;
use crate::search::facets::OptionValues;
use crate::search::facets::PriceRange;
use crate::search::facets::Wanted;
use crate::search::model::MAX_FACETED;
use crate::websites::model::WebsiteRow;

/// Declares the count of a value, and what is told of the value besides.
macro_rules! counted {
    ($(#[$doc:meta])* $name:ident / $object:ident / $graph:literal {
        $(#[$value_doc:meta])* $value:ty = |$of:ident| $read:expr,
        $($(#[$thing_doc:meta])* $thing:ident: $type:ty = $make:expr,)?
    }, $kept:ty) => {
        $(#[$doc])*
        pub type $name = Ordered<$object>;

        $(#[$doc])*
        #[derive(Clone)]
        pub struct $object {
            of: $kept,
            count: i64,
        }

        impl Plain for $object {
            const PLAIN: &'static [&'static str] = &["value", "count"];
        }

        $(#[$doc])*
        #[Object(name = $graph)]
        impl $object {
            $(#[$value_doc])*
            async fn value(&self) -> $value {
                let $of = &self.of;
                $read
            }

            $($(#[$thing_doc])*
            async fn $thing(&self) -> $type {
                let $of = &self.of;
                $make
            })?

            /// How many hits.
            async fn count(&self) -> i64 {
                self.count
            }
        }
    };
}

counted! {
    /// How many hits are in a category, or in one below it.
    CategoryFacet / CategoryFacetObject / "CategoryFacet" {
        /// The id of the category, as filters take it.
        ID = |row| global(row.id),
        /// The category; its `path` tells where it is.
        category: Category = category(Arc::clone(row)),
    }, Arc<CategoryRow>
}
counted! {
    /// How many hits are of a brand.
    BrandFacet / BrandFacetObject / "BrandFacet" {
        /// The id of the brand, as filters take it.
        ID = |row| global(row.id),
        /// The brand.
        brand: Brand = brand(Arc::clone(row)),
    }, Arc<BrandRow>
}
counted! {
    /// How many hits are sold at a website.
    WebsiteFacet / WebsiteFacetObject / "WebsiteFacet" {
        /// The id of the website, as filters take it.
        ID = |row| global(row.id),
        /// The website.
        website: Website = website(Arc::clone(row)),
    }, Arc<WebsiteRow>
}
counted! {
    /// How many hits have so many whole stars.
    RatingFacet / RatingFacetObject / "RatingFacet" {
        /// Whole stars: the mean of the ratings, rounded down.
        i32 = |stars| *stars,
    }, i32
}
counted! {
    /// How many hits are there, few, or out of stock.
    AvailabilityFacet / AvailabilityFacetObject / "AvailabilityFacet" {
        /// What everybody may know of the stock.
        Availability = |availability| *availability,
    }, Availability
}
counted! {
    /// How many hits have a value of an option.
    OptionValueFacet / OptionValueFacetObject / "OptionValueFacet" {
        /// The value.
        &str = |text| text,
    }, String
}

/// See [`PriceFacetObject`].
pub type PriceFacet = Ordered<PriceFacetObject>;

/// How many hits cost so much.
#[derive(Clone)]
pub struct PriceFacetObject {
    min: rust_decimal::Decimal,
    max: rust_decimal::Decimal,
    count: i64,
}

impl Plain for PriceFacetObject {
    const PLAIN: &'static [&'static str] = &["min", "max", "count"];
}

/// How many hits cost so much. The ranges hold about a fifth of the hits each.
#[Object(name = "PriceFacet")]
impl PriceFacetObject {
    /// The lowest price of the range, in the currency of its product.
    async fn min(&self) -> Decimal {
        Decimal(self.min)
    }

    /// The highest price of the range, in the currency of its product.
    async fn max(&self) -> Decimal {
        Decimal(self.max)
    }

    /// How many hits.
    async fn count(&self) -> i64 {
        self.count
    }
}

/// See [`OptionFacetObject`].
pub type OptionFacet = Ordered<OptionFacetObject>;

/// The values of an option.
#[derive(Clone)]
pub struct OptionFacetObject {
    name: String,
    values: Vec<OptionValueFacet>,
}

impl Plain for OptionFacetObject {
    const PLAIN: &'static [&'static str] = &["name"];
}

/// The values that hits have of an option.
#[Object(name = "OptionFacet")]
impl OptionFacetObject {
    /// The option, such as Size.
    async fn name(&self) -> &str {
        &self.name
    }

    /// Its values, that of most hits first.
    async fn values(&self) -> Vec<OptionValueFacet> {
        self.values.clone()
    }
}

/// See [`SearchFacetsObject`].
pub type SearchFacets = Ordered<SearchFacetsObject>;

/// What hits have.
#[derive(Clone, Default)]
pub struct SearchFacetsObject {
    counted: i64,
    categories: Vec<CategoryFacet>,
    brands: Vec<BrandFacet>,
    websites: Vec<WebsiteFacet>,
    prices: Vec<PriceFacet>,
    ratings: Vec<RatingFacet>,
    availability: Vec<AvailabilityFacet>,
    options: Vec<OptionFacet>,
}

impl Plain for SearchFacetsObject {
    const PLAIN: &'static [&'static str] = &["precision"];
}

/// How many products that were found have which values: of each facet the hundred values that most have.
#[Object(name = "SearchFacets")]
impl SearchFacetsObject {
    /// Whether all hits are counted: beyond 10,000 that match the words, 10,000 of them are.
    async fn precision(&self) -> Precision {
        if self.counted >= MAX_FACETED { Precision::AtLeast } else { Precision::Exact }
    }

    /// Categories, with all that are above them.
    async fn categories(&self) -> Vec<CategoryFacet> {
        self.categories.clone()
    }

    /// Brands.
    async fn brands(&self) -> Vec<BrandFacet> {
        self.brands.clone()
    }

    /// Websites.
    async fn websites(&self) -> Vec<WebsiteFacet> {
        self.websites.clone()
    }

    /// Ranges of prices, from the lowest.
    async fn prices(&self) -> Vec<PriceFacet> {
        self.prices.clone()
    }

    /// Ratings, of those that have any.
    async fn ratings(&self) -> Vec<RatingFacet> {
        self.ratings.clone()
    }

    /// What everybody may know of the stock.
    async fn availability(&self) -> Vec<AvailabilityFacet> {
        self.availability.clone()
    }

    /// Options of groups.
    async fn options(&self) -> Vec<OptionFacet> {
        self.options.clone()
    }
}

/// Which facets are selected.
pub(super) fn wanted(facets: &Lookahead<'_>) -> Vec<Wanted> {
    let all = [
        ("categories", Wanted::Categories),
        ("brands", Wanted::Brands),
        ("websites", Wanted::Websites),
        ("prices", Wanted::Prices),
        ("ratings", Wanted::Ratings),
        ("availability", Wanted::Availability),
        ("options", Wanted::Options),
    ];
    all.into_iter().filter(|(field, _)| facets.field(field).exists()).map(|(_, wanted)| wanted).collect()
}

/// The facets, with the things that they name.
/// # Errors
/// Those of the loaders.
pub(super) async fn load(ctx: &Context<'_>, facets: Facets) -> Result<SearchFacets> {
    let loaders = ctx.loaders();
    let (categories, brands, websites) = futures_util::future::try_join3(
        loaders.categories.load_many(facets.categories.iter().map(|(id, _)| *id)),
        loaders.brands.load_many(facets.brands.iter().map(|(id, _)| *id)),
        loaders.websites.load_many(facets.websites.iter().map(|(id, _)| *id)),
    )
    .await?;
    let of_category: HashMap<_, _> = facets.categories.into_iter().collect();
    let of_brand: HashMap<_, _> = facets.brands.into_iter().collect();
    let of_website: HashMap<_, _> = facets.websites.into_iter().collect();
    let category = |of: Arc<CategoryRow>| CategoryFacetObject { count: count(&of_category, of.id), of };
    let brand = |of: Arc<BrandRow>| BrandFacetObject { count: count(&of_brand, of.id), of };
    let website = |of: Arc<WebsiteRow>| WebsiteFacetObject { count: count(&of_website, of.id), of };
    Ok(Ordered(SearchFacetsObject {
        counted: facets.counted,
        categories: categories.into_iter().map(|row| Ordered(category(row))).collect(),
        brands: brands.into_iter().map(|row| Ordered(brand(row))).collect(),
        websites: websites.into_iter().map(|row| Ordered(website(row))).collect(),
        prices: facets.prices.into_iter().map(price).collect(),
        ratings: facets.ratings.into_iter().map(|(of, count)| Ordered(RatingFacetObject { of, count })).collect(),
        availability: facets
            .availability
            .into_iter()
            .map(|(of, count)| Ordered(AvailabilityFacetObject { of, count }))
            .collect(),
        options: facets.options.into_iter().map(option).collect(),
    }))
}

fn count<Id: Eq + Hash>(counts: &HashMap<Id, i64>, id: Id) -> i64 {
    counts.get(&id).copied().unwrap_or_default()
}

fn price(PriceRange { min, max, count }: PriceRange) -> PriceFacet {
    Ordered(PriceFacetObject { min, max, count })
}

fn option(OptionValues { name, values }: OptionValues) -> OptionFacet {
    let values = values.into_iter().map(|(of, count)| Ordered(OptionValueFacetObject { of, count })).collect();
    Ordered(OptionFacetObject { name, values })
}
