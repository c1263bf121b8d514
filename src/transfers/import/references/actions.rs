//! Resolves the references of the rows of a batch.
//! Rule: missing entities are created before the batch in a separate transaction, so that a failed batch does not
//! invalidate the cached references. A dry run creates nothing.

use std::collections::{BTreeMap, HashMap};

use super::{
    model::{Group, References, UnresolvedReferences, slug_with_fingerprint},
    store,
};
use crate::{
    audit, brands, categories,
    db::{Conn, Db},
    error::{Error, Result},
    groups, suppliers,
    text::slugify,
    websites::model::WebsiteRow,
};

/// Resolves references; creates missing entities unless this is a dry run.
/// # Errors
/// Database errors.
pub async fn resolve(
    db: &Db,
    website: &WebsiteRow,
    references: &mut References,
    mut wanted: UnresolvedReferences<'_>,
    is_dry_run: bool,
) -> Result<()> {
    wanted.categories.retain(|path, _| !references.categories.contains_key(*path));
    wanted.brands.retain(|name| !references.brands.contains_key(*name));
    wanted.suppliers.retain(|name| !references.suppliers.contains_key(*name));
    wanted.groups.retain(|slug, _| !references.groups.contains_key(*slug));
    if wanted.is_empty() {
        return Ok(());
    }
    let (wanted, known) = (&wanted, &*references);
    let resolved = db.transaction(async |conn| find_or_insert(conn, website, wanted, known, is_dry_run).await).await?;
    references.last_placeholder = resolved.last_placeholder;
    references.created.extend(resolved.created);
    references.categories.extend(resolved.categories);
    references.brands.extend(resolved.brands);
    references.suppliers.extend(resolved.suppliers);
    references.groups.extend(resolved.groups);
    Ok(())
}

async fn find_or_insert(
    conn: &Conn,
    website: &WebsiteRow,
    wanted: &UnresolvedReferences<'_>,
    known: &References,
    is_dry_run: bool,
) -> Result<References> {
    audit::store::suppress(conn).await?;
    let mut references = References { last_placeholder: known.last_placeholder, ..References::default() };
    resolve_categories(conn, &wanted.categories, known, is_dry_run, &mut references).await?;
    for (table, names) in
        [(store::NamedTable::Brands, &wanted.brands), (store::NamedTable::Suppliers, &wanted.suppliers)]
    {
        let names: Vec<&str> = names.iter().copied().collect();
        let mut found = store::find_named(conn, table, &names).await?;
        let new: Vec<&str> = names.into_iter().filter(|name| !found.contains_key(*name)).collect();
        if is_dry_run {
            found.extend(new.iter().map(|name| ((*name).to_owned(), references.next_placeholder())));
        } else if !new.is_empty() {
            found.extend(insert_named(conn, table, &new).await.map_err(retry_on_conflict)?);
        }
        match table {
            store::NamedTable::Brands => references.brands = found,
            store::NamedTable::Suppliers => references.suppliers = found,
        }
    }
    resolve_groups(conn, website, wanted, is_dry_run, &mut references).await?;
    Ok(references)
}

/// Inserts brands or suppliers; suppliers have no slugs.
async fn insert_named(conn: &Conn, table: store::NamedTable, names: &[&str]) -> Result<HashMap<String, i64>> {
    let slugs = available_slugs(
        conn,
        store::SluggedTable::Brands,
        names.iter().map(|name| (slugify(name), (*name).to_owned())).collect(),
    )
    .await?;
    Ok(match table {
        store::NamedTable::Brands => {
            let inserted = brands::store::insert_named(conn, names, &slugs).await?;
            inserted.into_iter().map(|(id, name)| (name, id.0)).collect()
        }
        store::NamedTable::Suppliers => {
            let inserted = suppliers::store::insert_named(conn, names).await?;
            inserted.into_iter().map(|(id, name)| (name, id.0)).collect()
        }
    })
}

