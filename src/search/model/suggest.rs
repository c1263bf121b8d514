//! Suggestions for incomplete search texts.

use crate::{
    ids::WebsiteId,
    search::query::{ParsedQuery, Term, TsQuery, quoted},
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
    pub query: TsQuery,
    /// Whether the text is one word of one or two letters.
    pub is_short: bool,
    /// Only products of this website.
    pub website: Option<WebsiteId>,
}

impl PrefixQuery {
    /// Parses a text; none if it contains no word.
    pub fn parse(text: &str, website: Option<WebsiteId>) -> Option<Self> {
        let parsed = ParsedQuery::parse(text);
        let positive = |term: &Term| match term {
            Term::Word(text) | Term::Phrase(text) => Some(text.clone()),
            Term::Excluded(_) | Term::Or => None,
        };
        let terms: Vec<String> = parsed.terms.iter().filter_map(positive).collect();
        let last = terms.last()?;
        let is_short = terms.len() == 1 && last.chars().count() < 3;
        let prefix = parsed.has_partial_word().then(|| format!("{}:*A", quoted(last)));
        let whole = if prefix.is_some() { &terms[..terms.len() - 1] } else { &terms[..] };
        let whole: Vec<String> = whole.iter().map(|text| format!("{}:A", quoted(text))).collect();
        let query = TsQuery { prefix, ..TsQuery::of(whole.join(" & ")) };
        Some(Self { text: text.trim().to_owned(), query, is_short, website })
    }
}

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
    fn prefixes_match_names_and_are_never_operators() {
        for (typed, expected) in [
            ("lan", Some(("", Some("'lan':*A")))),
            ("red lan", Some(("'red':A", Some("'lan':*A")))),
            ("red lantern ", Some(("'red':A & 'lantern':A", None))),
            ("o'neil | !x", Some(("'o''neil':A", Some("'x':*A")))),
            ("-blue", None),
            ("  % & ", None),
        ] {
            let query = PrefixQuery::parse(typed, None).map(|prefix| prefix.query);
            let parts = query.as_ref().map(|query| (query.text.as_str(), query.prefix.as_deref()));
            assert_eq!(parts, expected, "{typed:?}");
        }
        assert!(PrefixQuery::parse("la", None).is_some_and(|prefix| prefix.is_short));
        assert!(PrefixQuery::parse("red la", None).is_some_and(|prefix| !prefix.is_short));
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
