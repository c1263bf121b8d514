//! Values at hand: how the result of a plain field becomes a value of the response without a future.
//! The one rule: a [`Leaf`] is converted directly; every other type is resolved by async-graphql, and has to finish at
//! the first poll.

use async_graphql::{ContextSelectionSet, ID, OutputType, Positioned, ServerResult, Value, parser::types::Field};
use chrono::{DateTime, Utc};
use futures_util::FutureExt;

/// A scalar that is a value by itself.
pub trait Leaf {
    /// The value in the response.
    fn to_value(&self) -> Value;
}

impl Leaf for bool {
    fn to_value(&self) -> Value {
        Value::Boolean(*self)
    }
}

impl Leaf for i32 {
    fn to_value(&self) -> Value {
        Value::Number((*self).into())
    }
}

impl Leaf for i64 {
    fn to_value(&self) -> Value {
        Value::Number((*self).into())
    }
}

impl Leaf for str {
    fn to_value(&self) -> Value {
        Value::String(self.to_owned())
    }
}

impl Leaf for String {
    fn to_value(&self) -> Value {
        Value::String(self.clone())
    }
}

impl Leaf for ID {
    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl Leaf for DateTime<Utc> {
    fn to_value(&self) -> Value {
        Value::String(self.to_rfc3339())
    }
}

impl<T: Leaf + ?Sized> Leaf for &T {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}

impl<T: Leaf> Leaf for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, Leaf::to_value)
    }
}

/// Chooses between [`LeafNow`] and [`OutputNow`] by the type of a value: method resolution finds the first one where the
/// value is a leaf, and the second one, which takes one more reference, for everything else.
pub struct Probe<'v, T>(pub &'v T);

/// The result of a leaf.
pub trait LeafNow {
    /// The value; the context is not used.
    fn now(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> Option<ServerResult<Value>>;
}

impl<T: Leaf> LeafNow for Probe<'_, T> {
    fn now(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> Option<ServerResult<Value>> {
        Some(Ok(self.0.to_value()))
    }
}

/// The result of any type.
pub trait OutputNow {
    /// The value, or `None` if it has to be awaited.
    fn now(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> Option<ServerResult<Value>>;
}

impl<T: OutputType> OutputNow for &Probe<'_, T> {
    fn now(&self, context: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> Option<ServerResult<Value>> {
        let context = context.with_field(field);
        let context = context.with_selection_set(&field.node.selection_set);
        self.0.resolve(&context, field).now_or_never()
    }
}
