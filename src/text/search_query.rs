//! Search texts, normalized for storage and comparison.

use unicode_normalization::UnicodeNormalization;

/// Maximum length of a stored search text, in characters.
const MAX_LENGTH: usize = 200;

/// Normalizes a search text: lower case, a single space between words, full-width and half-width characters alike, no control characters, at most 200 characters.
pub fn normalize_search_query(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let joined = words.collect::<Vec<_>>().join(" ").to_lowercase();
    let cut: String = joined.nfkc().take(MAX_LENGTH).collect();
    cut.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equivalent_search_queries_normalize_to_the_same_text() {
        for (typed, kept) in [
            ("  Storm \t LANTERN\u{0}\n", "storm lantern"),
            ("e\u{301}tui", "\u{e9}tui"),
            ("\u{1}", ""),
            ("\"Red rope\" -blue", "\"red rope\" -blue"),
        ] {
            assert_eq!(normalize_search_query(typed), kept, "{typed:?}");
        }
        assert_eq!(normalize_search_query(&"İ".repeat(200)).chars().count(), 200);
        assert_eq!(normalize_search_query(&format!("{} b", "a".repeat(199))).chars().count(), 199);
    }
}
