//! The variable products of a WooCommerce file: the parents of its variations.
//! Rule: the options of a group are the attributes that its variations name. So a rejected variation is written to the
//! rejects file with its parent and with the variations that name attributes first.

use std::{cell::OnceCell, collections::HashMap};

use super::{context_line, csv_reader::Line};
use crate::transfers::record::{Context, FileLine, ProductRecord};

/// A variable product.
pub(super) struct Parent {
    pub slug: String,
    /// Names of its attributes.
    pub attributes: Vec<String>,
    /// Data that variations inherit.
    pub common: ProductRecord,
    pub images: Vec<String>,
    /// The cell of its weight.
    pub weight: String,
    /// Its line, if it is small enough for the rejects file.
    pub line: Option<FileLine>,
}

/// Attributes used by the variations of a parent, and the lines that named one of them first.
#[derive(Default)]
struct VaryingAttributes {
    names: Vec<String>,
    lines: Vec<FileLine>,
}

/// The variable products of a file.
#[derive(Default)]
pub(super) struct Parents {
    parents: Vec<Parent>,
    /// Variable products by `id:` plus ID, and by SKU.
    indexes: HashMap<String, usize>,
    /// Attributes used by the variations, by the key of the parent.
    varying: HashMap<String, VaryingAttributes>,
    /// The lines of all variable products, once they are needed.
    all: OnceCell<Context>,
    bytes: usize,
}

impl Parents {
    /// Adds a variable product with its ID and SKU.
    pub fn add(&mut self, id: &str, sku: &str, parent: Parent, line: &Line) {
        self.bytes += 2 * line.fields.as_slice().len() + 500;
        let index = self.parents.len();
        let keys =
            [Some(format!("id:{id}")).filter(|_| !id.is_empty()), Some(sku.to_owned()).filter(|sku| !sku.is_empty())];
        self.indexes.extend(keys.into_iter().flatten().map(|key| (key, index)));
        self.parents.push(parent);
    }

    /// Adds the attributes that a variation of a parent names.
    pub fn add_variation(&mut self, parent: &str, names: impl Iterator<Item = String>, line: &Line) {
        if !self.varying.contains_key(parent) {
            self.bytes += parent.len() + 100;
            self.varying.insert(parent.to_owned(), VaryingAttributes::default());
        }
        let Some(known) = self.varying.get_mut(parent) else { return };
        let count = known.names.len();
        for name in names {
            if !known.names.contains(&name) {
                self.bytes += name.len() + 50;
                known.names.push(name);
            }
        }
        if known.names.len() > count {
            self.bytes += line.fields.as_slice().len() + 100;
            known.lines.extend(context_line(line));
        }
    }

    /// Sorts the options of a group by the order of the parent's attributes.
    pub fn finish(&mut self) {
        for (key, VaryingAttributes { names, .. }) in &mut self.varying {
            let Some(parent) = self.indexes.get(key).map(|index| &self.parents[*index]) else { continue };
            names.sort_by_key(|name| parent.attributes.iter().position(|known| known == name).unwrap_or(usize::MAX));
        }
    }

    /// Returns the size of the retained data in bytes.
    pub fn retained_bytes(&self) -> usize {
        self.bytes
    }

    /// Returns a variable product by `id:` plus ID, or by SKU.
    pub fn find(&self, key: &str) -> Option<&Parent> {
        self.indexes.get(key).map(|index| &self.parents[*index])
    }

    /// Returns the attributes that the variations of a parent name.
    pub fn varying_attributes(&self, key: &str) -> &[String] {
        self.varying.get(key).map(|varying| varying.names.as_slice()).unwrap_or_default()
    }

    /// Returns the lines that a product with this parent depends on.
    pub fn context(&self, key: &str) -> Context {
        match self.find(key) {
            None if key.is_empty() => Context::default(),
            // The cell may be corrected to any of them.
            None => self.context_of_all(),
            Some(parent) => {
                let varying = self.varying.get(key).into_iter().flat_map(|varying| &varying.lines);
                parent.line.iter().chain(varying).cloned().collect()
            }
        }
    }

    /// Returns the lines that a line with a wrong number of columns may depend on. Its parent is the first one that any
    /// of its cells names.
    pub fn context_of_unreadable(&self, line: &Line) -> Context {
        let texts = || line.fields.iter().filter_map(|cell| std::str::from_utf8(cell).ok()).map(str::trim);
        match texts().find(|cell| self.varying.contains_key(*cell)) {
            Some(parent) => self.context(parent),
            None if texts().any(|cell| cell.to_lowercase().contains("variation")) => self.context_of_all(),
            None => Context::default(),
        }
    }

    fn context_of_all(&self) -> Context {
        let all = || {
            let parents = self.parents.iter().filter_map(|parent| parent.line.as_ref());
            parents.chain(self.varying.values().flat_map(|varying| &varying.lines)).cloned().collect()
        };
        self.all.get_or_init(all).clone()
    }
}
