//! Writes the products of a batch, with their stock, sources and images, or only plans them.
//! Rule: products that change are locked, then planned again.

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

/// Writes what the rows say.
/// # Errors
/// User errors of what only the database can find, which one of the rows is to blame for; those of the database.
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
            return Err(Error::Retry("a product was changed meanwhile".into()));
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

/// Keys and the shop's own ids of the rows that are not refused, in order; what a dry run would make has the key 0.
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
                *made.get(&state.sku).ok_or_else(|| Error::Internal("a product was not made".into()))?
            }
            Step::Update { id, .. } | Step::Keep { id } => *id,
            Step::Reject(_) => continue,
        };
        known.push((id, record.external_id.as_deref()));
    }
    Ok(known)
}

/// The pictures that the rows name and their products do not have yet.
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
            // What names no server is at the shop that the file came from.
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

/// For the report: a product that gets no more than pictures is changed, too.
fn outcomes(plan: Plan, images: &[NewImage]) -> Vec<RowOutcome> {
    let pictured: HashSet<i64> = images.iter().map(|image| image.product_id.0).collect();
    let outcome = |step: Step| match step {
        Step::Keep { id } if pictured.contains(&id) => RowOutcome::Updated,
        step => step.outcome(),
    };
    plan.steps.into_iter().map(outcome).collect()
}
