//! `/.well-known/jwks.json`: the public keys, for services that check access tokens themselves.
//! Rule: public halves only; a server with secrets alone shows an empty list.

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

/// Kept for five minutes by those who ask: a new key is there before the first token that it signs.
async fn jwks(State(keys): State<JwtKeys>) -> Response {
    ([(CACHE_CONTROL, "public, max-age=300")], Json(keys.public_jwks())).into_response()
}
