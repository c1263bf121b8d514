//! Cross-origin requests: which pages may call the server, with which headers, and which headers of a response they may
//! read.
//! Rule: without configured origins only the server's own pages may call; in development also pages of this machine.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{
    header_names::{PREFLIGHT_HEADERS, X_API_KEY, X_CART_TOKEN, X_QUERY_COST, X_VISITOR_ID},
    request_id::X_REQUEST_ID,
};
use crate::config::Environment;

/// Returns whether the page that sends a request may call the server, as [`layer`] tells browsers, or is one of the server's own
/// pages. Browsers do not ask before they open a WebSocket. Requests of other clients have no origin.
pub fn is_allowed(headers: &HeaderMap, own: Option<&str>, origins: &[String], environment: Environment) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let is_configured = origins.iter().any(|allowed| allowed.trim() == "*" || origin == allowed.trim());
    let is_local = origins.is_empty() && environment == Environment::Development && is_local(origin);
    let is_own = own.is_some_and(|own| origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()));
    is_configured || is_local || is_own
}

/// Request headers that a page may send, besides Souk's own.
const REQUEST_HEADERS: [HeaderName; 13] = [
    header::ACCEPT,
    header::ACCEPT_LANGUAGE,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_NONE_MATCH,
    header::RANGE,
    // Apollo Client names the front end, and tracing libraries the trace that the request belongs to.
    HeaderName::from_static("apollographql-client-name"),
    HeaderName::from_static("apollographql-client-version"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("baggage"),
    HeaderName::from_static("sentry-trace"),
    X_REQUEST_ID,
];

/// Response headers that a page may read, besides those that browsers always allow.
const RESPONSE_HEADERS: [HeaderName; 10] = [
    X_REQUEST_ID,
    header::RETRY_AFTER,
    HeaderName::from_static("ratelimit"),
    HeaderName::from_static("ratelimit-policy"),
    HeaderName::from_static("ratelimit-limit"),
    HeaderName::from_static("ratelimit-remaining"),
    HeaderName::from_static("ratelimit-reset"),
    header::ETAG,
    header::CONTENT_RANGE,
    header::ACCEPT_RANGES,
];

/// Returns the layer for these configured origins. Without any allowed origin there is none: the layer would respond to
/// every OPTIONS request.
pub fn layer(origins: &[String], environment: Environment) -> Option<CorsLayer> {
    let is_open = origins.iter().any(|origin| origin.trim() == "*");
    let allowed = match origins {
        [] if environment == Environment::Production => return None,
        [] => AllowOrigin::predicate(|origin, _| is_local(origin)),
        _ if is_open => AllowOrigin::any(),
        _ => AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin.trim()).ok())),
    };
    let layer = CorsLayer::new()
        .allow_origin(allowed)
        // For the refresh token's cookie. Browsers do not allow credentials together with the origin `*`.
        .allow_credentials(!is_open)
        // PUT uploads a file to a signed URL.
        .allow_methods([Method::GET, Method::POST, Method::PUT])
        .allow_headers(
            REQUEST_HEADERS
                .into_iter()
                .chain([X_API_KEY, X_CART_TOKEN, X_QUERY_COST, X_VISITOR_ID])
                .chain(PREFLIGHT_HEADERS)
                .collect::<Vec<_>>(),
        )
        .expose_headers(RESPONSE_HEADERS)
        .max_age(Duration::from_secs(3600));
    Some(layer)
}

/// Returns whether the origin is a page of this machine, on any port.
fn is_local(origin: &HeaderValue) -> bool {
    let Some(host) = origin.to_str().ok().and_then(|origin| {
        let origin = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))?;
        match origin.rsplit_once(':') {
            Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => Some(host),
            _ => Some(origin),
        }
    }) else {
        return false;
    };
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_machine_are_local() {
        let local = ["http://localhost", "http://localhost:5173", "https://127.0.0.1:8443", "http://[::1]:3000"];
        let remote = [
            "http://localhost.evil.example",
            "http://evil.example:80/localhost",
            "http://localhost:5173.evil.example",
            "http://localhost:",
            "http://127.0.0.10:3000",
            "http://user@localhost",
            "ftp://localhost",
            "localhost:3000",
            "null",
            "",
        ];
        for (origins, expected) in [(local.as_slice(), true), (remote.as_slice(), false)] {
            for origin in origins {
                assert_eq!(is_local(&HeaderValue::from_static(origin)), expected, "{origin}");
            }
        }
    }
}
