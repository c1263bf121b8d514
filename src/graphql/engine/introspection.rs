//! The description of the schema, which async-graphql has no way to set: neither for introspection nor in the SDL.

use async_graphql::{Response, Value, parser::types::Field};

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
