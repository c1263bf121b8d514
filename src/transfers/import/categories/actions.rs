//! Plans and writes the categories of a batch.
//! Rule: the paths are created like those of products; then the other columns of the categories are compared.

use std::collections::HashMap;

use super::{
    super::{
        super::record::CategoryRecord,
        model::{RowOutcome, Run},
        references::{
            self,
            actions::available_slugs,
            model::{References, UnresolvedReferences},
            store::{SluggedTable, find_taken_slugs},
        },
    },
    model::{CategoryState, ExistingCategories, Plan, find_existing},
    store,
};
use crate::{
    categories::{self, model::ImportedCategory},
    db::{Conn, Db},
    error::{Result, UserError, UserErrorCode},
    sources::{self, model::SourceType},
};

/// Resolves the paths of these rows; only the parent's path if the category exists, since it may be moved.
/// # Errors
/// Database errors.
pub async fn resolve(
    db: &Db,
    run: &Run<'_>,
    references: &mut References,
    records: &[&CategoryRecord],
    is_dry_run: bool,
) -> Result<()> {
    let website = run.website.id;
    let existing = db.read(async |conn| store::by_external_id(conn, website, records).await).await?;
    if records.iter().any(|record| find_existing(&existing, record).is_some()) {
        // Moving a category also moves its descendants.
        references.forget_categories();
    }
    let mut wanted = UnresolvedReferences::default();
    for record in records {
        let depth = record.path.len() - usize::from(find_existing(&existing, record).is_some());
        wanted.add_path(&record.path[..depth], record.slug.as_deref().filter(|_| depth == record.path.len()));
    }
    references::actions::resolve(db, &run.website, references, wanted, is_dry_run).await
}

/// Writes the rows; a dry run only returns their outcomes.
/// # Errors
/// User errors for rules that only the database checks and that one of the rows violates; database errors.
pub async fn write(
    conn: &Conn,
    run: &Run<'_>,
    references: &References,
    records: &[&CategoryRecord],
    is_dry_run: bool,
) -> Result<Vec<RowOutcome>> {
    let found = find(conn, run, references, records).await?;
    let mut plan = Plan::make(references, records, &found);
    if is_dry_run {
        return Ok(plan.outcomes);
    }
    let (rows, wanted) = plan.same_name_rows();
    let slugs = available_slugs(conn, SluggedTable::Categories, wanted).await?;
    let ids = categories::store::insert_named(conn, &rows, &slugs).await?;
    plan.add_same_name(slugs, &ids.into_iter().map(|(id, slug)| (slug, id.0)).collect());
    update(conn, &plan.changed).await?;
    sources::store::upsert_seen(conn, run.website.id, run.lease.id, SourceType::Category, &plan.seen).await?;
    Ok(plan.outcomes)
}

async fn find(
    conn: &Conn,
    run: &Run<'_>,
    references: &References,
    records: &[&CategoryRecord],
) -> Result<ExistingCategories> {
    let by_external_id = store::by_external_id(conn, run.website.id, records).await?;
    let ids: Vec<i64> = records.iter().filter_map(|record| references.category(&record.path)).collect();
    let by_id: HashMap<i64, CategoryState> = store::by_ids(conn, run.website.id, &ids).await?;
    let slugs: Vec<String> = records.iter().filter_map(|record| record.slug.clone()).collect();
    Ok(ExistingCategories {
        by_external_id,
        by_id,
        taken: find_taken_slugs(conn, SluggedTable::Categories, &slugs).await?,
    })
}

async fn update(conn: &Conn, changed: &[CategoryState]) -> Result<()> {
    let changes: Vec<_> = changed.iter().map(change).collect();
    let user_error = |code, field, message| UserError::new(code, field, message);
    categories::store::update_imported(conn, &changes).await.map_err(|error| {
        error
            .on_constraint("categories_slug_key", || {
                user_error(UserErrorCode::Taken, "slug", "another category has this slug")
            })
            .on_constraint("categories_acyclic", || {
                user_error(UserErrorCode::Cycle, "path", "a category cannot be its own ancestor")
            })
            .on_constraint("categories_depth", || {
                user_error(UserErrorCode::OutOfRange, "path", "the tree of categories is at most 32 deep")
            })
    })
}

fn change(state: &CategoryState) -> ImportedCategory<'_> {
    let CategoryState { id, parent_id, name, slug, description, position, .. } = state;
    ImportedCategory { id: *id, parent_id: *parent_id, name, slug, description, position: *position }
}
