//! Every statement of an import: one per batch and table, rows as arrays, joined by the keys that the file uses.

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, BigInt, Bool, Integer, Nullable, Numeric, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::batch::{BatchLine, BatchOrder, BatchProduct};
use crate::{
    db::Conn,
    error::Result,
    ids::{ProductId, WebsiteId},
};

/// An order that is there already.
#[derive(Debug, QueryableByName)]
pub struct ExistingOrder {
    /// Its number.
    #[diesel(sql_type = Text)]
    pub order_number: String,
    /// Whether it holds a line that did not come from an import.
    #[diesel(sql_type = Bool)]
    pub is_foreign: bool,
}

/// A product that was made.
#[derive(Debug, QueryableByName)]
pub struct MadeProduct {
    /// Key.
    #[diesel(sql_type = BigInt)]
    pub id: ProductId,
    /// Its code.
    #[diesel(sql_type = Text)]
    pub sku: String,
    /// Whether it is for sale.
    #[diesel(sql_type = Bool)]
    pub is_active: bool,
}

/// What the imported lines say of a product.
#[derive(Debug, QueryableByName)]
pub struct ProductSummary {
    /// Key.
    #[diesel(sql_type = BigInt)]
    pub id: ProductId,
    /// Its most frequent text; the name it has where all are blank.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// How many texts there are.
    #[diesel(sql_type = BigInt)]
    pub names: i64,
    /// Its last price above 0; the price it has where there is none.
    #[diesel(sql_type = Numeric)]
    pub price: Decimal,
}

#[derive(QueryableByName)]
struct Key {
    #[diesel(sql_type = Text)]
    key: String,
}

fn keys(rows: Vec<Key>) -> Vec<String> {
    rows.into_iter().map(|row| row.key).collect()
}

/// Which of these orders are there.
pub async fn existing_orders(mut conn: &Conn, website: WebsiteId, numbers: &[String]) -> Result<Vec<ExistingOrder>> {
    let query = sql_query(
        "SELECT o.order_number,
                EXISTS (SELECT FROM order_details d WHERE d.order_id = o.id AND d.external_key IS NULL) AS is_foreign
         FROM orders o WHERE o.source_website_id = $1 AND o.order_number = ANY ($2)",
    );
    Ok(query.bind::<BigInt, _>(website).bind::<Array<Text>, _>(numbers).load(&mut conn).await?)
}

/// Makes the customers that are missing; how many.
pub async fn insert_customers(mut conn: &Conn, website: WebsiteId, numbers: &[String]) -> Result<usize> {
    sql_query("SELECT pg_advisory_xact_lock(hashtext('sources'), $1::integer)")
        .bind::<BigInt, _>(website)
        .execute(&mut conn)
        .await?;
    let query = sql_query(
        "WITH missing AS (
             SELECT c.number, nextval(pg_get_serial_sequence('users', 'id')) AS id FROM unnest($2) AS c (number)
             WHERE NOT EXISTS (SELECT FROM sources WHERE noun = 'User' AND website_id = $1 AND external_id = c.number)
         ), made AS (
             INSERT INTO users (id, name, role_id, source_website_id)
             SELECT m.id, 'Customer ' || m.number, r.id, $1 FROM missing m JOIN roles r ON r.code = 'customer' ORDER BY m.number
         )
         INSERT INTO sources (noun, noun_id, website_id, external_id) SELECT 'User', id, $1, number FROM missing",
    );
    Ok(query.bind::<BigInt, _>(website).bind::<Array<Text>, _>(numbers).execute(&mut conn).await?)
}

/// Which of these slugs are in use.
pub async fn taken_slugs(mut conn: &Conn, slugs: &[String]) -> Result<Vec<String>> {
    let query = sql_query("SELECT slug AS key FROM products WHERE slug = ANY ($1)");
    Ok(keys(query.bind::<Array<Text>, _>(slugs).load(&mut conn).await?))
}

