//! Resolution of GraphQL objects: fields are returned in the order of the query, as the specification requires, and
//! fields whose value is already available are resolved without a future.
//! Rule: every object of the schema is declared with [`object`](souk_macros::object), every interface and union is an
//! [`Abstract`], and every operation runs through [`execute`] or [`RootResolver`]. Extensions of async-graphql do not
//! see the fields resolved here, and the schema defines no directives on fields.

mod json_text;
mod kind;
mod list;
mod merged_root;
mod registration;
mod root;
mod selected_fields;
mod selection_set;
mod value;
mod waiting;

use std::{borrow::Cow, future::ready};

use async_graphql::{
    Context, ContextSelectionSet, Error, OutputType, Positioned, ServerError, ServerResult, Value,
    parser::types::Field, registry::Registry,
};
use futures_util::future::BoxFuture;

pub use futures_util::FutureExt;

pub use json_text::JsonText;
pub use kind::{Kind, Probe, ProbeLeaf, ProbeList, ProbeObject, ProbeOutput};
pub(crate) use merged_root::root;
pub use merged_root::{MergedRoot, Nullability, RootParts, fields_of};
pub use registration::{ArgumentInfo, FieldInfo, meta_argument, register_interface, register_object, register_union};
pub use root::{RootResolver, execute};
pub use selection_set::resolve_selection_set;
pub use value::{Leaf, ListValue, ObjectValue};

/// The pending result of a field.
pub type FieldFuture<'a> = BoxFuture<'a, ServerResult<JsonText>>;

/// A GraphQL object independent of its Rust type; implemented by `#[object]`.
pub trait DynObject: Send + Sync {
    /// Returns the name of the GraphQL type.
    fn name(&self) -> Cow<'static, str>;

    /// Returns the names of the fields.
    fn fields(&self) -> &'static [&'static str];

    /// Writes a field whose value is available; returns none if it is not, and then leaves what it wrote to the caller.
    fn write_field(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
        out: &mut JsonText,
    ) -> Option<ServerResult<()>>;

    /// Resolves any field.
    fn resolve_async<'a>(&'a self, context: Context<'a>) -> FieldFuture<'a>;
}

/// An interface or a union that resolves as its concrete object. It does not change the schema.
#[derive(Clone, Debug)]
pub struct Abstract<T>(pub T);

/// The enum behind an interface or a union.
pub trait AbstractType: OutputType {
    /// Returns the concrete object.
    fn concrete_object(&self) -> &dyn DynObject;
}

impl<T> From<T> for Abstract<T> {
    fn from(member: T) -> Self {
        Self(member)
    }
}

impl<T: AbstractType> OutputType for Abstract<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_value(ctx, self.0.concrete_object()).await
    }
}

/// Resolves an object on behalf of async-graphql, which resolves the types that this module does not know, such as lists of
/// lists.
/// # Errors
/// Those of the object.
pub async fn resolve_value(ctx: &ContextSelectionSet<'_>, object: &dyn DynObject) -> ServerResult<Value> {
    resolve_selection_set(ctx, object, false).await.map(|json| json.to_value())
}

/// Resolves a field on behalf of async-graphql. The first root field resolves the whole operation.
/// # Errors
/// Those of the field.
pub async fn resolve_field(object: &dyn DynObject, context: &Context<'_>) -> ServerResult<Option<Value>> {
    match RootResolver::from_context(context) {
        Some(root) => root.resolve(context, object).await,
        None => object.resolve_async(context.clone()).await.map(|json| Some(json.to_value())),
    }
}

/// Converts a resolver's error, with the position of its field.
pub fn field_error(context: &Context<'_>, error: impl Into<Error>) -> ServerError {
    error.into().into_server_error(context.item.pos)
}

/// Returns the result of a field that failed synchronously.
pub fn error_result(
    context: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
    error: impl Into<Error>,
) -> Option<ServerResult<()>> {
    let context = context.with_field(field);
    Some(Err(error_at(&context, error)))
}

/// Like [`error_result`], in the context of the field.
pub fn error_future<'a>(context: &Context<'a>, error: impl Into<Error>) -> FieldFuture<'a> {
    Box::pin(ready(Err(error_at(context, error))))
}

fn error_at(context: &Context<'_>, error: impl Into<Error>) -> ServerError {
    context.set_error_path(field_error(context, error))
}

/// Returns the result of a field that the object does not have.
pub fn unknown_field<'a>() -> FieldFuture<'a> {
    Box::pin(ready(Ok(JsonText::of(&()))))
}
