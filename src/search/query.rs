//! Parser for search queries: words, "phrases", -exclusions and `or`; builds the tsquery for PostgreSQL.
//! Rule: every word is quoted, so that user input never becomes an operator; a token without a letter or digit is
//! dropped.

use std::collections::HashMap;

/// Maximum number of terms of a query; further ones are ignored.
pub const MAX_TERMS: usize = 32;
/// Maximum number of words of a synonym.
pub const MAX_SEQUENCE_WORDS: usize = 3;

/// Consecutive words of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordSequence {
    /// Position of the first word.
    pub position: usize,
    /// Number of words.
    pub length: usize,
    /// The words, separated by spaces.
    pub text: String,
}

/// A tsquery: quoted words and operators.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TsQuery {
    /// The complete query, except for `prefix`.
    pub text: String,
    /// The query without excluded terms.
    pub positive: String,
    /// The last word as a prefix query, if the query is that word alone. It is kept apart because a stop word would
    /// otherwise drop out of the query.
    pub prefix: Option<String>,
}

impl TsQuery {
    /// Creates a query without exclusions and prefix.
    pub fn of(text: String) -> Self {
        Self { positive: text.clone(), text, prefix: None }
    }
}

/// Synonyms by position: the number of words they stand for, and the synonyms.
pub type Synonyms = HashMap<usize, (usize, Vec<String>)>;

/// A term of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    /// A word.
    Word(String),
    /// A quoted phrase: these words in this order.
    Phrase(String),
    /// An excluded word or phrase.
    Excluded(String),
    /// `or`: the term before or the term after it.
    Or,
}

/// A parsed query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedQuery {
    /// The terms, in order.
    pub terms: Vec<Term>,
    /// Whether the last word may be incomplete and also matches as a prefix.
    has_partial_word: bool,
}

impl ParsedQuery {
    /// Returns whether the last word may be incomplete.
    pub fn has_partial_word(&self) -> bool {
        self.has_partial_word
    }

    /// Parses a text. An unclosed quote ends at the end of the text.
    pub fn parse(text: &str) -> Self {
        let mut terms = Vec::new();
        let (mut word, mut is_quoted, mut is_excluded) = (String::new(), false, false);
        let mut end = |word: &mut String, is_quoted: bool, is_excluded: &mut bool| {
            let text = std::mem::take(word);
            let excluded = std::mem::take(is_excluded);
            if !text.contains(char::is_alphanumeric) {
                return;
            }
            terms.push(match (excluded, is_quoted) {
                (true, _) => Term::Excluded(text),
                (false, true) => Term::Phrase(text),
                (false, false) if text.eq_ignore_ascii_case("or") => Term::Or,
                (false, false) => Term::Word(text),
            });
        };
        for c in text.chars() {
            match c {
                '"' | '\u{201c}' | '\u{201d}' => {
                    if is_quoted || !word.is_empty() {
                        end(&mut word, is_quoted, &mut is_excluded);
                    }
                    is_quoted = !is_quoted;
                }
                _ if !is_quoted && is_separator(c) => end(&mut word, false, &mut is_excluded),
                '-' if !is_quoted && word.is_empty() => is_excluded = true,
                _ => word.push(c),
            }
        }
        let has_partial_word = !is_quoted && !is_excluded && !word.is_empty();
        end(&mut word, is_quoted, &mut is_excluded);
        let has_partial_word =
            has_partial_word && terms.len() <= MAX_TERMS && matches!(terms.last(), Some(Term::Word(_)));
        terms.truncate(MAX_TERMS);
        // `or` is an operator only between two terms.
        terms.dedup_by(|one, other| *one == Term::Or && *other == Term::Or);
        if terms.last() == Some(&Term::Or) {
            terms.pop();
        }
        if terms.first() == Some(&Term::Or) {
            terms.remove(0);
        }
        Self { terms, has_partial_word }
    }

    /// Returns the words that may be misspelled, with their positions and queries: words of three or more letters,
    /// without digits and without synonyms.
    pub fn correctable_words(&self, synonyms: &Synonyms) -> Vec<(usize, String, String)> {
        let has_synonym =
            |position: usize| synonyms.iter().any(|(from, (length, _))| (*from..from + length).contains(&position));
        let correctable = |(position, term): (usize, &Term)| {
            let Term::Word(word) = term else { return None };
            (is_correctable(word) && !has_synonym(position))
                .then(|| (position, word.clone(), self.word_query(position)))
        };
        self.terms.iter().enumerate().filter_map(correctable).collect()
    }

    /// Returns all sequences of one to [`MAX_SEQUENCE_WORDS`] consecutive words, to look up synonyms.
    pub fn word_sequences(&self) -> Vec<WordSequence> {
        let word = |position: usize| match self.terms.get(position) {
            Some(Term::Word(word)) => Some(word.as_str()),
            _ => None,
        };
        let mut sequences = Vec::new();
        for position in 0..self.terms.len() {
            let words: Vec<&str> = (position..self.terms.len()).map_while(word).take(MAX_SEQUENCE_WORDS).collect();
            sequences.extend((1..=words.len()).map(|length| WordSequence {
                position,
                length,
                text: words[..length].join(" "),
            }));
        }
        sequences
    }

