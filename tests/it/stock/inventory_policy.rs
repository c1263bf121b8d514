//! Products whose stock is not tracked, and products that are sold on backorder.

use serde_json::{Value, json};
use souk::{
    ids::{ProductId, RowId},
    products::model::{Backorders, InventoryPolicy},
};

use crate::support::{Actor, ProductSpec, TestApp, psql::Psql, psql::violated_constraint};

const SHOWN: &str =
    "query ($id: ID!) { product(id: $id) { inventoryPolicy backorders availability remainingQuantity stock
    availableStock } }";
const DETAILS: &str = "order { id details { id } }";

fn untracked() -> ProductSpec {
    ProductSpec { inventory_policy: Some(InventoryPolicy::NotTracked), ..ProductSpec::default() }
}

fn on_backorder(stock: i32) -> ProductSpec {
    ProductSpec { stock, backorders: Some(Backorders::Allow), ..ProductSpec::default() }
}

/// Returns inventory policy, backorders, availability, remaining quantity, stock and available stock.
async fn shown(actor: &Actor<'_>, product: ProductId) -> String {
    let response = actor.run_with(SHOWN, json!({ "id": product.to_global_id() })).await;
    let value = |field: &str| match response.at(&format!("product.{field}")) {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    ["inventoryPolicy", "backorders", "availability", "remainingQuantity", "stock", "availableStock"]
        .map(value)
        .join(" ")
}

async fn ledger(app: &TestApp, product: ProductId) -> String {
    let sql = "SELECT coalesce(string_agg(reason || ' ' || delta, ', ' ORDER BY id), '') FROM stock_movements WHERE product_id = ";
    app.database.scalar(&format!("{sql}{}", product.0)).await
}

#[tokio::test]
async fn untracked_products_are_always_available_and_leave_the_ledger_alone() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, untracked()).await.id;
    let (customer, manager) = (app.customer().await, app.manager().await);
    assert_eq!(shown(&customer, product).await, "NOT_TRACKED DENY IN_STOCK null null null");
    assert_eq!(shown(&manager, product).await, "NOT_TRACKED DENY IN_STOCK null 0 null");

    // A cart, a reservation and a checkout of more units than any stock has.
    let cart = customer.create_cart(&[(product, 900_000)]).await;
    let line = customer.run("{ cart { lines { availability } } }").await;
    assert_eq!(line.at("cart.lines.0.availability"), "AVAILABLE");
    let reserved = customer.mutate("cartReserve", "cart { reservedUntil }", json!({ "id": cart.id })).await;
    assert_eq!(reserved.outcome("cartReserve"), "done");
    assert_eq!(*reserved.at("cartReserve.cart.reservedUntil"), Value::Null, "there is nothing to reserve");

    let placed = customer.try_order(&[(product, 7)], "k").await;
    assert_eq!(placed.outcome("orderCreate"), "done");
    let order = placed.text_at("orderCreate.order.id");
    let line = placed.text_at("orderCreate.order.details.0.id");
    let more = customer.mutate("orderDetailUpdate", DETAILS, json!({ "id": line, "quantity": 9 })).await;
    assert_eq!(more.outcome("orderDetailUpdate"), "done");
    let fewer = customer.mutate("orderDetailUpdate", DETAILS, json!({ "id": line, "quantity": 2 })).await;
    assert_eq!(fewer.outcome("orderDetailUpdate"), "done");
    let canceled = customer.mutate("orderCancel", "order { status }", json!({ "id": order })).await;
    assert_eq!(canceled.outcome("orderCancel"), "done");
    assert_eq!((ledger(&app, product).await, app.stock(product).await), (String::new(), 0));
}

