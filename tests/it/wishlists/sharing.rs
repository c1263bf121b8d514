//! Sharing a wishlist by a link, and revoking the link.

use serde_json::{Value, json};

use super::{add, product, wishlist};
use crate::support::{Actor, TestApp};

const SHARED: &str = "query ($token: String!) { sharedWishlist(token: $token) {
    id name isShared user { id } items { nodes { quantity product { sku } } } } }";

async fn share(actor: &Actor<'_>, id: &str) -> String {
    actor.mutate("wishlistShare", "shareToken", json!({ "id": id })).await.text_at("wishlistShare.shareToken")
}

async fn shared(actor: &Actor<'_>, token: &str) -> Value {
    actor.run_with(SHARED, json!({ "token": token })).await.at("sharedWishlist").clone()
}

#[tokio::test]
async fn everyone_with_the_token_reads_a_shared_wishlist_until_the_link_is_revoked() {
    let app = TestApp::new().await;
    let (rope, removed) = (product(&app, "R", 10).await, product(&app, "gone", 10).await);
    let (ada, other) = (app.customer().await, app.customer().await);
    let id = wishlist(&ada, "Boat").await;
    add(&ada, &id, rope, 2).await;
    add(&ada, &id, removed, 1).await;
    app.database.sql(&format!("UPDATE products SET is_active = false WHERE id = {}", removed.0)).await;
    let token = share(&ada, &id).await;
    assert_eq!(app.database.scalar("SELECT shared_at = updated_at FROM wishlists").await, "t");
    let expected = json!({ "id": id, "name": "Boat", "isShared": true, "user": null, "items": { "nodes": [
        { "quantity": 1, "product": null }, { "quantity": 2, "product": { "sku": "R" } }] } });
    assert_eq!(shared(&app.anonymous(), &token).await, expected);
    assert_eq!(shared(&other, &token).await, expected);
    // The token allows reading only.
    let node = other.run_with("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
    assert_eq!(node.at("node"), &Value::Null);
    assert_eq!(other.try_mutate("wishlistUpdate", json!({ "id": id, "name": "Mine" })).await, "NOT_FOUND id");

    // A new link invalidates the previous one.
    let second = share(&ada, &id).await;
    assert_ne!(second, token);
    assert_eq!(shared(&other, &token).await, Value::Null);
    assert_eq!(shared(&other, &second).await["id"], json!(id));
    for is_active in [false, true] {
        app.database.sql(&format!("UPDATE users SET is_active = {is_active} WHERE id = {}", ada.id.0)).await;
        assert_eq!(
            !shared(&other, &second).await.is_null(),
            is_active,
            "wishlists of a deactivated owner are not shared"
        );
    }

    let response = ada.mutate("wishlistUnshare", "wishlist { isShared sharedAt }", json!({ "id": id })).await;
    assert_eq!(response.at("wishlistUnshare.wishlist"), &json!({ "isShared": false, "sharedAt": null }));
    assert_eq!(shared(&other, &second).await, Value::Null);
    assert_eq!(ada.try_mutate("wishlistUnshare", json!({ "id": id })).await, "done", "unsharing again does nothing");
}

#[tokio::test]
async fn invalid_token_finds_nothing_and_tokens_are_not_stored() {
    let app = TestApp::new().await;
    let ada = app.customer().await;
    let id = wishlist(&ada, "Boat").await;
    let token = share(&ada, &id).await;
    let hash = app.database.scalar("SELECT encode(share_hash, 'hex') FROM wishlists").await;
    let long = "x".repeat(10_000);
    for wrong in ["", "souk_w_", &token[..token.len() - 1], &hash, &id, &long, "souk_w_\u{fffd}"] {
        assert_eq!(shared(&app.anonymous(), wrong).await, Value::Null, "{wrong:.40}");
    }
    for (table, rows) in app.database.contents().await {
        assert!(!rows.contains(&token), "{table} contains the token");
    }
}
