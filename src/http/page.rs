//! HTML pages that the server writes itself.
//! Rule: they load nothing, neither from this server nor from another one.

use axum::{
    http::header,
    response::{Html, IntoResponse, Response},
};

/// The style element of the page is its only resource.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; \
                                       form-action 'none'; frame-ancestors 'none'";

/// Returns a page with this title and content, both HTML.
pub fn respond(title: &str, content: &str) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let style = include_str!("page.css");
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{style}</style>\n</head>\n<body>\n<main>\n{content}</main>\n</body>\n</html>\n"
    );
    (headers, Html(page)).into_response()
}
