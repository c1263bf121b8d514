//! HTML pages that the server writes itself.
//! Rule: they load nothing, neither from this server nor from another one.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

/// The style element of the page is its only resource.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; \
                                       form-action 'none'; frame-ancestors 'none'";

/// Returns a page with this title and content, both HTML.
pub fn respond(title: &str, content: &str) -> Response {
    let headers = [(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY)];
    let style = include_str!("page.css");
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{style}</style>\n</head>\n<body>\n<main>\n{content}</main>\n</body>\n</html>\n"
    );
    (headers, Html(page)).into_response()
}

/// Returns the page of a path that does not exist, with a text in HTML and a link.
pub fn not_found(text: &str, (path, link): (&str, &str)) -> Response {
    let content = format!("<h1>Page not found</h1>\n<p>{text}</p>\n<p><a href=\"{path}\">{link}</a></p>\n");
    let mut response = respond("Page not found - Souk", &content);
    *response.status_mut() = StatusCode::NOT_FOUND;
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    response
}
