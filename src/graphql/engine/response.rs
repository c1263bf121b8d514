//! The response to an operation.
//! Rule: the data is JSON text from the beginning, so that nothing is built that is only written later.

use std::collections::BTreeMap;

use async_graphql::{ServerError, Value};
use http::HeaderMap;

/// The result of an operation, or the errors of a request that was rejected.
#[derive(Debug, Default)]
pub struct Response {
    /// The data as JSON; none if it is null or if nothing was executed.
    pub data: Option<Vec<u8>>,
    /// The errors.
    pub errors: Vec<ServerError>,
    /// The extensions by name.
    pub extensions: BTreeMap<String, Value>,
    /// Headers of the HTTP response.
    pub http_headers: HeaderMap,
}

impl Response {
    /// Creates the response to a request that was rejected.
    pub fn from_errors(errors: Vec<ServerError>) -> Self {
        Self { errors, ..Self::default() }
    }

    /// Returns the data as a value.
    pub fn value(&self) -> Value {
        let parse = |text: &Vec<u8>| serde_json::from_slice(text).expect("the data is JSON");
        self.data.as_ref().map_or(Value::Null, parse)
    }
}
