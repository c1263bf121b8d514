//! Categories of a batch: their paths are made like those that products name, then their own columns are compared.
//! Rule: one parent each: a category that the file names by the shop's own id moves to the path of its row; where a file has
//! several rows of one id, the first is its home and the others are refused.

use std::collections::HashMap;

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, BigInt, Integer, Nullable, Text},
};
use diesel_async::RunQueryDsl;

use super::{
    super::record::{CategoryRecord, Refused},
    Fate, Run,
    places::{Places, Wanted, free_slugs},
    store, transfer,
};
use crate::{
    db::{Conn, Db},
    error::{Error, Result, UserError, UserErrorCode},
    ids::WebsiteId,
    text::{Check, MAX_DESCRIPTION, check_slug, slugify},
};

/// A category as a file may describe it.
#[derive(Debug, Clone, Default, PartialEq, QueryableByName)]
struct State {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    external_id: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    parent_id: Option<i64>,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    slug: String,
    #[diesel(sql_type = Text)]
    description: String,
    #[diesel(sql_type = Integer)]
    position: i32,
}

/// Checks a row by itself.
/// # Errors
/// The rule that it breaks.
pub fn check(record: &CategoryRecord) -> Result<(), Refused> {
    let mut check = Check::new();
    record.path.iter().for_each(|name| check.text("path", name, 255));
    check_slug(&mut check, "slug", record.slug.as_deref());
    check.at_most("description", record.description.as_deref().unwrap_or_default(), MAX_DESCRIPTION);
    check.optional("external_id", record.external_id.as_deref(), 255);
    check.finish().map_err(super::check::refusal)?;
    if record.path.len() > 32 {
        return Err(refused("path", "the tree of categories is at most 32 deep"));
    }
    Ok(())
}

/// Learns the places of these rows: of one whose id is known, and which may move, the place above.
/// # Errors
/// Those of the database.
pub async fn learn(
    db: &Db,
    run: &Run<'_>,
    places: &mut Places,
    records: &[&CategoryRecord],
    is_dry: bool,
) -> Result<()> {
    let website = run.website.id;
    let known = db.read(async |conn| by_external_id(conn, website, records).await).await?;
    if records.iter().any(|record| of(&known, record).is_some()) {
        // What moves takes all below it along.
        places.forget_categories();
    }
    let mut wanted = Wanted::default();
    for record in records {
        let depth = record.path.len() - usize::from(of(&known, record).is_some());
        wanted.path(&record.path[..depth], record.slug.as_deref().filter(|_| depth == record.path.len()));
    }
    places.learn(db, &run.website, wanted, is_dry).await
}

fn of<'k>(known: &'k HashMap<String, State>, record: &CategoryRecord) -> Option<&'k State> {
    known.get(record.external_id.as_ref()?)
}

/// Writes what the rows say, or only tells what would become of them.
/// # Errors
/// User errors of what only the database can find, which one of the rows is to blame for; those of the database.
pub async fn write(
    conn: &Conn,
    run: &Run<'_>,
    places: &Places,
    records: &[&CategoryRecord],
    is_dry: bool,
) -> Result<Vec<Fate>> {
    let known = by_external_id(conn, run.website.id, records).await?;
    let ids: Vec<i64> = records.iter().filter_map(|record| places.category(&record.path)).collect();
    let by_id = by_ids(conn, run.website.id, &ids).await?;
    let slugs: Vec<String> = records.iter().filter_map(|record| record.slug.clone()).collect();
    let mut taken = store::taken(conn, store::Slugged::Categories, &slugs).await?;
    let (mut met, mut changed, mut seen, mut fates) = (HashMap::new(), Vec::new(), Vec::new(), Vec::new());
    let mut twins = Vec::new();
    for record in records {
        let parent = match record.path.len() {
            1 => None,
            depth => places.category(&record.path[..depth - 1]),
        };
        let path_id = places.category(&record.path);
        let before = of(&known, record).or_else(|| by_id.get(&path_id?));
        let id = before.map_or_else(|| path_id.unwrap_or_default(), |before| before.id);
        let holder = met.get(&id).copied().or_else(|| before.and_then(|before| before.external_id.as_deref()));
        if record.external_id.is_some() && holder.is_some() && holder != record.external_id.as_deref() {
            // The shop tells two of one name and place apart.
            twins.push((parent, *record));
            fates.push(Fate::Created);
            continue;
        }
        if met.insert(id, record.external_id.as_deref().unwrap_or_default()).is_some() {
            fates.push(Fate::Refused(refused("path", "an earlier row of the file is the same category")));
            continue;
        }
        if let Some(slug) = &record.slug
            && taken.insert(slug.clone(), id).is_some_and(|holder| holder != id)
        {
            fates.push(Fate::Refused(refused("slug", "another category has this slug")));
            continue;
        }
        seen.push((id, record.external_id.as_deref()));
        let Some(before) = before else {
            fates.push(Fate::Created);
            continue;
        };
        let after = State {
            id,
            external_id: record.external_id.clone().or_else(|| before.external_id.clone()),
            parent_id: parent,
            name: name(record).clone(),
            slug: record.slug.clone().unwrap_or_else(|| before.slug.clone()),
            description: record.description.clone().unwrap_or_else(|| before.description.clone()),
            position: record.position.unwrap_or(before.position),
        };
        fates.push(match (places.is_made(id), after == *before) {
            (true, _) => Fate::Created,
            (false, true) => Fate::Unchanged,
            (false, false) => Fate::Updated,
        });
        if (State { external_id: before.external_id.clone(), ..after.clone() }) != *before {
            changed.push(after);
        }
    }
    if !is_dry {
        let rows: Vec<_> = twins.iter().map(|(parent, record)| (*parent, name(record).as_str())).collect();
        let wanted = twins.iter().map(|(_, record)| {
            let slug = record.slug.clone().unwrap_or_else(|| slugify(name(record)));
            (slug, format!("{} {}", name(record), record.external_id.as_deref().unwrap_or_default()))
        });
        let slugs = free_slugs(conn, store::Slugged::Categories, wanted.collect()).await?;
        let made = store::insert_categories(conn, &rows, &slugs).await?;
        for ((parent_id, record), slug) in twins.iter().zip(slugs) {
            let id = made.get(&slug).copied().unwrap_or_default();
            seen.push((id, record.external_id.as_deref()));
            let (description, position) =
                (record.description.clone().unwrap_or_default(), record.position.unwrap_or(0));
            changed.push(State {
                id,
                external_id: None,
                parent_id: *parent_id,
                name: name(record).clone(),
                slug,
                description,
                position,
            });
        }
        update(conn, &changed).await?;
        transfer::see(conn, run, "Category", &seen).await?;
    }
    Ok(fates)
}

