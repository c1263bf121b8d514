//! Query plans of the search: each statement uses the index of documents, words or popularity.

use super::{
    Case,
    Sorts::{Few, Never},
};

/// `RARE` is a word of one name, `lantern` a word of every name.
pub const SEARCHES: &[Case] = &[
    Case("{ search(query: \"RARE\") { nodes { __typename } } }", "search_documents_document_idx", Few),
    Case("{ search(query: \"RARE\") { totalCount { value } } }", "search_documents_document_idx", Few),
    Case("{ search(query: \"lantern\") { nodes { __typename } } }", "search_documents_popularity_idx", Few),
    Case(
        "{ search(query: \"lantern\", orderBy: {field: POPULARITY}) { nodes { __typename } } }",
        "search_documents_popularity_idx",
        Few,
    ),
    Case(
        "{ search(query: \"RARE\", orderBy: {field: PRICE}) { nodes { __typename } } }",
        "search_documents_document_idx",
        Few,
    ),
    Case("{ search(query: \"lantern\", orderBy: {field: PRICE}) { nodes { __typename } } }", "products_price_idx", Few),
    Case(
        "{ search(query: \"lantern\", orderBy: {field: NEWEST}) { nodes { __typename } } }",
        "products_created_at_idx",
        Few,
    ),
    Case(
        "{ search(query: \"lantern\", orderBy: {field: RATING}) { nodes { __typename } } }",
        "products_rating_average_idx",
        Few,
    ),
    Case("{ search(query: \"lantern\", orderBy: {field: NAME}) { nodes { __typename } } }", "products_name_idx", Few),
    Case(
        "{ search(query: \"RARE\", where: {category: {eq: CATEGORY}}) { totalCount { value } nodes { __typename } } }",
        "search_documents_document_idx",
        Few,
    ),
    Case(
        "{ search(query: \"RARE\") { facets { categories { count } brands { count } websites { count } prices { count }
            ratings { count } availability { count } options { name } } } }",
        "search_documents_document_idx",
        Few,
    ),
    Case("{ search(query: \"RARE\") { edges { snippet } } }", "search_documents_pkey", Few),
    // A word that no document has, and similar words.
    Case("{ search(query: \"lamtern\") { didYouMean } }", "search_words_word_trgm_idx", Few),
    Case("{ search(query: \"lantern\") { redirect { url } } }", "search_rules_keys_idx", Few),
    Case("{ search(query: \"offer 77\") { redirect { url } } }", "search_rules_keys_idx", Few),
    Case("{ searchSuggestions(prefix: \"c4ca4\") { text } }", "search_documents_document_idx", Few),
    Case("{ searchSuggestions(prefix: \"c4ca4\") { text } }", "search_documents_sold_idx", Few),
    Case("{ searchSuggestions(prefix: \"c4ca4\") { text } }", "search_documents_few_idx", Few),
    Case("{ searchSuggestions(prefix: \"l\") { text } }", "search_documents_popularity_idx", Few),
    Case("{ searchSuggestions(prefix: \"c4ca4\", website: WEBSITE) { text } }", "search_documents_document_idx", Few),
];

/// Search rules.
pub const RULES: &[Case] = &[
    Case("{ searchRules { nodes { id } } }", "search_rules_pkey", Never),
    Case(
        "{ searchRules(where: {website: {eq: WEBSITE}}) { totalCount { value } nodes { id } } }",
        "search_rules_",
        Never,
    ),
];
