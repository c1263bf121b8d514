//! GET `/media/{sha256}/{width}.{webp|jpg}`: renditions of pictures, for everybody and for good.
//! Rule: a name says its content, so an answer never changes; nothing but a hash, a number and one of two endings becomes a
//! key.

use std::ops::Range;

use axum::{
    Extension, Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::any,
};

use super::{files::refuse, graphql::Refusal};
use crate::{
    error::ErrorCode,
    storage::{IMMUTABLE, Object, Storage, content_type},
    telemetry::RequestId,
};

/// A picture may stand on pages of any origin.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

pub(super) fn routes(storage: Storage) -> Router {
    Router::new().route("/media/{sha256}/{file}", any(handle)).with_state(storage)
}

async fn handle(
    State(storage): State<Storage>,
    Path((sha256, file)): Path<(String, String)>,
    Extension(id): Extension<RequestId>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        return Refusal::method("a picture is read by GET", "GET, HEAD").in_json(&id);
    }
    let Some(key) = key(&sha256, &file) else { return missing().in_json(&id) };
    match answer(&storage, &key, &headers).await {
        Ok(response) => response,
        Err(refusal) => refusal.in_json(&id),
    }
}

fn missing() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, ErrorCode::NotFound, "there is no such picture")
}

/// The key of a rendition, where the names are those of one.
fn key(sha256: &str, file: &str) -> Option<String> {
    let is_hash = sha256.len() == 64 && sha256.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    let (width, ending) = file.split_once('.')?;
    let is_width = (1..=5).contains(&width.len()) && width.bytes().all(|c| c.is_ascii_digit());
    (is_hash && is_width && matches!(ending, "webp" | "jpg")).then(|| format!("media/{sha256}/{file}"))
}

async fn answer(storage: &Storage, key: &str, headers: &HeaderMap) -> Result<Response, Refusal> {
    let failed = |error| refuse(&error);
    let size = storage.size(key).await.map_err(failed)?.ok_or_else(missing)?;
    let tag = format!("\"{}\"", key.trim_start_matches("media/"));
    let says =
        |name, text: &str| headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value == text);
    let mut out = HeaderMap::new();
    let value = |text: &str| HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""));
    out.insert(header::ETAG, value(&tag));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(IMMUTABLE));
    out.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    out.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    out.insert(RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = |tags: &str| {
        tags.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
    };
    if known.is_some_and(is_known) {
        return Ok((StatusCode::NOT_MODIFIED, out).into_response());
    }
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(key)));
    // A range of what somebody has another version of is no use to them.
    let may = !headers.contains_key(header::IF_RANGE) || says(header::IF_RANGE, &tag);
    let asked = headers.get(header::RANGE).filter(|_| may).and_then(|value| value.to_str().ok());
    let (status, found) = match asked.and_then(|asked| range(asked, size)) {
        Some(Ok(range)) => {
            let part = format!("bytes {}-{}/{size}", range.start, range.end - 1);
            out.insert(header::CONTENT_RANGE, value(&part));
            (StatusCode::PARTIAL_CONTENT, storage.get_range(key, range).await)
        }
        Some(Err(())) => {
            out.insert(header::CONTENT_RANGE, value(&format!("bytes */{size}")));
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, out).into_response());
        }
        None => (StatusCode::OK, storage.get(key).await),
    };
    let Object { range, stream, .. } = found.map_err(failed)?.ok_or_else(missing)?;
    out.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    // To HEAD the server sends the head alone.
    Ok((status, out, Body::from_stream(stream)).into_response())
}

/// The one range of a `Range` header: none where it is not understood or names several, which is answered as a whole; an error
/// where it lies behind the end.
fn range(text: &str, size: u64) -> Option<Result<Range<u64>, ()>> {
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
    fn only_the_names_of_renditions_become_keys() {
        let hash = "ab".repeat(32);
        assert_eq!(key(&hash, "160.webp"), Some(format!("media/{hash}/160.webp")));
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
            assert_eq!(key(&hash, file), None, "{file}");
        }
        for hash in ["", "..", "AB", &"AB".repeat(32), &"ab".repeat(31), &"g".repeat(64)] {
            assert_eq!(key(hash, "160.webp"), None, "{hash}");
        }
    }

    #[test]
    fn ranges_are_read_as_http_has_them() {
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
            assert_eq!(range(text, 10), expected, "{text}");
        }
    }
}
