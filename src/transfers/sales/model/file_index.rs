//! What a run keeps in memory about its file, to compute the rows that the next lines add.
//! Rule: it keeps small entries per SKU, customer, invoice and line, never the lines themselves. Other imports keep
//! only identifiers, since each of their rows is a whole entity; here an order is spread over many lines.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{
    batch::{Batch, BatchLine, BatchOrder, BatchProduct},
    line::{RejectReason, SalesCountry, SalesLine},
    options::SalesOptions,
    report::{NoteReport, SalesReport},
};
use crate::{
    money::{MAX_DIGITS, MAX_TOTAL},
    orders::model::Status,
};

/// Origin of an existing order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// An earlier import.
    Imported,
    /// Not an import; lines of the order are rejected.
    Foreign,
}

/// Index of the lines read so far.
#[derive(Default)]
pub struct FileIndex {
    skus: HashMap<String, u32>,
    customers: HashSet<String>,
    orders: HashMap<String, OrderEntry>,
    /// Numbers of the orders that the next batch writes.
    changed: BTreeSet<String>,
    /// Number of occurrences of a line: order, SKU, quantity, price in thousandths.
    ranks: HashMap<(u32, u32, i32, i64), u32>,
}

struct OrderEntry {
    index: u32,
    is_cancellation: bool,
    customer: Option<String>,
    country: Option<SalesCountry>,
    placed_at: DateTime<Utc>,
    total: i128,
    existed: bool,
    updated: bool,
    has_several_dates: bool,
    has_several_customers: bool,
    has_several_countries: bool,
}

impl FileIndex {
    /// Returns whether an earlier line belongs to this order.
    pub fn has_order(&self, number: &str) -> bool {
        self.orders.contains_key(number)
    }

    /// Returns all SKUs of the file, sorted.
    pub fn skus(&self) -> Vec<String> {
        let mut skus: Vec<String> = self.skus.keys().cloned().collect();
        skus.sort_unstable();
        skus
    }

    /// Returns the number of customers in the file.
    pub fn customers(&self) -> u64 {
        self.customers.len() as u64
    }

    /// Adds a line to a batch. `origin` is the origin of its order, if the order exists and no earlier line belongs to
    /// it.
    /// # Errors
    /// The reason why the line is rejected.
    pub fn add(
        &mut self,
        line: SalesLine,
        origin: Option<Origin>,
        options: &SalesOptions,
        batch: &mut Batch,
        notes: &mut NoteReport,
    ) -> Result<(), RejectReason> {
        if origin == Some(Origin::Foreign) {
            return Err(RejectReason::NumberTaken);
        }
        let thousandths = i64::try_from(thousandths(line.price)).map_err(|_| RejectReason::BadPrice)?;
        let order = self.order(&line, origin, i128::from(thousandths) * i128::from(line.quantity))?;
        let sku = self.product(&line, options, batch);
        if let Some(customer) = &line.customer
            && !self.customers.contains(customer)
        {
            self.customers.insert(customer.clone());
            batch.customers.push(customer.clone());
        }
        let rank = self.ranks.entry((order, sku, line.quantity, thousandths)).or_default();
        *rank += 1;
        note(&line, *rank, options, notes);
        let key = format!("{}:{}:{}:{rank}", line.sku, line.quantity, key_amount(line.price));
        let name = if line.name.is_empty() { line.sku.clone() } else { line.name };
        batch.lines.push(BatchLine {
            number: line.invoice,
            sku: line.sku,
            name,
            quantity: line.quantity,
            price: line.price,
            key,
        });
        Ok(())
    }

    fn order(&mut self, line: &SalesLine, origin: Option<Origin>, amount: i128) -> Result<u32, RejectReason> {
        let next = self.orders.len() as u32;
        if let Some(order) = self.orders.get_mut(&line.invoice) {
            if order.total + amount > thousandths(MAX_TOTAL) {
                return Err(RejectReason::BadTotal);
            }
            order.total += amount;
            if order.merge(line) {
                self.changed.insert(line.invoice.clone());
            }
            return Ok(order.index);
        }
        if amount > thousandths(MAX_TOTAL) {
            return Err(RejectReason::BadTotal);
        }
        let order = OrderEntry {
            index: next,
            is_cancellation: line.is_cancellation,
            customer: line.customer.clone(),
            country: line.country.clone(),
            placed_at: line.placed_at,
            total: amount,
            existed: origin == Some(Origin::Imported),
            updated: false,
            has_several_dates: false,
            has_several_customers: false,
            has_several_countries: false,
        };
        self.orders.insert(line.invoice.clone(), order);
        self.changed.insert(line.invoice.clone());
        Ok(next)
    }

