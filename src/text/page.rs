//! The texts of everything that has a page of its own: a name, a slug, a description.

use super::{MAX_DESCRIPTION, Validator, check_slug};

/// Checks the texts that are given.
pub fn check_page_texts(validator: &mut Validator, name: Option<&str>, slug: Option<&str>, description: Option<&str>) {
    validator.optional_text("name", name, 255);
    check_slug(validator, "slug", slug);
    validator.multiline_text("description", description.unwrap_or_default(), MAX_DESCRIPTION);
}
