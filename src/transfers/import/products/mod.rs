//! Products of a batch: found, compared, made and changed.
//! Rule: what is there is compared without locks; only what changes is locked, read once more and written, so that a file
//! that says nothing new stands in nobody's way.

mod plan;
mod state;
mod store;

use std::collections::{BTreeMap, HashSet};

use self::plan::Plan;
pub use self::plan::Step;
use super::{
    super::{model::Noun, record::ProductRecord},
    Fate, Run,
    places::Places,
};
use crate::{
    db::Conn,
    error::{Error, Result},
    ids::ProductId,
    media::{self, model::Wanted},
    products, stock,
    stock::model::{NewMovement, Reason},
};

/// Movements in one statement.
const MOVEMENTS: usize = 1_000;

/// What would become of each row.
/// # Errors
/// Those of the database.
async fn plan(conn: &Conn, run: &Run<'_>, places: &Places, records: &[&ProductRecord]) -> Result<Plan> {
    let found = store::find(conn, run.website.id, records).await?;
    let slugs = plan::slugs(run, records, &found);
    let taken = super::store::taken(conn, super::store::Slugged::Products, &slugs).await?;
    Ok(Plan::make(run, places, records, &found, taken, run.options.noun == Noun::Stock))
}

/// Writes what the rows say.
/// # Errors
/// User errors of what only the database can find, which one of the rows is to blame for; those of the database.
pub async fn write(conn: &Conn, run: &Run<'_>, places: &Places, records: &[&ProductRecord]) -> Result<Vec<Fate>> {
    let mut plan = self::plan(conn, run, places, records).await?;
    if run.options.is_dry_run {
        return Ok(plan.steps.into_iter().map(Step::fate).collect());
    }
    let changing: Vec<ProductId> = plan.changing();
    if !changing.is_empty() {
        products::store::lock(conn, &changing).await?;
        plan = self::plan(conn, run, places, records).await?;
        let locked: HashSet<_> = changing.into_iter().collect();
        if plan.changing().iter().any(|id| !locked.contains(id)) {
            return Err(Error::Retry("a product was changed meanwhile".into()));
        }
    }
    let made = store::insert(conn, run.website.id, &plan.new_states()).await?;
    store::update(conn, &plan.changed_states()).await?;
    let mut movements: BTreeMap<ProductId, i32> = BTreeMap::new();
    let mut known = Vec::with_capacity(records.len());
    for (step, record) in plan.steps.iter().zip(records) {
        match step {
            Step::Create(state) => {
                let id = made.get(&state.sku).ok_or_else(|| Error::Internal("a product was not made".into()))?;
                known.push((*id, record.external_id.as_deref()));
            }
            Step::Update { id, delta, .. } => {
                if *delta != 0 {
                    movements.insert(ProductId(*id), *delta);
                }
                known.push((*id, record.external_id.as_deref()));
            }
            Step::Leave { id } => known.push((*id, record.external_id.as_deref())),
            Step::Refuse(_) => {}
        }
    }
    let movement = |(id, delta)| NewMovement::new(id, None, run.options.user, Reason::Adjustment, delta);
    let movements: Vec<NewMovement> = movements.into_iter().map(movement).collect();
    for movements in movements.chunks(MOVEMENTS) {
        stock::store::insert(conn, movements).await?;
    }
    if run.options.noun == Noun::Products {
        super::transfer::see(conn, run, "Product", &known).await?;
    }
    want_images(conn, &plan, &known, records).await?;
    Ok(plan.steps.into_iter().map(Step::fate).collect())
}

/// Asks for the pictures of the rows that were taken over: a job fetches those that a product does not have yet.
async fn want_images(
    conn: &Conn,
    plan: &Plan,
    known: &[(i64, Option<&str>)],
    records: &[&ProductRecord],
) -> Result<()> {
    let taken = plan.steps.iter().zip(records).filter(|(step, _)| !matches!(step, Step::Refuse(_)));
    let wanted: Vec<Wanted> = taken
        .zip(known)
        .flat_map(|((_, record), (id, _))| {
            let images = record.images.iter().flatten().zip(1..);
            images.map(|(image, position)| Wanted {
                product: ProductId(*id),
                url: image.url.clone(),
                alt: image.alt.clone(),
                position,
            })
        })
        .collect();
    if !wanted.is_empty() {
        media::store::insert_wanted(conn, &wanted).await?;
    }
    Ok(())
}
