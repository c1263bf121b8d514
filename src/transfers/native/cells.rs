//! Conversion between values and cells of a CSV file.
//! Rule: spreadsheets must not execute a cell, and reading returns what was written: a cell that starts with a formula
//! character or with `'` is prefixed with `'`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{db::export::Kind, text::trim};

/// Some spreadsheets evaluate the full-width forms too.
const FORMULA_PREFIXES: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\'', '＝', '＋', '－', '＠'];

/// Escapes a text so that spreadsheets do not evaluate it as a formula.
pub fn escape_formula(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA_PREFIXES) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Reverses [`escape_formula`]. An apostrophe before any other character, as in `'90s`, is part of the text.
pub fn unescape_formula(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA_PREFIXES)).unwrap_or(cell)
}

/// Converts a database value to a cell; nested values are given as JSON.
pub fn encode(kind: Kind, value: &str) -> Cow<'_, str> {
    let nested = || serde_json::from_str::<Value>(value).unwrap_or_default();
    match kind {
        Kind::Decimal | Kind::Integer | Kind::Bool | Kind::Json => Cow::Borrowed(value),
        Kind::Text => escape_formula(value),
        Kind::Path => escape_formula_owned(list(&nested(), |name| escape_separators(text(name), ">")).join(" > ")),
        Kind::List => escape_formula_owned(list(&nested(), |item| escape_separators(text(item), "|")).join(" | ")),
        Kind::Pairs => {
            let pairs = nested();
            let pairs = pairs.as_object().into_iter().flatten();
            escape_formula_owned(
                pairs
                    .map(|(name, value)| escape_separators(name, "=;") + "=" + &escape_separators(text(value), "=;"))
                    .collect::<Vec<_>>()
                    .join("; "),
            )
        }
        Kind::Images => escape_formula_owned(
            list(&nested(), |image| {
                let (url, alt) = (text(&image["url"]), escape_separators(text(&image["alt"]), "|"));
                if alt.is_empty() { url.to_owned() } else { format!("{url} {alt}") }
            })
            .join(" | "),
        ),
    }
}

/// Parses a cell that is not empty.
/// # Errors
/// The rule that the cell violates.
pub fn decode(kind: Kind, cell: &str) -> Result<Value, String> {
    let cell = unescape_formula(cell);
    Ok(match kind {
        Kind::Text => Value::String(cell.to_owned()),
        Kind::Decimal | Kind::Integer | Kind::Bool => Value::String(trim(cell).to_owned()),
        Kind::Path => texts(cell, '>'),
        Kind::List => texts(cell, '|'),
        Kind::Pairs => Value::Object(parse_pairs(cell)?),
        Kind::Images => split_unescaped(cell, '|').into_iter().map(parse_image).collect::<Result<Vec<_>, _>>()?.into(),
        Kind::Json => serde_json::from_str(cell).map_err(|error| format!("invalid JSON: {error}"))?,
    })
}

fn escape_formula_owned<'a>(text: String) -> Cow<'a, str> {
    Cow::Owned(escape_formula(&text).into_owned())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value, each: impl Fn(&Value) -> String) -> Vec<String> {
    value.as_array().into_iter().flatten().map(each).collect()
}

fn escape_separators(text: &str, separators: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\\' || separators.contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// Removes the backslashes added by [`escape_separators`].
fn unescape_separators(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain
}

/// Splits at separators without a backslash; the parts are still escaped.
fn split_unescaped(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut is_escaped) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        if c == separator && !is_escaped {
            parts.push(&text[start..at]);
            start = at + c.len_utf8();
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    parts.push(&text[start..]);
    parts
}

/// Parses a list of texts.
fn texts(cell: &str, separator: char) -> Value {
    let parts = split_unescaped(cell, separator).into_iter();
    Value::Array(parts.map(|part| Value::String(unescape_separators(trim(part)))).collect())
}

fn parse_pairs(cell: &str) -> Result<Map<String, Value>, String> {
    let mut pairs = Map::new();
    for pair in split_unescaped(cell, ';') {
        let [name, value] = split_unescaped(pair, '=')[..] else {
            return Err("the format is Name=Value; Name=Value".into());
        };
        if pairs.insert(unescape_separators(trim(name)), Value::String(unescape_separators(trim(value)))).is_some() {
            return Err(format!("{} is listed more than once", trim(name)));
        }
    }
    Ok(pairs)
}

fn parse_image(part: &str) -> Result<Value, String> {
    let part = trim(part);
    let (url, alt) = part.split_once(' ').unwrap_or((part, ""));
    if url.is_empty() {
        return Err("each image must be a URL, a space and the alternative text; separate images with |".into());
    }
    Ok(serde_json::json!({ "url": url, "alt": unescape_separators(trim(alt)) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_cells_decode_to_the_same_value() {
        for text in ["plain", "=1+1", "+44 20", "-5", "@x", "\ttab", "\rcr", "'quoted'", "''", "a'b", " "] {
            let cell = encode(Kind::Text, text);
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
            assert_eq!(decode(Kind::Text, &cell), Ok(Value::String(text.into())), "{text:?}");
        }
        for cell in ["'90s", "'Twas", "'"] {
            assert_eq!(decode(Kind::Text, cell), Ok(Value::String(cell.into())), "{cell:?}");
        }
        for (kind, value, cell) in [
            (Kind::Path, r#"["Home","Tea > Coffee","Back\\slash"]"#, r"Home > Tea \> Coffee > Back\\slash"),
            (Kind::Path, r#"["=A","B"]"#, "'=A > B"),
            (Kind::List, r#"["wool","a | b","c\\d"]"#, r"wool | a \| b | c\\d"),
            (Kind::List, r#"["+1"]"#, "'+1"),
            (Kind::Pairs, r#"{"Size":"M","a=b":"c;d\\"}"#, r"Size=M; a\=b=c\;d\\"),
            (
                Kind::Images,
                r#"[{"url":"https://a/b.jpg","alt":"Front | back"},{"url":"https://a/c","alt":""}]"#,
                r"https://a/b.jpg Front \| back | https://a/c",
            ),
        ] {
            assert_eq!(encode(kind, value), cell);
            assert_eq!(decode(kind, cell).map(|value| value.to_string()).as_deref(), Ok(value));
        }
        for cell in ["Size", "Size=M=L", "Size=M;Size=L", "Size=M;"] {
            assert!(decode(Kind::Pairs, cell).is_err(), "{cell}");
        }
    }
}
