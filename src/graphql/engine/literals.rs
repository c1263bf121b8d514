//! Checks the enum values that are written in a document.
//! Rule: they have no quotes, as the GraphQL specification says. (async-graphql also accepts a string, as it does not tell
//! a literal from the value of a variable, which is a string in JSON.)

use std::{collections::HashMap, convert::Infallible};

use async_graphql::{
    Name, Pos, Positioned, ServerError, Value,
    parser::types::{
        BaseType, ExecutableDocument, FieldDefinition, InputValueDefinition, OperationType, Selection, SelectionSet,
        ServiceDocument, Type, TypeKind, TypeSystemDefinition,
    },
};

use crate::{
    error::ErrorCode,
    graphql::engine::{errors::coded, variables::InputTypes},
};

/// The fields of a schema, in whose arguments an enum value can occur.
#[derive(Debug, Default)]
pub struct LiteralTypes {
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
    /// Reads the fields from a schema definition.
    pub fn new(schema: &ServiceDocument) -> Self {
        let mut types = Self::default();
        for definition in &schema.definitions {
            match definition {
                TypeSystemDefinition::Schema(schema) => {
                    let name = |root: &Option<Positioned<Name>>| root.as_ref().map(|name| name.node.clone());
                    types.query = name(&schema.node.query);
                    types.mutation = name(&schema.node.mutation);
                    types.subscription = name(&schema.node.subscription);
                }
                TypeSystemDefinition::Type(ty) => {
                    let fields = match &ty.node.kind {
                        TypeKind::Object(ty) => &ty.fields,
                        TypeKind::Interface(ty) => &ty.fields,
                        _ => continue,
                    };
                    let fields = fields.iter().map(|field| output(&field.node)).collect();
                    types.outputs.insert(ty.node.name.node.clone(), fields);
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        types
    }

    /// Checks the arguments and the defaults of variables in a document.
    /// # Errors
    /// BAD_USER_INPUT for the first enum value in quotes.
    pub fn check(&self, inputs: &InputTypes, document: &ExecutableDocument) -> Result<(), ServerError> {
        for (_, operation) in document.operations.iter() {
            for variable in &operation.node.variable_definitions {
                if let Some(default) = &variable.node.default_value {
                    check_value(inputs, &variable.node.var_type.node, &default.node, default.pos)?;
                }
            }
            let root = match operation.node.ty {
                OperationType::Query => &self.query,
                OperationType::Mutation => &self.mutation,
                OperationType::Subscription => &self.subscription,
            };
            self.check_selections(inputs, root.as_ref(), &operation.node.selection_set.node)?;
        }
        document.fragments.values().try_for_each(|fragment| {
            let ty = &fragment.node.type_condition.node.on.node;
            self.check_selections(inputs, Some(ty), &fragment.node.selection_set.node)
        })
    }

    /// Checks the selections of a type. Unknown types and fields are left to the validation.
    fn check_selections(
        &self,
        inputs: &InputTypes,
        ty: Option<&Name>,
        selections: &SelectionSet,
    ) -> Result<(), ServerError> {
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
                        check_value(inputs, ty, &literal, value.pos)?;
                    }
                    self.check_selections(inputs, Some(&known.ty), &field.selection_set.node)?;
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref().map(|condition| &condition.node.on.node);
                    self.check_selections(inputs, condition.or(ty), &fragment.node.selection_set.node)?;
                }
                Selection::FragmentSpread(_) => {}
            }
        }
        Ok(())
    }
}

fn check_value(inputs: &InputTypes, ty: &Type, value: &Value, position: Pos) -> Result<(), ServerError> {
    match (&ty.base, value) {
        (BaseType::List(item), Value::List(values)) => {
            values.iter().try_for_each(|value| check_value(inputs, item, value, position))
        }
        (BaseType::List(item), value) => check_value(inputs, item, value, position),
        (BaseType::Named(input), Value::Object(values)) => {
            values.iter().try_for_each(|(name, value)| match inputs.field_type(input, name) {
                Some(ty) => check_value(inputs, ty, value, position),
                None => Ok(()),
            })
        }
        (BaseType::Named(name), Value::String(text)) if inputs.is_enum(name) => {
            let message = format!("{text:?} is a string. Write values of the enum \"{name}\" without quotes.");
            Err(ServerError { locations: vec![position], ..coded(ErrorCode::BadUserInput, message) })
        }
        _ => Ok(()),
    }
}

fn output(field: &FieldDefinition) -> (Name, OutputField) {
    let argument =
        |argument: &Positioned<InputValueDefinition>| (argument.node.name.node.clone(), argument.node.ty.node.clone());
    let arguments = field.arguments.iter().map(argument).collect();
    (field.name.node.clone(), OutputField { ty: named(&field.ty.node).clone(), arguments })
}

/// Returns the name of a type, or of the items of a list.
fn named(ty: &Type) -> &Name {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(item) => named(item),
    }
}
