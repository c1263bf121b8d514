//! Rules for orders in files, and the plan of a batch.
//! Rule: orders are history. A missing order is created; an existing one never changes, and a row that differs from it
//! is rejected.

use std::{collections::HashMap, slice};

use chrono::{DateTime, Utc};
use diesel::{
    QueryableByName,
    sql_types::{BigInt, Jsonb, Nullable, Text, Timestamptz},
};
use serde_json::Value;

use super::super::{
    super::record::{OrderLineRecord, OrderRecord, Rejection},
    addresses::{AddressColumns, check_order_address},
    customers::model::UNCONFIRMED,
    model::RowOutcome,
};
use crate::{
    error::{UserError, UserErrorCode},
    money::{Currency, check_total, line_total},
    orders::model::{OrderAddress, Status},
    products::model::MAX_SKU,
    stock::model::MAX_QUANTITY,
    text::{self, Validator},
};

/// Maximum number of lines of a past order; higher than for checkouts.
const MAX_LINES: usize = 20_000;

const SHIPPING_COLUMNS: AddressColumns = AddressColumns {
    recipient_name: "ship_recipient_name",
    company: "ship_company",
    phone: "ship_phone",
    country: "ship_country",
    subdivision: "ship_subdivision",
    city: "ship_city",
    district: "ship_district",
    address: "ship_address",
    postal_code: "ship_postal_code",
};

/// An existing order.
#[derive(Debug, QueryableByName)]
pub struct ExistingOrder {
    /// Primary key.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// Order number.
    #[diesel(sql_type = Text)]
    pub number: String,
    /// Status.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// When the order was placed.
    #[diesel(sql_type = Timestamptz)]
    pub placed_at: DateTime<Utc>,
    /// Primary key of the customer; none for a guest, and for a customer who is not visible to the importing user.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub customer: Option<i64>,
    /// Email address of a guest.
    #[diesel(sql_type = Nullable<Text>)]
    pub contact_email: Option<String>,
    /// Shipping address.
    #[diesel(sql_type = Jsonb)]
    pub shipping_address: OrderAddress,
    /// Billing address; none if it is the shipping address.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub billing_address: Option<OrderAddress>,
    /// Lines, as an array of [`OrderLineRecord`].
    #[diesel(sql_type = Jsonb)]
    pub lines: Value,
}

/// A user that a row refers to.
#[derive(Debug, Clone, Copy)]
pub struct Customer {
    /// Primary key.
    pub id: i64,
    /// Whether the user can be the customer of a new order: false for an account whose email address is not confirmed.
    pub takes_orders: bool,
}

/// Entities that the rows refer to, with their primary keys.
#[derive(Debug)]
pub struct OrderReferences {
    /// Visible customers by external ID.
    pub customers: HashMap<String, Customer>,
    /// Visible users by email address, those who have confirmed it first. Without one who takes orders, the order is that of
    /// a guest.
    pub accounts: HashMap<String, Vec<Customer>>,
    /// Products by SKU.
    pub products: HashMap<String, i64>,
}

/// An order to create.
#[derive(Debug)]
pub struct NewOrder<'r> {
    /// Primary key.
    pub id: i64,
    /// Primary key of the customer; none for a guest.
    pub customer: Option<i64>,
    /// Email address of a guest.
    pub contact_email: Option<&'r str>,
    /// The row.
    pub record: &'r OrderRecord,
}

/// The plan for the rows of a batch.
#[derive(Debug, Default)]
pub struct Plan<'r> {
    /// The outcome of each row, in order.
    pub outcomes: Vec<RowOutcome>,
    /// Orders to create.
    pub new: Vec<NewOrder<'r>>,
    /// Primary keys of the orders in the rows; orders have no external IDs.
    pub seen: Vec<(i64, Option<&'r str>)>,
}

/// Trims and checks a row by itself, and normalizes its values. Prices are in the currency of the website.
/// # Errors
/// The rule that the row violates.
pub fn check(record: &mut OrderRecord, currency: Currency) -> Result<(), Rejection> {
    let mut validator = Validator::new();
    validator.text("number", &mut record.number, 100);
    validator.texts("customer_id", &mut record.customer_id, 255);
    if let Some(email) = &mut record.customer_email {
        *email = validator.value_or_default(text::normalize_email("customer_email", email));
    }
    check_order_address(&mut validator, &mut record.shipping_address, &SHIPPING_COLUMNS);
    if let Some(billing) = &mut record.billing_address {
        check_order_address(&mut validator, billing, &AddressColumns::one("billing_address"));
    }
    if record.billing_address.as_ref() == Some(&record.shipping_address) {
        record.billing_address = None;
    }
    let mut total = rust_decimal::Decimal::ZERO;
    for (index, line) in record.lines.iter_mut().enumerate() {
        validator.text("lines", &mut line.sku, MAX_SKU);
        validator.text("lines", &mut line.name, 255);
        let price = currency.check_price("unit_price", line.unit_price);
        let price = price.map_err(|error| UserError { field: Some("lines".into()), ..error });
        line.unit_price = validator.value_or_default(price);
        if !(1..=MAX_QUANTITY).contains(&line.quantity) {
            validator.add(UserError::new(
                UserErrorCode::OutOfRange,
                "lines",
                format!("the quantity of a line must be between 1 and {MAX_QUANTITY}"),
            ));
        } else {
            total += line_total(line.unit_price, line.quantity);
        }
        line.external_key.get_or_insert_with(|| (index + 1).to_string());
    }
    if record.lines.is_empty() || record.lines.len() > MAX_LINES {
        validator.add(UserError::new(
            UserErrorCode::OutOfRange,
            "lines",
            format!("an order must have between 1 and {MAX_LINES} lines"),
        ));
    }
    validator.check(check_total("lines", total));
    if !Status::ALL.iter().any(|status| status.as_str() == record.status) {
        let known: Vec<_> = Status::ALL.iter().map(|status| status.as_str()).collect();
        validator.add(UserError::new(
            UserErrorCode::Invalid,
            "status",
            format!("status must be one of {}", known.join(", ")),
        ));
    }
    validator.finish().map_err(Rejection::from)
}

