//! The demo rows that are inserted already, by the names that the data uses.

use std::{collections::HashMap, fmt::Debug, hash::Hash};

use crate::{
    error::{Error, Result},
    ids::{BrandId, CategoryId, ProductGroupId, SupplierId, UserId, WebsiteId},
    products::model::ProductRow,
};

/// Rows that later rows refer to.
#[derive(Default)]
pub(super) struct InsertedRows<'m> {
    pub(super) websites: HashMap<&'m str, WebsiteId>,
    pub(super) categories: HashMap<&'m str, CategoryId>,
    pub(super) brands: HashMap<&'m str, BrandId>,
    pub(super) suppliers: HashMap<&'m str, SupplierId>,
    pub(super) groups: HashMap<&'m str, ProductGroupId>,
    pub(super) users: HashMap<&'m str, UserId>,
    /// By website code and SKU.
    pub(super) products: HashMap<(&'m str, &'m str), ProductRow>,
}

/// Returns the row with this name.
pub(super) fn look_up<K: Hash + Eq + Debug, V: Clone>(map: &HashMap<K, V>, name: K) -> Result<V> {
    map.get(&name)
        .cloned()
        .ok_or_else(|| Error::Internal(format!("the demo data names {name:?}, which it does not define")))
}

/// Returns the row with this name, or none without a name.
pub(super) fn look_up_optional<'m, V: Clone>(map: &HashMap<&'m str, V>, name: Option<&'m String>) -> Result<Option<V>> {
    name.map(|name| look_up(map, name.as_str())).transpose()
}

/// Returns the enum value with this text.
pub(super) fn named<T: Copy>(all: &[T], text: fn(T) -> &'static str, name: &str) -> Result<T> {
    let found = all.iter().copied().find(|value| text(*value) == name);
    found.ok_or_else(|| Error::Internal(format!("the demo data names {name:?}, which is not a known value")))
}
