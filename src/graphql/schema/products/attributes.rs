//! GraphQL types of a product's weight and texts for search engines, and the filter by tags.

use async_graphql::{InputObject, MaybeUndefined};
use souk_macros::object;

use crate::{
    error::{Error, Result, UserErrorCode},
    graphql::engine::scalars::Decimal,
    products::model::{
        ProductRow,
        attributes::{MAX_TAG, WeightUnit},
    },
    text::trim_in_place,
};

/// Maximum number of tags in a filter.
const MAX_TAGS: usize = 100;

/// A weight.
pub struct Weight {
    value: rust_decimal::Decimal,
    unit: WeightUnit,
}

/// Returns the object of a product's weight.
pub(super) fn weight(row: &ProductRow) -> Option<Weight> {
    Some(Weight { value: row.weight?.normalize(), unit: row.weight_unit? })
}

/// Weight of one unit of a product.
#[object]
impl Weight {
    /// Number of units of weight, with at most 4 decimal places.
    fn value(&self) -> Decimal {
        Decimal(self.value)
    }

    /// Unit of weight.
    fn unit(&self) -> WeightUnit {
        self.unit
    }
}

/// Texts of a product for search engines.
pub struct Seo {
    title: Option<String>,
    description: Option<String>,
}

/// Returns the object of a product's texts for search engines.
pub(super) fn seo(row: &ProductRow) -> Seo {
    Seo { title: row.seo_title.clone(), description: row.seo_description.clone() }
}

/// Texts of a product for search engines.
#[object]
impl Seo {
    /// Title of the product's page. Null if the merchant has set none; the storefront then uses the product's name.
    fn title(&self) -> Option<&str> {
        self.title.as_deref()
    }

    /// Description of the product's page. Null if the merchant has set none; the storefront then uses the product's
    /// description.
    fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }
}

/// Weight of one unit of a product.
#[derive(Debug, Clone, Copy, InputObject)]
pub struct WeightInput {
    /// Number of units of weight, 0 to 99,999,999.9999, with at most 4 decimal places.
    pub(super) value: Decimal,
    /// Unit of weight.
    pub(super) unit: WeightUnit,
}

/// Texts of a product for search engines. An omitted field keeps its value; null clears it.
#[derive(Debug, Default, InputObject)]
pub struct SeoInput {
    /// Title of the product's page, 1 to 255 characters. Null: the storefront uses the product's name.
    title: MaybeUndefined<String>,
    /// Description of the product's page, 1 to 1,000 characters. Null: the storefront uses the product's description.
    description: MaybeUndefined<String>,
}

impl SeoInput {
    /// Returns the changes of title and description; null clears both.
    pub(super) fn into_patch(input: MaybeUndefined<Self>) -> [Option<Option<String>>; 2] {
        match input {
            MaybeUndefined::Undefined => [None, None],
            MaybeUndefined::Null => [Some(None), Some(None)],
            MaybeUndefined::Value(Self { title, description }) => [title.into(), description.into()],
        }
    }
}

/// Filter by tags; conditions are combined with AND. Upper and lower case match each other; whitespace around a tag is
/// ignored.
#[derive(Debug, Default, InputObject)]
pub struct TagFilter {
    /// Matches products with any of these tags (at most 100).
    any: Option<Vec<String>>,
    /// Matches products with all of these tags (at most 100).
    all: Option<Vec<String>>,
}

impl TagFilter {
    /// Returns the tags of `any` and of `all`.
    /// # Errors
    /// A user error for too many tags, and for a tag that is too long.
    pub(in crate::graphql::schema) fn into_tags(self) -> Result<[Option<Vec<String>>; 2]> {
        let Self { mut any, mut all } = self;
        for (field, tags) in [("where.tags.any", any.as_mut()), ("where.tags.all", all.as_mut())] {
            let Some(tags) = tags else { continue };
            if tags.len() > MAX_TAGS {
                let rule = format!("must have at most {MAX_TAGS} values");
                return Err(Error::user(UserErrorCode::OutOfRange, field, rule));
            }
            tags.iter_mut().for_each(trim_in_place);
            if tags.iter().any(|tag| tag.chars().nth(MAX_TAG).is_some() || tag.contains('\0')) {
                let rule = format!("must have at most {MAX_TAG} characters");
                return Err(Error::user(UserErrorCode::TooLong, field, rule));
            }
        }
        Ok([any, all])
    }
}
