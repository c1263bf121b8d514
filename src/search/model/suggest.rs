//! Suggestions for incomplete search texts.

use crate::{
    ids::WebsiteId,
    search::query::{ParsedQuery, Term},
    text_enum,
};

/// Maximum number of suggestions.
pub const MAX_SUGGESTIONS: i32 = 50;

text_enum! {
    /// Source of a search suggestion.
    #[graphql(name = "SearchSuggestionKind")]
    pub enum SuggestionKind {
        /// A popular search with results.
        Query => "query",
        /// A category name.
        Category => "category",
        /// A brand name.
        Brand => "brand",
        /// A product name.
        Product => "product",
    }
}

/// An incomplete search text.
#[derive(Debug, Clone)]
pub struct PrefixQuery {
    /// The text as given.
    pub text: String,
    /// The query on names: all words must match, the last one also as a prefix.
    pub query: ParsedQuery,
    /// Whether the text is one word of one or two letters, in a script in which this is no complete word.
    pub is_short: bool,
    /// Only products of this website.
    pub website: Option<WebsiteId>,
}

impl PrefixQuery {
    /// Parses a text; none if it contains no word.
    pub fn parse(text: &str, website: Option<WebsiteId>) -> Option<Self> {
        let query = ParsedQuery::parse(text).without_operators();
        let is_short = match query.terms.as_slice() {
            [] => return None,
            [Term::Word(word)] => word.chars().count() < 3 && word.chars().all(|c| c < FIRST_WITHOUT_SPACES),
            _ => false,
        };
        Some(Self { text: text.trim().to_owned(), query, is_short, website })
    }
}

/// Thai and most scripts after it are written without spaces.
const FIRST_WITHOUT_SPACES: char = '\u{e00}';

/// Distributes the places of a list among groups: each group but the last gets up to a quarter, the last one the rest;
/// unused places go to the other groups, in order.
pub fn distribute(groups: &[usize], limit: usize) -> Vec<usize> {
    let quarter = limit.div_ceil(4);
    let last = groups.len().saturating_sub(1);
    let mut left = limit;
    let mut shares = Vec::with_capacity(groups.len());
    for (index, size) in groups.iter().enumerate() {
        let share = if index == last { 0 } else { (*size).min(quarter).min(left) };
        shares.push(share);
        left -= share;
    }
    for index in (0..groups.len()).rev().take(1).chain(0..last) {
        let more = (groups[index] - shares[index]).min(left);
        shares[index] += more;
        left -= more;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_or_two_letters_are_a_short_prefix() {
        for (typed, is_short) in [
            ("la", Some(true)),
            ("red la", Some(false)),
            ("lan", Some(false)),
            ("包", Some(false)),
            ("-blue", None),
            ("% &", None),
        ] {
            assert_eq!(PrefixQuery::parse(typed, None).map(|prefix| prefix.is_short), is_short, "{typed:?}");
        }
    }

    #[test]
    fn suggestion_kinds_share_the_list() {
        assert_eq!(distribute(&[9, 9, 9, 9], 10), [3, 3, 3, 1]);
        assert_eq!(distribute(&[0, 1, 0, 20], 10), [0, 1, 0, 9]);
        assert_eq!(distribute(&[5, 9, 0, 1], 10), [5, 4, 0, 1]);
        assert_eq!(distribute(&[0, 0, 0, 0], 10), [0, 0, 0, 0]);
        assert_eq!(distribute(&[9, 9, 9, 9], 1), [1, 0, 0, 0]);
    }
}
