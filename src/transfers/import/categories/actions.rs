//! Writes the categories of a batch, or only plans them.
//! Rule: the paths are created as those that products name, then the categories' own columns are compared.

use std::collections::HashMap;

use super::{
    super::{
        super::record::CategoryRecord,
        model::{RowOutcome, Run},
        references::{
            self,
            actions::free_slugs,
            model::{References, Wanted},
            store::{Slugged, taken},
        },
    },
    model::{Found, Plan, State, known},
    store,
};
use crate::{
    categories::{self, model::CategoryChange},
    db::{Conn, Db},
    error::{Result, UserError, UserErrorCode},
    sources::{self, model::SourceType},
};

/// Resolves the paths of these rows: of a row whose category exists, and may move, only the parent's path.
/// # Errors
/// Those of the database.
pub async fn resolve(
    db: &Db,
    run: &Run<'_>,
    references: &mut References,
    records: &[&CategoryRecord],
    is_dry: bool,
) -> Result<()> {
    let website = run.website.id;
    let existing = db.read(async |conn| store::by_external_id(conn, website, records).await).await?;
    if records.iter().any(|record| known(&existing, record).is_some()) {
        // A category that moves takes its descendants along.
        references.forget_categories();
    }
    let mut wanted = Wanted::default();
    for record in records {
        let depth = record.path.len() - usize::from(known(&existing, record).is_some());
        wanted.path(&record.path[..depth], record.slug.as_deref().filter(|_| depth == record.path.len()));
    }
    references::actions::resolve(db, &run.website, references, wanted, is_dry).await
}

/// Writes what the rows say, or only returns what would become of them.
/// # Errors
/// User errors for rules that only the database can check, which one of the rows breaks; those of the database.
pub async fn write(
    conn: &Conn,
    run: &Run<'_>,
    references: &References,
    records: &[&CategoryRecord],
    is_dry: bool,
) -> Result<Vec<RowOutcome>> {
    let found = find(conn, run, references, records).await?;
    let mut plan = Plan::make(references, records, &found);
    if is_dry {
        return Ok(plan.outcomes);
    }
    let (rows, wanted) = plan.new_twins();
    let slugs = free_slugs(conn, Slugged::Categories, wanted).await?;
    let ids = categories::store::insert_named(conn, &rows, &slugs).await?;
    plan.add_twins(slugs, &ids.into_iter().map(|(id, slug)| (slug, id.0)).collect());
    update(conn, &plan.changed).await?;
    sources::store::upsert_seen(conn, run.website.id, run.lease.id, SourceType::Category, &plan.seen).await?;
    Ok(plan.outcomes)
}

async fn find(conn: &Conn, run: &Run<'_>, references: &References, records: &[&CategoryRecord]) -> Result<Found> {
    let by_external_id = store::by_external_id(conn, run.website.id, records).await?;
    let ids: Vec<i64> = records.iter().filter_map(|record| references.category(&record.path)).collect();
    let by_id: HashMap<i64, State> = store::by_ids(conn, run.website.id, &ids).await?;
    let slugs: Vec<String> = records.iter().filter_map(|record| record.slug.clone()).collect();
    Ok(Found { by_external_id, by_id, taken: taken(conn, Slugged::Categories, &slugs).await? })
}

async fn update(conn: &Conn, changed: &[State]) -> Result<()> {
    let changes: Vec<_> = changed.iter().map(change).collect();
    let broken = |code, field, message| UserError::new(code, field, message);
    categories::store::update_all(conn, &changes).await.map_err(|error| {
        error
            .on_constraint("categories_slug_key", || {
                broken(UserErrorCode::Taken, "slug", "another category has this slug")
            })
            .on_constraint("categories_acyclic", || {
                broken(UserErrorCode::Cycle, "path", "a category cannot be its own ancestor")
            })
            .on_constraint("categories_depth", || {
                broken(UserErrorCode::OutOfRange, "path", "the tree of categories is at most 32 deep")
            })
    })
}

fn change(state: &State) -> CategoryChange<'_> {
    let State { id, parent_id, name, slug, description, position, .. } = state;
    CategoryChange { id: *id, parent_id: *parent_id, name, slug, description, position: *position }
}
