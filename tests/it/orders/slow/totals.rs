//! Totals: the server's and the database's sums are equal to the cent.

use rand::{Rng, SeedableRng, rngs::StdRng};
use rust_decimal::Decimal;
use serde_json::json;
use souk::{
    ids::{ProductId, RowId},
    money::{Currency, line_total},
};

use crate::support::{ProductSpec, TestApp};

fn euro() -> Currency {
    Currency::parse("EUR").expect("a currency")
}

#[tokio::test]
async fn cart_total_is_the_sum_of_its_lines() {
    let app = TestApp::new().await;
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let website = app.website("sailor").await;
    // 200 prices of all sizes and carts of 1 to 20 of them, inserted by SQL; the program computes the sums.
    let prices: Vec<i64> = (0..200)
        .map(|_| 10_i64.pow(random.random_range(0..8)) * random.random_range(0..10) + random.random_range(0..100))
        .collect();
    let rows: Vec<String> = prices
        .iter()
        .enumerate()
        .map(|(i, cents)| {
            format!("({0} + {i}, {1}, 'P{i}', 'p{i}', 'P{i}', {2})", 1_000_000, website.id.0, Decimal::new(*cents, 2))
        })
        .collect();
    app.bulk_insert(&format!(
        "INSERT INTO products (id, source_website_id, name, slug, sku, price) VALUES {}",
        rows.join(", ")
    ))
    .await;
    let (mut orders, mut lines, mut sums) = (Vec::new(), Vec::new(), Vec::new());
    for cart in 0..10_000_i64 {
        let mut sum = Decimal::ZERO;
        for _ in 0..random.random_range(1..=20) {
            let product = random.random_range(0..prices.len());
            let units = random.random_range(1..=50);
            sum += line_total(Decimal::new(prices[product], 2), units);
            lines.push(format!(
                "({cart} + 1, 1000000 + {product}, 'P', 'P', {units}, {})",
                Decimal::new(prices[product], 2)
            ));
        }
        orders.push(format!("({cart} + 1, {}, 'N-{cart}')", website.id.0));
        sums.push(euro().format(sum));
    }
    app.bulk_insert(&format!(
        "INSERT INTO orders (id, source_website_id, order_number) VALUES {};
         INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price) VALUES {}",
        orders.join(", "),
        lines.join(", ")
    ))
    .await;
    let totals = app.database.rows("SELECT round(total_amount, 2) FROM orders ORDER BY id").await;
    assert_eq!(totals, sums.iter().map(|sum| format!("({sum})")).collect::<Vec<_>>(), "seed {seed}");
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn cart_total_equals_the_order_total() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let mut random = StdRng::seed_from_u64(7);
    let mut products: Vec<ProductId> = Vec::new();
    for price in ["0.01", "0.99", "1.05", "19.95", "333.33", "0.00", "99999.99"] {
        products.push(
            app.product(website.id, ProductSpec { price: Some(price), stock: 100_000, ..ProductSpec::default() })
                .await
                .id,
        );
    }
    let customer = app.customer().await;
    for turn in 0..25 {
        let count = random.random_range(1..=products.len());
        let lines: Vec<_> = products.iter().take(count).map(|id| (*id, random.random_range(1..=99))).collect();
        let cart = customer.create_cart(&lines).await;
        let bought = customer.checkout(&cart, &turn.to_string()).await;
        assert_eq!(bought.outcome("checkout"), "done", "{bought:?}");
        assert_eq!(bought.text_at("checkout.orders.0.totalAmount.amount"), cart.total);
        let query = "query ($id: ID!) { order(id: $id) { totalAmount { amount } details { totalPrice { amount } } } }";
        let seen = customer.run_with(query, json!({ "id": bought.text_at("checkout.orders.0.id") })).await;
        let amount = |value: &serde_json::Value| {
            value["amount"].as_str().expect("a decimal").parse::<Decimal>().expect("a decimal")
        };
        let sum: Decimal =
            seen.at("order.details").as_array().expect("lines").iter().map(|line| amount(&line["totalPrice"])).sum();
        assert_eq!(
            (amount(seen.at("order.totalAmount")), euro().format(sum)),
            (sum, cart.total),
            "lines of {}",
            products[0].to_global_id()
        );
    }
}

#[tokio::test]
async fn rounding_matches_the_database() {
    let app = TestApp::new().await;
    let mut random = StdRng::seed_from_u64(11);
    let mut exact: Vec<Decimal> =
        (0..1000).map(|_| Decimal::new(random.random_range(-1_000_000_000..1_000_000_000), 4)).collect();
    // Every value that ends in half a cent.
    exact.extend((-20..20).map(|n| Decimal::new(n * 10 + 5, 3)));
    let values: Vec<String> = exact.iter().enumerate().map(|(index, amount)| format!("({index}, {amount})")).collect();
    let query = format!("SELECT amount::numeric(12, 2) FROM (VALUES {}) v (i, amount) ORDER BY i", values.join(", "));
    let rounded: Vec<String> = exact.iter().map(|amount| format!("({})", euro().format(*amount))).collect();
    assert_eq!(app.database.rows(&query).await, rounded);
}
