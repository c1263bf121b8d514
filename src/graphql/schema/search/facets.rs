//! How many hits have which values.

use std::{collections::HashMap, hash::Hash, sync::Arc};

use async_graphql::{Context, ID, Lookahead};
use souk_macros::object;

use crate::{
    brands::model::BrandRow,
    categories::model::CategoryRow,
    error::Result,
    graphql::{
        engine::{
            connections::Precision,
            scalars::{Decimal, global_id},
        },
        schema::{
            brands::{Brand, brand},
            categories::{Category, category},
            context::ContextExt,
            websites::{Website, website},
        },
    },
    products::model::Availability,
    search::{
        facets::{FacetKind, Facets, OptionValues, PriceRange},
        model::MAX_FACETED,
    },
    websites::model::WebsiteRow,
};

/// Declares the count of a value, and the object that the value names.
macro_rules! value_facet {
    ($(#[$doc:meta])* $name:ident {
        $(#[$value_doc:meta])* $value:ty = |$item:ident| $read:expr,
        $($(#[$object_doc:meta])* $object:ident: $type:ty = $make:expr,)?
    }, $item_type:ty) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name {
            item: $item_type,
            count: i64,
        }

        impl From<($item_type, i64)> for $name {
            fn from((item, count): ($item_type, i64)) -> Self {
                Self { item, count }
            }
        }

        $(#[$doc])*
        #[object]
        impl $name {
            $(#[$value_doc])*
            fn value(&self) -> $value {
                let $item = &self.item;
                $read
            }

            $($(#[$object_doc])*
            async fn $object(&self) -> $type {
                let $item = &self.item;
                $make
            })?

            /// How many hits.
            fn count(&self) -> i64 {
                self.count
            }
        }
    };
}

value_facet! {
    /// How many hits are in a category, or in one below it.
    CategoryFacet {
        /// The id of the category, as filters take it.
        ID = |row| global_id(row.id),
        /// The category; its `path` tells where it is.
        category: Category = category(Arc::clone(row)),
    }, Arc<CategoryRow>
}
value_facet! {
    /// How many hits are of a brand.
    BrandFacet {
        /// The id of the brand, as filters take it.
        ID = |row| global_id(row.id),
        /// The brand.
        brand: Brand = brand(Arc::clone(row)),
    }, Arc<BrandRow>
}
value_facet! {
    /// How many hits are sold at a website.
    WebsiteFacet {
        /// The id of the website, as filters take it.
        ID = |row| global_id(row.id),
        /// The website.
        website: Website = website(Arc::clone(row)),
    }, Arc<WebsiteRow>
}
value_facet! {
    /// How many hits have so many whole stars.
    RatingFacet {
        /// Whole stars: the mean of the ratings, rounded down.
        i32 = |stars| *stars,
    }, i32
}
value_facet! {
    /// How many hits are there, few, or out of stock.
    AvailabilityFacet {
        /// What everybody may know of the stock.
        Availability = |availability| *availability,
    }, Availability
}
value_facet! {
    /// How many hits have a value of an option.
    OptionValueFacet {
        /// The value.
        &str = |text| text,
    }, String
}

/// How many hits cost so much.
#[derive(Clone)]
pub struct PriceFacet(PriceRange);

/// How many hits cost so much. The ranges hold about a fifth of the hits each.
#[object]
impl PriceFacet {
    /// The lowest price of the range, in the currency of its product.
    fn min(&self) -> Decimal {
        Decimal(self.0.min)
    }

    /// The highest price of the range, in the currency of its product.
    fn max(&self) -> Decimal {
        Decimal(self.0.max)
    }

    /// How many hits.
    fn count(&self) -> i64 {
        self.0.count
    }
}

/// The values of an option.
#[derive(Clone)]
pub struct OptionFacet(OptionValues);

/// The values that hits have of an option.
#[object]
impl OptionFacet {
    /// The option, such as Size.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Its values, that of most hits first.
    async fn values(&self) -> Vec<OptionValueFacet> {
        self.0.values.iter().cloned().map(OptionValueFacet::from).collect()
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
pub(super) fn selected_facets(facets: &Lookahead<'_>) -> Vec<FacetKind> {
    let all = [
        ("categories", FacetKind::Categories),
        ("brands", FacetKind::Brands),
        ("websites", FacetKind::Websites),
        ("prices", FacetKind::Prices),
        ("ratings", FacetKind::Ratings),
        ("availability", FacetKind::Availability),
        ("options", FacetKind::Options),
    ];
    all.into_iter().filter(|(field, _)| facets.field(field).exists()).map(|(_, wanted)| wanted).collect()
}

/// The facets, with the things that they name.
/// # Errors
/// Those of the loaders.
pub(super) async fn load(ctx: &Context<'_>, facets: Facets) -> Result<SearchFacets> {
    let loaders = ctx.loaders();
    let (categories, brands, websites) = futures_util::future::try_join3(
        loaders.rows(facets.categories.iter().map(|(id, _)| *id)),
        loaders.rows(facets.brands.iter().map(|(id, _)| *id)),
        loaders.rows(facets.websites.iter().map(|(id, _)| *id)),
    )
    .await?;
    Ok(SearchFacets {
        counted: facets.counted,
        categories: with_counts(categories, facets.categories, |row| row.id),
        brands: with_counts(brands, facets.brands, |row| row.id),
        websites: with_counts(websites, facets.websites, |row| row.id),
        prices: facets.prices.into_iter().map(PriceFacet).collect(),
        ratings: facets.ratings.into_iter().map(RatingFacet::from).collect(),
        availability: facets.availability.into_iter().map(AvailabilityFacet::from).collect(),
        options: facets.options.into_iter().map(OptionFacet).collect(),
    })
}

/// The facets of rows, each with the count of its id.
fn with_counts<R, Id: Eq + Hash, F: From<(Arc<R>, i64)>>(
    rows: Vec<Arc<R>>,
    counts: Vec<(Id, i64)>,
    id: impl Fn(&R) -> Id,
) -> Vec<F> {
    let counts: HashMap<Id, i64> = counts.into_iter().collect();
    let count = |row: &R| counts.get(&id(row)).copied().unwrap_or_default();
    rows.into_iter().map(|row| (Arc::clone(&row), count(&row)).into()).collect()
}
