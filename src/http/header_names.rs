//! Names of the request headers that Souk defines itself.
//! Rule: a header that several modules read, or that CORS must allow, has its name here.

use axum::http::HeaderName;

/// The API key.
pub const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A guest's cart token.
pub const X_CART_TOKEN: HeaderName = HeaderName::from_static("x-cart-token");

/// An id that a visitor's browser generates, so that one visitor's searches can be told from another's. A malformed id is
/// ignored: nobody is refused a page for it.
pub const X_VISITOR_ID: HeaderName = HeaderName::from_static("x-visitor-id");

/// Headers that a page of another origin cannot send without a preflight request; any of them is enough, with any value.
pub const PREFLIGHT_HEADERS: [HeaderName; 3] = [
    HeaderName::from_static("graphql-require-preflight"),
    HeaderName::from_static("apollo-require-preflight"),
    HeaderName::from_static("x-apollo-operation-name"),
];
