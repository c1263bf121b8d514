//! Running an import: batch after batch, each a transaction of its own.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io::Read,
    path::PathBuf,
};

use sha2::{Digest, Sha256};

use super::{
    batch::{Batch, BatchProduct, Known, Origin},
    file::{Record, SalesFile},
    model::{SalesOptions, WebsiteOptions},
    rejects::Rejects,
    report::Report,
    rules, store,
};
use crate::{
    audit,
    db::{
        Conn, Db,
        bulk::{self, Growth},
    },
    error::{Error, Result},
    ids::WebsiteId,
    products,
    stock::{
        self,
        model::{MAX_PIECES, NewMovement, Reason},
    },
    text::slugify,
    websites::{
        self,
        language::Language,
        model::{NewWebsite, WebsitePatch, WebsiteRow},
    },
};

/// Products that are named and priced in one transaction.
const PRODUCTS: usize = 500;
/// Movements in one statement.
const MOVEMENTS: usize = 1_000;

/// Takes over a sales file. Rejected lines go to the file `rejects`, which is only made where there are any. Run again it
/// goes on where it was cut off, and does nothing where nothing is new.
/// # Errors
/// User errors for wrong options and headers, and for a website that has another currency; those of files and database.
/// What was taken over before the error stays.
pub async fn import_sales(db: &Db, options: &SalesOptions, input: impl Read, rejects: PathBuf) -> Result<Report> {
    check(options)?;
    let mut file = SalesFile::open(input, options)?;
    let mut report = Report::default();
    let website = website(db, &options.website, &mut report).await?;
    let mut run = Run {
        rejects: Rejects::new(rejects, options.delimiter, file.header()),
        db,
        options,
        website,
        known: Known::default(),
        created: HashSet::new(),
        growth: Growth::default(),
        report,
    };
    loop {
        let records = file.next_batch()?;
        if records.is_empty() {
            return run.finish().await;
        }
        run.take(records).await?;
    }
}

fn check(options: &SalesOptions) -> Result<()> {
    if !(0..=MAX_PIECES).contains(&options.opening_stock) {
        return Err(Error::bad_input("opening-stock", format!("an opening stock is from 0 to {MAX_PIECES} pieces")));
    }
    if !(1..=100_000).contains(&options.batch) {
        return Err(Error::bad_input("batch", "a batch is from 1 to 100000 lines"));
    }
    if options.date_format.as_deref().is_some_and(|format| !rules::is_date_format(format)) {
        return Err(Error::bad_input("date-format", "give a format such as %d/%m/%Y %H:%M"));
    }
    Ok(())
}

async fn website(db: &Db, options: &WebsiteOptions, report: &mut Report) -> Result<WebsiteRow> {
    let code = &options.code;
    let new = NewWebsite {
        code: code.clone(),
        name: options.name.clone().unwrap_or_else(|| code.clone()),
        base_url: options.base_url.clone().unwrap_or_else(|| format!("https://{code}.example")),
        currency: options.currency.clone().unwrap_or_else(|| "GBP".into()),
        language: Language::default(),
    };
    new.check()?;
    let (website, created, updated) = db
        .transaction(async |conn| {
            let Some(found) = websites::store::find_by_code(conn, code).await? else {
                return Ok((websites::store::insert(conn, &new).await?, 1, 0));
            };
            if options.currency.is_some() && found.currency().as_str() != new.currency {
                let rule =
                    format!("the website {code} keeps its prices in {}, not in {}", found.currency(), new.currency);
                return Err(Error::bad_input("currency", rule));
            }
            let patch = WebsitePatch {
                code: None,
                language: None,
                name: options.name.clone().filter(|name| *name != found.name),
                base_url: options.base_url.clone().filter(|url| *url != found.base_url),
            };
            if patch.is_empty() {
                return Ok((found, 0, 0));
            }
            let updated = websites::store::update(conn, found.id, &patch).await?;
            Ok((updated.ok_or_else(|| Error::not_found("website", "website"))?, 0, 1))
        })
        .await?;
    report.website.code = website.code.clone();
    report.website.created = created;
    report.website.updated = updated;
    Ok(website)
}

struct Run<'a> {
    db: &'a Db,
    options: &'a SalesOptions,
    website: WebsiteRow,
    rejects: Rejects,
    known: Known,
    /// SKUs of the products that this run made.
    created: HashSet<String>,
    growth: Growth,
    report: Report,
}

/// What a transaction made.
struct Written {
    customers: usize,
    products: Vec<String>,
    orders: Vec<String>,
    lines: usize,
}

