//! What a search means, before it is looked for: its words, in which languages, what is meant by a misspelt one, and where
//! the query leads.

use std::collections::HashMap;

use crate::{
    db::{Db, PlanMode},
    error::Result,
    search::{
        model::{FullTextQuery, Search, rules::Redirect},
        query::{ParsedQuery, closest_word},
        store::{
            self,
            rules::{RuleMatches, match_rules},
        },
    },
};

/// What a search means.
#[derive(Debug, Clone)]
pub struct Interpretation {
    /// What PostgreSQL is asked; none where no word is asked for.
    pub full_text: Option<FullTextQuery>,
    /// What is searched in the place of what was typed.
    pub correction: Option<String>,
    /// Where the query leads.
    pub redirect: Option<Redirect>,
}

/// Finds out which words are meant: one that nothing has is taken for the nearest that something has, and beside each word
/// stand those that mean the same.
/// # Errors
/// Those of the database.
pub async fn interpret(db: &Db, search: &Search) -> Result<Interpretation> {
    let rule_matches =
        db.read_with(PlanMode::Custom, async |conn| match_rules(conn, search, &search.query).await).await?;
    // What leads somewhere is no mistake.
    let query =
        if rule_matches.redirect.is_some() { None } else { correct_spelling(db, &search.query, &rule_matches).await? };
    let Some(query) = query else { return Ok(interpretation(&search.query, rule_matches, None)) };
    let rule_matches = db.read_with(PlanMode::Custom, async |conn| match_rules(conn, search, &query).await).await?;
    let correction = query.to_text();
    Ok(interpretation(&query, rule_matches, Some(correction)))
}

fn interpretation(query: &ParsedQuery, rule_matches: RuleMatches, correction: Option<String>) -> Interpretation {
    let RuleMatches { languages, synonyms, redirect } = rule_matches;
    let full_text = query.to_ts_query(&synonyms).map(|query| FullTextQuery { query, languages });
    Interpretation { full_text, correction, redirect }
}

/// The words that are meant, where they differ from those typed.
async fn correct_spelling(db: &Db, query: &ParsedQuery, rule_matches: &RuleMatches) -> Result<Option<ParsedQuery>> {
    let correctable = query.correctable_words(&rule_matches.synonyms);
    if correctable.is_empty() {
        return Ok(None);
    }
    let languages = &rule_matches.languages;
    // How rare a word is decides how it is looked for.
    let unknown =
        db.read_with(PlanMode::Custom, async |conn| store::similar_words(conn, &correctable, languages).await).await?;
    let typed: HashMap<usize, &str> =
        correctable.iter().map(|(position, word, _)| (*position, word.as_str())).collect();
    let correction = |(position, candidates): (i64, Vec<String>)| {
        let position = usize::try_from(position).ok()?;
        Some((position, closest_word(typed.get(&position)?, &candidates)?))
    };
    let corrections: HashMap<usize, String> = unknown.into_iter().filter_map(correction).collect();
    Ok((!corrections.is_empty()).then(|| query.with_corrections(&corrections)))
}
