//! Loaders of products, of their purchase details and of their offers.

use std::sync::Arc;

use crate::{
    cache::Tag,
    db::PlanMode,
    graphql::schema::{
        loaders::{by_key, by_parent},
        nested_lists::nested_list,
        products::tags::{tag_of_parent, tags_of, tags_of_lookup},
    },
    ids::ProductId,
    products::{
        self,
        model::{ProductParent, ProductRow, PurchaseRow},
        store::{ProductList, lookup::ProductWithParents},
    },
};

by_key! {
    /// Products with their categories and brands, by ID.
    ProductsWithParents by ProductId => ProductWithParents,
    |conn, context, ids| products::store::lookup::by_ids(conn, &context.product_scope(), &ids), found => found.product.id,
    tags |id, found| tags_of(*id, found),
    cached Public, |found| found.product.description.len()
}

by_key! {
    /// Products with their categories and brands, by slug.
    ProductsBySlug by String => ProductWithParents,
    |conn, context, slugs| products::store::lookup::by_slugs(conn, &context.product_scope(), &slugs),
    found => found.product.slug.clone(),
    tags |_, found| tags_of_lookup(found)
}

by_key! {
    /// Products without a visibility check, for sale or not: for those who ordered one.
    UnscopedProducts by ProductId => ProductRow,
    |conn, _, ids| products::store::by_ids_including_inactive(conn, &ids), row => row.id
}

by_key! {
    /// Cost prices and supplier SKUs of products.
    PurchaseDetails by ProductId => PurchaseRow,
    |conn, _, ids| products::store::purchases_by_ids(conn, &ids), row => row.id
}

by_parent! {
    /// Offers of the same products, including those at other websites.
    OffersByProduct by ProductId => (ProductId, Arc<ProductRow>),
    |conn, context, ids| products::store::offers_by_product_ids(conn, &context.product_scope(), &ids), row => row.0,
    tags |_, _| vec![Tag::list("list:products")]
}

nested_list! {
    /// Products of categories, brands, suppliers or websites.
    ProductPages of (ProductParent, ProductList) => ProductRow,
    |conn, context, parent, list, ids|
    rows products::store::pages_by_parent_ids(conn, &context.product_scope(), parent, list, ids),
    counts products::store::counts_by_parent_ids(conn, &context.product_scope(), parent, list, ids),
    plans PlanMode::Generic,
    tags |parent, id| vec![tag_of_parent(parent, id)]
}
