//! The schema as a graph of types, for counting what introspection returns: fields, arguments and the types they refer to.

use std::collections::HashMap;

use async_graphql::parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, ServiceDocument, Type, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Positioned};

/// Types of the fields of the introspection types, which an SDL does not contain.
const INTROSPECTION_TYPES: [(&str, &[&str]); 6] = [
    ("__Schema", &["String", "[__Type!]!", "__Type!", "__Type", "__Type", "[__Directive!]!"]),
    (
        "__Type",
        &[
            "__TypeKind!",
            "String",
            "String",
            "[__Field!]",
            "[__Type!]",
            "[__Type!]",
            "[__EnumValue!]",
            "[__InputValue!]",
            "__Type",
            "String",
            "Boolean",
        ],
    ),
    ("__Field", &["String!", "String", "[__InputValue!]!", "__Type!", "Boolean!", "String"]),
    ("__InputValue", &["String!", "String", "__Type!", "String", "Boolean!", "String"]),
    ("__EnumValue", &["String!", "String", "Boolean!", "String"]),
    ("__Directive", &["String!", "String", "Boolean!", "[__DirectiveLocation!]!", "[__InputValue!]!"]),
];

/// Enums of introspection, with the number of their values.
const INTROSPECTION_ENUMS: [(&str, usize); 2] = [("__TypeKind", 8), ("__DirectiveLocation", 19)];

/// Number of arguments of the directives that every schema has.
const DIRECTIVES: [usize; 5] = [1; 5];

/// Index of a type in [`SchemaGraph::types`].
pub type TypeIndex = usize;

/// The types of a schema.
#[derive(Debug, Default)]
pub struct SchemaGraph {
    /// Named types, lists and non-null types.
    pub types: Vec<TypeNode>,
    /// The named types.
    pub named: Vec<TypeIndex>,
    /// The root types.
    pub roots: Vec<(&'static str, TypeIndex)>,
    /// Types of the arguments of each directive.
    pub directives: Vec<Vec<TypeIndex>>,
    /// Index of each type by its text, such as `[Product!]!`.
    by_text: HashMap<String, TypeIndex>,
}

/// What introspection returns of a type; empty lists are those that are null or empty in responses.
#[derive(Debug, Default)]
pub struct TypeNode {
    /// Fields of an object or interface.
    pub fields: Vec<FieldNode>,
    /// Interfaces of an object.
    pub interfaces: Vec<TypeIndex>,
    /// Objects of an interface or a union.
    pub possible_types: Vec<TypeIndex>,
    /// Number of values of an enum.
    pub enum_values: usize,
    /// Types of the fields of an input.
    pub input_fields: Vec<TypeIndex>,
    /// Type inside a list or non-null type.
    pub of_type: Option<TypeIndex>,
}

/// A field: the types of its arguments, and its own.
#[derive(Debug)]
pub struct FieldNode {
    /// Types of the arguments.
    pub arguments: Vec<TypeIndex>,
    /// Type of the field.
    pub ty: TypeIndex,
}

impl SchemaGraph {
    /// Reads a schema definition.
    pub fn new(schema: &ServiceDocument) -> Self {
        let mut graph = Self::default();
        for definition in &schema.definitions {
            match definition {
                TypeSystemDefinition::Type(definition) => graph.add(&definition.node.name.node, &definition.node.kind),
                TypeSystemDefinition::Directive(definition) => {
                    let arguments = graph.inputs(&definition.node.arguments);
                    graph.directives.push(arguments);
                }
                TypeSystemDefinition::Schema(_) => {}
            }
        }
        for (name, fields) in INTROSPECTION_TYPES {
            let index = graph.named(name);
            let fields = fields.iter().filter_map(|text| Type::new(text)).collect::<Vec<_>>();
            let fields = fields.iter().map(|ty| FieldNode { arguments: Vec::new(), ty: graph.reference(ty) });
            let fields: Vec<_> = fields.collect();
            graph.types[index].fields = fields;
        }
        for (name, values) in INTROSPECTION_ENUMS {
            let index = graph.named(name);
            graph.types[index].enum_values = values;
        }
        let text = graph.named("String");
        graph.directives.extend(DIRECTIVES.map(|arguments| vec![text; arguments]));
        let roots = [("queryType", "Query"), ("mutationType", "Mutation"), ("subscriptionType", "Subscription")];
        graph.roots = roots.into_iter().filter_map(|(field, name)| Some((field, graph.find(name)?))).collect();
        graph
    }

    /// Returns the type with this name.
    pub fn find(&self, name: &str) -> Option<TypeIndex> {
        self.by_text.get(name).copied()
    }

    fn add(&mut self, name: &Name, kind: &TypeKind) {
        let index = self.named(name);
        match kind {
            TypeKind::Scalar => {}
            TypeKind::Object(object) => {
                let fields = self.fields(&object.fields);
                let interfaces = self.all_named(&object.implements);
                for interface in &interfaces {
                    self.types[*interface].possible_types.push(index);
                }
                (self.types[index].fields, self.types[index].interfaces) = (fields, interfaces);
            }
            TypeKind::Interface(interface) => self.types[index].fields = self.fields(&interface.fields),
            TypeKind::Union(union) => self.types[index].possible_types = self.all_named(&union.members),
            TypeKind::Enum(definition) => self.types[index].enum_values = definition.values.len(),
            TypeKind::InputObject(input) => self.types[index].input_fields = self.inputs(&input.fields),
        }
    }

    fn fields(&mut self, fields: &[Positioned<FieldDefinition>]) -> Vec<FieldNode> {
        let field = |field: &Positioned<FieldDefinition>| FieldNode {
            arguments: self.inputs(&field.node.arguments),
            ty: self.reference(&field.node.ty.node),
        };
        fields.iter().map(field).collect()
    }

    fn inputs(&mut self, inputs: &[Positioned<InputValueDefinition>]) -> Vec<TypeIndex> {
        inputs.iter().map(|input| self.reference(&input.node.ty.node)).collect()
    }

    fn all_named(&mut self, names: &[Positioned<Name>]) -> Vec<TypeIndex> {
        names.iter().map(|name| self.named(&name.node)).collect()
    }

    /// Returns the named type; scalars of the specification, which an SDL does not contain, are added on first use.
    fn named(&mut self, name: &str) -> TypeIndex {
        if let Some(index) = self.find(name) {
            return index;
        }
        let index = self.insert(name.to_owned(), TypeNode::default());
        self.named.push(index);
        index
    }

    /// Returns the type that a reference such as `[Product!]!` names.
    fn reference(&mut self, ty: &Type) -> TypeIndex {
        let text = ty.to_string();
        if let Some(index) = self.find(&text) {
            return index;
        }
        let inner = match (&ty.base, ty.nullable) {
            (BaseType::Named(name), true) => return self.named(name),
            (BaseType::List(item), true) => self.reference(item),
            (_, false) => self.reference(&Type { base: ty.base.clone(), nullable: true }),
        };
        self.insert(text, TypeNode { of_type: Some(inner), ..TypeNode::default() })
    }

    fn insert(&mut self, text: String, node: TypeNode) -> TypeIndex {
        self.types.push(node);
        self.by_text.insert(text, self.types.len() - 1);
        self.types.len() - 1
    }
}
