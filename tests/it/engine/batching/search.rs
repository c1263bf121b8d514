//! Batching of searches, suggestions and search rules.

use super::Case;

pub const SEARCHES: &[Case] = &[
    Case("{ search(query: \"lantern\", first: 50) { FOUND } }", 3),
    Case("{ search(query: \"shelf\", types: [CATEGORY], first: 50) { FOUND } }", 3),
    Case("{ search(query: \"maker\", types: [BRAND], first: 50) { FOUND } }", 3),
    Case("{ search(query: \"depot\", types: [SUPPLIER], first: 50) { FOUND } }", 3),
    Case("{ search(query: \"lantern or depot\", first: 100) { nodes { ... on Supplier { id } } } }", 5),
    Case("{ search(query: \"lantern\", first: 50) { nodes { ... on Product { category { id } brand { id } } } } }", 5),
    Case(
        "{ search(query: \"lantern\", first: 50) { edges { snippet } facets { precision tags { value count } onSale
            categories { value count category { id } } brands { value count brand { id } }
            websites { value count website { code } } prices { min { amount } max { amount } count } ratings { value count }
            availability { value count } options { name values { value count } } onSale } } }",
        9,
    ),
    Case("{ search(first: 50) { FOUND } }", 3),
    Case("{ searchSuggestions(prefix: \"lant\", first: 50) { text kind } }", 4),
    Case("{ searchSuggestions(prefix: \"l\", first: 50) { text kind node { __typename ... on Product { id } } } }", 5),
    Case("{ searchSuggestions(prefix: \"shelf\", first: 50) { text kind node { __typename ... on Category { id } } } }", 5),
    Case("{ search(query: \"lantern 1\", where: {sourceWebsite: {eq: \"WEBSITE\"}}) { redirect { target { ... on Product { id } } } nodes { ... on Product { id } } } }", 3),
    Case("{ searchRules(first: 50) { PAGE } }", 2),
    Case("{ searchRules(first: 50) { nodes { website { id } target { __typename ... on Product { id } } } } }", 3),
    Case(
        "{ searchAnalytics { top { query } zeroResults { query } clickThrough { rate } trends(interval: DAY) { searches } } }",
        12,
    ),
];
