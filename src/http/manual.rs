//! The manual at `/docs`: the pages of `docs/`, which are inside the binary.
//! Rule: a link between pages works here as it does among the files.

use axum::{
    Extension, Router,
    extract::Path,
    http::HeaderMap,
    response::{Redirect, Response},
    routing::get,
};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};
use rust_embed::RustEmbed;

use super::{not_found, page, rejection::Rejection};
use crate::{telemetry::RequestId, text::HeadingAnchors};

/// Where the manual begins.
pub const PATH: &str = "/docs/SUMMARY.md";

#[derive(RustEmbed)]
#[folder = "docs"]
#[include = "*.md"]
struct Pages;

/// The routes of the manual.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let start = || async { Redirect::temporary(PATH) };
    Router::new().route("/docs", get(start)).route("/docs/", get(start)).route("/docs/{*path}", get(show))
}

async fn show(Path(path): Path<String>, headers: HeaderMap, Extension(id): Extension<RequestId>) -> Response {
    let Some(file) = Pages::get(&path).or_else(|| Pages::get(&format!("{path}.md"))) else {
        return not_found(&headers, &id, "The manual has no such page.", (PATH, "Contents of the manual"));
    };
    match std::str::from_utf8(&file.data) {
        Ok(markdown) => {
            let (title, body) = render(markdown);
            let path = format!("<p><a href=\"/\">Souk</a> / <a href=\"{PATH}\">Manual</a></p>\n");
            page::respond(&format!("{title} - Souk"), &(path + &body))
        }
        Err(_) => Rejection::internal().into_json(&id),
    }
}

/// Returns the text of the first heading and the page, both as HTML. Headings get the anchors that GitHub gives them.
fn render(markdown: &str) -> (String, String) {
    let mut events: Vec<Event> =
        Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS).collect();
    let mut title = String::new();
    let mut start = None;
    let mut anchors = HeadingAnchors::default();
    for index in 0..events.len() {
        match &events[index] {
            Event::Start(Tag::Heading { .. }) => start = Some(index),
            Event::End(TagEnd::Heading(_)) => {
                let Some(start) = start.take() else { continue };
                let text = text_of(&events[start..index]);
                if let Event::Start(Tag::Heading { id, .. }) = &mut events[start] {
                    *id = Some(CowStr::from(anchors.next(&text)));
                }
                if title.is_empty() {
                    html_escape::encode_text_to_string(&text, &mut title);
                }
            }
            _ => {}
        }
    }
    let mut body = String::new();
    html::push_html(&mut body, events.into_iter());
    (title, body)
}

fn text_of(events: &[Event]) -> String {
    let texts = events.iter().filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(&**text),
        _ => None,
    });
    texts.collect()
}
