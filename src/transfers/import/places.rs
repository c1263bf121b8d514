//! What the rows of a batch name and products refer to: categories by their paths, brands and suppliers by name, groups by
//! slug.
//! Rule: what is missing is made, before and apart from the batch, so that a batch that fails takes nothing back that the
//! run remembers. A dry run makes nothing and gives it a key below 0.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::{super::record::ProductRecord, store};
use crate::{
    audit,
    db::{Conn, Db},
    error::{Error, Result},
    text::slugify,
    websites::model::WebsiteRow,
};

/// A path of names.
pub type Path = Vec<String>;

/// What the run has found or made so far.
#[derive(Debug, Clone, Default)]
pub struct Places {
    categories: HashMap<Path, i64>,
    brands: HashMap<String, i64>,
    suppliers: HashMap<String, i64>,
    groups: HashMap<String, Group>,
    /// Categories that the run has made.
    made: HashSet<i64>,
    /// Keys that a dry run has given.
    invented: i64,
}

/// A group as products see it.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its key.
    pub id: i64,
    /// The website that it belongs to.
    pub website: i64,
    /// The names of its options.
    pub varies_by: Vec<String>,
}

/// What rows name.
#[derive(Debug, Default)]
pub struct Wanted<'r> {
    /// Paths, and the slug that a row asks for.
    categories: BTreeMap<&'r [String], Option<&'r str>>,
    brands: BTreeSet<&'r str>,
    suppliers: BTreeSet<&'r str>,
    groups: HashMap<&'r str, (&'r str, Vec<&'r str>)>,
}

impl<'r> Wanted<'r> {
    /// What products name.
    pub fn of_products(records: &[&'r ProductRecord]) -> Self {
        let mut wanted = Self::default();
        for record in records {
            if let Some(Some(path)) = &record.category {
                wanted.path(path, None);
            }
            wanted.brands.extend(record.brand.iter().flatten().map(String::as_str));
            wanted.suppliers.extend(record.supplier.iter().flatten().map(String::as_str));
            for group in record.group.iter().flatten() {
                let names = || group.options.iter().map(|(name, _)| name.as_str()).collect();
                wanted.groups.entry(&group.slug).or_insert_with(|| (&group.name, names()));
            }
        }
        wanted
    }

    /// A path and all that it begins with.
    pub fn path(&mut self, path: &'r [String], slug: Option<&'r str>) {
        for depth in 1..=path.len() {
            self.categories.entry(&path[..depth]).or_default();
        }
        if slug.is_some() {
            self.categories.insert(path, slug);
        }
    }

    fn is_empty(&self) -> bool {
        self.categories.is_empty() && self.brands.is_empty() && self.suppliers.is_empty() && self.groups.is_empty()
    }
}

impl Places {
    /// The category of a path, which was learnt.
    pub fn category(&self, path: &[String]) -> Option<i64> {
        self.categories.get(path).copied()
    }

    /// The brand of a name, which was learnt.
    pub fn brand(&self, name: &str) -> Option<i64> {
        self.brands.get(name).copied()
    }

    /// The supplier of a name, which was learnt.
    pub fn supplier(&self, name: &str) -> Option<i64> {
        self.suppliers.get(name).copied()
    }

    /// The group of a slug, which was learnt.
    pub fn group(&self, slug: &str) -> Option<&Group> {
        self.groups.get(slug)
    }

    /// Whether this run has made the category, for a path that went through it.
    pub fn is_made(&self, category: i64) -> bool {
        self.made.contains(&category)
    }

    /// Forgets the paths: categories are about to move.
    pub fn forget_categories(&mut self) {
        self.categories.clear();
    }

    /// Learns what rows name, and makes what is missing unless this is a dry run.
    /// # Errors
    /// Those of the database.
    pub async fn learn(
        &mut self,
        db: &Db,
        website: &WebsiteRow,
        mut wanted: Wanted<'_>,
        is_dry_run: bool,
    ) -> Result<()> {
        wanted.categories.retain(|path, _| !self.categories.contains_key(*path));
        wanted.brands.retain(|name| !self.brands.contains_key(*name));
        wanted.suppliers.retain(|name| !self.suppliers.contains_key(*name));
        wanted.groups.retain(|slug, _| !self.groups.contains_key(*slug));
        if wanted.is_empty() {
            return Ok(());
        }
        let (wanted, known) = (&wanted, &*self);
        let learnt = db.transaction(async |conn| find_or_make(conn, website, wanted, known, is_dry_run).await).await?;
        self.invented = learnt.invented;
        self.made.extend(learnt.made);
        self.categories.extend(learnt.categories);
        self.brands.extend(learnt.brands);
        self.suppliers.extend(learnt.suppliers);
        self.groups.extend(learnt.groups);
        Ok(())
    }

    /// How many keys stand for what is missing.
    pub fn invented(&self) -> i64 {
        -self.invented
    }

