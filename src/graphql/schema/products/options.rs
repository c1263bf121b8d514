//! GraphQL type of the option values of products in a group.

use souk_macros::object;

/// A product's value for an option of its group.
pub struct ProductOption {
    name: String,
    value: String,
}

/// Returns the object of an option and its value.
pub(super) fn product_option(name: &str, value: &str) -> ProductOption {
    ProductOption { name: name.to_owned(), value: value.to_owned() }
}

/// A product's value for an option of its group, such as the size.
#[object]
impl ProductOption {
    /// Name of the option.
    fn name(&self) -> &str {
        &self.name
    }

    /// Value of the option.
    fn value(&self) -> &str {
        &self.value
    }
}
