//! What a run knows of its file so far, and the rows that the next lines add to it.
//! Rule: it holds a few words per SKU, customer, invoice and line, never the lines themselves.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::{
    model::{Reason, SalesLine, SalesOptions},
    report::Report,
};
use crate::{
    money::format_amount,
    orders::{
        model::Status,
        store::bulk::{SoldLine, SoldOrder},
    },
};

/// Largest total of an order in hundredths: `numeric(12,2)`.
const MAX_TOTAL: i128 = 999_999_999_999;

/// What one transaction writes.
#[derive(Debug, Default)]
pub struct Batch {
    /// Products that the run has not met before.
    pub products: Vec<BatchProduct>,
    /// Customers that the run has not met before.
    pub customers: Vec<String>,
    /// Orders that are new to the run, or of which it learned more.
    pub orders: Vec<BatchOrder>,
    /// Lines.
    pub lines: Vec<BatchLine>,
}

impl Batch {
    /// The orders, as they are written.
    pub fn sold_orders(&self) -> Vec<SoldOrder<'_>> {
        let orders = self.orders.iter().map(|order| SoldOrder {
            number: &order.number,
            status: order.status,
            customer: order.customer.as_deref(),
            country: order.country.as_deref(),
            placed_at: order.placed_at,
        });
        orders.collect()
    }

    /// The lines, as they are written.
    pub fn sold_lines(&self) -> Vec<SoldLine<'_>> {
        let lines = self.lines.iter().map(|line| SoldLine {
            number: &line.number,
            sku: &line.sku,
            name: &line.name,
            quantity: line.quantity,
            price: line.price,
            external_key: &line.key,
        });
        lines.collect()
    }
}

/// A product, with the name and price of the first line that names it.
#[derive(Debug)]
pub struct BatchProduct {
    pub sku: String,
    pub name: String,
    pub price: Decimal,
    pub is_active: bool,
}

/// An order.
#[derive(Debug)]
pub struct BatchOrder {
    pub number: String,
    pub status: &'static str,
    pub customer: Option<String>,
    pub country: Option<String>,
    pub placed_at: DateTime<Utc>,
}

/// A line of an order.
#[derive(Debug)]
pub struct BatchLine {
    pub number: String,
    pub sku: String,
    pub name: String,
    pub quantity: i32,
    pub price: Decimal,
    pub key: String,
}

/// Where an order of the file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// An import made it before this run.
    Imported,
    /// It was not made by an import: its lines are rejected.
    Foreign,
}

/// What the run knows.
#[derive(Default)]
pub struct Known {
    skus: HashMap<String, u32>,
    customers: HashSet<String>,
    orders: HashMap<String, KnownOrder>,
    /// Orders that the database has to hear of.
    news: BTreeSet<String>,
    /// How often a line was met: order, SKU, quantity, hundredths.
    ranks: HashMap<(u32, u32, i32, i64), u32>,
}

struct KnownOrder {
    index: u32,
    cancelled: bool,
    customer: Option<String>,
    country: Option<String>,
    placed_at: DateTime<Utc>,
    total: i128,
    existed: bool,
    updated: bool,
    dates: bool,
    customers: bool,
    countries: bool,
}

impl Known {
    /// Whether the run has met this order.
    pub fn has_order(&self, number: &str) -> bool {
        self.orders.contains_key(number)
    }

    /// Every SKU of the file, in order.
    pub fn skus(&self) -> Vec<String> {
        let mut skus: Vec<String> = self.skus.keys().cloned().collect();
        skus.sort_unstable();
        skus
    }

    /// How many customers the file names.
    pub fn customers(&self) -> u64 {
        self.customers.len() as u64
    }

