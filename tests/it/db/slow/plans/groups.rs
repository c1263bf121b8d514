//! Query plans of the category tree, brands, single products, groups and offers, for every viewer.

use super::{
    Case,
    Sorts::{Few, Never},
};

pub const GROUPS: &[Case] = &[
    Case(
        "{ categories(first: 50) { nodes { children(first: 3) { nodes { id } } } } }",
        "categories_parent_id_idx",
        Never,
    ),
    Case(
        "{ brands(first: 50) { nodes { products(first: 3) { nodes { id } } } } }",
        "products_brand_id_created_at_idx",
        Never,
    ),
    Case("{ product(id: PRODUCT) { id } }", "products_pkey", Never),
    Case("{ product(slug: \"lantern-1\") { id } }", "products_slug_key", Never),
    Case("{ product(website: \"site-1\", sku: \"L-20\") { id } }", "products_source_website_id_sku_key", Never),
    // The first product of each group: list order, with a lookup of the group's other products.
    Case("{ products(onePerGroup: true) { nodes { id } } }", "products_created_at_idx", Never),
    Case("{ products(onePerGroup: true) { nodes { id } } }", "products_group_id_option_values_key", Never),
    Case(
        "{ products(onePerGroup: true, last: 5, orderBy: {field: NAME}) { nodes { id } } }",
        "products_name_idx",
        Never,
    ),
    Case(
        "{ products(onePerGroup: true, after: PRICE, orderBy: {field: PRICE}) { nodes { id } } }",
        "products_price_idx",
        Never,
    ),
    Case(
        "{ products(onePerGroup: true, where: {category: {eq: CATEGORY}}, orderBy: {field: PRICE}) { nodes { id } } }",
        "products_category_id_price_idx",
        Never,
    ),
    Case("{ products(where: {group: {eq: GROUP}}) { nodes { id } } }", "products_group_id_option_values_key", Few),
    Case("{ productGroups { nodes { id } } }", "product_groups_name_idx", Never),
    Case(
        "{ productGroups(where: {sourceWebsite: {eq: WEBSITE}}) { nodes { id } } }",
        "product_groups_source_website_id_idx",
        Never,
    ),
    Case("{ productGroup(slug: \"group-20\") { id } }", "product_groups_slug_key", Never),
    Case("{ products { nodes { group { id } } } }", "product_groups_pkey", Never),
    Case(
        "{ productGroups { nodes { options { values } priceRange { min { amount } } } } }",
        "products_group_id_option_values_key",
        Few,
    ),
    Case(
        "{ productGroups { nodes { products(first: 3) { nodes { id } } } } }",
        "products_group_id_option_values_key",
        Few,
    ),
    // Offers are few; they are ordered by website.
    Case("{ products { nodes { offers { id } } } }", "products_gtin_idx", Few),
    Case("{ products { nodes { offers { id } } } }", "products_linked_id_idx", Few),
];
