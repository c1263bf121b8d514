//! Invariants that hold for every writer, tested with plain SQL outside the program.

use rand::Rng;

use crate::support::{
    TestDb,
    psql::{Psql, violated_constraint},
};

/// A website, two products without stock, two orders without lines, a user.
const SETUP: &str = "
    INSERT INTO websites (code, name, base_url, currency) VALUES ('sailor', 'Sailor', 'https://sailor.example', 'EUR');
    INSERT INTO users (name, email, role_id) SELECT 'Ada', 'ada@souk.example', id FROM roles WHERE code = 'customer';
    INSERT INTO products (source_website_id, name, slug, sku, price)
        SELECT id, 'Product ' || n, 'product-' || n, 'p' || n, 10 FROM websites, generate_series(1, 2) n;
    INSERT INTO orders (source_website_id, order_number) SELECT id, n FROM websites, generate_series(1, 2) n";

async fn setup() -> (TestDb, Psql) {
    let database = TestDb::new().await;
    let psql = Psql::connect(&database.url).await;
    psql.rows(SETUP).await;
    (database, psql)
}

/// Checks that each statement is rejected by its constraint.
async fn assert_all_rejected(psql: &Psql, table: &[(&str, &str)]) {
    for (sql, constraint) in table {
        match psql.try_run(sql).await {
            Ok(_) => panic!("no constraint rejected {sql}"),
            Err(error) => assert_eq!(violated_constraint(&error), *constraint, "{sql}"),
        }
    }
}

#[tokio::test]
async fn stock_changes_only_through_the_ledger() {
    let (_database, psql) = setup().await;
    psql.rows("INSERT INTO stock_movements (product_id, reason, delta) VALUES (1, 'opening', 5), (2, 'opening', 3)")
        .await;
    let product = |sku: &str, stock: i32| {
        format!(
            "INSERT INTO products (source_website_id, name, slug, sku, price, stock) VALUES (1, 'N', '{sku}', '{sku}', 1, {stock})"
        )
    };
    let movement = |values: &str| format!("INSERT INTO stock_movements (product_id, reason, delta) VALUES {values}");
    assert_all_rejected(
        &psql,
        &[
            ("UPDATE products SET stock = 9", "products_stock_from_ledger"),
            ("UPDATE products SET stock = stock + 1 WHERE id = 1", "products_stock_from_ledger"),
            ("UPDATE products SET name = 'X', stock = DEFAULT", "products_stock_from_ledger"),
            (&product("n", -1), "products_stock_range"),
            (&movement("(1, 'sale', -6)"), "products_stock_range"),
            (&movement("(1, 'sale', -5), (1, 'sale', -1)"), "products_stock_range"),
            (&movement("(1, 'sale', 0)"), "stock_movements_delta_not_zero"),
            (&movement("(1, 'theft', -1)"), "stock_movements_reason_known"),
            (&movement("(99, 'sale', -1)"), "stock_movements_product_id_fkey"),
        ],
    )
    .await;
    let stocks = "SELECT string_agg(stock::text, ' ' ORDER BY id) FROM products";
    assert_eq!(psql.scalar(stocks).await, "5 3", "rejected statements wrote nothing");
    psql.rows(&movement("(1, 'sale', -5), (2, 'adjustment', 4)")).await;
    assert_eq!(psql.scalar(stocks).await, "0 7");
    let balances = "SELECT string_agg(balance::text, ' ' ORDER BY id) FROM stock_movements";
    assert_eq!(psql.scalar(balances).await, "5 3 0 7", "each entry has the resulting stock");
    psql.rows(&product("n", 7)).await;
    psql.rows(&product("empty", 0)).await;
    let entered = "SELECT string_agg(concat_ws(' ', p.sku, m.reason, m.delta, m.balance, p.stock), '|')
        FROM stock_movements m JOIN products p ON p.id = m.product_id WHERE p.sku IN ('n', 'empty')";
    assert_eq!(psql.scalar(entered).await, "n opening 7 7 7", "a product's opening stock is in the ledger");
    let again = format!("{} ON CONFLICT (slug) DO UPDATE SET stock = 9", product("n", 7));
    assert_all_rejected(&psql, &[(&again, "products_stock_from_ledger")]).await;
}

#[tokio::test]
async fn stock_ledger_is_append_only() {
    let (_database, psql) = setup().await;
    psql.rows("INSERT INTO stock_movements (product_id, reason, delta) VALUES (1, 'opening', 5)").await;
    assert_all_rejected(
        &psql,
        &[
            ("UPDATE stock_movements SET delta = 6", "stock_movements_append_only"),
            ("UPDATE stock_movements SET note = 'x' WHERE false", "stock_movements_append_only"),
            ("DELETE FROM stock_movements", "stock_movements_append_only"),
            ("TRUNCATE stock_movements", "stock_movements_append_only"),
            ("DELETE FROM products WHERE id = 1", "stock_movements_product_id_fkey"),
        ],
    )
    .await;
    assert_eq!(psql.scalar("SELECT sum(delta) FROM stock_movements").await, "5");
}

