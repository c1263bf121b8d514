//! The typed operators of `where`, and how they become filters.

use async_graphql::{ID, InputObject};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal as Number;

use crate::{
    db::filter::{Filter, Op},
    error::{Error, Result, UserErrorCode},
    graphql::engine::scalars::{Decimal, parse_ids},
    ids::RowId,
};

/// Most values of an `in`.
const MAX_IN: usize = 100;
/// Longest text to compare with, in characters.
const MAX_TEXT: usize = 255;

/// Conditions on an id. Several hold together.
#[derive(Debug, Default, InputObject)]
pub struct IdFilter {
    /// It is this one.
    pub eq: Option<ID>,
    /// It is one of these, at most 100.
    pub r#in: Option<Vec<ID>>,
    /// There is none (true), or any (false).
    pub is_null: Option<bool>,
}

/// Conditions on a text. Several hold together.
#[derive(Debug, Default, InputObject)]
pub struct StringFilter {
    /// It is exactly this text.
    pub eq: Option<String>,
    /// It is one of these texts, at most 100.
    pub r#in: Option<Vec<String>>,
    /// It holds this text, in upper or lower case.
    pub contains: Option<String>,
    /// There is none (true), or any (false).
    pub is_null: Option<bool>,
}

/// Conditions on a decimal number. Several hold together.
#[derive(Debug, Default, InputObject)]
pub struct DecimalFilter {
    /// It is this number.
    pub eq: Option<Decimal>,
    /// It is this number or more.
    pub gte: Option<Decimal>,
    /// It is this number or less.
    pub lte: Option<Decimal>,
}

/// Conditions on a whole number. Several hold together.
#[derive(Debug, Default, InputObject)]
pub struct IntFilter {
    /// It is this number.
    pub eq: Option<i32>,
    /// It is this number or more.
    pub gte: Option<i32>,
    /// It is this number or less.
    pub lte: Option<i32>,
}

/// Conditions on a moment. Several hold together.
#[derive(Debug, Default, InputObject)]
pub struct DateTimeFilter {
    /// It is this moment or later.
    pub gte: Option<DateTime<Utc>>,
    /// It is this moment or earlier.
    pub lte: Option<DateTime<Utc>>,
}

/// Gathers the conditions of one `where`.
pub struct FilterBuilder<C>(Vec<Filter<C>>);

impl<C> FilterBuilder<C> {
    /// Starts with the nested ones.
    /// # Errors
    /// Those of the nested conditions.
    pub fn with_nested<W>(
        and: Option<Vec<W>>,
        or: Option<Vec<W>>,
        not: Option<Box<W>>,
        filter: impl Fn(W) -> Result<Filter<C>>,
    ) -> Result<Self> {
        let mut all = Vec::new();
        for nested in and.into_iter().flatten() {
            all.push(filter(nested)?);
        }
        if let Some(or) = or {
            all.push(Filter::Or(or.into_iter().map(&filter).collect::<Result<_>>()?));
        }
        if let Some(not) = not {
            all.push(Filter::Not(Box::new(filter(*not)?)));
        }
        Ok(Self(all))
    }

    fn push<T>(&mut self, condition: impl Fn(Op<T>) -> C, ops: impl IntoIterator<Item = Option<Op<T>>>) {
        self.0.extend(ops.into_iter().flatten().map(|op| Filter::Is(condition(op))));
    }

