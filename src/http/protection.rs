//! Headers that tell browsers and caches how to handle a response: what keeps it from being stored, sniffed, framed or
//! read over plain HTTP.
//! Rule: every response has them, from every route. A route that sets one of them itself keeps its own.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

use super::public_url::is_https;
use crate::config::HttpSettings;

/// The headers of each response. A response is private and is not stored unless its route says otherwise, because it
/// depends on the viewer.
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
];

/// For one year. Other hosts of the domain are not the server's to decide on, so they are not included.
const STRICT_TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// What the middleware knows of the settings.
#[derive(Debug, Clone)]
pub struct Protection {
    settings: HttpSettings,
}

impl Protection {
    /// Creates the state of [`protect`].
    pub fn new(settings: &HttpSettings) -> Self {
        Self { settings: settings.clone() }
    }
}

/// Adds the headers to a response; a middleware for `axum::middleware::from_fn_with_state`.
pub async fn protect(State(protection): State<Protection>, request: Request, next: Next) -> Response {
    let is_https = is_https(request.headers(), &protection.settings);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(value);
    }
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT_SECURITY);
    }
    response
}
