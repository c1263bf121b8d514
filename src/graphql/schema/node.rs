//! `node` and `nodes`: anything by its global id. What you may not see does not exist.

use std::borrow::Cow;

use async_graphql::{
    Context, ContextSelectionSet, ID, OutputType, Positioned, ServerResult, Value, parser::types::Field,
    registry::Registry,
};
use souk_macros::object;

use super::resource;
use crate::{
    error::{Error, Result, UserErrorCode},
    graphql::engine::objects::{self, Abstract, AbstractType, DynObject, register_interface},
    ids::{self, RowId},
    registry::domains,
};

/// Most ids of `nodes`.
const MAX_NODES: usize = 100;

macro_rules! nodes {
    ($($type:ident($id:ident) at $domain:ident $($module:ident)?;)*) => {
        /// Anything that has a global id.
        #[derive(Clone)]
        #[allow(missing_docs, reason = "each is named for the type that it holds")]
        pub enum AnyNode {$($type(super::$domain::$($module::)?$type),)*}

        impl OutputType for AnyNode {
            fn type_name() -> Cow<'static, str> {
                "Node".into()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                register_interface::<Self>(
                    registry,
                    "Anything that has a global id.",
                    &[("id", ID::qualified_type_name, "Opaque id, unique across all types.")],
                    &[$((super::$domain::$($module::)?$type::type_name, super::$domain::$($module::)?$type::create_type_info),)*],
                )
            }

            async fn resolve(&self, context: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
                objects::resolve_selection_set(context, self.concrete_object(), false).await
            }
        }

        impl AbstractType for AnyNode {
            fn concrete_object(&self) -> &dyn DynObject {
                match self { $(Self::$type(object) => object,)* }
            }
        }

        async fn find(ctx: &Context<'_>, field: &str, id: &str) -> Result<Option<Node>> {
            let invalid_id = || Error::bad_input(field.to_owned(), "this is not the id of anything");
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

/// Anything that has a global id, in the graph.
pub type Node = Abstract<AnyNode>;

/// `node` and `nodes`.
#[derive(Default)]
pub struct NodeQuery;

#[object]
impl NodeQuery {
    /// Anything by its id; null where there is no such thing, or not for you.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Result<Option<Node>> {
        find(ctx, "id", &id).await
    }

    /// Several things by their ids, at most 100, in the order of the ids; null for each that there is not.
    #[graphql(complexity = "ids.len() * child_complexity")]
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Their ids.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MAX_NODES {
            return Err(Error::user(UserErrorCode::OutOfRange, "ids", format!("give at most {MAX_NODES} ids")));
        }
        let finds =
            ids.iter().enumerate().map(|(index, id)| async move { find(ctx, &format!("ids.{index}"), id).await });
        futures_util::future::try_join_all(finds).await
    }
}