/// Resolves groups. If another website has a group with the slug, the website's code is appended.
async fn resolve_groups(
    conn: &Conn,
    website: &WebsiteRow,
    wanted: &UnresolvedReferences<'_>,
    is_dry_run: bool,
    references: &mut References,
) -> Result<()> {
    let own = |slug: &str| slugify(&format!("{slug} {}", website.code));
    let slugs: Vec<String> = wanted.groups.keys().flat_map(|slug| [(*slug).to_owned(), own(slug)]).collect();
    let mut found = store::find_groups(conn, &slugs).await?;
    for (slug, (name, varies_by)) in &wanted.groups {
        let is_taken = found.get(*slug).is_some_and(|group| group.website != website.id.0);
        let at = if is_taken { own(slug) } else { (*slug).to_owned() };
        let group = match found.remove(&at) {
            Some(group) => group,
            None => {
                let id = match is_dry_run {
                    true => references.next_placeholder(),
                    false => {
                        groups::store::insert_named(conn, website.id, &at, name, varies_by)
                            .await
                            .map_err(retry_on_conflict)?
                            .0
                    }
                };
                let varies_by = varies_by.iter().map(|name| (*name).to_owned()).collect();
                Group { id, website: website.id.0, name: (*name).to_owned(), varies_by }
            }
        };
        references.groups.insert((*slug).to_owned(), group);
    }
    Ok(())
}

/// Resolves categories level by level from the roots, with at most a few statements per level.
async fn resolve_categories(
    conn: &Conn,
    paths: &BTreeMap<&[String], Option<&str>>,
    known: &References,
    is_dry_run: bool,
    references: &mut References,
) -> Result<()> {
    let deepest = paths.keys().map(|path| path.len()).max().unwrap_or_default();
    for depth in 1..=deepest {
        let level = paths.keys().copied().filter(|path| path.len() == depth);
        // All prefixes of a path are requested with it, so the parent is known by now.
        let parent =
            |path: &[String]| references.category(&path[..depth - 1]).or_else(|| known.category(&path[..depth - 1]));
        let level_paths: Vec<(Option<i64>, &[String])> = level.map(|path| (parent(path), path)).collect();
        let found = store::find_children(
            conn,
            &level_paths.iter().map(|(parent, path)| (*parent, path[depth - 1].as_str())).collect::<Vec<_>>(),
        )
        .await?;
        let (mut new, mut names) = (Vec::new(), Vec::new());
        for (parent, path) in level_paths {
            let name = &path[depth - 1];
            match found.get(&(parent.unwrap_or_default(), name.clone())) {
                Some(id) => drop(references.categories.insert(path.to_vec(), *id)),
                None if is_dry_run => {
                    let id = references.next_placeholder();
                    references.created.insert(id);
                    references.categories.insert(path.to_vec(), id);
                }
                None => {
                    let slug = paths.get(path).copied().flatten();
                    names.push((slug.map_or_else(|| slugify(name), str::to_owned), path.join(" ")));
                    new.push((parent, path));
                }
            }
        }
        if new.is_empty() {
            continue;
        }
        let slugs = available_slugs(conn, store::SluggedTable::Categories, names).await?;
        let rows: Vec<(Option<i64>, &str)> =
            new.iter().map(|(parent, path)| (*parent, path[depth - 1].as_str())).collect();
        let made = categories::store::insert_named(conn, &rows, &slugs).await.map_err(retry_on_conflict)?;
        let made: HashMap<String, i64> = made.into_iter().map(|(id, slug)| (slug, id.0)).collect();
        for ((_, path), slug) in new.iter().zip(&slugs) {
            let id = made.get(slug).ok_or_else(|| Error::Internal("a category was not created".into()))?;
            references.categories.insert(path.to_vec(), *id);
            references.created.insert(*id);
        }
    }
    Ok(())
}

/// Returns a free slug for each entry: the preferred one, else that of the longer name, else the latter with a
/// fingerprint.
/// # Errors
/// Database errors.
pub async fn available_slugs(
    conn: &Conn,
    table: store::SluggedTable,
    wanted: Vec<(String, String)>,
) -> Result<Vec<String>> {
    let all: Vec<String> = wanted.iter().flat_map(|(slug, name)| [slug.clone(), slugify(name)]).collect();
    let mut taken = store::find_taken_slugs(conn, table, &all).await?;
    let mut slugs = Vec::with_capacity(wanted.len());
    for (slug, name) in wanted {
        let longer = slugify(&name);
        let slug = [slug, longer.clone()].into_iter().find(|slug| !taken.contains_key(slug));
        let slug = slug.unwrap_or_else(|| slug_with_fingerprint(&longer, &name));
        taken.insert(slug.clone(), 0);
        slugs.push(slug);
    }
    Ok(slugs)
}

/// Retries after a conflict with a concurrent insert, whose row is found the next time.
fn retry_on_conflict(error: Error) -> Error {
    match error {
        Error::Constraint { name, .. } if name.ends_with("_key") => {
            Error::Retry(format!("{name}: created concurrently"))
        }
        other => other,
    }
}
