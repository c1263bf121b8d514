//! The texts of everything that has a page of its own: a name, a slug, a description.

use super::{Check, MAX_DESCRIPTION, check_slug};

/// Checks the texts that are given.
pub fn check_page_texts(check: &mut Check, name: Option<&str>, slug: Option<&str>, description: Option<&str>) {
    check.optional("name", name, 255);
    check_slug(check, "slug", slug);
    check.at_most("description", description.unwrap_or_default(), MAX_DESCRIPTION);
}
