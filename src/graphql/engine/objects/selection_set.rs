//! Resolution of one object: selects the fields, and writes their values in the order of the query.
//! Rule: an error nulls the nearest nullable field, and its siblings run to completion. A field is polled at once, so that
//! only fields that wait for something are kept.

use std::{
    any::Any,
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    future::poll_fn,
    mem,
    sync::Arc,
    task::{Context as TaskContext, Poll},
};

use async_graphql::{
    ContextSelectionSet, Name, Positioned, ServerError, ServerResult,
    parser::types::{Field, Selection, SelectionSet},
    registry::MetaType,
};

use crate::graphql::engine::{
    budget::{Budget, add_error},
    objects::{DynObject, FieldFuture, JsonText},
};

/// Space for an object that waits for something. Most take less.
const OBJECT_BYTES: usize = 512;

/// Resolves the selected fields of an object, concurrently or one after the other (`serial`).
/// # Errors
/// The error of a non-null field.
pub async fn resolve_selection_set(
    ctx: &ContextSelectionSet<'_>,
    object: &dyn DynObject,
    serial: bool,
) -> ServerResult<JsonText> {
    let selected = SelectedFields::of(ctx, object)?;
    resolve_fields(ctx, object, &selected.fields(), serial).await
}

/// Resolves these fields of an object.
/// # Errors
/// The error of a non-null field.
pub(super) async fn resolve_fields(
    ctx: &ContextSelectionSet<'_>,
    object: &dyn DynObject,
    fields: &[&Positioned<Field>],
    serial: bool,
) -> ServerResult<JsonText> {
    let (mut out, mut failure, mut waiting) = (JsonText::with_capacity(OBJECT_BYTES), None, Vec::new());
    out.push_raw("{");
    for (index, field) in fields.iter().enumerate() {
        out.push_key(&field.node.response_key().node, index == 0);
        let mark = out.mark();
        let mut result = write_field(ctx, object, field, &mut out);
        if result.is_none() {
            out.take_back(mark);
            let mut future = object.resolve_async(ctx.with_field(field));
            let resolved = match serial {
                true => Some(future.as_mut().await),
                false => poll_once(&mut future).await,
            };
            match resolved {
                Some(resolved) => result = Some(resolved.map(|json| out.append(json))),
                None => waiting.push(Waiting { index, at: out.end(), state: State::Pending(future) }),
            }
        }
        if let Some(Err(error)) = result {
            out.replace_by_null(mark);
            set_error(ctx, object, field, error, &mut out, &mut failure);
        }
    }
    out.push_raw("}");
    if !waiting.is_empty() {
        let mut values = Vec::with_capacity(waiting.len());
        for (index, at, result) in wait_for_all(waiting).await {
            let value = result.unwrap_or_else(|error| {
                set_error(ctx, object, fields[index], error, &mut out, &mut failure);
                JsonText::of(&())
            });
            values.push((at, value));
        }
        out.insert_all(values);
    }
    report_errors(ctx, &mut out);
    match failure {
        Some(error) => Err(PropagatedError::wrap(error)),
        None => count_bytes(ctx, &mut out).map(|()| out),
    }
}

/// Writes an object whose fields need no waiting; returns none if one does, and then leaves what it wrote to the caller.
pub(super) fn write_selection_set(
    ctx: &ContextSelectionSet<'_>,
    object: &dyn DynObject,
    out: &mut JsonText,
) -> Option<ServerResult<()>> {
    match SelectedFields::of(ctx, object) {
        Ok(selected) => write_fields(ctx, object, &selected.fields(), out),
        Err(error) => Some(Err(error)),
    }
}

/// Writes these fields of an object, as [`write_selection_set`] does.
pub(super) fn write_fields(
    ctx: &ContextSelectionSet<'_>,
    object: &dyn DynObject,
    fields: &[&Positioned<Field>],
    out: &mut JsonText,
) -> Option<ServerResult<()>> {
    let mut failure = None;
    out.push_raw("{");
    for (index, field) in fields.iter().enumerate() {
        out.push_key(&field.node.response_key().node, index == 0);
        let mark = out.mark();
        if let Err(error) = write_field(ctx, object, field, out)? {
            out.replace_by_null(mark);
            set_error(ctx, object, field, error, out, &mut failure);
        }
    }
    out.push_raw("}");
    Some(failure.map_or(Ok(()), |error| Err(PropagatedError::wrap(error))))
}

