//! Statement counts of single products, groups and offers.

use crate::support::domain_fixtures::BatchCase as Case;

pub const GROUPS: &[Case] = &[
    Case("{ products(first: 50) { PAGE } }", 2),
    Case("{ products(first: 50) { edges { node { price { amount } category { id } brand { id } } } } }", 3),
    Case("{ products(first: 50) { nodes { sourceWebsite { id } supplier { id } seller { id } } } }", 4),
    Case("{ products(first: 50) { nodes { source { externalId website { id } } } } }", 3),
    Case("{ products { nodes { stockMovements { PAGE nodes { order { id } user { id } product { id } } } } } }", 6),
    // The product is read with its category and brand in one join.
    Case("{ product(id: \"PRODUCT\") { id price { amount } category { id } brand { id } } }", 1),
    Case("{ product(slug: \"lantern-1\") { id category { id } brand { id } } }", 1),
    Case("{ product(website: \"site-1\", sku: \"L-1\") { id category { parent { id } } } }", 2),
    Case("{ productGroups(first: 50) { PAGE } }", 2),
    Case("{ productGroups(first: 50) { nodes { products(first: 3) { PAGE } sourceWebsite { id } } } }", 4),
    // Options and prices come from the products, which are read once.
    Case(
        "{ productGroups(first: 50) { nodes { options { values } priceRange { min { amount } max { amount } } } } }",
        2,
    ),
    Case("{ productGroup(slug: \"group-1\") { id } }", 1),
    Case("{ products(first: 50) { nodes { group { id } options { name value } } } }", 2),
    Case("{ products(first: 50, onePerGroup: true) { PAGE } }", 2),
    Case("{ products(first: 50) { nodes { offers { id price { amount } } } } }", 2),
];
