//! How many hits have which values.

use souk_macros::object;
use std::{collections::HashMap, sync::Arc};

use async_graphql::{Context, ID, Lookahead};

use crate::{
    brands::model::BrandRow,
    categories::model::CategoryRow,
    error::Result,
    graphql::{
        engine::{
            connections::Precision,
            scalars::{Decimal, global},
        },
        schema::{
            brands::{Brand, brand},
            categories::{Category, category},
            context::ContextExt,
            websites::{Website, website},
        },
    },
    ids::{BrandId, CategoryId, RowId, WebsiteId},
    products::model::Availability,
    search::{
        facets::{FacetRow, Wanted},
        model::MAX_FACETED,
    },
    websites::model::WebsiteRow,
};

/// Declares the count of a value, and the object that the value names.
macro_rules! counted {
    ($(#[$doc:meta])* $name:ident {
        $(#[$value_doc:meta])* $value:ty = |$of:ident| $read:expr,
        $($(#[$object_doc:meta])* $object:ident: $type:ty = $make:expr,)?
    }, $kept:ty) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            of: $kept,
            count: i64,
        }

        $(#[$doc])*
        #[object]
        impl $name {
            $(#[$value_doc])*
            fn value(&self) -> $value {
                let $of = &self.of;
                $read
            }

            $($(#[$object_doc])*
            async fn $object(&self) -> $type {
                let $of = &self.of;
                $make
            })?

            /// How many hits.
            fn count(&self) -> i64 {
                self.count
            }
        }
    };
}

counted! {
    /// How many hits are in a category, or in one below it.
    CategoryFacet {
        /// The id of the category, as filters take it.
        ID = |row| global(row.id),
        /// The category; its `path` tells where it is.
        category: Category = category(Arc::clone(row)),
    }, Arc<CategoryRow>
}
counted! {
    /// How many hits are of a brand.
    BrandFacet {
        /// The id of the brand, as filters take it.
        ID = |row| global(row.id),
        /// The brand.
        brand: Brand = brand(Arc::clone(row)),
    }, Arc<BrandRow>
}
counted! {
    /// How many hits are sold at a website.
    WebsiteFacet {
        /// The id of the website, as filters take it.
        ID = |row| global(row.id),
        /// The website.
        website: Website = website(Arc::clone(row)),
    }, Arc<WebsiteRow>
}
counted! {
    /// How many hits have so many whole stars.
    RatingFacet {
        /// Whole stars: the mean of the ratings, rounded down.
        i32 = |stars| *stars,
    }, i32
}
counted! {
    /// How many hits are there, few, or out of stock.
    AvailabilityFacet {
        /// What everybody may know of the stock.
        Availability = |availability| *availability,
    }, Availability
}
counted! {
    /// How many hits have a value of an option.
    OptionValueFacet {
        /// The value.
        &str = |text| text,
    }, String
}

/// How many hits cost so much.
#[derive(Clone)]
pub struct PriceFacet {
    min: rust_decimal::Decimal,
    max: rust_decimal::Decimal,
    count: i64,
}

/// How many hits cost so much. The ranges hold about a fifth of the hits each.
#[object]
impl PriceFacet {
    /// The lowest price of the range, in the currency of its product.
    fn min(&self) -> Decimal {
        Decimal(self.min)
    }

    /// The highest price of the range, in the currency of its product.
    fn max(&self) -> Decimal {
        Decimal(self.max)
    }

    /// How many hits.
    fn count(&self) -> i64 {
        self.count
    }
}

/// The values of an option.
#[derive(Clone)]
pub struct OptionFacet {
    name: String,
    values: Vec<OptionValueFacet>,
}

/// The values that hits have of an option.
#[object]
impl OptionFacet {
    /// The option, such as Size.
    fn name(&self) -> &str {
        &self.name
    }

    /// Its values, that of most hits first.
    async fn values(&self) -> Vec<OptionValueFacet> {
        self.values.clone()
    }
}

/// What hits have.
#[derive(Clone, Default)]
pub struct SearchFacets {
    counted: i64,
    categories: Vec<CategoryFacet>,
    brands: Vec<BrandFacet>,
    websites: Vec<WebsiteFacet>,
    prices: Vec<PriceFacet>,
    ratings: Vec<RatingFacet>,
    availability: Vec<AvailabilityFacet>,
    options: Vec<OptionFacet>,
}

/// How many products that were found have which values: of each facet the hundred values that most have.
#[object]
impl SearchFacets {
    /// Whether all hits are counted: beyond 10,000 that match the words, 10,000 of them are.
    fn precision(&self) -> Precision {
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

/// The facets of the rows that were counted, with the things that they name.
/// # Errors
/// Those of the loaders.
pub(super) async fn load(ctx: &Context<'_>, rows: Vec<FacetRow>) -> Result<SearchFacets> {
    let key = |row: &FacetRow| row.value.as_deref().and_then(|value| value.parse::<i64>().ok()).unwrap_or_default();
    let of = |facet: &'static str| rows.iter().filter(move |row| row.facet == facet);
    let loaders = ctx.loaders();
    let (categories, brands, websites) = futures_util::future::try_join3(
        loaders.categories.load_many(of("category").map(|row| CategoryId(key(row)))),
        loaders.brands.load_many(of("brand").map(|row| BrandId(key(row)))),
        loaders.websites.load_many(of("website").map(|row| WebsiteId(key(row)))),
    )
    .await?;
    let counts: HashMap<_, _> = rows.iter().map(|row| ((row.facet.as_str(), key(row)), row.count)).collect();
    let count = |facet: &'static str, key: i64| counts.get(&(facet, key)).copied().unwrap_or_default();
    let mut options: Vec<OptionFacet> = Vec::new();
    for row in of("option") {
        let (Some(name), Some(text)) = (&row.name, &row.value) else { continue };
        let value = OptionValueFacet { of: text.clone(), count: row.count };
        match options.iter_mut().find(|option| option.name == *name) {
            Some(option) => option.values.push(value),
            None => options.push(OptionFacet { name: name.clone(), values: vec![value] }),
        }
    }
    let availability = |row: &FacetRow| {
        let value = row.value.as_deref()?;
        let availability = Availability::ALL.iter().copied().find(|it| it.as_str() == value)?;
        Some(AvailabilityFacet { of: availability, count: row.count })
    };
    let price = |row: &FacetRow| Some(PriceFacet { min: row.min?, max: row.max?, count: row.count });
    let rating = |row: &FacetRow| {
        let stars = row.value.as_deref()?.parse().ok()?;
        Some(RatingFacet { of: stars, count: row.count })
    };
    Ok(SearchFacets {
        counted: of("all").map(|row| row.count).sum(),
        categories: categories
            .into_iter()
            .map(|of| CategoryFacet { count: count("category", of.id.key()), of })
            .collect(),
        brands: brands.into_iter().map(|of| BrandFacet { count: count("brand", of.id.key()), of }).collect(),
        websites: websites.into_iter().map(|of| WebsiteFacet { count: count("website", of.id.key()), of }).collect(),
        prices: of("price").filter_map(price).collect(),
        ratings: of("rating").filter_map(rating).collect(),
        availability: of("availability").filter_map(availability).collect(),
        options,
    })
}
