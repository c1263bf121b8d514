//! Builds the tsquery of a parsed query in one language, from terms that the database has taken apart.
//! Rule: stop words are left out only while other words remain; then they count for the rank.

use std::collections::{BTreeMap, HashMap};

use super::query::{ParsedQuery, Term};

/// A term as the database has taken it apart in one language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnalyzedTerm {
    /// The tsquery; empty if the term contains no word.
    pub query: String,
    /// Whether the language leaves the word out.
    pub is_stop_word: bool,
}

/// Synonyms by position: the number of words they stand for, and the tsqueries of the synonyms.
pub type Synonyms = HashMap<usize, (usize, Vec<String>)>;

/// A query as the database has taken it apart in one language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Analysis {
    /// The terms by position.
    pub terms: BTreeMap<usize, AnalyzedTerm>,
    /// The synonyms of words.
    pub synonyms: Synonyms,
}

/// A tsquery.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TsQuery {
    /// The complete query.
    pub text: String,
    /// The query without excluded terms.
    pub positive: String,
    /// Any of the stop words that were left out; empty if there are none.
    pub stop_words: String,
}

impl TsQuery {
    /// Creates a query without exclusions and stop words.
    pub fn of(text: String) -> Self {
        Self { positive: text.clone(), text, stop_words: String::new() }
    }

    /// Returns the query without excluded terms that matches whole words only; none if no word may be incomplete.
    pub fn whole_words(&self) -> Option<String> {
        // No word contains these characters.
        self.positive.contains(":*").then(|| self.positive.replace(":*", ":"))
    }

    /// Builds the query with synonyms; none if no word is searched for.
    pub fn build(query: &ParsedQuery, analysis: &Analysis) -> Option<Self> {
        let left_out = |position: usize| analysis.is_stop_word(query, position);
        let is_found = |position: &usize| {
            let is_positive = matches!(query.terms[*position], Term::Word(_) | Term::Phrase(_));
            is_positive && !analysis.query(*position).is_empty() && !left_out(*position)
        };
        let has_others = (0..query.terms.len()).any(|position| is_found(&position));
        let (mut built, mut is_alternative, mut position) = (Self::default(), false, 0);
        while let Some(term) = query.terms.get(position) {
            let (part, length) = match (term, analysis.synonyms.get(&position)) {
                (_, Some((length, others))) => (analysis.sequence(position, *length, others), *length),
                _ => (nested(analysis.query(position)), 1),
            };
            let is_stop_word = length == 1 && has_others && left_out(position);
            match term {
                Term::Or => is_alternative = true,
                _ if part.is_empty() => {}
                _ if is_stop_word && !analysis.synonyms.contains_key(&position) => {
                    push(&mut built.stop_words, " | ", &part);
                }
                _ => {
                    let operator = if std::mem::take(&mut is_alternative) { " | " } else { " & " };
                    if matches!(term, Term::Excluded(_)) {
                        push(&mut built.text, operator, &format!("!{part}"));
                    } else {
                        push(&mut built.text, operator, &part);
                        push(&mut built.positive, operator, &part);
                    }
                }
            }
            position += length;
        }
        (!built.positive.is_empty()).then_some(built)
    }
}

impl Analysis {
    /// Returns the tsquery of the term at a position; empty if it contains no word.
    pub fn query(&self, position: usize) -> &str {
        self.terms.get(&position).map_or("", |term| &term.query)
    }

    /// Returns whether the term at a position is a word that the language leaves out.
    pub fn is_stop_word(&self, query: &ParsedQuery, position: usize) -> bool {
        let is_word = matches!(query.terms.get(position), Some(Term::Word(_)));
        is_word && self.terms.get(&position).is_some_and(|term| term.is_stop_word)
    }

    /// Returns whether the term at a position has a synonym, or is a word that the language leaves out.
    pub fn is_known(&self, query: &ParsedQuery, position: usize) -> bool {
        let mut synonyms = self.synonyms.iter();
        synonyms.any(|(from, (length, _))| (*from..from + length).contains(&position))
            || self.is_stop_word(query, position)
    }

