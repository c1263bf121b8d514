//! Groups whose name or option names have changed in the file.
//! Rule: a row shows a new name only if its product is in the group already and has the same values. Any other
//! difference between a row and its group rejects the row.

use std::collections::BTreeMap;

use super::{
    super::{
        super::record::{GroupRecord, ProductRecord},
        model::Run,
        references::model::{Group, References},
    },
    model::plan::ExistingProducts,
    store,
};
use crate::{
    db::{Conn, Db},
    error::Result,
    groups::{self, model::ProductGroupPatch},
    ids::ProductGroupId,
};

/// New names of a group.
#[derive(Debug)]
pub struct Rename {
    /// Slug of the group in the file.
    pub slug: String,
    /// Primary key.
    id: i64,
    /// New name.
    pub name: String,
    /// New names of the options.
    pub options: Vec<String>,
    /// Indexes of the rows that show the new names.
    pub rows: Vec<usize>,
}

/// Returns the renamed groups of a batch. The first row of a group decides.
/// # Errors
/// Database errors.
pub async fn find(
    conn: &Conn,
    run: &Run<'_>,
    references: &References,
    records: &[&ProductRecord],
) -> Result<Vec<Rename>> {
    let differs = |record: &&ProductRecord| new_names(run, references, record).is_some();
    let differing: Vec<&ProductRecord> = records.iter().copied().filter(differs).collect();
    if differing.is_empty() {
        return Ok(Vec::new());
    }
    let existing = ExistingProducts::new(store::find(conn, run.website.id, &differing).await?);
    let mut renames: BTreeMap<&str, Rename> = BTreeMap::new();
    for (row, record) in records.iter().enumerate() {
        let Some((group, name, options)) = new_names(run, references, record) else { continue };
        let Some(known) = existing.find(run, record) else { continue };
        let Some(given) = record.group.iter().flatten().next() else { continue };
        if known.group_id != Some(group.id) || !given.options.iter().map(|(_, value)| value).eq(&known.option_values) {
            continue;
        }
        let (slug, id) = (given.slug.clone(), group.id);
        let first = renames.entry(&given.slug).or_insert(Rename { slug, id, name, options, rows: Vec::new() });
        if first.options.iter().eq(given.options.iter().map(|(name, _)| name)) {
            first.rows.push(row);
        }
    }
    Ok(renames.into_values().collect())
}

/// Renames groups.
/// # Errors
/// Database errors.
pub async fn apply(db: &Db, renames: &[Rename]) -> Result<()> {
    if renames.is_empty() {
        return Ok(());
    }
    db.transaction(async |conn| {
        crate::audit::store::suppress(conn).await?;
        for rename in renames {
            let (name, options) = (rename.name.clone(), rename.options.clone());
            let patch =
                ProductGroupPatch { name: Some(name), varies_by: Some(options), ..ProductGroupPatch::default() };
            groups::store::update(conn, ProductGroupId(rename.id), &patch).await?;
        }
        Ok(())
    })
    .await
}

/// Returns the group of a row with the names that the row gives it, if they differ in a way that can be a new name.
fn new_names<'g>(
    run: &Run<'_>,
    references: &'g References,
    record: &ProductRecord,
) -> Option<(&'g Group, String, Vec<String>)> {
    let given: &GroupRecord = record.group.as_ref()?.as_ref()?;
    let group = references.group(&given.slug).filter(|group| group.website == run.website.id.0 && group.id > 0)?;
    let options: Vec<String> = given.options.iter().map(|(name, _)| name.clone()).collect();
    // A file without names of groups has their slugs instead.
    let name = if given.name == given.slug { &group.name } else { &given.name };
    if options == group.varies_by && *name == group.name {
        return None;
    }
    // An option at another place is another option, not a renamed one.
    let keeps_place = |(at, option): (usize, &String)| {
        group.varies_by.iter().position(|name| name == option).is_none_or(|place| place == at)
    };
    let is_renamed = options.len() == group.varies_by.len() && options.iter().enumerate().all(keeps_place);
    is_renamed.then(|| (group, name.clone(), options))
}
