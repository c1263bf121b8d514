//! Writes that meet: who wins, and that nobody sees how.

use std::collections::HashSet;

use futures_util::future::join_all;
use serde_json::json;
use souk::ids::{ProductId, RowId};

use crate::support::{Actor, Answer, ProductSpec, TestApp};

fn spec(stock: i32) -> ProductSpec {
    ProductSpec { stock, ..ProductSpec::default() }
}

fn count(verdicts: &[String], verdict: &str) -> usize {
    verdicts.iter().filter(|it| *it == verdict).count()
}

#[tokio::test]
async fn the_last_piece_is_sold_once() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    for round in 0..5 {
        let last = app.product(website.id, spec(1)).await.id;
        let (one, two) = (app.customer().await, app.customer().await);
        let lines = [(last, 1)];
        let (one, two) = futures_util::join!(one.try_order(&lines, "k"), two.try_order(&lines, "k"));
        let mut verdicts = [one.verdict("orderCreate"), two.verdict("orderCreate")];
        verdicts.sort();
        assert_eq!(verdicts, ["OUT_OF_STOCK lines.0.quantity", "done"], "round {round}");
        assert_eq!(app.stock(last).await, 0);
    }
    app.database.assert_books_balance().await;
}

#[tokio::test]
async fn orders_of_the_same_products_in_either_order_sell_exactly_the_stock() {
    let app = TestApp::new().await;
    app.database.show_deadlocks().await;
    let website = app.website("sailor").await;
    let (rope, nail) = (app.product(website.id, spec(25)).await.id, app.product(website.id, spec(25)).await.id);
    let customers = join_all((0..40).map(|_| app.customer())).await;
    let placed = customers.iter().enumerate().map(|(index, customer)| async move {
        let lines = if index % 2 == 0 { [(rope, 1), (nail, 1)] } else { [(nail, 1), (rope, 1)] };
        customer.try_order(&lines, "k").await.verdict("orderCreate")
    });
    let verdicts = join_all(placed).await;
    let sold_out = "OUT_OF_STOCK lines.0.quantity, OUT_OF_STOCK lines.1.quantity";
    assert_eq!((count(&verdicts, "done"), count(&verdicts, sold_out)), (25, 15), "{verdicts:?}");
    assert_eq!((app.stock(rope).await, app.stock(nail).await), (0, 0));
    assert_eq!(app.database.rows("SELECT order_number FROM orders").await.len(), 25);
    app.database.assert_books_balance().await;
}

#[tokio::test]
async fn a_key_sent_many_times_at_once_places_one_order_and_answers_it_to_all() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec(100)).await.id;
    let (customer, neighbour) = (app.customer().await, app.customer().await);
    let lines = [(rope, 2)];
    let (answers, theirs) = futures_util::join!(
        join_all((0..20).map(|_| customer.try_order(&lines, "same"))),
        neighbour.try_order(&lines, "same"),
    );
    for answer in &answers {
        assert_eq!(answer.verdict("orderCreate"), "done");
        assert_eq!(answer.at("orderCreate"), answers[0].at("orderCreate"));
    }
    let (mine, theirs) = (answers[0].text_at("orderCreate.order.id"), theirs.text_at("orderCreate.order.id"));
    assert_ne!(mine, theirs, "another user's key is another key");
    assert_eq!(app.stock(rope).await, 96);
    assert_eq!(app.database.rows("SELECT id FROM orders").await.len(), 2);
}

#[tokio::test]
async fn a_key_sent_at_once_with_two_bodies_places_one_of_them() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec(100)).await.id;
    let customer = app.customer().await;
    let orders = (0..10).map(|index| {
        let customer = &customer;
        async move { customer.try_order(&[(rope, 1 + index % 2)], "same").await }
    });
    let answers = join_all(orders).await;
    let verdicts: Vec<_> = answers.iter().map(|answer| answer.verdict("orderCreate")).collect();
    assert_eq!(count(&verdicts, "done"), 5, "{verdicts:?}");
    assert_eq!(count(&verdicts, "IDEMPOTENCY_MISMATCH idempotencyKey"), 5, "{verdicts:?}");
    let done = |answer: &&Answer| answer.verdict("orderCreate") == "done";
    let ids: HashSet<_> = answers.iter().filter(done).map(|a| a.text_at("orderCreate.order.id")).collect();
    assert_eq!(ids.len(), 1);
    app.database.assert_books_balance().await;
}

