//! Parser for search queries: words, "phrases", -exclusions and `or`. The database takes the terms apart, by the same
//! functions as the indexed texts; `ts_query` combines them.
//! Rule: a token without a letter or digit is dropped.

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
            match (excluded, is_quoted) {
                (true, _) => terms.push(Term::Excluded(text)),
                (false, true) => terms.push(Term::Phrase(text)),
                (false, false) if text.eq_ignore_ascii_case("or") => terms.push(Term::Or),
                (false, false) => terms.extend(split_words(&text).map(|word| Term::Word(word.to_owned()))),
            }
        };
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            let is_after_digit = !is_quoted && word.ends_with(|c: char| c.is_ascii_digit());
            let is_in_number = is_after_digit && characters.peek().is_some_and(char::is_ascii_digit);
            match c {
                // Inches: 26".
                '"' | '\u{201d}' if is_after_digit => word.push(c),
                '"' | '\u{201c}' | '\u{201d}' => {
                    if is_quoted || !word.is_empty() {
                        end(&mut word, is_quoted, &mut is_excluded);
                    }
                    is_quoted = !is_quoted;
                }
                ',' if is_in_number => word.push(c),
                _ if !is_quoted && is_separator(c) => end(&mut word, false, &mut is_excluded),
                '-' if !is_quoted && word.is_empty() => is_excluded = true,
                _ => {
                    // -20 is a number.
                    is_excluded &= is_quoted || !word.is_empty() || !c.is_ascii_digit();
                    word.push(c);
                }
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

    /// Returns the texts of the terms with their positions, except for `or`.
    pub fn texts(&self) -> impl Iterator<Item = (usize, &str)> {
        self.terms.iter().enumerate().filter_map(|(position, term)| match term {
            Term::Word(text) | Term::Phrase(text) | Term::Excluded(text) => Some((position, text.as_str())),
            Term::Or => None,
        })
    }

    /// Returns whether a hit need not have every word.
    pub fn has_alternatives(&self) -> bool {
        self.terms.contains(&Term::Or)
    }

    /// Returns the position of the word that may be incomplete.
    pub fn partial_word(&self) -> Option<usize> {
        self.has_partial_word.then(|| self.terms.len() - 1)
    }

    /// Returns the word that may be incomplete.
    pub fn partial_text(&self) -> Option<&str> {
        let partial = self.partial_word()?;
        self.texts().find(|(position, _)| *position == partial).map(|(_, text)| text)
    }

    /// Returns the query without exclusions and `or`.
    pub fn without_operators(mut self) -> Self {
        self.terms.retain(|term| matches!(term, Term::Word(_) | Term::Phrase(_)));
        self
    }

    /// Returns the words that may be misspelled, with their positions: words of three or more letters, without digits, at
    /// a position that is not known to be right.
    pub fn correctable_words(&self, is_known: impl Fn(usize) -> bool) -> Vec<(usize, String)> {
        let correctable = |(position, term): (usize, &Term)| match term {
            Term::Word(word) if is_correctable(word) && !is_known(position) => Some((position, word.clone())),
            _ => None,
        };
        self.terms.iter().enumerate().filter_map(correctable).collect()
    }

    /// Returns all sequences of one to [`MAX_SEQUENCE_WORDS`] consecutive words, to look up synonyms.
    fn word_sequences(&self) -> Vec<WordSequence> {
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

    /// Returns the sequences of words that rules may have: those of synonyms, and the whole query for redirects, at position
    /// 0 with the length 0.
    pub fn rule_sequences(&self) -> Vec<WordSequence> {
        let mut sequences = self.word_sequences();
        sequences.extend(self.plain_text().map(|text| WordSequence { position: 0, length: 0, text }));
        sequences
    }

    /// Returns the words separated by spaces; none if the query has other terms.
    fn plain_text(&self) -> Option<String> {
        let word = |term: &Term| match term {
            Term::Word(word) => Some(word.clone()),
            _ => None,
        };
        let words: Option<Vec<String>> = self.terms.iter().map(word).collect();
        words.filter(|words| !words.is_empty()).map(|words| words.join(" "))
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

/// Returns whether a character separates words.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || c.is_control() || "()[]{},;:!?|<>=*".contains(c)
}

/// Splits words that are joined by slashes; not codes, such as `AC/DC` and `E1/4P`.
fn split_words(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |part: &str| part.chars().count() >= 3 && part.chars().all(char::is_alphabetic);
    let separator = if text.split('/').all(is_word) { '/' } else { '\0' };
    text.split(separator)
}

fn is_correctable(word: &str) -> bool {
    (3..=40).contains(&word.chars().count()) && !word.contains(|c: char| c.is_numeric() || "@/.:_&+-#".contains(c))
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

    #[test]
    fn texts_are_parsed_into_terms() {
        let (word, phrase) = (|text: &str| Term::Word(text.into()), |text: &str| Term::Phrase(text.into()));
        let excluded = |text: &str| Term::Excluded(text.into());
        for (typed, expected) in [
            ("red lantern ", vec![word("red"), word("lantern")]),
            ("\"red metal\" -blue", vec![phrase("red metal"), excluded("blue")]),
            ("-\"sky blue\" red ", vec![excluded("sky blue"), word("red")]),
            ("“red metal", vec![phrase("red metal")]),
            ("o'neil\\ | & ! <-> ", vec![word("o'neil\\")]),
            ("wi-fi -- - ", vec![word("wi-fi")]),
            ("or red OR blue or or green or ", vec![word("red"), Term::Or, word("blue"), Term::Or, word("green")]),
            ("orange/white", vec![word("orange"), word("white")]),
            ("AC/DC E1/4P/A", vec![word("AC/DC"), word("E1/4P/A")]),
            ("scissor(pointed edge)", vec![word("scissor"), word("pointed"), word("edge")]),
            ("-20°C bag -20 -\"20\"", vec![word("20°C"), word("bag"), word("20"), excluded("20")]),
            ("26\" bike \"2,5 m\"", vec![word("26\""), word("bike"), phrase("2,5 m")]),
            ("2,5m 1,000, red,blue", vec![word("2,5m"), word("1,000"), word("red"), word("blue")]),
            ("c++ c#", vec![word("c++"), word("c#")]),
            ("or", vec![]),
            (" \t\u{0} & % _ 😀 -", vec![]),
        ] {
            assert_eq!(ParsedQuery::parse(typed).terms, expected, "{typed:?}");
        }
    }

    #[test]
    fn only_a_last_word_may_be_incomplete() {
        for (typed, partial) in
            [("red lan", Some(1)), ("lan ", None), ("\"lan", None), ("red -lan", None), ("a/b", Some(0))]
        {
            assert_eq!(ParsedQuery::parse(typed).partial_word(), partial, "{typed:?}");
        }
        assert_eq!(ParsedQuery::parse("-red or lan").without_operators().partial_word(), Some(0));
    }

    #[test]
    fn corrections_replace_the_word_in_place() {
        let words = ParsedQuery::parse("\"red metal\" lamtern 22111 -blue");
        assert_eq!(words.correctable_words(|_| false), [(1, "lamtern".to_owned())]);
        let words = words.with_corrections(&HashMap::from([(1, "lantern".to_owned())]));
        assert_eq!(words.to_text(), "\"red metal\" lantern 22111 -blue");
    }

    #[test]
    fn known_words_are_not_corrected() {
        let words = ParsedQuery::parse("red tee shirt the \"a b\" lamtern");
        let sequences: Vec<_> =
            words.word_sequences().into_iter().map(|sequence| (sequence.position, sequence.text)).collect();
        assert_eq!(sequences[..3], [(0, "red".into()), (0, "red tee".into()), (0, "red tee shirt".into())]);
        assert_eq!(words.plain_text(), None);
        let expected = [(0, "red".to_owned()), (5, "lamtern".to_owned())];
        assert_eq!(words.correctable_words(|position| (1..=3).contains(&position)), expected);
    }

    #[test]
    fn closest_word_within_the_distance_is_chosen() {
        let candidates = ["lanterns", "lantern", "lamb"].map(str::to_owned);
        assert_eq!(closest_word("Lamtern", &candidates).as_deref(), Some("lantern"));
        assert_eq!(closest_word("zzzzz", &candidates), None);
        assert_eq!(closest_word("lma", &candidates), None);
    }
}
