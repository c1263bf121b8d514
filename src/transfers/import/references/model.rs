//! References of products and categories in files: categories by path, brands and suppliers by name, groups by slug.
//! Rule: in a dry run, which creates nothing, a missing entity has a negative placeholder as its key.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::super::{fingerprint::fingerprint, record::ProductRecord};
use crate::text::slugify;

/// Names of a category and its ancestors, from the root down.
pub type CategoryPath = Vec<String>;

/// References that the run has resolved so far.
#[derive(Debug, Clone, Default)]
pub struct References {
    pub(super) categories: HashMap<CategoryPath, i64>,
    pub(super) brands: HashMap<String, i64>,
    pub(super) suppliers: HashMap<String, i64>,
    pub(super) groups: HashMap<String, Group>,
    /// Categories created by the run.
    pub(super) created: HashSet<i64>,
    /// The last placeholder; counts down from 0.
    pub(super) last_placeholder: i64,
}

/// A product group.
#[derive(Debug, Clone)]
pub struct Group {
    /// Primary key.
    pub id: i64,
    /// The website that it belongs to.
    pub website: i64,
    /// Display name.
    pub name: String,
    /// Names of its options.
    pub varies_by: Vec<String>,
}

/// References to resolve.
#[derive(Debug, Default)]
pub struct UnresolvedReferences<'r> {
    /// Category paths, with the slug requested by a row.
    pub(super) categories: BTreeMap<&'r [String], Option<&'r str>>,
    pub(super) brands: BTreeSet<&'r str>,
    pub(super) suppliers: BTreeSet<&'r str>,
    pub(super) groups: HashMap<&'r str, (&'r str, Vec<&'r str>)>,
}

impl<'r> UnresolvedReferences<'r> {
    /// Collects the references of products.
    pub fn of_products(records: &[&'r ProductRecord]) -> Self {
        let mut wanted = Self::default();
        for record in records {
            if let Some(Some(path)) = &record.category {
                wanted.add_path(path, None);
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

    /// Adds a path with all of its prefixes.
    pub fn add_path(&mut self, path: &'r [String], slug: Option<&'r str>) {
        for depth in 1..=path.len() {
            self.categories.entry(&path[..depth]).or_default();
        }
        if slug.is_some() {
            self.categories.insert(path, slug);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.categories.is_empty() && self.brands.is_empty() && self.suppliers.is_empty() && self.groups.is_empty()
    }
}

impl References {
    /// Returns the category with this path, if it is resolved.
    pub fn category(&self, path: &[String]) -> Option<i64> {
        self.categories.get(path).copied()
    }

    /// Returns the brand with this name, if it is resolved.
    pub fn brand(&self, name: &str) -> Option<i64> {
        self.brands.get(name).copied()
    }

    /// Returns the supplier with this name, if it is resolved.
    pub fn supplier(&self, name: &str) -> Option<i64> {
        self.suppliers.get(name).copied()
    }

    /// Returns the group with this slug, if it is resolved.
    pub fn group(&self, slug: &str) -> Option<&Group> {
        self.groups.get(slug)
    }

    /// Returns the column and the name of a product's category, brand or supplier that does not exist; none if all do.
    pub fn find_missing(&self, record: &ProductRecord) -> Option<(&'static str, String)> {
        let exists = |id: Option<i64>| id.is_some_and(|id| id > 0);
        let category = record.category.iter().flatten().find(|path| !exists(self.category(path)));
        let brand = record.brand.iter().flatten().find(|name| !exists(self.brand(name)));
        let supplier = record.supplier.iter().flatten().find(|name| !exists(self.supplier(name)));
        let category = category.map(|path| ("category", path.join(" > ")));
        let brand = brand.map(|name| ("brand", name.clone()));
        category.or(brand).or_else(|| supplier.map(|name| ("supplier", name.clone())))
    }

    /// Sets new names of a group.
    pub fn rename_group(&mut self, slug: &str, name: &str, options: &[String]) {
        if let Some(group) = self.groups.get_mut(slug) {
            group.name = name.to_owned();
            group.varies_by = options.to_vec();
        }
    }

    /// Returns whether this run created the category.
    pub fn is_created(&self, category: i64) -> bool {
        self.created.contains(&category)
    }

    /// Clears the resolved paths, because categories are about to move.
    pub fn forget_categories(&mut self) {
        self.categories.clear();
    }

    /// Returns the number of placeholders.
    pub fn placeholder_count(&self) -> i64 {
        -self.last_placeholder
    }

    /// Returns the next placeholder.
    pub(super) fn next_placeholder(&mut self) -> i64 {
        self.last_placeholder -= 1;
        self.last_placeholder
    }
}

/// Appends a fingerprint of the name to a slug, to distinguish names with the same slug.
pub fn slug_with_fingerprint(slug: &str, name: &str) -> String {
    let begin: String = slug.chars().take(180).collect();
    slugify(&format!("{begin} {}", fingerprint(name)))
}
