//! Filter inputs of `where` and their conversion to filters.

use async_graphql::{ID, InputObject};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal as Number;

use crate::{
    db::filter::{Filter, Op},
    error::{Error, Result, UserErrorCode},
    graphql::engine::scalars::{CurrencyCode, Decimal, Time, parse_ids},
    ids::RowId,
    text::trim_in_place,
};

/// Maximum number of values of `in`.
const MAX_IN: usize = 100;
/// Maximum length of a text to compare with, in characters.
const MAX_TEXT: usize = 255;

/// Filter by ID; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct IdFilter {
    /// Matches this value.
    pub eq: Option<ID>,
    /// Matches any of these values (at most 100).
    pub r#in: Option<Vec<ID>>,
    /// Matches items with (false) or without (true) a value.
    pub is_null: Option<bool>,
}

impl IdFilter {
    /// Returns whether this ID, and no other one, is asked for.
    pub fn is_only<I: RowId>(&self, id: Option<I>) -> bool {
        let is_it = |text: &ID| id.is_some_and(|id| text.as_str().trim() == id.to_global_id());
        let is_any = self.eq.is_some() || self.r#in.is_some();
        is_any && self.is_null.is_none() && self.eq.iter().chain(self.r#in.iter().flatten()).all(is_it)
    }
}

/// Filter by text; conditions are combined with AND. Texts have at most 255 characters; whitespace around them is ignored.
#[derive(Debug, Default, InputObject)]
pub struct StringFilter {
    /// Matches this value.
    pub eq: Option<String>,
    /// Matches any of these values (at most 100).
    pub r#in: Option<Vec<String>>,
    /// Contains this text; upper and lower case match each other.
    pub contains: Option<String>,
    /// Starts with this text; upper and lower case match each other.
    pub starts_with: Option<String>,
    /// Matches items with (false) or without (true) a value.
    pub is_null: Option<bool>,
}

/// Filter by price or another amount of money; conditions are combined with AND. Amounts are compared within one currency
/// only.
#[derive(Debug, Default, InputObject)]
pub struct PriceFilter {
    /// Matches only amounts in this currency. Required if the list has several currencies, that is, unless the filter by
    /// website limits it to websites with the same currency, or all websites have the same.
    pub currency: Option<CurrencyCode>,
    /// Matches this amount.
    pub eq: Option<Decimal>,
    /// Greater than or equal to this amount.
    pub gte: Option<Decimal>,
    /// Less than or equal to this amount.
    pub lte: Option<Decimal>,
}

impl PriceFilter {
    /// Returns whether the filter has no condition.
    pub fn is_empty(&self) -> bool {
        self.currency.is_none() && self.eq.is_none() && self.gte.is_none() && self.lte.is_none()
    }
}

/// Filter by integer; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct IntFilter {
    /// Matches this value.
    pub eq: Option<i32>,
    /// Greater than or equal to this value.
    pub gte: Option<i32>,
    /// Less than or equal to this value.
    pub lte: Option<i32>,
}

/// Filter by date and time; conditions are combined with AND.
#[derive(Debug, Default, InputObject)]
pub struct DateTimeFilter {
    /// Greater than or equal to this value.
    pub gte: Option<Time>,
    /// Less than or equal to this value.
    pub lte: Option<Time>,
}

/// Builds the filter of a `where` input.
pub struct FilterBuilder<C>(Vec<Filter<C>>);

impl<C> FilterBuilder<C> {
    /// Creates a builder that contains the nested filters `and`, `or` and `not`.
    /// # Errors
    /// Those of the nested filters.
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

    /// Adds the conditions on an id.
    /// # Errors
    /// A user error for an id of another type, or too many ids.
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

