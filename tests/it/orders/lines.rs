//! Changing the lines of a pending order: prices, totals, stock, and every rejection.

use serde_json::{Value, json};
use souk::ids::{OrderDetailId, OrderId, ProductId, RowId};

use crate::support::{Actor, ProductSpec, TestApp, TestResponse};

const LINES: &str = "order { id totalAmount { amount } details { id quantity unitPrice { amount } product { id } } }";

fn spec(stock: i32, price: &'static str) -> ProductSpec {
    ProductSpec { stock, price: Some(price), ..ProductSpec::default() }
}

async fn add(actor: &Actor<'_>, order: &str, product: &str, quantity: i32) -> TestResponse {
    let input = json!({ "orderId": order, "productId": product, "quantity": quantity });
    actor.mutate("orderDetailAdd", LINES, input).await
}

async fn update(actor: &Actor<'_>, line: &str, quantity: i32) -> TestResponse {
    actor.mutate("orderDetailUpdate", LINES, json!({ "id": line, "quantity": quantity })).await
}

async fn remove(actor: &Actor<'_>, line: &str) -> TestResponse {
    actor.mutate("orderDetailRemove", LINES, json!({ "id": line })).await
}

/// Returns the quantity and unit price of every line, and the total.
fn summary(response: &TestResponse, mutation: &str) -> (Vec<(i64, String)>, String) {
    let details = response.at(&format!("{mutation}.order.details")).as_array().expect("lines").clone();
    let text = |value: &Value| value.as_str().expect("an amount").to_owned();
    let lines = details
        .iter()
        .map(|line| (line["quantity"].as_i64().expect("a quantity"), text(&line["unitPrice"]["amount"])))
        .collect();
    (lines, response.text_at(&format!("{mutation}.order.totalAmount.amount")))
}

#[tokio::test]
async fn lines_have_creation_and_update_times() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec(20, "10.00")).await;
    let customer = app.customer().await;
    let order = customer.order(&[(rope.id, 2)]).await;
    let times = async || {
        let document = "query ($id: ID!) { order(id: $id) { createdAt details { id createdAt updatedAt } } }";
        let response = customer.run_with(document, json!({ "id": order })).await;
        ["createdAt", "details.0.createdAt", "details.0.updatedAt"]
            .map(|name| response.text_at(&format!("order.{name}")))
    };
    let [placed, added, changed] = times().await;
    assert_eq!((&added, &changed), (&placed, &placed));
    let document = "query ($id: ID!) { order(id: $id) { details { id } } }";
    let line = customer.run_with(document, json!({ "id": order })).await.text_at("order.details.0.id");
    assert_eq!(update(&customer, &line, 2).await.outcome("orderDetailUpdate"), "done");
    assert_eq!(times().await, [placed.clone(), added.clone(), changed], "the same quantity is no change");
    assert_eq!(update(&customer, &line, 5).await.outcome("orderDetailUpdate"), "done");
    let [_, still_added, changed] = times().await;
    assert_eq!(still_added, added);
    assert!(changed > added, "{changed} {added}");
}

