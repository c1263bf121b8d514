//! Introspection: what it may cost, and the description of the schema, which async-graphql has no way to set, neither for
//! introspection nor in the SDL.
//! Rule: async-graphql resolves introspection without limits, so its cost is known before it runs.

mod cost;
mod graph;

use std::sync::OnceLock;

use async_graphql::{
    Response, ServerError, Value, Variables,
    parser::types::{ExecutableDocument, Field, ServiceDocument},
};

use self::graph::SchemaGraph;
use crate::{
    error::ErrorCode,
    graphql::engine::{budget::Budget, errors::coded, json_size::value_bytes},
};

/// The limit on introspection.
#[derive(Debug)]
pub struct IntrospectionLimit {
    graph: SchemaGraph,
    /// Counted on first use.
    max_cost: OnceLock<usize>,
}

impl IntrospectionLimit {
    /// Reads a schema definition.
    pub fn new(schema: &ServiceDocument) -> Self {
        Self { graph: SchemaGraph::new(schema), max_cost: OnceLock::new() }
    }

    /// Counts the introspection of an operation towards the budget of its request.
    /// # Errors
    /// LIMIT_EXCEEDED if it nests lists of types, or returns more than twice what the introspection query of tools returns.
    pub fn check(
        &self,
        document: &ExecutableDocument,
        root_fields: &[&Field],
        variables: &Variables,
        budget: &Budget,
    ) -> Result<(), ServerError> {
        if cost::check_nesting(document, root_fields).is_err() {
            let limit = cost::MAX_NESTED_LISTS;
            let message = format!(
                "The introspection nests more than {limit} lists of `fields`, `inputFields`, `interfaces` and \
                 `possibleTypes`. Query the inner types by their names."
            );
            return Err(coded(ErrorCode::LimitExceeded, message));
        }
        let max_cost = *self.max_cost.get_or_init(|| cost::limit(&self.graph));
        let found = cost::count(&self.graph, document, root_fields, variables, max_cost).ok();
        if found.is_some_and(|found| budget.add_introspection(found) <= max_cost) {
            return Ok(());
        }
        let message = format!(
            "The introspection is too complex. It may return {max_cost} values, twice those of a full introspection \
             query. Select fewer levels."
        );
        Err(coded(ErrorCode::LimitExceeded, message))
    }
}

/// Returns whether a root field is introspection. `__typename` is not: it says nothing about the schema.
pub fn is_introspection(field: &Field) -> bool {
    matches!(field.name.node.as_str(), "__schema" | "__type")
}

/// Counts the texts of introspection, which the library has resolved, towards the size of the response; removes those that
/// do not fit.
pub fn add_bytes(response: &mut Response, root_fields: &[&Field], budget: &Budget) {
    let Value::Object(data) = &mut response.data else { return };
    for root in root_fields.iter().filter(|field| is_introspection(field)) {
        let Some(value) = data.get_mut(&root.response_key().node) else { continue };
        if let Err(error) = budget.add_bytes(value_bytes(value)) {
            *value = Value::Null;
            response.errors.push(error);
        }
    }
}

/// What async-graphql returns as `__schema { description }` for every schema.
const LIBRARY_DESCRIPTION: &str = "A GraphQL Schema defines the capabilities of a GraphQL server. It exposes all \
    available types and directives on the server, as well as the entry points for query, mutation, and subscription \
    operations.";

/// Replaces the library's description in the response by the one of this schema.
pub fn describe(response: &mut Response, root_fields: &[&Field], description: &str) {
    let Value::Object(data) = &mut response.data else { return };
    for root in root_fields.iter().filter(|field| field.name.node == "__schema") {
        let Some(Value::Object(schema)) = data.get_mut(&root.response_key().node) else { continue };
        for value in schema.values_mut() {
            if matches!(value, Value::String(text) if text == LIBRARY_DESCRIPTION) {
                *value = Value::String(description.to_owned());
            }
        }
    }
}

/// Adds the description to an SDL.
pub fn describe_sdl(sdl: &str, description: &str) -> String {
    sdl.replacen("\nschema {", &format!("\n\"\"\"\n{description}\n\"\"\"\nschema {{"), 1)
}
