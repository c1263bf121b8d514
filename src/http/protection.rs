//! Headers that tell browsers and caches how to handle a response: what keeps it from being stored, sniffed, framed or
//! read over plain HTTP.
//! Rule: every response has them, from every route. A route that sets one of them itself keeps its own, unless its response is
//! not acceptable to the client.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};

use super::header_names::{CACHE_TAG, SURROGATE_KEY};

/// The headers of each response. A response is private and is not stored unless its route says otherwise, because it
/// depends on the viewer.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// Headers with which a route makes a response public.
const PUBLIC_HEADERS: [HeaderName; 4] = [header::CACHE_CONTROL, header::ETAG, SURROGATE_KEY, CACHE_TAG];

/// For one year. Other hosts of the domain are not the server's to decide on, so they are not included.
const STRICT_TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds the headers to a response; `is_https`: to a request that arrived by TLS.
pub fn protect(response: &mut Response, is_https: bool) {
    // The layer that compresses rejects some requests when their response is there.
    let is_rejected = response.status() == StatusCode::NOT_ACCEPTABLE;
    let headers = response.headers_mut();
    if is_rejected {
        PUBLIC_HEADERS.iter().for_each(|name| drop(headers.remove(name)));
    }
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT_SECURITY);
    }
}
