//! Texts that are not finished yet, and what they may become.

use crate::{
    ids::WebsiteId,
    search::query::{ParsedQuery, Term, TsQuery, quoted},
    text_enum,
};

/// Most suggestions.
pub const MAX_SUGGESTIONS: i32 = 50;

text_enum! {
    /// Where a suggestion comes from.
    #[graphql(name = "SearchSuggestionKind")]
    pub enum SuggestionKind {
        /// What others searched and found something by.
        Query => "query",
        /// The name of a category.
        Category => "category",
        /// The name of a brand.
        Brand => "brand",
        /// The name of a product.
        Product => "product",
    }
}

/// A text that is not finished yet.
#[derive(Debug, Clone)]
pub struct PrefixQuery {
    /// As it was typed.
    pub text: String,
    /// All its words stand in a name, the last may be the beginning of one.
    pub query: TsQuery,
    /// Whether it is one or two letters.
    pub is_short: bool,
    /// Only products that are sold there.
    pub website: Option<WebsiteId>,
}

impl PrefixQuery {
    /// Takes a text apart; none where it holds no word.
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

/// Which of the groups fill a list of so many: each but the last gets a quarter, the last what is left, and what a group does
/// not need the others get, in order.
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
    fn what_is_begun_is_looked_for_in_names_and_never_an_operator() {
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
    fn groups_share_a_list() {
        assert_eq!(distribute(&[9, 9, 9, 9], 10), [3, 3, 3, 1]);
        assert_eq!(distribute(&[0, 1, 0, 20], 10), [0, 1, 0, 9]);
        assert_eq!(distribute(&[5, 9, 0, 1], 10), [5, 4, 0, 1]);
        assert_eq!(distribute(&[0, 0, 0, 0], 10), [0, 0, 0, 0]);
        assert_eq!(distribute(&[9, 9, 9, 9], 1), [1, 0, 0, 0]);
    }
}
