//! A server of images and of files that are none.

use axum::{
    Router,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect},
    routing::get,
};
use tokio::net::TcpListener;

use super::{builder::UPLOAD_BYTES, multipart_form::png};

/// Starts an image server; returns its address.
pub async fn image_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let png = |shade: u8| ([(header::CONTENT_TYPE, "text/html")], png(9, 9, [shade; 3])).into_response();
    let router = Router::new()
        .route("/a.jpg", get(async move || png(1)))
        .route("/b.jpg", get(async move || png(2)))
        .route("/same.jpg", get(async move || png(1)))
        .route("/moved", get(async || Redirect::temporary("/b.jpg")))
        .route("/loop", get(async || Redirect::temporary("/loop")))
        .route("/file", get(async || Redirect::temporary("file:///etc/passwd")))
        .route("/html.jpg", get(async || "<!doctype html>"))
        .route("/long.jpg", get(async || vec![0; usize::try_from(UPLOAD_BYTES).expect("a size") + 1]))
        .route("/away.jpg", get(async || StatusCode::SERVICE_UNAVAILABLE));
    tokio::spawn(async { axum::serve(listener, router).await });
    address
}
