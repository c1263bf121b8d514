//! Bulk inserts of past orders: one statement for many rows, columns passed as arrays.
//! Rule: past orders take nothing from stock, and the status of an existing order never changes.

use chrono::{DateTime, Utc};
use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use crate::{
    db::Conn,
    error::{Error, Result, UserError, UserErrorCode},
    ids::WebsiteId,
    orders::model::OrderAddress,
};

/// An order to import.
#[derive(Debug, Clone, Copy)]
pub struct PastOrder<'a> {
    /// Primary key, from [`next_ids`].
    pub id: i64,
    /// Order number, unique per website.
    pub number: &'a str,
    /// Status.
    pub status: &'a str,
    /// When the order was placed.
    pub placed_at: DateTime<Utc>,
    /// Primary key of the customer; none for a guest.
    pub customer: Option<i64>,
    /// Email address of a guest.
    pub contact_email: Option<&'a str>,
    /// Shipping address.
    pub shipping: &'a OrderAddress,
    /// Billing address; none if it is the shipping address.
    pub billing: Option<&'a OrderAddress>,
}

/// An order line to import.
#[derive(Debug, Clone, Copy)]
pub struct PastLine<'a> {
    /// Primary key of the order.
    pub order_id: i64,
    /// Primary key of the product.
    pub product_id: i64,
    /// SKU of the product.
    pub sku: &'a str,
    /// Product name at the time of sale.
    pub name: &'a str,
    /// Number of units.
    pub quantity: i32,
    /// Price of one unit.
    pub unit_price: Decimal,
    /// Key that identifies the line within its order.
    pub external_key: Option<&'a str>,
}

/// An order of a sales file.
#[derive(Debug, Clone, Copy)]
pub struct SoldOrder<'a> {
    /// Order number, unique per website.
    pub number: &'a str,
    /// Status if the order is new.
    pub status: &'a str,
    /// External ID of the customer at the website; none for a guest.
    pub customer: Option<&'a str>,
    /// Code of the country of the shipping address.
    pub country: Option<&'a str>,
    /// The country as the file has it, if its code is not known; stored as the district.
    pub unknown_country: Option<&'a str>,
    /// When the order was placed.
    pub placed_at: DateTime<Utc>,
}

/// An order line of a sales file.
#[derive(Debug, Clone, Copy)]
pub struct SoldLine<'a> {
    /// Number of the order.
    pub number: &'a str,
    /// SKU of the product.
    pub sku: &'a str,
    /// Product name at the time of sale.
    pub name: &'a str,
    /// Number of units.
    pub quantity: i32,
    /// Price of one unit.
    pub price: Decimal,
    /// Key that identifies the line within its order.
    pub external_key: &'a str,
}

macro_rules! all {
    ($rows:expr, $of:expr) => {
        $rows.iter().map($of).collect::<Vec<_>>()
    };
}

/// Returns IDs for new orders from the sequence.
pub async fn next_ids(mut conn: &Conn, count: usize) -> Result<Vec<i64>> {
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let query = sql_query("SELECT nextval(pg_get_serial_sequence('orders', 'id')) AS id FROM generate_series(1, $1)");
    let ids: Vec<Id> = query.bind::<BigInt, _>(count as i64).load(&mut conn).await?;
    Ok(ids.into_iter().map(|row| row.id).collect())
}

