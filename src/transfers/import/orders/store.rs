//! SQL statements that find the orders of a batch and the entities they refer to.
//! Rule: the writes are in `orders::store::bulk`.

use std::collections::{HashMap, HashSet};

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, BigInt, Bool, Nullable, Text},
};
use diesel_async::RunQueryDsl;

use super::{
    super::{super::record::OrderRecord, customers::store::MATCHES_EMAIL},
    model::{Customer, ExistingOrder, OrderReferences},
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

/// An external ID with its customer.
#[derive(Debug, QueryableByName)]
struct NamedCustomer {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Bool)]
    takes_orders: bool,
}

/// Returns the orders of a website with the numbers of these rows, by number.
pub async fn find(
    mut conn: &Conn,
    website: WebsiteId,
    visible: Option<&[WebsiteId]>,
    records: &[&OrderRecord],
) -> Result<HashMap<String, ExistingOrder>> {
    let query = sql_query(
        "SELECT o.id, o.order_number AS number, o.status, o.placed_at, u.id AS customer, o.contact_email,
                jsonb_build_object('recipient_name', o.ship_recipient_name, 'company', o.ship_company, 'phone', o.ship_phone,
                    'country', o.ship_country, 'subdivision', o.ship_subdivision, 'city', o.ship_city, 'district', o.ship_district,
                    'address', o.ship_address, 'postal_code', o.ship_postal_code) AS shipping_address,
                o.billing_address,
                (SELECT coalesce(jsonb_agg(jsonb_build_object('sku', d.sku, 'name', d.name, 'quantity', d.quantity,
                    'unit_price', d.unit_price::text) ORDER BY d.id), '[]') FROM order_details d WHERE d.order_id = o.id) AS lines
         FROM orders o LEFT JOIN users u ON u.id = o.user_id AND ($3 IS NULL OR u.source_website_id = ANY ($3))
         WHERE o.source_website_id = $1 AND o.order_number = ANY ($2)",
    );
    let numbers: Vec<&str> = records.iter().map(|record| record.number.as_str()).collect();
    let query = query
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(numbers)
        .bind::<Nullable<Array<BigInt>>, _>(visible.map(<[WebsiteId]>::to_vec));
    let rows: Vec<ExistingOrder> = query.load(&mut conn).await?;
    Ok(rows.into_iter().map(|row| (row.number.clone(), row)).collect())
}

/// Returns the visible customers and the products that these rows refer to. Locks the users with their email addresses on
/// request: an account that confirms its address meanwhile would miss the orders of this batch.
pub async fn references(
    mut conn: &Conn,
    website: WebsiteId,
    visible: Option<&[WebsiteId]>,
    records: &[&OrderRecord],
    is_locking: bool,
) -> Result<OrderReferences> {
    let ids: HashSet<&str> = records.iter().filter_map(|record| record.customer_id.as_deref()).collect();
    let customers = sql_query(
        "SELECT s.external_id AS name, u.id, u.email_verified_at IS NOT NULL OR u.password_hash IS NULL AS takes_orders
         FROM sources s JOIN users u ON u.id = s.resource_id
         WHERE s.resource_type = 'User' AND s.website_id = $1 AND s.external_id = ANY ($2)
           AND ($3 IS NULL OR u.source_website_id = ANY ($3))",
    );
    let customers: Vec<NamedCustomer> = customers
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(ids.into_iter().collect::<Vec<_>>())
        .bind::<Nullable<Array<BigInt>>, _>(visible.map(<[WebsiteId]>::to_vec))
        .load(&mut conn)
        .await?;
    let emails: HashSet<&str> = records.iter().filter_map(|record| record.customer_email.as_deref()).collect();
    let emails: Vec<&str> = emails.into_iter().collect();
    let mut accounts: HashMap<String, Vec<Customer>> = HashMap::new();
    for account in find_accounts(conn, website, visible, &emails, is_locking).await? {
        let customers = accounts.entry(account.email).or_default();
        let at = if account.is_confirmed { 0 } else { customers.len() };
        customers.insert(at, Customer { id: account.id, takes_orders: account.takes_orders });
    }
    let skus: HashSet<&str> = records.iter().flat_map(|record| &record.lines).map(|line| line.sku.as_str()).collect();
    let products = sql_query("SELECT sku AS name, id FROM products WHERE source_website_id = $1 AND sku = ANY ($2)");
    let products: Vec<NameAndId> = products
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(skus.into_iter().collect::<Vec<_>>())
        .load(&mut conn)
        .await?;
    let customer = |row: NamedCustomer| (row.name, Customer { id: row.id, takes_orders: row.takes_orders });
    Ok(OrderReferences {
        customers: customers.into_iter().map(customer).collect(),
        accounts,
        products: products.into_iter().map(|row| (row.name, row.id)).collect(),
    })
}

/// A user with the email address of a row.
#[derive(Debug, QueryableByName)]
struct Account {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    email: String,
    /// Whether rows find the user by the address.
    #[diesel(sql_type = Bool)]
    takes_orders: bool,
    #[diesel(sql_type = Bool)]
    is_confirmed: bool,
}

async fn find_accounts(
    mut conn: &Conn,
    website: WebsiteId,
    visible: Option<&[WebsiteId]>,
    emails: &[&str],
    is_locking: bool,
) -> Result<Vec<Account>> {
    let lock = if is_locking { "FOR SHARE" } else { "" };
    let query = sql_query(format!(
        "SELECT u.id, coalesce(u.email, u.imported_email)::text AS email, {MATCHES_EMAIL} AS takes_orders,
                u.email_verified_at IS NOT NULL AS is_confirmed
         FROM users u
         WHERE (u.email = ANY ($2::citext[]) AND ($3 IS NULL OR u.source_website_id = ANY ($3)))
            OR (u.imported_email = ANY ($2::citext[]) AND u.source_website_id = $1)
         ORDER BY u.id {lock}"
    ));
    let query = query
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(emails)
        .bind::<Nullable<Array<BigInt>>, _>(visible.map(<[WebsiteId]>::to_vec));
    Ok(query.load(&mut conn).await?)
}
