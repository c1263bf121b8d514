//! The schema, parsed from its SDL, for the tests that check its structure.

use std::collections::BTreeMap;

use async_graphql::parser::{
    parse_schema,
    types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind, TypeSystemDefinition},
};

/// The types of the schema by name.
pub struct Sdl(BTreeMap<String, TypeDefinition>);

impl Sdl {
    /// Parses the schema of this binary.
    pub fn read() -> Self {
        let document = parse_schema(souk::graphql::sdl_of_types()).expect("the printed schema parses");
        let types = document.definitions.into_iter().filter_map(|definition| match definition {
            TypeSystemDefinition::Type(definition) => Some((definition.node.name.node.to_string(), definition.node)),
            TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
        });
        Self(types.collect())
    }

    /// Returns the types sorted by name.
    pub fn types(&self) -> impl Iterator<Item = (&str, &TypeDefinition)> {
        self.0.iter().map(|(name, definition)| (name.as_str(), definition))
    }

    /// Returns a type; `None` for a built-in scalar.
    pub fn get(&self, name: &str) -> Option<&TypeDefinition> {
        self.0.get(name)
    }

    /// Returns whether a type is a scalar or an enum.
    pub fn is_leaf(&self, name: &str) -> bool {
        let is_union = matches!(self.get(name).map(|definition| &definition.kind), Some(TypeKind::Union(_)));
        !is_union && self.fields(name).is_empty()
    }

    /// Returns the fields of an object or interface; empty for other types.
    pub fn fields(&self, name: &str) -> Vec<&FieldDefinition> {
        match self.get(name).map(|definition| &definition.kind) {
            Some(TypeKind::Object(object)) => object.fields.iter().map(|field| &field.node).collect(),
            Some(TypeKind::Interface(interface)) => interface.fields.iter().map(|field| &field.node).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns the fields of an input; empty for other types.
    pub fn inputs(&self, name: &str) -> Vec<&InputValueDefinition> {
        match self.get(name).map(|definition| &definition.kind) {
            Some(TypeKind::InputObject(input)) => input.fields.iter().map(|field| &field.node).collect(),
            _ => Vec::new(),
        }
    }

    /// Returns every field of every object and interface, each with the name of its type.
    pub fn all_fields(&self) -> impl Iterator<Item = (&str, &FieldDefinition)> {
        self.types().flat_map(|(name, _)| self.fields(name).into_iter().map(move |field| (name, field)))
    }
}

/// Returns the name of a type without list and non-null markers.
pub fn base_name(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => base_name(inner),
    }
}

/// Returns whether a type is a list.
pub fn is_list(ty: &Type) -> bool {
    matches!(ty.base, BaseType::List(_))
}

/// Returns the description of a field, empty if it has none.
pub fn description(field: &FieldDefinition) -> &str {
    field.description.as_ref().map_or("", |text| text.node.as_str())
}
