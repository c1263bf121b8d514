//! The IDE pages: GraphiQL at `/graphiql`, GraphQL Playground at `/playground`, and their files under `/ide/`.
//! All files are embedded in the binary; the Content-Security-Policy forbids connections to any other host.
//! Rule: a file of `ide/` is served if and only if it has an entry in `FILES`.

use std::hash::{DefaultHasher, Hasher};

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use headers::{ETag, HeaderMapExt, IfNoneMatch};

/// Allows scripts and connections of this server only. Both IDEs insert style elements and inline images at run time.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";

struct File {
    path: &'static str,
    content_type: &'static str,
    /// Whether the body is stored and sent gzip-compressed.
    is_gzip: bool,
    body: &'static [u8],
}

impl File {
    const fn plain(path: &'static str, content_type: &'static str, body: &'static [u8]) -> Self {
        Self { path, content_type, is_gzip: false, body }
    }

    const fn gzip(path: &'static str, content_type: &'static str, body: &'static [u8]) -> Self {
        Self { path, content_type, is_gzip: true, body }
    }
}

static FILES: [File; 13] = [
    File::plain("/graphiql", HTML, include_bytes!("graphiql.html")),
    File::plain("/ide/graphiql.js", SCRIPT, include_bytes!("graphiql.js")),
    File::gzip("/ide/graphiql.min.js", SCRIPT, include_bytes!("graphiql.min.js.gz")),
    File::gzip("/ide/graphiql.min.css", STYLE, include_bytes!("graphiql.min.css.gz")),
    File::gzip("/ide/react.min.js", SCRIPT, include_bytes!("react.min.js.gz")),
    File::gzip("/ide/react-dom.min.js", SCRIPT, include_bytes!("react-dom.min.js.gz")),
    File::plain("/playground", HTML, include_bytes!("playground.html")),
    File::plain("/ide/playground.js", SCRIPT, include_bytes!("playground.js")),
    File::gzip("/ide/playground.min.js", SCRIPT, include_bytes!("playground.min.js.gz")),
    File::gzip("/ide/playground.min.css", STYLE, include_bytes!("playground.min.css.gz")),
    File::plain("/ide/examples.js", SCRIPT, include_bytes!("examples.js")),
    File::plain("/ide/page.css", STYLE, include_bytes!("page.css")),
    File::plain("/ide/icon.svg", SVG, include_bytes!("icon.svg")),
];

/// Returns one route per file.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |router, file| {
        let tag = entity_tag(file.body);
        router.route(file.path, get(async move |request: HeaderMap| respond(file, &tag, &request)))
    })
}

fn respond(file: &File, tag: &ETag, request: &HeaderMap) -> Response {
    // File names do not change between releases: browsers cache the files, but revalidate them on each use.
    let mut cache_headers = HeaderMap::new();
    cache_headers.typed_insert(tag.clone());
    cache_headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if request.typed_get::<IfNoneMatch>().is_some_and(|known| !known.precondition_passes(tag)) {
        return (StatusCode::NOT_MODIFIED, cache_headers).into_response();
    }
    if file.is_gzip && !accepts_gzip(request) {
        let message = "This file is only available gzip-compressed. Send Accept-Encoding: gzip.\n";
        return (StatusCode::NOT_ACCEPTABLE, message).into_response();
    }
    let file_headers =
        [(header::CONTENT_TYPE, file.content_type), (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)];
    let encoding = file.is_gzip.then_some([(header::CONTENT_ENCODING, "gzip"), (header::VARY, "accept-encoding")]);
    (cache_headers, file_headers, encoding, file.body).into_response()
}

/// Returns a hash of the body as an entity tag. It only distinguishes releases, so it need not be collision-resistant.
fn entity_tag(body: &[u8]) -> ETag {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    format!("\"{:016x}\"", hasher.finish()).parse().expect("quoted hexadecimal digits are a valid entity tag")
}

/// Returns whether the client accepts gzip. Without the header, any encoding is accepted (RFC 9110, section 12.5.3).
///
/// `headers` has no type for `Accept-Encoding`, and tower-http's type is private.
fn accepts_gzip(request: &HeaderMap) -> bool {
    let Some(accepted) = request.get(header::ACCEPT_ENCODING) else { return true };
    accepted.to_str().is_ok_and(|accepted| {
        accepted.split(',').any(|coding| {
            let (name, weight) = coding.split_once(';').unwrap_or((coding, "q=1"));
            let is_excluded = weight.trim().strip_prefix("q=").and_then(|q| q.parse().ok()) == Some(0.0);
            matches!(name.trim(), "gzip" | "x-gzip" | "*") && !is_excluded
        })
    })
}