#[tokio::test]
async fn new_line_uses_the_current_price_and_existing_lines_keep_theirs() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec(20, "10.00")).await;
    let (customer, manager) = (app.customer().await, app.manager().await);
    let order = customer.order(&[(rope.id, 2)]).await;
    let dearer = json!({ "id": rope.id.to_global_id(), "price": "11.50" });
    assert_eq!(manager.mutate("productUpdate", "", dearer).await.outcome("productUpdate"), "done");

    let added = add(&customer, &order, &rope.id.to_global_id(), 3).await;
    let lines = |lines: &[(i64, &str)]| lines.iter().map(|(n, price)| (*n, (*price).to_owned())).collect::<Vec<_>>();
    assert_eq!(summary(&added, "orderDetailAdd"), (lines(&[(2, "10.00"), (3, "11.50")]), "54.50".to_owned()));
    let line = added.text_at("orderDetailAdd.order.details.0.id");
    let updated = update(&manager, &line, 5).await;
    assert_eq!(summary(&updated, "orderDetailUpdate"), (lines(&[(5, "10.00"), (3, "11.50")]), "84.50".to_owned()));
    assert_eq!(app.stock(rope.id).await, 12);
    let again = add(&customer, &order, &rope.id.to_global_id(), 1).await;
    let merged = (lines(&[(5, "10.00"), (4, "11.50")]), "96.00".to_owned());
    assert_eq!(summary(&again, "orderDetailAdd"), merged, "the line at this price is increased");
    assert_eq!(app.stock(rope.id).await, 11);
    let removed = remove(&customer, &line).await;
    assert_eq!(summary(&removed, "orderDetailRemove"), (lines(&[(4, "11.50")]), "46.00".to_owned()));
    assert_eq!(app.stock(rope.id).await, 16);
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn customer_pays_the_current_price_for_units_that_they_add_to_a_line() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec(20, "10.00")).await;
    let nail = app.product(website.id, spec(20, "1.00")).await;
    let (customer, manager) = (app.customer().await, app.manager().await);
    let placed = customer.try_order(&[(rope.id, 2), (nail.id, 1)], "k").await;
    let (order, line) = (placed.text_at("orderCreate.order.id"), placed.text_at("orderCreate.order.details.0.id"));
    let reprice = async |price: &str| {
        let input = json!({ "id": rope.id.to_global_id(), "price": price });
        assert_eq!(manager.mutate("productUpdate", "", input).await.outcome("productUpdate"), "done");
    };
    let lines = |lines: &[(i64, &str)]| lines.iter().map(|(n, price)| (*n, (*price).to_owned())).collect::<Vec<_>>();
    let check = async |response: TestResponse, expected: &[(i64, &str)], total: &str, stock: i32| {
        assert_eq!(summary(&response, "orderDetailUpdate"), (lines(expected), total.to_owned()));
        assert_eq!(app.stock(rope.id).await, stock);
    };
    // At an unchanged price the line itself grows.
    check(update(&customer, &line, 3).await, &[(3, "10.00"), (1, "1.00")], "31.00", 17).await;
    // The additional units become a line of their own; the next ones are added to it.
    reprice("11.50").await;
    let expected = [(3, "10.00"), (1, "1.00"), (2, "11.50")];
    check(update(&customer, &line, 5).await, &expected, "54.00", 15).await;
    let expected = [(3, "10.00"), (1, "1.00"), (3, "11.50")];
    check(update(&customer, &line, 4).await, &expected, "65.50", 14).await;
    // Lowering takes from the line that is named, whatever the price.
    let expected = [(1, "10.00"), (1, "1.00"), (3, "11.50")];
    check(update(&customer, &line, 1).await, &expected, "45.50", 16).await;
    // A lower price counts as well, and a guest is a customer.
    reprice("9.00").await;
    app.assign_to_guest(&order, "souk_c_guest").await;
    let expected = [(1, "10.00"), (1, "1.00"), (3, "11.50"), (1, "9.00")];
    check(update(&app.guest("souk_c_guest"), &line, 2).await, &expected, "54.50", 15).await;
    // Staff keep the price of the line.
    let expected = [(4, "10.00"), (1, "1.00"), (3, "11.50"), (1, "9.00")];
    check(update(&manager, &line, 4).await, &expected, "84.50", 12).await;
    let events = "SELECT kind, quantity FROM order_events WHERE order_id = 1 AND kind <> 'placed' ORDER BY id";
    assert_eq!(app.database.rows(events).await.len(), 6, "one event for each change");
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn units_at_another_price_are_limited_like_any_line() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec(1_000, "10.00")).await;
    let customer = app.customer().await;
    let placed = customer.try_order(&[(rope.id, 1)], "k").await;
    let line = placed.text_at("orderCreate.order.details.0.id");
    let fill = format!(
        "INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price)
         SELECT 1, {}, 'Rope', 'R', 1, 10 FROM generate_series(1, 499);
         UPDATE products SET price = 11",
        rope.id.0
    );
    app.database.sql(&fill).await;
    let before = app.database.contents().await;
    for (quantity, expected) in [(2, "OUT_OF_RANGE id"), (1_002, "OUT_OF_STOCK quantity")] {
        let outcome = update(&customer, &line, quantity).await.outcome("orderDetailUpdate");
        assert_eq!(outcome, expected, "{quantity}");
    }
    assert_eq!(app.database.contents().await, before);
    let manager = app.manager().await;
    assert_eq!(update(&manager, &line, 2).await.outcome("orderDetailUpdate"), "done", "no new line is needed");
}

#[tokio::test]
async fn each_line_change_writes_one_ledger_entry() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec(20, "10.00")).await;
    let nail = app.product(website.id, spec(20, "1.00")).await;
    let (customer, manager) = (app.customer().await, app.manager().await);
    let order = customer.order(&[(rope.id, 2)]).await;
    let added = add(&customer, &order, &nail.id.to_global_id(), 3).await;
    let line = added.text_at("orderDetailAdd.order.details.1.id");
    for quantity in [5, 5, 1] {
        assert_eq!(update(&manager, &line, quantity).await.outcome("orderDetailUpdate"), "done");
    }
    assert_eq!(remove(&customer, &line).await.outcome("orderDetailRemove"), "done");
    let ledger = "SELECT reason, delta, balance, user_id FROM stock_movements
        WHERE reason <> 'opening' AND order_id = 1 ORDER BY id";
    let (me, staff) = (customer.id.0, manager.id.0);
    let expected = [
        format!("(sale,-2,18,{me})"),
        format!("(order_change,-3,17,{me})"),
        format!("(order_change,-2,15,{staff})"),
        format!("(order_change,4,19,{staff})"),
        format!("(order_change,1,20,{me})"),
    ];
    assert_eq!(app.database.rows(ledger).await, expected);
}