/// Makes the products that are missing, without stock.
pub async fn insert_products(
    mut conn: &Conn,
    website: WebsiteId,
    products: &[BatchProduct],
    slugs: &[String],
) -> Result<Vec<MadeProduct>> {
    let query = sql_query(
        "INSERT INTO products (source_website_id, sku, name, slug, price, is_active)
         SELECT $1, p.sku, p.name, p.slug, p.price, p.is_active
         FROM unnest($2, $3, $4, $5, $6) AS p (sku, name, slug, price, is_active) ORDER BY p.sku
         ON CONFLICT ON CONSTRAINT products_source_website_id_sku_key DO NOTHING
         RETURNING id, sku, is_active",
    );
    let skus: Vec<&str> = products.iter().map(|product| product.sku.as_str()).collect();
    let names: Vec<&str> = products.iter().map(|product| product.name.as_str()).collect();
    let prices: Vec<Decimal> = products.iter().map(|product| product.price).collect();
    let active: Vec<bool> = products.iter().map(|product| product.is_active).collect();
    Ok(query
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(skus)
        .bind::<Array<Text>, _>(names)
        .bind::<Array<Text>, _>(slugs)
        .bind::<Array<Numeric>, _>(prices)
        .bind::<Array<Bool>, _>(active)
        .load(&mut conn)
        .await?)
}

/// Makes the orders that are missing, and fills in or dates back those that are there; the numbers of both. A status is
/// never changed.
pub async fn upsert_orders(mut conn: &Conn, website: WebsiteId, orders: &[BatchOrder]) -> Result<Vec<String>> {
    let query = sql_query(
        "INSERT INTO orders (source_website_id, order_number, user_id, status, ship_country, placed_at)
         SELECT $1, o.number, u.noun_id, o.status, o.country, o.placed_at
         FROM unnest($2, $3, $4, $5, $6) AS o (number, customer, status, country, placed_at)
         LEFT JOIN sources u ON u.noun = 'User' AND u.website_id = $1 AND u.external_id = o.customer
         ORDER BY o.number
         ON CONFLICT ON CONSTRAINT orders_source_website_id_order_number_key DO UPDATE
         SET user_id = coalesce(EXCLUDED.user_id, orders.user_id),
             ship_country = coalesce(EXCLUDED.ship_country, orders.ship_country),
             placed_at = least(EXCLUDED.placed_at, orders.placed_at)
         WHERE (orders.user_id, orders.ship_country, orders.placed_at) IS DISTINCT FROM
               (coalesce(EXCLUDED.user_id, orders.user_id), coalesce(EXCLUDED.ship_country, orders.ship_country),
                least(EXCLUDED.placed_at, orders.placed_at))
         RETURNING order_number AS key",
    );
    let numbers: Vec<&str> = orders.iter().map(|order| order.number.as_str()).collect();
    let customers: Vec<Option<&str>> = orders.iter().map(|order| order.customer.as_deref()).collect();
    let statuses: Vec<&str> = orders.iter().map(|order| order.status).collect();
    let countries: Vec<Option<&str>> = orders.iter().map(|order| order.country.as_deref()).collect();
    let dates: Vec<chrono::DateTime<chrono::Utc>> = orders.iter().map(|order| order.placed_at).collect();
    let query = query
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(numbers)
        .bind::<Array<Nullable<Text>>, _>(customers)
        .bind::<Array<Text>, _>(statuses)
        .bind::<Array<Nullable<Text>>, _>(countries)
        .bind::<Array<Timestamptz>, _>(dates);
    Ok(keys(query.load(&mut conn).await?))
}

