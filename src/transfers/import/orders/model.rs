//! Rules of the orders of a file, and the plan of a batch.
//! Rule: an order is history. A missing order is created; an existing one is left as it is, and a row that differs from it is
//! refused.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{
    QueryableByName,
    sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz},
};
use serde_json::Value;

use super::super::{
    super::record::{LineRecord, OrderRecord, Refused},
    model::RowOutcome,
};
use crate::{
    error::{UserError, UserErrorCode},
    money::{MAX_TOTAL, check_price, line_total},
    orders::model::Status,
    stock::model::MAX_PIECES,
    text::{self, Check},
};

/// Most lines of one order; past ones may be longer than those of a checkout.
const MAX_LINES: usize = 20_000;

/// An order that exists.
#[derive(Debug, QueryableByName)]
pub struct Existing {
    /// Key.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// Number.
    #[diesel(sql_type = Text)]
    pub number: String,
    /// Status.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// When it was placed.
    #[diesel(sql_type = Timestamptz)]
    pub placed_at: DateTime<Utc>,
    /// The customer's key; none for a guest.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub customer: Option<i64>,
    /// A guest's e-mail address.
    #[diesel(sql_type = Nullable<Text>)]
    pub contact_email: Option<String>,
    /// Shipping address: country, city, district, address, postal code.
    #[diesel(sql_type = Array<Nullable<Text>>)]
    pub ship: Vec<Option<String>>,
    /// Lines, as an array of [`LineRecord`].
    #[diesel(sql_type = Jsonb)]
    pub lines: Value,
}

/// What the rows refer to, with the keys.
#[derive(Debug)]
pub struct References {
    /// Customers by external id.
    pub customers: HashMap<String, i64>,
    /// Users by e-mail address.
    pub accounts: HashMap<String, i64>,
    /// Products by SKU.
    pub products: HashMap<String, i64>,
}

/// An order to create.
#[derive(Debug)]
pub struct NewOrder<'r> {
    /// Key.
    pub id: i64,
    /// The customer's key; none for a guest.
    pub customer: Option<i64>,
    /// A guest's e-mail address.
    pub contact_email: Option<&'r str>,
    /// The row.
    pub record: &'r OrderRecord,
}

/// What becomes of the rows of a batch.
#[derive(Debug, Default)]
pub struct Plan<'r> {
    /// The outcome of each row, in order.
    pub outcomes: Vec<RowOutcome>,
    /// Orders to create.
    pub new: Vec<NewOrder<'r>>,
    /// Keys of the orders that the rows name; orders have no external ids.
    pub seen: Vec<(i64, Option<&'r str>)>,
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
    check.finish().map_err(Refused::from)
}

impl<'r> Plan<'r> {
    /// Decides what becomes of each row. New orders get the `ids` in order; a dry run has none and gives them 0.
    pub fn make(
        records: &[&'r OrderRecord],
        existing: &HashMap<String, Existing>,
        references: &References,
        ids: Vec<i64>,
    ) -> Self {
        let (mut plan, mut ids) = (Self::default(), ids.into_iter());
        for record in records {
            let outcome = match (existing.get(&record.number), customer(record, references)) {
                (_, Err(refused)) => Err(refused),
                (Some(known), Ok(customer)) => same(known, record, customer).map(|()| {
                    plan.seen.push((known.id, None));
                    RowOutcome::Unchanged
                }),
                (None, Ok(customer)) => lines_exist(record, references).map(|()| {
                    let id = ids.next().unwrap_or_default();
                    let contact_email = record.customer_email.as_deref().filter(|_| customer.is_none());
                    plan.new.push(NewOrder { id, customer, contact_email, record });
                    plan.seen.push((id, None));
                    RowOutcome::Created
                }),
            };
            plan.outcomes.push(outcome.unwrap_or_else(RowOutcome::Rejected));
        }
        plan
    }
}

/// Whose order it is; nobody's for a guest's.
fn customer(record: &OrderRecord, references: &References) -> Result<Option<i64>, Refused> {
    if let Some(id) = &record.customer_id {
        let found = references.customers.get(id).copied();
        return found
            .map(Some)
            .ok_or_else(|| Refused::at("customer_id", "there is no such customer: import customers first"));
    }
    Ok(record.customer_email.as_ref().and_then(|email| references.accounts.get(email).copied()))
}

fn lines_exist(record: &OrderRecord, references: &References) -> Result<(), Refused> {
    let missing = record.lines.iter().find(|line| !references.products.contains_key(&line.sku));
    match missing {
        Some(line) => Err(Refused::at("lines", format!("there is no product {}: import products first", line.sku))),
        None => Ok(()),
    }
}

/// Whether a row tells an order as it is.
fn same(known: &Existing, record: &OrderRecord, customer: Option<i64>) -> Result<(), Refused> {
    let other = |column: &str| Err(Refused::at(column, "the order is there and has another: what was ordered stays"));
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
