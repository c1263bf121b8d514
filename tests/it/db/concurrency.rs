//! Concurrent writes: exactly one succeeds where only one may, and deadlocks are never visible.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::json;
use souk::ids::{ProductId, RowId};

use crate::support::{Actor, ProductSpec, TestApp, TestResponse};

fn spec(stock: i32) -> ProductSpec {
    ProductSpec { stock, ..ProductSpec::default() }
}

fn count(outcomes: &[String], outcome: &str) -> usize {
    outcomes.iter().filter(|it| *it == outcome).count()
}

#[tokio::test]
async fn last_unit_is_sold_once() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    for round in 0..5 {
        let last = app.product(website.id, spec(1)).await.id;
        let (one, two) = (app.customer().await, app.customer().await);
        let lines = [(last, 1)];
        let (one, two) = futures_util::join!(one.try_order(&lines, "k"), two.try_order(&lines, "k"));
        let mut outcomes = [one.outcome("orderCreate"), two.outcome("orderCreate")];
        outcomes.sort();
        assert_eq!(outcomes, ["OUT_OF_STOCK lines.0.quantity", "done"], "round {round}");
        assert_eq!(app.stock(last).await, 0);
    }
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn concurrent_orders_in_either_product_order_sell_exactly_the_stock() {
    let app = TestApp::new().await;
    app.database.disable_deadlock_detection().await;
    let website = app.website("sailor").await;
    let (rope, nail) = (app.product(website.id, spec(25)).await.id, app.product(website.id, spec(25)).await.id);
    let customers = join_all((0..40).map(|_| app.customer())).await;
    let placed = customers.iter().enumerate().map(|(index, customer)| async move {
        let lines = if index % 2 == 0 { [(rope, 1), (nail, 1)] } else { [(nail, 1), (rope, 1)] };
        customer.try_order(&lines, "k").await.outcome("orderCreate")
    });
    let outcomes = join_all(placed).await;
    let sold_out = "OUT_OF_STOCK lines.0.quantity, OUT_OF_STOCK lines.1.quantity";
    assert_eq!((count(&outcomes, "done"), count(&outcomes, sold_out)), (25, 15), "{outcomes:?}");
    assert_eq!((app.stock(rope).await, app.stock(nail).await), (0, 0));
    assert_eq!(app.database.rows("SELECT order_number FROM orders").await.len(), 25);
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn concurrent_requests_with_one_key_place_one_order() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec(100)).await.id;
    let (customer, neighbour) = (app.customer().await, app.customer().await);
    let lines = [(rope, 2)];
    let (responses, theirs) = futures_util::join!(
        join_all((0..20).map(|_| customer.try_order(&lines, "same"))),
        neighbour.try_order(&lines, "same"),
    );
    for response in &responses {
        assert_eq!(response.outcome("orderCreate"), "done");
        assert_eq!(response.at("orderCreate"), responses[0].at("orderCreate"));
    }
    let (mine, theirs) = (responses[0].text_at("orderCreate.order.id"), theirs.text_at("orderCreate.order.id"));
    assert_ne!(mine, theirs, "keys are separate per user");
    assert_eq!(app.stock(rope).await, 96);
    assert_eq!(app.database.rows("SELECT id FROM orders").await.len(), 2);
}

#[tokio::test]
async fn concurrent_requests_with_one_key_and_two_inputs_place_one_order() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec(100)).await.id;
    let customer = app.customer().await;
    let orders = (0..10).map(|index| {
        let customer = &customer;
        async move { customer.try_order(&[(rope, 1 + index % 2)], "same").await }
    });
    let responses = join_all(orders).await;
    let outcomes: Vec<_> = responses.iter().map(|response| response.outcome("orderCreate")).collect();
    assert_eq!(count(&outcomes, "done"), 5, "{outcomes:?}");
    assert_eq!(count(&outcomes, "IDEMPOTENCY_MISMATCH idempotencyKey"), 5, "{outcomes:?}");
    let done = |response: &&TestResponse| response.outcome("orderCreate") == "done";
    let ids: HashSet<_> = responses.iter().filter(done).map(|a| a.text_at("orderCreate.order.id")).collect();
    assert_eq!(ids.len(), 1);
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn concurrent_stock_adjustments_with_one_key_apply_once() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec(5)).await.id;
    let manager = app.manager().await;
    let input = json!({ "productId": rope.to_global_id(), "delta": 7, "idempotencyKey": "count" });
    let adjust = (0..10).map(|_| manager.mutate("stockAdjust", "product { stock }", input.clone()));
    for response in join_all(adjust).await {
        assert_eq!(response.outcome("stockAdjust"), "done");
        assert_eq!(response.at("stockAdjust.product.stock"), 12);
    }
    assert_eq!(app.stock(rope).await, 12);
}