/// Inserts past orders.
/// # Errors
/// TAKEN of the number.
pub async fn insert(mut conn: &Conn, website: WebsiteId, orders: &[PastOrder<'_>]) -> Result<()> {
    if orders.is_empty() {
        return Ok(());
    }
    let query = sql_query(
        "INSERT INTO orders (id, source_website_id, order_number, status, placed_at, user_id, contact_email, ship_recipient_name,
                             ship_company, ship_phone, ship_country, ship_subdivision, ship_city, ship_district, ship_address,
                             ship_postal_code, billing_address)
         SELECT o.id, $17, o.number, o.status, o.placed_at, o.customer, o.contact_email, o.recipient_name, o.company, o.phone,
                o.country, o.subdivision, o.city, o.district, o.address, o.code, o.billing
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
             AS o (id, number, status, placed_at, customer, contact_email, recipient_name, company, phone, country, subdivision,
                   city, district, address, code, billing)
         ORDER BY o.id",
    );
    let query = query
        .bind::<Array<BigInt>, _>(all!(orders, |o| o.id))
        .bind::<Array<Text>, _>(all!(orders, |o| o.number))
        .bind::<Array<Text>, _>(all!(orders, |o| o.status))
        .bind::<Array<Timestamptz>, _>(all!(orders, |o| o.placed_at))
        .bind::<Array<Nullable<BigInt>>, _>(all!(orders, |o| o.customer))
        .bind::<Array<Nullable<Text>>, _>(all!(orders, |o| o.contact_email))
        .bind::<Array<Nullable<Text>>, _>(all!(orders, |o| o.shipping.recipient_name.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(all!(orders, |o| o.shipping.company.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(all!(orders, |o| o.shipping.phone.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(all!(orders, |o| o.shipping.country.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(all!(orders, |o| o.shipping.subdivision.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(all!(orders, |o| o.shipping.city.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(all!(orders, |o| o.shipping.district.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(all!(orders, |o| o.shipping.address.as_deref()))
        .bind::<Array<Nullable<Text>>, _>(all!(orders, |o| o.shipping.postal_code.as_deref()))
        .bind::<Array<Nullable<Jsonb>>, _>(all!(orders, |o| o.billing))
        .bind::<BigInt, _>(website);
    query.execute(&mut conn).await.map_err(|error| {
        Error::from(error).on_constraint("orders_source_website_id_order_number_key", || {
            UserError::new(UserErrorCode::Taken, "number", "another order of this website has this number")
        })
    })?;
    Ok(())
}

/// Inserts the lines of past orders, in the given order.
/// # Errors
/// TAKEN of the external key of a line.
pub async fn insert_lines(mut conn: &Conn, lines: &[PastLine<'_>]) -> Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let query = sql_query(
        "INSERT INTO order_details (order_id, product_id, sku, name, quantity, unit_price, external_key)
         SELECT l.id, l.product, l.sku, l.name, l.quantity, l.price, l.key
         FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY AS l (id, product, sku, name, quantity, price, key, place)
         ORDER BY l.place",
    );
    let query = query
        .bind::<Array<BigInt>, _>(all!(lines, |l| l.order_id))
        .bind::<Array<BigInt>, _>(all!(lines, |l| l.product_id))
        .bind::<Array<Text>, _>(all!(lines, |l| l.sku))
        .bind::<Array<Text>, _>(all!(lines, |l| l.name))
        .bind::<Array<Integer>, _>(all!(lines, |l| l.quantity))
        .bind::<Array<Numeric>, _>(all!(lines, |l| l.unit_price))
        .bind::<Array<Nullable<Text>>, _>(all!(lines, |l| l.external_key));
    query.execute(&mut conn).await.map_err(|error| {
        Error::from(error).on_constraint("order_details_order_id_external_key_key", || {
            UserError::new(UserErrorCode::Taken, "lines", "two lines of an order have the same external_key")
        })
    })?;
    Ok(())
}

/// Inserts the orders that do not exist. Existing orders get a missing customer or country and the earlier date; an unknown
/// country replaces none.
/// Returns the numbers of the inserted and changed orders.
pub async fn upsert_sold(mut conn: &Conn, website: WebsiteId, orders: &[SoldOrder<'_>]) -> Result<Vec<String>> {
    #[derive(QueryableByName)]
    struct Written {
        #[diesel(sql_type = Text)]
        order_number: String,
    }
    let query = sql_query(
        "INSERT INTO orders (source_website_id, order_number, user_id, status, ship_country, ship_district, placed_at)
         SELECT $1, o.number, u.resource_id, o.status, o.country, o.district, o.placed_at
         FROM unnest($2, $3, $4, $5, $6, $7) AS o (number, customer, status, country, district, placed_at)
         LEFT JOIN sources u ON u.resource_type = 'User' AND u.website_id = $1 AND u.external_id = o.customer
         ORDER BY o.number
         ON CONFLICT ON CONSTRAINT orders_source_website_id_order_number_key DO UPDATE
         SET user_id = coalesce(EXCLUDED.user_id, orders.user_id),
             ship_country = coalesce(nullif(EXCLUDED.ship_country, 'ZZ'), orders.ship_country, EXCLUDED.ship_country),
             ship_district = CASE WHEN orders.ship_country <> 'ZZ' THEN orders.ship_district
                                  ELSE coalesce(orders.ship_district, EXCLUDED.ship_district) END,
             placed_at = least(EXCLUDED.placed_at, orders.placed_at)
         WHERE (orders.user_id, orders.ship_country, orders.ship_district, orders.placed_at) IS DISTINCT FROM
               (coalesce(EXCLUDED.user_id, orders.user_id),
                coalesce(nullif(EXCLUDED.ship_country, 'ZZ'), orders.ship_country, EXCLUDED.ship_country),
                CASE WHEN orders.ship_country <> 'ZZ' THEN orders.ship_district
                     ELSE coalesce(orders.ship_district, EXCLUDED.ship_district) END,
                least(EXCLUDED.placed_at, orders.placed_at))
         RETURNING order_number",
    );
    let query = query
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(all!(orders, |o| o.number))
        .bind::<Array<Nullable<Text>>, _>(all!(orders, |o| o.customer))
        .bind::<Array<Text>, _>(all!(orders, |o| o.status))
        .bind::<Array<Nullable<Text>>, _>(all!(orders, |o| o.country))
        .bind::<Array<Nullable<Text>>, _>(all!(orders, |o| o.unknown_country))
        .bind::<Array<Timestamptz>, _>(all!(orders, |o| o.placed_at));
    let rows: Vec<Written> = query.load(&mut conn).await?;
    Ok(rows.into_iter().map(|row| row.order_number).collect())
}

/// Inserts the lines that do not exist, in the given order; returns how many were inserted.
pub async fn insert_missing_lines(mut conn: &Conn, website: WebsiteId, lines: &[SoldLine<'_>]) -> Result<usize> {
    let query = sql_query(
        "INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price, external_key)
         SELECT o.id, p.id, l.name, l.sku, l.quantity, l.price, l.key
         FROM unnest($2, $3, $4, $5, $6, $7) WITH ORDINALITY AS l (number, sku, name, quantity, price, key, position)
         JOIN orders o ON o.source_website_id = $1 AND o.order_number = l.number
         JOIN products p ON p.source_website_id = $1 AND p.sku = l.sku
         ORDER BY l.position
         ON CONFLICT ON CONSTRAINT order_details_order_id_external_key_key DO NOTHING",
    );
    let query = query
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(all!(lines, |l| l.number))
        .bind::<Array<Text>, _>(all!(lines, |l| l.sku))
        .bind::<Array<Text>, _>(all!(lines, |l| l.name))
        .bind::<Array<Integer>, _>(all!(lines, |l| l.quantity))
        .bind::<Array<Numeric>, _>(all!(lines, |l| l.price))
        .bind::<Array<Text>, _>(all!(lines, |l| l.external_key));
    Ok(query.execute(&mut conn).await?)
}