#[tokio::test]
async fn a_correction_sent_many_times_at_once_counts_once() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let rope = app.product(website.id, spec(5)).await.id;
    let manager = app.manager().await;
    let input = json!({ "productId": rope.to_global_id(), "delta": 7, "idempotencyKey": "count" });
    let adjust = (0..10).map(|_| manager.mutate("stockAdjust", "product { stock }", input.clone()));
    for answer in join_all(adjust).await {
        assert_eq!(answer.verdict("stockAdjust"), "done");
        assert_eq!(answer.at("stockAdjust.product.stock"), 12);
    }
    assert_eq!(app.stock(rope).await, 12);
}

#[tokio::test]
async fn a_change_of_a_line_and_a_cancellation_leave_the_books_balanced_whoever_is_first() {
    let app = TestApp::new().await;
    app.database.show_deadlocks().await;
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
        let mut cancels = [cancel.verdict("orderCancel"), again.verdict("orderCancel")];
        cancels.sort();
        assert_eq!(cancels, ["ILLEGAL_TRANSITION id", "done"], "round {round}");
        let update = update.verdict("orderDetailUpdate");
        assert!(["done", "ILLEGAL_TRANSITION id"].contains(&update.as_str()), "{update}");
        assert_eq!(app.stock(rope).await, 1_000, "round {round}");
    }
    app.database.assert_books_balance().await;
}

#[tokio::test]
async fn orders_corrections_and_cancellations_at_once_lose_no_piece() {
    let app = TestApp::new().await;
    app.database.show_deadlocks().await;
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
            [cancel.verdict("orderCancel"), adjust.verdict("stockAdjust")]
        }
    });
    for verdicts in join_all(work).await {
        assert_eq!(verdicts, ["done", "done"]);
    }
    for product in products {
        assert_eq!(app.stock(product).await, 100 + 2 - 8);
    }
    app.database.assert_books_balance().await;
}

#[tokio::test]
async fn two_first_addresses_at_once_make_one_default() {
    let app = TestApp::new().await;
    for round in 0..5 {
        let customer = app.customer().await;
        let add = |is_default: bool| {
            let input = json!({ "country": "DE", "city": "Kiel", "address": "Kai 1", "isDefault": is_default });
            customer.mutate("addressCreate", "address { id }", input)
        };
        let (one, two) = futures_util::join!(add(round % 2 == 0), add(round % 2 == 0));
        assert_eq!((one.verdict("addressCreate"), two.verdict("addressCreate")), ("done".into(), "done".into()));
        let defaults = customer.run("{ me { addresses { isDefault } } }").await;
        let defaults = defaults.at("me.addresses").as_array().expect("addresses").clone();
        assert_eq!(defaults.len(), 2);
        assert_eq!(defaults.iter().filter(|address| address["isDefault"] == true).count(), 1, "round {round}");
    }
}

#[tokio::test]
async fn the_fiftieth_address_is_given_once() {
    let app = TestApp::new().await;
    let customer = app.customer().await;
    let fill = format!(
        "INSERT INTO addresses (user_id, country, city, address) SELECT {}, 'DE', 'Kiel', 'Kai ' || n FROM generate_series(1, 49) n",
        customer.id.0
    );
    app.database.sql(&fill).await;
    let input = json!({ "country": "DE", "city": "Kiel", "address": "Kai 50" });
    let add = (0..4).map(|_| customer.mutate("addressCreate", "", input.clone()));
    let verdicts: Vec<_> = join_all(add).await.iter().map(|answer| answer.verdict("addressCreate")).collect();
    assert_eq!((count(&verdicts, "done"), count(&verdicts, "OUT_OF_RANGE")), (1, 3), "{verdicts:?}");
}

