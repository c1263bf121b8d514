//! Carts of guests and users: current prices and availability, limits, merging at login, and expiry.

mod merge;

use serde_json::{Value, json};
use souk::{carts, ids::RowId};

use crate::support::{ProductSpec, TestApp, fixtures::TestCart};

fn spec(price: &'static str, stock: i32) -> ProductSpec {
    ProductSpec { price: Some(price), stock, ..ProductSpec::default() }
}

const CART: &str = "cart { id lines { id quantity priceChanged availability unitPrice { amount currency }
    priceWhenAdded { amount } totalPrice { amount } product { id } cart { id } } total { amount currency } reservedUntil }";

fn add(cart: &TestCart, product: impl RowId, quantity: i64) -> Value {
    json!({ "cartId": cart.id, "productId": product.to_global_id(), "quantity": quantity })
}

#[tokio::test]
async fn guest_cart_is_accessible_only_with_its_token() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let lantern = app.product(website.id, spec("12.50", 9)).await;
    let made = app
        .anonymous()
        .run("mutation { cartCreate { cart { id total { amount currency } } cartToken userErrors { code } } }")
        .await;
    let (id, token) = (made.text_at("cartCreate.cart.id"), made.text_at("cartCreate.cartToken"));
    assert_eq!(made.at("cartCreate.cart.total"), &json!({ "amount": "0.00", "currency": "EUR" }));
    let cart = TestCart { id: id.clone(), token: Some(token.clone()), lines: vec![], total: String::new() };

    let guest = app.anonymous().with_cart(Some(token.clone()));
    let added = guest.mutate("cartLineAdd", CART, add(&cart, lantern.id, 2)).await;
    assert_eq!(added.outcome("cartLineAdd"), "done");
    assert_eq!(added.at("cartLineAdd.cart.total.amount"), "25.00");
    let again = guest.mutate("cartLineAdd", CART, add(&cart, lantern.id, 1)).await;
    assert_eq!(again.at("cartLineAdd.cart.lines.0.quantity"), 3, "quantities are added");
    assert_eq!(guest.run("{ cart { id } }").await.text_at("cart.id"), id);

    // The next request with the token continues the same cart; without the token, or with another, the cart is not
    // found.
    let second = guest.run("mutation { cartCreate { cart { id } cartToken } }").await;
    assert_eq!((second.text_at("cartCreate.cart.id"), second.at("cartCreate.cartToken")), (id.clone(), &Value::Null));
    let line = again.text_at("cartLineAdd.cart.lines.0.id");
    let (customer, admin) = (app.customer().await, app.admin().await);
    let others = [app.anonymous(), app.anonymous().with_cart(Some(format!("{token}x"))), customer, admin];
    for other in &others {
        let query = "query ($id: ID!) { cart(id: $id) { id } node(id: $id) { id } }";
        let seen = other.run_with(query, json!({ "id": id })).await;
        assert_eq!((seen.at("cart"), seen.at("node")), (&Value::Null, &Value::Null));
        let outcomes = [
            other.mutate("cartLineAdd", "cart { id }", add(&cart, lantern.id, 1)).await.outcome("cartLineAdd"),
            other
                .mutate("cartLineUpdate", "cart { id }", json!({ "id": line, "quantity": 1 }))
                .await
                .outcome("cartLineUpdate"),
            other.mutate("cartLineRemove", "cart { id }", json!({ "id": line })).await.outcome("cartLineRemove"),
            other.mutate("cartClear", "cart { id }", json!({ "id": id })).await.outcome("cartClear"),
            other.mutate("cartReserve", "cart { id }", json!({ "id": id })).await.outcome("cartReserve"),
        ];
        assert_eq!(outcomes, ["NOT_FOUND cartId", "NOT_FOUND id", "NOT_FOUND id", "NOT_FOUND id", "NOT_FOUND id"]);
    }
    assert_eq!(app.database.scalar("SELECT count(*) FROM carts WHERE token_hash::text LIKE '%souk%'").await, "0");
}

