//! `/.well-known/jwks.json`: the public keys, for services that verify access tokens themselves.
//! Rule: only public keys are served; the key set is empty if tokens are signed with a shared secret.

use axum::{
    Json, Router,
    extract::State,
    http::header::CACHE_CONTROL,
    response::{IntoResponse, Response},
    routing::get,
};

use crate::auth::JwtKeys;

pub(super) fn routes(keys: &JwtKeys) -> Router {
    Router::new().route("/.well-known/jwks.json", get(jwks)).with_state(keys.clone())
}

/// Returns the key set. Clients may cache it for five minutes: a new key is published before it signs its first token.
async fn jwks(State(keys): State<JwtKeys>) -> Response {
    ([(CACHE_CONTROL, "public, max-age=300")], Json(keys.public_jwks())).into_response()
}
