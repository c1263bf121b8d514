//! Moving items of a wishlist into the cart.

use serde_json::{Value, json};
use souk::ids::RowId;

use super::{add, items, product, wishlist};
use crate::support::{Actor, TestApp};

const CART: &str = "cart { id lines { quantity product { sku } } }";

async fn move_to_cart(actor: &Actor<'_>, input: Value) -> Value {
    let response = actor.mutate("wishlistMoveToCart", CART, input).await;
    assert_eq!(response.outcome("wishlistMoveToCart"), "done", "{response:#?}");
    let lines = response.at("wishlistMoveToCart.cart.lines").as_array().expect("a list");
    lines.iter().map(|line| json!([line["product"]["sku"], line["quantity"]])).collect()
}

#[tokio::test]
async fn all_items_or_some_of_them_move_into_the_cart() {
    let app = TestApp::new().await;
    let (rope, sail, oar) = (product(&app, "R", 10).await, product(&app, "S", 10).await, product(&app, "O", 10).await);
    let ada = app.customer().await;
    ada.create_cart(&[(rope, 1)]).await;
    let id = wishlist(&ada, "Boat").await;
    let (rope_item, sail_item) = (add(&ada, &id, rope, 2).await, add(&ada, &id, sail, 3).await);
    let some = json!({ "id": id, "itemIds": [rope_item] });
    // The quantity is added to the line in the cart.
    assert_eq!(move_to_cart(&ada, some.clone()).await, json!([["R", 3]]));
    assert_eq!(items(&ada, &id).await, json!([["S", 3]]));
    assert_eq!(ada.try_mutate("wishlistMoveToCart", some).await, "NOT_FOUND itemIds.0", "the item was already moved");
    let twice = json!({ "id": id, "itemIds": [sail_item, sail_item] });
    assert_eq!(ada.try_mutate("wishlistMoveToCart", twice).await, "INVALID itemIds.1");
    assert_eq!(ada.try_mutate("wishlistMoveToCart", json!({ "id": id, "itemIds": [] })).await, "REQUIRED itemIds");
    add(&ada, &id, oar, 1).await;
    assert_eq!(move_to_cart(&ada, json!({ "id": id })).await, json!([["R", 3], ["S", 3], ["O", 1]]));
    assert_eq!(items(&ada, &id).await, json!([]));
}

#[tokio::test]
async fn cart_is_created_for_moved_items_if_missing() {
    let app = TestApp::new().await;
    let rope = product(&app, "R", 10).await;
    let ada = app.customer().await;
    let id = wishlist(&ada, "Boat").await;
    add(&ada, &id, rope, 2).await;
    assert_eq!(move_to_cart(&ada, json!({ "id": id })).await, json!([["R", 2]]));
    let cart = ada.run("{ cart { lines { quantity } } }").await;
    assert_eq!(cart.at("cart.lines"), &json!([{ "quantity": 2 }]));
}

#[tokio::test]
async fn unavailable_item_prevents_the_whole_move() {
    let app = TestApp::new().await;
    let (rope, few, removed) =
        (product(&app, "R", 10).await, product(&app, "few", 1).await, product(&app, "gone", 5).await);
    let ada = app.customer().await;
    let id = wishlist(&ada, "Boat").await;
    let rope_item = add(&ada, &id, rope, 1).await;
    let few_item = add(&ada, &id, few, 2).await;
    let removed_item = add(&ada, &id, removed, 1).await;
    app.database.sql(&format!("UPDATE products SET is_active = false WHERE id = {}", removed.0)).await;
    let before = app.database.contents().await;
    // Errors name items by index: in `items`, latest first, or in `itemIds`.
    for (input, few, removed) in [
        (json!({ "id": id }), "items.1", "items.0"),
        (json!({ "id": id, "itemIds": [few_item, rope_item, removed_item] }), "itemIds.0", "itemIds.2"),
    ] {
        let response = ada.mutate("wishlistMoveToCart", CART, input).await;
        let expected = [("NOT_FOUND", format!("{removed}.productId")), ("OUT_OF_STOCK", format!("{few}.quantity"))];
        let mut found = response.user_errors("wishlistMoveToCart");
        found.sort();
        assert_eq!(found, expected.map(|(code, field)| (code.to_owned(), field)), "{response:#?}");
    }
    assert_eq!(app.database.contents().await, before);
    // An item of another user's wishlist is not found.
    let other = app.customer().await;
    let theirs = wishlist(&other, "Ship").await;
    let theirs = add(&other, &theirs, rope, 1).await;
    let input = json!({ "id": id, "itemIds": [theirs] });
    assert_eq!(ada.try_mutate("wishlistMoveToCart", input).await, "NOT_FOUND itemIds.0");
    let too_many: Vec<_> = (0..501).map(|i| souk::ids::WishlistItemId(i + 1).to_global_id()).collect();
    let input = json!({ "id": id, "itemIds": too_many });
    assert_eq!(ada.try_mutate("wishlistMoveToCart", input).await, "OUT_OF_RANGE itemIds");
}

#[tokio::test]
async fn a_rejected_move_returns_the_cart_as_it_is() {
    let app = TestApp::new().await;
    let (rope, few) = (product(&app, "R", 10).await, product(&app, "few", 1).await);
    let ada = app.customer().await;
    let id = wishlist(&ada, "Boat").await;
    add(&ada, &id, few, 2).await;
    let rejected = async || {
        let response = ada.mutate("wishlistMoveToCart", CART, json!({ "id": id })).await;
        assert_eq!(response.outcome("wishlistMoveToCart"), "OUT_OF_STOCK items.0.quantity");
        response.at("wishlistMoveToCart.cart").clone()
    };
    assert_eq!(rejected().await, Value::Null, "there is no cart yet");
    let cart = ada.create_cart(&[(rope, 3)]).await;
    let lines = json!([{ "quantity": 3, "product": { "sku": "R" } }]);
    assert_eq!(rejected().await, json!({ "id": cart.id, "lines": lines }));
}

#[tokio::test]
async fn concurrent_moves_add_an_item_to_the_cart_once() {
    let app = TestApp::new().await;
    let rope = product(&app, "R", 10).await;
    let ada = app.customer().await;
    let id = wishlist(&ada, "Boat").await;
    add(&ada, &id, rope, 2).await;
    let go = || ada.try_mutate("wishlistMoveToCart", json!({ "id": id }));
    let mut outcomes = <[String; 2]>::from(tokio::join!(go(), go()));
    outcomes.sort();
    assert_eq!(outcomes, ["REQUIRED id", "done"]);
    let cart = ada.run("{ cart { lines { quantity } } }").await;
    assert_eq!(cart.at("cart.lines"), &json!([{ "quantity": 2 }]));
}
