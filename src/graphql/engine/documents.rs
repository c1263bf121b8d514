//! Cache of parsed and validated documents, keyed by their text.
//! Rule: a document is cached only if its validation does not depend on the variables or the operation name: it
//! contains a single query or subscription, and every literal in it was validated.

use std::{
    convert::Infallible,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use async_graphql::{
    Name, Positioned, ValidationResult, Value, Variables,
    parser::types::{
        BaseType, DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
        SelectionSet, VariableDefinition,
    },
};
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::graphql::engine::limits::DocumentSize;

/// A parsed document.
#[derive(Debug)]
pub struct Document {
    /// SHA-256 of the text, in hexadecimal. It is the same on all servers.
    pub hash: String,
    /// The parsed document.
    pub parsed: ExecutableDocument,
    /// Its size. The number of tokens approximates the memory it takes.
    pub size: DocumentSize,
    /// Result of its validation, once known, if it is the same for all variables.
    pub validation: OnceLock<ValidationResult>,
    has_unknown_dependencies: AtomicBool,
}

/// Bounded cache of parsed documents.
#[derive(Debug)]
pub struct DocumentCache {
    cache: Cache<String, Arc<Document>>,
    max_bytes: usize,
}

impl DocumentCache {
    /// Tokens per unit of cache weight. Longer documents count as several entries, so that many long documents cannot
    /// exhaust the memory.
    const TOKENS_PER_ENTRY: usize = 256;

    /// Creates a cache of at most `entries` documents, none of them longer than `max_bytes`.
    pub fn new(entries: u64, max_bytes: usize) -> Self {
        let cache = Cache::builder()
            .max_capacity(entries)
            .weigher(|_: &String, document: &Arc<Document>| {
                let weight = 1 + document.size.tokens / Self::TOKENS_PER_ENTRY;
                u32::try_from(weight).unwrap_or(u32::MAX)
            })
            .build();
        Self { cache, max_bytes }
    }

    /// Returns the cached document with this text.
    pub fn get(&self, text: &str) -> Option<Arc<Document>> {
        (text.len() <= self.max_bytes).then(|| self.cache.get(text)).flatten()
    }

    /// Caches a document that has passed validation.
    pub fn insert(&self, text: String, document: Arc<Document>) {
        if text.len() <= self.max_bytes {
            self.cache.insert(text, document);
        }
    }
}

impl Document {
    /// Creates the document with this text.
    pub fn new(text: &str, parsed: ExecutableDocument, size: DocumentSize) -> Self {
        Self {
            hash: hex::encode(Sha256::digest(text)),
            parsed,
            size,
            validation: OnceLock::new(),
            has_unknown_dependencies: AtomicBool::new(false),
        }
    }

    /// Notes that a response depended on something unknown.
    pub fn set_unknown_dependencies(&self) {
        self.has_unknown_dependencies.store(true, Ordering::Relaxed);
    }

    /// Returns whether a response depended on something unknown: then requests do not wait for each other's response.
    pub fn has_unknown_dependencies(&self) -> bool {
        self.has_unknown_dependencies.load(Ordering::Relaxed)
    }

    /// Checks whether a validation with these variables is valid for all other variables too. Mutations are excluded as
    /// a precaution, and documents with several operations because values are validated for the selected operation
    /// only. A list or an object that contains an absent variable is not validated at all, so its literals are still
    /// unchecked.
    pub fn is_cacheable_with(&self, variables: &Variables) -> bool {
        let Some(operation) = self.only_operation() else { return false };
        operation.ty != OperationType::Mutation
            && operation.directives.is_empty()
            && is_fully_validated(&operation.selection_set.node, variables)
            && self.parsed.fragments.values().all(|fragment| {
                fragment.node.directives.is_empty() && is_fully_validated(&fragment.node.selection_set.node, variables)
            })
    }

    /// Checks whether the complexity is the same for all values of the variables. It depends on numbers, filters, texts
    /// of searches and lists of IDs, but not on a single ID.
    pub fn has_constant_complexity(&self) -> bool {
        let is_id = |variable: &Positioned<VariableDefinition>| {
            let kind = &variable.node.var_type.node;
            !kind.nullable && matches!(&kind.base, BaseType::Named(name) if name == "ID")
        };
        self.only_operation().is_some_and(|operation| operation.variable_definitions.iter().all(is_id))
    }

    fn only_operation(&self) -> Option<&OperationDefinition> {
        let mut operations = self.parsed.operations.iter();
        let (_, operation) = operations.next()?;
        operations.next().is_none().then_some(&operation.node)
    }

    /// Returns the operation to run: the named one, or the only one.
    pub fn operation(&self, name: Option<&str>) -> Option<SelectedOperation<'_>> {
        match (&self.parsed.operations, name) {
            (DocumentOperations::Single(operation), None) => Some((None, &operation.node)),
            (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
                operations.iter().next().map(|(name, operation)| (Some(name), &operation.node))
            }
            (DocumentOperations::Multiple(operations), Some(name)) => {
                operations.get_key_value(name).map(|(name, operation)| (Some(name), &operation.node))
            }
            _ => None,
        }
    }

    /// Returns whether a field with this name is selected anywhere.
    pub fn has_field(&self, name: &str) -> bool {
        let mut operations = self.parsed.operations.iter();
        operations.any(|(_, operation)| selects(&operation.node.selection_set.node, name))
            || self.parsed.fragments.values().any(|fragment| selects(&fragment.node.selection_set.node, name))
    }

    /// Returns the root fields of the operation to run, with fragments expanded.
    pub fn root_fields(&self, name: Option<&str>) -> Vec<&Field> {
        self.operation(name).map_or_else(Vec::new, |(_, operation)| self.fields(&operation.selection_set.node))
    }

    fn fields<'a>(&'a self, set: &'a SelectionSet) -> Vec<&'a Field> {
        let fields = set.items.iter().flat_map(|selection| match &selection.node {
            Selection::Field(field) => vec![&field.node],
            Selection::InlineFragment(fragment) => self.fields(&fragment.node.selection_set.node),
            Selection::FragmentSpread(spread) => match self.parsed.fragments.get(&spread.node.fragment_name.node) {
                Some(fragment) => self.fields(&fragment.node.selection_set.node),
                None => Vec::new(), // validation rejects the document
            },
        });
        fields.collect()
    }
}

