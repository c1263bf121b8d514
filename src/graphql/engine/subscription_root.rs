//! The root field of a subscription: the specification allows one, which may be selected in fragments, and several times.
//! Rule: the selections are merged into one field before the document is validated, because async-graphql looks for the root
//! fields of a subscription outside of fragments only.

use std::collections::{HashMap, HashSet};

use async_graphql::{
    Name, Positioned, ServerError,
    parser::types::{
        Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, OperationDefinition,
        OperationType, Selection, SelectionSet, TypeCondition,
    },
};

use super::errors::coded;
use crate::error::ErrorCode;

/// Name of the root type.
const ROOT: &str = "Subscription";

/// Merges the root selections of each subscription of a document into one field.
/// # Errors
/// BAD_USER_INPUT if a subscription has another number of root fields than one, or conditions on it.
pub fn merge_root_fields(document: &mut ExecutableDocument) -> Result<(), ServerError> {
    let ExecutableDocument { operations, fragments } = document;
    let mut inlined = HashSet::new();
    let operations: Vec<&mut Positioned<OperationDefinition>> = match operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    };
    for operation in operations {
        if operation.node.ty == OperationType::Subscription {
            let mut merge = Merge { fragments, inlined: HashSet::new(), field: None };
            merge.add(&operation.node.selection_set.node)?;
            let field = merge.field.ok_or_else(|| wrong_root(ONE))?;
            operation.node.selection_set.node.items = vec![Positioned::new(Selection::Field(field.clone()), field.pos)];
            inlined.extend(merge.inlined);
        }
    }
    if !inlined.is_empty() {
        remove_unused(document, &inlined);
    }
    Ok(())
}

const ONE: &str = "a subscription must select exactly one root field";

fn wrong_root(message: &str) -> ServerError {
    coded(ErrorCode::BadUserInput, message)
}

struct Merge<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    inlined: HashSet<Name>,
    field: Option<Positioned<Field>>,
}

impl Merge<'_> {
    fn add(&mut self, set: &SelectionSet) -> Result<(), ServerError> {
        for item in &set.items {
            check_directives(directives(&item.node))?;
            match &item.node {
                Selection::Field(field) => self.add_field(field)?,
                Selection::InlineFragment(fragment) => {
                    fragment.node.type_condition.as_ref().map_or(Ok(()), check_type)?;
                    self.add(&fragment.node.selection_set.node)?;
                }
                Selection::FragmentSpread(spread) => self.add_fragment(&spread.node.fragment_name.node)?,
            }
        }
        Ok(())
    }

    fn add_fragment(&mut self, name: &Name) -> Result<(), ServerError> {
        let Some(fragment) = self.fragments.get(name) else {
            return Err(wrong_root(&format!("Unknown fragment: \"{name}\"")));
        };
        check_directives(&fragment.node.directives)?;
        check_type(&fragment.node.type_condition)?;
        // A fragment that is spread again adds nothing, also if it spreads itself.
        match self.inlined.insert(name.clone()) {
            true => self.add(&fragment.node.selection_set.node),
            false => Ok(()),
        }
    }

    fn add_field(&mut self, field: &Positioned<Field>) -> Result<(), ServerError> {
        if field.node.name.node.starts_with("__") {
            return Err(wrong_root(ONE));
        }
        let Some(merged) = &mut self.field else {
            self.field = Some(field.clone());
            return Ok(());
        };
        let is_same = merged.node.response_key().node == field.node.response_key().node
            && merged.node.name == field.node.name
            && merged.node.arguments == field.node.arguments;
        if !is_same {
            return Err(wrong_root(ONE));
        }
        merged.node.selection_set.node.items.extend(field.node.selection_set.node.items.iter().cloned());
        Ok(())
    }
}

fn directives(selection: &Selection) -> &[Positioned<Directive>] {
    match selection {
        Selection::Field(field) => &field.node.directives,
        Selection::FragmentSpread(spread) => &spread.node.directives,
        Selection::InlineFragment(fragment) => &fragment.node.directives,
    }
}

fn check_type(condition: &Positioned<TypeCondition>) -> Result<(), ServerError> {
    match condition.node.on.node == ROOT {
        true => Ok(()),
        false => Err(wrong_root("a fragment of a subscription's root must be on the type Subscription")),
    }
}

