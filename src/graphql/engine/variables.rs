//! Checks the variables of a request against the types that the operation declares, and coerces numbers: JSON has one
//! type for them, and some clients write 5 as `5.0` or `5e0`.
//! Rule: after [`InputTypes::check`] every declared variable has a value of its type or is legitimately absent, so a
//! cached document needs no validation for new variables. (async-graphql checks only variables in use, and their values
//! only during validation.)

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Number, ServerError, Value, Variables,
    parser::types::{BaseType, OperationDefinition, ServiceDocument, Type, TypeKind, TypeSystemDefinition},
};

use crate::{
    error::ErrorCode,
    graphql::engine::{errors::coded, scalars},
};

/// Input types of a schema by name. Custom scalars are not included: [`scalars::violated_rule`] and their parsers check
/// the values.
#[derive(Debug)]
pub struct InputTypes(HashMap<Name, InputKind>);

#[derive(Debug)]
enum InputKind {
    Enum(HashSet<Name>),
    Object { fields: Vec<InputField>, one_of: bool },
}

#[derive(Debug)]
struct InputField {
    name: Name,
    ty: Type,
    has_default: bool,
}

/// Path of a value in a variable, such as `$input.lines.0.quantity`. Built during the descent, formatted only for
/// errors.
struct ValuePath<'a> {
    parent: Option<&'a ValuePath<'a>>,
    segment: &'a dyn std::fmt::Display,
}

impl std::fmt::Display for ValuePath<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.parent {
            Some(parent) => write!(f, "{parent}.{}", self.segment),
            None => write!(f, "${}", self.segment),
        }
    }
}

impl InputTypes {
    /// Reads the input types from a schema definition.
    pub fn new(schema: &ServiceDocument) -> Self {
        let mut types = HashMap::new();
        for definition in &schema.definitions {
            let TypeSystemDefinition::Type(ty) = definition else { continue };
            let one_of = ty.node.directives.iter().any(|directive| directive.node.name.node == "oneOf");
            let kind = match &ty.node.kind {
                TypeKind::Enum(ty) => InputKind::Enum(ty.values.iter().map(|v| v.node.value.node.clone()).collect()),
                TypeKind::InputObject(ty) => {
                    let fields = ty.fields.iter().map(|field| InputField {
                        name: field.node.name.node.clone(),
                        ty: field.node.ty.node.clone(),
                        has_default: field.node.default_value.is_some(),
                    });
                    InputKind::Object { fields: fields.collect(), one_of }
                }
                _ => continue,
            };
            types.insert(ty.node.name.node.clone(), kind);
        }
        Self(types)
    }

    /// Returns whether a type is an enum.
    pub fn is_enum(&self, name: &Name) -> bool {
        matches!(self.0.get(name), Some(InputKind::Enum(_)))
    }

    /// Returns the type of a field of an input type.
    pub fn field_type(&self, input: &Name, field: &Name) -> Option<&Type> {
        let Some(InputKind::Object { fields, .. }) = self.0.get(input) else { return None };
        fields.iter().find(|known| known.name == *field).map(|known| &known.ty)
    }

    /// Removes variables that are not declared, sets absent ones to their defaults, then checks and coerces every variable of the operation.
    /// # Errors
    /// BAD_USER_INPUT for the first variable that is missing or does not match its type; the message contains its path.
    pub fn check(&self, operation: &OperationDefinition, variables: &mut Variables) -> Result<(), ServerError> {
        // Others have no effect. A subscription would keep them for as long as it runs.
        variables.retain(|name, _| operation.variable_definitions.iter().any(|known| known.node.name.node == *name));
        for definition in &operation.variable_definitions {
            let (name, ty) = (&definition.node.name.node, &definition.node.var_type.node);
            if let (None, Some(default)) = (variables.get(name), &definition.node.default_value) {
                // Without this, `@skip(if: $absent)` would not use the default.
                variables.insert(name.clone(), default.node.clone());
            }
            match variables.get_mut(name) {
                Some(value) => self.check_value(ty, value, &ValuePath { parent: None, segment: name })?,
                None if ty.nullable => {}
                None => {
                    return Err(bad_input(format!("Variable \"${name}\" of type \"{ty}\" is required.")));
                }
            }
        }
        Ok(())
    }