const COLUMNS: &str =
    "SELECT c.id, s.external_id, c.parent_id, c.name, c.slug, c.description, c.position FROM categories c";

async fn by_external_id(
    mut conn: &Conn,
    website: WebsiteId,
    records: &[&CategoryRecord],
) -> Result<HashMap<String, State>> {
    let query = sql_query(format!(
        "{COLUMNS} JOIN sources s ON s.noun = 'Category' AND s.noun_id = c.id
         WHERE s.website_id = $1 AND s.external_id = ANY ($2)"
    ));
    let ids: Vec<&str> = records.iter().filter_map(|record| record.external_id.as_deref()).collect();
    let rows: Vec<State> = query.bind::<BigInt, _>(website).bind::<Array<Text>, _>(ids).load(&mut conn).await?;
    Ok(rows.into_iter().filter_map(|row| Some((row.external_id.clone()?, row))).collect())
}

async fn by_ids(mut conn: &Conn, website: WebsiteId, ids: &[i64]) -> Result<HashMap<i64, State>> {
    let query = sql_query(format!(
        "{COLUMNS} LEFT JOIN sources s ON s.noun = 'Category' AND s.noun_id = c.id AND s.website_id = $1
         WHERE c.id = ANY ($2)"
    ));
    let rows: Vec<State> = query.bind::<BigInt, _>(website).bind::<Array<BigInt>, _>(ids).load(&mut conn).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

async fn update(mut conn: &Conn, changed: &[State]) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    macro_rules! all {
        ($of:expr) => {
            changed.iter().map($of).collect::<Vec<_>>()
        };
    }
    let query = sql_query(
        "UPDATE categories c SET parent_id = r.parent_id, name = r.name, slug = r.slug, description = r.description,
                position = r.position
         FROM unnest($1, $2, $3, $4, $5, $6) AS r (id, parent_id, name, slug, description, position) WHERE c.id = r.id",
    );
    let done = query
        .bind::<Array<BigInt>, _>(all!(|s| s.id))
        .bind::<Array<Nullable<BigInt>>, _>(all!(|s| s.parent_id))
        .bind::<Array<Text>, _>(all!(|s| s.name.as_str()))
        .bind::<Array<Text>, _>(all!(|s| s.slug.as_str()))
        .bind::<Array<Text>, _>(all!(|s| s.description.as_str()))
        .bind::<Array<Integer>, _>(all!(|s| s.position))
        .execute(&mut conn)
        .await;
    let broken = |code, field, message| UserError::new(code, field, message);
    done.map_err(|error| {
        Error::from(error)
            .on_constraint("categories_slug_key", || {
                broken(UserErrorCode::Taken, "slug", "another category has this slug")
            })
            .on_constraint("categories_acyclic", || {
                broken(UserErrorCode::Cycle, "path", "a category cannot be its own ancestor")
            })
            .on_constraint("categories_depth", || {
                broken(UserErrorCode::OutOfRange, "path", "the tree of categories is at most 32 deep")
            })
    })?;
    Ok(())
}

/// Its own name, which the reader has seen to.
fn name(record: &CategoryRecord) -> &String {
    &record.path[record.path.len() - 1]
}

fn refused(column: &str, message: &str) -> Refused {
    Refused { column: Some(column.to_owned()), message: message.to_owned() }
}