/// Every category with its path, as the tree says it must be.
const TREE: &str = "WITH RECURSIVE tree AS (
        SELECT id, ARRAY[id] AS wanted FROM categories WHERE parent_id IS NULL
        UNION ALL SELECT c.id, t.wanted || c.id FROM categories c JOIN tree t ON c.parent_id = t.id)
    SELECT c.id, c.path, t.wanted FROM categories c LEFT JOIN tree t USING (id)
    WHERE c.path IS DISTINCT FROM t.wanted";

#[tokio::test]
async fn two_moves_at_once_that_would_make_a_loop_do_not() {
    let app = TestApp::new().await;
    app.database.show_deadlocks().await;
    let manager = app.manager().await;
    for round in 0..5 {
        let one = app.category(&format!("one-{round}"), None).await.id.to_global_id();
        let two = app.category(&format!("two-{round}"), None).await.id.to_global_id();
        let (first, second) = futures_util::join!(below(&manager, &one, &two), below(&manager, &two, &one));
        let mut verdicts = [first, second];
        verdicts.sort();
        assert_eq!(verdicts, ["CYCLE parentId", "done"], "round {round}");
    }
    assert_eq!(app.database.rows(TREE).await, Vec::<String>::new());
}

#[tokio::test]
async fn moves_of_a_category_of_its_child_and_of_new_ones_at_once_keep_every_path_right() {
    let app = TestApp::new().await;
    app.database.show_deadlocks().await;
    let manager = app.manager().await;
    let there = app.category("there", None).await.id.to_global_id();
    for round in 0..5 {
        let root = app.category(&format!("root-{round}"), None).await;
        let child = app.category(&format!("child-{round}"), Some(root.id)).await;
        let grandchild = app.category(&format!("grandchild-{round}"), Some(child.id)).await;
        let (root, child, grandchild) = (root.id.to_global_id(), child.id.to_global_id(), grandchild.id.to_global_id());
        let new = json!({ "parentId": child, "name": format!("new {round}") });
        let (one, two, three, new) = futures_util::join!(
            below(&manager, &root, &there),
            below(&manager, &child, &there),
            below(&manager, &grandchild, &root),
            manager.mutate("categoryCreate", "", new),
        );
        assert_eq!([one, two, three, new.verdict("categoryCreate")], ["done"; 4], "round {round}");
    }
    assert_eq!(app.database.rows(TREE).await, Vec::<String>::new());
}

async fn below(manager: &Actor<'_>, id: &str, parent: &str) -> String {
    let input = json!({ "id": id, "parentId": parent });
    manager.mutate("categoryUpdate", "", input).await.verdict("categoryUpdate")
}

#[tokio::test]
async fn products_of_one_name_made_at_once_get_slugs_of_their_own() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id.to_global_id();
    let manager = app.manager().await;
    for round in 0..5 {
        let make = (0..8).map(|index| {
            let (name, sku) = (format!("Lamp {round}"), format!("SKU {round} {index}"));
            let input = json!({ "sourceWebsiteId": website, "name": name, "sku": sku, "price": "1.00" });
            manager.mutate("productCreate", "product { slug }", input)
        });
        let answers = join_all(make).await;
        let verdicts: Vec<_> = answers.iter().map(|answer| answer.verdict("productCreate")).collect();
        assert_eq!(count(&verdicts, "done"), 8, "round {round}: {verdicts:?}");
        let slugs: HashSet<_> = answers.iter().map(|answer| answer.text_at("productCreate.product.slug")).collect();
        assert_eq!(slugs.len(), 8, "round {round}");
    }
}

#[tokio::test]
async fn an_e_mail_address_is_registered_once() {
    let app = TestApp::new().await;
    let anonymous = app.anonymous();
    let register = (0..6).map(|index| {
        let email = if index % 2 == 0 { "ada@souk.example" } else { "ADA@souk.example" };
        let input = json!({ "name": "Ada", "email": email, "password": "correct horse" });
        anonymous.mutate("register", "", input)
    });
    let verdicts: Vec<_> = join_all(register).await.iter().map(|answer| answer.verdict("register")).collect();
    assert_eq!((count(&verdicts, "done"), count(&verdicts, "TAKEN email")), (1, 5), "{verdicts:?}");
}
