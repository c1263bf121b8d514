//! Credentials of a GraphQL request: the viewer, the guest's cart token, cookies, and the actor recorded for writes.
//! Rule: one credential per request. Several are rejected, because the intended one cannot be determined.

use async_graphql::ServerError;
use axum::http::{HeaderMap, header};

use super::header_names::{X_API_KEY, X_CART_TOKEN};
use crate::{
    auth::{self, GuestKey, RequestOrigin, Viewer},
    db::actor::{Actor, ActorKind},
    error::ErrorCode,
    graphql::{
        engine::{
            PreparedRequest,
            errors::{self, coded},
        },
        schema::{
            access::{cookie::Cookies, expired_credentials},
            context::Services,
        },
    },
    telemetry::RequestId,
};

/// Returns the viewer identified by `Authorization: Bearer <token>` or `X-API-Key`; the anonymous viewer without
/// either.
/// # Errors
/// UNAUTHENTICATED if the credential is invalid, or if there is more than one.
pub async fn authenticate(
    headers: &HeaderMap,
    services: &Services,
    request_id: &RequestId,
) -> Result<Viewer, ServerError> {
    let rejected = |message: &str| coded(ErrorCode::Unauthenticated, message);
    if are_several(headers) {
        return Err(rejected("send either one `Authorization` header or one `X-API-Key` header"));
    }
    let viewer = match (headers.get(header::AUTHORIZATION), headers.get(X_API_KEY)) {
        (None, None) => return Ok(Viewer::anonymous()),
        (None, Some(key)) => services.viewer_by_api_key(key.to_str().unwrap_or_default()).await,
        (Some(value), _) => {
            let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).unwrap_or_default();
            if !scheme.eq_ignore_ascii_case("bearer") {
                return Err(rejected("the header must be `Authorization: Bearer <accessToken>`"));
            }
            services.viewer_by_token(token.trim()).await
        }
    };
    viewer.map_err(|error| errors::from_error(&error, request_id))
}

/// Returns whether there is more than one credential.
fn are_several(headers: &HeaderMap) -> bool {
    headers.get_all(header::AUTHORIZATION).iter().chain(headers.get_all(X_API_KEY)).count() > 1
}

/// Returns the viewer of an operation, with the guest's cart token, from the result of [`authenticate`]. Some operations run
/// without the credential if it is not valid; see [`expired_credentials`].
/// # Errors
/// As [`authenticate`].
pub async fn operation_viewer(
    authenticated: Result<Viewer, ServerError>,
    headers: &HeaderMap,
    services: &Services,
    request_id: &RequestId,
    operation: &PreparedRequest,
) -> Result<Viewer, ServerError> {
    let guest = guest(headers);
    let viewer = match authenticated {
        Err(error) if errors::code(&error) == Some(ErrorCode::Unauthenticated) && !are_several(headers) => {
            let ignored = expired_credentials::are_ignored_by(&services.db, &operation.root_fields(), guest).await;
            let is_ignored = ignored.map_err(|error| errors::from_error(&error, request_id))?;
            is_ignored.then(Viewer::anonymous).ok_or(error)?
        }
        viewer => viewer?,
    };
    Ok(viewer.with_guest(guest))
}

/// Returns the viewer as [`authenticate`] does, and rejects anonymous requests.
/// # Errors
/// As [`authenticate`]; also UNAUTHENTICATED if the request is anonymous.
pub async fn authenticate_user(
    headers: &HeaderMap,
    services: &Services,
    request_id: &RequestId,
) -> Result<Viewer, ServerError> {
    let viewer = authenticate(headers, services, request_id).await?;
    viewer.require_user().map_err(|error| errors::from_error(&error, request_id))?;
    Ok(viewer)
}

/// Returns the guest with the cart token of the request. Any token is accepted here; the stores check that its cart
/// exists.
pub fn guest(headers: &HeaderMap) -> Option<GuestKey> {
    headers.get(X_CART_TOKEN)?.to_str().ok().map(|token| GuestKey::from_token(token.trim()))
}

/// Returns the cookies of the request. HTTP/2 may send each in a header of its own.
pub fn cookies(headers: &HeaderMap, are_secure: bool) -> Cookies {
    let lines: Vec<_> = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()).collect();
    Cookies { header: (!lines.is_empty()).then(|| lines.join("; ")), are_secure }
}

/// Returns the actor under which the viewer's writes are recorded.
pub fn actor(viewer: &Viewer, origin: &RequestOrigin, request_id: &RequestId) -> Actor {
    let (kind, session, api_key) = match viewer.identity().map(|identity| identity.auth_method) {
        Some(auth::AuthMethod::Session(session)) => (ActorKind::Session, Some(session.0), None),
        Some(auth::AuthMethod::ApiKey(key)) => (ActorKind::ApiKey, None, Some(key.0)),
        Some(auth::AuthMethod::System) => (ActorKind::System, None, None),
        None => (ActorKind::Anonymous, None, None),
    };
    let user = viewer.user_id().map(|id| id.0);
    let request_id = Some(request_id.as_str().to_owned());
    Actor { kind, user, session, api_key, address: origin.address, request_id }
}
