//! Validation of the texts of entities with a page: name, slug and description.

use super::{MAX_DESCRIPTION, Validator, check_slug};

/// Validates the given texts.
pub fn check_page_texts(validator: &mut Validator, name: Option<&str>, slug: Option<&str>, description: Option<&str>) {
    validator.optional_text("name", name, 255);
    check_slug(validator, "slug", slug);
    validator.multiline_text("description", description.unwrap_or_default(), MAX_DESCRIPTION);
}
