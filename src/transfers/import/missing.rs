//! What a file contains, to find the products of earlier imports that are missing in it.
//! Rule: a product is missing only if no row can be about it. A rejected row may be about any product whose SKU or
//! external ID is in one of its cells.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
};

use csv::ByteRecord;
use serde_json::Value;

use super::{
    super::{formats::cells, model::Format, native::read::REJECTS_COLUMNS, rejects::Layout},
    check::Identifiers,
    products::model::ActiveProduct,
};

/// Longest SKU and external ID, in bytes of UTF-8; longer cells of rejected rows are ignored.
const MAX_IDENTIFIER: usize = 255 * 4;

/// What the file contains so far.
pub struct FileContents {
    /// Identifiers of the accepted rows.
    pub accepted: Identifiers,
    is_json: bool,
    state: RandomState,
    /// Hashes of the cells of rejected rows.
    rejected_cells: HashSet<u64>,
    /// Whether the file is known to be a part of another one, or has a row that cannot be read.
    is_partial: bool,
}

impl FileContents {
    /// Creates the contents of a file that is about to be read.
    pub fn new(format: Format, layout: &Layout) -> Self {
        Self {
            accepted: Identifiers::default(),
            is_json: format == Format::SoukJsonl,
            state: RandomState::default(),
            rejected_cells: HashSet::new(),
            is_partial: layout.is_of_rejects_file(),
        }
    }

    /// Reads the first row of the file, which says whether a JSON Lines file is a rejects file.
    pub fn read_first_row(&mut self, fields: &ByteRecord) {
        let Some(Value::Object(row)) = self.json(fields) else { return };
        self.is_partial |= REJECTS_COLUMNS.iter().all(|column| row.contains_key(*column));
    }

    /// Adds a rejected row.
    pub fn add_rejected(&mut self, fields: &ByteRecord) {
        let texts: Vec<String> = match (self.is_json, self.json(fields)) {
            (true, Some(Value::Object(row))) => row.values().filter_map(json_text).collect(),
            (false, _) => fields.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect(),
            _ => Vec::new(),
        };
        self.is_partial |= texts.is_empty();
        for text in texts.iter().filter(|text| text.len() <= MAX_IDENTIFIER) {
            let plain = cells::text(text);
            // Spreadsheets and Souk's CSV mark some texts with an apostrophe.
            for form in [text.trim(), plain.as_str(), plain.trim_start_matches('\'')] {
                self.rejected_cells.insert(self.state.hash_one(form));
            }
        }
    }

    /// Returns whether the file is complete as far as is known; only then products can be missing in it.
    pub fn is_complete(&self) -> bool {
        !self.is_partial && !self.accepted.is_empty()
    }

    /// Returns whether a row may be about a product.
    pub fn may_contain(&self, product: &ActiveProduct) -> bool {
        let is_rejected = |text: &str| self.rejected_cells.contains(&self.state.hash_one(text));
        let has_id = |id: &str| {
            // Shopify's handle is the part before the option values.
            let handle = id.split('?').next().unwrap_or(id);
            self.accepted.contains("external_id", id) || is_rejected(id) || is_rejected(handle)
        };
        let sku = product.sku.as_str();
        self.accepted.contains("sku", sku) || is_rejected(sku) || product.external_id.as_deref().is_some_and(has_id)
    }

    fn json(&self, fields: &ByteRecord) -> Option<Value> {
        if self.is_json { serde_json::from_slice(fields.get(0)?).ok() } else { None }
    }
}

fn json_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
