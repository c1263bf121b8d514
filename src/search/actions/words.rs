//! The words of a query in the languages of the documents: from the cache, or by one statement for all that it lacks.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    db::{Db, PlanMode},
    error::Result,
    search::{
        query::{ParsedQuery, WordSequence},
        store::{self, rules::SequenceKey},
        ts_query::Analysis,
        word_cache::{AnalyzedWord, Word, WordCache},
    },
    websites::language::Language,
};

/// The words of a query, as the database has taken them apart.
pub struct Words<'q> {
    query: &'q ParsedQuery,
    is_in_names: bool,
    languages: Arc<[Language]>,
    analyzed: HashMap<Word, Arc<AnalyzedWord>>,
}

impl<'q> Words<'q> {
    /// Takes the words of a query apart in these languages; `is_in_names`: for a search in names only, without rules.
    /// # Errors
    /// Database errors.
    pub async fn analyze(
        db: &Db,
        cache: &WordCache,
        query: &'q ParsedQuery,
        languages: Arc<[Language]>,
        is_in_names: bool,
    ) -> Result<Self> {
        let mut words = Self { query, is_in_names, languages, analyzed: HashMap::new() };
        let mut missing = Vec::new();
        for word in words.needed() {
            match cache.get(&word) {
                Some(analyzed) => drop(words.analyzed.insert(word, analyzed)),
                None => missing.push(word),
            }
        }
        if missing.is_empty() {
            return Ok(words);
        }
        let found = db.read_with(PlanMode::ExpensiveGeneric, async |conn| store::analyze(conn, &missing).await).await?;
        for (word, analyzed) in missing.into_iter().zip(found.into_iter().map(Arc::new)) {
            cache.insert(word.clone(), Arc::clone(&analyzed));
            words.analyzed.insert(word, analyzed);
        }
        Ok(words)
    }

    /// Returns whether these are the languages in which the words were taken apart.
    pub fn are_in(&self, languages: &[(Language, bool)]) -> bool {
        languages.iter().map(|(language, _)| language).eq(self.languages.iter())
    }

    /// Returns the last word of the query, if it may be incomplete, as the list of all words has it.
    pub fn partial(&self) -> Option<&str> {
        let word = self.word(*self.languages.first()?, self.query.partial_text()?.to_owned(), true);
        self.analyzed.get(&word).map(|analyzed| analyzed.indexed.as_str())
    }

    /// Returns the analysis in a language; `is_complete`: the last word is not a prefix.
    pub fn analysis(&self, language: Language, is_complete: bool) -> Analysis {
        let partial = self.query.partial_word().filter(|_| !is_complete);
        let term = |(position, text): (usize, &str)| {
            let word = self.word(language, text.to_owned(), partial == Some(position));
            (position, self.analyzed.get(&word).map(|analyzed| analyzed.term.clone()).unwrap_or_default())
        };
        Analysis { terms: self.query.texts().map(term).collect(), ..Analysis::default() }
    }

    /// Returns the keys of the sequences of words, which rules have too.
    pub fn keys(&self) -> Vec<SequenceKey> {
        let mut keys = Vec::new();
        for language in self.languages.iter() {
            for WordSequence { position, length, text } in self.query.rule_sequences() {
                let analyzed = self.analyzed.get(&self.word(*language, text, false));
                let key = analyzed.and_then(|analyzed| analyzed.key.clone());
                keys.extend(key.map(|key| SequenceKey { position, length, key }));
            }
        }
        keys
    }

    fn needed(&self) -> HashSet<Word> {
        let mut words = HashSet::new();
        for language in self.languages.iter() {
            words.extend(self.query.texts().map(|(_, text)| self.word(*language, text.to_owned(), false)));
            words.extend(self.query.partial_text().map(|text| self.word(*language, text.to_owned(), true)));
            if !self.is_in_names {
                let sequences = self.query.rule_sequences().into_iter();
                words.extend(sequences.map(|sequence| self.word(*language, sequence.text, false)));
            }
        }
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
    loop {
        let words = Words::analyze(db, cache, query, cache.languages(), true).await?;
        let partial = words.partial();
        let languages = db.read(async |conn| store::languages(conn, partial).await).await?;
        if words.are_in(&languages) {
            let analysis = |(language, is_complete)| (language, words.analysis(language, is_complete));
            return Ok(languages.into_iter().map(analysis).collect());
        }
        cache.set_languages(languages.into_iter().map(|(language, _)| language).collect());
    }
}
