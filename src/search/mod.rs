//! Search over products, categories, brands and suppliers. Owns `search_documents`, which triggers of the nouns fill.
//! Rule: one table, one index, one statement; the things themselves are read by their own loaders.

pub mod model;
pub mod store;
