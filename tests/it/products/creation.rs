//! Creating a product with its stock, and drafts.

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{RowId, WebsiteId},
};

use crate::support::TestApp;

const FIELDS: &str =
    "product { id stock isActive availability stockMovements { nodes { reason delta balanceAfter } } }";

fn input(website: WebsiteId, sku: &str, stock: Value) -> Value {
    json!({ "sourceWebsiteId": website.to_global_id(), "name": "Rope", "sku": sku, "price": "12.50", "stock": stock })
}

#[tokio::test]
async fn product_is_created_with_an_opening_stock() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let seller = app.seller().await;
    for (actor, sku) in [(&app.manager().await, "A"), (&seller, "B")] {
        let made = actor.mutate("productCreate", FIELDS, input(website, sku, json!(7))).await;
        let product = made.at("productCreate.product");
        assert_eq!((&product["stock"], &product["isActive"]), (&json!(7), &json!(true)));
        assert_eq!(product["availability"], "IN_STOCK");
        let opening = json!([{ "reason": "OPENING", "delta": 7, "balanceAfter": 7 }]);
        assert_eq!(product["stockMovements"]["nodes"], opening);
    }
    let none = seller.mutate("productCreate", FIELDS, input(website, "C", json!(0))).await;
    assert_eq!(none.at("productCreate.product.stockMovements.nodes"), &json!([]));
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn invalid_or_forbidden_opening_stock_creates_no_product() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let manager = app.manager().await;
    let editor = app.user_with(&[Permission::ManageProducts], &[]).await;
    let before = app.database.contents().await;
    for stock in [-1, 1_000_001] {
        let rejected = manager.try_mutate("productCreate", input(website, "A", json!(stock))).await;
        assert_eq!(rejected, "OUT_OF_RANGE stock", "{stock}");
    }
    let rejected = editor.try_mutate("productCreate", input(website, "A", json!(1))).await;
    assert_eq!(rejected, "PERMISSION_NOT_HELD stock");
    assert_eq!(app.database.contents().await, before);
    assert_eq!(editor.try_mutate("productCreate", input(website, "A", Value::Null)).await, "done");
}

#[tokio::test]
async fn draft_is_visible_only_to_those_who_edit_it() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let manager = app.manager().await;
    let mut draft = input(website, "A", json!(3));
    draft["isActive"] = json!(false);
    let made = manager.mutate("productCreate", FIELDS, draft).await;
    assert_eq!(made.at("productCreate.product.isActive"), false);
    assert_eq!(made.at("productCreate.product.stock"), 3);
    let id = made.text_at("productCreate.product.id");
    let list = "{ products { nodes { id } } }";
    assert_eq!(app.anonymous().run(list).await.at("products.nodes"), &json!([]));
    assert_eq!(manager.run(list).await.at("products.nodes"), &json!([{ "id": id }]));
    assert_eq!(manager.try_mutate("productUpdate", json!({ "id": id, "isActive": true })).await, "done");
    assert_eq!(app.anonymous().run(list).await.at("products.nodes"), &json!([{ "id": id }]));
}