    /// The next key of a dry run.
    fn invent(&mut self) -> i64 {
        self.invented -= 1;
        self.invented
    }
}

async fn find_or_make(
    conn: &Conn,
    website: &WebsiteRow,
    wanted: &Wanted<'_>,
    known: &Places,
    is_dry_run: bool,
) -> Result<Places> {
    audit::store::silence(conn).await?;
    let mut places = Places { invented: known.invented, ..Places::default() };
    categories(conn, &wanted.categories, known, is_dry_run, &mut places).await?;
    for (table, names) in [(store::Named::Brands, &wanted.brands), (store::Named::Suppliers, &wanted.suppliers)] {
        let names: Vec<&str> = names.iter().copied().collect();
        let mut found = store::find_named(conn, table, &names).await?;
        let new: Vec<&str> = names.into_iter().filter(|name| !found.contains_key(*name)).collect();
        if is_dry_run {
            found.extend(new.iter().map(|name| ((*name).to_owned(), places.invent())));
        } else if !new.is_empty() {
            let slugs = free_slugs(
                conn,
                store::Slugged::Brands,
                new.iter().map(|name| (slugify(name), (*name).to_owned())).collect(),
            )
            .await?;
            found.extend(store::insert_named(conn, table, &new, &slugs).await.map_err(again)?);
        }
        match table {
            store::Named::Brands => places.brands = found,
            store::Named::Suppliers => places.suppliers = found,
        }
    }
    groups(conn, website, wanted, is_dry_run, &mut places).await?;
    Ok(places)
}

/// Where another website has a group of the slug, the one here has the website's code behind it.
async fn groups(
    conn: &Conn,
    website: &WebsiteRow,
    wanted: &Wanted<'_>,
    is_dry_run: bool,
    places: &mut Places,
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
                    true => places.invent(),
                    false => store::insert_group(conn, website.id, &at, name, varies_by).await.map_err(again)?,
                };
                let varies_by = varies_by.iter().map(|name| (*name).to_owned()).collect();
                Group { id, website: website.id.0, varies_by }
            }
        };
        places.groups.insert((*slug).to_owned(), group);
    }
    Ok(())
}

/// Level by level from the roots, a statement or two for each.
async fn categories(
    conn: &Conn,
    paths: &BTreeMap<&[String], Option<&str>>,
    known: &Places,
    is_dry_run: bool,
    places: &mut Places,
) -> Result<()> {
    let deepest = paths.keys().map(|path| path.len()).max().unwrap_or_default();
    for depth in 1..=deepest {
        let level = paths.keys().copied().filter(|path| path.len() == depth);
        // Every beginning of a path is asked for with it, and so is known by now.
        let parent =
            |path: &[String]| places.category(&path[..depth - 1]).or_else(|| known.category(&path[..depth - 1]));
        let places_of: Vec<(Option<i64>, &[String])> = level.map(|path| (parent(path), path)).collect();
        let found = store::find_children(
            conn,
            &places_of.iter().map(|(parent, path)| (*parent, path[depth - 1].as_str())).collect::<Vec<_>>(),
        )
        .await?;
        let (mut new, mut names) = (Vec::new(), Vec::new());
        for (parent, path) in places_of {
            let name = &path[depth - 1];
            match found.get(&(parent.unwrap_or_default(), name.clone())) {
                Some(id) => drop(places.categories.insert(path.to_vec(), *id)),
                None if is_dry_run => {
                    let id = places.invent();
                    places.made.insert(id);
                    places.categories.insert(path.to_vec(), id);
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
        let slugs = free_slugs(conn, store::Slugged::Categories, names).await?;
        let rows: Vec<(Option<i64>, &str)> =
            new.iter().map(|(parent, path)| (*parent, path[depth - 1].as_str())).collect();
        let made = store::insert_categories(conn, &rows, &slugs).await.map_err(again)?;
        for ((_, path), slug) in new.iter().zip(&slugs) {
            let id = made.get(slug).ok_or_else(|| Error::Internal("a category was not made".into()))?;
            places.categories.insert(path.to_vec(), *id);
            places.made.insert(*id);
        }
    }
    Ok(())
}

/// A slug for each: the first choice, where it is taken that of the longer name, or else with a fingerprint of it.
/// # Errors
/// Those of the database.
pub async fn free_slugs(conn: &Conn, table: store::Slugged, wanted: Vec<(String, String)>) -> Result<Vec<String>> {
    let all: Vec<String> = wanted.iter().flat_map(|(slug, name)| [slug.clone(), slugify(name)]).collect();
    let mut taken = store::taken(conn, table, &all).await?;
    let mut slugs = Vec::with_capacity(wanted.len());
    for (slug, name) in wanted {
        let longer = slugify(&name);
        let slug = [slug, longer.clone()].into_iter().find(|slug| !taken.contains_key(slug));
        let slug = slug.unwrap_or_else(|| fingerprinted(&longer, &name));
        taken.insert(slug.clone(), 0);
        slugs.push(slug);
    }
    Ok(slugs)
}

/// A slug that tells names apart which make the same one.
pub fn fingerprinted(slug: &str, name: &str) -> String {
    let print = hex::encode(&Sha256::digest(name)[..6]);
    let begin: String = slug.chars().take(180).collect();
    slugify(&format!("{begin} {print}"))
}

/// What somebody else made at this moment is found the next time.
fn again(error: Error) -> Error {
    match error {
        Error::Constraint { name, .. } if name.ends_with("_key") => Error::Retry(format!("{name}: made meanwhile")),
        other => other,
    }
}