#[tokio::test]
async fn quantity_zero_removes_the_line() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let (lamp, rope) =
        (app.product(website.id, spec("10.00", 5)).await.id, app.product(website.id, spec("2.00", 5)).await.id);
    let customer = app.customer().await;
    let cart = customer.create_cart(&[(lamp, 2), (rope, 1)]).await;
    let removed = customer.mutate("cartLineUpdate", CART, json!({ "id": cart.lines[0], "quantity": 0 })).await;
    assert_eq!(removed.outcome("cartLineUpdate"), "done");
    let lines = removed.at("cartLineUpdate.cart.lines").as_array().expect("lines");
    assert_eq!(lines.iter().map(|line| &line["id"]).collect::<Vec<_>>(), [&json!(cart.lines[1])]);
    assert_eq!(removed.at("cartLineUpdate.cart.total.amount"), "2.00");
    let again = customer.mutate("cartLineUpdate", CART, json!({ "id": cart.lines[0], "quantity": 0 })).await;
    assert_eq!(again.outcome("cartLineUpdate"), "NOT_FOUND id");
}

#[tokio::test]
async fn a_rejected_change_returns_the_cart_as_it_is() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let lamp = app.product(website.id, spec("10.00", 3)).await.id;
    let customer = app.customer().await;
    let cart = customer.create_cart(&[(lamp, 2)]).await;
    let line = &cart.lines[0];
    for (mutation, input, expected) in [
        (
            "cartCreate",
            json!({ "lines": [{ "productId": lamp.to_global_id(), "quantity": 2 }] }),
            "OUT_OF_STOCK lines.0.quantity",
        ),
        ("cartLineAdd", add(&cart, lamp, 2), "OUT_OF_STOCK quantity"),
        ("cartLineAdd", add(&cart, website.id, 1), "INVALID productId"),
        ("cartLineUpdate", json!({ "id": line, "quantity": 4 }), "OUT_OF_STOCK quantity"),
        ("cartLineRemove", json!({ "id": souk::ids::CartLineId(999).to_global_id() }), "NOT_FOUND id"),
        ("cartClear", json!({ "id": souk::ids::CartId(999).to_global_id() }), "NOT_FOUND id"),
    ] {
        let answer = customer.mutate(mutation, "cart { id lines { quantity } }", input).await;
        assert_eq!(answer.outcome(mutation), expected);
        let current = json!({ "id": cart.id, "lines": [{ "quantity": 2 }] });
        assert_eq!(answer.at(&format!("{mutation}.cart")), &current, "{mutation}");
    }
    // The cart of another viewer is not returned, and a viewer without a cart gets none.
    let other = app.customer().await;
    for actor in [&other, &app.anonymous()] {
        let answer = actor.mutate("cartLineAdd", "cart { id }", add(&cart, lamp, 1)).await;
        assert_eq!(answer.outcome("cartLineAdd"), "NOT_FOUND cartId");
        assert_eq!(answer.at("cartLineAdd.cart"), &Value::Null);
    }
}

#[tokio::test]
async fn cart_shows_current_prices_and_availability_and_flags_price_changes() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let products = [
        app.product(website.id, spec("10.00", 5)).await.id,
        app.product(website.id, spec("20.00", 5)).await.id,
        app.product(website.id, spec("30.00", 5)).await.id,
        app.product(website.id, spec("40.00", 5)).await.id,
    ];
    let customer = app.customer().await;
    customer.create_cart(&products.map(|id| (id, 2))).await;
    let change = format!(
        "UPDATE products SET price = 11 WHERE id = {0};
         UPDATE products SET is_active = false WHERE id = {1};
         INSERT INTO stock_movements (product_id, reason, delta) VALUES ({2}, 'adjustment', -4), ({3}, 'adjustment', -5)",
        products[0].0, products[1].0, products[2].0, products[3].0
    );
    app.database.sql(&change).await;
    let seen = customer.run(&format!("{{ {CART} }}")).await;
    let lines = seen.at("cart.lines").as_array().unwrap().iter();
    let shown: Vec<_> =
        lines.map(|line| (&line["priceChanged"], &line["availability"], &line["totalPrice"]["amount"])).collect();
    assert_eq!(
        json!(shown),
        json!([
            [true, "AVAILABLE", "22.00"],
            [false, "INACTIVE", "40.00"],
            [false, "INSUFFICIENT_STOCK", "60.00"],
            [false, "OUT_OF_STOCK", "80.00"]
        ])
    );
    assert_eq!(seen.at("cart.lines.0.priceWhenAdded.amount"), "10.00");
    assert_eq!(seen.at("cart.total.amount"), "162.00", "products that are not for sale are not counted");
}

