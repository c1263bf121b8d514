//! Slugs: names for use in page URLs.

use super::{Validator, trim_in_place};
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

/// Returns the slugs to choose from for a row whose input has none: that of the name, that with the suffix, and one with
/// a random number. The first one that no other row has is taken.
pub fn slug_candidates(name: &str, suffix: &str) -> [String; 3] {
    let slug = slugify(name);
    let with_suffix = slugify(&format!("{slug:.140} {suffix}"));
    let random = slugify(&format!("{slug:.140} {:08x}", rand::random::<u32>()));
    [slug, with_suffix, random]
}

/// Trims and validates a slug chosen by a user.
pub fn check_slug(validator: &mut Validator, field: &'static str, slug: Option<&mut String>) {
    let Some(slug) = slug else { return };
    trim_in_place(slug);
    if *slug != slugify(slug) {
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
