//! The IDE pages: they are complete and load nothing from other hosts.

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use http_body_util::BodyExt;
use souk::http::ide;
use tower::ServiceExt;

async fn get(path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Bytes) {
    let request = headers.iter().fold(Request::get(path), |request, (name, value)| request.header(*name, *value));
    let router: Router = ide::routes();
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
}

/// Returns the files that a page or a script refers to.
fn referenced_files(text: &str) -> Vec<String> {
    let quoted = |start: &str, end: char| -> Vec<String> {
        text.split(start).skip(1).filter_map(|rest| rest.split(end).next()).map(str::to_owned).collect()
    };
    let relative = quoted("from './", '\'').into_iter().map(|name| format!("ide/{name}"));
    quoted("src=\"", '"').into_iter().chain(quoted("href=\"", '"')).chain(relative).collect()
}

#[tokio::test]
async fn ide_pages_load_only_files_of_this_host() {
    for page in ["/graphiql", "/playground"] {
        let mut open = vec![page.to_owned()];
        let mut seen = Vec::new();
        while let Some(path) = open.pop() {
            let (status, headers, body) = get(&path, &[("accept-encoding", "gzip, br")]).await;
            assert_eq!(status, StatusCode::OK, "{path}");
            let content_type = headers[header::CONTENT_TYPE].to_str().unwrap();
            match path.rsplit_once('.') {
                None => assert_eq!(content_type, "text/html; charset=utf-8"),
                Some((_, "js")) => assert_eq!(content_type, "text/javascript; charset=utf-8"),
                Some((_, "css")) => assert_eq!(content_type, "text/css; charset=utf-8"),
                Some((_, extension)) => assert_eq!((extension, content_type), ("svg", "image/svg+xml")),
            }
            if headers.contains_key(header::CONTENT_ENCODING) {
                assert!(body.starts_with(&[0x1f, 0x8b]), "{path} is not gzip");
            } else {
                // The namespace of SVG is not an address.
                let text = String::from_utf8_lossy(&body).replace("http://www.w3.org/2000/svg", "");
                assert!(!text.contains("://") && !text.contains("=\"//"), "{path} refers to another host");
                open.extend(referenced_files(&text).into_iter().map(|name| format!("/{name}")));
            }
            seen.push(path);
        }
        assert!(seen.len() >= 7, "{page} refers only to {seen:?}");
    }
}

#[tokio::test]
async fn pages_forbid_other_hosts_and_inline_scripts() {
    for page in ["/graphiql", "/playground"] {
        let (_, headers, body) = get(page, &[]).await;
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(policy.contains("connect-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
        assert!(!String::from_utf8_lossy(&body).contains("<script>"), "{page} has an inline script");
    }
}

#[tokio::test]
async fn cached_files_are_not_sent_again() {
    let (_, headers, _) = get("/ide/graphiql.min.js", &[]).await;
    let tag = headers[header::ETAG].to_str().unwrap();
    let (status, headers, body) = get("/ide/graphiql.min.js", &[("if-none-match", &format!("\"old\", W/{tag}"))]).await;
    assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(headers[header::ETAG], tag);
    let (status, ..) = get("/ide/graphiql.min.js", &[("if-none-match", "\"old\"")]).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn clients_without_gzip_get_not_acceptable() {
    for (accepted, status) in [
        ("gzip, deflate, br", StatusCode::OK),
        ("br;q=1.0, gzip;q=0.8", StatusCode::OK),
        ("*", StatusCode::OK),
        ("identity", StatusCode::NOT_ACCEPTABLE),
        ("gzip;q=0", StatusCode::NOT_ACCEPTABLE),
    ] {
        assert_eq!(get("/ide/react.min.js", &[("accept-encoding", accepted)]).await.0, status, "{accepted}");
    }
    assert_eq!(get("/graphiql", &[("accept-encoding", "identity")]).await.0, StatusCode::OK);
}