#[tokio::test]
async fn invalid_cart_lines_are_rejected_with_their_field() {
    let app = TestApp::new().await;
    let (website, abroad) = (app.website("sailor").await, app.website("pounds").await);
    app.database.sql("UPDATE websites SET currency = 'GBP' WHERE code = 'pounds'").await;
    let dear = app.product(website.id, spec("999999999999.99", 1_000_000)).await.id;
    let few = app.product(website.id, spec("1.00", 3)).await.id;
    let inactive = app.product(website.id, spec("1.00", 3)).await.id;
    app.database.sql(&format!("UPDATE products SET is_active = false WHERE id = {}", inactive.0)).await;
    let foreign = app.product(abroad.id, spec("1.00", 3)).await.id;
    let customer = app.customer().await;
    let cart = customer.create_cart(&[(few, 1)]).await;
    let before = app.database.contents().await;
    let unknown = souk::ids::ProductId(999);
    let table = [
        (add(&cart, few, 0), "OUT_OF_RANGE quantity"),
        (add(&cart, few, -1), "OUT_OF_RANGE quantity"),
        (add(&cart, few, 1_000_000_000), "OUT_OF_RANGE quantity"),
        (add(&cart, few, 3_000_000_000), "!BAD_USER_INPUT"),
        (add(&cart, few, 3), "OUT_OF_STOCK quantity"),
        (add(&cart, inactive, 1), "NOT_FOUND productId"),
        (add(&cart, unknown, 1), "NOT_FOUND productId"),
        (add(&cart, website.id, 1), "INVALID productId"),
        (add(&cart, foreign, 1), "MULTIPLE_CURRENCIES productId"),
        (add(&cart, dear, 1000), "OUT_OF_RANGE quantity"),
    ];
    for (input, expected) in table {
        let refused = customer.mutate("cartLineAdd", "cart { id }", input.clone()).await;
        assert_eq!(refused.outcome("cartLineAdd"), expected, "{input}");
    }
    for (quantity, expected) in [(-1, "OUT_OF_RANGE quantity"), (4, "OUT_OF_STOCK quantity"), (3, "done")] {
        let input = json!({ "id": cart.lines[0], "quantity": quantity });
        assert_eq!(customer.mutate("cartLineUpdate", "cart { id }", input).await.outcome("cartLineUpdate"), expected);
        if expected != "done" {
            assert_eq!(app.database.contents().await, before, "nothing was written");
        }
    }
    // One line more than the limit.
    let products = "WITH made AS (INSERT INTO products (source_website_id, name, slug, sku, price)
        SELECT {website}, 'P' || i, 'p-' || i, 'P-' || i, 1 FROM generate_series(1, 499) i RETURNING id)
        INSERT INTO cart_lines (cart_id, product_id, quantity, added_price) SELECT {cart}, id, 1, 1 FROM made";
    let key = app.database.scalar("SELECT id FROM carts WHERE user_id IS NOT NULL").await;
    app.database.sql(&products.replace("{website}", &website.id.0.to_string()).replace("{cart}", &key)).await;
    let one_more = app.product(website.id, spec("1.00", 3)).await.id;
    let refused = customer.mutate("cartLineAdd", "cart { id }", add(&cart, one_more, 1)).await;
    assert_eq!(refused.outcome("cartLineAdd"), "OUT_OF_RANGE productId");
    let again = customer.mutate("cartLineAdd", "cart { id }", add(&cart, one_more, 3)).await;
    assert_eq!(again.outcome("cartLineAdd"), "OUT_OF_RANGE productId");
    let more = customer.run_with(
        "mutation ($lines: [CartLineInput!]!) { cartCreate(input: {lines: $lines}) { userErrors { code message field } } }",
        json!({ "lines": vec![json!({ "productId": few.to_global_id(), "quantity": 1 }); 501] }),
    );
    assert_eq!(more.await.outcome("cartCreate"), "OUT_OF_RANGE lines");
}

