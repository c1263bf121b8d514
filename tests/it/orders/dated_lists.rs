//! Staff's lists of the orders of a period in another order than by date.

use serde_json::Value;
use souk::ids::OrderId;

use crate::support::{
    Actor, TestApp,
    bulk::{BASE, nth_id},
};

/// Number of orders; their numbers, amounts and dates increase together.
const ORDERS: i64 = 10_000;
/// Number of the first order of the period, which lasts until the last order.
const FIRST: i64 = 9_400;

/// Orders without lines, one per hour. The triggers would require lines.
async fn shop() -> TestApp {
    let app = TestApp::new().await;
    app.seed_all(1).await;
    let script = format!(
        "ALTER TABLE orders DISABLE TRIGGER USER;
        INSERT INTO orders (id, source_website_id, order_number, status, total_amount, placed_at)
            SELECT {BASE} + i, {BASE} + 1, 'N-' || lpad(i::text, 6, '0'),
                   CASE WHEN i < {FIRST} THEN 'delivered' ELSE 'pending' END, 1 + i / 10, period(i)
            FROM generate_series(2, {ORDERS}) i;
        UPDATE orders SET placed_at = '2019-01-01' WHERE id = {BASE} + 1;
        ALTER TABLE orders ENABLE TRIGGER USER;
        ANALYZE orders"
    );
    let period = "CREATE FUNCTION period(hour bigint) RETURNS timestamptz LANGUAGE sql STABLE AS
        $$ SELECT '2020-01-01 00:00:00+00'::timestamptz + hour * interval '1 hour' $$;";
    app.database.sql(&format!("{period} {script}")).await;
    app
}

/// The time at which the order with this number was placed.
async fn placed_at(app: &TestApp, number: i64) -> String {
    let text = format!("SELECT to_char(period({number}) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')");
    app.database.scalar(&text).await
}

async fn ids(staff: &Actor<'_>, arguments: &str) -> (Vec<String>, Value) {
    let response = staff
        .run(&format!(
            "{{ orders({arguments}) {{ nodes {{ id }} pageInfo {{ startCursor endCursor hasNextPage }} }} }}"
        ))
        .await;
    let nodes = response.at("orders.nodes").as_array().expect("nodes").clone();
    let ids = nodes.iter().map(|node| node["id"].as_str().expect("an id").to_owned()).collect();
    (ids, response.at("orders.pageInfo").clone())
}

fn orders(numbers: impl IntoIterator<Item = i64>) -> Vec<String> {
    numbers.into_iter().map(nth_id::<OrderId>).collect()
}

#[tokio::test]
async fn orders_of_a_period_are_paged_in_every_order() {
    let app = shop().await;
    let admin = app.admin().await;
    let first = placed_at(&app, FIRST).await;
    for field in ["ORDER_NUMBER", "TOTAL_AMOUNT"] {
        // In ascending order the period is at the end, where the first rows of the list do not reach.
        let list = |direction| {
            format!("where: {{placedAt: {{gte: \"{first}\"}}}}, orderBy: {{field: {field}, direction: {direction}}}")
        };
        // Ten orders have the same amount.
        let (page, info) = ids(&admin, &format!("first: 45, {}", list("ASC"))).await;
        assert_eq!((page, &info["hasNextPage"]), (orders(FIRST..FIRST + 45), &Value::Bool(true)), "{field}");
        let after = format!("first: 45, after: {}, {}", info["endCursor"], list("ASC"));
        let (page, info) = ids(&admin, &after).await;
        assert_eq!(page, orders(FIRST + 45..FIRST + 90), "{field}");
        let before = format!("last: 7, before: {}, {}", info["startCursor"], list("ASC"));
        assert_eq!(ids(&admin, &before).await.0, orders(FIRST + 38..FIRST + 45), "{field}");
        let backwards = format!("first: 3, after: {}, {}", info["startCursor"], list("DESC"));
        assert_eq!(ids(&admin, &backwards).await.0, orders((FIRST + 42..FIRST + 45).rev()), "{field}");
        let (page, _) = ids(&admin, &format!("last: 5, {}", list("ASC"))).await;
        assert_eq!(page, orders(ORDERS - 4..=ORDERS), "{field}");
        let (page, _) = ids(&admin, &format!("first: 5, {}", list("DESC"))).await;
        assert_eq!(page, orders((ORDERS - 4..=ORDERS).rev()), "{field}");
        let either = list("ASC")
            .replace("where: {", "where: {or: [{")
            .replace("\"}}, ", "\"}}, {orderNumber: {eq: \"N-000002\"}}]}, ");
        let (page, _) = ids(&admin, &format!("first: 3, {either}")).await;
        assert_eq!(page, orders([2, FIRST, FIRST + 1]), "{field}: {either}");
        // No order of the period has the status.
        let none = list("DESC").replace("where: {", "where: {status: {eq: DELIVERED}, ");
        assert_eq!(ids(&admin, &format!("first: 5, {none}")).await.0, orders([]), "{field}");
    }
}

#[tokio::test]
async fn orders_of_a_short_period_are_found_by_date_unless_the_first_rows_fill_the_page() {
    let app = shop().await;
    let admin = app.admin().await;
    let first = placed_at(&app, FIRST).await;
    let list = |direction: &str| {
        format!(
            "{{ orders(where: {{placedAt: {{gte: \"{first}\"}}}}, orderBy: {{field: ORDER_NUMBER, direction: {direction}}}) \
             {{ nodes {{ id }} }} }}"
        )
    };
    let at_the_end = admin.run(&list("ASC")).await;
    let plans = app.database.plans(&at_the_end).await;
    assert_eq!(plans.len(), 3, "{:?}", at_the_end.sql);
    let by_date = plans[2].lines.join("\n");
    assert!(by_date.contains("placed_at_idx") && !by_date.contains("order_number_idx"), "{by_date}");
    let at_the_beginning = admin.run(&list("DESC")).await;
    assert_eq!(at_the_beginning.sql.len(), 1, "{:?}", at_the_beginning.sql);
}
