//! What a text that is not finished yet may become.

use crate::{
    db::{Db, PlanMode},
    error::{Error, Result},
    ids::WebsiteId,
    search::{
        model::{
            Asked, Kind, check_length,
            suggest::{Begun, MAX_SUGGESTIONS, SuggestionKind, share},
        },
        store::{
            popular,
            suggest::{self as store, Completion},
        },
    },
    text::normalize_search_query,
};

/// A text that may be meant.
#[derive(Debug, Clone)]
pub struct Suggestion {
    /// The text.
    pub text: String,
    /// Where it comes from.
    pub kind: SuggestionKind,
    /// Key of the thing that has this name; 0 for what others searched.
    pub node_id: i64,
}

/// The first suggestions, in groups.
/// # Errors
/// BAD_USER_INPUT unless `first` is 1 to [`MAX_SUGGESTIONS`]; TOO_LONG for a text that no query may be; those of the database.
pub async fn suggest(db: &Db, text: &str, first: i32, website: Option<WebsiteId>) -> Result<Vec<Suggestion>> {
    if !(1..=MAX_SUGGESTIONS).contains(&first) {
        return Err(Error::bad_input("first", format!("give 1 to {MAX_SUGGESTIONS}")));
    }
    let most = first.unsigned_abs() as usize;
    check_length("prefix", text)?;
    let Some(begun) = Begun::parse(text, website) else { return Ok(Vec::new()) };
    let asked = Asked { query: begun.query.clone(), languages: db.read(store::languages).await? };
    let (typed, limit) = (normalize_search_query(&begun.text), most as i64);
    // How many documents begin so decides how they are found.
    let products = db.read_with(PlanMode::Custom, async |conn| store::products(conn, &begun, &asked, 2 * limit).await);
    let others = db.read_with(PlanMode::Custom, async |conn| store::others(conn, &begun, &asked, limit).await);
    let queries = db.read(async |conn| popular::by_prefix(conn, website, &typed, limit).await);
    let (products, others, queries) = futures_util::future::try_join3(products, others, queries).await?;
    let of_kind =
        |kind: Kind| others.iter().filter(move |other| other.0 == kind).map(|(_, id, name)| (*id, name.clone()));
    let groups = [
        (SuggestionKind::Query, queries.into_iter().map(|query| (0, query.query)).collect::<Vec<_>>()),
        (SuggestionKind::Category, of_kind(Kind::Category).collect()),
        (SuggestionKind::Brand, of_kind(Kind::Brand).collect()),
        (SuggestionKind::Product, distinct(products, most)),
    ];
    let shares = share(&groups.each_ref().map(|(_, group)| group.len()), most);
    let of_group = |((kind, group), share): ((SuggestionKind, Vec<(i64, String)>), usize)| {
        group.into_iter().take(share).map(move |(node_id, text)| Suggestion { text, kind, node_id })
    };
    Ok(groups.into_iter().zip(shares).flat_map(of_group).collect())
}

/// Each name once: two shops may sell the same.
fn distinct(products: Vec<Completion>, most: usize) -> Vec<(i64, String)> {
    let mut names: Vec<(i64, String)> = Vec::with_capacity(most);
    for (_, id, name) in products {
        if names.len() < most && !names.iter().any(|(_, other)| *other == name) {
            names.push((id, name));
        }
    }
    names
}