    /// Returns the words separated by spaces; none if the query has other terms.
    pub fn plain_text(&self) -> Option<String> {
        let word = |term: &Term| match term {
            Term::Word(word) => Some(word.clone()),
            _ => None,
        };
        let words: Option<Vec<String>> = self.terms.iter().map(word).collect();
        words.filter(|words| !words.is_empty()).map(|words| words.join(" "))
    }

    /// Returns the tsquery, including synonyms; none if no word is searched for.
    pub fn to_ts_query(&self, synonyms: &Synonyms) -> Option<TsQuery> {
        if self.has_partial_word && self.terms.len() == 1 && synonyms.is_empty() {
            return Some(TsQuery { prefix: Some(self.word_query(0)), ..TsQuery::default() });
        }
        let (mut query, mut operator, mut position) = (TsQuery::default(), "", 0);
        while let Some(term) = self.terms.get(position) {
            let (part, length) = match (term, synonyms.get(&position)) {
                (Term::Or, _) => {
                    operator = " | ";
                    position += 1;
                    continue;
                }
                (_, Some((length, others))) => (self.sequence_query(position, *length, others), *length),
                (Term::Excluded(text), _) => (format!("!{}", quoted(text)), 1),
                (Term::Word(_) | Term::Phrase(_), None) => (self.word_query(position), 1),
            };
            query.text.push_str(operator);
            query.text.push_str(&part);
            if !matches!(term, Term::Excluded(_)) {
                query.positive.push_str(if query.positive.is_empty() { "" } else { operator });
                query.positive.push_str(&part);
            }
            operator = " & ";
            position += length;
        }
        (!query.positive.is_empty()).then_some(query)
    }

    /// Returns the query of consecutive words or any of their synonyms.
    fn sequence_query(&self, position: usize, length: usize, others: &[String]) -> String {
        let words: Vec<String> = (position..position + length).map(|position| self.word_query(position)).collect();
        let mut any = vec![words.join(" & ")];
        any.extend(others.iter().filter(|other| other.contains(char::is_alphanumeric)).map(|other| quoted(other)));
        format!("({})", any.join(" | "))
    }

    /// Returns the query with these words replaced, by position.
    pub fn with_corrections(&self, corrections: &HashMap<usize, String>) -> Self {
        let mut words = self.clone();
        for (position, word) in corrections {
            words.terms[*position] = Term::Word(word.clone());
        }
        // A corrected word is complete.
        words.has_partial_word &= !corrections.contains_key(&(words.terms.len().saturating_sub(1)));
        words
    }

    /// Returns the query of the term at a position.
    fn word_query(&self, position: usize) -> String {
        let is_prefix = self.has_partial_word && position + 1 == self.terms.len();
        // A complete word comes twice, as a word and as a prefix, so that it ranks above longer words.
        let prefix = |word: &str| format!("({0} | {0}:*)", quoted(word));
        match &self.terms[position] {
            Term::Word(word) => match (split_hyphenated(word), is_prefix) {
                (None, true) => prefix(word),
                (None, false) => quoted(word),
                // PostgreSQL finds `rope-fender` only if it is written with the hyphen.
                (Some((first, last)), true) => format!("({0} | {0}:* | {first} & {1})", quoted(word), prefix(last)),
                (Some((first, last)), false) => format!("({} | {first} & {})", quoted(word), quoted(last)),
            },
            Term::Phrase(text) | Term::Excluded(text) => quoted(text),
            Term::Or => String::new(),
        }
    }

    /// Returns the query as text.
    pub fn to_text(&self) -> String {
        let part = |term: &Term| match term {
            Term::Or => "or".to_owned(),
            Term::Word(word) => word.clone(),
            Term::Phrase(text) => format!("\"{text}\""),
            Term::Excluded(text) if text.contains(char::is_whitespace) => format!("-\"{text}\""),
            Term::Excluded(text) => format!("-{text}"),
        };
        self.terms.iter().map(part).collect::<Vec<_>>().join(" ")
    }
}

/// Returns whether a character separates words. PostgreSQL would parse `red/blue` as a file path.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || "\0/()[]{},;:!?|<>=*".contains(c)
}

fn is_correctable(word: &str) -> bool {
    (3..=40).contains(&word.chars().count()) && !word.contains(|c: char| c.is_numeric() || "@/.:_&+-".contains(c))
}

/// Splits a word with hyphens into the query of all parts but the last, and the last part; none if a part has fewer
/// than three letters, as in `t-shirt`, or contains a digit, as codes do.
fn split_hyphenated(word: &str) -> Option<(String, &str)> {
    let is_word = |part: &str| part.chars().count() >= 3 && part.chars().all(char::is_alphabetic);
    let (first, last) = word.rsplit_once('-')?;
    let first: Vec<&str> = first.split('-').collect();
    let is_whole = is_word(last) && first.iter().all(|part| is_word(part));
    is_whole.then(|| (first.into_iter().map(quoted).collect::<Vec<_>>().join(" & "), last))
}