#[tokio::test]
async fn backorders_take_the_stock_below_zero_and_cancellations_give_it_back() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, on_backorder(3)).await.id;
    let (customer, manager) = (app.customer().await, app.manager().await);
    assert_eq!(shown(&customer, product).await, "TRACKED ALLOW LOW_STOCK 3 null null");
    let placed = customer.try_order(&[(product, 5)], "k").await;
    assert_eq!(placed.outcome("orderCreate"), "done");
    assert_eq!(shown(&customer, product).await, "TRACKED ALLOW BACKORDER null null null");
    assert_eq!(shown(&manager, product).await, "TRACKED ALLOW BACKORDER null -2 0");
    let cart = customer.create_cart(&[(product, 4)]).await;
    let line = customer.run("{ cart { lines { availability } } }").await;
    assert_eq!(line.at("cart.lines.0.availability"), "AVAILABLE");
    let reserved = customer.mutate("cartReserve", "cart { id }", json!({ "id": cart.id })).await;
    assert_eq!(reserved.outcome("cartReserve"), "done");
    let filter = "{ products(where: {availability: {eq: BACKORDER}}) { nodes { id } } }";
    assert_eq!(*app.anonymous().run(filter).await.at("products.nodes.0.id"), product.to_global_id());

    let order = placed.text_at("orderCreate.order.id");
    let canceled = customer.mutate("orderCancel", "order { status }", json!({ "id": order })).await;
    assert_eq!(canceled.outcome("orderCancel"), "done");
    assert_eq!(ledger(&app, product).await, "opening 3, sale -5, cancellation 5");
    assert_eq!(app.stock(product).await, 3);
}

#[tokio::test]
async fn backorders_have_a_limit() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, on_backorder(0)).await.id;
    let customer = app.customer().await;
    assert_eq!(customer.try_order(&[(product, 1_000_000)], "a").await.outcome("orderCreate"), "done");
    let rejected = customer.try_order(&[(product, 1)], "b").await;
    assert_eq!(rejected.outcome("orderCreate"), "OUT_OF_STOCK lines.0.quantity");
    assert_eq!(app.stock(product).await, -1_000_000);
}

#[tokio::test]
async fn backorders_cannot_be_denied_while_the_stock_is_below_zero() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, on_backorder(1)).await.id;
    let (customer, manager) = (app.customer().await, app.manager().await);
    customer.order(&[(product, 4)]).await;
    let deny = json!({ "id": product.to_global_id(), "backorders": "DENY" });
    let update = async || manager.mutate("productUpdate", "product { backorders }", deny.clone()).await;
    assert_eq!(update().await.outcome("productUpdate"), "INVALID backorders");
    let counted = json!({ "productId": product.to_global_id(), "quantity": 2, "compare": 0 });
    assert_eq!(manager.mutate("stockSet", "", counted).await.outcome("stockSet"), "STOCK_CHANGED compare");
    let delivered = json!({ "productId": product.to_global_id(), "delta": 5 });
    assert_eq!(manager.mutate("stockAdjust", "", delivered).await.outcome("stockAdjust"), "done");
    assert_eq!(update().await.outcome("productUpdate"), "done");
    assert_eq!(shown(&customer, product).await, "TRACKED DENY LOW_STOCK 2 null null");
    let less = json!({ "productId": product.to_global_id(), "delta": -3 });
    assert_eq!(manager.mutate("stockAdjust", "", less).await.outcome("stockAdjust"), "OUT_OF_STOCK delta");
    let null = json!({ "id": product.to_global_id(), "backorders": null, "inventoryPolicy": "TRACKED" });
    assert_eq!(manager.mutate("productUpdate", "", null).await.outcome("productUpdate"), "REQUIRED backorders");
}

#[tokio::test]
async fn orders_give_back_only_what_they_took_when_the_policy_changed() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: 10, ..ProductSpec::default() }).await.id;
    let (customer, manager) = (app.customer().await, app.manager().await);
    let policy = async |policy: &str| {
        let input = json!({ "id": product.to_global_id(), "inventoryPolicy": policy });
        assert_eq!(manager.mutate("productUpdate", "", input).await.outcome("productUpdate"), "done");
    };
    let placed = customer.try_order(&[(product, 4)], "k").await;
    let line = placed.text_at("orderCreate.order.details.0.id");
    let set = async |quantity: i32| {
        let input = json!({ "id": line, "quantity": quantity });
        assert_eq!(customer.mutate("orderDetailUpdate", DETAILS, input).await.outcome("orderDetailUpdate"), "done");
        app.stock(product).await
    };
    assert_eq!(app.stock(product).await, 6);
    policy("NOT_TRACKED").await;
    assert_eq!(set(9).await, 6, "five units are not taken");
    policy("TRACKED").await;
    assert_eq!(set(7).await, 6, "the two units were not taken");
    assert_eq!(set(3).await, 7, "of the four units that were taken, the order keeps three");
    let order = placed.text_at("orderCreate.order.id");
    let canceled = customer.mutate("orderCancel", "", json!({ "id": order })).await;
    assert_eq!(canceled.outcome("orderCancel"), "done");
    assert_eq!(app.stock(product).await, 10);
    assert_eq!(ledger(&app, product).await, "opening 10, sale -4, order_change 1, cancellation 3");
}

