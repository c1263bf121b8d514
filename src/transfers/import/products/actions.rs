//! Plans and writes the products of a batch, with their stock, sources and images.
//! Rule: products that change are locked, then the plan is made again.

use std::collections::{HashMap, HashSet};

use super::{
    super::{
        super::{model::Resource, record::ProductRecord},
        model::{RowOutcome, Run},
        references::{
            model::References,
            store::{SluggedTable, find_taken_slugs},
        },
    },
    model::plan::{self, ExistingProducts, Plan, Step},
    store,
};
use crate::{
    db::Conn,
    error::{Error, Result},
    ids::ProductId,
    media::{
        self,
        model::{NewImage, RequestedImage},
    },
    products::{self, store::bulk},
    sources::{self, model::SourceType},
    stock::{
        self,
        model::{NewMovement, Reason},
    },
};

async fn make_plan(conn: &Conn, run: &Run<'_>, references: &References, records: &[&ProductRecord]) -> Result<Plan> {
    let found = ExistingProducts::new(store::find(conn, run.website.id, records).await?);
    let slugs = plan::candidate_slugs(run, records, &found);
    let taken = find_taken_slugs(conn, SluggedTable::Products, &slugs).await?;
    Ok(Plan::make(run, references, records, &found, taken, run.options.resource == Resource::Stock))
}

/// Writes the rows; a dry run only returns their outcomes.
/// # Errors
/// User errors for rules that only the database checks and that one of the rows violates; database errors.
pub async fn write(
    conn: &Conn,
    run: &Run<'_>,
    references: &References,
    records: &[&ProductRecord],
    is_dry_run: bool,
) -> Result<Vec<RowOutcome>> {
    let mut plan = make_plan(conn, run, references, records).await?;
    if is_dry_run {
        let known = product_ids(&plan, &HashMap::new(), records)?;
        let images = missing_images(conn, run, &plan, &known, records).await?;
        return Ok(outcomes(plan, &images));
    }
    let changing: Vec<ProductId> = plan.changed_ids();
    if !changing.is_empty() {
        products::store::lock(conn, &changing).await?;
        plan = make_plan(conn, run, references, records).await?;
        let locked: HashSet<_> = changing.into_iter().collect();
        if plan.changed_ids().iter().any(|id| !locked.contains(id)) {
            return Err(Error::Retry("a product was changed concurrently".into()));
        }
    }
    let made = bulk::insert(conn, run.website.id, &plan.new_states()).await?;
    bulk::update(conn, &plan.changed_states()).await?;
    let movement = |(id, delta)| NewMovement::new(id, None, run.options.user, Reason::Adjustment, delta);
    let movements: Vec<_> = plan.movements().into_iter().map(movement).collect();
    stock::store::insert_many(conn, &movements).await?;
    let known = product_ids(&plan, &made, records)?;
    if run.options.resource == Resource::Products {
        sources::store::upsert_seen(conn, run.website.id, run.lease.id, SourceType::Product, &known).await?;
    }
    let images = missing_images(conn, run, &plan, &known, records).await?;
    media::store::insert_missing(conn, &images).await?;
    Ok(outcomes(plan, &images))
}

/// Returns primary keys and external IDs of the rows that are not rejected, in order; a product that a dry run would
/// create has the key 0.
fn product_ids<'r>(
    plan: &Plan,
    made: &HashMap<String, i64>,
    records: &[&'r ProductRecord],
) -> Result<Vec<(i64, Option<&'r str>)>> {
    let mut known = Vec::with_capacity(records.len());
    for (step, record) in plan.steps.iter().zip(records) {
        let id = match step {
            Step::Create(_) if made.is_empty() => 0,
            Step::Create(state) => {
                *made.get(&state.sku).ok_or_else(|| Error::Internal("a product was not created".into()))?
            }
            Step::Update { id, .. } | Step::Keep { id } => *id,
            Step::Reject(_) => continue,
        };
        known.push((id, record.external_id.as_deref()));
    }
    Ok(known)
}

/// Returns the images in the rows that the products do not have yet.
async fn missing_images(
    conn: &Conn,
    run: &Run<'_>,
    plan: &Plan,
    known: &[(i64, Option<&str>)],
    records: &[&ProductRecord],
) -> Result<Vec<NewImage>> {
    let base = run.options.shop_options.image_base_url.as_deref().map(|base| base.trim_end_matches('/'));
    let taken = plan.steps.iter().zip(records).filter(|(step, _)| !matches!(step, Step::Reject(_)));
    let mut wanted = Vec::new();
    for ((_, record), (id, _)) in taken.zip(known) {
        for (image, position) in record.images.iter().flatten().zip(1..) {
            // Relative URLs refer to the shop that the file was exported from.
            let url = match base {
                Some(base) if image.url.starts_with('/') => format!("{base}{}", image.url),
                _ => image.url.clone(),
            };
            wanted.push(RequestedImage { product: ProductId(*id), url, alt: image.alt.clone(), position });
        }
    }
    match wanted.is_empty() {
        true => Ok(Vec::new()),
        false => media::store::select_missing(conn, &wanted).await,
    }
}

/// Returns the outcomes for the report; a product that only gets images counts as updated.
fn outcomes(plan: Plan, images: &[NewImage]) -> Vec<RowOutcome> {
    let with_images: HashSet<i64> = images.iter().filter_map(|image| image.product_id).map(|id| id.0).collect();
    let outcome = |step: Step| match step {
        Step::Keep { id } if with_images.contains(&id) => RowOutcome::Updated,
        step => step.outcome(),
    };
    plan.steps.into_iter().map(outcome).collect()
}
