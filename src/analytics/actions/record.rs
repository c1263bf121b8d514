//! Recording of executed searches.
//! Rule: a search is recorded once, with its first page, and only if recording is enabled.

use serde_json::Value;

use crate::{
    analytics::{
        model::{NewSearch, SearchOutcome, Searcher},
        recorder::SearchRecorder,
    },
    search::actions::SearchResults,
};

/// Records a search with its original filters and returns the record; none if it is not recorded.
pub fn record(
    recorder: &SearchRecorder,
    found: &SearchResults,
    searcher: Searcher,
    filters: impl FnOnce() -> Value,
) -> Option<NewSearch> {
    let page = &found.search.page;
    let is_first = page.after.is_none() && page.before.is_none();
    // Browsing has no query.
    if !is_first || found.search.is_browsing() || !recorder.is_enabled() {
        return None;
    }
    let hit_count = found.hit_count();
    let outcome = SearchOutcome { results: hit_count.hits, is_exact: hit_count.is_exact, took_ms: found.took_ms() };
    let new = NewSearch::new(&found.search, searcher, filters(), found.correction.as_deref(), outcome);
    recorder.record_search(new.clone());
    Some(new)
}