#[tokio::test]
async fn stock_equals_the_ledger_sum_after_concurrent_writes() {
    let (database, psql) = setup().await;
    psql.rows("INSERT INTO stock_movements (product_id, reason, delta) VALUES (1, 'opening', 40), (2, 'opening', 40)")
        .await;
    let writers = (0..6).map(async |_| {
        let psql = Psql::connect(&database.url).await;
        let (mut entered, mut refused) = (0, 0);
        for _ in 0..40 {
            let (product, delta) = (rand::rng().random_range(1..=2), rand::rng().random_range(1..=9));
            let delta = if rand::rng().random_bool(0.6) { -delta } else { delta };
            let sql = format!(
                "INSERT INTO stock_movements (product_id, reason, delta) VALUES ({product}, 'adjustment', {delta})"
            );
            match psql.try_run(&sql).await {
                Ok(_) => entered += 1,
                Err(error) => {
                    assert_eq!(violated_constraint(&error), "products_stock_range");
                    refused += 1;
                }
            }
        }
        (entered, refused)
    });
    let counts = futures_util::future::join_all(writers).await;
    let entered: i32 = counts.iter().map(|(entered, _)| entered).sum();
    assert_eq!(psql.scalar("SELECT count(*) FROM stock_movements").await, (entered + 2).to_string(), "{counts:?}");
    let sums =
        "SELECT bool_and(stock >= 0 AND stock = (SELECT sum(delta) FROM stock_movements WHERE product_id = p.id))
        FROM products p";
    assert_eq!(psql.scalar(sums).await, "t");
}

#[tokio::test]
async fn order_total_changes_only_through_its_lines() {
    let (_database, psql) = setup().await;
    let order = "INSERT INTO orders (source_website_id, order_number, total_amount) VALUES (1, '9', 5)";
    let line = |values: &str| {
        format!("INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price) VALUES {values}")
    };
    assert_all_rejected(
        &psql,
        &[
            ("UPDATE orders SET total_amount = 5", "orders_total_from_lines"),
            ("UPDATE orders SET total_amount = total_amount, status = 'shipped'", "orders_total_from_lines"),
            (order, "orders_total_from_lines"),
            ("UPDATE orders SET status = 'lost'", "orders_status_known"),
            (&line("(1, 1, 'A', 'a', 0, 5)"), "order_details_quantity_positive"),
            (&line("(1, 1, 'A', 'a', 1, -5)"), "order_details_unit_price_not_negative"),
            (&line("(99, 1, 'A', 'a', 1, 5)"), "order_details_order_id_fkey"),
            ("TRUNCATE order_details CASCADE", "orders_total_from_lines"),
            ("UPDATE order_details SET total_price = 5", "column \"total_price\" can only be updated to DEFAULT"),
        ],
    )
    .await;
    let totals = "SELECT string_agg(round(total_amount, 2)::text, ' ' ORDER BY id) FROM orders";
    let steps = [
        ("no lines yet", "SELECT", "0.00 0.00"),
        ("a line", &*line("(1, 1, 'A', 'first', 2, 10.50)"), "21.00 0.00"),
        (
            "several lines of several orders",
            &line("(1, 2, 'B', 'b', 1, 4), (2, 1, 'A', 'a', 3, 1), (2, 2, 'B', 'b', 1, 0)"),
            "25.00 3.00",
        ),
        (
            "an insert of no lines",
            "INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price)
                SELECT 1, 1, 'A', 'a', 1, 1 WHERE false",
            "25.00 3.00",
        ),
        ("another quantity", "UPDATE order_details SET quantity = 1 WHERE sku = 'first'", "14.50 3.00"),
        ("all prices", "UPDATE order_details SET unit_price = unit_price + 1", "16.50 7.00"),
        ("a line moves", "UPDATE order_details SET order_id = 2 WHERE sku = 'first'", "5.00 18.50"),
        (
            "lines swap orders, one at another price",
            "UPDATE order_details SET order_id = 3 - order_id, unit_price = unit_price + CASE sku WHEN 'first' THEN 1 ELSE 0 END",
            "19.50 5.00",
        ),
        ("a change without amounts", "UPDATE order_details SET name = 'C'", "19.50 5.00"),
        ("a line is deleted", "DELETE FROM order_details WHERE sku = 'first'", "7.00 5.00"),
        ("all lines are deleted", "DELETE FROM order_details", "0.00 0.00"),
    ];
    for (what, sql, expected) in steps {
        psql.rows(sql).await;
        assert_eq!(psql.scalar(totals).await, expected, "{what}");
    }
}

