//! List filters: a tree of conditions with typed operators, which the stores translate to SQL.
//! Rule: the size of a filter is checked before it is translated.

use diesel::{BoolExpressionMethods, BoxableExpression, dsl::not, expression::AsExpression, pg::Pg, sql_types::Bool};

use crate::error::{Error, Result};

/// Maximum number of conditions in a filter.
const MAX_CONDITIONS: usize = 50;

/// Conditions of type `C`, combined with and, or and not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Filter<C> {
    /// All of these match; true if empty.
    And(Vec<Filter<C>>),
    /// At least one of these matches; false if empty.
    Or(Vec<Filter<C>>),
    /// This does not match.
    Not(Box<Filter<C>>),
    /// A single condition.
    Is(C),
}

impl<C> Default for Filter<C> {
    fn default() -> Self {
        Self::And(Vec::new())
    }
}

/// A boolean expression on the rows of a table, for a WHERE clause.
pub type Condition<'a, T> = Box<dyn BoxableExpression<T, Pg, SqlType = Bool> + 'a>;

impl<C> Filter<C> {
    /// Returns whether the filter matches every row.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::And(all) if all.is_empty())
    }

    /// Checks the number of conditions.
    /// # Errors
    /// Returns a user error for `where` if there are more than 50 conditions.
    pub fn check(self) -> Result<Self> {
        if self.count() > MAX_CONDITIONS {
            return Err(Error::bad_input("where", format!("must have at most {MAX_CONDITIONS} conditions")));
        }
        Ok(self)
    }

    /// Calls a function with each condition, in order.
    pub fn for_each<'f>(&'f self, call: &mut impl FnMut(&'f C)) {
        match self {
            Self::And(all) | Self::Or(all) => all.iter().for_each(|inner| inner.for_each(call)),
            Self::Not(inner) => inner.for_each(call),
            Self::Is(condition) => call(condition),
        }
    }

    /// Returns whether any condition satisfies the predicate.
    pub fn any(&self, is: &impl Fn(&C) -> bool) -> bool {
        let mut found = false;
        self.for_each(&mut |condition| found |= is(condition));
        found
    }

    /// Replaces each condition, in order.
    #[must_use]
    pub fn map(self, replace: &mut impl FnMut(C) -> C) -> Self {
        match self {
            Self::And(all) => Self::And(all.into_iter().map(|inner| inner.map(replace)).collect()),
            Self::Or(any) => Self::Or(any.into_iter().map(|inner| inner.map(replace)).collect()),
            Self::Not(inner) => Self::Not(Box::new(inner.map(replace))),
            Self::Is(condition) => Self::Is(replace(condition)),
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::And(all) | Self::Or(all) => all.iter().map(Self::count).sum::<usize>().max(1),
            Self::Not(inner) => inner.count(),
            Self::Is(_) => 1,
        }
    }

    /// Returns the filter as a SQL condition; `leaf` translates single conditions.
    pub fn condition<T>(&self, leaf: &impl Fn(&C) -> Condition<'static, T>) -> Condition<'static, T>
    where
        T: 'static,
        bool: AsExpression<Bool>,
        <bool as AsExpression<Bool>>::Expression: BoxableExpression<T, Pg, SqlType = Bool> + 'static,
    {
        match self {
            Self::And(all) => all
                .iter()
                .map(|f| f.condition(leaf))
                .reduce(|a, b| Box::new(a.and(b)))
                .unwrap_or_else(|| constant(true)),
            Self::Or(any) => any
                .iter()
                .map(|f| f.condition(leaf))
                .reduce(|a, b| Box::new(a.or(b)))
                .unwrap_or_else(|| constant(false)),
            Self::Not(inner) => Box::new(not(inner.condition(leaf))),
            Self::Is(condition) => leaf(condition),
        }
    }
}

/// Returns a condition that is always true or always false.
pub fn constant<T>(value: bool) -> Condition<'static, T>
where
    T: 'static,
    <bool as AsExpression<Bool>>::Expression: BoxableExpression<T, Pg, SqlType = Bool> + 'static,
{
    Box::new(AsExpression::<Bool>::as_expression(value))
}

/// An operator applied to a column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Op<T> {
    /// Equal to the value.
    Eq(T),
    /// Equal to any of the values.
    In(Vec<T>),
    /// Greater than or equal to the value.
    Gte(T),
    /// Less than or equal to the value.
    Lte(T),
    /// Contains the text, ignoring case.
    Contains(T),
    /// Starts with the text, ignoring case.
    StartsWith(T),
    /// Has no value (true) or any value (false).
    IsNull(bool),
}

/// Returns a LIKE pattern that matches texts containing `text`; wildcards are escaped.
pub fn contains_pattern(text: &str) -> String {
    format!("%{}", prefix_pattern(text))
}

/// Returns a LIKE pattern that matches texts starting with `text`; wildcards are escaped.
pub fn prefix_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
