//! How the value of a field becomes a value of the response.
//! Rule: what is compiled for each type is only the conversion of a [`Leaf`]; objects and lists are resolved by one
//! function each, which knows them as [`DynObject`] and [`Item`].

use std::future::ready;

use async_graphql::{
    Context, ContextSelectionSet, ID, OutputType, Positioned, ServerResult, Value, parser::types::Field,
};
use chrono::{DateTime, Utc};
use futures_util::{FutureExt, future::try_join_all};

use super::{Abstract, AbstractType, DynObject, FieldFuture, resolve_selection_set};

/// A scalar that is a value by itself, or a list of such scalars.
pub trait Leaf: Send + Sync {
    /// The value in the response.
    fn to_value(&self) -> Value;
}

impl Leaf for bool {
    fn to_value(&self) -> Value {
        Value::Boolean(*self)
    }
}

impl Leaf for i32 {
    fn to_value(&self) -> Value {
        Value::Number((*self).into())
    }
}

impl Leaf for i64 {
    fn to_value(&self) -> Value {
        Value::Number((*self).into())
    }
}

impl Leaf for str {
    fn to_value(&self) -> Value {
        Value::String(self.to_owned())
    }
}

impl Leaf for String {
    fn to_value(&self) -> Value {
        Value::String(self.clone())
    }
}

impl Leaf for ID {
    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl Leaf for DateTime<Utc> {
    fn to_value(&self) -> Value {
        Value::String(self.to_rfc3339())
    }
}

impl<T: Leaf + ?Sized> Leaf for &T {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}

impl<T: Leaf> Leaf for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, Leaf::to_value)
    }
}

impl<T: Leaf> Leaf for [T] {
    fn to_value(&self) -> Value {
        Value::List(self.iter().map(Leaf::to_value).collect())
    }
}

impl<T: Leaf> Leaf for Vec<T> {
    fn to_value(&self) -> Value {
        self.as_slice().to_value()
    }
}

/// An object, or none where the type is nullable; `#[object]` implements it for its type.
pub trait Object: Send + Sync {
    /// Whether null takes the place of an object that cannot be resolved.
    const IS_NULLABLE: bool = false;

    /// The object.
    fn as_object(&self) -> Option<&dyn DynObject>;
}

impl<T: AbstractType + Send + Sync> Object for Abstract<T> {
    fn as_object(&self) -> Option<&dyn DynObject> {
        Some(self.0.concrete_object())
    }
}

impl<T: Object> Object for &T {
    const IS_NULLABLE: bool = T::IS_NULLABLE;

    fn as_object(&self) -> Option<&dyn DynObject> {
        (**self).as_object()
    }
}

impl<T: Object> Object for Option<T> {
    const IS_NULLABLE: bool = true;

    fn as_object(&self) -> Option<&dyn DynObject> {
        self.as_ref()?.as_object()
    }
}

/// A value in a list, without its type.
pub trait Item: Send + Sync {
    /// The result of the value.
    fn resolve<'a>(&'a self, context: &'a ContextSelectionSet<'_>, field: &'a Positioned<Field>) -> FieldFuture<'a>;
}

impl<T: OutputType> Item for T {
    fn resolve<'a>(&'a self, context: &'a ContextSelectionSet<'_>, field: &'a Positioned<Field>) -> FieldFuture<'a> {
        Box::pin(OutputType::resolve(self, context, field))
    }
}

/// A list, or none where the type is nullable.
pub trait List: Send + Sync {
    /// Whether null takes the place of a list that cannot be resolved.
    const IS_NULLABLE: bool = false;

    /// The values.
    fn items(&self) -> Option<Vec<&dyn Item>>;
}

impl<T: OutputType> List for Vec<T> {
    fn items(&self) -> Option<Vec<&dyn Item>> {
        Some(self.iter().map(|item| item as &dyn Item).collect())
    }
}

impl<T: List> List for &T {
    const IS_NULLABLE: bool = T::IS_NULLABLE;

    fn items(&self) -> Option<Vec<&dyn Item>> {
        (**self).items()
    }
}

impl<T: List> List for Option<T> {
    const IS_NULLABLE: bool = true;

    fn items(&self) -> Option<Vec<&dyn Item>> {
        self.as_ref()?.items()
    }
}

