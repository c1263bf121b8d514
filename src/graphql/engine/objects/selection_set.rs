//! Resolution of one object: collects the selected fields, resolves them and returns them in the order of the query.
//! Rule: an error nulls the nearest nullable field, and its siblings run to completion.

use std::{
    any::Any,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_graphql::{
    ContextSelectionSet, Name, Positioned, ServerError, ServerResult, Value,
    indexmap::{IndexMap, map::Entry},
    parser::types::{Field, Selection, SelectionSet},
    registry::MetaType,
};
use futures_util::future::join_all;

use crate::graphql::engine::{
    budget::{Budget, add_error},
    json_size::own_bytes,
    objects::DynObject,
};

/// Resolves the selected fields of an object, concurrently or one after the other (`serial`).
/// # Errors
/// The error of a non-null field.
pub async fn resolve_selection_set(
    ctx: &ContextSelectionSet<'_>,
    object: &dyn DynObject,
    serial: bool,
) -> ServerResult<Value> {
    let mut collected = CollectedFields::with_capacity(ctx.item.node.items.len());
    collected.collect(ctx, object, &ctx.item.node)?;
    let CollectedFields { mut values, mut fields, merged, .. } = collected;
    for (slot, field) in &merged {
        fields[*slot] = field;
    }

    let mut failure = None;
    let mut set_result = |slot: usize, result| match result {
        Ok(value) => values[slot] = value,
        Err(error) if failure.is_none() && !is_nullable(ctx, object, fields[slot]) => {
            failure = Some(error);
        }
        Err(error) => add_error(ctx, error),
    };
    let mut pending = Vec::new();
    for (slot, field) in fields.iter().enumerate() {
        if field.node.name.node == "__typename" {
            set_result(slot, Ok(Value::String(object.name().into_owned())));
        } else if !serial && let Some(result) = object.resolve_sync(ctx, field) {
            set_result(slot, result);
        } else {
            pending.push((slot, object.resolve_async(ctx.with_field(field))));
        }
    }
    if serial || pending.len() == 1 {
        for (slot, result) in pending {
            set_result(slot, result.await);
        }
    } else {
        let (slots, results): (Vec<_>, Vec<_>) = pending.into_iter().unzip();
        for (slot, result) in slots.into_iter().zip(join_all(results).await) {
            set_result(slot, result);
        }
    }
    match failure {
        Some(error) => Err(PropagatedError::wrap(error)),
        None => {
            count_bytes(ctx, &fields, &values)?;
            Ok(Value::Object(values))
        }
    }
}

/// Counts an object towards the size of the response. Objects inside it have been counted already. The root is kept, so
/// that a mutation returns the results that fit.
fn count_bytes(
    ctx: &ContextSelectionSet<'_>,
    fields: &[&Positioned<Field>],
    values: &IndexMap<Name, Value>,
) -> ServerResult<()> {
    let Some(budget) = ctx.data_opt::<Budget>().filter(|_| ctx.path_node.is_some()) else { return Ok(()) };
    let own = fields.iter().zip(values).map(|(field, (name, value))| {
        let has_selection = !field.node.selection_set.node.items.is_empty();
        (name.as_str(), value, has_selection)
    });
    budget.add_bytes(own_bytes(own)).map_err(|mut error| {
        error.locations.push(ctx.item.pos);
        PropagatedError::wrap(ctx.set_error_path(error))
    })
}

/// The selected fields of an object by response key, in the order of the query.
struct CollectedFields<'a> {
    values: IndexMap<Name, Value>,
    fields: Vec<&'a Positioned<Field>>,
    /// Replaces the field in the same slot: a key that is selected twice has the selections of both.
    merged: BTreeMap<usize, Positioned<Field>>,
    /// Fragments spread so far. A second spread adds nothing, and would double the work at each level below it.
    visited: BTreeSet<&'a Name>,
}

impl<'a> CollectedFields<'a> {
    fn with_capacity(fields: usize) -> Self {
        Self {
            values: IndexMap::with_capacity(fields),
            fields: Vec::with_capacity(fields),
            merged: BTreeMap::new(),
            visited: BTreeSet::new(),
        }
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
        match self.values.entry(field.node.response_key().node.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(Value::Null);
                self.fields.push(field);
            }
            Entry::Occupied(entry) if !field.node.selection_set.node.items.is_empty() => {
                let slot = entry.index();
                let merged = self.merged.entry(slot).or_insert_with(|| self.fields[slot].clone());
                let items = &mut merged.node.selection_set.node.items;
                items.extend_from_slice(&field.node.selection_set.node.items);
            }
            Entry::Occupied(_) => {}
        }
    }
}

/// Checks whether the schema allows null; unknown fields are the library's own.
fn is_nullable(ctx: &ContextSelectionSet<'_>, object: &dyn DynObject, field: &Positioned<Field>) -> bool {
    let object = ctx.schema_env.registry.types.get(object.name().as_ref());
    let field = object.and_then(|object: &MetaType| object.field_by_name(&field.node.name.node));
    field.is_none_or(|field| !field.ty.ends_with('!'))
}

/// An error on its way from a non-null field to the nearest nullable field. The lists in between overwrite its path, so
/// it is kept as the source of another error.
pub(super) struct PropagatedError(ServerError);

impl PropagatedError {
    fn wrap(error: ServerError) -> ServerError {
        if error.source::<Self>().is_some() {
            return error;
        }
        let source: Arc<dyn Any + Send + Sync> = Arc::new(Self(error.clone()));
        ServerError { source: Some(source), ..error }
    }

    pub(super) fn unwrap(error: ServerError) -> ServerError {
        match error.source::<Self>() {
            Some(propagated) => propagated.0.clone(),
            None => error,
        }
    }
}
