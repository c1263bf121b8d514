//! The URL of an image's file, kept from the time when its product was for sale or passed on by someone who may see it: the
//! answer for strangers is that of a missing image.

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use chrono::{Duration, Utc};
use serde_json::{Value, json};
use souk::ids::{ProductId, RowId};

use crate::support::{Actor, ProductSpec, TestApp, multipart_form::png};

const PUBLIC: &str = "public, max-age=31536000, immutable";
const PRIVATE: &str = "private, no-store";

/// A product with one image, and the unsigned URLs of two of its renditions.
struct Shown {
    product: ProductId,
    urls: [String; 2],
}

async fn product_with_image(app: &TestApp, seller: Option<&Actor<'_>>) -> Shown {
    let website = app.website("sailor").await.id;
    let seller = seller.map(|seller| seller.id);
    let product = app.product(website, ProductSpec { seller, stock: 10, ..ProductSpec::default() }).await.id;
    let added = app.manager().await.add_image(&product.to_global_id(), &png(200, 100, [255, 0, 0]), json!({})).await;
    let url = |field: &str| added["image"][field].as_str().expect("a URL").to_owned();
    Shown { product, urls: [url("url"), url("small")] }
}

async fn set_active(app: &TestApp, product: ProductId, is_active: bool) {
    app.database.sql(&format!("UPDATE products SET is_active = {is_active} WHERE id = {}", product.0)).await;
}

async fn get(app: &TestApp, url: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap) {
    let request = headers.iter().fold(Request::get(url), |request, (name, value)| request.header(*name, *value));
    let (status, headers, _) = app.send(request.body(Body::empty()).expect("a request")).await;
    (status, headers)
}

/// Returns the status and the `Cache-Control` of a file.
async fn found(app: &TestApp, url: &str) -> (StatusCode, String) {
    let (status, headers) = get(app, url, &[]).await;
    (status, headers["cache-control"].to_str().expect("text").to_owned())
}

fn ok(cache_control: &str) -> (StatusCode, String) {
    (StatusCode::OK, cache_control.to_owned())
}

fn not_found() -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, PRIVATE.to_owned())
}

/// Returns the URL of the product's image as this viewer gets it; null if the viewer may not see the product.
async fn url_for(actor: &Actor<'_>, product: ProductId) -> Value {
    let document = "query ($id: ID!) { node(id: $id) { ... on Product { image { url } } } }";
    let response = actor.run_with(document, json!({ "id": product.to_global_id() })).await;
    response.json["data"]["node"]["image"]["url"].clone()
}

