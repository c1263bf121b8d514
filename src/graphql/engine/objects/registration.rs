//! Registers objects, fields and arguments in async-graphql's registry.

use std::borrow::Cow;

use async_graphql::{
    CacheControl, ObjectType, OutputType, Positioned, ServerResult, VisitorContext,
    indexmap::IndexMap,
    parser::types::{Field, VariableDefinition},
    registry::{Deprecation, MetaField, MetaInputValue, MetaType, MetaTypeId, Registry},
};

/// Metadata of a field.
pub struct FieldInfo {
    /// Name in the schema.
    pub name: &'static str,
    /// Description.
    pub description: Option<&'static str>,
    /// Registers the field's type and returns its name.
    pub ty: fn(&mut Registry) -> String,
    /// Arguments of the field.
    pub arguments: &'static [ArgumentInfo],
    /// Complexity, if it differs from the default.
    pub complexity: Option<Complexity>,
    /// Whether a guard may reject the field, which makes it nullable.
    pub is_guarded: bool,
}

/// Computes the complexity of a field from its arguments and the complexity of its selection.
pub type Complexity = fn(&VisitorContext<'_>, &[Positioned<VariableDefinition>], &Field, usize) -> ServerResult<usize>;

/// Metadata of an argument.
pub enum ArgumentInfo {
    /// A single argument.
    Single {
        /// Name in the schema.
        name: &'static str,
        /// Description.
        description: Option<&'static str>,
        /// Registers the argument's type and returns its name.
        ty: fn(&mut Registry) -> String,
        /// Default value as a GraphQL literal.
        default: Option<fn() -> String>,
    },
    /// The arguments of a list.
    List(fn(&mut Registry, &mut IndexMap<String, MetaInputValue>)),
}

/// Registers an object with its fields and returns its type name.
pub fn register_object<T: ObjectType>(
    registry: &mut Registry,
    description: Option<&'static str>,
    fields: &[FieldInfo],
) -> String {
    let (name, rust_typename) = (T::type_name(), std::any::type_name::<T>());
    create_output_type::<T>(registry, MetaTypeId::Object, &mut |registry| {
        let fields = fields.iter().map(|field| (field.name.to_owned(), field.meta_field(registry))).collect();
        meta_object(name.clone().into_owned(), description.map(str::to_owned), fields, rust_typename)
    })
}

/// `Registry::create_output_type` in a form that is compiled once for all types.
fn create_output_type<T: OutputType>(
    registry: &mut Registry,
    kind: MetaTypeId,
    create: &mut dyn FnMut(&mut Registry) -> MetaType,
) -> String {
    registry.create_output_type::<T, _>(kind, create)
}

impl FieldInfo {
    fn meta_field(&self, registry: &mut Registry) -> MetaField {
        let mut args = IndexMap::new();
        for argument in self.arguments {
            argument.register(registry, &mut args);
        }
        let field = MetaField {
            name: self.name.to_owned(),
            description: self.description.map(str::to_owned),
            args,
            ty: (self.ty)(registry),
            compute_complexity: self.complexity,
            ..base_meta_field()
        };
        if self.is_guarded { nullable(field) } else { field }
    }
}

/// Returns the field with a nullable type: if it fails, only it becomes null.
pub(super) fn nullable(mut field: MetaField) -> MetaField {
    if field.ty.ends_with('!') {
        field.ty.pop();
    }
    field
}

/// Returns the field with a type that is not nullable.
pub(super) fn non_null(mut field: MetaField) -> MetaField {
    if !field.ty.ends_with('!') {
        field.ty.push('!');
    }
    field
}

impl ArgumentInfo {
    fn register(&self, registry: &mut Registry, arguments: &mut IndexMap<String, MetaInputValue>) {
        match self {
            Self::Single { name, description, ty, default } => {
                let ty = ty(registry);
                arguments.insert((*name).to_owned(), meta_argument(name, ty, *description, default.map(|text| text())));
            }
            Self::List(register) => register(registry, arguments),
        }
    }
}

/// Returns the metadata of an object type.
pub(super) fn meta_object(
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

/// Returns the defaults that all fields share: no federation, not deprecated.
fn base_meta_field() -> MetaField {
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

/// Returns the metadata of an argument or input field.
pub fn meta_argument(
    name: &str,
    ty: String,
    description: Option<&'static str>,
    default_value: Option<String>,
) -> MetaInputValue {
    MetaInputValue {
        name: name.to_owned(),
        description: description.map(str::to_owned),
        ty,
        deprecation: Deprecation::NoDeprecated,
        default_value,
        visible: None,
        inaccessible: false,
        tags: Vec::new(),
        is_secret: false,
        directive_invocations: Vec::new(),
    }
}

/// Registers a union with its members (name, registration), and returns its type name.
pub fn register_union<T: OutputType>(
    registry: &mut Registry,
    description: &str,
    members: &[(fn() -> Cow<'static, str>, fn(&mut Registry) -> String)],
) -> String {
    create_output_type::<T>(registry, MetaTypeId::Union, &mut |registry| {
        for (_, register) in members {
            register(registry);
        }
        MetaType::Union {
            name: T::type_name().into_owned(),
            description: Some(description.to_owned()),
            possible_types: members.iter().map(|(name, _)| name().into_owned()).collect(),
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            rust_typename: Some(std::any::type_name::<T>()),
            directive_invocations: Vec::new(),
        }
    })
}

/// Registers an interface with its fields (name, type, description) and its members (name, registration), and returns
/// its type name.
pub fn register_interface<T: OutputType>(
    registry: &mut Registry,
    description: &str,
    fields: &[(&str, fn() -> String, &str)],
    members: &[(fn() -> Cow<'static, str>, fn(&mut Registry) -> String)],
) -> String {
    create_output_type::<T>(registry, MetaTypeId::Interface, &mut |registry| {
        for (name, register) in members {
            register(registry);
            registry.add_implements(&name(), &T::type_name());
        }
        let fields = fields.iter().map(|(name, ty, description)| {
            let field = MetaField {
                name: (*name).to_owned(),
                description: Some((*description).to_owned()),
                ty: ty(),
                ..base_meta_field()
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