    /// Conditions on an id.
    /// # Errors
    /// A user error for an id of another type, or too many.
    pub fn id<I: RowId>(
        &mut self,
        field: &str,
        filter: Option<IdFilter>,
        condition: impl Fn(Op<I>) -> C,
    ) -> Result<()> {
        let Some(filter) = filter else { return Ok(()) };
        let field = format!("where.{field}");
        let (eq, any) = parse_eq_and_in(&field, filter.eq, filter.r#in)?;
        self.push(condition, [eq.map(Op::Eq), any.map(Op::In), filter.is_null.map(Op::IsNull)]);
        Ok(())
    }

    /// Conditions on a text.
    /// # Errors
    /// A user error for a text that is too long, or too many.
    pub fn text(
        &mut self,
        field: &str,
        filter: Option<StringFilter>,
        condition: impl Fn(Op<String>) -> C,
    ) -> Result<()> {
        let Some(filter) = filter else { return Ok(()) };
        let field = format!("where.{field}");
        let any = filter.r#in;
        if let Some(any) = &any {
            check_in_length(&field, any)?;
        }
        for text in filter.eq.iter().chain(&filter.contains).chain(any.iter().flatten()) {
            if text.chars().nth(MAX_TEXT).is_some() {
                return Err(Error::user(
                    UserErrorCode::TooLong,
                    field,
                    format!("compare with at most {MAX_TEXT} characters"),
                ));
            }
        }
        self.push(
            condition,
            [filter.eq.map(Op::Eq), any.map(Op::In), filter.contains.map(Op::Contains), filter.is_null.map(Op::IsNull)],
        );
        Ok(())
    }

    /// Conditions on a decimal number.
    pub fn decimal(&mut self, filter: Option<DecimalFilter>, condition: impl Fn(Op<Number>) -> C) {
        let Some(DecimalFilter { eq, gte, lte }) = filter else { return };
        self.push(condition, [eq.map(|n| Op::Eq(n.0)), gte.map(|n| Op::Gte(n.0)), lte.map(|n| Op::Lte(n.0))]);
    }

    /// Conditions on a whole number.
    pub fn int(&mut self, filter: Option<IntFilter>, condition: impl Fn(Op<i32>) -> C) {
        let Some(IntFilter { eq, gte, lte }) = filter else { return };
        self.push(condition, [eq.map(Op::Eq), gte.map(Op::Gte), lte.map(Op::Lte)]);
    }

    /// Conditions on a moment.
    pub fn time(&mut self, filter: Option<DateTimeFilter>, condition: impl Fn(Op<DateTime<Utc>>) -> C) {
        let Some(DateTimeFilter { gte, lte }) = filter else { return };
        self.push(condition, [gte.map(Op::Gte), lte.map(Op::Lte)]);
    }

    /// A condition without operators.
    pub fn condition(&mut self, condition: Option<C>) {
        self.0.extend(condition.map(Filter::Is));
    }

    /// All of them.
    /// # Errors
    /// A user error for too many conditions.
    pub fn build(self) -> Result<Filter<C>> {
        Filter::And(self.0).check()
    }
}

/// What `eq` and `in` leave together; none where neither is given.
pub fn intersect<T: PartialEq>(eq: Option<T>, any: Option<Vec<T>>) -> Option<Vec<T>> {
    match (eq, any) {
        (None, any) => any,
        (Some(eq), None) => Some(vec![eq]),
        (Some(eq), Some(any)) => Some(any.into_iter().filter(|value| *value == eq).collect()),
    }
}

/// The things that a condition names by `eq`, `in` or both, where nothing else is asked of them.
/// # Errors
/// A user error for `isNull`, for an id of another type, or too many.
pub fn parse_id_set<I: RowId + PartialEq>(field: &str, filter: Option<IdFilter>) -> Result<Option<Vec<I>>> {
    let Some(IdFilter { eq, r#in, is_null }) = filter else { return Ok(None) };
    let field = format!("where.{field}");
    if is_null.is_some() {
        return Err(Error::bad_input(format!("{field}.isNull"), "a search knows eq and in"));
    }
    let (eq, any) = parse_eq_and_in(&field, eq, r#in)?;
    Ok(intersect(eq, any))
}

/// The ids of `eq` and `in`.
fn parse_eq_and_in<I: RowId>(field: &str, eq: Option<ID>, any: Option<Vec<ID>>) -> Result<(Option<I>, Option<Vec<I>>)> {
    let eq = eq.map(|id| I::parse(&format!("{field}.eq"), &id)).transpose()?;
    let any = any.map(|ids| parse_ids(&format!("{field}.in"), check_in_length(field, &ids)?)).transpose()?;
    Ok((eq, any))
}

/// At most [`MAX_IN`] values.
fn check_in_length<'a, T>(field: &str, values: &'a [T]) -> Result<&'a [T]> {
    if values.len() > MAX_IN {
        return Err(Error::user(
            UserErrorCode::OutOfRange,
            format!("{field}.in"),
            format!("give at most {MAX_IN} values"),
        ));
    }
    Ok(values)
}
