//! Interprets a query before the search: languages, synonyms, spelling correction and redirect.

use std::collections::HashMap;

use super::words::Words;
use crate::{
    db::{Db, PlanMode},
    error::Result,
    search::{
        model::{FullTextQuery, Hit, Search, rules::Redirect},
        query::{ParsedQuery, closest_word},
        store::{
            self,
            rules::{RuleMatches, match_rules},
        },
        ts_query::{Analysis, TsQuery},
        word_cache::WordCache,
    },
    websites::language::Language,
};

/// An interpreted query.
#[derive(Debug, Clone, Default)]
pub struct Interpretation {
    /// The full-text query; none if it contains no word.
    pub full_text: Option<FullTextQuery>,
    /// The corrected query, if it differs from the given one.
    pub correction: Option<Correction>,
    /// The redirect of the query.
    pub redirect: Option<Redirect>,
    analyses: Vec<(Language, Analysis)>,
}

/// A corrected query.
#[derive(Debug, Clone)]
pub struct Correction {
    query: ParsedQuery,
    /// The corrected words, by position.
    words: HashMap<usize, String>,
}

impl Correction {
    /// Returns the corrected query with its words as they are written in these hits.
    /// # Errors
    /// Database errors.
    pub async fn as_written(&self, db: &Db, hits: &[Hit]) -> Result<String> {
        let words: Vec<String> = self.words.values().cloned().collect();
        let documents: Vec<i64> = hits.iter().map(|hit| hit.document_id).collect();
        let written = db.read(async |conn| store::written_words(conn, &words, &documents).await).await?;
        let words = self.words.iter().map(|(position, word)| (*position, written.get(word).unwrap_or(word).clone()));
        Ok(self.query.with_corrections(&words.collect()).to_text())
    }
}

/// Interprets a query as it is written, with synonyms.
/// # Errors
/// Database errors.
pub async fn interpret(db: &Db, words: &WordCache, search: &Search) -> Result<Interpretation> {
    read(db, words, search, &search.query, None).await
}

/// Replaces each word that matches nothing by the most similar indexed word; returns whether there is one.
/// # Errors
/// Database errors.
pub async fn correct(db: &Db, words: &WordCache, search: &Search, interpretation: &mut Interpretation) -> Result<bool> {
    // A query with a redirect is not a misspelling.
    if interpretation.redirect.is_some() {
        return Ok(false);
    }
    let Some(correction) = correct_spelling(db, &search.query, &interpretation.analyses).await? else {
        return Ok(false);
    };
    let query = correction.query.clone();
    *interpretation = read(db, words, search, &query, Some(correction)).await?;
    Ok(true)
}

/// Reads the words and the rules of a query.
async fn read(
    db: &Db,
    cache: &WordCache,
    search: &Search,
    query: &ParsedQuery,
    correction: Option<Correction>,
) -> Result<Interpretation> {
    loop {
        let words = Words::analyze(db, cache, query, cache.languages(), false).await?;
        let (partial, keys) = (words.partial(), words.keys());
        let rules = async |conn: &_| match_rules(conn, search, partial, &keys).await;
        let RuleMatches { languages, mut synonyms, redirect } = db.read(rules).await?;
        if words.are_in(&languages) {
            let analysis = |(language, is_complete)| {
                let synonyms = synonyms.remove(&language).unwrap_or_default();
                (language, Analysis { synonyms, ..words.analysis(language, is_complete) })
            };
            let analyses: Vec<_> = languages.into_iter().map(analysis).collect();
            let full_text = FullTextQuery::build(query, &analyses);
            return Ok(Interpretation { full_text, correction, redirect, analyses });
        }
        // A website with another language was added, or this is the first search.
        cache.set_languages(languages.into_iter().map(|(language, _)| language).collect());
    }
}

/// Returns the corrected query, if it differs from the given one.
async fn correct_spelling(
    db: &Db,
    query: &ParsedQuery,
    analyses: &[(Language, Analysis)],
) -> Result<Option<Correction>> {
    let with_query = |(position, word): (usize, String)| {
        let query =
            |(language, analysis): &(Language, Analysis)| (*language, TsQuery::of(analysis.query(position).to_owned()));
        let queries = analyses.iter().map(query).filter(|(_, query)| !query.text.is_empty());
        let full_text = FullTextQuery(queries.collect());
        (!full_text.0.is_empty()).then_some((position, word, full_text))
    };
    let is_known = |position: usize| analyses.iter().any(|(_, analysis)| analysis.is_known(query, position));
    let correctable: Vec<_> = query.correctable_words(is_known).into_iter().filter_map(with_query).collect();
    if correctable.is_empty() {
        return Ok(None);
    }
    // A custom plan, because the best plan depends on how common the words are.
    let unknown = db.read_with(PlanMode::Custom, async |conn| store::similar_words(conn, &correctable).await).await?;
    let typed: HashMap<usize, &str> =
        correctable.iter().map(|(position, word, _)| (*position, word.as_str())).collect();
    let correction = |(position, candidates): (i64, Vec<String>)| {
        let position = usize::try_from(position).ok()?;
        Some((position, closest_word(typed.get(&position)?, &candidates)?))
    };
    let words: HashMap<usize, String> = unknown.into_iter().filter_map(correction).collect();
    Ok((!words.is_empty()).then(|| Correction { query: query.with_corrections(&words), words }))
}
