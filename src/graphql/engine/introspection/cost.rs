//! Cost of introspection: the number of values that its selections return, counted on the schema before execution. A list
//! counts with its real length, so each level multiplies as it would in the response.
//! Rule: counting takes no longer than the limit allows: each step adds to the cost, and the count ends at the limit.

use std::{collections::HashMap, convert::Infallible};

use async_graphql::{
    Name, Positioned, Value, Variables,
    parser::{
        parse_query,
        types::{ExecutableDocument, Field, FragmentDefinition, Selection, SelectionSet},
    },
};

use super::{
    graph::{FieldNode, SchemaGraph, TypeIndex},
    is_introspection,
};

/// The introspection query with every field, and nine levels of type references as in graphql-js.
const FULL_QUERY: &str = "{ __schema { description queryType { name kind } mutationType { name kind }
        subscriptionType { name kind } types { ...FullType }
        directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
    fragment FullType on __Type { kind name description specifiedByURL isOneOf
        fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue }
            type { ...TypeRef } isDeprecated deprecationReason }
        inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
        possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated
        deprecationReason }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

/// The limit as a multiple of the cost of the full query: room for the variants of other tools.
const FULL_QUERIES: usize = 2;

/// Fields of `__Type` that lead to further types. Tools nest none of them, so more than two levels only multiply.
const LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];
/// Maximum number of [`LISTS`] inside of each other.
pub const MAX_NESTED_LISTS: usize = 2;

/// The fragments of a document by name.
type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

/// The cost exceeds the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded;

/// The cost so far, if it is within the limit.
type Cost = Result<usize, Exceeded>;

/// Returns the limit of a schema.
pub fn limit(graph: &SchemaGraph) -> usize {
    let full = parse_query(FULL_QUERY).ok().and_then(|document| {
        let (_, operation) = document.operations.iter().next()?;
        let fields = operation.node.selection_set.node.items.iter().filter_map(|selection| match &selection.node {
            Selection::Field(field) => Some(&field.node),
            _ => None,
        });
        let fields: Vec<&Field> = fields.collect();
        count(graph, &document, &fields, &Variables::default(), usize::MAX).ok()
    });
    full.unwrap_or_default().saturating_mul(FULL_QUERIES)
}

/// Counts what the introspection among these root fields returns.
/// # Errors
/// If it is more than the limit.
pub fn count(
    graph: &SchemaGraph,
    document: &ExecutableDocument,
    root_fields: &[&Field],
    variables: &Variables,
    limit: usize,
) -> Cost {
    let mut counter = Counter { graph, fragments: &document.fragments, limit, known: HashMap::new() };
    let mut total = 0;
    for field in root_fields {
        let set = &field.selection_set.node;
        let cost = match field.name.node.as_str() {
            "__schema" => counter.schema(set)?,
            "__type" => match type_name(field, variables).and_then(|name| graph.find(&name)) {
                Some(index) => counter.type_node(set, index)?,
                None => 1,
            },
            _ => 0,
        };
        total = counter.plus(total, cost)?;
    }
    Ok(total)
}

fn type_name(field: &Field, variables: &Variables) -> Option<String> {
    let name = field.get_argument("name")?.node.clone();
    let value = |name: Name| Ok::<_, Infallible>(variables.get(&name).cloned().unwrap_or_default());
    match name.into_const_with(value) {
        Ok(Value::String(name)) => Some(name),
        _ => None,
    }
}

/// Checks that lists of types are not nested more than [`MAX_NESTED_LISTS`] deep below these root fields.
/// # Errors
/// If they are.
pub fn check_nesting(document: &ExecutableDocument, root_fields: &[&Field]) -> Result<(), Exceeded> {
    let mut sets = root_fields.iter().filter(|field| is_introspection(field)).map(|field| &field.selection_set.node);
    sets.try_for_each(|set| nesting_below(set, 0, &document.fragments))
}

fn nesting_below(set: &SelectionSet, lists: usize, fragments: &Fragments) -> Result<(), Exceeded> {
    for selection in &set.items {
        let (inside, lists) = match &selection.node {
            Selection::Field(field) => {
                let is_list = LISTS.contains(&field.node.name.node.as_str());
                (Some(&field.node.selection_set.node), lists + usize::from(is_list))
            }
            Selection::InlineFragment(inline) => (Some(&inline.node.selection_set.node), lists),
            Selection::FragmentSpread(spread) => {
                let fragment = fragments.get(&spread.node.fragment_name.node);
                (fragment.map(|fragment| &fragment.node.selection_set.node), lists)
            }
        };
        if lists > MAX_NESTED_LISTS {
            return Err(Exceeded);
        }
        if let Some(inside) = inside {
            nesting_below(inside, lists, fragments)?;
        }
    }
    Ok(())
}