    /// Returns the query of consecutive words or any of their synonyms.
    fn sequence(&self, position: usize, length: usize, others: &[String]) -> String {
        let mut words = String::new();
        for position in position..position + length {
            push(&mut words, " & ", &nested(self.query(position)));
        }
        let mut any = String::new();
        for query in std::iter::once(&words).chain(others) {
            push(&mut any, " | ", &nested(query));
        }
        nested(&any)
    }
}

/// Appends a part, unless it is empty.
fn push(query: &mut String, operator: &str, part: &str) {
    if !part.is_empty() {
        query.push_str(if query.is_empty() { "" } else { operator });
        query.push_str(part);
    }
}

/// Returns a query that can be an operand. No lexeme contains a space.
fn nested(query: &str) -> String {
    if query.contains(' ') { format!("({query})") } else { query.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Analyzes words as a language with the stop words `the` and `who` would.
    fn analyze(query: &ParsedQuery) -> Analysis {
        let term = |(position, text): (usize, &str)| {
            let query = text.split(' ').map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" <-> ");
            (position, AnalyzedTerm { query, is_stop_word: ["the", "who"].contains(&text) })
        };
        Analysis { terms: query.texts().map(term).collect(), synonyms: HashMap::new() }
    }

    fn build(text: &str) -> TsQuery {
        let query = ParsedQuery::parse(text);
        TsQuery::build(&query, &analyze(&query)).unwrap_or_default()
    }

    #[test]
    fn terms_are_combined_by_their_operators() {
        for (typed, text, positive) in [
            ("red lantern", "'red' & 'lantern'", "'red' & 'lantern'"),
            ("\"red metal\" -blue", "('red' <-> 'metal') & !'blue'", "('red' <-> 'metal')"),
            ("-\"sky blue\" red", "!('sky' <-> 'blue') & 'red'", "'red'"),
            ("red or blue green", "'red' | 'blue' & 'green'", "'red' | 'blue' & 'green'"),
            ("-blue", "", ""),
        ] {
            let built = build(typed);
            assert_eq!((built.text.as_str(), built.positive.as_str()), (text, positive), "{typed:?}");
        }
    }

    #[test]
    fn stop_words_are_left_out_only_while_others_remain() {
        for (typed, text, stop_words) in [
            ("the lantern", "'lantern'", "'the'"),
            ("who the lantern", "'lantern'", "'who' | 'the'"),
            ("the who", "'the' & 'who'", ""),
            ("the or lantern", "'lantern'", "'the'"),
            ("\"the\" lantern", "'the' & 'lantern'", ""),
            ("the -lantern", "'the' & !'lantern'", ""),
            ("lantern -the", "'lantern' & !'the'", ""),
        ] {
            let built = build(typed);
            assert_eq!((built.text.as_str(), built.stop_words.as_str()), (text, stop_words), "{typed:?}");
        }
    }

    #[test]
    fn incomplete_words_are_also_whole_words() {
        let whole = |positive: &str| TsQuery::of(positive.to_owned()).whole_words();
        assert_eq!(whole("'red' & ('lan' | 'lan':*A)").as_deref(), Some("'red' & ('lan' | 'lan':A)"));
        assert_eq!(whole("'red' & 'lan'"), None);
    }

    #[test]
    fn synonyms_are_added_to_the_query() {
        let query = ParsedQuery::parse("red tee shirt tee");
        let synonyms = HashMap::from([
            (1, (2, vec!["'tshirt' | 't' <-> 'shirt'".to_owned(), String::new()])),
            (3, (1, vec!["'top'".to_owned()])),
        ]);
        let built = TsQuery::build(&query, &Analysis { synonyms, ..analyze(&query) }).expect("words");
        assert_eq!(built.text, "'red' & (('tee' & 'shirt') | ('tshirt' | 't' <-> 'shirt')) & ('tee' | 'top')");
    }

    #[test]
    fn words_with_synonyms_and_stop_words_are_known() {
        let query = ParsedQuery::parse("red tee shirt the lamtern");
        let synonyms = HashMap::from([(1, (2, vec!["'tshirt'".to_owned()]))]);
        let analysis = Analysis { synonyms, ..analyze(&query) };
        let known: Vec<usize> = (0..5).filter(|position| analysis.is_known(&query, *position)).collect();
        assert_eq!(known, [1, 2, 3]);
    }
}
