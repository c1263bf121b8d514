//! Query plans of the search: each statement uses the index of documents, words or popularity.

use super::{
    Case,
    Sorts::{Few, Never},
};

/// `RARE` is a word of one name, `lantern` a word of every name.
pub const SEARCHES: &[Case] = &[
    Case("{ search(query: \"RARE\") { nodes { __typename } } }", "search_documents_document_idx", Few),
    Case("{ search(query: \"RARE\") { totalCount { value } } }", "search_documents_document_idx", Few),
    Case("{ search(query: \"lantern\") { nodes { __typename } } }", "search_documents_document_idx", Few),
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

/// Browsing reads the index of the sort order, or finds the products of a small category and sorts them.
pub const BROWSING: &[Case] = &[
    Case("{ search { nodes { __typename } } }", "search_documents_popularity_idx", Never),
    Case("{ search(last: 5) { nodes { __typename } } }", "search_documents_popularity_idx", Never),
    Case("{ search(after: POPULARITY) { nodes { __typename } } }", "search_documents_popularity_idx", Never),
    Case("{ search(orderBy: {field: PRICE}) { nodes { __typename } } }", "products_price_idx", Never),
    Case("{ search(orderBy: {field: NEWEST}) { nodes { __typename } } }", "products_created_at_idx", Never),
    Case("{ search(orderBy: {field: RATING}) { nodes { __typename } } }", "products_rating_average_idx", Never),
    Case("{ search(orderBy: {field: NAME}) { nodes { __typename } } }", "products_name_idx", Never),
    Case("{ search(where: {category: {eq: CATEGORY}}) { nodes { __typename } } }", "search_documents_document_idx", Few),
    Case(
        "{ search(where: {category: {eq: CATEGORY}}, orderBy: {field: NEWEST}) { nodes { __typename } } }",
        "products_category_id_created_at_idx",
        Never,
    ),
    Case(
        "{ search(where: {category: {eq: CATEGORY}}, orderBy: {field: PRICE}) { nodes { __typename } } }",
        "products_category_id_price_idx",
        Never,
    ),
    Case(
        "{ search(where: {brand: {eq: BRAND}}, orderBy: {field: NEWEST}) { nodes { __typename } } }",
        "products_brand_id_created_at_idx",
        Never,
    ),
    Case(
        "{ search(where: {sourceWebsite: {eq: WEBSITE}}, orderBy: {field: PRICE}) { nodes { __typename } } }",
        "products_price_idx",
        Never,
    ),
    Case(
        "{ search(where: {category: {eq: CATEGORY}, availability: {in: [IN_STOCK]}}) { totalCount { value }
            facets { brands { count } websites { count } prices { count } ratings { count } availability { count } } } }",
        "search_documents_document_idx",
        Few,
    ),
    // The facet of the brands is counted in the category, that of the categories among the products of the brand.
    Case(
        "{ search(where: {category: {eq: CATEGORY}, brand: {eq: BRAND}}) { facets { brands { count } } } }",
        "search_documents_document_idx",
        Few,
    ),
    Case(
        "{ search(where: {category: {eq: CATEGORY}, brand: {eq: BRAND}}) { facets { categories { count } } } }",
        "search_documents_document_idx",
        Few,
    ),
    Case("{ search(where: {isOnSale: true}) { totalCount { value } } }", "products_on_sale_idx", Few),
    Case("{ search(where: {isOnSale: true}, orderBy: {field: PRICE}) { nodes { __typename } } }", "products_on_sale_idx", Few),
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
