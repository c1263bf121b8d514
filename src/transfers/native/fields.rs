//! The values of a row by the names of their columns.
//! Rule: none for a column that the file does not have; an inner none for a cell that is empty.

use rust_decimal::Decimal;
use serde_json::Value;

use super::super::record::{ImageRecord, Rejection};

/// A row's values: names of columns, and what their cells hold.
#[derive(Debug, Default)]
pub struct Fields(Vec<(&'static str, Value)>);

/// A value, or why it is refused.
pub type FieldResult<T> = Result<Option<Option<T>>, Rejection>;

impl Fields {
    /// Without values, for so many.
    pub fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// Adds the value of a column, null for an empty cell.
    pub fn push(&mut self, name: &'static str, value: Value) {
        self.0.push((name, value));
    }

    /// Takes a value out; the outer none where the file has no such column.
    fn take(&mut self, name: &str) -> Option<Option<Value>> {
        let (_, value) = self.0.iter_mut().find(|(column, _)| *column == name)?;
        Some(Some(std::mem::take(value)).filter(|value| !value.is_null()))
    }

    /// A text.
    /// # Errors
    /// Where it is none.
    pub fn text(&mut self, name: &str) -> FieldResult<String> {
        self.parse(name, |value| match value {
            Value::String(text) if text.contains('\0') => Err("a text has no NUL".to_owned()),
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            _ => Err("give a text".to_owned()),
        })
    }

    /// A decimal number: digits and a point.
    /// # Errors
    /// Where it is none.
    pub fn decimal(&mut self, name: &str) -> FieldResult<Decimal> {
        self.parse(name, |value| match &value {
            Value::String(text) => number(text),
            Value::Number(written) => number(&written.to_string()),
            _ => Err("give a number such as 1234.50".to_owned()),
        })
    }

    /// A whole number.
    /// # Errors
    /// Where it is none.
    pub fn integer(&mut self, name: &str) -> FieldResult<i32> {
        self.parse(name, |value| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text.parse().map_err(|_| format!("{text:?} is no whole number"))
        })
    }

    /// Yes or no.
    /// # Errors
    /// Where it is neither.
    pub fn boolean(&mut self, name: &str) -> FieldResult<bool> {
        self.parse(name, |value| match &value {
            Value::Bool(is) => Ok(*is),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            other => Err(format!("{other} is neither true nor false")),
        })
    }

    /// Names from the root down.
    /// # Errors
    /// Where it is no list of them.
    pub fn path(&mut self, name: &str) -> FieldResult<Vec<String>> {
        self.parse(name, |value| {
            let names = match value {
                Value::Array(names) => {
                    names.into_iter().map(|name| name.as_str().map(|name| name.trim().to_owned())).collect()
                }
                Value::String(name) => Some(vec![name.trim().to_owned()]),
                _ => None,
            };
            let names: Option<Vec<String>> = names;
            let names = names.filter(|names| !names.is_empty() && names.iter().all(|name| !name.is_empty()));
            names.ok_or_else(|| "give names from the root down, none of them blank".to_owned())
        })
    }

    /// Names and their values.
    /// # Errors
    /// Where it is no object of texts.
    pub fn pairs(&mut self, name: &str) -> FieldResult<Vec<(String, String)>> {
        self.parse(name, |value| {
            let Value::Object(pairs) = value else { return Err("give names and values".to_owned()) };
            let text = |(name, value): (String, Value)| Some((name, value.as_str()?.to_owned()));
            pairs.into_iter().map(text).collect::<Option<_>>().ok_or_else(|| "each value is a text".to_owned())
        })
    }

    /// Pictures by their addresses.
    /// # Errors
    /// Where it is no list of them.
    pub fn images(&mut self, name: &str) -> FieldResult<Vec<ImageRecord>> {
        self.parse(name, |value| {
            let image = |value: &Value| {
                let alt = value.get("alt").and_then(Value::as_str).unwrap_or_default().to_owned();
                Some(ImageRecord { url: value.get("url")?.as_str()?.to_owned(), alt })
            };
            let images = value.as_array().and_then(|images| images.iter().map(image).collect());
            images.ok_or_else(|| "give a list of url and alt".to_owned())
        })
    }

    /// A part that is a table itself.
    /// # Errors
    /// Where its values are not those of the type.
    pub fn json<T: serde::de::DeserializeOwned>(&mut self, name: &str) -> FieldResult<T> {
        self.parse(name, |value| serde_json::from_value(value).map_err(|error| error.to_string()))
    }

    fn parse<T>(&mut self, name: &str, read: impl FnOnce(Value) -> Result<T, String>) -> FieldResult<T> {
        let Some(given) = self.take(name) else { return Ok(None) };
        let rejection = |message| Rejection { column: Some(name.to_owned()), message };
        given.map(|value| read(value).map_err(rejection)).transpose().map(Some)
    }
}

/// A number as souk writes it. Anything else may mean two things, and is refused.
fn number(text: &str) -> Result<Decimal, String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (units, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let number = if is_digits(units) && is_digits(fraction) { text.parse().ok() } else { None };
    number.ok_or_else(|| format!("{text:?} is no number: write 1234.50, with a point and without anything else"))
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