/// Rejects conditions: whether a subscription has a root field must not depend on variables.
fn check_directives(directives: &[Positioned<Directive>]) -> Result<(), ServerError> {
    match directives.iter().find(|directive| matches!(directive.node.name.node.as_str(), "skip" | "include")) {
        None => Ok(()),
        Some(directive) => {
            let name = &directive.node.name.node;
            Err(wrong_root(&format!("@{name} is not allowed on the root field of a subscription")))
        }
    }
}

/// Removes these fragments if nothing spreads them any more: validation rejects unused ones.
fn remove_unused(document: &mut ExecutableDocument, inlined: &HashSet<Name>) {
    let mut used = HashSet::new();
    for (_, operation) in document.operations.iter() {
        collect_spreads(&operation.node.selection_set.node, &mut used);
    }
    for (name, fragment) in &document.fragments {
        if !inlined.contains(name) {
            collect_spreads(&fragment.node.selection_set.node, &mut used);
        }
    }
    document.fragments.retain(|name, _| !inlined.contains(name) || used.contains(name));
}

fn collect_spreads(set: &SelectionSet, used: &mut HashSet<Name>) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) => collect_spreads(&field.node.selection_set.node, used),
            Selection::InlineFragment(fragment) => collect_spreads(&fragment.node.selection_set.node, used),
            Selection::FragmentSpread(spread) => _ = used.insert(spread.node.fragment_name.node.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn merged(document: &str) -> Result<String, String> {
        let mut parsed = parse_query(document).unwrap();
        merge_root_fields(&mut parsed).map_err(|error| error.message)?;
        let (_, operation) = parsed.operations.iter().next().unwrap();
        let root: Vec<_> = operation.node.selection_set.node.items.iter().map(name).collect();
        let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else { panic!("no field") };
        let fields: Vec<_> = field.node.selection_set.node.items.iter().map(name).collect();
        Ok(format!("{} {} {}", root.join(","), fields.join(","), parsed.fragments.len()))
    }

    fn name(selection: &Positioned<Selection>) -> String {
        match &selection.node {
            Selection::Field(field) => field.node.response_key().node.to_string(),
            Selection::FragmentSpread(spread) => format!("...{}", spread.node.fragment_name.node),
            Selection::InlineFragment(_) => "...".to_owned(),
        }
    }

    #[test]
    fn fragments_and_repeated_fields_become_one_field() {
        for (document, expected) in [
            ("subscription { a { x } }", "a x 0"),
            ("subscription { b: a { x } }", "b x 0"),
            ("subscription { a(n: 1) { x } a(n: 1) { y } }", "a x,y 0"),
            ("subscription { ... { a { x } } ... on Subscription { a { y } } }", "a x,y 0"),
            (
                "subscription { ...f } fragment f on Subscription { a { x } ...g } fragment g on Subscription { a { y } ...f }",
                "a x,y 0",
            ),
            ("subscription { a { ...f } } fragment f on A { x }", "a ...f 1"),
            ("subscription { ...f } fragment f on Subscription { a { ...g } } fragment g on A { x }", "a ...g 1"),
        ] {
            assert_eq!(merged(document).as_deref(), Ok(expected), "{document}");
        }
    }

    #[test]
    fn other_roots_are_rejected() {
        for (document, message) in [
            ("subscription { a { x } b { x } }", ONE),
            ("subscription { a { x } c: a { x } }", ONE),
            ("subscription { a(n: 1) { x } a(n: 2) { x } }", ONE),
            ("subscription { __typename }", ONE),
            ("subscription { ...f } fragment f on Subscription { ...f }", ONE),
            ("subscription { a @skip(if: true) { x } }", "@skip is not allowed"),
            ("subscription { ... @include(if: true) { a { x } } }", "@include is not allowed"),
            ("subscription { ...f }", "Unknown fragment"),
            ("subscription { ...f } fragment f on Query { a { x } }", "must be on the type Subscription"),
        ] {
            let error = merged(document).unwrap_err();
            assert!(error.contains(message), "{document}: {error}");
        }
    }
}