impl<'r> Plan<'r> {
    /// Determines the outcome of each row. New orders get the `ids` in order; a dry run has none and uses 0.
    pub fn make(
        records: &[&'r OrderRecord],
        existing: &HashMap<String, ExistingOrder>,
        references: &OrderReferences,
        ids: Vec<i64>,
    ) -> Self {
        let (mut plan, mut ids) = (Self::default(), ids.into_iter());
        for record in records {
            let customers = customers(record, references);
            let outcome = match existing.get(&record.number) {
                Some(known) => customers.and_then(|customers| check_unchanged(known, record, customers)).map(|()| {
                    plan.seen.push((known.id, None));
                    RowOutcome::Unchanged
                }),
                None => customers.and_then(|customers| new_customer(record, customers)).and_then(|customer| {
                    check_products_exist(record, references)?;
                    let id = ids.next().unwrap_or_default();
                    let contact_email = record.customer_email.as_deref().filter(|_| customer.is_none());
                    plan.new.push(NewOrder { id, customer, contact_email, record });
                    plan.seen.push((id, None));
                    Ok(RowOutcome::Created)
                }),
            };
            plan.outcomes.push(outcome.unwrap_or_else(RowOutcome::Rejected));
        }
        plan
    }
}

/// Returns the users that a row may refer to.
fn customers<'a>(record: &OrderRecord, references: &'a OrderReferences) -> Result<&'a [Customer], Rejection> {
    match (&record.customer_id, &record.customer_email) {
        (Some(id), _) => {
            let found = references.customers.get(id).map(slice::from_ref);
            found.ok_or_else(|| Rejection::at("customer_id", "there is no such customer; import customers first"))
        }
        (None, Some(email)) => Ok(references.accounts.get(email).map_or(&[], Vec::as_slice)),
        (None, None) => Ok(&[]),
    }
}

/// Returns the customer of a new order; none for a guest.
fn new_customer(record: &OrderRecord, customers: &[Customer]) -> Result<Option<i64>, Rejection> {
    match customers.iter().find(|customer| customer.takes_orders) {
        Some(customer) => Ok(Some(customer.id)),
        None if record.customer_id.is_some() => Err(Rejection::at("customer_id", UNCONFIRMED)),
        None => Ok(None),
    }
}

fn check_products_exist(record: &OrderRecord, references: &OrderReferences) -> Result<(), Rejection> {
    let missing = record.lines.iter().find(|line| !references.products.contains_key(&line.sku));
    match missing {
        Some(line) => Err(Rejection::at("lines", format!("there is no product {}; import products first", line.sku))),
        None => Ok(()),
    }
}

/// Checks that a row matches the existing order.
fn check_unchanged(known: &ExistingOrder, record: &OrderRecord, customers: &[Customer]) -> Result<(), Rejection> {
    let other = |column: &str| {
        Err(Rejection::at(column, "the order exists with a different value; imports do not change orders"))
    };
    let lines: Vec<OrderLineRecord> = serde_json::from_value(known.lines.clone()).unwrap_or_default();
    let key =
        |line: &OrderLineRecord| (line.sku.clone(), line.name.clone(), line.quantity, line.unit_price.normalize());
    let set = |lines: &[OrderLineRecord]| {
        let mut keys: Vec<_> = lines.iter().map(key).collect();
        keys.sort();
        keys
    };
    if known.status != record.status {
        return other("status");
    }
    // The database stores microseconds.
    if known.placed_at.timestamp_micros() != record.placed_at.timestamp_micros() {
        return other("placed_at");
    }
    let has_customer = match known.customer {
        Some(id) => customers.iter().any(|customer| customer.id == id),
        None => record.customer_id.is_none() && known.contact_email == record.customer_email,
    };
    if !has_customer {
        return other(if record.customer_id.is_some() { "customer_id" } else { "customer_email" });
    }
    if known.shipping_address != record.shipping_address {
        return other("ship_address");
    }
    if known.billing_address != record.billing_address {
        return other("billing_address");
    }
    if set(&lines) != set(&record.lines) {
        return other("lines");
    }
    Ok(())
}
