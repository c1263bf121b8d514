//! Texts that are not finished yet, and what they may become.

use crate::{
    ids::WebsiteId,
    search::words::{Query, Term, Words, quoted},
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
pub struct Begun {
    /// As it was typed.
    pub text: String,
    /// All its words stand in a name, the last may be the beginning of one.
    pub query: Query,
    /// Whether it is one or two letters.
    pub is_short: bool,
    /// Only products that are sold there.
    pub website: Option<WebsiteId>,
}

impl Begun {
    /// Takes a text apart; none where it holds no word.
    pub fn parse(text: &str, website: Option<WebsiteId>) -> Option<Self> {
        let words = Words::parse(text);
        let wanted = |term: &Term| match term {
            Term::Word(text) | Term::Phrase(text) => Some(text.clone()),
            Term::Without(_) | Term::Or => None,
        };
        let terms: Vec<String> = words.terms.iter().filter_map(wanted).collect();
        let last = terms.last()?;
        let is_short = terms.len() == 1 && last.chars().count() < 3;
        let begun = words.is_open().then(|| format!("{}:*A", quoted(last)));
        let whole = if begun.is_some() { &terms[..terms.len() - 1] } else { &terms[..] };
        let whole: Vec<String> = whole.iter().map(|text| format!("{}:A", quoted(text))).collect();
        let query = Query { begun, ..Query::of(whole.join(" & ")) };
        Some(Self { text: text.trim().to_owned(), query, is_short, website })
    }
}

/// Which of the groups fill a list of so many: each but the last gets a quarter, the last what is left, and what a group does
/// not need the others get, in order.
pub fn share(groups: &[usize], most: usize) -> Vec<usize> {
    let quarter = most.div_ceil(4);
    let last = groups.len().saturating_sub(1);
    let mut left = most;
    let mut shares = Vec::with_capacity(groups.len());
    for (place, size) in groups.iter().enumerate() {
        let share = if place == last { 0 } else { (*size).min(quarter).min(left) };
        shares.push(share);
        left -= share;
    }
    for place in (0..groups.len()).rev().take(1).chain(0..last) {
        let more = (groups[place] - shares[place]).min(left);
        shares[place] += more;
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
            let query = Begun::parse(typed, None).map(|begun| begun.query);
            let parts = query.as_ref().map(|query| (query.text.as_str(), query.begun.as_deref()));
            assert_eq!(parts, expected, "{typed:?}");
        }
        assert!(Begun::parse("la", None).is_some_and(|begun| begun.is_short));
        assert!(Begun::parse("red la", None).is_some_and(|begun| !begun.is_short));
    }

    #[test]
    fn groups_share_a_list() {
        assert_eq!(share(&[9, 9, 9, 9], 10), [3, 3, 3, 1]);
        assert_eq!(share(&[0, 1, 0, 20], 10), [0, 1, 0, 9]);
        assert_eq!(share(&[5, 9, 0, 1], 10), [5, 4, 0, 1]);
        assert_eq!(share(&[0, 0, 0, 0], 10), [0, 0, 0, 0]);
        assert_eq!(share(&[9, 9, 9, 9], 1), [1, 0, 0, 0]);
    }
}
