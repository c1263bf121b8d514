//! Resolution of one object: selects the fields, and writes their values in the order of the query.
//! Rule: an error nulls the nearest nullable field, and its siblings run to completion. A field is polled at once, so that
//! only fields that wait for something are kept.

use std::{any::Any, sync::Arc};

use async_graphql::{
    ContextSelectionSet, Positioned, ServerError, ServerResult, parser::types::Field, registry::MetaType,
};
use futures_util::future::poll_immediate;

use super::{
    DynObject, JsonText,
    json_text::Mark,
    selected_fields::SelectedFields,
    waiting::{Waiting, wait_for_all},
};
use crate::graphql::engine::budget::{Budget, add_error};

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
                false => poll_immediate(&mut future).await,
            };
            match resolved {
                Some(resolved) => result = Some(resolved.map(|json| out.append(json))),
                None => waiting.push(Waiting::new(index, out.end(), future)),
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
    object.write_field(ctx, field, out)
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

/// Replaces a value that failed by null, if the type is nullable.
/// # Errors
/// The error, if it is not.
pub(super) fn null_if_failed(
    written: ServerResult<()>,
    is_nullable: bool,
    mark: Mark,
    out: &mut JsonText,
) -> ServerResult<()> {
    written.or_else(|error| {
        if !is_nullable {
            return Err(error);
        }
        out.replace_by_null(mark);
        out.add_error(error);
        Ok(())
    })
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
