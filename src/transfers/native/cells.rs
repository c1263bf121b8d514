//! Conversion between values and cells of a CSV file.
//! Rule: spreadsheets must not execute a cell, also if they split the file at semicolons or tabs instead of commas. A formula
//! character or `'` at the start of a cell, and after a semicolon, tab or line break in it, is prefixed with `'`. Reading
//! returns what was written.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{db::export::Kind, text::trim};

/// Some spreadsheets evaluate the full-width forms too.
const FORMULA_PREFIXES: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\'', '＝', '＋', '－', '＠'];

/// Characters after which a spreadsheet may begin another cell.
const SEPARATORS: [char; 4] = [';', '\t', '\r', '\n'];

/// Returns whether a spreadsheet may begin a cell after this character. Quotes at the start of a cell are removed.
fn is_start_after(c: char, was_start: bool) -> bool {
    SEPARATORS.contains(&c) || (was_start && c == '"')
}

/// Escapes a text so that spreadsheets do not evaluate it, or a part of it, as a formula.
pub fn escape_formula(text: &str) -> Cow<'_, str> {
    let (mut escaped, mut copied, mut is_start) = (String::new(), 0, true);
    for (at, c) in text.char_indices() {
        if is_start && FORMULA_PREFIXES.contains(&c) {
            escaped += &text[copied..at];
            escaped.push('\'');
            copied = at;
        }
        is_start = is_start_after(c, is_start);
    }
    if escaped.is_empty() {
        return Cow::Borrowed(text);
    }
    escaped += &text[copied..];
    Cow::Owned(escaped)
}

/// Reverses [`escape_formula`]. An apostrophe before any other character, as in `'90s`, is part of the text.
pub fn unescape_formula(cell: &str) -> Cow<'_, str> {
    if !cell.contains('\'') {
        return Cow::Borrowed(cell);
    }
    let (mut text, mut is_start) = (String::with_capacity(cell.len()), true);
    let mut chars = cell.chars().peekable();
    while let Some(mut c) = chars.next() {
        if is_start && c == '\'' {
            c = chars.next_if(|next| FORMULA_PREFIXES.contains(next)).unwrap_or(c);
        }
        text.push(c);
        is_start = is_start_after(c, is_start);
    }
    Cow::Owned(text)
}

/// Escapes JSON so that spreadsheets do not evaluate a part of it as a formula. It stays the same JSON: a semicolon is always
/// in a text.
fn escape_json(value: &str) -> Cow<'_, str> {
    match escape_formula(value) {
        Cow::Owned(_) => Cow::Owned(value.replace(';', r"\u003b")),
        Cow::Borrowed(_) => Cow::Borrowed(value),
    }
}

/// Converts a database value to a cell; nested values are given as JSON.
pub fn encode(kind: Kind, value: &str) -> Cow<'_, str> {
    let nested = || serde_json::from_str::<Value>(value).unwrap_or_default();
    match kind {
        Kind::Decimal | Kind::Integer | Kind::Bool => Cow::Borrowed(value),
        Kind::Json => escape_json(value),
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
    let cell = &*unescape_formula(cell);
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
        for (text, cell) in [
            ("a;=1+1", "a;'=1+1"),
            ("a;+1;-1;@x;＝1", "a;'+1;'-1;'@x;'＝1"),
            ("a\t=1\n-2\r\n@x", "a\t'=1\n'-2\r\n'@x"),
            (";=1", ";'=1"),
            ("=1;=2", "'=1;'=2"),
            ("a;'=1", "a;''=1"),
            ("a;\t=1", "a;'\t'=1"),
            (r#"a;"=1";""@x"#, r#"a;"'=1";""'@x"#),
            ("a=b; c;d - e; 'f'", "a=b; c;d - e; 'f'"),
            ("Rock;'90s;' '", "Rock;''90s;'' '"),
        ] {
            assert_eq!(encode(Kind::Text, text), cell, "{text:?}");
            assert_eq!(decode(Kind::Text, cell), Ok(Value::String(text.into())), "{cell:?}");
        }
        for cell in ["'90s", "'Twas", "'"] {
            assert_eq!(decode(Kind::Text, cell), Ok(Value::String(cell.into())), "{cell:?}");
        }
        for (kind, value, cell) in [
            (Kind::Path, r#"["Home","Tea > Coffee","Back\\slash"]"#, r"Home > Tea \> Coffee > Back\\slash"),
            (Kind::Path, r#"["=A","B"]"#, "'=A > B"),
            (Kind::List, r#"["wool","a | b","c\\d"]"#, r"wool | a \| b | c\\d"),
            (Kind::List, r#"["+1"]"#, "'+1"),
            (Kind::List, r#"["a;-1","b;|=2"]"#, r"a;'-1 | b;\|=2"),
            (Kind::Path, r#"["A;@b","C\t=1"]"#, "A;'@b > C\t'=1"),
            (Kind::Pairs, r#"{"Size":"M","a=b":"c;d\\"}"#, r"Size=M; a\=b=c\;d\\"),
            (Kind::Pairs, r#"{"a":"b;=1;+2"}"#, r"a=b\;\=1\;'+2"),
            (Kind::Json, r#"{"a":"b & c;"}"#, r#"{"a":"b & c;"}"#),
            (Kind::Json, r#"{"a":"b;=A1*2;'=3"}"#, r#"{"a":"b\u003b=A1*2\u003b'=3"}"#),
            (Kind::Images, r#"[{"url":"https://a/b.jpg?c;=1","alt":"Front;@x"}]"#, "https://a/b.jpg?c;'=1 Front;'@x"),
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
