//! Query plans of lists that only staff read: reviews, the audit log, jobs and transfers; of ratings, and of lookups of products and orders.

use super::{
    Case,
    Sorts::{Few, Never},
};

/// Reviews and ratings.
pub const REVIEWS: &[Case] = &[
    Case(
        "{ products(orderBy: {field: RATING, direction: DESC}) { nodes { id } } }",
        "products_rating_average_idx",
        Never,
    ),
    Case("{ reviews { nodes { id } } }", "reviews_created_at_idx", Never),
    Case("{ reviews(orderBy: {field: RATING}) { nodes { id } } }", "reviews_rating_idx", Never),
    Case("{ reviews(where: {status: {eq: PENDING}}) { nodes { id } } }", "reviews_status_created_at_idx", Never),
    Case("{ reviews(where: {product: {eq: PRODUCT}}) { nodes { id } } }", "reviews_product_id", Few),
    Case("{ products { nodes { reviews(first: 3) { nodes { id } } } } }", "reviews_product_id_created_at_idx", Never),
    Case(
        "{ products { nodes { reviews(first: 3, orderBy: {field: RATING}) { nodes { id } } } } }",
        "reviews_product_id_rating_idx",
        Never,
    ),
    Case("{ products { nodes { rating { stars { count } } } } }", "reviews_product_id_rating_idx", Few),
    Case("{ users { nodes { reviews(first: 3) { nodes { id } } } } }", "reviews_user_id_created_at_idx", Never),
    Case("{ reviews { nodes { author } } }", "users_pkey", Never),
];

/// Products by SKU; orders by code of the website, time of the last update, and product.
pub const LOOKUPS: &[Case] = &[
    // The few products with the same SKU are sorted by ID while they are read.
    Case("{ products(orderBy: {field: SKU}) { nodes { id } } }", "products_source_website_id_sku_key", Never),
    Case(
        "{ orders(where: {sourceWebsite: {code: \"site-1\"}}) { nodes { id } } }",
        "orders_source_website_id_placed_at_idx",
        Never,
    ),
    Case(
        "{ orders(where: {updatedAt: {gte: \"2999-01-01T00:00:00Z\"}}) { nodes { id } } }",
        "orders_updated_at_idx",
        Few,
    ),
    Case("{ orders(where: {product: {eq: PRODUCT}}) { nodes { id } } }", "order_details_product_id_idx", Few),
];

/// The audit log.
pub const AUDIT_LOG: &[Case] = &[
    Case("{ auditLog { nodes { id } } }", "audit_log_at_idx", Never),
    Case("{ auditLog(last: 5) { nodes { id } } }", "audit_log_at_idx", Never),
    Case("{ auditLog(where: {at: {gte: \"2026-01-01T00:00:00Z\"}}) { nodes { id } } }", "audit_log_at_idx", Never),
    Case("{ auditLog(where: {user: {eq: SELLER}}) { nodes { id } } }", "audit_log_user_id_at_idx", Never),
    Case("{ auditLog(where: {resourceType: {eq: ROLE}}) { nodes { id } } }", "audit_log_resource_type_at_idx", Never),
    Case("{ auditLog(where: {resourceId: PRODUCT}) { nodes { id } } }", "audit_log_resource_id_at_idx", Never),
    Case("{ auditLog(where: {website: {eq: WEBSITE}}) { nodes { id } } }", "audit_log_website_id_at_idx", Never),
    Case("{ auditLog { nodes { user { id } } } }", "users_pkey", Never),
];

/// Jobs.
pub const JOBS: &[Case] = &[
    Case("{ jobs { totalCount { value } nodes { id } } }", "jobs_created_at_idx", Never),
    Case("{ jobs(where: {state: {eq: DEAD}}) { nodes { id } } }", "jobs_created_at_idx", Never),
];

/// Imports and exports.
pub const TRANSFERS: &[Case] = &[
    Case("{ transfers { totalCount { value } nodes { id } } }", "transfers_created_at_idx", Never),
    Case("{ transfers(where: {website: {eq: WEBSITE}}) { nodes { id } } }", "transfers_website_id_idx", Never),
    Case("{ transfers(where: {status: {eq: FAILED}}) { nodes { id } } }", "transfers_created_at_idx", Never),
];