#[tokio::test]
async fn rejected_line_change_returns_errors_and_writes_nothing() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("here").await, app.website("there").await);
    let (customer, manager) = (app.customer().await, app.manager().await);
    let rope = app.product(here.id, spec(10, "10.00")).await.id;
    let away = app.product(there.id, spec(10, "10.00")).await.id.to_global_id();
    let dear = app.product(here.id, spec(1000, "999999999999.99")).await.id;
    let inactive = app.product(here.id, spec(10, "10.00")).await.id;
    let placed = customer.try_order(&[(rope, 4), (dear, 1), (inactive, 1)], "k").await;
    let order = placed.text_at("orderCreate.order.id");
    let line = |index: usize| placed.text_at(&format!("orderCreate.order.details.{index}.id"));
    let (rope_line, dear_line, gone_line) = (line(0), line(1), line(2));
    let deleted = manager.mutate("productDelete", "", json!({ "id": inactive.to_global_id() })).await;
    assert_eq!(deleted.outcome("productDelete"), "done");
    let (unknown, no_line) = (ProductId(1_000_000).to_global_id(), OrderDetailId(1_000_000).to_global_id());

    let before = app.database.contents().await;
    let rope_id = rope.to_global_id();
    for (order, product, quantity, expected) in [
        (&order, &rope_id, 0, "OUT_OF_RANGE quantity"),
        (&order, &rope_id, -1, "OUT_OF_RANGE quantity"),
        (&order, &rope_id, 1_000_001, "OUT_OF_RANGE quantity"),
        (&order, &rope_id, 7, "OUT_OF_STOCK quantity"),
        (&order, &dear.to_global_id(), 100, "OUT_OF_RANGE quantity"),
        (&order, &inactive.to_global_id(), 1, "PRODUCT_INACTIVE productId"),
        (&order, &away, 1, "MULTIPLE_WEBSITES productId"),
        (&order, &unknown, 1, "NOT_FOUND productId"),
        (&order, &order, 1, "INVALID productId"),
        (&OrderId(1_000_000).to_global_id(), &rope_id, 1, "NOT_FOUND orderId"),
        (&rope_id, &rope_id, 1, "INVALID orderId"),
    ] {
        let response = add(&customer, order, product, quantity).await;
        assert_eq!(response.outcome("orderDetailAdd"), expected, "{product} {quantity}");
    }
    for (line, quantity, expected) in [
        (&rope_line, 0, "OUT_OF_RANGE quantity"),
        (&rope_line, i32::MIN, "OUT_OF_RANGE quantity"),
        (&rope_line, 1_000_001, "OUT_OF_RANGE quantity"),
        (&rope_line, 11, "OUT_OF_STOCK quantity"),
        (&dear_line, 101, "OUT_OF_RANGE quantity"),
        (&gone_line, 2, "PRODUCT_INACTIVE id"),
        (&no_line, 1, "NOT_FOUND id"),
        (&order, 1, "INVALID id"),
    ] {
        let response = update(&customer, line, quantity).await;
        assert_eq!(response.outcome("orderDetailUpdate"), expected, "{line} {quantity}");
    }
    for (line, expected) in [(&no_line, "NOT_FOUND id"), (&order, "INVALID id")] {
        assert_eq!(remove(&customer, line).await.outcome("orderDetailRemove"), expected, "{line}");
    }
    let large = json!({ "id": rope_line, "quantity": 2_147_483_648_i64 });
    let response = customer.mutate("orderDetailUpdate", "", large).await;
    assert_eq!(response.outcome("orderDetailUpdate"), "!BAD_USER_INPUT");
    assert_eq!(app.database.contents().await, before);

    // The line of a deleted product can still be removed, and the last unit in stock can be ordered.
    assert_eq!(update(&customer, &rope_line, 10).await.outcome("orderDetailUpdate"), "done");
    assert_eq!(remove(&customer, &gone_line).await.outcome("orderDetailRemove"), "done");
    assert_eq!(app.stock(inactive).await, 10);
}

