//! Checks of rows that need no database: each row by itself, and against earlier rows of the file.
//! Rule: only accepted rows count as seen. Memory grows by a few bytes per row.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use super::{
    super::record::{Record, Rejection},
    categories, customers, orders, products,
};
use crate::money::Currency;

/// Identifiers of rows, as hashes with their lines.
#[derive(Debug, Default)]
pub struct Identifiers {
    state: RandomState,
    lines: HashMap<u64, u64>,
}

impl Identifiers {
    /// Checks a row against those that were added.
    /// # Errors
    /// If one of them has the same identifier.
    pub fn check(&self, record: &Record) -> Result<(), Rejection> {
        for (column, name) in identifiers(record) {
            if let Some(line) = self.lines.get(&self.hash(column, name)) {
                return Err(Rejection::at(column, format!("line {line} of the file has the same {}", what(column))));
            }
        }
        Ok(())
    }

    /// Adds the identifiers of a row.
    pub fn add(&mut self, line: u64, record: &Record) {
        for (column, name) in identifiers(record) {
            self.lines.insert(self.hash(column, name), line);
        }
    }

    /// Returns whether no row was added.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns whether a row with this identifier was added.
    pub fn contains(&self, column: &str, name: &str) -> bool {
        self.lines.contains_key(&self.hash(column, name))
    }

    fn hash(&self, column: &str, name: &str) -> u64 {
        self.state.hash_one((column, name))
    }
}

/// Returns what a column identifies rows by; the columns of other shop systems have other names.
fn what(column: &str) -> &'static str {
    match column {
        "external_id" => "external ID",
        "sku" => "SKU",
        _ => "value",
    }
}

/// Returns the columns that identify a row, with their values.
fn identifiers(record: &Record) -> impl Iterator<Item = (&'static str, &str)> {
    let names = match record {
        Record::Product(product) => {
            [("sku", Some(product.sku.as_str())), ("external_id", product.external_id.as_deref())]
        }
        Record::Category(category) => {
            [("external_id", category.external_id.as_deref()), ("slug", category.slug.as_deref())]
        }
        Record::Customer(customer) => {
            [("external_id", customer.external_id.as_deref()), ("email", customer.email.as_deref())]
        }
        Record::Order(order) => [("number", Some(order.number.as_str())), ("", None)],
    };
    names.into_iter().filter_map(|(column, name)| Some((column, name?)))
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
