//! `GET /`: a page that says what answers here and where to go.
//! Rule: it links only to what this server serves.

use axum::{Router, routing::get};

use super::{manual, page};

/// The route of the page.
pub fn routes<S: Clone + Send + Sync + 'static>(has_ide: bool) -> Router<S> {
    Router::new().route("/", get(async move || page::respond("Souk", &content(has_ide))))
}

fn content(has_ide: bool) -> String {
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
        "<h1>Souk {version}</h1>\n<p>A GraphQL commerce server. The endpoint is <code>/graphql</code>.</p>\n<ul>\n{items}</ul>\n"
    )
}