/// How values of a kind are resolved.
pub trait Kind<T: Send + Sync>: Copy + Send + Sync + 'static {
    /// The result of a value in the context of its selections.
    fn resolve(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> impl Future<Output = ServerResult<Value>> + Send;

    /// The result of a field, if nothing has to be awaited.
    fn resolve_sync(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> Option<ServerResult<Value>> {
        let context = context.with_field(field);
        let context = context.with_selection_set(&field.node.selection_set);
        self.resolve(value, &context, field).now_or_never()
    }

    /// The result of a field.
    fn complete(self, value: &T, context: &Context<'_>) -> impl Future<Output = ServerResult<Value>> + Send {
        async move {
            let field = context.item;
            self.resolve(value, &context.with_selection_set(&field.node.selection_set), field).await
        }
    }

    /// The result of a field whose value is at hand.
    fn resolve_async<'a>(self, value: T, context: Context<'a>) -> FieldFuture<'a>
    where
        T: 'a,
    {
        Box::pin(async move { self.complete(&value, &context).await })
    }
}

/// The kind of a [`Leaf`].
#[derive(Clone, Copy)]
pub struct LeafKind;

impl<T: Leaf> Kind<T> for LeafKind {
    fn resolve(
        self,
        value: &T,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> impl Future<Output = ServerResult<Value>> + Send {
        ready(Ok(value.to_value()))
    }

    fn resolve_sync(
        self,
        value: &T,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> Option<ServerResult<Value>> {
        Some(Ok(value.to_value()))
    }

    fn complete(self, value: &T, _: &Context<'_>) -> impl Future<Output = ServerResult<Value>> + Send {
        ready(Ok(value.to_value()))
    }

    fn resolve_async<'a>(self, value: T, _: Context<'a>) -> FieldFuture<'a>
    where
        T: 'a,
    {
        Box::pin(ready(Ok(value.to_value())))
    }
}

/// The kind of an [`Object`].
#[derive(Clone, Copy)]
pub struct ObjectKind;

impl<T: Object> Kind<T> for ObjectKind {
    fn resolve(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> impl Future<Output = ServerResult<Value>> + Send {
        resolve_object(value.as_object(), T::IS_NULLABLE, context)
    }
}

async fn resolve_object(
    object: Option<&dyn DynObject>,
    is_nullable: bool,
    context: &ContextSelectionSet<'_>,
) -> ServerResult<Value> {
    match object {
        Some(object) => or_null(context, is_nullable, resolve_selection_set(context, object, false).await),
        None => Ok(Value::Null),
    }
}

/// The kind of a [`List`].
#[derive(Clone, Copy)]
pub struct ListKind;

impl<T: List> Kind<T> for ListKind {
    fn resolve(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> impl Future<Output = ServerResult<Value>> + Send {
        resolve_list(value.items(), T::IS_NULLABLE, context, field)
    }
}

async fn resolve_list(
    items: Option<Vec<&dyn Item>>,
    is_nullable: bool,
    context: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
) -> ServerResult<Value> {
    let Some(items) = items else { return Ok(Value::Null) };
    let contexts: Vec<_> = (0..items.len()).map(|index| context.with_index(index)).collect();
    let results = items.into_iter().zip(&contexts).map(|(item, context)| async move {
        item.resolve(context, field).await.map_err(|error| context.set_error_path(error))
    });
    or_null(context, is_nullable, try_join_all(results).await.map(Value::List))
}

fn or_null(context: &ContextSelectionSet<'_>, is_nullable: bool, result: ServerResult<Value>) -> ServerResult<Value> {
    match result {
        Err(error) if is_nullable => {
            context.add_error(error);
            Ok(Value::Null)
        }
        result => result,
    }
}

/// The kind of everything else, which async-graphql resolves.
#[derive(Clone, Copy)]
pub struct OutputKind;

impl<T: OutputType> Kind<T> for OutputKind {
    fn resolve(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> impl Future<Output = ServerResult<Value>> + Send {
        value.resolve(context, field)
    }
}

/// Finds the kind of a value by its type: `(&&Probe(&value)).kind()`. Method resolution takes the first trait that fits:
/// that of a leaf, then with one more reference those of an object and of a list, then that of everything else.
pub struct Probe<'v, T>(pub &'v T);

/// A value that is a [`Leaf`].
pub trait ProbeLeaf {
    /// Its kind.
    fn kind(&self) -> LeafKind {
        LeafKind
    }
}

impl<T: Leaf> ProbeLeaf for Probe<'_, T> {}

/// A value that is an [`Object`].
pub trait ProbeObject {
    /// Its kind.
    fn kind(&self) -> ObjectKind {
        ObjectKind
    }
}

impl<T: Object> ProbeObject for &Probe<'_, T> {}

/// A value that is a [`List`].
pub trait ProbeList {
    /// Its kind.
    fn kind(&self) -> ListKind {
        ListKind
    }
}

impl<T: List> ProbeList for &Probe<'_, T> {}

/// Any other value.
pub trait ProbeOutput {
    /// Its kind.
    fn kind(&self) -> OutputKind {
        OutputKind
    }
}

impl<T: OutputType> ProbeOutput for &&Probe<'_, T> {}