/// Writes a field whose value is available.
fn write_field(
    ctx: &ContextSelectionSet<'_>,
    object: &dyn DynObject,
    field: &Positioned<Field>,
    out: &mut JsonText,
) -> Option<ServerResult<()>> {
    if field.node.name.node == "__typename" {
        out.push(&object.name());
        return Some(Ok(()));
    }
    object.resolve_sync(ctx, field, out)
}

/// Adds the error of a field to the response, or makes the object fail, if the field is the first that must not be null.
fn set_error(
    ctx: &ContextSelectionSet<'_>,
    object: &dyn DynObject,
    field: &Positioned<Field>,
    error: ServerError,
    out: &mut JsonText,
    failure: &mut Option<ServerError>,
) {
    match failure.is_none() && !is_nullable(ctx, object, field) {
        true => *failure = Some(error),
        false => out.add_error(error),
    }
}

/// Reports the errors of fields that became null.
pub(super) fn report_errors(ctx: &ContextSelectionSet<'_>, out: &mut JsonText) {
    for error in out.take_errors() {
        add_error(ctx, error);
    }
}

/// Counts an object towards the size of the response. Objects inside that had to wait have been counted already. The root is
/// kept, so that a mutation returns the results that fit.
pub(super) fn count_bytes(ctx: &ContextSelectionSet<'_>, out: &mut JsonText) -> ServerResult<()> {
    add_to_budget(ctx, |budget| budget.add_bytes(out.count()))
}

/// Checks whether an object still fits into the response that may have to be written again.
pub(super) fn check_bytes(ctx: &ContextSelectionSet<'_>, out: &JsonText) -> ServerResult<()> {
    add_to_budget(ctx, |budget| budget.check_bytes(out.uncounted()))
}

fn add_to_budget(ctx: &ContextSelectionSet<'_>, add: impl FnOnce(&Budget) -> ServerResult<()>) -> ServerResult<()> {
    let Some(budget) = ctx.data_opt::<Budget>().filter(|_| ctx.path_node.is_some()) else { return Ok(()) };
    add(budget).map_err(|mut error| {
        error.locations.push(ctx.item.pos);
        PropagatedError::wrap(ctx.set_error_path(error))
    })
}

/// A value that waits for something.
pub(super) struct Waiting<'a> {
    /// Index of the field or item.
    pub index: usize,
    /// Where the value is to be inserted.
    pub at: usize,
    /// The value.
    pub state: State<'a>,
}

/// The state of a value.
pub(super) enum State<'a> {
    Pending(FieldFuture<'a>),
    Done(ServerResult<JsonText>),
}

/// Polls a future once, with the waker of the operation.
pub(super) async fn poll_once(future: &mut FieldFuture<'_>) -> Option<ServerResult<JsonText>> {
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Waits for values that were polled once: they wake the operation when they go on. Returns index, place and value of each.
pub(super) async fn wait_for_all(mut waiting: Vec<Waiting<'_>>) -> Vec<(usize, usize, ServerResult<JsonText>)> {
    let mut are_polled = true;
    poll_fn(|context| match mem::take(&mut are_polled) {
        true => Poll::Pending,
        false => poll_all(&mut waiting, context),
    })
    .await;
    let values = waiting.into_iter().map(|Waiting { index, at, state }| match state {
        State::Done(result) => (index, at, result),
        State::Pending(_) => unreachable!("all values are done"),
    });
    values.collect()
}

fn poll_all(waiting: &mut [Waiting<'_>], context: &mut TaskContext<'_>) -> Poll<()> {
    let mut are_done = true;
    for Waiting { state, .. } in waiting {
        let State::Pending(future) = state else { continue };
        match future.as_mut().poll(context) {
            Poll::Ready(result) => *state = State::Done(result),
            Poll::Pending => are_done = false,
        }
    }
    if are_done { Poll::Ready(()) } else { Poll::Pending }
}

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
