//! `node` and `nodes`: any resource by its global ID. A resource that the viewer may not see is reported as missing.

use std::borrow::Cow;

use async_graphql::{
    Context, ContextSelectionSet, ID, OutputType, Positioned, ServerResult, Value, parser::types::Field,
    registry::Registry,
};
use souk_macros::object;

use super::resource;
use crate::{
    error::{Error, Result, UserErrorCode},
    graphql::engine::objects::{self, Abstract, AbstractType, DynObject, register_interface, register_union},
    ids::{self, RowId},
    registry::domains,
};

/// Maximum number of ids of `nodes`.
const MAX_NODES: usize = 100;

macro_rules! nodes {
    ($($type:ident($id:ident) at $domain:ident $($module:ident)?;)*) => {
        /// Any object with a global ID.
        #[derive(Clone)]
        #[allow(missing_docs, reason = "each variant is named after the type it holds")]
        pub enum AnyNode {$($type(super::$domain::$($module::)?$type),)*}

        impl OutputType for AnyNode {
            fn type_name() -> Cow<'static, str> {
                "Node".into()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                register_interface::<Self>(
                    registry,
                    "An object with a global ID.",
                    &[("id", ID::qualified_type_name, "Opaque global ID.")],
                    &[$((super::$domain::$($module::)?$type::type_name, super::$domain::$($module::)?$type::create_type_info),)*],
                )
            }

            async fn resolve(&self, context: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
                objects::resolve_value(context, self.concrete_object()).await
            }
        }

        impl AbstractType for AnyNode {
            fn concrete_object(&self) -> &dyn DynObject {
                match self { $(Self::$type(object) => object,)* }
            }
        }

        impl OutputType for AnyEntity {
            fn type_name() -> Cow<'static, str> {
                "_Entity".into()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                register_union::<Self>(
                    registry,
                    "An entity of the subgraph.",
                    &[$((super::$domain::$($module::)?$type::type_name, super::$domain::$($module::)?$type::create_type_info),)*],
                )
            }

            async fn resolve(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
                self.0.resolve(context, field).await
            }
        }

        async fn find(ctx: &Context<'_>, field: &str, id: &str) -> Result<Option<Node>> {
            let invalid_id = || Error::bad_input(field.to_owned(), "not a valid ID");
            let (name, key) = ids::decode(id).ok_or_else(invalid_id)?;
            let found = match name.as_str() {
                $(ids::$id::TYPE => resource::find(ctx, key).await?.map(AnyNode::$type),)*
                _ => return Err(invalid_id()),
            };
            Ok(found.map(Abstract))
        }
    };
}

domains!(objects => nodes);

/// Any object with a global ID, as a member of the union of all entities of a subgraph.
#[derive(Clone)]
pub struct AnyEntity(AnyNode);

impl AbstractType for AnyEntity {
    fn concrete_object(&self) -> &dyn DynObject {
        self.0.concrete_object()
    }
}

/// The `_Entity` union.
pub type Entity = Abstract<AnyEntity>;

/// Returns the entity of a type with this ID; none if the ID is that of another type.
/// # Errors
/// A user error if the ID is not valid.
pub async fn find_entity(ctx: &Context<'_>, field: &str, type_name: &str, id: &str) -> Result<Option<Entity>> {
    let found = find(ctx, field, id).await?;
    Ok(found.filter(|found| found.0.concrete_object().name() == type_name).map(|found| Abstract(AnyEntity(found.0))))
}

/// The `Node` interface.
pub type Node = Abstract<AnyNode>;

/// Queries of any resource by its ID.
#[derive(Default)]
pub struct NodeQuery;

#[object]
impl NodeQuery {
    /// Returns a resource of any type by its ID. Null if it does not exist or the viewer may not see it.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "ID of the resource.")] id: ID) -> Result<Option<Node>> {
        find(ctx, "id", &id).await
    }

    /// Returns up to 100 resources of any type in the order of the IDs. An entry is null if the resource does not exist
    /// or the viewer may not see it.
    #[graphql(complexity = "ids.len() * child_complexity")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "IDs of the resources, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MAX_NODES {
            return Err(Error::user(UserErrorCode::OutOfRange, "ids", format!("must have at most {MAX_NODES} values")));
        }
        let finds =
            ids.iter().enumerate().map(|(index, id)| async move { find(ctx, &format!("ids.{index}"), id).await });
        futures_util::future::try_join_all(finds).await
    }
}
