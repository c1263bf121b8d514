//! Checks the enum values that are written in a document.
//! Rule: they have no quotes, as the GraphQL specification says. (async-graphql also accepts a string, as it does not tell
//! a literal from the value of a variable, which is a string in JSON.)

use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
};

use async_graphql::{
    Name, Pos, ServerError, Value,
    parser::{
        parse_schema,
        types::{
            BaseType, ExecutableDocument, FieldDefinition, OperationType, Selection, SelectionSet, Type, TypeKind,
            TypeSystemDefinition,
        },
    },
};

use crate::{error::ErrorCode, graphql::engine::errors::coded};

/// The types of a schema in which an enum value can occur.
#[derive(Debug, Default)]
pub struct LiteralTypes {
    enums: HashSet<Name>,
    /// The fields of input types.
    inputs: HashMap<Name, HashMap<Name, Type>>,
    /// The fields of objects and interfaces.
    outputs: HashMap<Name, HashMap<Name, OutputField>>,
    query: Option<Name>,
    mutation: Option<Name>,
    subscription: Option<Name>,
}

#[derive(Debug)]
struct OutputField {
    ty: Name,
    arguments: HashMap<Name, Type>,
}

impl LiteralTypes {
    /// Reads the types from a schema definition (SDL).
    /// # Errors
    /// The parser's error if the text is not valid SDL.
    pub fn from_sdl(sdl: &str) -> Result<Self, async_graphql::parser::Error> {
        let mut types = Self::default();
        for definition in parse_schema(sdl)?.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    types.query = schema.node.query.map(|name| name.node);
                    types.mutation = schema.node.mutation.map(|name| name.node);
                    types.subscription = schema.node.subscription.map(|name| name.node);
                }
                TypeSystemDefinition::Type(ty) => {
                    let name = ty.node.name.node;
                    match ty.node.kind {
                        TypeKind::Enum(_) => drop(types.enums.insert(name)),
                        TypeKind::InputObject(ty) => {
                            let fields = ty.fields.into_iter().map(|field| (field.node.name.node, field.node.ty.node));
                            types.inputs.insert(name, fields.collect());
                        }
                        TypeKind::Object(ty) => {
                            types.outputs.insert(name, ty.fields.into_iter().map(|field| output(field.node)).collect());
                        }
                        TypeKind::Interface(ty) => {
                            types.outputs.insert(name, ty.fields.into_iter().map(|field| output(field.node)).collect());
                        }
                        TypeKind::Scalar | TypeKind::Union(_) => {}
                    }
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        Ok(types)
    }

    /// Checks the arguments and the defaults of variables in a document.
    /// # Errors
    /// BAD_USER_INPUT for the first enum value in quotes.
    pub fn check(&self, document: &ExecutableDocument) -> Result<(), ServerError> {
        for (_, operation) in document.operations.iter() {
            for variable in &operation.node.variable_definitions {
                if let Some(default) = &variable.node.default_value {
                    self.check_value(&variable.node.var_type.node, &default.node, default.pos)?;
                }
            }
            let root = match operation.node.ty {
                OperationType::Query => &self.query,
                OperationType::Mutation => &self.mutation,
                OperationType::Subscription => &self.subscription,
            };
            self.check_selections(root.as_ref(), &operation.node.selection_set.node)?;
        }
        document.fragments.values().try_for_each(|fragment| {
            self.check_selections(Some(&fragment.node.type_condition.node.on.node), &fragment.node.selection_set.node)
        })
    }

    /// Checks the selections of a type. Unknown types and fields are left to the validation.
    fn check_selections(&self, ty: Option<&Name>, selections: &SelectionSet) -> Result<(), ServerError> {
        let fields = ty.and_then(|ty| self.outputs.get(ty));
        for selection in &selections.items {
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    let Some(known) = fields.and_then(|fields| fields.get(&field.name.node)) else { continue };
                    for (name, value) in &field.arguments {
                        let Some(ty) = known.arguments.get(&name.node) else { continue };
                        // The values of variables are checked elsewhere.
                        let Ok(literal) = value.node.clone().into_const_with(|_| Ok::<_, Infallible>(Value::Null));
                        self.check_value(ty, &literal, value.pos)?;
                    }
                    self.check_selections(Some(&known.ty), &field.selection_set.node)?;
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref().map(|condition| &condition.node.on.node);
                    self.check_selections(condition.or(ty), &fragment.node.selection_set.node)?;
                }
                Selection::FragmentSpread(_) => {}
            }
        }
        Ok(())
    }

    fn check_value(&self, ty: &Type, value: &Value, position: Pos) -> Result<(), ServerError> {
        match (&ty.base, value) {
            (BaseType::List(item), Value::List(values)) => {
                values.iter().try_for_each(|value| self.check_value(item, value, position))
            }
            (BaseType::List(item), value) => self.check_value(item, value, position),
            (BaseType::Named(name), Value::Object(values)) => {
                let Some(fields) = self.inputs.get(name) else { return Ok(()) };
                values.iter().try_for_each(|(name, value)| match fields.get(name) {
                    Some(ty) => self.check_value(ty, value, position),
                    None => Ok(()),
                })
            }
            (BaseType::Named(name), Value::String(text)) if self.enums.contains(name) => {
                let message = format!("{text:?} is a string. Write values of the enum \"{name}\" without quotes.");
                Err(ServerError { locations: vec![position], ..coded(ErrorCode::BadUserInput, message) })
            }
            _ => Ok(()),
        }
    }
}

fn output(field: FieldDefinition) -> (Name, OutputField) {
    let arguments = field.arguments.into_iter().map(|argument| (argument.node.name.node, argument.node.ty.node));
    (field.name.node, OutputField { ty: named(field.ty.node), arguments: arguments.collect() })
}

/// Returns the name of a type, or of the items of a list.
fn named(ty: Type) -> Name {
    match ty.base {
        BaseType::Named(name) => name,
        BaseType::List(item) => named(*item),
    }
}
