//! A root type of the schema whose fields come from several objects, one for each domain.
//! Rule: a field belongs to exactly one of these parts; the part is found by the name of the field. The fields of a
//! mutation are nullable, so that the results of those that ran are returned beside one that failed.

use std::{borrow::Cow, collections::HashMap, marker::PhantomData, mem};

use async_graphql::{
    ContainerType, Context, ContextSelectionSet, ObjectType, OutputType, Positioned, Response, ServerResult,
    SubscriptionType, Value,
    indexmap::IndexMap,
    parser::types::Field,
    registry::{MetaField, MetaType, MetaTypeId, Registry},
};

use futures_util::stream::{self, BoxStream, StreamExt};

use super::{
    DynObject, FieldFuture, JsonText,
    registration::{meta_object, non_null, nullable},
    resolve_field, resolve_value, unknown_field,
};
use crate::sync::lock;

/// Which fields of a root type are nullable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nullability {
    /// Those that are declared so, and those with a guard.
    Declared,
    /// All.
    All,
    /// None. A field that is null says that there is no event for the viewer, and is not sent.
    None,
}

/// The parts of a root type; implemented by [`root!`](root).
pub trait RootParts: Send + Sync + 'static {
    /// Name of the root type.
    const NAME: &'static str;

    /// Description of the root type.
    const DESCRIPTION: &'static str;

    /// Which fields are nullable.
    const NULLABILITY: Nullability;

    /// Returns the parts.
    fn parts() -> Vec<Box<dyn DynObject>>;

    /// Adds the fields of the parts.
    fn register(registry: &mut Registry, fields: &mut IndexMap<String, MetaField>);
}

/// Returns the fields of an object without registering it as a type.
pub fn fields_of<T: OutputType>(registry: &mut Registry) -> IndexMap<String, MetaField> {
    match registry.create_fake_output_type::<T>() {
        MetaType::Object { fields, .. } => fields,
        _ => IndexMap::new(),
    }
}

/// Declares a root type and its parts: `Query { … }`; `nullable Mutation { … }` if all of its fields are nullable;
/// `events Subscription { … }` if none is.
macro_rules! root {
    ($(#[doc = $doc:literal])* nullable $root:ident { $($part:path,)* }) => {
        $crate::graphql::engine::objects::root! { @All, $(#[doc = $doc])* $root { $($part,)* } }
    };
    ($(#[doc = $doc:literal])* events $root:ident { $($part:path,)* }) => {
        $crate::graphql::engine::objects::root! { @None, $(#[doc = $doc])* $root { $($part,)* } }
    };
    ($(#[doc = $doc:literal])* $root:ident { $($part:path,)* }) => {
        $crate::graphql::engine::objects::root! { @Declared, $(#[doc = $doc])* $root { $($part,)* } }
    };
    (@$nullability:ident, $(#[doc = $doc:literal])* $root:ident { $($part:path,)* }) => {
        $(#[doc = $doc])*
        pub struct $root;

        impl $crate::graphql::engine::objects::RootParts for $root {
            const NAME: &'static str = stringify!($root);
            const DESCRIPTION: &'static str = concat!($($doc),*);
            const NULLABILITY: $crate::graphql::engine::objects::Nullability =
                $crate::graphql::engine::objects::Nullability::$nullability;

            fn parts() -> Vec<Box<dyn $crate::graphql::engine::objects::DynObject>> {
                vec![$(Box::new(<$part>::default())),*]
            }

            fn register(
                registry: &mut async_graphql::registry::Registry,
                fields: &mut async_graphql::indexmap::IndexMap<String, async_graphql::registry::MetaField>,
            ) {
                $(fields.extend($crate::graphql::engine::objects::fields_of::<$part>(registry));)*
            }
        }
    };
}
pub(crate) use root;

/// A root type that consists of its parts.
pub struct MergedRoot<R> {
    parts: Vec<Box<dyn DynObject>>,
    /// Index of the part by the name of the field.
    part_indexes: HashMap<&'static str, usize>,
    root: PhantomData<R>,
}

impl<R: RootParts> Default for MergedRoot<R> {
    fn default() -> Self {
        let parts = R::parts();
        let mut part_indexes = HashMap::new();
        for (index, part) in parts.iter().enumerate() {
            for field in part.fields() {
                assert!(part_indexes.insert(*field, index).is_none(), "{} has two fields {field}", R::NAME);
            }
        }
        Self { parts, part_indexes, root: PhantomData }
    }
}

impl<R> MergedRoot<R> {
    fn part(&self, field: &Field) -> Option<&dyn DynObject> {
        self.part_indexes.get(field.name.node.as_str()).map(|index| &*self.parts[*index])
    }
}

impl<R: RootParts> MergedRoot<R> {
    fn meta_type(registry: &mut Registry) -> MetaType {
        let mut fields = IndexMap::new();
        R::register(registry, &mut fields);
        let with_nullability = |field| match R::NULLABILITY {
            Nullability::Declared => field,
            Nullability::All => nullable(field),
            Nullability::None => non_null(field),
        };
        let fields = fields.into_iter().map(|(name, field)| (name, with_nullability(field))).collect();
        let description = Some(R::DESCRIPTION.trim().to_owned());
        meta_object(R::NAME.to_owned(), description, fields, std::any::type_name::<Self>())
    }
}

impl<R: RootParts> DynObject for MergedRoot<R> {
    fn name(&self) -> Cow<'static, str> {
        R::NAME.into()
    }

    fn fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn write_field(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
        out: &mut JsonText,
    ) -> Option<ServerResult<()>> {
        self.part(&field.node)?.write_field(context, field, out)
    }

    fn resolve_async<'a>(&'a self, context: Context<'a>) -> FieldFuture<'a> {
        match self.part(&context.item.node) {
            Some(part) => part.resolve_async(context),
            None => unknown_field(),
        }
    }
}

impl<R: RootParts> OutputType for MergedRoot<R> {
    fn type_name() -> Cow<'static, str> {
        R::NAME.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, Self::meta_type)
    }

    async fn resolve(&self, context: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_value(context, self).await
    }
}

impl<R: RootParts> ContainerType for MergedRoot<R> {
    async fn resolve_field(&self, context: &Context<'_>) -> ServerResult<Option<Value>> {
        resolve_field(self, context).await
    }
}

impl<R: RootParts> ObjectType for MergedRoot<R> {}

/// A subscription is executed once for each event: its stream has one response.
impl<R: RootParts> SubscriptionType for MergedRoot<R> {
    fn type_name() -> Cow<'static, str> {
        R::NAME.into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_subscription_type::<Self, _>(Self::meta_type)
    }

    fn create_field_stream<'a>(&'a self, context: &'a Context<'_>) -> Option<BoxStream<'a, Response>> {
        let execution = async move {
            let resolved = resolve_field(self, context).await;
            let errors = mem::take(&mut *lock(&context.query_env.errors));
            let failure = resolved.err().into_iter();
            Response::from_errors(failure.chain(errors).collect())
        };
        Some(stream::once(execution).boxed())
    }
}
