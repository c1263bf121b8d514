//! Parameters of a GraphQL request: from the query string of a GET or the JSON body of a POST.
//! Rule: a body must be declared as JSON in UTF-8. Bodies that a cross-origin page can send without a preflight request
//! (forms, plain text) are rejected here; `multipart` reads forms with files.

use std::error::Error;

use async_graphql::{Extensions, Request, Value, Variables};
use axum::{
    body::{Body, HttpBody},
    extract::Query,
    http::{HeaderMap, StatusCode, Uri, header},
};
use futures_util::StreamExt;
use serde::{Deserialize, de::DeserializeOwned};

use super::{media_type::is_json, rejection::Rejection};
use crate::{
    error::ErrorCode,
    graphql::{engine::persisted_queries, schema::trusted_documents::DOCUMENT_ID},
};

/// The parameters of a request in a JSON body.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Params {
    query: Option<String>,
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<Variables>,
    extensions: Option<Extensions>,
}

/// The parameters of a request in a query string, where objects are JSON text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryString {
    query: Option<String>,
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

impl Params {
    /// Returns the request. Its text is empty if an extension names the document instead.
    fn into_request(self) -> Result<Request, Rejection> {
        let mut extensions = self.extensions.unwrap_or_default();
        extensions.remove(DOCUMENT_ID);
        extensions.extend(self.document_id.map(|id| (DOCUMENT_ID.to_owned(), Value::String(id))));
        let query = self.query.unwrap_or_default();
        let names_document =
            [persisted_queries::EXTENSION, DOCUMENT_ID].iter().any(|key| extensions.contains_key(*key));
        if query.is_empty() && !names_document {
            return Err(Rejection::bad_request("query is required"));
        }
        let mut request = Request::new(query);
        request.operation_name = self.operation_name.filter(|name| !name.is_empty());
        request.variables = self.variables.unwrap_or_default();
        request.extensions = extensions;
        Ok(request)
    }
}

/// Returns the request of a message that is not an HTTP request.
/// # Errors
/// 400 if it is no request.
pub fn from_value(value: serde_json::Value) -> Result<Request, Rejection> {
    let params = Params::deserialize(value)
        .map_err(|error| Rejection::bad_request(format!("the payload is not a GraphQL request: {error}")))?;
    params.into_request()
}

/// The requests of a body.
pub enum Requests {
    /// A single request.
    Single(Box<Request>),
    /// An array of requests, which is answered by an array of responses.
    Batch(Vec<Request>),
}

/// Reads the query string of a GET.
/// # Errors
/// 400 if a parameter is missing, repeated or malformed.
pub fn from_query_string(uri: &Uri) -> Result<Request, Rejection> {
    let Query(query_string) = Query::<QueryString>::try_from_uri(uri)
        .map_err(|error| Rejection::bad_request(format!("the query string is malformed: {}", cause(&error))))?;
    let params = Params {
        query: query_string.query,
        document_id: query_string.document_id,
        operation_name: query_string.operation_name,
        variables: parse_json("variables", query_string.variables)?,
        extensions: parse_json("extensions", query_string.extensions)?,
    };
    params.into_request()
}

/// Reads the body of a POST: one request, or an array of up to `max_batch` if that is more than 1.
/// # Errors
/// 413 if it is larger than `max_bytes` or has too many requests; 400 if it is not a JSON object with parameters of the
/// right types, or an array of such objects.
pub async fn from_body(body: Body, max_bytes: usize, max_batch: usize) -> Result<Requests, Rejection> {
    let too_large = || Rejection::too_large(format!("the body is larger than {max_bytes} bytes"));
    // Checks Content-Length first: a body that is declared as too large is not read at all.
    if body.size_hint().lower() > max_bytes as u64 {
        return Err(too_large());
    }
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            Rejection::from_body_error(&error, Rejection::bad_request("the body was not received completely"))
        })?;
        if bytes.len() + chunk.len() > max_bytes {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    match first_byte(&bytes) {
        Some(b'[') => parse_batch(&bytes, max_batch).map(Requests::Batch),
        _ => parse_request(&bytes).map(|request| Requests::Single(Box::new(request))),
    }
}

fn parse_batch(bytes: &[u8], max_batch: usize) -> Result<Vec<Request>, Rejection> {
    if max_batch <= 1 {
        return Err(Rejection::bad_request("batch requests (arrays) are turned off; send one request at a time"));
    }
    let items: Vec<serde_json::Value> =
        serde_json::from_slice(bytes).map_err(|error| Rejection::bad_request(error.to_string()))?;
    match items.len() {
        0 => return Err(Rejection::bad_request("a batch request (array) must have at least one request")),
        found if found > max_batch => {
            let message =
                format!("a batch request (array) can have at most {max_batch} requests; this one has {found}");
            return Err(Rejection::too_large(message));
        }
        _ => {}
    }
    let request = |(index, item): (usize, serde_json::Value)| {
        // Checked here, because serde also accepts an array, as the struct's fields in order.
        let request = match item.is_object() {
            true => serde_json::from_value(item).map_err(|error| error.to_string()),
            false => Err("the request must be a JSON object".to_owned()),
        };
        let request = request.map_err(Rejection::bad_request).and_then(Params::into_request);
        request.map_err(|rejection| {
            Rejection::bad_request(format!("request {} of the array: {}", index + 1, rejection.message()))
        })
    };
    items.into_iter().enumerate().map(request).collect()
}

/// Parses the JSON of a request.
/// # Errors
/// 400 if it is not a JSON object with parameters of the right types.
pub fn parse_request(bytes: &[u8]) -> Result<Request, Rejection> {
    parse_params(bytes)?.into_request()
}

/// Rejects every body that is not JSON in UTF-8.
/// # Errors
/// 415 if the body is compressed, or not declared as JSON in UTF-8.
pub fn check_content_type(headers: &HeaderMap) -> Result<(), Rejection> {
    let rejection = |message| Rejection::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, ErrorCode::BadUserInput, message);
    let coding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").trim());
    if coding.is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(rejection("the body must not be compressed"));
    }
    if is_json(headers) { Ok(()) } else { Err(rejection("the body must be application/json in UTF-8")) }
}

fn parse_params(bytes: &[u8]) -> Result<Params, Rejection> {
    // Checked here, because serde also accepts an array, as the struct's fields in order.
    match first_byte(bytes) {
        Some(b'{') => serde_json::from_slice(bytes).map_err(|error| Rejection::bad_request(error.to_string())),
        Some(b'[') => Err(Rejection::bad_request("batch requests (arrays) cannot have files; send one at a time")),
        _ => Err(Rejection::bad_request("the body must be a JSON object")),
    }
}

/// Returns the first byte that is not whitespace.
fn first_byte(bytes: &[u8]) -> Option<u8> {
    bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace())
}

fn parse_json<T: DeserializeOwned>(name: &str, text: Option<String>) -> Result<Option<T>, Rejection> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    serde_json::from_str(&text).map_err(|error| Rejection::bad_request(format!("{name}: {error}")))
}

fn cause(error: &dyn Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
