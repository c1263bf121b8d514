//! What a search means, before it is looked for; and what is tended to in the background.

pub mod tend;

use std::collections::HashMap;

use super::{
    model::Search,
    store,
    words::{Words, meant},
};
use crate::{
    db::{Db, Plans},
    error::Result,
};

/// What a search means.
#[derive(Debug, Clone)]
pub struct Understood {
    /// The query of PostgreSQL; none where no word is asked for.
    pub query: Option<String>,
    /// What is searched in the place of what was typed.
    pub instead: Option<String>,
}

/// Finds out which words are meant: one that nothing has is taken for the nearest that something has.
/// # Errors
/// Those of the database.
pub async fn understand(db: &Db, search: &Search) -> Result<Understood> {
    let instead = corrected(db, &search.words).await?;
    let query = search.words.query(&instead);
    Ok(Understood { query, instead: (!instead.is_empty()).then(|| search.words.told(&instead)) })
}

async fn corrected(db: &Db, words: &Words) -> Result<HashMap<usize, String>> {
    let spelt = words.spelt();
    if spelt.is_empty() {
        return Ok(HashMap::new());
    }
    // How rare a word is decides how it is looked for.
    let unknown = db.read_as(Plans::ForValues, async |conn| store::understand(conn, &spelt).await).await?;
    let typed: HashMap<usize, &str> = spelt.iter().map(|(place, word, _)| (*place, word.as_str())).collect();
    let instead = |(place, near): (i64, Vec<String>)| {
        let place = usize::try_from(place).ok()?;
        Some((place, meant(typed.get(&place)?, &near)?))
    };
    Ok(unknown.into_iter().filter_map(instead).collect())
}