impl Run<'_> {
    async fn take(&mut self, records: Vec<Record>) -> Result<()> {
        let origins = self.origins(&records).await?;
        let mut batch = Batch::default();
        for Record { line, fields, parsed } in records {
            self.report.lines.read += 1;
            let taken = parsed.and_then(|sale| {
                let origin = origins.get(&sale.invoice).copied();
                self.known.add(sale, origin, self.options, &mut batch, &mut self.report)
            });
            if let Err(reason) = taken {
                self.report.reject(reason);
                self.rejects.add(line, &fields, reason)?;
            }
        }
        self.known.take_orders(&mut batch);
        let (website, opening) = (&self.website, self.options.opening_stock);
        let written = self.db.transaction(async |conn| write(conn, website, opening, &batch).await).await?;
        self.report.customers.created += written.customers as u64;
        self.report.lines.created += written.lines as u64;
        self.report.lines.unchanged += (batch.lines.len() - written.lines) as u64;
        self.known.written(&written.orders);
        self.created.extend(written.products);
        self.growth.note(self.db, self.report.lines.created, super::super::GROWING).await;
        Ok(())
    }

    /// What the database has of the orders that the run has not met before.
    async fn origins(&self, records: &[Record]) -> Result<HashMap<String, Origin>> {
        let sales = records.iter().filter_map(|record| record.parsed.as_ref().ok());
        let new: BTreeSet<&str> =
            sales.map(|sale| sale.invoice.as_str()).filter(|number| !self.known.has_order(number)).collect();
        let new: Vec<String> = new.into_iter().map(str::to_owned).collect();
        let (website, new) = (self.website.id, &new);
        let found = self.db.read(async |conn| store::existing_orders(conn, website, new).await).await?;
        let origin = |foreign| if foreign { Origin::Foreign } else { Origin::Imported };
        Ok(found.into_iter().map(|order| (order.order_number, origin(order.is_foreign))).collect())
    }

    /// Names and prices the products by all lines there are, and counts.
    async fn finish(mut self) -> Result<Report> {
        let skus = self.known.skus();
        let mut updated = 0;
        for part in skus.chunks(PRODUCTS) {
            let part: Vec<String> = match self.options.keep_products {
                true => part.iter().filter(|sku| self.created.contains(*sku)).cloned().collect(),
                false => part.to_vec(),
            };
            let (website, part) = (self.website.id, &part);
            let (several, changed) = self.db.transaction(async |conn| name_products(conn, website, part).await).await?;
            self.report.products.several_descriptions += several as u64;
            updated += changed.iter().filter(|sku| !self.created.contains(*sku)).count();
        }
        let products = &mut self.report.products;
        products.created = self.created.len() as u64;
        products.updated = updated as u64;
        products.unchanged = (skus.len() - self.created.len() - updated) as u64;
        products.non_products = skus.iter().filter(|sku| self.options.is_non_product(sku)).count() as u64;
        self.report.customers.unchanged = self.known.customers() - self.report.customers.created;
        self.known.count_orders(&mut self.report);
        self.rejects.finish()?;
        let json = serde_json::to_value(&self.report).map_err(|error| Error::Internal(format!("report: {error}")))?;
        let (website, json) = (self.website.id, &json);
        self.db.transaction(async |conn| audit::store::insert_import(conn, website, json).await).await?;
        Ok(self.report)
    }
}

async fn write(conn: &Conn, website: &WebsiteRow, opening_stock: i32, batch: &Batch) -> Result<Written> {
    audit::store::silence(conn).await?;
    bulk::begin(conn).await?;
    let customers = store::insert_customers(conn, website.id, &batch.customers).await?;
    let products = write_products(conn, website, opening_stock, &batch.products).await?;
    let orders = store::upsert_orders(conn, website.id, &batch.orders).await?;
    let lines = store::insert_lines(conn, website.id, &batch.lines).await?;
    Ok(Written { customers, products, orders, lines })
}

async fn write_products(
    conn: &Conn,
    website: &WebsiteRow,
    opening_stock: i32,
    products: &[BatchProduct],
) -> Result<Vec<String>> {
    let mut slugs: Vec<String> = products.iter().map(|product| slug(product, &website.code)).collect();
    let mut taken: HashSet<String> = store::taken_slugs(conn, &slugs).await?.into_iter().collect();
    for (slug, product) in slugs.iter_mut().zip(products) {
        if !taken.insert(slug.clone()) {
            *slug = format!("{slug}-{}", fingerprint(&website.code, &product.sku));
        }
    }
    let made = store::insert_products(conn, website.id, products, &slugs).await?;
    if opening_stock > 0 {
        let mut active: Vec<_> = made.iter().filter(|product| product.is_active).map(|product| product.id).collect();
        active.sort_unstable();
        let opening = |id| NewMovement::new(id, None, None, Reason::Opening, opening_stock);
        let movements: Vec<NewMovement> = active.into_iter().map(opening).collect();
        for movements in movements.chunks(MOVEMENTS) {
            stock::store::insert(conn, movements).await?;
        }
    }
    Ok(made.into_iter().map(|product| product.sku).collect())
}

/// A slug from name, website and SKU; of a long name only the beginning, so that the SKU stays.
fn slug(product: &BatchProduct, website: &str) -> String {
    let name: String = slugify(&product.name).chars().take(100).collect();
    let end: String = slugify(&format!("{website} {}", product.sku)).chars().take(150).collect();
    slugify(&format!("{name} {end}"))
}

/// Tells SKUs apart that make the same slug, such as `A-1` and `A 1`.
fn fingerprint(website: &str, sku: &str) -> String {
    hex::encode(&Sha256::digest(format!("{website}:{sku}"))[..6])
}

async fn name_products(conn: &Conn, website: WebsiteId, skus: &[String]) -> Result<(usize, Vec<String>)> {
    audit::store::silence(conn).await?;
    let summaries = store::summaries(conn, website, skus).await?;
    let ids: Vec<_> = summaries.iter().map(|summary| summary.id).collect();
    products::store::lock(conn, &ids).await?;
    let changed = store::update_products(conn, &summaries).await?;
    Ok((summaries.iter().filter(|summary| summary.names > 1).count(), changed))
}
