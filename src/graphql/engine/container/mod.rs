//! The container of Souk's objects: answers fields in the order of the query, as the specification
//! wants, and resolves plain fields on the spot, without a boxed future for each.
//!
//! The one rule: every object of the graph is an [`Ordered`], every interface and union a [`OneOf`],
//! and every operation runs through [`execute`] or [`Root`]. Extensions of the library do not see
//! the fields resolved here.

mod answer;
mod root;

use std::{borrow::Cow, ops::Deref};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, ServerResult, Value,
    parser::types::Field, registry::Registry,
};
use futures_util::future::{BoxFuture, FutureExt};

use answer::{answer, by_library, has_directives};
pub use root::{Root, execute};

/// An object whose plain fields are known.
pub trait Plain: ObjectType {
    /// GraphQL names of the fields whose resolvers never wait. The resolvers run as ever, guards and
    /// arguments included; one that waits after all is started anew, so it must not write.
    const PLAIN: &'static [&'static str] = &[];

    /// The value of a plain field at hand, for the fields that lists show most: it skips the resolver, so it must be what
    /// the resolver answers, and never that of a field with a guard.
    fn leaf(&self, field: &str) -> Option<Value> {
        let _ = field;
        None
    }
}

/// An object that answers its fields in the order of the query. The schema is the same as without it.
#[derive(Clone, Debug, Default)]
pub struct Ordered<T>(pub T);

/// An interface or a union that answers as the object in it. The schema is the same as without it.
#[derive(Clone, Debug)]
pub struct OneOf<T>(pub T);

/// The enum behind an interface or a union.
pub trait Members: OutputType {
    /// The object in it: each variant holds an [`Ordered`].
    fn member(&self) -> &dyn Member;
}

/// An object as the container sees it, without its type. Only [`Ordered`] implements it.
pub trait Member: Send + Sync {
    /// GraphQL name of the object's type.
    fn name(&self) -> Cow<'static, str>;

    /// The result of a plain field; nothing if the field has to be awaited.
    fn now(&self, ctx: &ContextSelectionSet, field: &Positioned<Field>) -> Option<ServerResult<Value>>;

    /// The result of any field.
    fn later<'a>(
        &'a self,
        ctx: &'a ContextSelectionSet<'a>,
        field: &'a Positioned<Field>,
    ) -> BoxFuture<'a, ServerResult<Value>>;
}

impl<T: Plain> Member for Ordered<T> {
    fn name(&self) -> Cow<'static, str> {
        T::type_name()
    }

    fn now(&self, ctx: &ContextSelectionSet, field: &Positioned<Field>) -> Option<ServerResult<Value>> {
        let name = field.node.name.node.as_str();
        if has_directives(field) {
            return None;
        }
        if let Some(value) = self.0.leaf(name) {
            return Some(Ok(value));
        }
        if !T::PLAIN.contains(&name) {
            return None;
        }
        let result = self.0.resolve_field(&ctx.with_field(field)).now_or_never()?;
        Some(result.map(Option::unwrap_or_default))
    }

    fn later<'a>(
        &'a self,
        ctx: &'a ContextSelectionSet<'a>,
        field: &'a Positioned<Field>,
    ) -> BoxFuture<'a, ServerResult<Value>> {
        if has_directives(field) {
            return Box::pin(by_library(ctx, field, &self.0));
        }
        Box::pin(async move {
            let result = self.0.resolve_field(&ctx.with_field(field)).await;
            result.map(Option::unwrap_or_default)
        })
    }
}

impl<T> Deref for Ordered<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> From<T> for Ordered<T> {
    fn from(object: T) -> Self {
        Self(object)
    }
}

impl<T> From<T> for OneOf<T> {
    fn from(member: T) -> Self {
        Self(member)
    }
}

impl<T: Plain> OutputType for Ordered<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        answer(ctx, self, false).await
    }
}

impl<T: Plain> ContainerType for Ordered<T> {
    fn is_empty() -> bool {
        T::is_empty()
    }

    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        match Root::of(ctx) {
            Some(root) => root.answer(ctx, self).await,
            None => self.0.resolve_field(ctx).await,
        }
    }
}

impl<T: Plain> ObjectType for Ordered<T> {}

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
