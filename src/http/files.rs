//! GET and PUT `/files/{token}`: downloads and uploads of private files, for stores that cannot sign URLs themselves.
//! Rule: the signed token alone grants access (file, method, size limit, expiry). An invalid token returns 404.

use std::{io, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};
use futures_util::TryStreamExt;
use tokio::time::timeout;
use tokio_util::io::StreamReader;

use super::rejection::Rejection;
use crate::{
    error::{ErrorCode, Result as StorageResult},
    storage::{
        Storage,
        signed_url::{SignedUrlClaims, UrlUsage, content_disposition},
        space::{Reservation, UploadSpace},
        uploads,
    },
    telemetry::RequestId,
};

/// Time limit for receiving a file.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(1800);

/// The state of the endpoint.
#[derive(Clone)]
struct Files {
    storage: Storage,
    /// The space for the uploads of each user.
    space: UploadSpace,
}

pub(super) fn routes(storage: Storage, space: UploadSpace) -> Router {
    Router::new().route("/files/{token}", any(handle)).with_state(Files { storage, space })
}

async fn handle(
    State(files): State<Files>,
    Path(token): Path<String>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let result = match *request.method() {
        Method::GET | Method::HEAD => download(&files.storage, &token).await,
        Method::PUT => {
            let timed_out = |_| Rejection::request_timeout("the file was not received in time");
            timeout(UPLOAD_TIMEOUT, upload(&files, &token, request.into_body())).await.map_err(timed_out).flatten()
        }
        _ => Err(Rejection::method_not_allowed("use GET to download a file, or PUT to upload one", "GET, HEAD, PUT")),
    };
    result.unwrap_or_else(|rejection| rejection.into_json(&id))
}

fn not_found() -> Rejection {
    Rejection::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, "there is no such file, or the link has expired")
}

async fn download(storage: &Storage, token: &str) -> Result<Response, Rejection> {
    let SignedUrlClaims { key, name, .. } = storage.verify_url_token(token, UrlUsage::Get).ok_or_else(not_found)?;
    let object =
        storage.get(&key).await.map_err(|error| Rejection::from_storage_error(&error))?.ok_or_else(not_found)?;
    let mut headers = HeaderMap::new();
    let name = content_disposition(name.as_deref().unwrap_or("file"));
    let disposition = HeaderValue::from_str(&name).unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(object.size));
    Ok((headers, Body::from_stream(object.stream)).into_response())
}

async fn upload(Files { storage, space }: &Files, token: &str, body: Body) -> Result<Response, Rejection> {
    let failed = |error| Rejection::from_storage_error(&error);
    let SignedUrlClaims { key, max_bytes, .. } =
        storage.verify_url_token(token, UrlUsage::Put).ok_or_else(not_found)?;
    let _reservation = match uploads::owner(&key) {
        Some(user) => Some(reserve(storage, space, user, max_bytes).await.map_err(failed)?),
        None => None,
    };
    let reader = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
    if storage.put_if_absent(&key, reader, max_bytes).await.map_err(failed)? {
        return Ok(StatusCode::CREATED.into_response());
    }
    Err(Rejection::new(StatusCode::CONFLICT, ErrorCode::Conflict, "a file was already uploaded to this URL"))
}

/// Reserves the space of an upload, beside those of the user that are kept.
async fn reserve(storage: &Storage, space: &UploadSpace, user: i64, bytes: u64) -> StorageResult<Reservation> {
    let mut reservation = space.reservation(user);
    reservation.grow_beside(bytes, uploads::kept_bytes(storage, user).await?)?;
    Ok(reservation)
}
