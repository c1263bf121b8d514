//! `GET /`: a page that says what answers here and where to go.
//! Rule: it links only to what this server serves.

use axum::{
    Router,
    http::header,
    response::{Html, IntoResponse, Response},
    routing::get,
};

use super::manual;

/// Its only resource is the style element of the page itself.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The style of this page and of the manual.
pub const STYLE: &str = include_str!("page.css");

/// The route of the page.
pub fn routes<S: Clone + Send + Sync + 'static>(has_ide: bool) -> Router<S> {
    let page = page(has_ide);
    Router::new().route("/", get(async move || respond(page)))
}

/// An HTML page with the headers that all pages have.
pub fn respond(page: String) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, Html(page)).into_response()
}

fn page(has_ide: bool) -> String {
    let ide =
        [("/graphiql", "GraphiQL", "write and run operations"), ("/playground", "GraphQL Playground", "another IDE")];
    let others = [
        (manual::PATH, "Manual", "tutorial, guides and reference"),
        ("/readyz", "Health", "whether the server and its database are ready"),
    ];
    let links = ide.iter().filter(|_| has_ide).chain(&others);
    let items: String =
        links.map(|(path, name, text)| format!("<li><a href=\"{path}\">{name}</a>: {text}</li>\n")).collect();
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Souk</title>\n<style>{STYLE}</style>\n\
         </head>\n<body>\n<main>\n<h1>Souk {version}</h1>\n\
         <p>A GraphQL commerce server. The endpoint is <code>/graphql</code>.</p>\n<ul>\n{items}</ul>\n</main>\n</body>\n</html>\n"
    )
}