    /// Adds a line to a batch; `origin` says what the database has of its order, where the run is new to it.
    /// # Errors
    /// Why the line is refused.
    pub fn add(
        &mut self,
        line: SalesLine,
        origin: Option<Origin>,
        options: &SalesOptions,
        batch: &mut Batch,
        notes: &mut Report,
    ) -> Result<(), Reason> {
        if origin == Some(Origin::Foreign) {
            return Err(Reason::NumberTaken);
        }
        let hundredths = i64::try_from(line.price.mantissa()).map_err(|_| Reason::BadPrice)?;
        let order = self.order(&line, origin, i128::from(hundredths) * i128::from(line.quantity))?;
        let sku = self.product(&line, options, batch);
        if let Some(customer) = &line.customer
            && !self.customers.contains(customer)
        {
            self.customers.insert(customer.clone());
            batch.customers.push(customer.clone());
        }
        let rank = self.ranks.entry((order, sku, line.quantity, hundredths)).or_default();
        *rank += 1;
        note(&line, *rank, options, notes);
        let key = format!("{}:{}:{}:{rank}", line.sku, line.quantity, format_amount(line.price));
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

    fn order(&mut self, line: &SalesLine, origin: Option<Origin>, amount: i128) -> Result<u32, Reason> {
        let next = self.orders.len() as u32;
        if let Some(order) = self.orders.get_mut(&line.invoice) {
            if order.total + amount > MAX_TOTAL {
                return Err(Reason::BadTotal);
            }
            order.total += amount;
            if order.learn(line) {
                self.news.insert(line.invoice.clone());
            }
            return Ok(order.index);
        }
        if amount > MAX_TOTAL {
            return Err(Reason::BadTotal);
        }
        let order = KnownOrder {
            index: next,
            cancelled: line.cancelled,
            customer: line.customer.clone(),
            country: line.country.clone(),
            placed_at: line.placed_at,
            total: amount,
            existed: origin == Some(Origin::Imported),
            updated: false,
            dates: false,
            customers: false,
            countries: false,
        };
        self.orders.insert(line.invoice.clone(), order);
        self.news.insert(line.invoice.clone());
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

    /// Moves the orders that the database has to hear of into the batch, in the order of their numbers.
    pub fn take_orders(&mut self, batch: &mut Batch) {
        for number in std::mem::take(&mut self.news) {
            let Some(order) = self.orders.get(&number) else { continue };
            batch.orders.push(BatchOrder {
                status: if order.cancelled { Status::Cancelled } else { Status::Delivered }.as_str(),
                customer: order.customer.clone(),
                country: order.country.clone(),
                placed_at: order.placed_at,
                number,
            });
        }
    }

    /// Notes which orders the database wrote.
    pub fn written(&mut self, numbers: &[String]) {
        for number in numbers {
            if let Some(order) = self.orders.get_mut(number) {
                order.updated = true;
            }
        }
    }

    /// Counts the orders of the whole file.
    pub fn count_orders(&self, report: &mut Report) {
        let count =
            |matches: fn(&KnownOrder) -> bool| self.orders.values().filter(|order| matches(order)).count() as u64;
        let orders = &mut report.orders;
        orders.created = count(|order| !order.existed);
        orders.updated = count(|order| order.existed && order.updated);
        orders.unchanged = count(|order| order.existed && !order.updated);
        orders.cancellations = count(|order| order.cancelled);
        orders.guests = count(|order| order.customer.is_none());
        orders.several_dates = count(|order| order.dates);
        orders.several_customers = count(|order| order.customers);
        orders.several_countries = count(|order| order.countries);
    }
}

impl KnownOrder {
    /// Takes from a later line what the order lacks; whether there was anything.
    fn learn(&mut self, line: &SalesLine) -> bool {
        let earlier = line.placed_at < self.placed_at;
        self.dates |= line.placed_at != self.placed_at;
        self.placed_at = self.placed_at.min(line.placed_at);
        let customer = fill(&mut self.customer, &line.customer);
        let country = fill(&mut self.country, &line.country);
        self.customers |= line.customer.is_some() && line.customer != self.customer;
        self.countries |= line.country.is_some() && line.country != self.country;
        earlier || customer || country
    }
}

/// Fills what is absent; whether it did.
fn fill(kept: &mut Option<String>, new: &Option<String>) -> bool {
    let filled = kept.is_none() && new.is_some();
    if filled {
        kept.clone_from(new);
    }
    filled
}

fn note(line: &SalesLine, rank: u32, options: &SalesOptions, report: &mut Report) {
    let notes = &mut report.notes;
    notes.zero_prices += u64::from(line.price.is_zero());
    notes.rounded_prices += u64::from(line.rounded);
    notes.non_product_lines += u64::from(options.is_non_product(&line.sku));
    notes.blank_descriptions += u64::from(line.name.is_empty());
    notes.cut_descriptions += u64::from(line.cut);
    notes.repeated_lines += u64::from(rank > 1);
}
