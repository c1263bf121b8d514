//! HTTP responses that are the same for everyone: their encodings, and what lets browsers and content delivery networks keep
//! them.
//! Rule: only the response to a GET query without credentials is public. A POST request gets the same body, kept encoded, but
//! nobody else may keep it.

use std::io::Write;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use brotli::enc::BrotliEncoderParams;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use headers::{ETag, HeaderMapExt, IfNoneMatch};

use super::{
    MIN_COMPRESSED,
    header_names::{CACHE_TAG, RATE_LIMIT, RATE_LIMIT_POLICY, SURROGATE_KEY, X_CART_TOKEN},
    media_type::accepts_encoding,
};
use crate::graphql::engine::public_response::{Encoding, PublicResponse};

/// What a public response depends on besides the URL. Whoever sends a credential gets a response of their own.
/// Images have the URL of the server, which proxies may report.
const VARY: HeaderValue = HeaderValue::from_static(
    "accept, accept-encoding, authorization, x-api-key, x-cart-token, x-forwarded-host, x-forwarded-proto",
);

/// Maximum length of the list of tags, which is sent twice: proxies limit the size of all headers, some to 4 KiB. A response
/// with more tags could not be purged, and is not public.
const MAX_TAGS: usize = 1_500;

/// Maximum size of a response that is kept compressed, in bytes: compressing it takes a few milliseconds. Larger ones are
/// compressed in parts while they are sent.
const MAX_COMPRESSED: u64 = 256 * 1024;

/// Brotli: quality and window of 4 MiB. Higher qualities take ten times as long for a few percent.
const BROTLI_QUALITY: i32 = 5;
const BROTLI_WINDOW: i32 = 22;

/// Returns the body of a public response in the encoding that the client prefers, and adds the headers that describe it.
pub fn encoded_body(request: &Parts, public: &PublicResponse, headers: &mut HeaderMap) -> Bytes {
    let plain = public.body();
    if !(MIN_COMPRESSED..=MAX_COMPRESSED).contains(&(plain.len() as u64)) {
        return plain;
    }
    let (body, name) = if accepts_encoding(&request.headers, "br") {
        (public.encoded(Encoding::Brotli, brotli), "br")
    } else if accepts_encoding(&request.headers, "gzip") {
        (public.encoded(Encoding::Gzip, gzip), "gzip")
    } else {
        return plain;
    };
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    body
}

/// Turns the response to a GET query into one that others may keep for `max_age` seconds, or into 304 if the client has it.
pub fn share(request: &Parts, public: &PublicResponse, max_age: u32, mut response: Response) -> Response {
    let tags = public.tag_list();
    let is_guest = request.headers.contains_key(X_CART_TOKEN);
    if request.method != Method::GET || is_guest || response.status() != StatusCode::OK || tags.len() > MAX_TAGS {
        return response;
    }
    let headers = response.headers_mut();
    let value = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
    headers.insert(header::CACHE_CONTROL, value(&cache_control(max_age)));
    headers.insert(header::VARY, VARY);
    headers.insert(SURROGATE_KEY, value(tags));
    // They tell what this client has left.
    headers.remove(RATE_LIMIT);
    headers.remove(RATE_LIMIT_POLICY);
    headers.insert(CACHE_TAG, value(&tags.replace(' ', ",")));
    let Ok(etag) = public.etag().parse::<ETag>() else { return response };
    headers.typed_insert(etag.clone());
    let is_known = request.headers.typed_get::<IfNoneMatch>().is_some_and(|known| !known.precondition_passes(&etag));
    if is_known {
        headers.remove(header::CONTENT_TYPE);
        headers.remove(header::CONTENT_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
        return (StatusCode::NOT_MODIFIED, response.headers().clone(), Body::empty()).into_response();
    }
    response
}

fn cache_control(max_age: u32) -> String {
    match max_age {
        0 => "public, max-age=0, must-revalidate".to_owned(),
        seconds => format!("public, max-age={seconds}, stale-while-revalidate={seconds}"),
    }
}

fn brotli(text: &[u8]) -> Vec<u8> {
    let parameters = BrotliEncoderParams { quality: BROTLI_QUALITY, lgwin: BROTLI_WINDOW, ..Default::default() };
    let mut out = Vec::with_capacity(text.len() / 4);
    brotli::BrotliCompress(&mut &*text, &mut out, &parameters).expect("writing to memory cannot fail");
    out
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::default());
    encoder.write_all(text).and_then(|()| encoder.finish()).expect("writing to memory cannot fail")
}
