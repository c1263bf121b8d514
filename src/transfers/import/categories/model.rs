//! Rules for categories in files, and the plan of a batch.
//! Rule: a category has one parent. A category with an external ID is moved to the path of its row; if a file has
//! several rows with the same ID, the first row sets the parent and the others are rejected.

use std::collections::{HashMap, HashSet};

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Integer, Nullable, Text},
};

use super::super::{
    super::record::{CategoryRecord, Rejection},
    model::RowOutcome,
    references::model::References,
};
use crate::text::{MAX_DESCRIPTION, Validator, check_slug, slugify};

/// The columns of a category that a file can set.
#[derive(Debug, Clone, Default, PartialEq, QueryableByName)]
pub struct CategoryState {
    /// Primary key.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// External ID at the website, if any.
    #[diesel(sql_type = Nullable<Text>)]
    pub external_id: Option<String>,
    /// Parent; none for a root category.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub parent_id: Option<i64>,
    /// Name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Slug.
    #[diesel(sql_type = Text)]
    pub slug: String,
    /// Description.
    #[diesel(sql_type = Text)]
    pub description: String,
    /// Position among its siblings; none to become the last of them.
    #[diesel(sql_type = Nullable<Integer>)]
    pub position: Option<i32>,
}

/// Existing categories for the rows of a batch.
#[derive(Debug, Default)]
pub struct ExistingCategories {
    /// By external ID.
    pub by_external_id: HashMap<String, CategoryState>,
    /// By primary key, those at the paths of the rows.
    pub by_id: HashMap<i64, CategoryState>,
    /// Requested slugs that are taken, with the ID of the category.
    pub taken: HashMap<String, i64>,
}

/// The plan for the rows of a batch.
#[derive(Debug, Default)]
pub struct Plan<'r> {
    /// The outcome of each row, in order.
    pub outcomes: Vec<RowOutcome>,
    /// New states of the existing categories that change.
    pub changed: Vec<CategoryState>,
    /// Primary keys and external IDs of the categories in the rows.
    pub seen: Vec<(i64, Option<&'r str>)>,
    /// Rows of a different category with the same name and parent as an existing one: the parent and the row.
    pub same_name: Vec<(Option<i64>, &'r CategoryRecord)>,
    /// Parents of categories with equal positions in the file, which an earlier import has separated.
    separated: HashSet<Option<i64>>,
}

/// Trims and checks a row by itself.
/// # Errors
/// The rule that the row violates.
pub fn check(record: &mut CategoryRecord) -> Result<(), Rejection> {
    let mut validator = Validator::new();
    validator.texts("path", &mut record.path, 255);
    check_slug(&mut validator, "slug", record.slug.as_mut());
    validator.multiline_texts("description", &mut record.description, MAX_DESCRIPTION);
    validator.texts("external_id", &mut record.external_id, 255);
    validator.finish().map_err(Rejection::from)?;
    if record.path.len() > 32 {
        return Err(Rejection::at("path", "the tree of categories is at most 32 deep"));
    }
    Ok(())
}

/// Returns the existing category with the external ID of the row.
pub fn find_existing<'k>(
    existing: &'k HashMap<String, CategoryState>,
    record: &CategoryRecord,
) -> Option<&'k CategoryState> {
    existing.get(record.external_id.as_ref()?)
}

/// Returns the category's name; a path is never empty.
pub fn name(record: &CategoryRecord) -> &str {
    &record.path[record.path.len() - 1]
}

impl ExistingCategories {
    /// Returns the existing category of a row: by its external ID, or else by its path.
    fn find(&self, references: &References, record: &CategoryRecord) -> Option<&CategoryState> {
        let by_path = || self.by_id.get(&references.category(&record.path)?);
        find_existing(&self.by_external_id, record).or_else(by_path)
    }
}

/// Returns the parent of a row's category; none for a root category.
fn parent(references: &References, record: &CategoryRecord) -> Option<i64> {
    match record.path.len() {
        1 => None,
        depth => references.category(&record.path[..depth - 1]),
    }
}

/// Returns the parents below which rows have equal positions, and their categories already have the order that these
/// lead to: by position and ID. Otherwise each import would give them the same position and separate them again.
fn separated(references: &References, records: &[&CategoryRecord], found: &ExistingCategories) -> HashSet<Option<i64>> {
    let mut siblings: HashMap<Option<i64>, Vec<Option<(i32, i64, i32)>>> = HashMap::new();
    for record in records {
        let (Some(position), parent) = (record.position, parent(references, record)) else { continue };
        let before = found.find(references, record).filter(|before| before.parent_id == parent);
        let place = before.and_then(|before| Some((position, before.id, before.position?)));
        siblings.entry(parent).or_default().push(place);
    }
    let is_separated = |places: Vec<Option<(i32, i64, i32)>>| {
        // A new category needs a place among the others.
        let Some(mut places) = places.into_iter().collect::<Option<Vec<_>>>() else { return false };
        places.sort_unstable();
        places.windows(2).any(|pair| pair[0].0 == pair[1].0) && places.windows(2).all(|pair| pair[0].2 < pair[1].2)
    };
    siblings.into_iter().filter_map(|(parent, places)| is_separated(places).then_some(parent)).collect()
}

