//! Slugs: names for use in page URLs.

use super::Validator;
use crate::error::{UserError, UserErrorCode};

/// Maximum length of a slug, in characters.
const MAX_LENGTH: usize = 200;

/// Returns a slug for a text: `a-z`, `0-9` and single hyphens, at most 200 characters; `item` if nothing remains.
pub fn slugify(text: &str) -> String {
    let mut slug = slug::slugify(text);
    slug.truncate(MAX_LENGTH);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "item".to_owned() } else { slug.to_owned() }
}

/// Validates a slug chosen by a user.
pub fn check_slug(validator: &mut Validator, field: &'static str, slug: Option<&str>) {
    let Some(slug) = slug else { return };
    if slug != slugify(slug) {
        validator.add(UserError::new(
            UserErrorCode::Invalid,
            field,
            "must contain only a-z, 0-9 and single hyphens, at most 200 characters",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_lowercase_ascii_with_hyphens() {
        assert_eq!(slugify("  Café au Lait — Bowl, 2x "), "cafe-au-lait-bowl-2x");
        assert_eq!(slugify("???"), "item");
        assert!(slugify(&"ä".repeat(1000)).len() <= 200);
    }
}
