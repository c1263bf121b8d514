//! The values of a row by column name.
//! Rule: none means that the file does not have the column; an inner none means that the cell is empty.

use rust_decimal::Decimal;
use serde_json::Value;

use super::super::record::{ImageRecord, Rejection};
use crate::text::trim;

/// The values of a row with their column names.
#[derive(Debug, Default)]
pub struct Fields(Vec<(&'static str, Value)>);

/// A value, or the reason of its rejection.
pub type FieldResult<T> = Result<Option<Option<T>>, Rejection>;

impl Fields {
    /// Creates an empty row with this capacity.
    pub fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// Adds the value of a column; null for an empty cell.
    pub fn push(&mut self, name: &'static str, value: Value) {
        self.0.push((name, value));
    }

    /// Removes and returns a value; the outer none means that the file has no such column.
    fn take(&mut self, name: &str) -> Option<Option<Value>> {
        let (_, value) = self.0.iter_mut().find(|(column, _)| *column == name)?;
        let is_empty = |value: &Value| value.is_null() || value.as_str().is_some_and(|text| trim(text).is_empty());
        Some(Some(std::mem::take(value)).filter(|value| !is_empty(value)))
    }

    /// Returns a text.
    /// # Errors
    /// If the value is not a text.
    pub fn text(&mut self, name: &str) -> FieldResult<String> {
        self.parse(name, |value| match value {
            Value::String(text) if text.contains('\0') => Err("a text must not contain a NUL character".to_owned()),
            Value::String(text) => Ok(trim(&text).to_owned()),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err("must be a text".to_owned()),
        })
    }

    /// Returns a decimal number, written with digits and a decimal point.
    /// # Errors
    /// If the value is not a decimal number.
    pub fn decimal(&mut self, name: &str) -> FieldResult<Decimal> {
        self.parse(name, |value| match &value {
            Value::String(text) => number(text),
            Value::Number(written) => number(&written.to_string()),
            _ => Err("must be a number such as 1234.50".to_owned()),
        })
    }

    /// Returns a whole number.
    /// # Errors
    /// If the value is not a whole number.
    pub fn integer(&mut self, name: &str) -> FieldResult<i32> {
        self.parse(name, |value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let whole = number(&text).ok().filter(|number| number.fract().is_zero());
            let whole = whole.ok_or_else(|| format!("{text:?} is not a whole number"))?;
            i32::try_from(whole).map_err(|_| format!("must be between {} and {}", i32::MIN, i32::MAX))
        })
    }

    /// Returns a boolean.
    /// # Errors
    /// If the value is not a boolean.
    pub fn boolean(&mut self, name: &str) -> FieldResult<bool> {
        self.parse(name, |value| match &value {
            Value::Bool(is) => Ok(*is),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            other => Err(format!("{other} is neither true nor false")),
        })
    }

    /// Returns the category names from the root down.
    /// # Errors
    /// If the value is not a list of names.
    pub fn path(&mut self, name: &str) -> FieldResult<Vec<String>> {
        self.parse(name, |value| {
            let names = match value {
                Value::Array(names) => {
                    names.into_iter().map(|name| name.as_str().map(|name| trim(name).to_owned())).collect()
                }
                Value::String(name) => Some(vec![trim(&name).to_owned()]),
                _ => None,
            };
            let names: Option<Vec<String>> = names;
            let names = names.filter(|names| !names.is_empty() && names.iter().all(|name| !name.is_empty()));
            names.ok_or_else(|| "must be category names from the root down, none of them blank".to_owned())
        })
    }

    /// Returns a list of texts.
    /// # Errors
    /// If the value is not a list of texts.
    pub fn list(&mut self, name: &str) -> FieldResult<Vec<String>> {
        self.parse(name, |value| match value {
            Value::String(text) => Ok(vec![text]),
            Value::Array(texts) => {
                let text = |text: Value| if let Value::String(text) = text { Some(text) } else { None };
                texts.into_iter().map(text).collect::<Option<_>>().ok_or_else(|| "must be a list of texts".to_owned())
            }
            _ => Err("must be a list of texts".to_owned()),
        })
    }

    /// Returns names with values.
    /// # Errors
    /// If the value is not an object with text values.
    pub fn pairs(&mut self, name: &str) -> FieldResult<Vec<(String, String)>> {
        self.parse(name, |value| {
            let Value::Object(pairs) = value else { return Err("must be names with values".to_owned()) };
            let text = |(name, value): (String, Value)| Some((name, value.as_str()?.to_owned()));
            pairs.into_iter().map(text).collect::<Option<_>>().ok_or_else(|| "each value must be a text".to_owned())
        })
    }

    /// Returns images.
    /// # Errors
    /// If the value is not a list of images.
    pub fn images(&mut self, name: &str) -> FieldResult<Vec<ImageRecord>> {
        self.parse(name, |value| {
            let image = |value: &Value| {
                let alt = Some(value.get("alt").and_then(Value::as_str).unwrap_or_default().to_owned());
                Some(ImageRecord { url: value.get("url")?.as_str()?.to_owned(), alt })
            };
            let images = value.as_array().and_then(|images| images.iter().map(image).collect());
            images.ok_or_else(|| "must be a list of objects with url and alt".to_owned())
        })
    }

    /// Returns a nested value.
    /// # Errors
    /// If the value does not match the type.
    pub fn json<T: serde::de::DeserializeOwned>(&mut self, name: &str) -> FieldResult<T> {
        self.parse(name, |value| serde_json::from_value(value).map_err(|error| error.to_string()))
    }

    fn parse<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Result<T, String>) -> FieldResult<T> {
        let Some(given) = self.take(name) else { return Ok(None) };
        let rejection = |message| Rejection { column: Some(name.to_owned()), message };
        given.map(|value| read(value).map_err(rejection)).transpose().map(Some)
    }
}

/// Parses a number in Souk's notation. Any other notation could be ambiguous and is rejected.
fn number(text: &str) -> Result<Decimal, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (units, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let number = if is_digits(units) && is_digits(fraction) { text.parse().ok() } else { None };
    number.ok_or_else(|| format!("{text:?} is not a number; write digits with a decimal point, such as 1234.50"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ambiguous_numbers_are_rejected() {
        for text in ["1.234,56", "1,234.56", "1 234", "12.", ".5", "1e3", "", "-", "£1", "NaN", "٣"] {
            assert!(number(text).is_err(), "{text}");
        }
        for text in ["0", "12", "12.50", "-3.25", "00012.5"] {
            assert!(number(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn absent_empty_and_present_values_are_distinguished() {
        let mut fields = Fields::default();
        fields.push("name", Value::String("Tea".into()));
        fields.push("barcode", Value::Null);
        assert_eq!(fields.text("name"), Ok(Some(Some("Tea".into()))));
        assert_eq!(fields.text("barcode"), Ok(Some(None)));
        assert_eq!(fields.text("variant"), Ok(None));
    }
}
