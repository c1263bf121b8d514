//! Invariants of orders that are inserted with their total and lines by one statement, tested with plain SQL.

use crate::support::{
    TestDb,
    psql::{Psql, violated_constraint},
};

const SETUP: &str = "
    INSERT INTO websites (code, name, base_url, currency) VALUES ('sailor', 'Sailor', 'https://sailor.example', 'EUR');
    INSERT INTO products (source_website_id, name, slug, sku, price, stock)
        SELECT id, 'Product ' || n, 'product-' || n, 'p' || n, 10, 5 FROM websites, generate_series(1, 2) n";

/// Returns the statement that inserts an order with this total, lines of 2 × 10 and 1 × 5, and a sale of these products.
fn placement(id: i64, total: &str, sold: &str) -> String {
    format!(
        "WITH placed AS (
            INSERT INTO orders (id, source_website_id, order_number, total_amount) VALUES ({id}, 1, '{id}', {total}) RETURNING id
        ), lines AS (
            INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price)
                VALUES ({id}, 1, 'A', 'a', 2, 10), ({id}, 2, 'B', 'b', 1, 5)
        ), sold AS (
            INSERT INTO stock_sales (order_id, product_ids, quantities) SELECT id, {sold} FROM placed
        ) SELECT id FROM placed"
    )
}

const SOLD: &str = "'{1, 2}', '{2, 1}'";

async fn setup() -> (TestDb, Psql) {
    let database = TestDb::new().await;
    let psql = Psql::connect(&database.url).await;
    psql.rows(SETUP).await;
    (database, psql)
}

#[tokio::test]
async fn order_is_inserted_with_its_total_and_lines() {
    let (_database, psql) = setup().await;
    psql.rows(&placement(1, "25", SOLD)).await;
    for (sql, expected) in [
        ("SELECT total_amount = 25 AND updated_at = created_at FROM orders", "t"),
        ("SELECT string_agg(concat_ws(' ', kind, to_status), '|') FROM order_events", "placed pending"),
        (
            "SELECT string_agg(change || ' ' || resource_type, '|') FROM audit_log WHERE resource_type LIKE 'Order%'",
            "created Order",
        ),
        ("SELECT (after ->> 'total_amount')::numeric = 25 FROM audit_log WHERE resource_type = 'Order'", "t"),
        ("SELECT string_agg(stock::text, ' ' ORDER BY id) FROM products", "3 4"),
        (
            "SELECT string_agg(concat_ws(' ', product_id, delta, balance), '|' ORDER BY id) FROM stock_movements WHERE reason = 'sale'",
            "1 -2 3|2 -1 4",
        ),
        ("SELECT concat_ws(' ', order_id, product_ids, quantities) FROM stock_sales", "1 {1,2} {2,1}"),
    ] {
        assert_eq!(psql.scalar(sql).await, expected, "{sql}");
    }
    // Later lines are added to the total, are events and are audited.
    psql.rows("INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price) VALUES (1, 1, 'A', 'a', 1, 5)").await;
    assert_eq!(psql.scalar("SELECT round(total_amount, 2) FROM orders").await, "30.00");
    assert_eq!(psql.scalar("SELECT string_agg(kind, ' ' ORDER BY id) FROM order_events").await, "placed line_added");
    assert_eq!(psql.scalar("SELECT count(*) FROM audit_log WHERE resource_type = 'OrderDetail'").await, "1");
}

#[tokio::test]
async fn order_with_another_total_or_without_stock_is_rejected_whole() {
    let (_database, psql) = setup().await;
    for (total, sold, constraint) in [
        ("24", SOLD, "orders_total_from_lines"),
        ("-25", SOLD, "orders_total_amount_not_negative"),
        ("25", "'{1, 2}', '{6, 1}'", "products_stock_range"),
        ("25", "'{1, 99}', '{1, 1}'", "stock_movements_product_id_fkey"),
        ("25", "'{1, 1}', '{1, 1}'", "stock_movements_product_id_fkey"),
        ("25", "'{1, 2}', '{1, 0}'", "stock_movements_delta_not_zero"),
    ] {
        match psql.try_run(&placement(1, total, sold)).await {
            Ok(_) => panic!("no constraint rejected {total} {sold}"),
            Err(error) => assert_eq!(violated_constraint(&error), constraint, "{total} {sold}"),
        }
    }
    let counts = "SELECT concat_ws(' ', (SELECT count(*) FROM orders), (SELECT count(*) FROM order_events),
        (SELECT string_agg(stock::text, ' ' ORDER BY id) FROM products))";
    assert_eq!(psql.scalar(counts).await, "0 0 5 5");
    // A total of 0 is increased by the lines, as for orders that are inserted first.
    psql.rows(&placement(1, "0", SOLD)).await;
    assert_eq!(psql.scalar("SELECT round(total_amount, 2) FROM orders").await, "25.00");
    assert_eq!(psql.scalar("SELECT count(*) FROM audit_log WHERE resource_type = 'Order'").await, "1");
}
