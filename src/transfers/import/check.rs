//! Checks of rows that need no database: each row by itself, and against earlier rows of the file.
//! Rule: memory grows by a few bytes per row.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use super::{
    super::record::{Record, Rejection},
    categories, customers, orders, products,
};
use crate::money::Currency;

/// Hashes of the identifiers of the rows so far, with their lines.
#[derive(Debug, Default)]
pub struct DuplicateCheck {
    state: RandomState,
    lines: HashMap<u64, u64>,
}

impl DuplicateCheck {
    /// Adds the row's identifiers.
    /// # Errors
    /// If an earlier row has the same identifier.
    pub fn check(&mut self, line: u64, record: &Record) -> Result<(), Rejection> {
        let names: [(&str, Option<&str>); 2] = match record {
            Record::Product(product) => [("sku", Some(&product.sku)), ("external_id", product.external_id.as_deref())],
            Record::Category(category) => {
                [("external_id", category.external_id.as_deref()), ("slug", category.slug.as_deref())]
            }
            Record::Customer(customer) => {
                [("external_id", customer.external_id.as_deref()), ("email", customer.email.as_deref())]
            }
            Record::Order(order) => [("number", Some(&order.number)), ("", None)],
        };
        for (column, name) in names {
            let Some(name) = name else { continue };
            let first = *self.lines.entry(self.state.hash_one((column, name))).or_insert(line);
            if first != line {
                return Err(Rejection::at(column, format!("line {first} of the file has the same value")));
            }
        }
        Ok(())
    }
}

/// Checks a row by itself and normalizes its values. Amounts are in the currency of the website.
/// # Errors
/// The first violated rule.
pub fn row(record: &mut Record, currency: Currency) -> Result<(), Rejection> {
    match record {
        Record::Product(product) => products::model::check(product),
        Record::Category(category) => categories::model::check(category),
        Record::Customer(customer) => customers::model::check(customer),
        Record::Order(order) => orders::model::check(order, currency),
    }
}
