//! Filters of lists: a tree of conditions and the typed operators, turned into SQL conditions by the stores.
//! Rule: a filter is checked for size before it is built into a statement.

use diesel::{BoolExpressionMethods, BoxableExpression, dsl::not, expression::AsExpression, pg::Pg, sql_types::Bool};

use crate::error::{Error, Result};

/// Most conditions of one filter.
const MAX_CONDITIONS: usize = 50;

/// Conditions of type `C` under and, or and not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Filter<C> {
    /// Every one holds; true where there is none.
    And(Vec<Filter<C>>),
    /// At least one holds; false where there is none.
    Or(Vec<Filter<C>>),
    /// It does not hold.
    Not(Box<Filter<C>>),
    /// One condition.
    Is(C),
}

impl<C> Default for Filter<C> {
    fn default() -> Self {
        Self::And(Vec::new())
    }
}

/// A condition on the rows of a table, ready for a WHERE.
pub type Condition<'a, T> = Box<dyn BoxableExpression<T, Pg, SqlType = Bool> + 'a>;

impl<C> Filter<C> {
    /// Whether there is nothing to filter.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::And(all) if all.is_empty())
    }

    /// # Errors
    /// A user error of `where` for more than 50 conditions.
    pub fn check(self) -> Result<Self> {
        if self.count() > MAX_CONDITIONS {
            return Err(Error::bad_input("where", format!("a filter has at most {MAX_CONDITIONS} conditions")));
        }
        Ok(self)
    }

    /// Calls this with each condition, in their order.
    pub fn for_each<'f>(&'f self, call: &mut impl FnMut(&'f C)) {
        match self {
            Self::And(all) | Self::Or(all) => all.iter().for_each(|inner| inner.for_each(call)),
            Self::Not(inner) => inner.for_each(call),
            Self::Is(condition) => call(condition),
        }
    }

    /// Whether this holds of any condition.
    pub fn any(&self, is: &impl Fn(&C) -> bool) -> bool {
        let mut found = false;
        self.for_each(&mut |condition| found |= is(condition));
        found
    }

    /// The filter with each condition replaced, in their order.
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

    /// The condition in SQL, each leaf built by `leaf`.
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

/// A condition that always or never holds.
pub fn constant<T>(value: bool) -> Condition<'static, T>
where
    T: 'static,
    <bool as AsExpression<Bool>>::Expression: BoxableExpression<T, Pg, SqlType = Bool> + 'static,
{
    Box::new(AsExpression::<Bool>::as_expression(value))
}

/// The operators of one column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Op<T> {
    /// Equal.
    Eq(T),
    /// One of these.
    In(Vec<T>),
    /// At least.
    Gte(T),
    /// At most.
    Lte(T),
    /// Text that holds this text, in either case.
    Contains(T),
    /// No value (true) or any value (false).
    IsNull(bool),
}

/// A LIKE pattern for text that holds `text`, its wildcards escaped.
pub fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
