//! The IDE pages: GraphiQL at `/graphiql`, GraphQL Playground at `/playground`, their files below `/ide/`.
//! Everything is inside the binary; the policy sent along forbids the browser to ask any other host.
//! Rule: a file of `ide/` is served if and only if it has a line in `FILES`.

use std::hash::{DefaultHasher, Hasher};

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use headers::{ETag, HeaderMapExt, IfNoneMatch};

/// Scripts and connections of this server only. Both IDEs write style elements and inline images at run time.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";

struct File {
    path: &'static str,
    content_type: &'static str,
    /// The body is kept and sent gzip-compressed.
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

/// One route for each file.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.iter().fold(Router::new(), |router, file| {
        let tag = entity_tag(file.body);
        router.route(file.path, get(async move |request: HeaderMap| respond(file, &tag, &request)))
    })
}

fn respond(file: &File, tag: &ETag, request: &HeaderMap) -> Response {
    // Names stay the same from release to release: browsers keep the files, but ask each time whether they still hold.
    let mut cache_headers = HeaderMap::new();
    cache_headers.typed_insert(tag.clone());
    cache_headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if request.typed_get::<IfNoneMatch>().is_some_and(|known| !known.precondition_passes(tag)) {
        return (StatusCode::NOT_MODIFIED, cache_headers).into_response();
    }
    if file.is_gzip && !accepts_gzip(request) {
        let message = "This file is only kept gzip-compressed: ask with Accept-Encoding: gzip.\n";
        return (StatusCode::NOT_ACCEPTABLE, message).into_response();
    }
    let file_headers = [
        (header::CONTENT_TYPE, file.content_type),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let encoding = file.is_gzip.then_some([(header::CONTENT_ENCODING, "gzip"), (header::VARY, "accept-encoding")]);
    (cache_headers, file_headers, encoding, file.body).into_response()
}

/// A quoted hash of the body. It need not be strong: it only tells one release from the next.
fn entity_tag(body: &[u8]) -> ETag {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    format!("\"{:016x}\"", hasher.finish()).parse().expect("hexadecimal digits in quotes are an entity tag")
}

/// Whether the client takes gzip. One that does not say takes any encoding (RFC 9110, section 12.5.3).
///
/// `headers` has no type for `Accept-Encoding`, and tower-http keeps its own to itself.
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
