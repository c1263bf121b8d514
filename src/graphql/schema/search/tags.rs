//! Tags of searches and suggestions.

use crate::{
    cache::Tag,
    graphql::schema::products::tags_of_parents,
    ids::RowId,
    search::{actions::SearchResults, facets::FacetKind, model::Search},
};

/// Tags of the words of all names, of the rules, and of the queries that are suggested.
const WORDS: Tag = Tag::list("list:searchWords");
const RULES: Tag = Tag::list("list:searchRules");
const POPULAR: Tag = Tag::list("list:popularSearches");

/// Tags of everything that can be found.
const ALL: [Tag; 3] = [Tag::list("list:products"), Tag::list("list:categories"), Tag::list("list:brands")];

/// Returns the tags of a search with these facets, before it is known what it finds. A facet is counted without its own filter,
/// so that filter does not limit what the search depends on.
pub(super) fn tags_of_search(search: &Search, facets: &[FacetKind]) -> Vec<Tag> {
    let filter = &search.filter;
    let limits = |own: FacetKind| !facets.contains(&own);
    let categories = keys(filter.categories.as_deref()).filter(|_| limits(FacetKind::Categories));
    let brands = keys(filter.brands.as_deref()).filter(|_| limits(FacetKind::Brands));
    let websites = keys(filter.websites.as_deref()).filter(|_| limits(FacetKind::Websites));
    let mut tags = tags_of_parents(categories.as_deref(), brands.as_deref(), websites.as_deref());
    if categories.is_none() && brands.is_none() && websites.is_none() {
        // Other types may be found, too.
        tags.extend(ALL);
    }
    if !search.is_browsing() {
        tags.extend([WORDS, RULES]);
    }
    tags
}

/// Returns the tags of a search by what it found. Words are corrected if nothing has them, wherever that is.
pub(super) fn tags_of_results(found: &SearchResults) -> Vec<Tag> {
    // Queries with alternatives are corrected before it is known whether they find anything.
    let is_as_typed =
        !found.hits.rows.is_empty() && found.correction.is_none() && !found.search.query.has_alternatives();
    if is_as_typed || found.search.is_browsing() { Vec::new() } else { ALL.to_vec() }
}

/// Returns the tags of suggestions.
pub(super) fn tags_of_suggestions() -> Vec<Tag> {
    ALL.into_iter().chain([WORDS, RULES, POPULAR]).collect()
}

fn keys<I: RowId>(ids: Option<&[I]>) -> Option<Vec<i64>> {
    ids.map(|ids| ids.iter().map(|id| id.key()).collect())
}
