//! Search over products, categories, brands and suppliers. Owns `search_documents`, `search_words` and
//! `search_websites`, which are filled by triggers on the searched tables; `search_rules`; and `search_popular`, which
//! is computed from past searches.
//! Rule: one table, one index; one statement each interprets the query, finds the hits and counts the facets; the
//! entities themselves are read by their own loaders.

pub mod actions;
pub mod facets;
pub mod model;
pub mod query;
pub mod store;
pub mod ts_query;