#[tokio::test]
async fn cart_lines_are_updated_removed_and_cleared() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let [a, b] = [app.product(website.id, spec("2.00", 9)).await.id, app.product(website.id, spec("3.00", 9)).await.id];
    let customer = app.customer().await;
    let cart = customer.create_cart(&[(a, 2), (b, 1)]).await;
    let total =
        |response: &crate::support::TestResponse, name: &str| response.text_at(&format!("{name}.cart.total.amount"));
    let changed = customer.mutate("cartLineUpdate", CART, json!({ "id": cart.lines[0], "quantity": 5 })).await;
    assert_eq!(total(&changed, "cartLineUpdate"), "13.00");
    let removed = customer.mutate("cartLineRemove", CART, json!({ "id": cart.lines[0] })).await;
    assert_eq!(total(&removed, "cartLineRemove"), "3.00");
    let twice = customer.mutate("cartLineRemove", CART, json!({ "id": cart.lines[0] })).await;
    assert_eq!(twice.outcome("cartLineRemove"), "NOT_FOUND id");
    let cleared = customer.mutate("cartClear", CART, json!({ "id": cart.id })).await;
    assert_eq!(total(&cleared, "cartClear"), "0.00");
    assert_eq!(customer.mutate("cartClear", CART, json!({ "id": cart.id })).await.outcome("cartClear"), "done");
    // An emptied cart has no currency; it takes that of the next product.
    let pounds = app.website("pounds").await;
    app.database.sql("UPDATE websites SET currency = 'GBP' WHERE code = 'pounds'").await;
    let tea = app.product(pounds.id, spec("4.00", 9)).await.id;
    let added = customer.mutate("cartLineAdd", CART, add(&cart, tea, 1)).await;
    assert_eq!(added.at("cartLineAdd.cart.total"), &json!({ "amount": "4.00", "currency": "GBP" }));
}

