//! The words of a query in the languages of the documents: from the cache, or by one statement for all that it lacks.

use std::{collections::HashMap, sync::Arc};

use crate::{
    db::{Db, PlanMode},
    error::Result,
    search::{
        query::ParsedQuery,
        store::{self, rules::SequenceKey},
        ts_query::{Analysis, AnalyzedTerm},
        word_cache::{Word, WordCache},
    },
    websites::language::Language,
};

/// The words of a query, as the database has taken them apart.
pub struct Words<'q> {
    query: &'q ParsedQuery,
    is_in_names: bool,
    terms: HashMap<Word, Arc<AnalyzedTerm>>,
}

impl<'q> Words<'q> {
    /// Takes the words of a query apart in each of these languages; `is_in_names`: for a search in names only, without
    /// rules.
    /// # Errors
    /// Database errors.
    pub async fn analyze(
        db: &Db,
        cache: &WordCache,
        query: &'q ParsedQuery,
        languages: &[Language],
        is_in_names: bool,
    ) -> Result<Self> {
        let mut words = Self { query, is_in_names, terms: HashMap::new() };
        let needed: Vec<Word> = languages.iter().flat_map(|language| words.needed(*language)).collect();
        let mut missing = Vec::new();
        for word in needed {
            match cache.get(&word) {
                Some(term) => drop(words.terms.insert(word, term)),
                None => missing.push(word),
            }
        }
        if missing.is_empty() {
            return Ok(words);
        }
        let terms = db.read_with(PlanMode::ExpensiveGeneric, async |conn| store::analyze(conn, &missing).await).await?;
        for (word, term) in missing.into_iter().zip(terms) {
            let term = Arc::new(term);
            cache.insert(word.clone(), Arc::clone(&term));
            words.terms.insert(word, term);
        }
        Ok(words)
    }

    /// Returns the analysis in a language; `is_complete`: the last word is not a prefix.
    pub fn analysis(&self, language: Language, is_complete: bool) -> Analysis {
        let partial = self.query.partial_word().filter(|_| !is_complete);
        let term = |(position, text): (usize, &str)| {
            let word = self.word(language, text.to_owned(), partial == Some(position));
            (position, self.terms.get(&word).map(|term| AnalyzedTerm::clone(term)).unwrap_or_default())
        };
        Analysis { terms: self.query.texts().map(term).collect(), ..Analysis::default() }
    }

    /// Returns the keys of the sequences of words, which rules have too.
    pub fn keys(&self, languages: &[Language]) -> Vec<SequenceKey> {
        let mut keys = Vec::new();
        for language in languages {
            for sequence in self.query.rule_sequences() {
                let term = self.terms.get(&self.word(*language, sequence.text, false));
                let Some(term) = term.filter(|term| !term.query.is_empty() && !term.is_stop_word) else { continue };
                let key = format!("{}:{}", language.as_str(), term.query);
                keys.push(SequenceKey { position: sequence.position, length: sequence.length, key });
            }
        }
        keys
    }

    fn needed(&self, language: Language) -> Vec<Word> {
        let whole = self.query.texts().map(|(_, text)| self.word(language, text.to_owned(), false));
        let partial = self.query.partial_text().map(|text| self.word(language, text.to_owned(), true));
        let mut words: Vec<Word> = whole.chain(partial).collect();
        if !self.is_in_names {
            words.extend(self.query.rule_sequences().into_iter().map(|sequence| self.word(language, sequence.text, false)));
        }
        words.sort_by(|one, other| (&one.text, one.is_partial).cmp(&(&other.text, other.is_partial)));
        words.dedup();
        words
    }

    fn word(&self, language: Language, text: String, is_partial: bool) -> Word {
        Word { language, text, is_partial, is_in_names: self.is_in_names }
    }
}

/// Returns the analysis of a query in each language of the documents, for a search in names only.
/// # Errors
/// Database errors.
pub async fn analyze_names(db: &Db, cache: &WordCache, query: &ParsedQuery) -> Result<Vec<(Language, Analysis)>> {
    let languages = db.read(async |conn| store::languages(conn, query).await).await?;
    let known: Arc<[Language]> = languages.iter().map(|(language, _)| *language).collect();
    let words = Words::analyze(db, cache, query, &known, true).await?;
    Ok(languages.into_iter().map(|(language, is_complete)| (language, words.analysis(language, is_complete))).collect())
}
