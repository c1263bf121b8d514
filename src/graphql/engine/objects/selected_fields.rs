//! The fields that a query selects of an object: fragments are spread, and fields with the same response key are merged.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use async_graphql::{
    ContextSelectionSet, Name, Positioned, ServerError, ServerResult,
    parser::types::{Field, Selection, SelectionSet},
};

use super::DynObject;

/// The selected fields of an object, in the order of the query; one for each response key.
pub(super) struct SelectedFields<'a> {
    fields: Vec<&'a Positioned<Field>>,
    /// Replaces the field with the same index: a key that is selected twice has the selections of both.
    merged: BTreeMap<usize, Positioned<Field>>,
    /// Fragments spread so far. A second spread adds nothing, and would double the work at each level below it.
    visited: BTreeSet<&'a Name>,
    /// Indexes by response key, once there are many fields.
    indexes: HashMap<&'a str, usize>,
}

impl<'a> SelectedFields<'a> {
    /// Number of fields up to which comparing all keys is faster than an index.
    const FEW: usize = 16;

    /// Selects the fields of an object.
    /// # Errors
    /// An unknown fragment.
    pub(super) fn of(ctx: &ContextSelectionSet<'a>, object: &dyn DynObject) -> ServerResult<Self> {
        let mut selected = Self {
            fields: Vec::with_capacity(ctx.item.node.items.len()),
            merged: BTreeMap::new(),
            visited: BTreeSet::new(),
            indexes: HashMap::new(),
        };
        selected.collect(ctx, object, &ctx.item.node)?;
        Ok(selected)
    }

    /// Returns the fields.
    pub(super) fn fields(&self) -> Cow<'_, [&Positioned<Field>]> {
        if self.merged.is_empty() {
            return Cow::Borrowed(&self.fields);
        }
        let mut fields: Vec<&Positioned<Field>> = self.fields.clone();
        for (index, field) in &self.merged {
            fields[*index] = field;
        }
        Cow::Owned(fields)
    }

    fn collect(
        &mut self,
        ctx: &ContextSelectionSet<'a>,
        object: &dyn DynObject,
        set: &'a SelectionSet,
    ) -> ServerResult<()> {
        for selection in &set.items {
            let (condition, set) = match &selection.node {
                Selection::Field(field) => {
                    self.add(field);
                    continue;
                }
                Selection::InlineFragment(inline) => {
                    let inline = &inline.node;
                    (inline.type_condition.as_ref(), &inline.selection_set)
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if !self.visited.insert(name) {
                        continue;
                    }
                    let fragment =
                        ctx.query_env.fragments.get(name).ok_or_else(|| {
                            ServerError::new(format!("Unknown fragment \"{name}\"."), Some(spread.pos))
                        })?;
                    let fragment = &fragment.node;
                    (Some(&fragment.type_condition), &fragment.selection_set)
                }
            };
            let types = &ctx.schema_env.registry.types;
            let applies = condition.is_none_or(|condition| {
                let condition = types.get(condition.node.on.node.as_str());
                condition.is_some_and(|condition| condition.is_possible_type(&object.name()))
            });
            if applies {
                self.collect(ctx, object, &set.node)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, field: &'a Positioned<Field>) {
        let Some(index) = self.index(&field.node.response_key().node) else {
            self.fields.push(field);
            return;
        };
        if !field.node.selection_set.node.items.is_empty() {
            let merged = self.merged.entry(index).or_insert_with(|| self.fields[index].clone());
            let items = &mut merged.node.selection_set.node.items;
            items.extend_from_slice(&field.node.selection_set.node.items);
        }
    }

    /// Returns the index of the field with this key.
    fn index(&mut self, key: &str) -> Option<usize> {
        if self.fields.len() <= Self::FEW {
            return self.fields.iter().position(|field| field.node.response_key().node == key);
        }
        for (index, field) in self.fields.iter().copied().enumerate().skip(self.indexes.len()) {
            self.indexes.insert(&field.node.response_key().node, index);
        }
        self.indexes.get(key).copied()
    }
}
