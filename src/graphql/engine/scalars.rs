//! Scalars and value objects (Decimal, Time, CurrencyCode, CountryCode, Money), and conversions between row ids and global ids.

use std::borrow::Cow;

use async_graphql::{
    ID, InputType, InputValueError, InputValueResult, MaybeUndefined, Scalar, ScalarType, Value, registry::Registry,
};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal as Number;
use souk_macros::object;

use super::objects::{JsonText, Leaf};
use crate::{
    error::Result,
    ids::RowId,
    money::{Currency, INVALID_CODE, Money as Amount},
    postal::{self, CountryCode as Country},
    text::is_leap_second,
};

/// Returns the rule that a value of a custom scalar violates; none for valid values and for scalars that are checked where
/// they are used.
pub fn violated_rule(scalar: &str, value: &Value) -> Option<&'static str> {
    let (is_valid, rule) = match scalar {
        "Decimal" => (parses_as::<Decimal>(value), INVALID_DECIMAL),
        "DateTime" => (parses_as::<Time>(value), INVALID_TIME),
        "CurrencyCode" => (parses_as::<CurrencyCode>(value), INVALID_CODE),
        "CountryCode" => (parses_as::<CountryCode>(value), postal::INVALID_CODE),
        _ => return None,
    };
    (!is_valid).then_some(rule)
}

fn parses_as<T: InputType>(value: &Value) -> bool {
    T::parse(Some(value.clone())).is_ok()
}

const INVALID_DECIMAL: &str = "must be a decimal number as a string, such as \"12.50\"";
const INVALID_TIME: &str =
    "must be a date and time with a time zone, such as 2026-01-31T12:00:00Z, and seconds from 0 to 59";

/// A decimal number, serialized as a string.
#[derive(Debug, Clone, Copy)]
pub struct Decimal(pub Number);

/// A decimal number as a string, such as "12.50". It is never a float, so no precision is lost. Input also accepts
/// JSON numbers with at most 15 digits.
#[Scalar(specified_by_url = "https://www.w3.org/TR/xmlschema-2/#decimal")]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let invalid = || InputValueError::custom(INVALID_DECIMAL);
        match &value {
            // `from_str_exact` accepts "1_000" too.
            Value::String(text) if text.len() <= 40 && !text.contains('_') => {
                Number::from_str_exact(text).map(Self).map_err(|_| invalid())
            }
            Value::Number(number) => match number.as_i64() {
                Some(whole) => Ok(Self(Number::from(whole))),
                None => decimal_of_float(&number.to_string()).map(Self).ok_or_else(invalid),
            },
            _ => Err(invalid()),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// Returns the decimal number that a float was written as. Its shortest text is what the client wrote, unless that had
/// more digits than a float can hold.
fn decimal_of_float(text: &str) -> Option<Number> {
    let digits = text.split(['e', 'E']).next().unwrap_or_default().bytes().filter(u8::is_ascii_digit);
    let significant = digits.skip_while(|digit| *digit == b'0').count();
    let number = Number::from_str_exact(text).or_else(|_| Number::from_scientific(text)).ok()?;
    (significant <= MAX_FLOAT_DIGITS).then_some(number)
}

/// Every decimal number with this many digits survives as a float.
const MAX_FLOAT_DIGITS: usize = 15;

/// A date and time as an input. async-graphql's own type also accepts leap seconds.
#[derive(Debug, Clone, Copy)]
pub struct Time(pub DateTime<Utc>);

impl InputType for Time {
    type RawValueType = DateTime<Utc>;

    fn type_name() -> Cow<'static, str> {
        <DateTime<Utc> as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <DateTime<Utc> as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let time = <DateTime<Utc> as InputType>::parse(value).map_err(InputValueError::propagate)?;
        if is_leap_second(&time) {
            return Err(InputValueError::custom("must be a date and time with seconds from 0 to 59"));
        }
        Ok(Self(time))
    }

    fn to_value(&self) -> Value {
        InputType::to_value(&self.0)
    }

    fn as_raw_value(&self) -> Option<&Self::RawValueType> {
        Some(&self.0)
    }
}

/// An ISO 4217 currency code.
#[derive(Debug, Clone, Copy)]
pub struct CurrencyCode(pub Currency);

/// An ISO 4217 currency code: three capital letters, such as EUR. Input accepts currencies in use as money.
#[Scalar(specified_by_url = "https://www.iso.org/iso-4217-currency-codes.html")]
impl ScalarType for CurrencyCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        Currency::parse(text).map(Self).ok_or_else(|| InputValueError::custom(INVALID_CODE))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.as_str().to_owned())
    }
}

/// The code of a country.
#[derive(Debug, Clone, Copy)]
pub struct CountryCode(pub Country);

/// An ISO 3166-1 alpha-2 code of a country: two capital letters, such as DE, and XK for Kosovo. Input accepts codes in use,
/// in upper or lower case. In output, ZZ is a country that is not known.
#[Scalar(specified_by_url = "https://www.iso.org/iso-3166-country-codes.html")]
impl ScalarType for CountryCode {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else { return Err(InputValueError::expected_type(value)) };
        Country::parse(text).map(Self).ok_or_else(|| InputValueError::custom(postal::INVALID_CODE))
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
    /// Amount with exactly the decimal places of its currency (ISO 4217), such as 0 for JPY, 2 for EUR and 3 for KWD.
    fn amount(&self) -> DecimalText {
        DecimalText { amount: self.0.amount, currency: self.0.currency }
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

/// A [`Decimal`] that is serialized with the decimal places of a currency.
pub struct DecimalText {
    amount: Number,
    currency: Currency,
}

impl Leaf for DecimalText {
    fn write(&self, out: &mut JsonText) {
        out.push(&self.currency.format(self.amount));
    }
}

impl Leaf for Decimal {
    fn write(&self, out: &mut JsonText) {
        out.push(&self.0.to_string());
    }
}

impl Leaf for CurrencyCode {
    fn write(&self, out: &mut JsonText) {
        out.push(self.0.as_str());
    }
}

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
        Ok(Value::String(self.currency.format(self.amount)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_number_is_read_from_text_and_from_json_numbers_without_rounding() {
        for (json, expected) in [
            ("\"5.50\"", Some("5.50")),
            ("5", Some("5")),
            ("5.5", Some("5.5")),
            ("5.0", Some("5.0")),
            ("-0.1", Some("-0.1")),
            ("0.1", Some("0.1")),
            ("1.255", Some("1.255")),
            ("1e3", Some("1000.0")),
            ("0.0000001", Some("0.0000001")),
            ("123456789012.345", Some("123456789012.345")),
            ("9007199254740993", Some("9007199254740993")),
            ("0.30000000000000004", None),
            ("1e300", None),
            ("\"1_000\"", None),
            ("\"5,5\"", None),
            ("true", None),
        ] {
            let value = Value::from_json(serde_json::from_str(json).unwrap()).unwrap();
            let parsed = <Decimal as ScalarType>::parse(value).ok().map(|number| number.0.to_string());
            assert_eq!(parsed.as_deref(), expected, "{json}");
        }
    }
}
