//! The configurable products of a Magento file: the groups of their variants, which they list by SKU.
//! Rule: a variant is rejected together with its configurable product, and is written to the rejects file with it, so that
//! a corrected rejects file gives the same groups.

use std::{
    borrow::Cow,
    collections::{BTreeSet, HashMap, HashSet},
    hash::{BuildHasher, RandomState},
};

use super::{
    cells, context_line,
    csv_reader::Line,
    pairs::{pairs, variations},
};
use crate::transfers::record::{Context, FileLine, GroupRecord};

const MAX_OPTIONS: usize = 5;
/// Maximum number of configurable products that are written to the rejects file because variants are missing.
const MAX_INCOMPLETE: usize = 100;

/// A configurable product to add.
pub(super) struct NewGroup<'l> {
    pub slug: String,
    pub name: String,
    /// The cell with the variants.
    pub variations: &'l str,
    /// The cell with the names of the options.
    pub labels: &'l str,
    /// Texts that variants inherit.
    pub texts: GroupTexts,
}

/// Texts of a configurable product that its variants have unless they have their own.
#[derive(Debug, Clone, Default)]
pub(super) struct GroupTexts {
    pub tags: Vec<String>,
    pub seo_title: Option<String>,
    pub seo_description: Option<String>,
}

struct Group {
    slug: String,
    name: String,
    options: Vec<String>,
    texts: GroupTexts,
    line: Option<FileLine>,
    context: Context,
}

/// The configurable products of a file.
#[derive(Default)]
pub(super) struct Groups {
    groups: Vec<Group>,
    /// Group and option values by SKU of a variant.
    members: HashMap<String, (usize, Vec<String>)>,
    /// Lines of the configurable products that are rejected, by SKU of a variant.
    rejected: HashMap<String, u64>,
    /// Line of a rejected configurable product whose variants cannot be read.
    without_variants: Option<u64>,
    state: RandomState,
    /// Hashes of the SKUs of all other products.
    skus: HashSet<u64>,
    /// Lines of the configurable products that list SKUs of no other product.
    incomplete: Context,
    bytes: usize,
}

impl Groups {
    /// Adds a configurable product.
    pub fn add(&mut self, line: &Line, new: NewGroup<'_>) {
        let labels: HashMap<String, String> = pairs(new.labels).into_iter().collect();
        let label =
            |code: &String| labels.get(code).map_or_else(|| code.replace('_', " "), |label| cells::decoded_text(label));
        let mut codes: Vec<String> = Vec::new();
        let index = self.groups.len();
        for variation in variations(new.variations) {
            let (mut member, mut values) = (None, HashMap::new());
            for (code, value) in pairs(&variation) {
                if code == "sku" {
                    member = Some(value);
                    continue;
                }
                if !codes.contains(&code) && codes.len() <= MAX_OPTIONS {
                    codes.push(code.clone());
                }
                values.insert(code, value);
            }
            let Some(member) = member else { continue };
            let values: Vec<String> = codes.iter().map(|code| values.remove(code).unwrap_or_default()).collect();
            self.bytes += variation.len() + 200;
            self.members.entry(member).or_insert((index, values));
        }
        self.bytes += 2 * line.fields.as_slice().len() + 200;
        self.groups.push(Group {
            slug: new.slug,
            name: new.name,
            options: codes.iter().map(label).collect(),
            texts: new.texts,
            line: context_line(line),
            context: Context::default(),
        });
    }

    /// Adds the line of a configurable product that has a wrong number of columns or another encoding.
    pub fn add_unreadable(&mut self, line: &Line) {
        let cells: Vec<Cow<'_, str>> = line.fields.iter().map(String::from_utf8_lossy).collect();
        if cells.iter().any(|cell| cell.trim().eq_ignore_ascii_case("configurable")) {
            self.add_rejected(line.line, &cells.join(","));
        }
    }

    /// Adds the line of a rejected configurable product, with the text that lists its variants.
    pub fn add_rejected(&mut self, line: u64, variants: &str) {
        let count = self.rejected.len();
        for (code, sku) in variations(variants).iter().flat_map(|variation| pairs(variation)) {
            if code == "sku" {
                self.bytes += sku.len() + 100;
                self.rejected.insert(sku, line);
            }
        }
        if self.rejected.len() == count {
            self.without_variants.get_or_insert(line);
        }
    }

    /// Adds the SKU of another product.
    pub fn add_sku(&mut self, sku: &str) {
        self.skus.insert(self.state.hash_one(sku));
    }

    /// Completes the groups once all lines are added.
    pub fn finish(&mut self) {
        let is_absent = |sku: &String| !self.skus.contains(&self.state.hash_one(sku.as_str()));
        let absent = self.members.iter().filter(|(sku, _)| is_absent(sku)).map(|(_, (index, _))| *index);
        let mut incomplete: BTreeSet<usize> = absent.collect();
        if incomplete.len() > MAX_INCOMPLETE {
            // The file is a part of an export.
            incomplete.clear();
        }
        let lines: Vec<FileLine> = incomplete.iter().filter_map(|index| self.groups[*index].line.clone()).collect();
        for (index, group) in self.groups.iter_mut().enumerate() {
            let own = group.line.take().filter(|_| !incomplete.contains(&index));
            group.context = own.into_iter().chain(lines.iter().cloned()).collect();
        }
        self.incomplete = lines.into();
        self.skus = HashSet::new();
    }

    /// Returns the size of the retained data in bytes.
    pub fn retained_bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the lines that a product depends on: that of its configurable product, and those of configurable products
    /// that list SKUs of no other product, because its SKU may be corrected to one of them.
    pub fn context(&self, sku: &str) -> Context {
        self.members.get(sku).map_or(&self.incomplete, |(index, _)| &self.groups[*index].context).clone()
    }

    /// Returns the texts that a product inherits; empty without a group.
    pub fn texts(&self, sku: &str) -> GroupTexts {
        self.members.get(sku).map(|(index, _)| self.groups[*index].texts.clone()).unwrap_or_default()
    }

    /// Returns the group of a product. A product that is not visible individually is a variant, too, if there is a
    /// configurable product whose variants cannot be read.
    /// # Errors
    /// If the configurable product is rejected, or lists unsuitable options.
    pub fn find(&self, sku: &str, is_hidden: bool) -> Result<Option<GroupRecord>, String> {
        let Some((index, values)) = self.members.get(sku) else {
            let rejected = |line: u64, lists: &str| {
                Err(format!("the configurable product on line {line}, which {lists} this SKU, is rejected"))
            };
            return match (self.rejected.get(sku), self.without_variants) {
                (Some(line), _) => rejected(*line, "lists"),
                (None, Some(line)) if is_hidden => rejected(line, "may list"),
                _ => Ok(None),
            };
        };
        let group = &self.groups[*index];
        let count = group.options.len();
        if !(1..=MAX_OPTIONS).contains(&count) {
            return Err(format!("{}: variants must differ in 1 to {MAX_OPTIONS} options, not in {count}", group.name));
        }
        let values = values.iter().map(String::as_str).chain(std::iter::repeat(""));
        let options: Vec<(String, String)> =
            group.options.iter().zip(values).map(|(name, value)| (name.clone(), cells::decoded_text(value))).collect();
        match options.iter().find(|(_, value)| value.is_empty()) {
            Some((name, _)) => Err(format!("{}: the variant has no value for {name}", group.name)),
            None => Ok(Some(GroupRecord { slug: group.slug.clone(), name: group.name.clone(), options })),
        }
    }
}
