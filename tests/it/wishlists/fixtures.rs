//! Fixtures of wishlists for the tests of all domains.

use futures_util::FutureExt;
use serde_json::json;
use souk::ids::{RowId, WishlistId, WishlistItemId};

use crate::support::{
    bulk::{BASE, nth_id},
    domain_fixtures::{AuditCase, BatchCase, DomainFixtures},
};

pub const FIXTURES: DomainFixtures = DomainFixtures {
    rows: |actor, product| {
        async move {
            let list = actor.mutate("wishlistCreate", "wishlist { id }", json!({ "name": "Boat" })).await;
            let list = list.text_at("wishlistCreate.wishlist.id");
            let item = json!({ "wishlistId": list, "productId": product.to_global_id() });
            let item = actor.mutate("wishlistItemAdd", "wishlistItem { id }", item).await;
            vec![("Wishlist", list), ("WishlistItem", item.text_at("wishlistItemAdd.wishlistItem.id"))]
        }
        .boxed()
    },
    restricted_types: &["Wishlist", "WishlistItem"],
    audit_cases: &[
        AuditCase("wishlistCreate", r#"{"name": "Ship"}"#, &[r#"CREATED WISHLIST - null {"user_id":"ADMIN"}"#]),
        AuditCase(
            "wishlistShare",
            r#"{"id": "WISHLIST"}"#,
            &[r#"UPDATED WISHLIST - {"share_hash":null} {"share_hash":"(hidden)"}"#],
        ),
        AuditCase(
            "wishlistUnshare",
            r#"{"id": "WISHLIST"}"#,
            &[r#"UPDATED WISHLIST - {"share_hash":"(hidden)"} {"share_hash":null}"#],
        ),
        AuditCase(
            "wishlistItemRemove",
            r#"{"id": "WISHLISTITEM"}"#,
            &[r#"DELETED WISHLIST_ITEM - {"quantity":1,"product_id":"ROPE","wishlist_id":"WISHLIST"} null"#],
        ),
        AuditCase(
            "wishlistItemAdd",
            r#"{"wishlistId": "WISHLIST", "productId": "ROPE", "quantity": 2}"#,
            &[r#"CREATED WISHLIST_ITEM - null {"quantity":2,"product_id":"ROPE","wishlist_id":"WISHLIST"}"#],
        ),
        AuditCase(
            "wishlistMoveToCart",
            r#"{"id": "WISHLIST"}"#,
            &[r#"DELETED WISHLIST_ITEM - {"quantity":2,"product_id":"ROPE","wishlist_id":"WISHLIST"} null"#],
        ),
        AuditCase("wishlistDelete", r#"{"id": "WISHLIST"}"#, &[r#"DELETED WISHLIST - {"user_id":"ADMIN"} null"#]),
    ],
    unaudited_mutations: &[("wishlistUpdate", "the name is private text of the owner")],
    batch_cases: &[
        BatchCase("{ wishlists(first: 50) { PAGE } }", 2),
        BatchCase(
            "{ wishlists(first: 50) { nodes { user { id } items(first: 3) { PAGE nodes { product { id } wishlist { id } } } } } }",
            5,
        ),
        BatchCase("{ wishlist(id: \"WISHLIST\") { id } }", 1),
        BatchCase("{ sharedWishlist(token: \"token-1\") { name items { nodes { product { id } } } } }", 3),
        BatchCase("{ node(id: \"WISHLIST\") { id } }", 1),
        BatchCase("{ node(id: \"WISHLIST_ITEM\") { id ... on WishlistItem { quantity } } }", 2),
    ],
    batch_ids: || vec![("WISHLIST", nth_id::<WishlistId>(1)), ("WISHLIST_ITEM", nth_id::<WishlistItemId>(1))],
    seed_sql: |n| {
        format!(
            "INSERT INTO wishlists (id, user_id, name, share_hash, shared_at)
                 SELECT {BASE} + i, {BASE} + i, 'Boat', sha256(('token-' || i)::bytea), now() FROM generate_series(1, {n}) i;
             INSERT INTO wishlist_items (id, wishlist_id, product_id, quantity)
                 SELECT {BASE} + i, {BASE} + i, {BASE} + i, 1 FROM generate_series(1, {n}) i;"
        )
    },
};