    fn product(&mut self, line: &SalesLine, options: &SalesOptions, batch: &mut Batch) -> u32 {
        if let Some(index) = self.skus.get(&line.sku) {
            return *index;
        }
        let index = self.skus.len() as u32;
        self.skus.insert(line.sku.clone(), index);
        batch.products.push(BatchProduct {
            sku: line.sku.clone(),
            name: if line.name.is_empty() { line.sku.clone() } else { line.name.clone() },
            price: line.price,
            is_active: !options.is_non_product(&line.sku),
        });
        index
    }

    /// Moves the new and changed orders into the batch, sorted by number.
    pub fn take_orders(&mut self, batch: &mut Batch) {
        for number in std::mem::take(&mut self.changed) {
            let Some(order) = self.orders.get(&number) else { continue };
            batch.orders.push(BatchOrder {
                status: if order.is_cancellation { Status::Cancelled } else { Status::Delivered }.as_str(),
                customer: order.customer.clone(),
                country: order.country.clone(),
                placed_at: order.placed_at,
                number,
            });
        }
    }

    /// Marks the orders that were inserted or changed in the database.
    pub fn mark_written(&mut self, numbers: &[String]) {
        for number in numbers {
            if let Some(order) = self.orders.get_mut(number) {
                order.updated = true;
            }
        }
    }

    /// Counts the orders of the whole file.
    pub fn count_orders(&self, report: &mut SalesReport) {
        let count =
            |matches: fn(&OrderEntry) -> bool| self.orders.values().filter(|order| matches(order)).count() as u64;
        let orders = &mut report.orders;
        orders.created = count(|order| !order.existed);
        orders.updated = count(|order| order.existed && order.updated);
        orders.unchanged = count(|order| order.existed && !order.updated);
        orders.cancellations = count(|order| order.is_cancellation);
        orders.guests = count(|order| order.customer.is_none());
        orders.several_dates = count(|order| order.has_several_dates);
        orders.several_customers = count(|order| order.has_several_customers);
        orders.several_countries = count(|order| order.has_several_countries);
    }
}

impl OrderEntry {
    /// Merges a later line into the order; returns whether the order changed.
    fn merge(&mut self, line: &SalesLine) -> bool {
        let is_earlier = line.placed_at < self.placed_at;
        self.has_several_dates |= line.placed_at != self.placed_at;
        self.placed_at = self.placed_at.min(line.placed_at);
        let customer = fill(&mut self.customer, &line.customer);
        let country = fill(&mut self.country, &line.country);
        self.has_several_customers |= line.customer.is_some() && line.customer != self.customer;
        self.has_several_countries |= line.country.is_some() && line.country != self.country;
        is_earlier || customer || country
    }
}

/// Returns an amount in thousandths.
fn thousandths(mut amount: Decimal) -> i128 {
    amount.rescale(MAX_DIGITS);
    amount.mantissa()
}

/// Formats a price for the key of a line: with two decimal places, as always, or more if the currency has more.
fn key_amount(mut price: Decimal) -> String {
    price.rescale(price.scale().max(2));
    price.to_string()
}

/// Fills an absent value; returns whether it did.
fn fill<T: Clone>(kept: &mut Option<T>, new: &Option<T>) -> bool {
    let filled = kept.is_none() && new.is_some();
    if filled {
        kept.clone_from(new);
    }
    filled
}

fn note(line: &SalesLine, rank: u32, options: &SalesOptions, notes: &mut NoteReport) {
    notes.zero_prices += u64::from(line.price.is_zero());
    notes.rounded_prices += u64::from(line.is_rounded);
    notes.non_product_lines += u64::from(options.is_non_product(&line.sku));
    notes.blank_descriptions += u64::from(line.name.is_empty());
    notes.cut_descriptions += u64::from(line.is_truncated);
    notes.repeated_lines += u64::from(rank > 1);
}
