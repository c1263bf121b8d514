//! Operations generated from the schema: one for each field, its arguments filled with values of their types.

use async_graphql::parser::types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::sdl::{Sdl, base_name};

/// Key that no row has, so that no generated operation changes existing data.
pub const MISSING_KEY: i64 = 999_999;

/// Returns an operation that selects one root field, its arguments filled with values of the right types.
pub fn document(sdl: &Sdl, root: &str, field: &FieldDefinition, id: &dyn Fn(&str) -> String) -> String {
    let name = field.name.node.as_str();
    let wanted = |argument: &InputValueDefinition| is_required(argument) || base_name(&argument.ty.node) == "ID";
    let arguments: Vec<_> = field
        .arguments
        .iter()
        .filter(|argument| wanted(&argument.node))
        .map(|argument| argument_literal(sdl, name, &argument.node, id))
        .collect();
    let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
    let is_leaf = matches!(sdl.get(base_name(&field.ty.node)).map(|ty| &ty.kind), None | Some(TypeKind::Scalar));
    let selection = if is_leaf { "" } else { " { __typename }" };
    format!("{} {{ {name}{arguments}{selection} }}", root.to_lowercase())
}

pub fn is_required(value: &InputValueDefinition) -> bool {
    !value.ty.node.nullable && value.default_value.is_none()
}

pub fn argument_literal(
    sdl: &Sdl,
    field: &str,
    argument: &InputValueDefinition,
    id: &dyn Fn(&str) -> String,
) -> String {
    let name = argument.name.node.as_str();
    format!("{name}: {}", value(sdl, field, name, &argument.ty.node, id))
}

fn value(sdl: &Sdl, field: &str, name: &str, ty: &Type, id: &dyn Fn(&str) -> String) -> String {
    let type_name = match &ty.base {
        BaseType::List(inner) => return format!("[{}]", value(sdl, field, name, inner, id)),
        BaseType::Named(name) => name.as_str(),
    };
    match sdl.get(type_name).map(|definition| &definition.kind) {
        Some(TypeKind::Enum(values)) => values.values[0].node.value.node.to_string(),
        Some(TypeKind::InputObject(_)) => {
            let fields = sdl
                .inputs(type_name)
                .into_iter()
                .filter(|input| is_required(input) || base_name(&input.ty.node) == "ID");
            let fields: Vec<_> = fields.map(|input| argument_literal(sdl, field, input, id)).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        _ => match type_name {
            "ID" => format!("{:?}", id_for(sdl, if name == "id" { field } else { name }, id)),
            "String" => "\"text\"".to_owned(),
            "Int" => "1".to_owned(),
            "Boolean" => "true".to_owned(),
            "Decimal" => "\"1.00\"".to_owned(),
            "CountryCode" => "\"DE\"".to_owned(),
            "CurrencyCode" => "\"EUR\"".to_owned(),
            "DateTime" => "\"2026-01-01T00:00:00Z\"".to_owned(),
            other => panic!("no literal for type {other}, needed by {field}({name})"),
        },
    }
}

/// Returns an id of the type that a name refers to: `sourceWebsiteId` is a website, `orderDetailUpdate` an order line.
pub fn id_for(sdl: &Sdl, name: &str, id: &dyn Fn(&str) -> String) -> String {
    let name = name.trim_end_matches("Id").to_lowercase();
    let nodes = node_types(sdl).into_iter().filter(|node| name.contains(&node.to_lowercase()));
    id(nodes.max_by_key(|node| node.len()).unwrap_or("Product"))
}

/// Returns the types that have a global id.
pub fn node_types(sdl: &Sdl) -> Vec<&str> {
    let nodes = sdl.types().filter(|(_, definition)| {
        matches!(&definition.kind, TypeKind::Object(object) if object.implements.iter().any(|i| i.node == "Node"))
    });
    nodes.map(|(node, _)| node).collect()
}

/// Returns a global id of this type that belongs to no row.
pub fn missing_id(type_name: &str) -> String {
    // Encoded here, because the program only encodes ids of types it knows.
    URL_SAFE_NO_PAD.encode(format!("{type_name}:{MISSING_KEY}"))
}

/// Returns every root field.
pub fn root_fields(sdl: &Sdl) -> Vec<(&'static str, FieldDefinition)> {
    ["Query", "Mutation"]
        .into_iter()
        .flat_map(|root| sdl.fields(root).into_iter().map(move |field| (root, field.clone())))
        .collect()
}