/// Makes the lines that are missing, in the order of the file; how many.
pub async fn insert_lines(mut conn: &Conn, website: WebsiteId, lines: &[BatchLine]) -> Result<usize> {
    let query = sql_query(
        "INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price, external_key)
         SELECT o.id, p.id, l.name, l.sku, l.quantity, l.price, l.key
         FROM unnest($2, $3, $4, $5, $6, $7) WITH ORDINALITY AS l (number, sku, name, quantity, price, key, position)
         JOIN orders o ON o.source_website_id = $1 AND o.order_number = l.number
         JOIN products p ON p.source_website_id = $1 AND p.sku = l.sku
         ORDER BY l.position
         ON CONFLICT ON CONSTRAINT order_details_order_id_external_key_key DO NOTHING",
    );
    let numbers: Vec<&str> = lines.iter().map(|line| line.number.as_str()).collect();
    let skus: Vec<&str> = lines.iter().map(|line| line.sku.as_str()).collect();
    let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
    let quantities: Vec<i32> = lines.iter().map(|line| line.quantity).collect();
    let prices: Vec<Decimal> = lines.iter().map(|line| line.price).collect();
    let external_keys: Vec<&str> = lines.iter().map(|line| line.key.as_str()).collect();
    let query = query
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(numbers)
        .bind::<Array<Text>, _>(skus)
        .bind::<Array<Text>, _>(names)
        .bind::<Array<Integer>, _>(quantities)
        .bind::<Array<Numeric>, _>(prices)
        .bind::<Array<Text>, _>(external_keys);
    Ok(query.execute(&mut conn).await?)
}

/// What the imported lines say of these products: the most frequent text, the first seen among equals, a SKU in its place
/// aside; the last price above 0, that of a sale before that of a cancellation.
pub async fn summaries(mut conn: &Conn, website: WebsiteId, skus: &[String]) -> Result<Vec<ProductSummary>> {
    let query = sql_query(
        "WITH lines AS (
             SELECT d.id, d.product_id, d.name, d.sku, d.unit_price, o.status = 'cancelled' AS is_cancelled, o.placed_at
             FROM order_details d JOIN products p ON p.id = d.product_id JOIN orders o ON o.id = d.order_id
             WHERE p.source_website_id = $1 AND p.sku = ANY ($2) AND d.external_key IS NOT NULL
         ), names AS (
             SELECT DISTINCT ON (product_id) product_id, name, count(*) OVER (PARTITION BY product_id) AS names
             FROM lines WHERE name <> sku GROUP BY product_id, name
             ORDER BY product_id, count(*) DESC, min(id)
         ), prices AS (
             SELECT DISTINCT ON (product_id) product_id, unit_price
             FROM lines WHERE unit_price > 0
             ORDER BY product_id, is_cancelled, placed_at DESC, id DESC
         )
         SELECT p.id, coalesce(n.name, p.name) AS name, coalesce(n.names, 0) AS names, coalesce(l.unit_price, p.price) AS price
         FROM products p LEFT JOIN names n ON n.product_id = p.id LEFT JOIN prices l ON l.product_id = p.id
         WHERE p.source_website_id = $1 AND p.sku = ANY ($2)
         ORDER BY p.id",
    );
    Ok(query.bind::<BigInt, _>(website).bind::<Array<Text>, _>(skus).load(&mut conn).await?)
}

/// Names and prices products; the SKUs of those that changed. The caller holds their locks.
pub async fn update_products(mut conn: &Conn, summaries: &[ProductSummary]) -> Result<Vec<String>> {
    let query = sql_query(
        "UPDATE products p SET name = s.name, price = s.price
         FROM unnest($1, $2, $3) AS s (id, name, price)
         WHERE p.id = s.id AND (p.name, p.price) IS DISTINCT FROM (s.name, s.price)
         RETURNING p.sku AS key",
    );
    let ids: Vec<i64> = summaries.iter().map(|summary| summary.id.0).collect();
    let names: Vec<&str> = summaries.iter().map(|summary| summary.name.as_str()).collect();
    let prices: Vec<Decimal> = summaries.iter().map(|summary| summary.price).collect();
    let query = query.bind::<Array<BigInt>, _>(ids).bind::<Array<Text>, _>(names).bind::<Array<Numeric>, _>(prices);
    Ok(keys(query.load(&mut conn).await?))
}
