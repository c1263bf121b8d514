//! Search over products, categories, brands and suppliers. Owns `search_documents`, `search_words` and
//! `search_websites`, which are filled by triggers on the searched tables; `search_rules`; and `search_popular`, which
//! is computed from past searches.
//! Rule: one table, one index: it has the words and the filters that rarely change, and the table has the values of the other
//! filters, sort orders and facets. One statement interprets the query, and one finds the hits and what facets count; the
//! entities themselves are read by their own loaders.

pub mod actions;
pub mod facets;
pub mod model;
pub mod query;
pub mod store;
pub mod ts_query;
pub mod word_cache;
