//! Search over products, categories, brands and suppliers. Owns `search_documents`, `search_words` and `search_websites`,
//! which triggers of the nouns fill, `search_rules`, and `search_popular`, which is filled from what people search.
//! Rule: one table, one index; what is typed is understood in one statement, found in one, counted by facets in one; the things
//! themselves are read by their own loaders.

pub mod actions;
pub mod facets;
pub mod model;
pub mod query;
pub mod store;
