//! Orders of a batch: past ones, which take nothing from stock.
//! Rule: an order is history. What is missing is made; one that is there is left, and a row that tells it otherwise is
//! refused.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Numeric, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use serde_json::Value;

use super::{
    super::record::{LineRecord, OrderRecord, Refused},
    Fate, Run, check, transfer,
};
use crate::{
    db::Conn,
    error::{Error, Result, UserError, UserErrorCode},
    ids::WebsiteId,
    money::{MAX_TOTAL, check_price, line_total},
    orders::model::Status,
    stock::model::MAX_PIECES,
    text::{self, Check},
};

/// Most lines of one order; past ones may be longer than those of a checkout.
const MAX_LINES: usize = 20_000;

/// An order that is there.
#[derive(Debug, QueryableByName)]
struct Known {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    number: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Timestamptz)]
    placed_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<BigInt>)]
    customer: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    contact_email: Option<String>,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    ship: Vec<Option<String>>,
    #[diesel(sql_type = Jsonb)]
    lines: Value,
}

/// A name and the key of what it names.
#[derive(Debug, QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// What the rows refer to.
struct Ground {
    customers: HashMap<String, i64>,
    accounts: HashMap<String, i64>,
    products: HashMap<String, i64>,
}

/// An order to be.
struct New<'r> {
    id: i64,
    customer: Option<i64>,
    contact_email: Option<&'r str>,
    record: &'r OrderRecord,
}

/// Checks a row by itself.
/// # Errors
/// The rule that it breaks.
pub fn check(record: &mut OrderRecord) -> Result<(), Refused> {
    let mut check = Check::new();
    check.text("number", &record.number, 100);
    check.optional("customer_id", record.customer_id.as_deref(), 255);
    if let Some(email) = &mut record.customer_email {
        *email = check.keep(text::email("customer_email", email));
    }
    let ship = ["ship_country", "ship_city", "ship_district", "ship_address", "ship_postal_code"];
    for ((value, column), max) in record.ship.iter().zip(ship).zip([100, 100, 100, 500, 20]) {
        check.optional(column, value.as_deref(), max);
    }
    let mut total = rust_decimal::Decimal::ZERO;
    for (place, line) in record.lines.iter_mut().enumerate() {
        check.text("lines", &line.sku, 100);
        check.text("lines", &line.name, 255);
        check.that(check_price("lines", line.unit_price));
        if !(1..=MAX_PIECES).contains(&line.quantity) {
            check.add(UserError::new(
                UserErrorCode::OutOfRange,
                "lines",
                format!("a line has from 1 to {MAX_PIECES} pieces"),
            ));
        } else {
            total += line_total(line.unit_price, line.quantity);
        }
        line.external_key.get_or_insert_with(|| (place + 1).to_string());
    }
    if record.lines.is_empty() || record.lines.len() > MAX_LINES {
        check.add(UserError::new(
            UserErrorCode::OutOfRange,
            "lines",
            format!("an order has from 1 to {MAX_LINES} lines"),
        ));
    }
    if total > MAX_TOTAL {
        check.add(UserError::new(UserErrorCode::OutOfRange, "lines", format!("a total is at most {MAX_TOTAL}")));
    }
    if !Status::ALL.iter().any(|status| status.as_str() == record.status) {
        let known: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
        check.add(UserError::new(UserErrorCode::Invalid, "status", format!("a status is one of {}", known.join(", "))));
    }
    check.finish().map_err(check::refusal)
}

/// Writes what the rows say, or only tells what would become of them.
/// # Errors
/// User errors of what only the database can find, which one of the rows is to blame for; those of the database.
pub async fn write(conn: &Conn, run: &Run<'_>, records: &[&OrderRecord], is_dry: bool) -> Result<Vec<Fate>> {
    let known = find(conn, run.website.id, records).await?;
    let ground = ground(conn, run.website.id, records).await?;
    let mut ids = match is_dry {
        true => vec![0; records.len()],
        false => next_ids(conn, records.len()).await?,
    };
    let (mut new, mut seen, mut fates) = (Vec::new(), Vec::new(), Vec::new());
    for record in records {
        let decided = match (known.get(&record.number), customer(record, &ground)) {
            (_, Err(refused)) => Err(refused),
            (Some(known), Ok(customer)) => same(known, record, customer).map(|()| {
                seen.push((known.id, None));
                Fate::Unchanged
            }),
            (None, Ok(customer)) => lines_exist(record, &ground).map(|()| {
                let id = ids.pop().unwrap_or_default();
                let contact_email = record.customer_email.as_deref().filter(|_| customer.is_none());
                new.push(New { id, customer, contact_email, record });
                seen.push((id, None));
                Fate::Created
            }),
        };
        fates.push(decided.unwrap_or_else(Fate::Refused));
    }
    if !is_dry {
        insert(conn, run.website.id, &new).await?;
        insert_lines(conn, &new, &ground.products).await?;
        transfer::see(conn, run, "Order", &seen).await?;
    }
    Ok(fates)
}