#[tokio::test]
async fn returns_are_restocked_only_where_the_stock_is_tracked() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let (tracked, not_tracked) =
        (app.product(website, on_backorder(0)).await.id, app.product(website, untracked()).await.id);
    let (customer, manager) = (app.customer().await, app.manager().await);
    let placed = customer.try_order(&[(tracked, 2), (not_tracked, 2)], "k").await;
    let order = placed.text_at("orderCreate.order.id");
    for status in ["CONFIRMED", "SHIPPED", "DELIVERED"] {
        let input = json!({ "id": order, "status": status });
        assert_eq!(manager.mutate("orderStatusUpdate", "", input).await.outcome("orderStatusUpdate"), "done");
    }
    let lines: Vec<String> = (0..2).map(|i| placed.text_at(&format!("orderCreate.order.details.{i}.id"))).collect();
    let units: Vec<Value> =
        lines.iter().map(|line| json!({ "orderDetailId": line, "quantity": 2, "reason": "torn" })).collect();
    let input = json!({ "orderId": order, "lines": units, "idempotencyKey": "r" });
    let requested = customer.mutate("returnCreate", "return { id }", input).await;
    let restock: Vec<Value> = lines.iter().map(|line| json!({ "orderDetailId": line, "restock": true })).collect();
    let input = json!({ "id": requested.text_at("returnCreate.return.id"), "lines": restock });
    let received = manager.mutate("returnReceive", "return { status }", input).await;
    assert_eq!(received.outcome("returnReceive"), "done");
    assert_eq!(ledger(&app, tracked).await, "sale -2, return 2");
    assert_eq!(ledger(&app, not_tracked).await, "");
}

#[tokio::test]
async fn only_staff_and_the_seller_set_the_policy() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let (seller, other) = (app.seller().await, app.seller().await);
    let product = app.product(website, ProductSpec { seller: Some(seller.id), ..ProductSpec::default() }).await.id;
    let input = json!({ "id": product.to_global_id(), "inventoryPolicy": "NOT_TRACKED", "backorders": "ALLOW" });
    for (actor, outcome) in
        [(app.customer().await, "!FORBIDDEN"), (other, "NOT_FOUND id"), (seller, "done"), (app.manager().await, "done")]
    {
        assert_eq!(actor.mutate("productUpdate", "", input.clone()).await.outcome("productUpdate"), outcome);
    }
    assert_eq!(shown(&app.anonymous(), product).await, "NOT_TRACKED ALLOW IN_STOCK null null null");
}

#[tokio::test]
async fn database_allows_negative_stock_only_on_backorder() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let (deny, allow) = (
        app.product(website, ProductSpec { stock: 1, ..ProductSpec::default() }).await.id,
        app.product(website, on_backorder(1)).await.id,
    );
    let psql = Psql::connect(&app.database.url).await;
    let sell = |product: ProductId, units: i32| {
        format!("INSERT INTO stock_movements (product_id, reason, delta) VALUES ({}, 'sale', -{units})", product.0)
    };
    for (sql, constraint) in [
        (sell(deny, 2), "products_stock_range"),
        (sell(allow, 1_000_002), "products_stock_range"),
        ("UPDATE products SET backorders = 'maybe'".to_owned(), "products_backorders_known"),
        ("UPDATE products SET inventory_policy = 'lost'".to_owned(), "products_inventory_policy_known"),
    ] {
        let error = psql.try_run(&sql).await.expect_err(&sql);
        assert_eq!(violated_constraint(&error), constraint, "{sql}");
    }
    psql.rows(&sell(allow, 2)).await;
    let error = psql.try_run("UPDATE products SET backorders = 'deny'").await.expect_err("a negative stock");
    assert_eq!(violated_constraint(&error), "products_stock_range");
}
