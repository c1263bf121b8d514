//! SQL statements that find the orders of a batch and the entities they refer to.
//! Rule: the writes are in `orders::store::bulk`.

use std::collections::{HashMap, HashSet};

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, BigInt, Text},
};
use diesel_async::RunQueryDsl;

use super::{
    super::super::record::OrderRecord,
    model::{ExistingOrder, OrderReferences},
};
use crate::{db::Conn, error::Result, ids::WebsiteId};

/// A name with the primary key of its entity.
#[derive(Debug, QueryableByName)]
struct NameAndId {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Returns the orders of a website with the numbers of these rows, by number.
pub async fn find(
    mut conn: &Conn,
    website: WebsiteId,
    records: &[&OrderRecord],
) -> Result<HashMap<String, ExistingOrder>> {
    let query = sql_query(
        "SELECT o.id, o.order_number AS number, o.status, o.placed_at, o.user_id AS customer, o.contact_email,
                jsonb_build_object('recipient_name', o.ship_recipient_name, 'company', o.ship_company, 'phone', o.ship_phone,
                    'country', o.ship_country, 'subdivision', o.ship_subdivision, 'city', o.ship_city, 'district', o.ship_district,
                    'address', o.ship_address, 'postal_code', o.ship_postal_code) AS shipping_address,
                o.billing_address,
                (SELECT coalesce(jsonb_agg(jsonb_build_object('sku', d.sku, 'name', d.name, 'quantity', d.quantity,
                    'unit_price', d.unit_price::text) ORDER BY d.id), '[]') FROM order_details d WHERE d.order_id = o.id) AS lines
         FROM orders o WHERE o.source_website_id = $1 AND o.order_number = ANY ($2)",
    );
    let numbers: Vec<&str> = records.iter().map(|record| record.number.as_str()).collect();
    let rows: Vec<ExistingOrder> =
        query.bind::<BigInt, _>(website).bind::<Array<Text>, _>(numbers).load(&mut conn).await?;
    Ok(rows.into_iter().map(|row| (row.number.clone(), row)).collect())
}

/// Returns the customers and products that these rows refer to.
pub async fn references(mut conn: &Conn, website: WebsiteId, records: &[&OrderRecord]) -> Result<OrderReferences> {
    let map = |rows: Vec<NameAndId>| rows.into_iter().map(|row| (row.name, row.id)).collect();
    let ids: HashSet<&str> = records.iter().filter_map(|record| record.customer_id.as_deref()).collect();
    let customers = sql_query(
        "SELECT external_id AS name, resource_id AS id FROM sources WHERE resource_type = 'User' AND website_id = $1 AND external_id = ANY ($2)",
    );
    let customers: Vec<NameAndId> = customers
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(ids.into_iter().collect::<Vec<_>>())
        .load(&mut conn)
        .await?;
    let emails: HashSet<&str> = records.iter().filter_map(|record| record.customer_email.as_deref()).collect();
    let accounts = sql_query("SELECT email::text AS name, id FROM users WHERE email = ANY ($1::citext[])");
    let accounts: Vec<NameAndId> =
        accounts.bind::<Array<Text>, _>(emails.into_iter().collect::<Vec<_>>()).load(&mut conn).await?;
    let skus: HashSet<&str> = records.iter().flat_map(|record| &record.lines).map(|line| line.sku.as_str()).collect();
    let products = sql_query("SELECT sku AS name, id FROM products WHERE source_website_id = $1 AND sku = ANY ($2)");
    let products: Vec<NameAndId> = products
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(skus.into_iter().collect::<Vec<_>>())
        .load(&mut conn)
        .await?;
    Ok(OrderReferences { customers: map(customers), accounts: map(accounts), products: map(products) })
}