fn refused(column: &str, message: impl Into<String>) -> Refused {
    Refused { column: Some(column.to_owned()), message: message.into() }
}

/// Whose order it is; nobody's for a guest's.
fn customer(record: &OrderRecord, ground: &Ground) -> Result<Option<i64>, Refused> {
    if let Some(id) = &record.customer_id {
        let found = ground.customers.get(id).copied();
        return found
            .map(Some)
            .ok_or_else(|| refused("customer_id", "there is no such customer: import customers first"));
    }
    Ok(record.customer_email.as_ref().and_then(|email| ground.accounts.get(email).copied()))
}

fn lines_exist(record: &OrderRecord, ground: &Ground) -> Result<(), Refused> {
    let missing = record.lines.iter().find(|line| !ground.products.contains_key(&line.sku));
    match missing {
        Some(line) => Err(refused("lines", format!("there is no product {}: import products first", line.sku))),
        None => Ok(()),
    }
}

/// Whether a row tells an order as it is.
fn same(known: &Known, record: &OrderRecord, customer: Option<i64>) -> Result<(), Refused> {
    let other = |column: &str| Err(refused(column, "the order is there and has another: what was ordered stays"));
    let lines: Vec<LineRecord> = serde_json::from_value(known.lines.clone()).unwrap_or_default();
    let key = |line: &LineRecord| (line.sku.clone(), line.name.clone(), line.quantity, line.unit_price.normalize());
    let set = |lines: &[LineRecord]| {
        let mut keys: Vec<_> = lines.iter().map(key).collect();
        keys.sort();
        keys
    };
    if known.status != record.status {
        return other("status");
    }
    // The database keeps microseconds.
    if known.placed_at.timestamp_micros() != record.placed_at.timestamp_micros() {
        return other("placed_at");
    }
    if known.customer != customer || customer.is_none() && known.contact_email != record.customer_email {
        return other(if record.customer_id.is_some() { "customer_id" } else { "customer_email" });
    }
    if known.ship != record.ship {
        return other("ship_address");
    }
    if set(&lines) != set(&record.lines) {
        return other("lines");
    }
    Ok(())
}

async fn find(mut conn: &Conn, website: WebsiteId, records: &[&OrderRecord]) -> Result<HashMap<String, Known>> {
    let query = sql_query(
        "SELECT o.id, o.order_number AS number, o.status, o.placed_at, o.user_id AS customer, o.contact_email,
                ARRAY[o.ship_country, o.ship_city, o.ship_district, o.ship_address, o.ship_postal_code] AS ship,
                (SELECT coalesce(jsonb_agg(jsonb_build_object('sku', d.sku, 'name', d.name, 'quantity', d.quantity,
                    'unit_price', d.unit_price::text) ORDER BY d.id), '[]') FROM order_details d WHERE d.order_id = o.id) AS lines
         FROM orders o WHERE o.source_website_id = $1 AND o.order_number = ANY ($2)",
    );
    let numbers: Vec<&str> = records.iter().map(|record| record.number.as_str()).collect();
    let rows: Vec<Known> = query.bind::<BigInt, _>(website).bind::<Array<Text>, _>(numbers).load(&mut conn).await?;
    Ok(rows.into_iter().map(|row| (row.number.clone(), row)).collect())
}

async fn ground(mut conn: &Conn, website: WebsiteId, records: &[&OrderRecord]) -> Result<Ground> {
    let map = |rows: Vec<Named>| rows.into_iter().map(|row| (row.name, row.id)).collect();
    let ids: HashSet<&str> = records.iter().filter_map(|record| record.customer_id.as_deref()).collect();
    let customers = sql_query(
        "SELECT external_id AS name, noun_id AS id FROM sources WHERE noun = 'User' AND website_id = $1 AND external_id = ANY ($2)",
    );
    let customers: Vec<Named> = customers
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(ids.into_iter().collect::<Vec<_>>())
        .load(&mut conn)
        .await?;
    let emails: HashSet<&str> = records.iter().filter_map(|record| record.customer_email.as_deref()).collect();
    let accounts = sql_query("SELECT email::text AS name, id FROM users WHERE email = ANY ($1::citext[])");
    let accounts: Vec<Named> =
        accounts.bind::<Array<Text>, _>(emails.into_iter().collect::<Vec<_>>()).load(&mut conn).await?;
    let skus: HashSet<&str> = records.iter().flat_map(|record| &record.lines).map(|line| line.sku.as_str()).collect();
    let products = sql_query("SELECT sku AS name, id FROM products WHERE source_website_id = $1 AND sku = ANY ($2)");
    let products: Vec<Named> = products
        .bind::<BigInt, _>(website)
        .bind::<Array<Text>, _>(skus.into_iter().collect::<Vec<_>>())
        .load(&mut conn)
        .await?;
    Ok(Ground { customers: map(customers), accounts: map(accounts), products: map(products) })
}

