//! What an operation costs, in points: about one millisecond of processor time of the server and the database together.
//! Rule: the cost is estimated from the document and its variables before anything runs, and charged to the client. What
//! the operation took is charged afterwards, or given back.

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_graphql::{
    Any, Positioned, ServerError, ServerResult, Value, VisitorContext,
    parser::types::{Field, VariableDefinition},
};

use super::errors::rate_limited;
use crate::limits::{Allowance, Quota};

/// Points of a complexity of 1, as measured on two cores; `bench/costs.sh` prints the table.
const POINTS_PER_COMPLEXITY: f64 = 0.004;
/// Points of any operation: receiving, checking and responding.
const OPERATION_POINTS: f64 = 0.1;
/// Points of each mutation in an operation: its transaction.
const MUTATION_POINTS: f64 = 4.0;
/// Points of a query of the schema itself.
const INTROSPECTION_POINTS: f64 = 5.0;
/// Points of a statement that is no expensive read, which is measured.
const STATEMENT_POINTS: f64 = 0.1;

/// Complexity of one value to compare with.
const VALUE: usize = 1;
/// Complexity of one condition of a filter.
const CONDITION: usize = 10;
/// Complexity of a condition that an index answers in part: the beginning of a text.
const PREFIX_CONDITION: usize = 100;
/// Complexity of a condition that an index of three letters answers in part: a part of a text.
const PART_CONDITION: usize = 500;
/// Complexity of a condition for which all rows are read: a part of a text that is too short for the index.
const SHORT_PART_CONDITION: usize = 3_000;
/// Number of letters and digits in a row that the index needs.
const MIN_INDEXED_PART: usize = 3;

/// Complexity of a mutation that checks or hashes a password.
pub const PASSWORD: usize = 6_000;

/// Factor that marks a complexity which a list has once, whatever the size of its page. The maximum below keeps other
/// complexities far below it: a document has at most some thousands of fields.
const ONCE: usize = 1 << 44;

/// Maximum complexity of a list.
const MAX_LIST: usize = 1 << 24;

/// Complexity of counting a list.
pub const COUNT: usize = once(20);

/// Marks the complexity of a field of a list as one that the list has once, such as its count. The field must be one of a
/// connection, whose complexity is that of [`list_complexity`].
pub const fn once(complexity: usize) -> usize {
    complexity * ONCE
}

/// Returns the complexity of a list: what it has once, and what `of_items` makes of the complexity of the selection on each
/// item.
pub fn list_complexity(selection: usize, of_items: impl FnOnce(usize) -> usize) -> usize {
    let (once, each) = (selection / ONCE, selection % ONCE);
    once.saturating_add(of_items(each)).saturating_add(1).min(MAX_LIST)
}

/// Returns the complexity of the `where` argument of a field; 0 if it has none.
/// # Errors
/// If the argument is invalid.
pub fn filter_complexity(
    visitor: &VisitorContext<'_>,
    variables: &[Positioned<VariableDefinition>],
    field: &Field,
) -> ServerResult<usize> {
    if field.get_argument("where").is_none() {
        return Ok(0);
    }
    let filter: Option<Any> = visitor.param_value(variables, field, "where", None)?;
    Ok(filter.map_or(0, |Any(filter)| value_complexity(&filter)))
}

fn value_complexity(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::List(values) => values.iter().map(value_complexity).sum(),
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| **value != Value::Null)
            .map(|(name, value)| condition_complexity(name, value).saturating_add(value_complexity(value)))
            .fold(0, usize::saturating_add),
        _ => VALUE,
    }
}

fn condition_complexity(name: &str, value: &Value) -> usize {
    match (name, value) {
        ("contains", Value::String(part)) if !has_index(part) => SHORT_PART_CONDITION,
        ("contains", _) => PART_CONDITION,
        ("startsWith", _) => PREFIX_CONDITION,
        _ => CONDITION,
    }
}

fn has_index(part: &str) -> bool {
    part.split(|character: char| !character.is_alphanumeric()).any(|word| word.chars().count() >= MIN_INDEXED_PART)
}

/// What is known about an operation before its document is validated.
#[derive(Debug, Clone, Copy, Default)]
pub struct OperationKind {
    /// Number of mutations.
    pub mutations: usize,
    /// Whether the schema itself is queried.
    pub is_introspecting: bool,
}

