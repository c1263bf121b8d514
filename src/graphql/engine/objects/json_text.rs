//! JSON text of resolved values.
//! Rule: a value is written once, in the place that it has in the response. What is written of a value that turns out to
//! fail, or to wait for something, is taken back.

use std::mem;

use async_graphql::{ServerError, Value};
use serde::Serialize;

/// The text of one or more values, and the errors of the fields in it that became null.
#[derive(Debug, Default)]
pub struct JsonText {
    text: Vec<u8>,
    /// How many bytes of the text are counted towards the size of the response.
    counted: usize,
    errors: Vec<ServerError>,
}

/// A place in a text.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    length: usize,
    counted: usize,
    errors: usize,
}

impl JsonText {
    /// Creates an empty text with space for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { text: Vec::with_capacity(bytes), ..Self::default() }
    }

    /// Returns the text of a value.
    pub fn of(value: &(impl Serialize + ?Sized)) -> Self {
        let mut json = Self::default();
        json.push(value);
        json
    }

    /// Appends a value.
    pub fn push(&mut self, value: &(impl Serialize + ?Sized)) {
        serde_json::to_writer(&mut self.text, value)
            .expect("GraphQL values are JSON, and writing to memory cannot fail");
    }

    /// Appends text that is JSON already.
    pub fn push_raw(&mut self, text: &str) {
        self.text.extend_from_slice(text.as_bytes());
    }

    /// Appends the key of a field. Names of GraphQL have nothing to escape.
    pub fn push_key(&mut self, key: &str, is_first: bool) {
        self.push_raw(if is_first { "\"" } else { ",\"" });
        self.push_raw(key);
        self.push_raw("\":");
    }

    /// Appends values that were written elsewhere.
    pub fn append(&mut self, mut other: Self) {
        self.counted += other.counted;
        self.errors.append(&mut other.errors);
        match self.text.is_empty() {
            true => self.text = other.text,
            false => self.text.extend_from_slice(&other.text),
        }
    }

    /// Inserts values at these places, which are in ascending order.
    pub fn insert_all(&mut self, values: Vec<(usize, Self)>) {
        let length = values.iter().map(|(_, value)| value.text.len()).sum::<usize>();
        let joined = Vec::with_capacity(self.text.len() + length);
        let text = mem::replace(&mut self.text, joined);
        let mut from = 0;
        for (at, mut value) in values {
            self.text.extend_from_slice(&text[from..at]);
            self.text.extend_from_slice(&value.text);
            self.counted += value.counted;
            self.errors.append(&mut value.errors);
            from = at;
        }
        self.text.extend_from_slice(&text[from..]);
    }

    /// Adds the error of a field that became null.
    pub fn add_error(&mut self, error: ServerError) {
        self.errors.push(error);
    }

    /// Returns the errors, and forgets them.
    pub fn take_errors(&mut self) -> Vec<ServerError> {
        mem::take(&mut self.errors)
    }

    /// Returns the end of the text as a mark, up to which later text can be taken back.
    pub fn mark(&self) -> Mark {
        Mark { length: self.text.len(), counted: self.counted, errors: self.errors.len() }
    }

    /// Takes back what was written since a mark, because it is written again when it need not wait.
    pub fn take_back(&mut self, mark: Mark) {
        self.text.truncate(mark.length);
        self.counted = mark.counted;
        self.errors.truncate(mark.errors);
    }

    /// Replaces what was written since a mark by null, because it failed. Errors of fields inside remain.
    pub fn replace_by_null(&mut self, mark: Mark) {
        self.text.truncate(mark.length);
        self.counted = mark.counted;
        self.push_raw("null");
    }

    /// Returns the end of the text as a place for [`insert_all`](Self::insert_all).
    pub fn end(&self) -> usize {
        self.text.len()
    }

    /// Returns how many bytes are not counted yet.
    pub fn uncounted(&self) -> usize {
        self.text.len() - self.counted
    }

    /// Returns how many bytes are not counted yet, and marks them as counted.
    pub fn count(&mut self) -> usize {
        self.text.len() - mem::replace(&mut self.counted, self.text.len())
    }

    /// Returns the text.
    pub fn into_bytes(self) -> Vec<u8> {
        self.text
    }

    /// Returns the value.
    pub fn to_value(&self) -> Value {
        serde_json::from_slice(&self.text).expect("the text is one value")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_inserted_in_their_places() {
        let mut json = JsonText::default();
        json.push_raw("[");
        let first = json.end();
        json.push_raw(",");
        json.push(&"a\"b");
        json.push_raw(",");
        let last = json.end();
        json.push_raw("]");
        json.insert_all(vec![(first, JsonText::of(&1)), (last, JsonText::of(&None::<i32>))]);
        assert_eq!(json.into_bytes(), br#"[1,"a\"b",null]"#);
    }

    #[test]
    fn bytes_are_counted_once() {
        let mut inner = JsonText::of(&"text");
        assert_eq!(inner.count(), 6);
        let mut outer = JsonText::default();
        outer.push_key("key", true);
        let mark = outer.mark();
        outer.append(inner);
        assert_eq!(outer.count(), 6);
        assert_eq!(outer.count(), 0);
        outer.take_back(mark);
        outer.push(&1);
        assert_eq!(outer.count(), 7);
    }
}
