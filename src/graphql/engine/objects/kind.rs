//! Conversion of field values to JSON, by the kind of the value.
//! Rule: only the conversion of a [`Leaf`] is compiled for each type; objects and lists are resolved by one function
//! each, through [`DynObject`].

use std::future::ready;

use async_graphql::{Context, ContextSelectionSet, OutputType, Positioned, ServerResult, parser::types::Field};
use futures_util::FutureExt;

use super::{
    DynObject, FieldFuture, JsonText, Leaf, ListValue, ObjectValue,
    list::{resolve_list, write_list},
    resolve_selection_set,
    selection_set::{null_if_failed, write_selection_set},
};
use crate::graphql::engine::budget::add_error;

/// Resolves values of one kind.
pub trait Kind<T: Send + Sync>: Copy + Send + Sync + 'static {
    /// Writes a value in the context of its selection set; returns none if the value has to wait for something, and then
    /// leaves what it wrote to the caller.
    fn write(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
        out: &mut JsonText,
    ) -> Option<ServerResult<()>>;

    /// Writes a field, as [`write`](Self::write) does.
    fn write_field(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
        out: &mut JsonText,
    ) -> Option<ServerResult<()>> {
        let context = context.with_field(field);
        self.write(value, &context.with_selection_set(&field.node.selection_set), field, out)
    }

    /// Resolves a value in the context of its selection set.
    fn resolve(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> impl Future<Output = ServerResult<JsonText>> + Send;

    /// Resolves a field.
    fn complete(self, value: &T, context: &Context<'_>) -> impl Future<Output = ServerResult<JsonText>> + Send {
        async move {
            let field = context.item;
            self.resolve(value, &context.with_selection_set(&field.node.selection_set), field).await
        }
    }

    /// Resolves a field whose value is available.
    fn resolve_async<'a>(self, value: T, context: Context<'a>) -> FieldFuture<'a>
    where
        T: 'a,
    {
        Box::pin(async move { self.complete(&value, &context).await })
    }
}

/// Kind of a [`Leaf`].
#[derive(Clone, Copy)]
pub struct LeafKind;

impl LeafKind {
    fn json(value: &impl Leaf) -> ServerResult<JsonText> {
        let mut json = JsonText::default();
        value.write(&mut json);
        Ok(json)
    }
}

impl<T: Leaf> Kind<T> for LeafKind {
    fn write(
        self,
        value: &T,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
        out: &mut JsonText,
    ) -> Option<ServerResult<()>> {
        value.write(out);
        Some(Ok(()))
    }

    fn write_field(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
        out: &mut JsonText,
    ) -> Option<ServerResult<()>> {
        self.write(value, context, field, out)
    }

    fn resolve(
        self,
        value: &T,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> impl Future<Output = ServerResult<JsonText>> + Send {
        ready(Self::json(value))
    }

    fn complete(self, value: &T, _: &Context<'_>) -> impl Future<Output = ServerResult<JsonText>> + Send {
        ready(Self::json(value))
    }

    fn resolve_async<'a>(self, value: T, _: Context<'a>) -> FieldFuture<'a>
    where
        T: 'a,
    {
        Box::pin(ready(Self::json(&value)))
    }
}

/// Kind of an [`ObjectValue`].
#[derive(Clone, Copy)]
pub struct ObjectKind;

impl<T: ObjectValue> Kind<T> for ObjectKind {
    fn write(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
        out: &mut JsonText,
    ) -> Option<ServerResult<()>> {
        write_object(value.as_object(), T::IS_NULLABLE, context, out)
    }

