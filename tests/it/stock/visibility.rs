//! Visibility of stock: quantities are for staff and the seller; everyone else sees only the availability.

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{ProductId, RowId, WebsiteId},
};

use crate::support::{Actor, ProductSpec, TestApp};

const STOCK_QUERY: &str =
    "query ($id: ID!) { product(id: $id) { stock availableStock lowStockThreshold availability remainingQuantity
    stockMovements { nodes { delta } } } }";

/// Returns stock, available quantity, low-stock threshold, and whether the ledger is shown; `-` for what is hidden.
async fn visible_stock(actor: &Actor<'_>, product: ProductId) -> String {
    let response = actor.run_with(STOCK_QUERY, json!({ "id": product.to_global_id() })).await;
    let shown = |field: &str| match response.at(&format!("product.{field}")) {
        Value::Null => "-".to_owned(),
        Value::Object(_) => "ledger".to_owned(),
        value => value.to_string(),
    };
    ["stock", "availableStock", "lowStockThreshold", "stockMovements"].map(shown).join(" ")
}

async fn public_stock(app: &TestApp, product: ProductId) -> String {
    let response = app.anonymous().run_with(STOCK_QUERY, json!({ "id": product.to_global_id() })).await;
    format!("{} {}", response.text_at("product.availability"), response.at("product.remainingQuantity"))
}

#[tokio::test]
async fn stock_level_is_visible_only_to_website_staff_and_the_seller() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("sailor").await.id, app.website("rise").await.id);
    let (seller, other) = (app.seller().await, app.seller().await);
    let spec = ProductSpec { stock: 70, seller: Some(seller.id), ..ProductSpec::default() };
    let product = app.product(here, spec).await.id;
    let holder = async |permission, websites: &[WebsiteId]| app.user_with(&[permission], websites).await;
    let table = [
        (app.anonymous(), "- - - -"),
        (app.customer().await, "- - - -"),
        (other, "- - - -"),
        (holder(Permission::ManageOrders, &[]).await, "- - - -"),
        (holder(Permission::ManageStock, &[there]).await, "- - - -"),
        (holder(Permission::ManageProducts, &[there]).await, "- - - -"),
        (holder(Permission::ManageProducts, &[]).await, "70 70 5 -"),
        (holder(Permission::ManageStock, &[here]).await, "70 70 5 ledger"),
        (seller, "70 70 5 ledger"),
        (app.manager().await, "70 70 5 ledger"),
    ];
    for (index, (actor, expected)) in table.iter().enumerate() {
        assert_eq!(visible_stock(actor, product).await, *expected, "row {index}");
    }
    // Nor through a line of the viewer's own order.
    let buyer = app.customer().await;
    buyer.order(&[(product, 1)]).await;
    let lines =
        buyer.run("{ orders { nodes { details { product { stock remainingQuantity availability } } } } }").await;
    let line = lines.at("orders.nodes.0.details.0.product");
    assert_eq!(*line, json!({ "stock": null, "remainingQuantity": null, "availability": "IN_STOCK" }));
}

#[tokio::test]
async fn everyone_sees_availability_and_the_quantity_left_when_low() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec::default()).await.id;
    let manager = app.manager().await;
    let set = async |quantity: i32| {
        let input = json!({ "productId": product.to_global_id(), "quantity": quantity });
        assert_eq!(manager.mutate("stockSet", "product { id }", input).await.outcome("stockSet"), "done");
    };
    let low = async |units: i32| {
        let input = json!({ "id": product.to_global_id(), "lowStockThreshold": units });
        manager.mutate("productUpdate", "product { lowStockThreshold }", input).await.outcome("productUpdate")
    };
    assert_eq!(public_stock(&app, product).await, "OUT_OF_STOCK null");
    for (quantity, expected) in [(1, "LOW_STOCK 1"), (5, "LOW_STOCK 5"), (6, "IN_STOCK null")] {
        set(quantity).await;
        assert_eq!(public_stock(&app, product).await, expected);
    }
    for (units, outcome, expected) in [
        (6, "done", "LOW_STOCK 6"),
        (0, "done", "IN_STOCK null"),
        (-1, "OUT_OF_RANGE lowStockThreshold", "IN_STOCK null"),
        (1_000_001, "OUT_OF_RANGE lowStockThreshold", "IN_STOCK null"),
        (1_000_000, "done", "LOW_STOCK 6"),
    ] {
        assert_eq!(low(units).await, outcome);
        assert_eq!(public_stock(&app, product).await, expected);
    }
    // Units that are reserved for a cart are unavailable to others.
    let buyer = app.customer().await;
    let cart = buyer.create_cart(&[(product, 4)]).await;
    let reserved = buyer.mutate("cartReserve", "cart { id }", json!({ "id": cart.id })).await;
    assert_eq!(reserved.outcome("cartReserve"), "done");
    assert_eq!(public_stock(&app, product).await, "LOW_STOCK 2");
    let all = app
        .anonymous()
        .run("{ products(where: {availability: {in: [LOW_STOCK, OUT_OF_STOCK]}}) { totalCount { value } } }")
        .await;
    assert_eq!(*all.at("products.totalCount.value"), 1);
}

