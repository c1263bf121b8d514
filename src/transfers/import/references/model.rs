//! The rows that products and categories of a file refer to: categories by path, brands and suppliers by name, groups by
//! slug.
//! Rule: a missing row has a key below 0 in a dry run, which creates nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::super::super::{fingerprint::fingerprint, record::ProductRecord};
use crate::text::slugify;

/// The names of a category and its ancestors, from the root down.
pub type CategoryPath = Vec<String>;

/// The references that the run has resolved so far.
#[derive(Debug, Clone, Default)]
pub struct References {
    pub(super) categories: HashMap<CategoryPath, i64>,
    pub(super) brands: HashMap<String, i64>,
    pub(super) suppliers: HashMap<String, i64>,
    pub(super) groups: HashMap<String, Group>,
    /// Categories that the run has created.
    pub(super) created: HashSet<i64>,
    /// The last key that stands for a missing row, counted down from 0.
    pub(super) last_placeholder: i64,
}

/// A group of variants.
#[derive(Debug, Clone)]
pub struct Group {
    /// Its key.
    pub id: i64,
    /// The website that it belongs to.
    pub website: i64,
    /// The names of its options.
    pub varies_by: Vec<String>,
}

/// The references that rows name.
#[derive(Debug, Default)]
pub struct UnresolvedReferences<'r> {
    /// Paths, and the slug that a row asks for.
    pub(super) categories: BTreeMap<&'r [String], Option<&'r str>>,
    pub(super) brands: BTreeSet<&'r str>,
    pub(super) suppliers: BTreeSet<&'r str>,
    pub(super) groups: HashMap<&'r str, (&'r str, Vec<&'r str>)>,
}

impl<'r> UnresolvedReferences<'r> {
    /// The references that products name.
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

    /// A path and all that it begins with.
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
    /// The category of a path, if it was resolved.
    pub fn category(&self, path: &[String]) -> Option<i64> {
        self.categories.get(path).copied()
    }

    /// The brand of a name, if it was resolved.
    pub fn brand(&self, name: &str) -> Option<i64> {
        self.brands.get(name).copied()
    }

    /// The supplier of a name, if it was resolved.
    pub fn supplier(&self, name: &str) -> Option<i64> {
        self.suppliers.get(name).copied()
    }

    /// The group of a slug, if it was resolved.
    pub fn group(&self, slug: &str) -> Option<&Group> {
        self.groups.get(slug)
    }

    /// Whether this run has created the category.
    pub fn is_created(&self, category: i64) -> bool {
        self.created.contains(&category)
    }

    /// Forgets the paths, because categories are about to move.
    pub fn forget_categories(&mut self) {
        self.categories.clear();
    }

    /// How many keys stand for missing rows.
    pub fn placeholder_count(&self) -> i64 {
        -self.last_placeholder
    }

    /// The next key for a missing row.
    pub(super) fn next_placeholder(&mut self) -> i64 {
        self.last_placeholder -= 1;
        self.last_placeholder
    }
}

/// A slug that distinguishes names which have the same slug.
pub fn slug_with_fingerprint(slug: &str, name: &str) -> String {
    let begin: String = slug.chars().take(180).collect();
    slugify(&format!("{begin} {}", fingerprint(name)))
}
