//! Plans and writes the orders of a batch.
//! Rule: past orders take nothing from stock.

use std::collections::HashMap;

use super::{
    super::{
        super::record::OrderRecord,
        model::{RowOutcome, Run},
    },
    model::{NewOrder, Plan},
    store,
};
use crate::{
    db::Conn,
    error::Result,
    orders::store::bulk::{self, PastLine, PastOrder},
    sources::{self, model::SourceType},
};

/// Writes the rows; a dry run only returns their outcomes.
/// # Errors
/// User errors for rules that only the database checks and that one of the rows violates; database errors.
pub async fn write(conn: &Conn, run: &Run<'_>, records: &[&OrderRecord], is_dry_run: bool) -> Result<Vec<RowOutcome>> {
    let website = run.website.id;
    let visible = run.options.customer_websites.as_deref();
    let existing = store::find(conn, website, visible, records).await?;
    let references = store::references(conn, website, visible, records, !is_dry_run).await?;
    if is_dry_run {
        return Ok(Plan::make(records, &existing, &references, Vec::new()).outcomes);
    }
    let ids = bulk::next_ids(conn, records.len()).await?;
    let plan = Plan::make(records, &existing, &references, ids);
    bulk::insert(conn, website, &plan.new.iter().map(order).collect::<Vec<_>>()).await?;
    bulk::insert_lines(conn, &lines(&plan.new, &references.products)).await?;
    sources::store::upsert_seen(conn, website, run.lease.id, SourceType::Order, &plan.seen).await?;
    Ok(plan.outcomes)
}

fn order<'r>(new: &NewOrder<'r>) -> PastOrder<'r> {
    PastOrder {
        id: new.id,
        number: &new.record.number,
        status: &new.record.status,
        placed_at: new.record.placed_at,
        customer: new.customer,
        contact_email: new.contact_email,
        shipping: &new.record.shipping_address,
        billing: new.record.billing_address.as_ref(),
    }
}

fn lines<'r>(new: &[NewOrder<'r>], products: &HashMap<String, i64>) -> Vec<PastLine<'r>> {
    let lines = new.iter().flat_map(|new| new.record.lines.iter().map(|line| (new.id, line)));
    let line = lines.map(|(order_id, line)| PastLine {
        order_id,
        product_id: products.get(&line.sku).copied().unwrap_or_default(),
        sku: &line.sku,
        name: &line.name,
        quantity: line.quantity,
        unit_price: line.unit_price,
        external_key: line.external_key.as_deref(),
    });
    line.collect()
}