#[tokio::test]
async fn error_messages_do_not_reveal_hidden_stock_levels() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let many = app.product(website, ProductSpec { stock: 7321, ..ProductSpec::default() }).await.id;
    let few = app.product(website, ProductSpec { stock: 3, ..ProductSpec::default() }).await.id;
    let none = app.product(website, ProductSpec::default()).await.id;
    let buyer = app.customer().await;
    let cart = buyer.mutate("cartCreate", "cart { id }", json!({})).await.text_at("cartCreate.cart.id");
    for (product, expected) in
        [(many, "fewer than 8000 units in stock"), (few, "only 3 left, 8000 requested"), (none, " is out of stock")]
    {
        let line = json!({ "cartId": cart, "productId": product.to_global_id(), "quantity": 8000 });
        let added = buyer.mutate("cartLineAdd", "cart { id }", line).await;
        let ordered = buyer.try_order(&[(product, 8000)], &product.0.to_string()).await;
        for (response, mutation) in [(added, "cartLineAdd"), (ordered, "orderCreate")] {
            let text = response.json.to_string();
            assert!(text.contains("OUT_OF_STOCK") && text.contains(expected), "{mutation}: {text}");
            assert!(!text.contains("7321"), "{mutation}: {text}");
        }
    }
}

#[tokio::test]
async fn stock_filter_does_not_reveal_hidden_stock_levels() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("sailor").await.id, app.website("rise").await.id);
    let (a, b) = (app.seller().await, app.seller().await);
    for (website, seller, sku) in [(here, &a, "of-a"), (there, &b, "of-b")] {
        let spec = ProductSpec { sku: Some(sku.into()), stock: 8, seller: Some(seller.id), ..ProductSpec::default() };
        app.product(website, spec).await;
    }
    let list =
        |filter: &str| format!("{{ products(where: {filter}, orderBy: {{field: NAME}}) {{ nodes {{ sku }} }} }}");
    for filter in ["{stock: {gte: 1}}", "{or: [{not: {stock: {eq: 1}}}]}", "{and: [{stock: {lte: 1}}]}"] {
        for actor in [app.anonymous(), app.customer().await, app.user_with(&[Permission::ManageOrders], &[]).await] {
            assert_eq!(actor.run(&list(filter)).await.code(), "FORBIDDEN", "{filter}");
        }
    }
    let staff_here = app.user_with(&[Permission::ManageStock], &[here]).await;
    for (actor, more, less) in [
        (&a, "of-a", "of-b"),
        (&b, "of-b", "of-a"),
        (&staff_here, "of-a", "of-b"),
        (&app.manager().await, "of-a of-b", ""),
    ] {
        for (filter, expected) in
            [("{stock: {gte: 8}}", more), ("{not: {stock: {gte: 8}}}", less), ("{stock: {lte: 7}}", "")]
        {
            let response = actor.run(&list(filter)).await;
            let nodes = response.at("products.nodes").as_array().expect("a list");
            let found: Vec<_> = nodes.iter().map(|node| node["sku"].as_str().unwrap_or_default()).collect();
            assert_eq!(found.join(" "), expected, "{filter}");
        }
    }
}