    /// Adds the conditions on a text.
    /// # Errors
    /// A user error for a text that is too long, or too many texts.
    pub fn text(
        &mut self,
        field: &str,
        filter: Option<StringFilter>,
        condition: impl Fn(Op<String>) -> C,
    ) -> Result<()> {
        let Some(mut filter) = filter else { return Ok(()) };
        let field = format!("where.{field}");
        let parts = filter.contains.iter_mut().chain(&mut filter.starts_with);
        filter.eq.iter_mut().chain(parts).chain(filter.r#in.iter_mut().flatten()).for_each(trim_in_place);
        let any = filter.r#in;
        if let Some(any) = &any {
            check_in_length(&field, any)?;
        }
        let parts = filter.contains.iter().chain(&filter.starts_with);
        for text in filter.eq.iter().chain(parts).chain(any.iter().flatten()) {
            if text.chars().nth(MAX_TEXT).is_some() {
                return Err(Error::user(
                    UserErrorCode::TooLong,
                    field,
                    format!("must have at most {MAX_TEXT} characters"),
                ));
            }
        }
        self.push(
            condition,
            [
                filter.eq.map(Op::Eq),
                any.map(Op::In),
                filter.contains.map(Op::Contains),
                filter.starts_with.map(Op::StartsWith),
                filter.is_null.map(Op::IsNull),
            ],
        );
        Ok(())
    }

    /// Adds the conditions on an amount of money, except for that on its currency.
    pub fn amount(&mut self, filter: Option<PriceFilter>, condition: impl Fn(Op<Number>) -> C) {
        let Some(PriceFilter { eq, gte, lte, .. }) = filter else { return };
        self.push(condition, [eq.map(|n| Op::Eq(n.0)), gte.map(|n| Op::Gte(n.0)), lte.map(|n| Op::Lte(n.0))]);
    }

    /// Adds the conditions on an integer.
    pub fn int(&mut self, filter: Option<IntFilter>, condition: impl Fn(Op<i32>) -> C) {
        let Some(IntFilter { eq, gte, lte }) = filter else { return };
        self.push(condition, [eq.map(Op::Eq), gte.map(Op::Gte), lte.map(Op::Lte)]);
    }

    /// Adds the conditions on a time.
    pub fn time(&mut self, filter: Option<DateTimeFilter>, condition: impl Fn(Op<DateTime<Utc>>) -> C) {
        let Some(DateTimeFilter { gte, lte }) = filter else { return };
        self.push(condition, [gte.map(|time| Op::Gte(time.0)), lte.map(|time| Op::Lte(time.0))]);
    }

    /// Adds the conditions on an enum.
    /// # Errors
    /// A user error for too many values.
    pub fn choice<T>(
        &mut self,
        field: &str,
        eq: Option<T>,
        any: Option<Vec<T>>,
        condition: impl Fn(Op<T>) -> C,
    ) -> Result<()> {
        check_in_length(&format!("where.{field}"), any.as_deref().unwrap_or_default())?;
        self.push(condition, [eq.map(Op::Eq), any.map(Op::In)]);
        Ok(())
    }

    /// Adds a condition without operators.
    pub fn condition(&mut self, condition: Option<C>) {
        self.0.extend(condition.map(Filter::Is));
    }

    /// Returns the filter of all conditions.
    /// # Errors
    /// A user error for too many conditions.
    pub fn build(self) -> Result<Filter<C>> {
        Filter::And(self.0).check()
    }
}

/// Returns the values of a field that match both `eq` and `in`; `None` if neither is given.
/// # Errors
/// A user error for too many values.
pub fn intersect<T: PartialEq>(field: &str, eq: Option<T>, any: Option<Vec<T>>) -> Result<Option<Vec<T>>> {
    check_in_length(&format!("where.{field}"), any.as_deref().unwrap_or_default())?;
    Ok(match (eq, any) {
        (None, any) => any,
        (Some(eq), None) => Some(vec![eq]),
        (Some(eq), Some(any)) => Some(any.into_iter().filter(|value| *value == eq).collect()),
    })
}

/// Returns the ids given by `eq` and `in`, for filters that support these two operators only.
/// # Errors
/// A user error for `isNull`, for an id of another type, or too many ids.
pub fn parse_id_set<I: RowId + PartialEq>(field: &str, filter: Option<IdFilter>) -> Result<Option<Vec<I>>> {
    let Some(IdFilter { eq, r#in, is_null }) = filter else { return Ok(None) };
    if is_null.is_some() {
        return Err(Error::bad_input(format!("where.{field}.isNull"), "isNull is not supported here; use eq or in"));
    }
    let (eq, any) = parse_eq_and_in(&format!("where.{field}"), eq, r#in)?;
    intersect(field, eq, any)
}

/// Parses the ids of `eq` and `in`.
fn parse_eq_and_in<I: RowId>(field: &str, eq: Option<ID>, any: Option<Vec<ID>>) -> Result<(Option<I>, Option<Vec<I>>)> {
    let eq = eq.map(|id| I::parse(&format!("{field}.eq"), &id)).transpose()?;
    let any = any.map(|ids| parse_ids(&format!("{field}.in"), check_in_length(field, &ids)?)).transpose()?;
    Ok((eq, any))
}

/// Checks that `in` has at most [`MAX_IN`] values.
fn check_in_length<'a, T>(field: &str, values: &'a [T]) -> Result<&'a [T]> {
    if values.len() > MAX_IN {
        return Err(Error::user(
            UserErrorCode::OutOfRange,
            format!("{field}.in"),
            format!("must have at most {MAX_IN} values"),
        ));
    }
    Ok(values)
}