impl<'r> Plan<'r> {
    /// Determines the outcome of each row.
    pub fn make(references: &References, records: &[&'r CategoryRecord], found: &'r ExistingCategories) -> Self {
        let mut plan = Self { separated: separated(references, records, found), ..Self::default() };
        let (mut taken, mut matched) = (found.taken.clone(), HashMap::new());
        for &record in records {
            let outcome = plan.decide(references, record, found, &mut taken, &mut matched);
            plan.outcomes.push(outcome.unwrap_or_else(RowOutcome::Rejected));
        }
        plan
    }

    fn decide(
        &mut self,
        references: &References,
        record: &'r CategoryRecord,
        found: &'r ExistingCategories,
        taken: &mut HashMap<String, i64>,
        matched: &mut HashMap<i64, &'r str>,
    ) -> Result<RowOutcome, Rejection> {
        let (parent_id, path_id) = (parent(references, record), references.category(&record.path));
        let before = found.find(references, record);
        let id = before.map_or_else(|| path_id.unwrap_or_default(), |before| before.id);
        let holder = matched.get(&id).copied().or_else(|| before.and_then(|before| before.external_id.as_deref()));
        if record.external_id.is_some() && holder.is_some() && holder != record.external_id.as_deref() {
            // The shop has two categories with the same name and parent.
            self.same_name.push((parent_id, record));
            return Ok(RowOutcome::Created);
        }
        if matched.contains_key(&id) {
            return Err(Rejection::at("path", "an earlier row of the file has the same category"));
        }
        if let Some(slug) = &record.slug {
            if taken.get(slug).is_some_and(|holder| *holder != id) {
                return Err(Rejection::at("slug", "another category has this slug"));
            }
            taken.insert(slug.clone(), id);
        }
        matched.insert(id, record.external_id.as_deref().unwrap_or_default());
        self.seen.push((id, record.external_id.as_deref()));
        let Some(before) = before else { return Ok(RowOutcome::Created) };
        let after = CategoryState {
            id,
            external_id: record.external_id.clone().or_else(|| before.external_id.clone()),
            parent_id,
            name: name(record).to_owned(),
            slug: record.slug.clone().unwrap_or_else(|| before.slug.clone()),
            description: record.description.clone().unwrap_or_else(|| before.description.clone()),
            position: record
                .position
                .filter(|_| !self.separated.contains(&parent_id))
                .or(before.position.filter(|_| parent_id == before.parent_id)),
        };
        let outcome = match (references.is_created(id), after == *before) {
            (true, _) => RowOutcome::Created,
            (false, true) => RowOutcome::Unchanged,
            (false, false) => RowOutcome::Updated,
        };
        if (CategoryState { external_id: before.external_id.clone(), ..after.clone() }) != *before {
            self.changed.push(after);
        }
        Ok(outcome)
    }

    /// Returns names and parents of the categories with duplicate names, and for each its preferred slug with a longer
    /// name as a fallback.
    pub fn same_name_rows(&self) -> (Vec<(Option<i64>, &'r str)>, Vec<(String, String)>) {
        let rows = self.same_name.iter().map(|(parent, record)| (*parent, name(record))).collect();
        let wanted = self.same_name.iter().map(|(_, record)| {
            let slug = record.slug.clone().unwrap_or_else(|| slugify(name(record)));
            (slug, format!("{} {}", name(record), record.external_id.as_deref().unwrap_or_default()))
        });
        (rows, wanted.collect())
    }

    /// Adds the categories with duplicate names, which were created with these slugs and IDs, to those seen and
    /// changed.
    pub fn add_same_name(&mut self, slugs: Vec<String>, ids: &HashMap<String, i64>) {
        for ((parent_id, record), slug) in self.same_name.iter().zip(slugs) {
            let id = ids.get(&slug).copied().unwrap_or_default();
            self.seen.push((id, record.external_id.as_deref()));
            self.changed.push(CategoryState {
                id,
                external_id: None,
                parent_id: *parent_id,
                name: name(record).to_owned(),
                slug,
                description: record.description.clone().unwrap_or_default(),
                position: record.position,
            });
        }
    }
}