#[tokio::test]
async fn concurrent_line_change_and_cancellation_keep_totals_consistent() {
    let app = TestApp::new().await;
    app.database.disable_deadlock_detection().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec(1_000)).await.id;
    let customer = app.customer().await;
    for round in 0..10 {
        let placed = customer.try_order(&[(rope, 3)], &round.to_string()).await;
        let order = json!({ "id": placed.text_at("orderCreate.order.id") });
        let line = placed.text_at("orderCreate.order.details.0.id");
        let update = customer.mutate("orderDetailUpdate", "", json!({ "id": line, "quantity": 8 }));
        let cancel = customer.mutate("orderCancel", "order { status }", order.clone());
        let again = customer.mutate("orderCancel", "order { status }", order);
        let (update, cancel, again) = futures_util::join!(update, cancel, again);
        let mut cancels = [cancel.outcome("orderCancel"), again.outcome("orderCancel")];
        cancels.sort();
        assert_eq!(cancels, ["ILLEGAL_TRANSITION id", "done"], "round {round}");
        let update = update.outcome("orderDetailUpdate");
        assert!(["done", "ILLEGAL_TRANSITION id"].contains(&update.as_str()), "{update}");
        assert_eq!(app.stock(rope).await, 1_000, "round {round}");
    }
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn concurrent_orders_adjustments_and_cancellations_keep_stock_consistent() {
    let app = TestApp::new().await;
    app.database.disable_deadlock_detection().await;
    let website = app.website("sailor").await;
    let products: Vec<ProductId> =
        join_all((0..3).map(|_| app.product(website.id, spec(100)))).await.into_iter().map(|row| row.id).collect();
    let (customer, manager) = (app.customer().await, app.manager().await);
    let pairs = |index: usize| [(products[index % 3], 2), (products[(index + 1) % 3], 2)];
    let orders: Vec<String> = join_all((0..6).map(|index| {
        let (customer, lines) = (&customer, pairs(index));
        async move { customer.order(&lines).await }
    }))
    .await;
    let work = (0..6).map(|index| {
        let (customer, manager) = (&customer, &manager);
        let (order, lines, product) = (&orders[index], pairs(5 - index), products[index % 3].to_global_id());
        async move {
            let delta = json!({ "productId": product, "delta": 1 });
            let (cancel, place, adjust) = futures_util::join!(
                manager.mutate("orderCancel", "", json!({ "id": order })),
                customer.order(&lines),
                manager.mutate("stockAdjust", "", delta),
            );
            let _: String = place;
            [cancel.outcome("orderCancel"), adjust.outcome("stockAdjust")]
        }
    });
    for outcomes in join_all(work).await {
        assert_eq!(outcomes, ["done", "done"]);
    }
    for product in products {
        assert_eq!(app.stock(product).await, 100 + 2 - 8);
    }
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn concurrent_first_addresses_have_one_default() {
    let app = TestApp::new().await;
    for round in 0..5 {
        let customer = app.customer().await;
        let add = |is_default: bool| {
            let input = json!({ "countryCode": "DE", "city": "Kiel", "address": "Kai 1", "postalCode": "24103", "isDefault": is_default });
            customer.mutate("addressCreate", "address { id }", input)
        };
        let (one, two) = futures_util::join!(add(round % 2 == 0), add(round % 2 == 0));
        assert_eq!((one.outcome("addressCreate"), two.outcome("addressCreate")), ("done".into(), "done".into()));
        let defaults = customer.run("{ me { addresses { isDefault } } }").await;
        let defaults = defaults.at("me.addresses").as_array().expect("addresses").clone();
        assert_eq!(defaults.len(), 2);
        assert_eq!(defaults.iter().filter(|address| address["isDefault"] == true).count(), 1, "round {round}");
    }
}

#[tokio::test]
async fn concurrent_requests_cannot_exceed_fifty_addresses() {
    let app = TestApp::new().await;
    let customer = app.customer().await;
    let fill = format!(
        "INSERT INTO addresses (user_id, country, city, address) SELECT {}, 'DE', 'Kiel', 'Kai ' || n FROM generate_series(1, 49) n",
        customer.id.0
    );
    app.database.sql(&fill).await;
    let input = json!({ "countryCode": "DE", "city": "Kiel", "address": "Kai 50", "postalCode": "24103" });
    let add = (0..4).map(|_| customer.mutate("addressCreate", "", input.clone()));
    let outcomes: Vec<_> = join_all(add).await.iter().map(|response| response.outcome("addressCreate")).collect();
    assert_eq!((count(&outcomes, "done"), count(&outcomes, "OUT_OF_RANGE")), (1, 3), "{outcomes:?}");
}

/// Categories whose path does not match the tree.
const TREE: &str = "WITH RECURSIVE tree AS (
        SELECT id, ARRAY[id] AS wanted FROM categories WHERE parent_id IS NULL
        UNION ALL SELECT c.id, t.wanted || c.id FROM categories c JOIN tree t ON c.parent_id = t.id)
    SELECT c.id, c.path, t.wanted FROM categories c LEFT JOIN tree t USING (id)
    WHERE c.path IS DISTINCT FROM t.wanted";

