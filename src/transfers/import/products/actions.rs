//! Plans and writes the products of a batch, with their stock, sources and images.
//! Rule: products that change are locked, then the plan is made again.

use std::collections::{HashMap, HashSet};

use super::{
    super::{
        super::{
            model::{Missing, Resource},
            record::ProductRecord,
        },
        missing::FileContents,
        model::{RowOutcome, Run, Written},
        references::{
            model::References,
            store::{SluggedTable, find_taken_slugs},
        },
    },
    model::plan::{self, ExistingProducts, Plan, Step},
    store,
};
use crate::{
    db::{Conn, Db},
    error::{Error, Result},
    ids::ProductId,
    media::{
        self,
        model::import::{ImageChanges, RequestedImage},
    },
    products::{self, store::bulk},
    sources::{self, model::SourceType},
    stock::{
        self,
        model::{NewMovement, Reason},
    },
};

/// Number of products of earlier imports that are read at once to find the missing ones.
const MISSING_PER_PAGE: i64 = 2_000;

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
) -> Result<Written> {
    let mut plan = make_plan(conn, run, references, records).await?;
    if is_dry_run {
        let known = product_ids(&plan, &HashMap::new(), records)?;
        let images = image_changes(conn, run, &plan, &known, records).await?;
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
    let movement = |(id, delta)| NewMovement::new(id, None, run.options.user, Reason::Adjustment, delta);
    let (more, less): (Vec<_>, Vec<_>) =
        plan.movements().into_iter().map(movement).partition(|movement| movement.delta > 0);
    // Stock is raised before backorders are denied, and reduced after they are allowed.
    stock::store::insert_many(conn, &more).await?;
    // First the updates, because a new product may have the SKU that another one gives up.
    bulk::update(conn, &plan.changed_states()).await?;
    let made = bulk::insert(conn, run.website.id, &plan.new_states()).await?;
    stock::store::insert_many(conn, &less).await?;
    let known = product_ids(&plan, &made, records)?;
    if run.options.resource == Resource::Products {
        sources::store::upsert_seen(conn, run.website.id, run.lease.id, SourceType::Product, &known).await?;
    }
    let images = image_changes(conn, run, &plan, &known, records).await?;
    let pictured: Vec<ProductId> = images.products.iter().copied().collect();
    if !pictured.is_empty() {
        products::store::lock(conn, &pictured).await?;
    }
    media::store::apply(conn, &images).await?;
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

/// Returns the changes of the images of products whose rows list images. Those of a product that does not exist yet are
/// left out, as in a dry run.
async fn image_changes(
    conn: &Conn,
    run: &Run<'_>,
    plan: &Plan,
    known: &[(i64, Option<&str>)],
    records: &[&ProductRecord],
) -> Result<ImageChanges> {
    let base = run.options.shop_options.image_base_url.as_deref().map(|base| base.trim_end_matches('/'));
    let taken = plan.steps.iter().zip(records).filter(|(step, _)| !matches!(step, Step::Reject(_)));
    let (mut products, mut wanted) = (Vec::new(), Vec::new());
    for ((_, record), (id, _)) in taken.zip(known) {
        let (Some(images), true) = (&record.images, *id != 0) else { continue };
        products.push(ProductId(*id));
        for (image, position) in images.iter().zip(1..) {
            // Relative URLs refer to the shop that the file was exported from.
            let url = match base {
                Some(base) if image.url.starts_with('/') => format!("{base}{}", image.url),
                _ => image.url.clone(),
            };
            wanted.push(RequestedImage { product: ProductId(*id), url, alt: image.alt.clone(), position });
        }
    }
    match products.is_empty() {
        true => Ok(ImageChanges::default()),
        false => media::store::changes(conn, &products, &wanted, !run.options.format.is_native()).await,
    }
}

/// Returns the outcomes for the report; a product of which only the images change counts as updated.
fn outcomes(plan: Plan, images: &ImageChanges) -> Written {
    let outcome = |step: Step| match step {
        Step::Keep { id } if images.products.contains(&ProductId(id)) => RowOutcome::Updated,
        step => step.outcome(),
    };
    Written { outcomes: plan.steps.into_iter().map(outcome).collect(), shortfalls: plan.shortfalls }
}

/// Counts the active products of earlier imports of the website that a file does not contain, and deactivates them if
/// the rules say so. Returns none if the file may be incomplete.
/// # Errors
/// Database errors.
pub async fn handle_missing(db: &Db, run: &Run<'_>, contents: &FileContents) -> Result<Option<u64>> {
    if !contents.is_complete() {
        return Ok(None);
    }
    let deactivates = run.options.rules.missing == Missing::Deactivate && !run.options.is_dry_run;
    let (mut count, mut after) = (0, ProductId(0));
    loop {
        let known =
            db.read(async |conn| store::active_imported(conn, run.website.id, after, MISSING_PER_PAGE).await).await?;
        let Some(last) = known.last() else { return Ok(Some(count)) };
        after = last.id;
        let missing = known.iter().filter(|product| !contents.may_contain(product));
        let missing: &[ProductId] = &missing.map(|product| product.id).collect::<Vec<_>>();
        count += missing.len() as u64;
        if deactivates && !missing.is_empty() {
            db.transaction(async |conn| {
                super::super::store::begin_batch(conn).await?;
                products::store::lock(conn, missing).await?;
                bulk::deactivate(conn, missing).await
            })
            .await?;
        }
    }
}