#[tokio::test]
async fn files_of_a_product_that_is_not_for_sale_are_hidden_from_strangers() {
    let app = TestApp::new().await;
    let Shown { product, urls } = product_with_image(&app, None).await;
    let (_, headers) = get(&app, &urls[0], &[]).await;
    let tag = headers["etag"].to_str().expect("text").to_owned();
    for url in &urls {
        assert_eq!(found(&app, url).await, ok(PUBLIC), "{url}");
    }
    set_active(&app, product, false).await;
    let missing = format!("/media/{}/160.jpg", "ab".repeat(32));
    let answer = async |url: &str| {
        let (_, _, body) = app.send(Request::get(url).body(Body::empty()).expect("a request")).await;
        let mut body: Value = serde_json::from_slice(&body).expect("JSON");
        body["errors"][0]["extensions"]["requestId"] = Value::Null;
        body
    };
    for url in &urls {
        assert_eq!(found(&app, url).await, not_found(), "{url}");
        assert_eq!(answer(url).await, answer(&missing).await, "{url}");
        let (status, _) = get(&app, url, &[("if-none-match", &tag)]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{url}: a known file is hidden, too");
        let head = Request::builder().method(Method::HEAD).uri(url).body(Body::empty()).expect("a request");
        assert_eq!(app.send(head).await.0, StatusCode::NOT_FOUND, "{url}");
    }
    set_active(&app, product, true).await;
    for url in &urls {
        assert_eq!(found(&app, url).await, ok(PUBLIC), "{url}");
    }
}

#[tokio::test]
async fn viewers_of_a_hidden_product_get_signed_urls() {
    let app = TestApp::new().await;
    let (seller, other_seller) = (app.seller().await, app.seller().await);
    let (buyer, stranger, manager) = (app.customer().await, app.customer().await, app.manager().await);
    let Shown { product, urls } = product_with_image(&app, Some(&seller)).await;
    buyer.order(&[(product, 1)]).await;
    for actor in [&seller, &stranger, &manager, &app.anonymous()] {
        assert_eq!(url_for(actor, product).await, json!(urls[0]), "the URL of a public image is not signed");
    }
    set_active(&app, product, false).await;
    for actor in [&app.anonymous(), &stranger, &other_seller] {
        assert_eq!(url_for(actor, product).await, Value::Null);
    }
    let bought = buyer.run("{ orders { nodes { details { product { image { url } } } } } }").await;
    let listed = manager.run("{ images(first: 1) { nodes { url } } }").await;
    let signed = [
        url_for(&seller, product).await.as_str().expect("a URL").to_owned(),
        url_for(&manager, product).await.as_str().expect("a URL").to_owned(),
        bought.text_at("orders.nodes.0.details.0.product.image.url"),
        listed.text_at("images.nodes.0.url"),
    ];
    for url in &signed {
        assert!(url.starts_with(&format!("{}?", urls[0])), "{url}");
        assert_eq!(found(&app, url).await, ok(PRIVATE), "{url}");
        let (_, headers) = get(&app, url, &[]).await;
        let tag = headers["etag"].to_str().expect("text");
        assert_eq!(get(&app, url, &[("if-none-match", tag)]).await.0, StatusCode::NOT_MODIFIED, "{url}");
    }
}

#[tokio::test]
async fn wrong_signatures_open_nothing() {
    let app = TestApp::new().await;
    let Shown { product, urls } = product_with_image(&app, None).await;
    set_active(&app, product, false).await;
    let signed = url_for(&app.manager().await, product).await.as_str().expect("a URL").to_owned();
    assert_eq!(found(&app, &signed).await, ok(PRIVATE));

    let key = urls[0].split_once("/media/").expect("a path of images").1;
    let key = format!("media/{key}");
    let storage = &app.services.storage;
    let expired = storage.signed_media_url(&key, Utc::now() - Duration::seconds(1)).await.expect("a URL");
    let query = signed.split_once('?').expect("a query").1;
    let (expires, signature) = query.split_once('&').expect("two parameters");
    let signature = signature.strip_prefix("signature=").expect("a signature");
    // The first character has 6 bits of the signature.
    let changed = if signature.starts_with('A') { "B" } else { "A" };
    let download = storage.signed_get(&key, "image.webp", std::time::Duration::from_secs(60)).await.expect("a URL");
    let token_signature = download.url.rsplit_once('.').expect("a token").1;
    let wrong = [
        expired,
        urls[0].clone(),
        format!("{}?{query}", urls[1]),
        format!("{}?{expires}&signature={changed}{}", urls[0], &signature[1..]),
        format!("{}?{expires}&signature=", urls[0]),
        format!("{}?{expires}", urls[0]),
        format!("{}?expires=99999999999&signature={signature}", urls[0]),
        format!("{}?expires=x&signature={signature}", urls[0]),
        format!("{}?{expires}&signature={token_signature}", urls[0]),
    ];
    for url in &wrong {
        assert_eq!(found(&app, url).await, not_found(), "{url}");
    }
    // Once the product is for sale, nobody needs a signature.
    set_active(&app, product, true).await;
    for url in &wrong {
        assert_eq!(found(&app, url).await, ok(PUBLIC), "{url}");
    }
}

#[tokio::test]
async fn file_is_public_while_one_of_its_images_is() {
    let app = TestApp::new().await;
    let Shown { product, urls } = product_with_image(&app, None).await;
    let (category, brand) = (app.category("rope", None).await.id, app.brand("halyard").await.id);
    let website = app.database.scalar("SELECT id FROM websites").await.parse().expect("a key");
    let other = app.product(souk::ids::WebsiteId(website), ProductSpec::default()).await.id;
    set_active(&app, product, false).await;
    for (column, id) in [("product_id", other.0), ("category_id", category.0), ("brand_id", brand.0)] {
        assert_eq!(found(&app, &urls[0]).await, not_found(), "before the image of {column}");
        let insert = format!("INSERT INTO images ({column}, media_id, position) SELECT {id}, max(id), 1 FROM media");
        app.database.sql(&insert).await;
        assert_eq!(found(&app, &urls[0]).await, ok(PUBLIC), "{column}");
        app.database.sql(&format!("DELETE FROM images WHERE {column} = {id}")).await;
    }
    // The file of a deleted image is kept for an hour.
    app.database.sql("UPDATE products SET is_active = true").await;
    assert_eq!(found(&app, &urls[0]).await, ok(PUBLIC));
    app.database.sql("DELETE FROM images").await;
    assert_eq!(found(&app, &urls[0]).await, not_found(), "an image that was deleted");
}

#[tokio::test]
async fn images_of_brands_and_categories_are_not_signed() {
    let app = TestApp::new().await;
    let Shown { product, urls } = product_with_image(&app, None).await;
    let (category, brand) = (app.category("rope", None).await.id, app.brand("halyard").await.id);
    for (column, id) in [("category_id", category.0), ("brand_id", brand.0)] {
        let insert = format!("INSERT INTO images ({column}, media_id, position) SELECT {id}, max(id), 1 FROM media");
        app.database.sql(&insert).await;
    }
    set_active(&app, product, false).await;
    let document = "{ categories(first: 1) { nodes { image { url } } } brands(first: 1) { nodes { logo { url } } } }";
    for actor in [app.anonymous(), app.manager().await] {
        let response = actor.run(document).await;
        for path in ["categories.nodes.0.image.url", "brands.nodes.0.logo.url"] {
            assert_eq!(response.text_at(path), urls[0], "{path}");
        }
    }
    assert_eq!(found(&app, &urls[0]).await, ok(PUBLIC));
}
