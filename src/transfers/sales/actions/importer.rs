//! Writes the batches of a sales import.
//! Rule: a batch is written as a whole and, unlike in other imports, never split to find an invalid line: lines are
//! fully validated before, so a database error is not caused by a line.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    super::{
        super::{
            actions::{BatchOutcome, BatchWriter},
            model::Report,
            record::{RejectedRow, Row},
        },
        model::{
            RejectReason, SalesLine, SalesOptions, SalesReport,
            batch::{Batch, BatchLine, BatchOrder},
            file_index::{FileIndex, Origin},
        },
        store,
    },
    products,
};
use crate::{
    audit,
    db::{Conn, Db, bulk},
    error::Result,
    orders::store::bulk::{self as orders, SoldLine, SoldOrder},
    websites::model::WebsiteRow,
};

/// Number of products that are updated per transaction.
const PRODUCTS: usize = 500;

/// Imports the batches of a sales file.
pub(super) struct SalesImporter<'a> {
    db: &'a Db,
    options: &'a SalesOptions,
    website: &'a WebsiteRow,
    index: FileIndex,
    /// SKUs of the products created by this run.
    created: HashSet<String>,
    report: SalesReport,
}

/// What a transaction created.
struct Written {
    customers: usize,
    products: Vec<String>,
    orders: Vec<String>,
    lines: usize,
}

impl BatchWriter<SalesLine, RejectReason> for SalesImporter<'_> {
    async fn write(&mut self, rows: Vec<Row<SalesLine, RejectReason>>) -> Result<Option<BatchOutcome>> {
        let origins = self.origins(&rows).await?;
        let (mut batch, mut outcome) = (Batch::default(), BatchOutcome::default());
        for Row { line, fields, context, record } in rows {
            let added = record.and_then(|sale| {
                let origin = origins.get(&sale.invoice).copied();
                self.index.add(sale, origin, self.options, &mut batch, &mut self.report.notes)
            });
            if let Err(reason) = added {
                self.report.count_reason(reason);
                outcome.rejected.push(RejectedRow { line, fields, context, reason: reason.into() });
            }
        }
        self.index.take_orders(&mut batch);
        let (website, opening) = (self.website, self.options.opening_stock);
        let written = self.db.transaction(async |conn| write(conn, website, opening, &batch).await).await?;
        outcome.created = written.lines as u64;
        outcome.unchanged = (batch.lines.len() - written.lines) as u64;
        self.report.customers.created += written.customers as u64;
        self.index.mark_written(&written.orders);
        self.created.extend(written.products);
        Ok(Some(outcome))
    }

    /// No separate progress is stored: the lines in the database are the progress.
    async fn store_progress(&mut self, _: &Report) -> Result<()> {
        Ok(())
    }
}

impl<'a> SalesImporter<'a> {
    /// Creates an importer for a file whose lines belong to this website.
    pub(super) fn new(db: &'a Db, options: &'a SalesOptions, website: &'a WebsiteRow) -> Self {
        let (index, created, report) = (FileIndex::default(), HashSet::new(), SalesReport::default());
        Self { db, options, website, index, created, report }
    }

    /// Returns the origins of the existing orders that no earlier batch contains.
    async fn origins(&self, rows: &[Row<SalesLine, RejectReason>]) -> Result<HashMap<String, Origin>> {
        let sales = rows.iter().filter_map(|row| row.record.as_ref().ok());
        let new: BTreeSet<&str> =
            sales.map(|sale| sale.invoice.as_str()).filter(|number| !self.index.has_order(number)).collect();
        let new: Vec<String> = new.into_iter().map(str::to_owned).collect();
        let (website, new) = (self.website.id, &new);
        let found = self.db.read(async |conn| store::existing_orders(conn, website, new).await).await?;
        let origin = |foreign| if foreign { Origin::Foreign } else { Origin::Imported };
        Ok(found.into_iter().map(|order| (order.order_number, origin(order.is_foreign))).collect())
    }

    /// Updates names and prices of the products from all imported lines, and completes the report except for the lines
    /// and the website.
    /// # Errors
    /// Database errors.
    pub(super) async fn finish(mut self) -> Result<SalesReport> {
        let skus = self.index.skus();
        let mut updated = 0;
        for part in skus.chunks(PRODUCTS) {
            let part: Vec<String> = match self.options.keep_products {
                true => part.iter().filter(|sku| self.created.contains(*sku)).cloned().collect(),
                false => part.to_vec(),
            };
            let (website, part) = (self.website.id, &part);
            let done = self.db.transaction(async |conn| products::update(conn, website, part).await);
            let (several, changed) = done.await?;
            self.report.products.several_descriptions += several as u64;
            updated += changed.iter().filter(|sku| !self.created.contains(*sku)).count();
        }
        let products = &mut self.report.products;
        products.created = self.created.len() as u64;
        products.updated = updated as u64;
        products.unchanged = (skus.len() - self.created.len() - updated) as u64;
        products.non_products = skus.iter().filter(|sku| self.options.is_non_product(sku)).count() as u64;
        self.report.customers.unchanged = self.index.customers() - self.report.customers.created;
        self.index.count_orders(&mut self.report);
        Ok(self.report)
    }
}

async fn write(conn: &Conn, website: &WebsiteRow, opening_stock: i32, batch: &Batch) -> Result<Written> {
    audit::store::suppress(conn).await?;
    bulk::force_generic_plans(conn).await?;
    let customers = store::insert_customers(conn, website.id, &batch.customers).await?;
    let products = products::insert(conn, website, opening_stock, &batch.products).await?;
    let sold: Vec<_> = batch.orders.iter().map(order).collect();
    let orders = orders::upsert_sold(conn, website.id, &sold).await?;
    let sold: Vec<_> = batch.lines.iter().map(line).collect();
    let lines = orders::insert_missing_lines(conn, website.id, &sold).await?;
    Ok(Written { customers, products, orders, lines })
}

fn order(order: &BatchOrder) -> SoldOrder<'_> {
    SoldOrder {
        number: &order.number,
        status: order.status,
        customer: order.customer.as_deref(),
        country: order.country.as_ref().map(|country| country.code.as_str()),
        unknown_country: order.country.as_ref().and_then(|country| country.unknown.as_deref()),
        placed_at: order.placed_at,
    }
}

fn line(line: &BatchLine) -> SoldLine<'_> {
    SoldLine {
        number: &line.number,
        sku: &line.sku,
        name: &line.name,
        quantity: line.quantity,
        price: line.price,
        external_key: &line.key,
    }
}
