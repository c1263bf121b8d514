//! Absolute URLs of images and files: from the setting, or from the host that the client called.

use serde_json::{Value, json};
use souk::ids::RowId;

use crate::support::{ProductSpec, TestApp, multipart_form::png};

/// Adds an image to a product of a new shop; returns the global ID of the product.
async fn product_with_image(app: &TestApp) -> String {
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec::default()).await.id.to_global_id();
    let manager = app.manager().await;
    manager.add_image(&product, &png(20, 20, [255, 0, 0]), json!({})).await;
    product
}

/// Returns the beginning of the image's URL, up to its path, for a request with these headers.
async fn base(app: &TestApp, product: &str, headers: &[(&str, &str)]) -> String {
    let anonymous = app.anonymous();
    let request = headers.iter().fold(anonymous.request(), |request, (name, value)| request.header(*name, *value));
    let document = "query ($id: ID!) { product(id: $id) { image { url } images { url } } }";
    let response = anonymous.run_request(request, document, json!({ "id": product })).await;
    let url = response.text_at("product.image.url");
    assert_eq!(response.at("product.images.0.url"), &json!(url));
    url.split_once("/media/").expect("a path of the server").0.to_owned()
}

#[tokio::test]
async fn image_urls_name_the_host_of_the_request() {
    let app = TestApp::builder().http(|http| http.trusted_proxies = 0).build().await;
    let product = product_with_image(&app).await;
    let forged = [("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https")];
    for (host, expected) in [
        ("shop.example", "http://shop.example"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
    ] {
        assert_eq!(base(&app, &product, &[("host", host)]).await, expected, "{host}");
        let headers = [&forged[..], &[("host", host)]].concat();
        assert_eq!(base(&app, &product, &headers).await, expected, "headers of proxies that are not there");
    }
}

#[tokio::test]
async fn own_proxies_report_host_and_scheme() {
    let app = TestApp::builder().http(|http| http.trusted_proxies = 1).build().await;
    let product = product_with_image(&app).await;
    let host = ("host", "10.0.0.5:8000");
    for (headers, expected) in [
        (
            vec![host, ("x-forwarded-proto", "https"), ("x-forwarded-host", "api.shop.example")],
            "https://api.shop.example",
        ),
        (vec![host, ("x-forwarded-proto", "https")], "https://10.0.0.5:8000"),
        (
            vec![host, ("x-forwarded-proto", "http, https"), ("x-forwarded-host", "evil.example, a.example")],
            "https://a.example",
        ),
        (vec![host, ("x-forwarded-proto", "javascript")], "http://10.0.0.5:8000"),
    ] {
        assert_eq!(base(&app, &product, &headers).await, expected, "{headers:?}");
    }
}

#[tokio::test]
async fn setting_decides_whatever_the_request_says() {
    let app =
        TestApp::builder().http(|http| http.public_url = Some("https://api.shop.example/souk".into())).build().await;
    let product = product_with_image(&app).await;
    let headers = [("host", "10.0.0.5:8000"), ("x-forwarded-host", "evil.example")];
    for headers in [&headers[..], &[]] {
        assert_eq!(base(&app, &product, headers).await, "https://api.shop.example/souk");
    }
}

#[tokio::test]
async fn urls_of_uploads_and_exports_are_absolute() {
    let app = TestApp::new().await;
    let (website, manager) = (app.website("sailor").await.id, app.manager().await);
    let run = async |document: &str, variables: Value| {
        manager.run_request(manager.request().header("host", "api.shop.example"), document, variables).await
    };
    let upload = run("mutation { uploadCreate(input: { bytes: 10 }) { upload { url } } }", json!({})).await;
    assert!(upload.text_at("uploadCreate.upload.url").starts_with("http://api.shop.example/files/"));
    let input = json!({ "resource": "STOCK", "websiteId": website.to_global_id(), "idempotencyKey": "one" });
    let started = manager.mutate("exportStart", "transfer { id }", input).await.text_at("exportStart.transfer.id");
    app.run_jobs().await;
    let document = "query ($id: ID!) { transfer(id: $id) { downloadUrl } }";
    let transfer = run(document, json!({ "id": started })).await;
    assert!(transfer.text_at("transfer.downloadUrl").starts_with("http://api.shop.example/files/"));
}
