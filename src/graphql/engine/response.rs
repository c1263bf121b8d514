//! The response to an operation.
//! Rule: the data is JSON text from the beginning, so that nothing is built that is only written later.

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::{ServerError, Value};
use bytes::Bytes;
use http::HeaderMap;

use super::public_response::PublicResponse;

/// The result of an operation, or the errors of a request that was rejected.
#[derive(Debug, Default)]
pub struct Response {
    /// The data as JSON; none if it is null or if nothing was executed.
    pub data: Option<Bytes>,
    /// The errors.
    pub errors: Vec<ServerError>,
    /// The extensions by name.
    pub extensions: BTreeMap<String, Value>,
    /// Headers of the HTTP response.
    pub http_headers: HeaderMap,
    /// The response without extensions and headers, if it is the same for everyone.
    pub public: Option<Arc<PublicResponse>>,
}

impl Response {
    /// Creates the response to a request that was rejected.
    pub fn from_errors(errors: Vec<ServerError>) -> Self {
        Self { errors, ..Self::default() }
    }

    /// Creates the response that is the same for everyone.
    pub fn from_public(public: Arc<PublicResponse>) -> Self {
        Self { data: Some(public.data()), public: Some(public), ..Self::default() }
    }

    /// Returns the data as a value.
    pub fn value(&self) -> Value {
        let parse = |text: &Bytes| serde_json::from_slice(text).expect("the data is JSON");
        self.data.as_ref().map_or(Value::Null, parse)
    }
}
