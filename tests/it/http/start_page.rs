//! `GET /` and the manual at `/docs`.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};

use crate::support::TestApp;

async fn get(app: &TestApp, path: &str) -> (StatusCode, String, String) {
    let (status, headers, body) = app.send(Request::get(path).body(Body::empty()).unwrap()).await;
    let policy = headers.get("content-security-policy").map(|value| value.to_str().unwrap().to_owned());
    (status, policy.unwrap_or_default(), String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn browser_gets_a_page_for_a_path_that_does_not_exist() {
    let app = TestApp::new().await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for path in ["/docs/nothing.md", "/nothing"] {
        for (accept, content_type) in
            [(browser, "text/html; charset=utf-8"), ("*/*", "application/json; charset=utf-8")]
        {
            let request = Request::get(path).header("accept", accept).body(Body::empty()).unwrap();
            let (status, headers, body) = app.send(request).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(headers["content-type"], content_type, "{path}");
            if accept == browser {
                let page = String::from_utf8(body.to_vec()).unwrap();
                for link in links(&page) {
                    assert_ne!(get(&app, &link).await.0, StatusCode::NOT_FOUND, "{link}");
                }
            }
        }
    }
}

/// Returns the targets of the links of a page.
fn links(page: &str) -> Vec<String> {
    page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next().map(str::to_owned)).collect()
}

#[tokio::test]
async fn start_page_links_to_pages_that_exist() {
    for has_ide in [true, false] {
        let app = TestApp::builder().http(|http| http.ide = Some(has_ide)).build().await;
        let (status, policy, page) = get(&app, "/").await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains(env!("CARGO_PKG_VERSION")), "{page}");
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        let links = links(&page);
        assert_eq!(links.contains(&"/graphiql".to_owned()), has_ide, "{links:?}");
        for link in &links {
            assert_eq!(get(&app, link).await.0, StatusCode::OK, "{link}");
        }
    }
}

#[tokio::test]
async fn manual_is_served_with_its_links_and_anchors() {
    let app = TestApp::new().await;
    assert_eq!(get(&app, "/docs").await.0, StatusCode::TEMPORARY_REDIRECT);
    let (status, _, summary) = get(&app, "/docs/SUMMARY.md").await;
    assert_eq!(status, StatusCode::OK);
    let pages: Vec<_> =
        links(&summary).into_iter().filter(|link| link.ends_with(".md") && !link.starts_with('/')).collect();
    assert!(pages.len() > 20, "{pages:?}");
    for page in pages {
        let (status, _, text) = get(&app, &format!("/docs/{page}")).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        assert!(text.contains("<h1 id=\""), "{page} has a heading with an anchor");
    }
    assert_eq!(get(&app, "/docs/guides/live-updates").await.0, StatusCode::OK, "a page without the end of its name");
    for path in ["/docs/nothing.md", "/docs/../Cargo.toml", "/docs/%2e%2e/Cargo.toml", "/docs/book.toml"] {
        assert_eq!(get(&app, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}
