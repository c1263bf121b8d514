//! A cache of the words of queries as the database has taken them apart.
//! Rule: an entry depends on its word, its language and the migrations only, never on a row.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use moka::sync::Cache;

use super::ts_query::AnalyzedTerm;
use crate::websites::language::Language;

/// Maximum size of the cache, in bytes.
const CAPACITY: u64 = 2 * 1024 * 1024;

/// Lifetime of an entry: a migration that runs beside the server may take words apart in another way.
const TTL: Duration = Duration::from_secs(60);

/// Size of an entry without its texts, in bytes.
const ENTRY_BYTES: usize = 200;

/// A word or several words of a query in one language.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Word {
    /// The language.
    pub language: Language,
    /// The text, as typed.
    pub text: String,
    /// Whether the last word may be incomplete.
    pub is_partial: bool,
    /// Whether only names are searched.
    pub is_in_names: bool,
}

/// A word as the database has taken it apart.
#[derive(Debug, Clone, Default)]
pub struct AnalyzedWord {
    /// The word in a query.
    pub term: AnalyzedTerm,
    /// The word as the list of all words of names has it; empty unless it may be incomplete.
    pub indexed: String,
    /// The word as search rules have it. None if it is a word that queries leave out, may be incomplete, or is for names
    /// only.
    pub key: Option<String>,
}

/// The words, and the languages of the documents.
pub struct WordCache {
    words: Cache<Word, Arc<AnalyzedWord>>,
    languages: RwLock<Arc<[Language]>>,
}

impl Default for WordCache {
    fn default() -> Self {
        let bytes = |word: &Word, found: &Arc<AnalyzedWord>| {
            let texts = word.text.len()
                + found.term.query.len()
                + found.indexed.len()
                + found.key.as_ref().map_or(0, String::len);
            u32::try_from(ENTRY_BYTES + texts).unwrap_or(u32::MAX)
        };
        let words = Cache::builder().max_capacity(CAPACITY).weigher(bytes).time_to_live(TTL).build();
        Self { words, languages: RwLock::new(Arc::new([])) }
    }
}

impl WordCache {
    /// Returns a word, if it is cached.
    pub fn get(&self, word: &Word) -> Option<Arc<AnalyzedWord>> {
        self.words.get(word)
    }

    /// Caches a word.
    pub fn insert(&self, word: Word, analyzed: Arc<AnalyzedWord>) {
        self.words.insert(word, analyzed);
    }

    /// Returns the languages that the documents had at the last search; none before the first.
    pub fn languages(&self) -> Arc<[Language]> {
        Arc::clone(&self.languages.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Sets the languages of the documents.
    pub fn set_languages(&self, languages: Arc<[Language]>) {
        *self.languages.write().unwrap_or_else(PoisonError::into_inner) = languages;
    }
}
