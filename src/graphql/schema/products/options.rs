//! What a product has for the options of its group.

use async_graphql::Object;

use crate::graphql::engine::container::Ordered;
use crate::graphql::engine::container::Plain;

/// See [`ProductOptionObject`].
pub type ProductOption = Ordered<ProductOptionObject>;

/// What a product has for an option of its group.
pub struct ProductOptionObject {
    name: String,
    value: String,
}

/// An option and its value.
pub(super) fn option(name: &str, value: &str) -> ProductOption {
    Ordered(ProductOptionObject { name: name.to_owned(), value: value.to_owned() })
}

impl Plain for ProductOptionObject {
    const PLAIN: &'static [&'static str] = &["name", "value"];
}

/// What a product has for an option of its group, say the size.
#[Object(name = "ProductOption")]
impl ProductOptionObject {
    /// The option.
    async fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    async fn value(&self) -> &str {
        &self.value
    }
}
