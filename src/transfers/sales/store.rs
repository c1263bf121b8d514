//! SQL statements of sales imports: lookups, and the creation of customers with their sources.
//! Rule: all other writes are in `products::store::bulk` and `orders::store::bulk`.

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, BigInt, Bool, Numeric, Text},
};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use crate::{
    db::Conn,
    error::Result,
    ids::{ProductId, WebsiteId},
};

/// An existing order.
#[derive(Debug, QueryableByName)]
pub struct ExistingOrder {
    /// Order number.
    #[diesel(sql_type = Text)]
    pub order_number: String,
    /// Whether the order has a line that was not imported.
    #[diesel(sql_type = Bool)]
    pub is_foreign: bool,
}

/// Name and price of a product according to all imported lines.
#[derive(Debug, QueryableByName)]
pub struct ProductSummary {
    /// Primary key.
    #[diesel(sql_type = BigInt)]
    pub id: ProductId,
    /// The most frequent description; the product's current name if all are blank.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Number of different descriptions.
    #[diesel(sql_type = BigInt)]
    pub names: i64,
    /// The latest price above 0; the product's current price if there is none.
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

/// Returns those of these orders that exist.
pub async fn existing_orders(mut conn: &Conn, website: WebsiteId, numbers: &[String]) -> Result<Vec<ExistingOrder>> {
    let query = sql_query(
        "SELECT o.order_number,
                EXISTS (SELECT FROM order_details d WHERE d.order_id = o.id AND d.external_key IS NULL) AS is_foreign
         FROM orders o WHERE o.source_website_id = $1 AND o.order_number = ANY ($2)",
    );
    Ok(query.bind::<BigInt, _>(website).bind::<Array<Text>, _>(numbers).load(&mut conn).await?)
}

/// Inserts the customers that do not exist; returns how many.
pub async fn insert_customers(mut conn: &Conn, website: WebsiteId, numbers: &[String]) -> Result<usize> {
    sql_query("SELECT pg_advisory_xact_lock(hashtext('sources'), $1::integer)")
        .bind::<BigInt, _>(website)
        .execute(&mut conn)
        .await?;
    let query = sql_query(
        "WITH missing AS (
             SELECT c.number, nextval(pg_get_serial_sequence('users', 'id')) AS id FROM unnest($2) AS c (number)
             WHERE NOT EXISTS (SELECT FROM sources WHERE resource_type = 'User' AND website_id = $1 AND external_id = c.number)
         ), made AS (
             INSERT INTO users (id, name, role_id, source_website_id)
             SELECT m.id, 'Customer ' || m.number, r.id, $1 FROM missing m JOIN roles r ON r.code = 'customer' ORDER BY m.number
         )
         INSERT INTO sources (resource_type, resource_id, website_id, external_id) SELECT 'User', id, $1, number FROM missing",
    );
    Ok(query.bind::<BigInt, _>(website).bind::<Array<Text>, _>(numbers).execute(&mut conn).await?)
}

/// Returns those of these slugs that are taken.
pub async fn taken_slugs(mut conn: &Conn, slugs: &[String]) -> Result<Vec<String>> {
    let query = sql_query("SELECT slug AS key FROM products WHERE slug = ANY ($1)");
    Ok(keys(query.bind::<Array<Text>, _>(slugs).load(&mut conn).await?))
}

/// Returns names and prices of these products according to all imported lines. The name is the most frequent
/// description, ignoring descriptions equal to the SKU, and the first one among equals. The price is the latest one
/// above 0; sales take precedence over cancellations.
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
