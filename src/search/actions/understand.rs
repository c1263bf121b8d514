//! What a search means, before it is looked for: its words, in which languages, what is meant by a misspelt one, and where
//! the query leads.

use std::collections::HashMap;

use crate::{
    db::{Db, PlanMode},
    error::Result,
    search::{
        model::{Asked, Search, rules::Redirect},
        store::{
            self,
            rules::{Known, known},
        },
        words::{Words, meant},
    },
};

/// What a search means.
#[derive(Debug, Clone)]
pub struct Understood {
    /// What PostgreSQL is asked; none where no word is asked for.
    pub asked: Option<Asked>,
    /// What is searched in the place of what was typed.
    pub instead: Option<String>,
    /// Where the query leads.
    pub redirect: Option<Redirect>,
}

/// Finds out which words are meant: one that nothing has is taken for the nearest that something has, and beside each word
/// stand those that mean the same.
/// # Errors
/// Those of the database.
pub async fn understand(db: &Db, search: &Search) -> Result<Understood> {
    let told = db.read_with(PlanMode::Custom, async |conn| known(conn, search, &search.words).await).await?;
    // What leads somewhere is no mistake.
    let words = if told.redirect.is_some() { None } else { corrected(db, &search.words, &told).await? };
    let Some(words) = words else { return Ok(meaning(&search.words, told, None)) };
    let told = db.read_with(PlanMode::Custom, async |conn| known(conn, search, &words).await).await?;
    let instead = words.told();
    Ok(meaning(&words, told, Some(instead)))
}

fn meaning(words: &Words, known: Known, instead: Option<String>) -> Understood {
    let Known { languages, synonyms, redirect } = known;
    let asked = words.query(&synonyms).map(|query| Asked { query, languages });
    Understood { asked, instead, redirect }
}

/// The words that are meant, where they differ from those typed.
async fn corrected(db: &Db, words: &Words, known: &Known) -> Result<Option<Words>> {
    let spelt = words.spelt(&known.synonyms);
    if spelt.is_empty() {
        return Ok(None);
    }
    let languages = &known.languages;
    // How rare a word is decides how it is looked for.
    let unknown = db.read_with(PlanMode::Custom, async |conn| store::understand(conn, &spelt, languages).await).await?;
    let typed: HashMap<usize, &str> = spelt.iter().map(|(place, word, _)| (*place, word.as_str())).collect();
    let instead = |(place, near): (i64, Vec<String>)| {
        let place = usize::try_from(place).ok()?;
        Some((place, meant(typed.get(&place)?, &near)?))
    };
    let instead: HashMap<usize, String> = unknown.into_iter().filter_map(instead).collect();
    Ok((!instead.is_empty()).then(|| words.corrected(&instead)))
}
