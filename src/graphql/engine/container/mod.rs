//! The container of Souk's objects: answers fields in the order of the query, as the specification
//! wants, and resolves fields whose value is at hand without a future.
//!
//! The one rule: every object of the schema is declared with [`object`](souk_macros::object), every interface and union
//! is a [`OneOf`], and every operation runs through [`execute`] or [`Root`]. Extensions of async-graphql do not see the
//! fields resolved here, and the schema has no directives of its own on fields.

mod answer;
mod merged;
mod register;
mod root;
mod value;

use std::{borrow::Cow, future::ready};

use async_graphql::{
    Context, ContextSelectionSet, Error, OutputType, Positioned, ServerError, ServerResult, Value,
    parser::types::Field, registry::Registry,
};
use futures_util::future::BoxFuture;

pub use futures_util::FutureExt;

pub use answer::answer;
pub(crate) use merged::root;
pub use merged::{Merged, Parts, fields_of};
pub use register::{ArgumentInfo, FieldInfo, argument_info, register, register_interface};
pub use root::{Root, execute};
pub use value::{Kind, Leaf, Object, Probe, ProbeLeaf, ProbeList, ProbeObject, ProbeOutput};

/// A field that is being resolved.
pub type Resolving<'a> = BoxFuture<'a, ServerResult<Value>>;

/// An object of the schema without its Rust type; `#[object]` implements it.
pub trait Member: Send + Sync {
    /// Name of the GraphQL type.
    fn name(&self) -> Cow<'static, str>;

    /// Names of its fields.
    fn fields(&self) -> &'static [&'static str];

    /// The result of a field whose value is at hand; `None` if the field has to be awaited.
    fn now(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> Option<ServerResult<Value>>;

    /// The result of any field.
    fn later<'a>(&'a self, context: Context<'a>) -> Resolving<'a>;
}

/// An interface or a union that answers as the object in it. The schema is the same as without it.
#[derive(Clone, Debug)]
pub struct OneOf<T>(pub T);

/// The enum behind an interface or a union.
pub trait Members: OutputType {
    /// The object in it.
    fn member(&self) -> &dyn Member;
}

impl<T> From<T> for OneOf<T> {
    fn from(member: T) -> Self {
        Self(member)
    }
}

impl<T: Members> OutputType for OneOf<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        answer(ctx, self.0.member(), false).await
    }
}

/// Resolves a field of an object that async-graphql asks for: the first root field answers the whole operation.
/// # Errors
/// Those of the field.
pub async fn resolve_field(object: &dyn Member, context: &Context<'_>) -> ServerResult<Option<Value>> {
    match Root::of(context) {
        Some(root) => root.answer(context, object).await,
        None => object.later(context.clone()).await.map(Some),
    }
}

/// A resolver's error at its field.
pub fn field_error(context: &Context<'_>, error: impl Into<Error>) -> ServerError {
    error.into().into_server_error(context.item.pos)
}

/// The result of a field that failed on the spot.
pub fn failed(
    context: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
    error: impl Into<Error>,
) -> Option<ServerResult<Value>> {
    let context = context.with_field(field);
    Some(failed_at(&context, error))
}

/// As [`failed`], in the context of the field.
pub fn failed_later<'a>(context: &Context<'a>, error: impl Into<Error>) -> Resolving<'a> {
    Box::pin(ready(failed_at(context, error)))
}

fn failed_at(context: &Context<'_>, error: impl Into<Error>) -> ServerResult<Value> {
    Err(context.set_error_path(field_error(context, error)))
}

/// The result of a field that the object does not have.
pub fn unknown<'a>() -> Resolving<'a> {
    Box::pin(ready(Ok(Value::Null)))
}
