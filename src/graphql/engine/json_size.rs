//! Sizes of values as they are written into a response.
//! Rule: a size is that of the JSON, escapes included, without writing it: a control character takes six bytes.

use async_graphql::{Number, Value};

/// Returns the size of a value.
pub fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Null => NULL,
        Value::Boolean(is_true) => 5 - usize::from(*is_true),
        Value::Number(number) => number_bytes(number),
        Value::String(text) => text_bytes(text),
        Value::Enum(name) => text_bytes(name),
        Value::List(items) => BRACKETS + items.iter().map(value_bytes).sum::<usize>() + commas(items.len()),
        Value::Object(fields) => {
            let sizes = fields.iter().map(|(name, value)| text_bytes(name) + COLON + value_bytes(value));
            BRACKETS + sizes.sum::<usize>() + commas(fields.len())
        }
        // Written as a list of numbers from 0 to 255.
        Value::Binary(bytes) => BRACKETS + bytes.len() * 4,
    }
}

/// Returns the size of a text with its quotes.
pub fn text_bytes(text: &str) -> usize {
    // Most texts have nothing to escape, which is found out several bytes at a time.
    let escaped = text.bytes().filter(|byte| *byte < b' ' || *byte == b'"' || *byte == b'\\').count();
    let added = if escaped == 0 { 0 } else { text.bytes().map(added_bytes).sum() };
    text.len() + QUOTES + added
}

/// Returns how many bytes the escape of a byte takes in addition to it.
fn added_bytes(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        // `\u0001`
        0..b' ' => 5,
        _ => 0,
    }
}

fn number_bytes(number: &Number) -> usize {
    let digits = |value: u64| value.checked_ilog10().unwrap_or_default() as usize + 1;
    match (number.as_u64(), number.as_i64()) {
        (Some(value), _) => digits(value),
        (None, Some(negative)) => digits(negative.unsigned_abs()) + 1,
        (None, None) => number.to_string().len(),
    }
}

fn commas(items: usize) -> usize {
    items.saturating_sub(1)
}

const NULL: usize = 4;
const QUOTES: usize = 2;
const BRACKETS: usize = 2;
const COLON: usize = 1;

#[cfg(test)]
mod tests {
    use async_graphql::{Name, indexmap::IndexMap};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn written(value: &Value) -> usize {
        serde_json::to_string(value).unwrap().len()
    }

    #[test]
    fn sizes_are_those_of_the_json() {
        let every_character = (0..=0x7f_u8).map(char::from).chain(['ä', '\u{85}', '\u{2028}', '\u{1f600}']);
        let every_character: String = every_character.collect();
        let values = json!([
            null, true, false, 0, 9, 10, -1, -10, i64::MIN, i64::MAX, u64::MAX, 0.0, -0.5, 12.25, 1e300, 1e-7, "", "plain",
            every_character, "\u{1}".repeat(1000), [], [[]], {}, {"a": {}}, {"a": 1, "b\n": [1, {"c": null}, "x"]}
        ]);
        let Value::List(values) = Value::from_json(values).unwrap() else { panic!("not a list") };
        for value in &values {
            assert_eq!(value_bytes(value), written(value), "{value}");
        }
        let all = Value::List(values);
        assert_eq!(value_bytes(&all), written(&all));
        let enumeration = Value::Enum(Name::new("IN_STOCK"));
        assert_eq!(value_bytes(&enumeration), written(&enumeration));
        let binary = Value::Binary(vec![0, 10, 100, 255].into());
        assert!(value_bytes(&binary) >= written(&binary));
    }

    #[test]
    fn control_characters_take_six_bytes() {
        assert_eq!(text_bytes(&"\u{1}".repeat(1000)), 6_002);
        assert_eq!(text_bytes(&"\n".repeat(1000)), 2_002);
        assert_eq!(text_bytes(&"\u{7f}".repeat(1000)), 1_002);
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Boolean),
            any::<i64>().prop_map(Value::from),
            prop::collection::vec(any::<char>(), 0..20).prop_map(|text| Value::String(text.into_iter().collect())),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
                prop::collection::vec(("[a-z]{1,8}", inner), 0..5).prop_map(|fields| {
                    let fields = fields.into_iter().map(|(name, value)| (Name::new(name), value));
                    Value::Object(fields.collect::<IndexMap<_, _>>())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_has_the_size_of_its_json(value in any_value()) {
            prop_assert_eq!(value_bytes(&value), written(&value));
        }
    }
}