#[tokio::test]
async fn user_has_at_most_one_default_address() {
    let (_database, psql) = setup().await;
    let address = |default: &str| {
        format!(
            "INSERT INTO addresses (user_id, country, city, address, is_default) SELECT id, 'DE', 'Ulm', 'Ring 1', {default} FROM users"
        )
    };
    psql.rows(&address("true")).await;
    psql.rows(&address("false")).await;
    assert_all_rejected(
        &psql,
        &[
            (&address("true"), "addresses_one_default_per_user"),
            ("UPDATE addresses SET is_default = true", "addresses_one_default_per_user"),
        ],
    )
    .await;
    psql.rows("UPDATE addresses SET is_default = false; UPDATE addresses SET is_default = true WHERE id = 2").await;
    assert_eq!(psql.scalar("SELECT count(*) FROM addresses WHERE is_default").await, "1");
}

#[tokio::test]
async fn email_is_unique_ignoring_case() {
    let (_database, psql) = setup().await;
    let user =
        |email: &str| format!("INSERT INTO users (name, email, role_id) SELECT 'B', {email}, min(id) FROM roles");
    assert_all_rejected(
        &psql,
        &[
            (&user("'ada@souk.example'"), "users_email_key"),
            (&user("'ADA@Souk.Example'"), "users_email_key"),
            (&user("'ada'"), "users_email_form"),
            (&user("'a da@souk.example'"), "users_email_form"),
        ],
    )
    .await;
    // Imported customers have no email address, any number of them.
    psql.rows(&user("NULL")).await;
    psql.rows(&user("NULL")).await;
    assert_eq!(psql.scalar("SELECT count(*) FROM users").await, "3");
}

const TREE: &str = "INSERT INTO categories (id, parent_id, name, slug, path) VALUES
    (1, NULL, 'a', 'a', '{}'), (2, 1, 'b', 'b', '{}'), (3, 2, 'c', 'c', '{}'), (4, NULL, 'd', 'd', '{}')";

#[tokio::test]
async fn category_tree_has_no_cycles_and_correct_paths() {
    let (_database, psql) = setup().await;
    psql.rows(TREE).await;
    let paths = "SELECT string_agg(array_to_string(path, '/'), ' ' ORDER BY id) FROM categories";
    assert_eq!(psql.scalar(paths).await, "1 1/2 1/2/3 4");
    assert_all_rejected(
        &psql,
        &[
            ("UPDATE categories SET parent_id = 1 WHERE id = 1", "categories_acyclic"),
            ("UPDATE categories SET parent_id = 3 WHERE id = 1", "categories_acyclic"),
            ("UPDATE categories SET parent_id = 3 WHERE id = 2", "categories_acyclic"),
            ("UPDATE categories SET parent_id = 5 - id WHERE id IN (1, 4)", "categories_acyclic"),
            ("UPDATE categories SET parent_id = 99 WHERE id = 4", "categories_parent_id_fkey"),
            ("DELETE FROM categories WHERE id = 2", "categories_parent_id_fkey"),
            ("UPDATE categories SET path = '{4,2}' WHERE id = 2", "categories_path_from_parent"),
            ("UPDATE categories SET position = 0 WHERE id = 4", "categories_position_key"),
            ("UPDATE categories SET parent_id = NULL WHERE id = 3", "categories_position_key"),
            ("UPDATE categories SET path = '{4,2}', parent_id = 4 WHERE id = 2", "categories_path_from_parent"),
        ],
    )
    .await;
    assert_eq!(psql.scalar(paths).await, "1 1/2 1/2/3 4");
    psql.rows("UPDATE categories SET parent_id = 4 WHERE id = 2").await;
    assert_eq!(psql.scalar(paths).await, "1 4/2 4/2/3 4", "a subtree moves as a whole");
    psql.rows("UPDATE categories SET parent_id = NULL, position = 7 WHERE id = 3").await;
    assert_eq!(psql.scalar(paths).await, "1 4/2 3 4");
}

#[tokio::test]
async fn concurrent_category_moves_cannot_create_a_cycle() {
    let (database, psql) = setup().await;
    psql.rows(TREE).await;
    let other = Psql::connect(&database.url).await;
    // Neither sees the other's uncommitted change; each alone would be valid.
    psql.rows("BEGIN; UPDATE categories SET parent_id = 4 WHERE id = 1").await;
    let pid = other.scalar("SELECT pg_backend_pid()").await;
    let meets = tokio::spawn(async move { other.try_run("UPDATE categories SET parent_id = 3 WHERE id = 4").await });
    let watch = Psql::connect(&database.url).await;
    let waits = format!("SELECT count(*) FROM pg_locks WHERE pid = {pid} AND NOT granted");
    // The second move has started and waits for the first, which has not ended.
    while !meets.is_finished() && watch.scalar(&waits).await == "0" {}
    psql.rows("COMMIT").await;
    let met = meets.await.expect("no panic");
    assert_eq!(violated_constraint(&met.expect_err("a cycle")), "categories_acyclic");
    let paths = "SELECT string_agg(array_to_string(path, '/'), ' ' ORDER BY id) FROM categories";
    assert_eq!(psql.scalar(paths).await, "4/1 4/1/2 4/1/2/3 4");
}