/// A place of the schema at which a selection set is counted once.
#[derive(PartialEq, Eq, Hash)]
enum Place {
    Type(TypeIndex),
    Input(TypeIndex),
}

struct Counter<'a> {
    graph: &'a SchemaGraph,
    fragments: &'a Fragments,
    limit: usize,
    /// Costs of the selection sets counted so far, by their addresses.
    known: HashMap<(*const SelectionSet, Place), usize>,
}

impl<'a> Counter<'a> {
    fn plus(&self, total: usize, cost: usize) -> Cost {
        let total = total.saturating_add(cost);
        if total > self.limit { Err(Exceeded) } else { Ok(total) }
    }

    /// Counts an object: itself, each selected field, and what `inside` counts of the field's own selections.
    fn object(
        &mut self,
        set: &'a SelectionSet,
        inside: &mut dyn FnMut(&mut Self, &str, &'a SelectionSet) -> Cost,
    ) -> Cost {
        let cost = self.selections(set, inside)?;
        self.plus(cost, 1)
    }

    fn selections(
        &mut self,
        set: &'a SelectionSet,
        inside: &mut dyn FnMut(&mut Self, &str, &'a SelectionSet) -> Cost,
    ) -> Cost {
        let mut total = 0;
        for selection in &set.items {
            let cost = match &selection.node {
                Selection::Field(field) => inside(self, field.node.name.node.as_str(), &field.node.selection_set.node)?,
                Selection::InlineFragment(inline) => self.selections(&inline.node.selection_set.node, inside)?,
                Selection::FragmentSpread(spread) => match self.fragments.get(&spread.node.fragment_name.node) {
                    Some(fragment) => self.selections(&fragment.node.selection_set.node, inside)?,
                    None => 0,
                },
            };
            total = self.plus(total, cost)?;
            total = self.plus(total, 1)?;
        }
        Ok(total)
    }

    fn sum<T: 'a>(&mut self, items: impl IntoIterator<Item = T>, mut cost: impl FnMut(&mut Self, T) -> Cost) -> Cost {
        let mut total = 0;
        for item in items {
            let cost = cost(self, item)?;
            total = self.plus(total, cost)?;
        }
        Ok(total)
    }

    fn schema(&mut self, set: &'a SelectionSet) -> Cost {
        let graph = self.graph;
        self.object(set, &mut |counter, field, set| match field {
            "types" => counter.sum(&graph.named, |counter, index| counter.type_node(set, *index)),
            "directives" => counter.sum(&graph.directives, |counter, arguments| {
                counter.object(set, &mut |counter, field, set| match field {
                    "args" => counter.sum(arguments, |counter, ty| counter.input(set, *ty)),
                    _ => Ok(0),
                })
            }),
            root => match graph.roots.iter().find(|(field, _)| *field == root) {
                Some((_, index)) => counter.type_node(set, *index),
                None => Ok(0),
            },
        })
    }

    fn type_node(&mut self, set: &'a SelectionSet, index: TypeIndex) -> Cost {
        let key = (std::ptr::from_ref(set), Place::Type(index));
        if let Some(cost) = self.known.get(&key) {
            return Ok(*cost);
        }
        let graph = self.graph;
        let node = &graph.types[index];
        let cost = self.object(set, &mut |counter, field, set| match field {
            "fields" => counter.sum(&node.fields, |counter, field| counter.field(set, field)),
            "interfaces" => counter.sum(&node.interfaces, |counter, index| counter.type_node(set, *index)),
            "possibleTypes" => counter.sum(&node.possible_types, |counter, index| counter.type_node(set, *index)),
            "inputFields" => counter.sum(&node.input_fields, |counter, ty| counter.input(set, *ty)),
            "enumValues" => {
                let one = counter.object(set, &mut |_, _, _| Ok(0))?;
                counter.plus(0, one.saturating_mul(node.enum_values))
            }
            "ofType" => node.of_type.map_or(Ok(0), |index| counter.type_node(set, index)),
            _ => Ok(0),
        })?;
        self.known.insert(key, cost);
        Ok(cost)
    }

    fn field(&mut self, set: &'a SelectionSet, node: &'a FieldNode) -> Cost {
        self.object(set, &mut |counter, field, set| match field {
            "args" => counter.sum(&node.arguments, |counter, ty| counter.input(set, *ty)),
            "type" => counter.type_node(set, node.ty),
            _ => Ok(0),
        })
    }

    fn input(&mut self, set: &'a SelectionSet, ty: TypeIndex) -> Cost {
        let key = (std::ptr::from_ref(set), Place::Input(ty));
        if let Some(cost) = self.known.get(&key) {
            return Ok(*cost);
        }
        let cost = self.object(set, &mut |counter, field, set| match field {
            "type" => counter.type_node(set, ty),
            _ => Ok(0),
        })?;
        self.known.insert(key, cost);
        Ok(cost)
    }
}
