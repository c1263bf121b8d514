//! What a product has for the options of its group.

use souk_macros::object;

/// What a product has for an option of its group.
pub struct ProductOption {
    name: String,
    value: String,
}

/// An option and its value.
pub(super) fn product_option(name: &str, value: &str) -> ProductOption {
    ProductOption { name: name.to_owned(), value: value.to_owned() }
}

/// What a product has for an option of its group, say the size.
#[object]
impl ProductOption {
    /// The option.
    fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    fn value(&self) -> &str {
        &self.value
    }
}