async fn next_ids(mut conn: &Conn, count: usize) -> Result<Vec<i64>> {
    let query = sql_query(
        "SELECT '' AS name, nextval(pg_get_serial_sequence('orders', 'id')) AS id FROM generate_series(1, $1)",
    );
    let ids: Vec<Named> = query.bind::<BigInt, _>(count as i64).load(&mut conn).await?;
    // The last is taken first.
    Ok(ids.into_iter().rev().map(|row| row.id).collect())
}

async fn insert(mut conn: &Conn, website: WebsiteId, new: &[New<'_>]) -> Result<()> {
    macro_rules! all {
        ($of:expr) => {
            new.iter().map($of).collect::<Vec<_>>()
        };
    }
    macro_rules! ship {
        ($at:literal) => {
            all!(|o| o.record.ship[$at].as_deref())
        };
    }
    if new.is_empty() {
        return Ok(());
    }
    let query = sql_query(
        "INSERT INTO orders (id, source_website_id, order_number, status, placed_at, user_id, contact_email, ship_country, ship_city,
                             ship_district, ship_address, ship_postal_code)
         SELECT o.id, $12, o.number, o.status, o.placed_at, o.customer, o.contact_email, o.country, o.city, o.district, o.address, o.code
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             AS o (id, number, status, placed_at, customer, contact_email, country, city, district, address, code) ORDER BY o.id",
    );
    let done = query
        .bind::<Array<BigInt>, _>(all!(|o| o.id))
        .bind::<Array<Text>, _>(all!(|o| o.record.number.as_str()))
        .bind::<Array<Text>, _>(all!(|o| o.record.status.as_str()))
        .bind::<Array<Timestamptz>, _>(all!(|o| o.record.placed_at))
        .bind::<Array<Nullable<BigInt>>, _>(all!(|o| o.customer))
        .bind::<Array<Nullable<Text>>, _>(all!(|o| o.contact_email))
        .bind::<Array<Nullable<Text>>, _>(ship!(0))
        .bind::<Array<Nullable<Text>>, _>(ship!(1))
        .bind::<Array<Nullable<Text>>, _>(ship!(2))
        .bind::<Array<Nullable<Text>>, _>(ship!(3))
        .bind::<Array<Nullable<Text>>, _>(ship!(4))
        .bind::<BigInt, _>(website)
        .execute(&mut conn)
        .await;
    done.map_err(|error| {
        Error::from(error).on_constraint("orders_source_website_id_order_number_key", || {
            UserError::new(UserErrorCode::Taken, "number", "another order of this website has this number")
        })
    })?;
    Ok(())
}

async fn insert_lines(mut conn: &Conn, new: &[New<'_>], products: &HashMap<String, i64>) -> Result<()> {
    let lines: Vec<(i64, &LineRecord)> =
        new.iter().flat_map(|new| new.record.lines.iter().map(|line| (new.id, line))).collect();
    macro_rules! all {
        ($of:expr) => {
            lines.iter().map($of).collect::<Vec<_>>()
        };
    }
    if lines.is_empty() {
        return Ok(());
    }
    let query = sql_query(
        "INSERT INTO order_details (order_id, product_id, sku, name, quantity, unit_price, external_key)
         SELECT l.id, l.product, l.sku, l.name, l.quantity, l.price, l.key
         FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY AS l (id, product, sku, name, quantity, price, key, place)
         ORDER BY l.place",
    );
    let done = query
        .bind::<Array<BigInt>, _>(all!(|(id, _)| *id))
        .bind::<Array<BigInt>, _>(all!(|(_, line)| products.get(&line.sku).copied().unwrap_or_default()))
        .bind::<Array<Text>, _>(all!(|(_, line)| line.sku.as_str()))
        .bind::<Array<Text>, _>(all!(|(_, line)| line.name.as_str()))
        .bind::<Array<Integer>, _>(all!(|(_, line)| line.quantity))
        .bind::<Array<Numeric>, _>(all!(|(_, line)| line.unit_price))
        .bind::<Array<Nullable<Text>>, _>(all!(|(_, line)| line.external_key.as_deref()))
        .execute(&mut conn)
        .await;
    done.map_err(|error| {
        Error::from(error).on_constraint("order_details_order_id_external_key_key", || {
            UserError::new(UserErrorCode::Taken, "lines", "two lines of an order have the same external_key")
        })
    })?;
    Ok(())
}