impl OperationKind {
    fn points(self) -> f64 {
        let introspection = if self.is_introspecting { INTROSPECTION_POINTS } else { 0.0 };
        OPERATION_POINTS + self.mutations as f64 * MUTATION_POINTS + introspection
    }
}

/// What an operation took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Processor time of the server, in milliseconds.
    pub server_ms: f64,
    /// Time of expensive reads and other measured work, in milliseconds.
    pub measured_ms: f64,
    /// Number of SQL statements.
    pub statements: u32,
}

impl Usage {
    fn points(self) -> f64 {
        self.server_ms + self.measured_ms + f64::from(self.statements) * STATEMENT_POINTS
    }
}

/// The cost of an operation that ended.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Estimate, which was charged before the operation ran.
    pub requested: f64,
    /// Points that the operation took.
    pub actual: f64,
    /// Points that the client has left.
    pub remaining: f64,
    /// Quota of the client.
    pub quota: Quota,
}

/// Charges an operation to its client. Clones belong to the same operation.
#[derive(Clone)]
pub struct Meter(Arc<Inner>);

struct Inner {
    allowance: Allowance,
    kind: OperationKind,
    charged: Mutex<f64>,
}

impl Meter {
    /// Creates the meter of an operation.
    pub fn new(allowance: Allowance, kind: OperationKind) -> Self {
        Self(Arc::new(Inner { allowance, kind, charged: Mutex::default() }))
    }

    /// Charges the operation by its complexity, before it runs.
    /// # Errors
    /// RATE_LIMITED if the client has too few points.
    pub fn charge(&self, complexity: usize) -> Result<(), ServerError> {
        let points = self.0.kind.points() + complexity as f64 * POINTS_PER_COMPLEXITY;
        self.0.allowance.charge(points).map_err(|exceeded| {
            let cost = rounded(points);
            rate_limited(&format!("the operation costs {cost} points, more than are left"), exceeded.retry_after)
        })?;
        *self.charged() = points;
        Ok(())
    }

    /// Corrects the charge when the operation has ended. A mutation takes at least its estimate, because the work of its
    /// commit and of the jobs that it queues is not measured.
    pub fn settle(&self, usage: Usage) -> Cost {
        let Inner { allowance, kind, .. } = &*self.0;
        let requested = mem::take(&mut *self.charged());
        let least = if kind.mutations > 0 { requested } else { 0.0 };
        let actual = (usage.points() + OPERATION_POINTS).max(least);
        Cost { requested, actual, remaining: allowance.correct(requested, actual), quota: allowance.quota() }
    }

    fn charged(&self) -> MutexGuard<'_, f64> {
        self.0.charged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rounds points to two decimals.
pub fn rounded(points: f64) -> f64 {
    (points * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_some_complexity_once() {
        let page = |selection| list_complexity(selection, |each| each.saturating_mul(100));
        assert_eq!(page(3), 301);
        assert_eq!(page(3 + COUNT), 321);
        assert_eq!(page(usize::MAX % ONCE), MAX_LIST);
        // Lists in lists are never mistaken for what a list has once.
        assert_eq!(page(5_000 * MAX_LIST), MAX_LIST);
    }

    fn complexity(filter: serde_json::Value) -> usize {
        value_complexity(&Value::from_json(filter).unwrap())
    }

    #[test]
    fn filters_cost_by_what_their_conditions_read() {
        for (filter, expected) in [
            (serde_json::json!({}), 0),
            (serde_json::json!({"name": null}), 0),
            (serde_json::json!({"name": {"eq": "Mug"}}), 2 * CONDITION + VALUE),
            (serde_json::json!({"name": {"in": ["Mug", "Cup"]}}), 2 * CONDITION + 2 * VALUE),
            (serde_json::json!({"name": {"contains": "Mug"}}), CONDITION + PART_CONDITION + VALUE),
            (serde_json::json!({"name": {"contains": "üg"}}), CONDITION + SHORT_PART_CONDITION + VALUE),
            (serde_json::json!({"name": {"contains": "a - b"}}), CONDITION + SHORT_PART_CONDITION + VALUE),
            (serde_json::json!({"name": {"startsWith": "Mu"}}), CONDITION + PREFIX_CONDITION + VALUE),
        ] {
            assert_eq!(complexity(filter.clone()), expected, "{filter}");
        }
        let part = serde_json::json!({"name": {"contains": "mug"}});
        let many = serde_json::json!({"or": vec![part.clone(); 50]});
        assert_eq!(complexity(many), CONDITION + 50 * complexity(part));
    }
}
