//! Scalars and value objects (Decimal, CurrencyCode, Money), and conversions between row ids and global ids.

use async_graphql::{ID, InputValueError, InputValueResult, MaybeUndefined, Scalar, ScalarType, Value};
use rust_decimal::Decimal as Number;
use souk_macros::object;

use crate::{
    error::Result,
    ids::RowId,
    money::{Currency, Money as Amount, format_amount},
};

/// A decimal number, serialized as a string.
#[derive(Debug, Clone, Copy)]
pub struct Decimal(pub Number);

/// A decimal number as a string, such as "12.50". It is never a float, so no precision is lost. Input also accepts
/// integers.
#[Scalar(specified_by_url = "https://www.w3.org/TR/xmlschema-2/#decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let invalid = || InputValueError::custom("must be a decimal number as a string, such as \"12.50\"");
        match &value {
            // `from_str_exact` accepts "1_000" too.
            Value::String(text) if text.len() <= 40 && !text.contains('_') => {
                Number::from_str_exact(text).map(Self).map_err(|_| invalid())
            }
            Value::Number(number) => number.as_i64().map(|whole| Self(Number::from(whole))).ok_or_else(invalid),
            _ => Err(invalid()),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An ISO 4217 currency code.
#[derive(Debug, Clone, Copy)]
pub struct CurrencyCode(pub Currency);

/// An ISO 4217 currency code: three capital letters, such as EUR.
#[Scalar(specified_by_url = "https://www.iso.org/iso-4217-currency-codes.html")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        let currency = Currency::parse(text);
        currency.map(Self).ok_or_else(|| InputValueError::custom("must be an ISO 4217 currency code such as EUR"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.as_str().to_owned())
    }
}

/// Any JSON value.
#[derive(Debug, Clone)]
pub struct Json(pub serde_json::Value);

/// Any JSON value.
#[Scalar(name = "JSON", specified_by_url = "https://www.rfc-editor.org/rfc/rfc8259")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value.into_json()?))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

/// An amount of money in a currency.
pub struct Money(Amount);

/// An amount of money in a currency.
#[object]
impl Money {
    /// Amount with exactly two decimals.
    fn amount(&self) -> DecimalText {
        DecimalText(self.0.amount)
    }

    /// Currency of the amount.
    fn currency(&self) -> CurrencyCode {
        CurrencyCode(self.0.currency)
    }
}

/// Creates the GraphQL object of an amount of money.
pub fn money(amount: Number, currency: Currency) -> Money {
    Money(Amount { amount, currency })
}

/// A [`Decimal`] that is serialized with two decimals.
pub struct DecimalText(Number);

impl async_graphql::OutputType for DecimalText {
    fn type_name() -> std::borrow::Cow<'static, str> {
        <Decimal as async_graphql::OutputType>::type_name()
    }

    fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
        <Decimal as async_graphql::OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        _: &async_graphql::ContextSelectionSet<'_>,
        _: &async_graphql::Positioned<async_graphql::parser::types::Field>,
    ) -> async_graphql::ServerResult<Value> {
        Ok(Value::String(format_amount(self.0)))
    }
}

/// Returns the global id of a row.
pub fn global_id<I: RowId>(id: I) -> ID {
    ID(id.to_global_id())
}

/// Parses the global ids of a list; an error names the index in the list.
/// # Errors
/// A user error of the field.
pub fn parse_ids<I: RowId>(field: &str, ids: &[ID]) -> Result<Vec<I>> {
    ids.iter().enumerate().map(|(index, id)| I::parse(&format!("{field}.{index}"), id)).collect()
}

/// Parses an optional id of an input.
/// # Errors
/// A user error of the field.
pub fn optional_id<I: RowId>(field: &str, id: Option<ID>) -> Result<Option<I>> {
    id.map(|id| I::parse(field, &id)).transpose()
}

/// Parses an id of an update input: omitted, cleared or set.
/// # Errors
/// A user error of the field.
pub fn patch_id<I: RowId>(field: &str, id: MaybeUndefined<ID>) -> Result<Option<Option<I>>> {
    match id {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => Ok(Some(None)),
        MaybeUndefined::Value(id) => Ok(Some(Some(I::parse(field, &id)?))),
    }
}
