//! Resolution of lists of objects.
//! Rule: the selected fields are the same for all items of a type, so they are selected once.

use std::borrow::Cow;

use async_graphql::{ContextSelectionSet, Positioned, ServerResult, parser::types::Field};
use futures_util::future::poll_immediate;

use super::{
    DynObject, FieldFuture, JsonText,
    json_text::Mark,
    selected_fields::SelectedFields,
    selection_set::{check_bytes, count_bytes, null_if_failed, report_errors, resolve_fields, write_fields},
    waiting::{Waiting, wait_for_all},
};
use crate::graphql::engine::budget::Budget;

/// Space for a list that waits for something.
const LIST_BYTES: usize = 4 * 1024;

/// An object of a list, or null.
type Item<'a> = Option<&'a dyn DynObject>;

/// Writes a list whose items need no waiting; returns none if one does, and then leaves what it wrote to the caller.
pub(super) fn write_list(
    items: &[Item<'_>],
    are_nullable: bool,
    context: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
    out: &mut JsonText,
) -> Option<ServerResult<()>> {
    let selections = match Selections::of(context, items) {
        Ok(selections) => selections,
        Err(error) => return Some(Err(error)),
    };
    let fields = selections.fields();
    out.push_raw("[");
    for (index, item) in items.iter().enumerate() {
        let mark = start_item(index, out);
        let Some(object) = item else {
            out.push_raw("null");
            continue;
        };
        let context = context.with_index(index);
        let written = write_fields(&context, *object, &fields[selections.of_items[index]], out)?;
        let written = written.and_then(|()| check_bytes(&context, out));
        let written = written.map_err(|error| context.set_error_path(error));
        if let Err(error) = null_if_failed(written, are_nullable, mark, out) {
            return Some(Err(error));
        }
    }
    out.push_raw("]");
    Some(count_objects(items.len(), context, field))
}

/// Resolves a list.
/// # Errors
/// The first error of an item that must not be null.
pub(super) async fn resolve_list(
    items: &[Item<'_>],
    are_nullable: bool,
    context: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
) -> ServerResult<JsonText> {
    count_objects(items.len(), context, field)?;
    let selections = Selections::of(context, items)?;
    let fields = selections.fields();
    let contexts: Vec<_> = (0..items.len()).map(|index| context.with_index(index)).collect();
    let (mut out, mut waiting, mut failure, mut can_write) =
        (JsonText::with_capacity(LIST_BYTES), Vec::new(), None, true);
    out.push_raw("[");
    for (index, item) in items.iter().enumerate() {
        let mark = start_item(index, &mut out);
        let Some(object) = item else {
            out.push_raw("null");
            continue;
        };
        let (context, fields) = (&contexts[index], &*fields[selections.of_items[index]]);
        let mut result = if can_write { write_fields(context, *object, fields, &mut out) } else { None };
        // Counted one by one, so that a long list ends at the limit.
        result = result.map(|written| written.and_then(|()| count_bytes(context, &mut out)));
        if result.is_none() {
            // The other items wait for the same fields.
            can_write = false;
            out.take_back(mark);
            let mut future: FieldFuture<'_> = Box::pin(resolve_fields(context, *object, fields, false));
            match poll_immediate(&mut future).await {
                Some(resolved) => result = Some(resolved.map(|json| out.append(json))),
                None => waiting.push(Waiting::new(index, out.end(), future)),
            }
        }
        let written = result.map(|result| result.map_err(|error| context.set_error_path(error)));
        failure = written.and_then(|written| null_if_failed(written, are_nullable, mark, &mut out).err());
        if failure.is_some() {
            break;
        }
    }
    out.push_raw("]");
    let mut values = Vec::with_capacity(waiting.len());
    if failure.is_none() && !waiting.is_empty() {
        for (index, at, result) in wait_for_all(waiting).await {
            match result.map_err(|error| contexts[index].set_error_path(error)) {
                Ok(value) => values.push((at, value)),
                Err(error) if are_nullable => {
                    out.add_error(error);
                    values.push((at, JsonText::of(&())));
                }
                Err(error) => failure = failure.or(Some(error)),
            }
        }
    }
    if let Some(error) = failure {
        report_errors(context, &mut out);
        return Err(error);
    }
    out.insert_all(values);
    Ok(out)
}

fn start_item(index: usize, out: &mut JsonText) -> Mark {
    out.push_raw(if index == 0 { "" } else { "," });
    out.mark()
}

/// Counts the items of a list towards the budget of the request.
fn count_objects(items: usize, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<()> {
    let Some(budget) = context.data_opt::<Budget>() else { return Ok(()) };
    budget.add_objects(items).map_err(|mut error| {
        error.locations.push(field.pos);
        context.set_error_path(error)
    })
}

/// The selected fields of each type of a list's items.
struct Selections<'a> {
    types: Vec<(Cow<'static, str>, SelectedFields<'a>)>,
    /// The type of each item; the first for null.
    of_items: Vec<usize>,
}

impl<'a> Selections<'a> {
    fn of(context: &ContextSelectionSet<'a>, items: &[Item<'_>]) -> ServerResult<Self> {
        let mut selections = Self { types: Vec::with_capacity(1), of_items: Vec::with_capacity(items.len()) };
        for item in items {
            let index = match item {
                Some(object) => selections.index(context, *object)?,
                None => 0,
            };
            selections.of_items.push(index);
        }
        Ok(selections)
    }

    fn index(&mut self, context: &ContextSelectionSet<'a>, object: &dyn DynObject) -> ServerResult<usize> {
        let name = object.name();
        if let Some(index) = self.types.iter().position(|(other, _)| *other == name) {
            return Ok(index);
        }
        self.types.push((name, SelectedFields::of(context, object)?));
        Ok(self.types.len() - 1)
    }

    fn fields(&self) -> Vec<Cow<'_, [&Positioned<Field>]>> {
        self.types.iter().map(|(_, selected)| selected.fields()).collect()
    }
}
