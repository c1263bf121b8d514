//! GET `/media/{sha256}/{width}.{webp|jpg}`: renditions of images. Those of public images are cacheable forever; those of
//! others need a signed URL and are not stored.
//! Rule: a URL is derived from the content, so a response never changes. Only a hash, a width and one of two extensions
//! become a storage key. A file that the request may not read is answered like a missing one.

use std::{ops::Range, sync::Arc};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::any,
};
use headers::{AcceptRanges, ContentRange, ETag, HeaderMapExt, IfNoneMatch, IfRange};
use serde::Deserialize;

use super::rejection::Rejection;
use crate::{
    error::ErrorCode,
    graphql::schema::context::Services,
    storage::{IMMUTABLE, Object, PRIVATE, Storage, content_type},
    telemetry::RequestId,
};

/// Lets pages of any origin embed the images.
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The parameters of a signed URL.
#[derive(Deserialize)]
struct Signature {
    expires: i64,
    signature: String,
}

pub(super) fn routes(services: Arc<Services>) -> Router {
    Router::new().route("/media/{sha256}/{file}", any(handle)).with_state(services)
}

async fn handle(
    State(services): State<Arc<Services>>,
    Path((sha256, file)): Path<(String, String)>,
    Extension(id): Extension<RequestId>,
    uri: Uri,
    method: Method,
    headers: HeaderMap,
) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        return Rejection::method_not_allowed("use GET or HEAD", "GET, HEAD").into_json(&id);
    }
    let Some(key) = rendition_key(&sha256, &file) else { return not_found().into_json(&id) };
    let signature = Query::try_from_uri(&uri).ok().map(|Query(signature)| signature);
    let response = match cache_control(&services, &key, &sha256, signature).await {
        Ok(cache_control) => respond(&services.storage, &key, cache_control, &headers).await,
        Err(rejection) => Err(rejection),
    };
    response.unwrap_or_else(|rejection| rejection.into_json(&id))
}

/// Checks whether the request may read a file, and returns the `Cache-Control` of the response. A signature that is
/// invalid or expired is ignored: the image may be public by now.
async fn cache_control(
    services: &Services,
    key: &str,
    sha256: &str,
    signature: Option<Signature>,
) -> Result<&'static str, Rejection> {
    if signature.is_some_and(|given| services.storage.is_media_signature(key, given.expires, &given.signature)) {
        return Ok(PRIVATE);
    }
    match services.image_processor.is_public(&services.db, sha256).await {
        Ok(true) => Ok(IMMUTABLE),
        Ok(false) => Err(not_found()),
        Err(error) => Err(Rejection::from_storage_error(&error)),
    }
}

fn not_found() -> Rejection {
    Rejection::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, "there is no such image")
}

/// Returns the storage key of a rendition, if the path segments are valid.
fn rendition_key(sha256: &str, file: &str) -> Option<String> {
    let is_hash = sha256.len() == 64 && sha256.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    let (width, extension) = file.split_once('.')?;
    let is_width = (1..=5).contains(&width.len()) && width.bytes().all(|c| c.is_ascii_digit());
    (is_hash && is_width && matches!(extension, "webp" | "jpg")).then(|| format!("media/{sha256}/{file}"))
}

async fn respond(
    storage: &Storage,
    key: &str,
    cache_control: &'static str,
    request: &HeaderMap,
) -> Result<Response, Rejection> {
    let failed = |error| Rejection::from_storage_error(&error);
    let size = storage.size(key).await.map_err(failed)?.ok_or_else(not_found)?;
    let tag: ETag = format!("\"{}\"", key.trim_start_matches("media/")).parse().map_err(|_| not_found())?;
    let mut headers = HeaderMap::new();
    headers.typed_insert(tag.clone());
    headers.typed_insert(AcceptRanges::bytes());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache_control));
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    if request.typed_get::<IfNoneMatch>().is_some_and(|known| !known.precondition_passes(&tag)) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(key)));
    let (status, found) = match requested_range(request, &tag, size) {
        Some(Ok(range)) => {
            headers.typed_insert(ContentRange::bytes(range.clone(), size).map_err(|_| not_found())?);
            (StatusCode::PARTIAL_CONTENT, storage.get_range(key, range).await)
        }
        Some(Err(())) => {
            headers.typed_insert(ContentRange::unsatisfied_bytes(size));
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, headers).into_response());
        }
        None => (StatusCode::OK, storage.get(key).await),
    };
    let Object { range, stream, .. } = found.map_err(failed)?.ok_or_else(not_found)?;
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    // For HEAD requests the server drops the body.
    Ok((status, headers, Body::from_stream(stream)).into_response())
}

/// Returns the requested range; `None` if `If-Range` does not match, because the client's part is of another version.
fn requested_range(request: &HeaderMap, tag: &ETag, size: u64) -> Option<Result<Range<u64>, ()>> {
    if request.contains_key(header::IF_RANGE) {
        let condition = request.typed_get::<IfRange>()?;
        if condition.is_modified(Some(tag), None) {
            return None;
        }
    }
    parse_range(request.get(header::RANGE)?.to_str().ok()?, size)
}

/// Parses a `Range` header with one range. Returns `None` if it is malformed or has several ranges (the whole file is
/// sent then), and an error if it starts after the end of the file.
///
/// `headers::Range` is not used: it drops a suffix longer than the file, which means the whole file in RFC 9110, and
/// does not distinguish a range after the end from a malformed one.
fn parse_range(text: &str, size: u64) -> Option<Result<Range<u64>, ()>> {
    let (first, last) = text.strip_prefix("bytes=")?.trim().split_once('-')?;
    if last.contains(',') {
        return None;
    }
    let number = |text: &str| text.parse::<u64>().ok();
    let range = match (first, last) {
        ("", count) => size.saturating_sub(number(count)?)..size,
        (first, "") => number(first)?..size,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..size.min(last.saturating_add(1))
        }
    };
    Some(if range.is_empty() { Err(()) } else { Ok(range) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rendition_names_become_storage_keys() {
        let hash = "ab".repeat(32);
        assert_eq!(rendition_key(&hash, "160.webp"), Some(format!("media/{hash}/160.webp")));
        let files = [
            "",
            ".",
            "..",
            "160",
            "160.png",
            "160.webp.jpg",
            "..%2f160.jpg",
            "../160.jpg",
            "-1.jpg",
            "123456.jpg",
            ".jpg",
        ];
        for file in files {
            assert_eq!(rendition_key(&hash, file), None, "{file}");
        }
        for hash in ["", "..", "AB", &"AB".repeat(32), &"ab".repeat(31), &"g".repeat(64)] {
            assert_eq!(rendition_key(hash, "160.webp"), None, "{hash}");
        }
    }

    #[test]
    fn range_headers_are_parsed_as_specified() {
        let table = [
            ("bytes=0-3", Some(Ok(0..4))),
            ("bytes=4-", Some(Ok(4..10))),
            ("bytes=-3", Some(Ok(7..10))),
            ("bytes=-99", Some(Ok(0..10))),
            ("bytes=5-99", Some(Ok(5..10))),
            ("bytes=10-", Some(Err(()))),
            ("bytes=-0", Some(Err(()))),
            ("bytes=3-2", None),
            ("bytes=0-1,3-4", None),
            ("bytes=x-", None),
            ("lines=0-1", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_range(text, 10), expected, "{text}");
        }
    }
}
