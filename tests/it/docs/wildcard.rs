//! Comparing an output with what a page shows. `…` stands for the parts that differ from run to run.

use serde_json::Value;

/// The mark of a part that differs from run to run.
pub const ANY: &str = "…";

/// Whether a text is as shown; each [`ANY`] stands for any characters.
pub fn matches_text(shown: &str, actual: &str) -> bool {
    let mut parts = shown.split(ANY);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = actual.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// Whether a JSON value is as shown. The string `"…"` stands for any value, as the last item of an array for any further items, and
/// as a key for any further fields.
/// # Errors
/// The path of the first difference, and both values.
pub fn matches_json(path: &str, shown: &Value, actual: &Value) -> Result<(), String> {
    let differs = || Err(format!("at {path}: the page shows {shown}, the output is {actual}"));
    match (shown, actual) {
        (Value::String(shown), _) if shown == ANY => Ok(()),
        (Value::String(shown), Value::String(actual)) if matches_text(shown, actual) => Ok(()),
        (Value::Array(shown), Value::Array(items)) => {
            let is_open = shown.last().is_some_and(|last| last == ANY);
            let shown = if is_open { &shown[..shown.len() - 1] } else { shown };
            if items.len() < shown.len() || (!is_open && items.len() > shown.len()) {
                return differs();
            }
            let mut pairs = shown.iter().zip(items).enumerate();
            pairs.try_for_each(|(index, (shown, item))| matches_json(&format!("{path}[{index}]"), shown, item))
        }
        (Value::Object(shown), Value::Object(fields)) => {
            let mut known = shown.iter().filter(|(name, _)| *name != ANY);
            let is_open = shown.contains_key(ANY);
            if !is_open && shown.len() != fields.len() {
                return differs();
            }
            known.try_for_each(|(name, shown)| match fields.get(name) {
                Some(actual) => matches_json(&format!("{path}.{name}"), shown, actual),
                None => differs(),
            })
        }
        _ if shown == actual => Ok(()),
        _ => differs(),
    }
}

#[test]
fn a_mark_stands_for_any_text_and_everything_else_for_itself() {
    let table = [
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("…", "", true),
        ("a…c", "abbbc", true),
        ("a…c…", "abcd", true),
        ("a…c", "abcd", false),
        ("a…b…a", "aba", true),
        ("a…a", "a", false),
    ];
    for (shown, actual, expected) in table {
        assert_eq!(matches_text(shown, actual), expected, "{shown} {actual}");
    }
    let json = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    let table = [
        (r#"{"a": 1}"#, r#"{"a": 1}"#, true),
        (r#"{"a": 1}"#, r#"{"a": 2}"#, false),
        (r#"{"a": 1}"#, r#"{"a": 1, "b": 2}"#, false),
        (r#"{"a": 1, "…": "…"}"#, r#"{"a": 1, "b": 2}"#, true),
        (r#"{"b": 1, "…": "…"}"#, r#"{"a": 1}"#, false),
        (r#"[1, "…"]"#, "[1, 2, 3]", true),
        (r#"[1, "…"]"#, "[]", false),
        ("[1]", "[1, 2]", false),
        (r#"{"a": "x…"}"#, r#"{"a": "xyz"}"#, true),
        (r#"{"a": "…"}"#, r#"{"a": [1]}"#, true),
    ];
    for (shown, actual, expected) in table {
        assert_eq!(matches_json("", &json(shown), &json(actual)).is_ok(), expected, "{shown} {actual}");
    }
}