/// The operation to run, with its name.
pub type SelectedOperation<'a> = (Option<&'a Name>, &'a OperationDefinition);

fn selects(set: &SelectionSet, name: &str) -> bool {
    set.items.iter().any(|selection| match &selection.node {
        Selection::Field(field) => field.node.name.node == name || selects(&field.node.selection_set.node, name),
        Selection::InlineFragment(fragment) => selects(&fragment.node.selection_set.node, name),
        Selection::FragmentSpread(_) => false,
    })
}

fn is_fully_validated(set: &SelectionSet, variables: &Variables) -> bool {
    set.items.iter().all(|selection| {
        let (arguments, inside) = match &selection.node {
            Selection::Field(field) => (field.node.arguments.as_slice(), Some(&field.node.selection_set.node)),
            Selection::InlineFragment(fragment) => (&[][..], Some(&fragment.node.selection_set.node)),
            Selection::FragmentSpread(_) => (&[][..], None),
        };
        let directives = selection.node.directives().iter().flat_map(|directive| &directive.node.arguments);
        arguments.iter().chain(directives).all(|(_, value)| {
            let mut absent = false;
            let value = value.node.clone().into_const_with(|name| {
                absent |= !variables.contains_key(&name);
                Ok::<_, Infallible>(variables.get(&name).cloned().unwrap_or_default())
            });
            // An absent variable that is the whole argument leaves no literal unchecked.
            !absent || matches!(value, Ok(Value::Null))
        }) && inside.is_none_or(|set| is_fully_validated(set, variables))
    })
}