/// Quotes a text for the tsquery parser; several words become a phrase.
pub fn quoted(text: &str) -> String {
    let text = text.replace(['\\', '/'], " ").replace('\'', "''");
    format!("'{text}'")
}

/// Returns the candidate with the smallest edit distance (changed, missing, added or swapped letters). Candidates are
/// given by trigram similarity, which breaks ties.
pub fn closest_word(typed: &str, candidates: &[String]) -> Option<String> {
    let typed = typed.to_lowercase();
    let max_distance = match typed.chars().count() {
        0..=4 => 1,
        5..=9 => 2,
        _ => 3,
    };
    let distance = |word: &String| strsim::osa_distance(&typed, word);
    let best = candidates
        .iter()
        .filter(|word| **word != typed)
        .map(|word| (distance(word), word))
        .filter(|(distance, _)| *distance <= max_distance);
    best.min_by_key(|(distance, _)| *distance).map(|(_, word)| word.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> String {
        ParsedQuery::parse(text).to_ts_query(&HashMap::new()).unwrap_or_default().text
    }

    #[test]
    fn user_input_becomes_a_query_without_operators() {
        for (typed, expected) in [
            ("red lantern ", "'red' & 'lantern'"),
            ("red lan", "'red' & ('lan' | 'lan':*)"),
            ("\"red metal\" -blue", "'red metal' & !'blue'"),
            ("-\"sky blue\" red ", "!'sky blue' & 'red'"),
            ("“red metal", "'red metal'"),
            ("o'neil\\ | & ! <-> ", "'o''neil '"),
            ("wi-fi -- - ", "'wi-fi'"),
            ("-blue", ""),
            ("or red OR blue or or green or ", "'red' | 'blue' | 'green'"),
            ("orange/white", "'orange' & ('white' | 'white':*)"),
            ("scissor(pointed edge)", "'scissor' & 'pointed' & 'edge'"),
            ("or", ""),
            ("rope-fender x", "('rope-fender' | 'rope' & 'fender') & ('x' | 'x':*)"),
            (
                "a soft-boiled-egg",
                "'a' & ('soft-boiled-egg' | 'soft-boiled-egg':* | 'soft' & 'boiled' & ('egg' | 'egg':*))",
            ),
            ("t-shirt sky-100 ", "'t-shirt' & 'sky-100'"),
            (" \t\u{0} & % _ 😀 -", ""),
        ] {
            assert_eq!(query(typed), expected, "{typed:?}");
        }
    }

    #[test]
    fn corrections_replace_the_word_in_place() {
        let words = ParsedQuery::parse("\"red metal\" lamtern 22111 -blue");
        assert_eq!(words.correctable_words(&HashMap::new()), [(1, "lamtern".to_owned(), "'lamtern'".to_owned())]);
        let corrections = HashMap::from([(1, "lantern".to_owned())]);
        let words = words.with_corrections(&corrections);
        let query = words.to_ts_query(&HashMap::new()).unwrap();
        assert_eq!(query.text, "'red metal' & 'lantern' & '22111' & !'blue'");
        assert_eq!(query.positive, "'red metal' & 'lantern' & '22111'");
        assert_eq!(words.to_text(), "\"red metal\" lantern 22111 -blue");
    }

    #[test]
    fn single_word_matches_as_a_prefix() {
        let query = |text: &str| ParsedQuery::parse(text).to_ts_query(&HashMap::new()).expect("a word");
        assert_eq!(query("can"), TsQuery { prefix: Some("('can' | 'can':*)".into()), ..TsQuery::default() });
        assert_eq!(query("can "), TsQuery::of("'can'".into()));
        assert_eq!(query("-red can").prefix, None);
    }

    #[test]
    fn synonyms_are_added_to_the_query() {
        let words = ParsedQuery::parse("red tee shirt \"a b\" tee");
        let sequences: Vec<_> =
            words.word_sequences().into_iter().map(|sequence| (sequence.position, sequence.text)).collect();
        let expected =
            [(0, "red"), (0, "red tee"), (0, "red tee shirt"), (1, "tee"), (1, "tee shirt"), (2, "shirt"), (4, "tee")];
        assert_eq!(sequences, expected.map(|(position, text)| (position, text.to_owned())));
        assert_eq!(words.plain_text(), None);
        let same =
            HashMap::from([(1, (2, vec!["t-shirt".to_owned(), "' | !".to_owned()])), (4, (1, vec!["top".to_owned()]))]);
        assert_eq!(
            words.to_ts_query(&same).unwrap().text,
            "'red' & ('tee' & 'shirt' | 't-shirt') & 'a b' & (('tee' | 'tee':*) | 'top')"
        );
        assert!(words.correctable_words(&same).iter().all(|(position, ..)| *position == 0));
    }

    #[test]
    fn closest_word_within_the_distance_is_chosen() {
        let candidates = ["lanterns", "lantern", "lamb"].map(str::to_owned);
        assert_eq!(closest_word("Lamtern", &candidates).as_deref(), Some("lantern"));
        assert_eq!(closest_word("zzzzz", &candidates), None);
        assert_eq!(closest_word("lma", &candidates), None);
    }
}
