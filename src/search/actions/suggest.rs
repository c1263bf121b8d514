//! Suggestions for incomplete search texts.

use super::words::analyze_names;
use crate::{
    db::{Db, PlanMode},
    error::{Error, Result},
    ids::WebsiteId,
    search::{
        model::{
            DocumentKind, FullTextQuery, check_length,
            suggest::{MAX_SUGGESTIONS, PrefixQuery, SuggestionKind, distribute},
        },
        store::{
            popular_searches,
            suggest::{self as store, Completion},
        },
        word_cache::WordCache,
    },
    text::normalize_search_query,
};

/// A suggested search text.
#[derive(Debug, Clone)]
pub struct Suggestion {
    /// The suggested text.
    pub text: String,
    /// Source of the suggestion.
    pub kind: SuggestionKind,
    /// Primary key of the entity with this name; 0 for popular searches.
    pub node_id: i64,
}

/// Returns the first suggestions, grouped by source.
/// # Errors
/// BAD_USER_INPUT unless `first` is 1 to [`MAX_SUGGESTIONS`]; TOO_LONG for a text that is too long; database errors.
pub async fn suggest(
    db: &Db,
    words: &WordCache,
    text: &str,
    first: i32,
    website: Option<WebsiteId>,
) -> Result<Vec<Suggestion>> {
    if !(1..=MAX_SUGGESTIONS).contains(&first) {
        return Err(Error::bad_input("first", format!("first must be between 1 and {MAX_SUGGESTIONS}")));
    }
    let max = first.unsigned_abs() as usize;
    check_length("prefix", text)?;
    let Some(prefix) = PrefixQuery::parse(text, website) else { return Ok(Vec::new()) };
    let analyses = analyze_names(db, words, &prefix.query).await?;
    let Some(full_text) = FullTextQuery::build(&prefix.query, &analyses) else { return Ok(Vec::new()) };
    let (typed, limit) = (normalize_search_query(&prefix.text), max as i64);
    // Custom plans, because the best plan depends on how many documents match the prefix.
    let products =
        db.read_with(PlanMode::Custom, async |conn| store::products(conn, &prefix, &full_text, 2 * limit).await);
    let others = db
        .read_with(PlanMode::Custom, async |conn| store::categories_and_brands(conn, &prefix, &full_text, limit).await);
    let queries = db.read(async |conn| popular_searches::by_prefix(conn, website, &typed, limit).await);
    let (products, others, queries) = futures_util::future::try_join3(products, others, queries).await?;
    let of_kind = |kind: DocumentKind| {
        others.iter().filter(move |other| other.0 == kind).map(|(_, id, name)| (*id, name.clone()))
    };
    let groups = [
        (SuggestionKind::Query, queries.into_iter().map(|query| (0, query.query)).collect::<Vec<_>>()),
        (SuggestionKind::Category, of_kind(DocumentKind::Category).collect()),
        (SuggestionKind::Brand, of_kind(DocumentKind::Brand).collect()),
        (SuggestionKind::Product, distinct(products, max)),
    ];
    let shares = distribute(&groups.each_ref().map(|(_, group)| group.len()), max);
    let of_group = |((kind, group), share): ((SuggestionKind, Vec<(i64, String)>), usize)| {
        group.into_iter().take(share).map(move |(node_id, text)| Suggestion { text, kind, node_id })
    };
    Ok(groups.into_iter().zip(shares).flat_map(of_group).collect())
}

/// Removes duplicate names: several websites may sell the same product.
fn distinct(products: Vec<Completion>, max: usize) -> Vec<(i64, String)> {
    let mut names: Vec<(i64, String)> = Vec::with_capacity(max);
    for (_, id, name) in products {
        if names.len() < max && !names.iter().any(|(_, other)| *other == name) {
            names.push((id, name));
        }
    }
    names
}
