//! The server as a subgraph of an Apollo Federation: `_service` and `_entities`, which gateways query.
//! Rule: an entity is what `node` returns, for the same viewers. The schema that clients see has no fields for gateways, because code
//! generators would ask for the scalar `_Any`.

use std::marker::PhantomData;

use async_graphql::{
    Context, InputValueError, InputValueResult, Scalar, ScalarType, Value,
    indexmap::IndexMap,
    registry::{MetaField, Registry},
};
use souk_macros::object;

use super::{
    context::ContextExt,
    node::{self, Entity},
};
use crate::{
    error::{Error, Result, UserErrorCode},
    graphql::engine::objects::{DynObject, Nullability, RootParts, fields_of},
};

/// Name of the field that returns the schema definition.
pub const SERVICE_FIELD: &str = "_service";

/// Maximum number of representations of `_entities`. A gateway sends those of all lists of an operation together.
const MAX_REPRESENTATIONS: usize = 1_000;

/// The reference of a gateway to an entity: its type, as `__typename`, and its `id`.
pub struct Representation {
    type_name: String,
    id: String,
}

/// The reference of a gateway to an entity: an object with `__typename` and `id`.
#[Scalar(name = "_Any")]
impl ScalarType for Representation {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = |key: &str| match &value {
            Value::Object(fields) => match fields.get(key) {
                Some(Value::String(text)) => Some(text.clone()),
                _ => None,
            },
            _ => None,
        };
        match (text("__typename"), text("id")) {
            (Some(type_name), Some(id)) => Ok(Self { type_name, id }),
            _ => Err(InputValueError::custom("must be an object with `__typename` and `id`")),
        }
    }

    fn to_value(&self) -> Value {
        Value::from_json(serde_json::json!({ "__typename": self.type_name, "id": self.id })).unwrap_or_default()
    }
}

/// The server as a subgraph.
pub struct Service;

/// The server as a subgraph of a federation.
#[object(name = "_Service")]
impl Service {
    /// Schema definition of the subgraph, with the directives of Apollo Federation 2.
    fn sdl(&self, ctx: &Context<'_>) -> Option<String> {
        let engine = ctx.services().engine.get()?.upgrade()?;
        Some(engine.subgraph_sdl().to_owned())
    }
}

/// The root of queries with the fields for gateways, which introspection does not show.
pub struct WithGatewayFields<R>(PhantomData<R>);

impl<R: RootParts> RootParts for WithGatewayFields<R> {
    const NAME: &'static str = R::NAME;
    const DESCRIPTION: &'static str = R::DESCRIPTION;
    const NULLABILITY: Nullability = R::NULLABILITY;

    fn parts() -> Vec<Box<dyn DynObject>> {
        let mut parts = R::parts();
        parts.push(Box::new(FederationQuery));
        parts
    }

    fn register(registry: &mut Registry, fields: &mut IndexMap<String, MetaField>) {
        R::register(registry, fields);
        let hidden = |(name, field)| (name, MetaField { visible: Some(|_| false), ..field });
        fields.extend(fields_of::<FederationQuery>(registry).into_iter().map(hidden));
    }
}

/// Queries of gateways.
#[derive(Default)]
pub struct FederationQuery;

#[object]
impl FederationQuery {
    /// Returns the server as a subgraph of an Apollo Federation. For gateways; who may query the schema may query this, too.
    #[graphql(name = "_service")]
    fn service(&self) -> Service {
        Service
    }

    /// Returns entities by references of a gateway, at most 1,000, in their order. An entry is null if the entity does not exist or the
    /// viewer may not see it. Other clients use `nodes`.
    #[graphql(name = "_entities", complexity = "representations.len() * child_complexity")]
    async fn entities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "References to entities, at most 1,000.")] representations: Vec<Representation>,
    ) -> Result<Vec<Option<Entity>>> {
        if representations.len() > MAX_REPRESENTATIONS {
            let rule = format!("must have at most {MAX_REPRESENTATIONS} values");
            return Err(Error::user(UserErrorCode::OutOfRange, "representations", rule));
        }
        let finds = representations.iter().enumerate().map(|(index, Representation { type_name, id })| async move {
            node::find_entity(ctx, &format!("representations.{index}.id"), type_name, id).await
        });
        futures_util::future::try_join_all(finds).await
    }
}