#[tokio::test]
async fn reserved_stock_is_unavailable_to_others_until_released_or_expired() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let lamp = app.product(website.id, spec("2.00", 5)).await.id;
    let (ada, bob) = (app.customer().await, app.customer().await);
    let mine = ada.create_cart(&[(lamp, 4)]).await;
    let theirs = bob.create_cart(&[(lamp, 2)]).await;
    let reserve = json!({ "id": mine.id });
    let kept = ada.mutate("cartReserve", CART, reserve.clone()).await;
    assert_eq!(kept.outcome("cartReserve"), "done");
    let until = kept.text_at("cartReserve.cart.reservedUntil");
    assert_eq!(kept.at("cartReserve.cart.lines.0.availability"), "AVAILABLE");
    let again = ada.mutate("cartReserve", CART, reserve.clone()).await;
    assert_eq!(again.text_at("cartReserve.cart.reservedUntil"), until, "the reservation is not extended");

    // The reserved units are unavailable everywhere.
    let available = "query ($id: ID!) { product(id: $id) { availability remainingQuantity } }";
    let seen = bob.run_with(available, json!({ "id": lamp.to_global_id() })).await;
    assert_eq!(
        (seen.at("product.availability"), seen.at("product.remainingQuantity")),
        (&json!("LOW_STOCK"), &json!(1))
    );
    assert_eq!(bob.run(&format!("{{ {CART} }}")).await.at("cart.lines.0.availability"), "INSUFFICIENT_STOCK");
    assert_eq!(bob.checkout(&theirs, "k1").await.outcome("checkout"), "OUT_OF_STOCK lines.0.quantity");
    assert_eq!(bob.try_order(&[(lamp, 2)], "k2").await.outcome("orderCreate"), "OUT_OF_STOCK lines.0.quantity");
    let input = json!({ "id": theirs.id });
    assert_eq!(bob.mutate("cartReserve", CART, input).await.outcome("cartReserve"), "OUT_OF_STOCK lines.0.quantity");
    let order = bob.order(&[(lamp, 1)]).await;
    let input = json!({ "orderId": order, "productId": lamp.to_global_id(), "quantity": 1 });
    assert_eq!(
        bob.mutate("orderDetailAdd", "order { id }", input).await.outcome("orderDetailAdd"),
        "OUT_OF_STOCK quantity"
    );

    // Changing the cart releases the reservation; so does `cartRelease`.
    let change = json!({ "id": mine.lines[0], "quantity": 3 });
    ada.mutate("cartLineUpdate", CART, change).await;
    assert_eq!(app.database.scalar("SELECT reserved FROM products").await, "0");
    ada.mutate("cartReserve", CART, reserve.clone()).await;
    assert_eq!(app.database.scalar("SELECT reserved FROM products").await, "3");
    let released = ada.mutate("cartRelease", CART, reserve.clone()).await;
    assert_eq!(released.at("cartRelease.cart.reservedUntil"), &Value::Null);
    assert_eq!(app.database.scalar("SELECT reserved FROM products").await, "0");

    // Others may buy once the reservation has expired, even before it is cleaned up.
    ada.mutate("cartReserve", CART, reserve.clone()).await;
    let past =
        "SET session_replication_role = replica; UPDATE cart_reservations SET expires_at = now() - interval '1 s'";
    app.database.sql(past).await;
    assert_eq!(ada.run("{ cart { reservedUntil } }").await.at("cart.reservedUntil"), &Value::Null);
    assert_eq!(bob.checkout(&theirs, "k3").await.outcome("checkout"), "done");
    assert_eq!(
        ada.mutate("cartReserve", CART, reserve.clone()).await.outcome("cartReserve"),
        "OUT_OF_STOCK lines.0.quantity"
    );
    assert_eq!(
        ada.mutate("cartLineUpdate", CART, json!({ "id": mine.lines[0], "quantity": 2 }))
            .await
            .outcome("cartLineUpdate"),
        "done"
    );
    assert_eq!(ada.mutate("cartReserve", CART, reserve.clone()).await.outcome("cartReserve"), "done");
    // The units reserved for the buyer's own cart can be bought.
    let cart = TestCart { total: "4.00".into(), ..mine };
    assert_eq!(ada.checkout(&cart, "k4").await.outcome("checkout"), "done");
    assert_eq!(app.database.scalar("SELECT stock || ' ' || reserved FROM products").await, "0 0");
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn expired_carts_and_reservations_are_deleted() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let lamp = app.product(website.id, spec("2.00", 9)).await.id;
    let (ada, guest) = (app.customer().await, app.anonymous());
    let (mine, theirs) = (ada.create_cart(&[(lamp, 2)]).await, guest.create_cart(&[(lamp, 3)]).await);
    let guest = guest.with_cart(theirs.token.clone());
    ada.mutate("cartReserve", CART, json!({ "id": mine.id })).await;
    guest.mutate("cartReserve", CART, json!({ "id": theirs.id })).await;
    assert_eq!(carts::actions::clean_up(&app.database.db).await.unwrap(), 0);
    assert_eq!(app.database.scalar("SELECT reserved FROM products").await, "5");
    // Expires the guest's cart with its reservation, and only the reservation of the customer's cart.
    let over = "SET session_replication_role = replica;
        UPDATE carts SET expires_at = now() - interval '1 s' WHERE user_id IS NULL;
        UPDATE cart_reservations SET expires_at = now() - interval '1 s' WHERE quantity = 2";
    app.database.sql(over).await;
    let query = "query ($id: ID!) { cart(id: $id) { id } }";
    assert_eq!(
        guest.run_with(query, json!({ "id": theirs.id })).await.at("cart"),
        &Value::Null,
        "an expired cart is not found"
    );
    assert_eq!(guest.checkout(&theirs, "k").await.outcome("checkout"), "NOT_FOUND cartId");
    assert_eq!(carts::actions::clean_up(&app.database.db).await.unwrap(), 2);
    assert_eq!(app.database.scalar("SELECT reserved FROM products").await, "0");
    assert_eq!(
        app.database.scalar("SELECT count(*) || ' ' || (SELECT count(*) FROM cart_lines) FROM carts").await,
        "1 1"
    );
}
