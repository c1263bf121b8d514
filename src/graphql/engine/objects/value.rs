//! Conversion of field values to response values.
//! Rule: only the conversion of a [`Leaf`] is compiled for each type; objects and lists are resolved by one function
//! each, through [`DynObject`] and [`Item`].

use std::future::ready;

use async_graphql::{
    Context, ContextSelectionSet, ID, OutputType, Positioned, ServerResult, Value, parser::types::Field,
};
use chrono::{DateTime, Utc};
use futures_util::{FutureExt, future::try_join_all};

use super::{Abstract, AbstractType, DynObject, FieldFuture, resolve_selection_set};
use crate::graphql::engine::budget::{Budget, add_error};

/// A scalar, or a list of scalars, that needs no resolution.
pub trait Leaf: Send + Sync {
    /// Returns the response value.
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

/// An object or, if the type is nullable, an optional object; implemented by `#[object]`.
pub trait ObjectValue: Send + Sync {
    /// Whether an object that cannot be resolved becomes null.
    const IS_NULLABLE: bool = false;

    /// Returns the object.
    fn as_object(&self) -> Option<&dyn DynObject>;
}

impl<T: AbstractType + Send + Sync> ObjectValue for Abstract<T> {
    fn as_object(&self) -> Option<&dyn DynObject> {
        Some(self.0.concrete_object())
    }
}

impl<T: ObjectValue> ObjectValue for &T {
    const IS_NULLABLE: bool = T::IS_NULLABLE;

    fn as_object(&self) -> Option<&dyn DynObject> {
        (**self).as_object()
    }
}

impl<T: ObjectValue> ObjectValue for Option<T> {
    const IS_NULLABLE: bool = true;

    fn as_object(&self) -> Option<&dyn DynObject> {
        self.as_ref()?.as_object()
    }
}

/// An item of a list independent of its type.
pub trait Item: Send + Sync {
    /// Resolves the item.
    fn resolve<'a>(&'a self, context: &'a ContextSelectionSet<'_>, field: &'a Positioned<Field>) -> FieldFuture<'a>;
}

impl<T: OutputType> Item for T {
    fn resolve<'a>(&'a self, context: &'a ContextSelectionSet<'_>, field: &'a Positioned<Field>) -> FieldFuture<'a> {
        Box::pin(OutputType::resolve(self, context, field))
    }
}

/// A list or, if the type is nullable, an optional list.
pub trait ListValue: Send + Sync {
    /// Whether a list that cannot be resolved becomes null.
    const IS_NULLABLE: bool = false;

    /// Returns the items.
    fn items(&self) -> Option<Vec<&dyn Item>>;
}

impl<T: OutputType> ListValue for Vec<T> {
    fn items(&self) -> Option<Vec<&dyn Item>> {
        Some(self.iter().map(|item| item as &dyn Item).collect())
    }
}

impl<T: ListValue> ListValue for &T {
    const IS_NULLABLE: bool = T::IS_NULLABLE;

    fn items(&self) -> Option<Vec<&dyn Item>> {
        (**self).items()
    }
}

impl<T: ListValue> ListValue for Option<T> {
    const IS_NULLABLE: bool = true;

    fn items(&self) -> Option<Vec<&dyn Item>> {
        self.as_ref()?.items()
    }
}

/// Resolves values of one kind.
pub trait Kind<T: Send + Sync>: Copy + Send + Sync + 'static {
    /// Resolves a value in the context of its selection set.
    fn resolve(
        self,
        value: &T,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> impl Future<Output = ServerResult<Value>> + Send;

    /// Resolves a field, if that needs no waiting.
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

    /// Resolves a field.
    fn complete(self, value: &T, context: &Context<'_>) -> impl Future<Output = ServerResult<Value>> + Send {
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

/// Kind of an [`ObjectValue`].
#[derive(Clone, Copy)]
pub struct ObjectKind;

impl<T: ObjectValue> Kind<T> for ObjectKind {
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

/// Kind of a [`ListValue`].
#[derive(Clone, Copy)]
pub struct ListKind;

impl<T: ListValue> Kind<T> for ListKind {
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
    if let Err(error) = count_objects(items.len(), context, field) {
        return or_null(context, is_nullable, Err(error));
    }
    let contexts: Vec<_> = (0..items.len()).map(|index| context.with_index(index)).collect();
    let results = items.into_iter().zip(&contexts).map(|(item, context)| async move {
        item.resolve(context, field).await.map_err(|error| context.set_error_path(error))
    });
    or_null(context, is_nullable, try_join_all(results).await.map(Value::List))
}

/// Counts the items of a list towards the budget of the request. Items without a selection are scalars.
fn count_objects(items: usize, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<()> {
    let Some(budget) = context.data_opt::<Budget>().filter(|_| !context.item.node.items.is_empty()) else {
        return Ok(());
    };
    budget.add_objects(items).map_err(|mut error| {
        error.locations.push(field.pos);
        context.set_error_path(error)
    })
}

fn or_null(context: &ContextSelectionSet<'_>, is_nullable: bool, result: ServerResult<Value>) -> ServerResult<Value> {
    match result {
        Err(error) if is_nullable => {
            add_error(context, error);
            Ok(Value::Null)
        }
        result => result,
    }
}

/// Kind of all other values, which async-graphql resolves.
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
