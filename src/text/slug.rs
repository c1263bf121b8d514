//! Slugs: the names of things in addresses of pages.

use super::Validator;
use crate::error::{UserError, UserErrorCode};

/// Longest slug, in characters.
const MAX_LENGTH: usize = 200;

/// A slug of some text: `a-z`, `0-9` and single dashes, at most 200 characters; `item` where nothing is left.
pub fn slugify(text: &str) -> String {
    let mut slug = slug::slugify(text);
    slug.truncate(MAX_LENGTH);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "item".to_owned() } else { slug.to_owned() }
}

/// Checks a slug that somebody chose.
pub fn check_slug(validator: &mut Validator, field: &'static str, slug: Option<&str>) {
    let Some(slug) = slug else { return };
    if slug != slugify(slug) {
        validator.add(UserError::new(
            UserErrorCode::Invalid,
            field,
            "a slug is a-z, 0-9 and single dashes, at most 200 characters",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain() {
        assert_eq!(slugify("  Café au Lait — Bowl, 2x "), "cafe-au-lait-bowl-2x");
        assert_eq!(slugify("???"), "item");
        assert!(slugify(&"ä".repeat(1000)).len() <= 200);
    }
}
