//! What objects, fields and arguments say of themselves to async-graphql's registry.

use std::borrow::Cow;

use async_graphql::{
    CacheControl, InputType, ObjectType, OutputType,
    indexmap::IndexMap,
    registry::{Deprecation, MetaField, MetaInputValue, MetaType, MetaTypeId, Registry},
};

/// Registers an object with the fields that `fields` inserts, and returns its name as a type.
pub fn register<T: ObjectType>(
    registry: &mut Registry,
    description: Option<String>,
    fields: fn(&mut Registry, &mut IndexMap<String, MetaField>),
) -> String {
    registry.create_output_type::<T, _>(MetaTypeId::Object, |registry| {
        let mut all = IndexMap::new();
        fields(registry, &mut all);
        object_info(T::type_name().into_owned(), description.clone(), all, std::any::type_name::<T>())
    })
}

/// An object type.
pub(super) fn object_info(
    name: String,
    description: Option<String>,
    fields: IndexMap<String, MetaField>,
    rust_typename: &'static str,
) -> MetaType {
    MetaType::Object {
        name,
        description,
        fields,
        cache_control: CacheControl::default(),
        extends: false,
        shareable: false,
        resolvable: true,
        inaccessible: false,
        interface_object: false,
        tags: Vec::new(),
        keys: None,
        visible: None,
        is_subscription: false,
        rust_typename: Some(rust_typename),
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

/// What fields have in common: none of them belongs to another service or is deprecated.
pub fn field_info() -> MetaField {
    MetaField {
        name: String::new(),
        description: None,
        args: IndexMap::new(),
        ty: String::new(),
        deprecation: Deprecation::NoDeprecated,
        cache_control: CacheControl::default(),
        external: false,
        requires: None,
        provides: None,
        visible: None,
        shareable: false,
        inaccessible: false,
        tags: Vec::new(),
        override_from: None,
        compute_complexity: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

/// An argument of the type `T`.
pub fn argument_info<T: InputType>(
    registry: &mut Registry,
    name: &str,
    description: Option<String>,
    default_value: Option<String>,
) -> MetaInputValue {
    MetaInputValue {
        name: name.to_owned(),
        description,
        ty: T::create_type_info(registry),
        deprecation: Deprecation::NoDeprecated,
        default_value,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        is_secret: false,
        directive_invocations: Vec::new(),
    }
}

/// Registers an interface with its fields (name, type, description) and its members (name, registration), and returns
/// its name as a type.
pub fn register_interface<T: OutputType>(
    registry: &mut Registry,
    description: &str,
    fields: &[(&str, fn() -> String, &str)],
    members: &[(fn() -> Cow<'static, str>, fn(&mut Registry) -> String)],
) -> String {
    registry.create_output_type::<T, _>(MetaTypeId::Interface, |registry| {
        for (name, register) in members {
            register(registry);
            registry.add_implements(&name(), &T::type_name());
        }
        let fields = fields.iter().map(|(name, ty, description)| {
            let field = MetaField {
                name: (*name).to_owned(),
                description: Some((*description).to_owned()),
                ty: ty(),
                ..field_info()
            };
            ((*name).to_owned(), field)
        });
        MetaType::Interface {
            name: T::type_name().into_owned(),
            description: Some(description.to_owned()),
            fields: fields.collect(),
            possible_types: members.iter().map(|(name, _)| name().into_owned()).collect(),
            extends: false,
            inaccessible: false,
            tags: Vec::new(),
            keys: None,
            visible: None,
            rust_typename: Some(std::any::type_name::<T>()),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        }
    })
}
