//! GraphQL types of search facets: number of results per value.

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
            scalars::{Money, global_id, money},
        },
        schema::{
            brands::{Brand, brand},
            categories::{Category, category},
            context::ContextExt,
            search::FACET,
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

/// Declares a facet type: the count of a value, and the object that the value refers to.
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

            /// Number of results.
            fn count(&self) -> i64 {
                self.count
            }
        }
    };
}

value_facet! {
    /// The number of results in a category, including its subcategories.
    CategoryFacet {
        /// ID of the category, for filters.
        ID = |row| global_id(row.id),
        /// Category of the results.
        category: Category = category(Arc::clone(row)),
    }, Arc<CategoryRow>
}
value_facet! {
    /// The number of results of a brand.
    BrandFacet {
        /// ID of the brand, for filters.
        ID = |row| global_id(row.id),
        /// Brand of the results.
        brand: Brand = brand(Arc::clone(row)),
    }, Arc<BrandRow>
}
value_facet! {
    /// The number of results at a website.
    WebsiteFacet {
        /// ID of the website, for filters.
        ID = |row| global_id(row.id),
        /// Website of the results.
        website: Website = website(Arc::clone(row)),
    }, Arc<WebsiteRow>
}
value_facet! {
    /// The number of results with an average rating.
    RatingFacet {
        /// Average rating in stars, rounded down.
        i32 = |stars| *stars,
    }, i32
}
value_facet! {
    /// The number of results with an availability.
    AvailabilityFacet {
        /// Availability of the results.
        Availability = |availability| *availability,
    }, Availability
}
value_facet! {
    /// The number of results with a tag.
    TagFacet {
        /// Tag of the results, in the spelling that most of them have.
        &str = |tag| tag,
    }, String
}
value_facet! {
    /// The number of results with a value of an option.
    OptionValueFacet {
        /// Value of the option.
        &str = |text| text,
    }, String
}

/// The number of results in a price range.
#[derive(Clone)]
pub struct PriceFacet(PriceRange);

/// The number of results in a price range. Each range contains about a fifth of the results in its currency.
#[object]
impl PriceFacet {
    /// Lowest price in the range.
    fn min(&self) -> Money {
        money(self.0.min, self.0.currency)
    }

    /// Highest price in the range.
    fn max(&self) -> Money {
        money(self.0.max, self.0.currency)
    }

    /// Number of results.
    fn count(&self) -> i64 {
        self.0.count
    }
}

/// The number of results per value of an option.
#[derive(Clone)]
pub struct OptionFacet(OptionValues);

/// The number of results per value of an option.
#[object]
impl OptionFacet {
    /// Name of the option, such as Size.
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Values of the option, most frequent first.
    async fn values(&self) -> Vec<OptionValueFacet> {
        self.0.values.iter().cloned().map(OptionValueFacet::from).collect()
    }
}

/// The facets of a search.
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
    tags: Vec<TagFacet>,
    on_sale: i64,
}

/// The facets of a search: number of products found per value, for each facet the 100 most frequent values.
#[object]
impl SearchFacets {
    /// Whether all results are counted. If more than 10,000 products match the query and the filters of a facet, about 10,000 of
    /// them are counted.
    fn precision(&self) -> Precision {
        if self.counted > MAX_FACETED { Precision::AtLeast } else { Precision::Exact }
    }

    /// Categories, including the ancestors of the products' categories.
    #[graphql(complexity = "FACET + child_complexity")]
    async fn categories(&self) -> Vec<CategoryFacet> {
        self.categories.clone()
    }

    /// Brands of the results.
    #[graphql(complexity = "FACET + child_complexity")]
    async fn brands(&self) -> Vec<BrandFacet> {
        self.brands.clone()
    }

    /// Websites of the results.
    #[graphql(complexity = "FACET + child_complexity")]
    async fn websites(&self) -> Vec<WebsiteFacet> {
        self.websites.clone()
    }

    /// Price ranges, by currency, and lowest first.
    #[graphql(complexity = "FACET + child_complexity")]
    async fn prices(&self) -> Vec<PriceFacet> {
        self.prices.clone()
    }

    /// Average ratings, without products that have no reviews.
    #[graphql(complexity = "FACET + child_complexity")]
    async fn ratings(&self) -> Vec<RatingFacet> {
        self.ratings.clone()
    }

    /// Availability of the results.
    #[graphql(complexity = "FACET + child_complexity")]
    async fn availability(&self) -> Vec<AvailabilityFacet> {
        self.availability.clone()
    }

    /// Options of the results' product groups.
    #[graphql(complexity = "FACET + child_complexity")]
    async fn options(&self) -> Vec<OptionFacet> {
        self.options.clone()
    }

    /// Tags of the results.
    #[graphql(complexity = "FACET + child_complexity")]
    async fn tags(&self) -> Vec<TagFacet> {
        self.tags.clone()
    }

    /// Number of results that are on sale: their `compareAtPrice` is greater than their `price`.
    fn on_sale(&self) -> i64 {
        self.on_sale
    }
}

/// Returns the facets that are selected.
pub(super) fn selected_facets(facets: &Lookahead<'_>) -> Vec<FacetKind> {
    let all = [
        ("categories", FacetKind::Categories),
        ("brands", FacetKind::Brands),
        ("websites", FacetKind::Websites),
        ("prices", FacetKind::Prices),
        ("ratings", FacetKind::Ratings),
        ("availability", FacetKind::Availability),
        ("options", FacetKind::Options),
        ("tags", FacetKind::Tags),
        ("onSale", FacetKind::OnSale),
    ];
    all.into_iter().filter(|(field, _)| facets.field(field).exists()).map(|(_, wanted)| wanted).collect()
}

/// Loads the entities that the facets refer to.
/// # Errors
/// Returns the errors of the loaders.
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
        tags: facets.tags.into_iter().map(TagFacet::from).collect(),
        on_sale: facets.on_sale,
    })
}

/// Converts rows into facets, each with the count of its ID.
fn with_counts<R, Id: Eq + Hash, F: From<(Arc<R>, i64)>>(
    rows: Vec<Arc<R>>,
    counts: Vec<(Id, i64)>,
    id: impl Fn(&R) -> Id,
) -> Vec<F> {
    let counts: HashMap<Id, i64> = counts.into_iter().collect();
    let count = |row: &R| counts.get(&id(row)).copied().unwrap_or_default();
    rows.into_iter().map(|row| (Arc::clone(&row), count(&row)).into()).collect()
}