#[tokio::test]
async fn only_the_customer_and_staff_change_lines() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let seller = app.seller().await;
    let of_seller = ProductSpec { seller: Some(seller.id), ..spec(100, "10.00") };
    let rope = app.product(website.id, of_seller.clone()).await.id;
    let nail = app.product(website.id, of_seller).await.id;
    let (customer, neighbour) = (app.customer().await, app.customer().await);
    let (manager, admin, anonymous) = (app.manager().await, app.admin().await, app.anonymous());
    for (who, actor, rejection) in [
        ("anonymous", &anonymous, Some("!UNAUTHENTICATED")),
        ("neighbour", &neighbour, Some("NOT_FOUND")),
        ("seller", &seller, Some("NOT_FOUND")),
        ("customer", &customer, None),
        ("manager", &manager, None),
        ("admin", &admin, None),
    ] {
        let order = customer.order(&[(rope, 1)]).await;
        let added = add(&customer, &order, &nail.to_global_id(), 1).await;
        let line = added.text_at("orderDetailAdd.order.details.0.id");
        let before = app.database.contents().await;
        let expected = |field: &str| match rejection {
            Some(code) if code.starts_with('!') => code.to_owned(),
            Some(code) => format!("{code} {field}"),
            None => "done".to_owned(),
        };
        let response = add(actor, &order, &rope.to_global_id(), 1).await;
        assert_eq!(response.outcome("orderDetailAdd"), expected("orderId"), "{who}");
        let response = update(actor, &line, 2).await;
        assert_eq!(response.outcome("orderDetailUpdate"), expected("id"), "{who}");
        let response = remove(actor, &line).await;
        assert_eq!(response.outcome("orderDetailRemove"), expected("id"), "{who}");
        assert_eq!(app.database.contents().await == before, rejection.is_some(), "{who}");
    }
}

#[tokio::test]
async fn lines_change_only_while_the_order_is_pending() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec(100, "10.00")).await.id;
    let (customer, admin) = (app.customer().await, app.admin().await);
    let order = customer.order(&[(rope, 1)]).await;
    let added = add(&customer, &order, &rope.to_global_id(), 1).await;
    let line = added.text_at("orderDetailAdd.order.details.0.id");
    for status in ["confirmed", "shipped", "delivered", "cancelled"] {
        app.database.sql(&format!("UPDATE orders SET status = '{status}'")).await;
        let before = app.database.contents().await;
        for actor in [&customer, &admin] {
            let response = add(actor, &order, &rope.to_global_id(), 1).await;
            assert_eq!(response.outcome("orderDetailAdd"), "ILLEGAL_TRANSITION orderId", "{status}");
            let response = update(actor, &line, 2).await;
            assert_eq!(response.outcome("orderDetailUpdate"), "ILLEGAL_TRANSITION id", "{status}");
            let response = remove(actor, &line).await;
            assert_eq!(response.outcome("orderDetailRemove"), "ILLEGAL_TRANSITION id", "{status}");
        }
        assert_eq!(app.database.contents().await, before, "{status}");
    }
}

#[tokio::test]
async fn order_has_between_one_and_five_hundred_lines() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec(1_000, "10.00")).await.id;
    let (nail, hook) =
        (app.product(website.id, spec(9, "1.00")).await.id, app.product(website.id, spec(9, "1.00")).await.id);
    let customer = app.customer().await;
    let placed = customer.try_order(&[(rope, 1)], "k").await;
    let order = placed.text_at("orderCreate.order.id");
    let only = placed.text_at("orderCreate.order.details.0.id");
    let before = app.database.contents().await;
    assert_eq!(remove(&customer, &only).await.outcome("orderDetailRemove"), "REQUIRED id");
    assert_eq!(app.database.contents().await, before);

    let fill = format!(
        "INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price)
         SELECT 1, {}, 'Rope', 'R', 1, 10 FROM generate_series(1, 498)",
        rope.0
    );
    app.database.sql(&fill).await;
    assert_eq!(add(&customer, &order, &nail.to_global_id(), 1).await.outcome("orderDetailAdd"), "done");
    let refused = add(&customer, &order, &hook.to_global_id(), 1).await;
    assert_eq!(refused.outcome("orderDetailAdd"), "OUT_OF_RANGE orderId");
    let more = add(&customer, &order, &nail.to_global_id(), 1).await;
    assert_eq!(more.outcome("orderDetailAdd"), "done", "the product has a line already");
    assert_eq!(remove(&customer, &only).await.outcome("orderDetailRemove"), "done");
    assert_eq!(remove(&customer, &only).await.outcome("orderDetailRemove"), "NOT_FOUND id");
}