#[tokio::test]
async fn concurrent_category_moves_cannot_create_a_cycle() {
    let app = TestApp::new().await;
    app.database.disable_deadlock_detection().await;
    let manager = app.manager().await;
    for round in 0..5 {
        let one = app.category(&format!("one-{round}"), None).await.id.to_global_id();
        let two = app.category(&format!("two-{round}"), None).await.id.to_global_id();
        let (first, second) = futures_util::join!(move_below(&manager, &one, &two), move_below(&manager, &two, &one));
        let mut outcomes = [first, second];
        outcomes.sort();
        assert_eq!(outcomes, ["CYCLE parentId", "done"], "round {round}");
    }
    assert_eq!(app.database.rows(TREE).await, Vec::<String>::new());
}

#[tokio::test]
async fn concurrent_category_moves_keep_every_path_correct() {
    let app = TestApp::new().await;
    app.database.disable_deadlock_detection().await;
    let manager = app.manager().await;
    let there = app.category("there", None).await.id.to_global_id();
    for round in 0..5 {
        let root = app.category(&format!("root-{round}"), None).await;
        let child = app.category(&format!("child-{round}"), Some(root.id)).await;
        let grandchild = app.category(&format!("grandchild-{round}"), Some(child.id)).await;
        let (root, child, grandchild) = (root.id.to_global_id(), child.id.to_global_id(), grandchild.id.to_global_id());
        let new = json!({ "parentId": child, "name": format!("new {round}") });
        let (one, two, three, new) = futures_util::join!(
            move_below(&manager, &root, &there),
            move_below(&manager, &child, &there),
            move_below(&manager, &grandchild, &root),
            manager.mutate("categoryCreate", "", new),
        );
        assert_eq!([one, two, three, new.outcome("categoryCreate")], ["done"; 4], "round {round}");
    }
    assert_eq!(app.database.rows(TREE).await, Vec::<String>::new());
}

async fn move_below(manager: &Actor<'_>, id: &str, parent: &str) -> String {
    let input = json!({ "id": id, "parentId": parent });
    manager.mutate("categoryUpdate", "", input).await.outcome("categoryUpdate")
}

#[tokio::test]
async fn concurrently_created_products_with_one_name_get_unique_slugs() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id.to_global_id();
    let manager = app.manager().await;
    for round in 0..5 {
        let make = (0..8).map(|index| {
            let (name, sku) = (format!("Lamp {round}"), format!("SKU {round} {index}"));
            let input = json!({ "sourceWebsiteId": website, "name": name, "sku": sku, "price": "1.00" });
            manager.mutate("productCreate", "product { slug }", input)
        });
        let responses = join_all(make).await;
        let outcomes: Vec<_> = responses.iter().map(|response| response.outcome("productCreate")).collect();
        assert_eq!(count(&outcomes, "done"), 8, "round {round}: {outcomes:?}");
        let slugs: HashSet<_> =
            responses.iter().map(|response| response.text_at("productCreate.product.slug")).collect();
        assert_eq!(slugs.len(), 8, "round {round}");
    }
}

#[tokio::test]
async fn concurrent_registrations_cannot_share_an_email() {
    let app = TestApp::new().await;
    let anonymous = app.anonymous();
    let register = (0..6).map(|index| {
        let email = if index % 2 == 0 { "ada@souk.example" } else { "ADA@souk.example" };
        let input = json!({ "name": "Ada", "email": email, "password": "correct horse" });
        anonymous.mutate("register", "", input)
    });
    let outcomes: Vec<_> = join_all(register).await.iter().map(|response| response.outcome("register")).collect();
    assert_eq!((count(&outcomes, "done"), count(&outcomes, "TAKEN email")), (1, 5), "{outcomes:?}");
}