    fn resolve(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> impl Future<Output = ServerResult<JsonText>> + Send {
        resolve_object(value.as_object(), T::IS_NULLABLE, context)
    }
}

fn write_object(
    object: Option<&dyn DynObject>,
    is_nullable: bool,
    context: &ContextSelectionSet<'_>,
    out: &mut JsonText,
) -> Option<ServerResult<()>> {
    let mark = out.mark();
    let written = match object {
        Some(object) => write_selection_set(context, object, out)?,
        None => {
            out.push_raw("null");
            Ok(())
        }
    };
    Some(null_if_failed(written, is_nullable, mark, out))
}

async fn resolve_object(
    object: Option<&dyn DynObject>,
    is_nullable: bool,
    context: &ContextSelectionSet<'_>,
) -> ServerResult<JsonText> {
    match object {
        Some(object) => or_null(context, is_nullable, resolve_selection_set(context, object, false).await),
        None => Ok(JsonText::of(&())),
    }
}

/// Kind of a [`ListValue`].
#[derive(Clone, Copy)]
pub struct ListKind;

impl<T: ListValue> Kind<T> for ListKind {
    fn write(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
        out: &mut JsonText,
    ) -> Option<ServerResult<()>> {
        let Some(items) = value.items() else {
            out.push_raw("null");
            return Some(Ok(()));
        };
        let mark = out.mark();
        let written = write_list(&items, T::HAS_NULLABLE_ITEMS, context, field, out)?;
        Some(null_if_failed(written, T::IS_NULLABLE, mark, out))
    }

    fn resolve(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> impl Future<Output = ServerResult<JsonText>> + Send {
        resolve_optional_list(value.items(), T::IS_NULLABLE, T::HAS_NULLABLE_ITEMS, context, field)
    }
}

async fn resolve_optional_list(
    items: Option<Vec<Option<&dyn DynObject>>>,
    is_nullable: bool,
    has_nullable_items: bool,
    context: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
) -> ServerResult<JsonText> {
    let Some(items) = items else { return Ok(JsonText::of(&())) };
    or_null(context, is_nullable, resolve_list(&items, has_nullable_items, context, field).await)
}

fn or_null(
    context: &ContextSelectionSet<'_>,
    is_nullable: bool,
    result: ServerResult<JsonText>,
) -> ServerResult<JsonText> {
    match result {
        Err(error) if is_nullable => {
            add_error(context, error);
            Ok(JsonText::of(&()))
        }
        result => result,
    }
}

/// Kind of all other values, which async-graphql resolves.
#[derive(Clone, Copy)]
pub struct OutputKind;

impl<T: OutputType> Kind<T> for OutputKind {
    fn write(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
        out: &mut JsonText,
    ) -> Option<ServerResult<()>> {
        let resolved = OutputType::resolve(value, context, field).now_or_never()?;
        Some(resolved.map(|value| out.push(&value)))
    }

    async fn resolve(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<JsonText> {
        OutputType::resolve(value, context, field).await.map(|value| JsonText::of(&value))
    }
}

/// Selects the kind of a value by its type: `(&&Probe(&value)).kind()`. Method resolution takes the first trait that
/// applies: a leaf, then with one more reference an object or a list, then everything else.
pub struct Probe<'v, T>(pub &'v T);

/// A value that is a [`Leaf`].
pub trait ProbeLeaf {
    /// Returns the kind.
    fn kind(&self) -> LeafKind {
        LeafKind
    }
}

impl<T: Leaf> ProbeLeaf for Probe<'_, T> {}

/// A value that is an [`ObjectValue`].
pub trait ProbeObject {
    /// Returns the kind.
    fn kind(&self) -> ObjectKind {
        ObjectKind
    }
}

impl<T: ObjectValue> ProbeObject for &Probe<'_, T> {}

/// A value that is a [`ListValue`].
pub trait ProbeList {
    /// Returns the kind.
    fn kind(&self) -> ListKind {
        ListKind
    }
}

impl<T: ListValue> ProbeList for &Probe<'_, T> {}

/// Any other value.
pub trait ProbeOutput {
    /// Returns the kind.
    fn kind(&self) -> OutputKind {
        OutputKind
    }
}

impl<T: OutputType> ProbeOutput for &&Probe<'_, T> {}
