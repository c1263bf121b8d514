//! The GraphQL API: the engine, and the schema by domain.
//! Rule: reads go through the loaders or, for lists, to the stores; writes go to the actions.

pub mod engine;
pub mod schema;

use std::sync::Arc;

use async_graphql::{
    Positioned, SDLExportOptions, Schema,
    parser::types::{EnumValueDefinition, TypeKind, TypeSystemDefinition},
};

use chrono::{DateTime, Utc};

use self::engine::{
    Engine, EngineSettings,
    introspection::describe_sdl,
    limits::Limits,
    objects::{MergedRoot, RootParts, root},
};
use self::schema::{context::Services, federation::WithGatewayFields, node};
use crate::{config, registry::domains};

macro_rules! query {
    ($($domain:ident::$($object:ident)::+,)*) => {
        root! {
            /// Queries of the API. Reads have no side effects.
            Query { node::NodeQuery, $(schema::$domain::$($object)::+,)* }
        }
    };
}

macro_rules! mutation {
    ($($domain:ident::$($object:ident)::+,)*) => {
        root! {
            /// Mutations of the API. The root fields of one operation run one after the other; one that fails is null
            /// and has an entry in `errors`, and the others run.
            nullable Mutation { $(schema::$domain::$($object)::+,)* }
        }
    };
}

macro_rules! subscription {
    ($($domain:ident::$($object:ident)::+,)*) => {
        root! {
            /// Subscriptions of the API, over WebSocket, Server-Sent Events or multipart responses. An operation has one root
            /// field. Events are sent at least once, and those of one entity in the order of its changes. Each has a
            /// cursor: with it as `after`, a client that was disconnected gets the events of the last 10 minutes that it
            /// missed, on any server.
            events Subscription { $(schema::$domain::$($object)::+,)* }
        }
    };
}

domains!(queries => query);
domains!(mutations => mutation);
domains!(subscriptions => subscription);

/// Returns the engine that runs operations on these services.
pub fn engine(services: &Arc<Services>, limits: &config::LimitSettings) -> Engine {
    let settings = EngineSettings {
        limits: Limits::from(limits),
        cached_documents: limits.document_cache,
        schema_description: DESCRIPTION,
        persisted_queries: limits.persisted_queries,
        redis: services.redis.clone(),
        ..EngineSettings::default()
    };
    let engine = Engine::new(|| builder::<WithGatewayFields<Query>>().data(Arc::clone(services)), settings);
    // The first engine is that of the services.
    let _ = services.engine.set(engine.downgrade());
    engine
}

/// Returns a check of documents by these limits: whether a server could parse them.
pub fn document_check(limits: &config::LimitSettings) -> impl Fn(&str) -> Result<(), String> + use<> {
    let engine =
        Engine::new(builder::<Query>, EngineSettings { limits: Limits::from(limits), ..EngineSettings::default() });
    move |text| engine.check_document(text).map_err(|error| format!("is not valid: {}", error.message))
}

/// Description of the schema.
const DESCRIPTION: &str = "The API of Souk, a commerce server: products and search, carts and checkout, orders and \
    payments, customers and staff of several shop websites. Reads need no login where data is public. Mutations return \
    what the user can correct in `userErrors`; every other failure is an error whose `extensions.code` says what to do.";

/// Returns the schema definition (SDL), as stored in `schema.graphql`.
pub fn sdl() -> String {
    describe_sdl(&sdl_of_types(), DESCRIPTION)
}

/// Returns the schema definition without the description of the schema, which async-graphql's parser does not accept.
pub fn sdl_of_types() -> String {
    let options = SDLExportOptions::new().sorted_fields().sorted_enum_items().sorted_arguments().include_specified_by();
    builder::<Query>().finish().sdl_with_options(options)
}

/// The values of an enum of the schema with their descriptions, in the order of their names; empty for any other name.
pub fn enum_values(name: &str) -> Vec<(String, String)> {
    let document = async_graphql::parser::parse_schema(sdl_of_types()).expect("the printed schema parses");
    let definitions = document.definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) if definition.node.name.node == name => Some(definition.node.kind),
        _ => None,
    });
    let values = definitions.filter_map(|kind| match kind {
        TypeKind::Enum(definition) => Some(definition.values),
        _ => None,
    });
    let described = |value: Positioned<EnumValueDefinition>| {
        let description = value.node.description.map(|description| description.node).unwrap_or_default();
        (value.node.value.node.to_string(), description)
    };
    values.flatten().map(described).collect()
}

/// async-graphql describes its implementation instead.
const DATE_TIME: &str =
    "A date and time with time zone as an RFC 3339 string, such as \"2026-11-29T09:30:00Z\". Responses are in UTC.";

fn builder<Q: RootParts>() -> async_graphql::SchemaBuilder<MergedRoot<Q>, MergedRoot<Mutation>, MergedRoot<Subscription>>
{
    Schema::build(MergedRoot::default(), MergedRoot::default(), MergedRoot::default())
        .register_output_type::<node::Node>()
        .override_output_type_description::<DateTime<Utc>>(DATE_TIME)
}
