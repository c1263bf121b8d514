//! Rows, inputs and validation of groups.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::{filter::Op, tables::product_groups},
    error::{Error, Result, UserError, UserErrorCode},
    ids::{ProductGroupId, WebsiteId},
    paging::SortKey,
    text::{Validator, check_page_texts, trim},
    websites::model::WebsiteOp,
};

/// Maximum number of options per group.
pub const MAX_OPTIONS: usize = 5;
/// Maximum length of an option's name, in characters.
const MAX_NAME: usize = 50;
/// Maximum length of an option's value, in characters.
const MAX_VALUE: usize = 100;

/// A row of `product_groups`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = product_groups, check_for_backend(diesel::pg::Pg))]
pub struct ProductGroupRow {
    /// Primary key.
    pub id: ProductGroupId,
    /// Website that sells its products.
    pub source_website_id: WebsiteId,
    /// Display name.
    pub name: String,
    /// Unique name in URLs.
    pub slug: String,
    /// Description.
    pub description: String,
    /// Names of the options, in the order of the products' values.
    pub varies_by: Vec<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last updated.
    pub updated_at: DateTime<Utc>,
}

/// Fields of a new group.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = product_groups)]
pub struct NewProductGroup {
    /// See [`ProductGroupRow`].
    pub source_website_id: WebsiteId,
    /// See [`ProductGroupRow`].
    pub name: String,
    /// See [`ProductGroupRow`]; empty to derive one from the name.
    pub slug: String,
    /// See [`ProductGroupRow`].
    pub description: String,
    /// See [`ProductGroupRow`].
    pub varies_by: Vec<String>,
}

/// Changes to a group; absent fields keep their values.
#[derive(Debug, Clone, Default, PartialEq, AsChangeset)]
#[diesel(table_name = product_groups)]
pub struct ProductGroupPatch {
    /// See [`ProductGroupRow`].
    pub name: Option<String>,
    /// See [`ProductGroupRow`].
    pub slug: Option<String>,
    /// See [`ProductGroupRow`].
    pub description: Option<String>,
    /// See [`ProductGroupRow`].
    pub varies_by: Option<Vec<String>>,
}

impl NewProductGroup {
    /// Trims and validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        let slug = Some(&mut self.slug).filter(|slug| !slug.is_empty());
        check_page_texts(&mut validator, Some(&mut self.name), slug, Some(&mut self.description));
        check_names(&mut validator, &mut self.varies_by);
        validator.finish()?;
        Ok(self)
    }
}

impl ProductGroupPatch {
    /// Trims and validates the fields.
    /// # Errors
    /// User errors for invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut validator = Validator::new();
        check_page_texts(&mut validator, self.name.as_mut(), self.slug.as_mut(), self.description.as_mut());
        if let Some(names) = &mut self.varies_by {
            check_names(&mut validator, names);
        }
        validator.finish()?;
        Ok(self)
    }

    /// Returns whether the patch changes nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Trims the names and checks that there are one to five without duplicates, ignoring case.
fn check_names(validator: &mut Validator, names: &mut [String]) {
    let field = "variesBy";
    if names.is_empty() || names.len() > MAX_OPTIONS {
        let rule = format!("must have 1 to {MAX_OPTIONS} options");
        return validator.add(UserError::new(UserErrorCode::OutOfRange, field, rule));
    }
    validator.texts(field, names.iter_mut(), MAX_NAME);
    for (index, name) in names.iter().enumerate() {
        if names[..index].iter().any(|other| other.to_lowercase() == name.to_lowercase()) {
            validator.add(UserError::new(UserErrorCode::Invalid, field, format!("the option {name} occurs twice")));
        }
    }
}

/// A product's value for an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionValue {
    /// Name of the option.
    pub name: String,
    /// Value of the option.
    pub value: String,
}

/// Returns the trimmed values in the order of the group's options.
/// # Errors
/// A user error for `options` if they do not have exactly one value for each option of the group, or a value is
/// invalid.
pub fn values_in_order(varies_by: &[String], options: &[OptionValue]) -> Result<Vec<String>> {
    let is = |option: &&OptionValue, name: &str| trim(&option.name) == name;
    let value = |name: &String| options.iter().find(|option| is(option, name)).map(|option| option.value.clone());
    let values: Option<Vec<_>> = varies_by.iter().map(value).collect();
    let values = values.filter(|values| values.len() == options.len());
    let wrong = || {
        Error::bad_input("options", format!("must have exactly one value for each option: {}", varies_by.join(", ")))
    };
    let (mut validator, mut values) = (Validator::new(), values.ok_or_else(wrong)?);
    validator.texts("options", &mut values, MAX_VALUE);
    validator.finish()?;
    Ok(values)
}

/// A filter condition on groups.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ProductGroupCondition {
    /// By id.
    Id(Op<ProductGroupId>),
    /// By name.
    Name(Op<String>),
    /// By slug.
    Slug(Op<String>),
    /// By website.
    SourceWebsite(WebsiteOp),
}

/// Fields that groups can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum ProductGroupOrderField {
    /// Name of the group.
    #[default]
    Name,
}

impl ProductGroupOrderField {
    /// Returns the name of the list in cursors.
    pub fn list(self) -> &'static str {
        "product_groups:name"
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &ProductGroupRow) -> SortKey {
        SortKey::Text(row.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_values_follow_the_groups_order() {
        let varies_by = ["Size".to_owned(), "Colour".to_owned()];
        let given = |options: &[(&str, &str)]| {
            let option = |(name, value): &(&str, &str)| OptionValue { name: (*name).into(), value: (*value).into() };
            values_in_order(&varies_by, &options.iter().map(option).collect::<Vec<_>>()).ok()
        };
        let both = Some(vec!["M".to_owned(), "Red".to_owned()]);
        assert_eq!(given(&[("Size", "M"), ("Colour", "Red")]), both);
        assert_eq!(given(&[("Colour", "Red"), ("Size", "M")]), both);
        assert_eq!(given(&[(" Colour", "\tRed "), ("Size\u{a0}", "M")]), both);
        assert_eq!(given(&[("Size", "M")]), None);
        assert_eq!(given(&[("Size", "M"), ("Size", "L")]), None);
        assert_eq!(given(&[("Size", "M"), ("Colour", "Red"), ("Size", "L")]), None);
        assert_eq!(given(&[("Size", "M"), ("Colour", "Red"), ("Cut", "Slim")]), None);
        assert_eq!(given(&[("size", "M"), ("Colour", "Red")]), None);
        assert_eq!(given(&[("Size", " "), ("Colour", "Red")]), None);
        assert_eq!(given(&[("Size", &"M".repeat(101)), ("Colour", "Red")]), None);
    }
}
