//! Validation of the texts of entities with a page: name, slug and description.

use super::{MAX_DESCRIPTION, Validator, check_slug};

/// Trims and validates the given texts.
pub fn check_page_texts(
    validator: &mut Validator,
    name: Option<&mut String>,
    slug: Option<&mut String>,
    description: Option<&mut String>,
) {
    validator.texts("name", name, 255);
    check_slug(validator, "slug", slug);
    validator.multiline_texts("description", description, MAX_DESCRIPTION);
}