    fn check_value(&self, ty: &Type, value: &mut Value, path: &ValuePath<'_>) -> Result<(), ServerError> {
        let name = match (&ty.base, &mut *value) {
            (_, Value::Null) if ty.nullable => return Ok(()),
            (_, Value::Null) => return Err(type_error(path, ty)),
            (BaseType::List(item), Value::List(values)) => {
                return values.iter_mut().enumerate().try_for_each(|(index, value)| {
                    self.check_value(item, value, &ValuePath { parent: Some(path), segment: &index })
                });
            }
            // A single value is coerced to a list of one.
            (BaseType::List(item), value) => return self.check_value(item, value, path),
            (BaseType::Named(name), _) => name,
        };
        let fits = match (name.as_str(), &mut *value) {
            ("Int", value) => return coerce_int(value, path),
            ("ID", Value::Number(number)) => {
                // The text of the number; what it identifies is decided where the ID is used.
                let Some(text) = whole_number(number) else { return Err(type_error(path, ty)) };
                *value = Value::String(text);
                true
            }
            ("Float", Value::Number(_)) | ("Boolean", Value::Boolean(_)) => true,
            ("String" | "ID", Value::String(text)) => return check_text(text, path),
            ("Float" | "Boolean" | "String" | "ID", _) => false,
            (_, value) => match (self.0.get(name), value) {
                (Some(InputKind::Enum(values)), Value::String(text)) => values.contains(text.as_str()),
                (Some(InputKind::Enum(values)), Value::Enum(value)) => values.contains(value),
                (Some(InputKind::Enum(_)), _) => false,
                (Some(InputKind::Object { fields, one_of }), value) => {
                    return self.check_object(ty, fields, *one_of, value, path);
                }
                (None, value) => {
                    if let Some(rule) = scalars::violated_rule(name, value) {
                        return Err(bad_input(format!("Variable \"{path}\" {rule}.")));
                    }
                    return check_scalar(value, path);
                }
            },
        };
        if fits { Ok(()) } else { Err(type_error(path, ty)) }
    }

    fn check_object(
        &self,
        ty: &Type,
        fields: &[InputField],
        one_of: bool,
        value: &mut Value,
        path: &ValuePath<'_>,
    ) -> Result<(), ServerError> {
        let Value::Object(values) = value else { return Err(type_error(path, ty)) };
        if one_of && (values.len() != 1 || values.values().any(|value| *value == Value::Null)) {
            return Err(bad_input(format!("Variable \"{path}\" must have exactly one field, which must not be null.")));
        }
        for field in fields {
            let path = ValuePath { parent: Some(path), segment: &field.name };
            match values.get_mut(&field.name) {
                Some(value) => self.check_value(&field.ty, value, &path)?,
                None if field.ty.nullable || field.has_default => {}
                None => return Err(bad_input(format!("Variable \"{path}\" of type \"{}\" is required.", field.ty))),
            }
        }
        match values.keys().find(|name| fields.iter().all(|field| field.name != **name)) {
            Some(name) => Err(bad_input(format!("Variable \"{path}\": type \"{ty}\" has no field \"{name}\"."))),
            None => Ok(()),
        }
    }
}

/// Replaces a whole number such as `5.0` by the integer.
fn coerce_int(value: &mut Value, path: &ValuePath<'_>) -> Result<(), ServerError> {
    let integer = match value {
        Value::Number(number) => whole_number(number).and_then(|text| text.parse::<i32>().ok()),
        _ => None,
    };
    let Some(integer) = integer else {
        let (min, max) = (i32::MIN, i32::MAX);
        return Err(bad_input(format!("Variable \"{path}\" must be an integer between {min} and {max}.")));
    };
    *value = Value::Number(integer.into());
    Ok(())
}

/// Returns the digits of a number without a fractional part. Floats above 2^53 are not exact, so they are none.
fn whole_number(number: &Number) -> Option<String> {
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64().filter(|_| number.is_f64()) {
        Some(float) if float.fract() != 0.0 || float.abs() > MAX_EXACT => None,
        Some(float) => Some(format!("{:.0}", float + 0.0)),
        None => Some(number.to_string()),
    }
}

/// PostgreSQL's `text` cannot store NUL, so it is rejected in custom scalars too.
fn check_scalar(value: &Value, path: &ValuePath<'_>) -> Result<(), ServerError> {
    match value {
        Value::String(text) => check_text(text, path),
        Value::List(values) => values.iter().try_for_each(|value| check_scalar(value, path)),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            check_text(name, path)?;
            check_scalar(value, path)
        }),
        _ => Ok(()),
    }
}

fn check_text(text: &str, path: &ValuePath<'_>) -> Result<(), ServerError> {
    if text.contains('\0') {
        return Err(bad_input(format!("Variable \"{path}\" must not contain the character NUL.")));
    }
    Ok(())
}

fn type_error(path: &ValuePath<'_>, ty: &Type) -> ServerError {
    bad_input(format!("Variable \"{path}\" is not a value of type \"{ty}\"."))
}

fn bad_input(message: String) -> ServerError {
    coded(ErrorCode::BadUserInput, message)
}
