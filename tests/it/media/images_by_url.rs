//! Images added by URL: queued, fetched, retried and given up.

use crate::support::{Actor, ProductSpec, TestApp, builder::UPLOAD_BYTES, image_server::image_server};
use serde_json::{Value, json};
use souk::{
    ids::{ProductId, RowId},
    media::{
        actions::{ImageProcessor, fetch::fetch_due},
        fetch::FetchPolicy,
        model::import::RequestedImage,
        store::{changes, insert_missing},
    },
    outbound::Addresses,
};

async fn shop(app: &TestApp) -> (Actor<'_>, ProductId) {
    let website = app.website("sailor").await.id;
    (app.manager().await, app.product(website, ProductSpec::default()).await.id)
}

async fn add_image_urls(app: &TestApp, product: ProductId, urls: &[String]) -> usize {
    let wanted: Vec<_> = (1..)
        .zip(urls)
        .map(|(position, url)| RequestedImage { product, url: url.clone(), alt: None, position })
        .collect();
    let put =
        async |conn: &souk::db::Conn| insert_missing(conn, &changes(conn, &[product], &wanted, true).await?.new).await;
    app.database.db.transaction(put).await.expect("queued images")
}

/// Returns the images of a product that an actor sees: end of the source URL, whether it was fetched, and the failure.
async fn visible_images(actor: &Actor<'_>, product: ProductId) -> Value {
    let document = "query ($id: ID!) { product(id: $id) { images { width sourceUrl failure } } }";
    actor.run_with(document, json!({ "id": product.to_global_id() })).await.at("product.images").clone()
}

#[tokio::test]
async fn image_urls_are_fetched_and_editors_see_failures() {
    let app = TestApp::new().await;
    let ((manager, product), host) = (shop(&app).await, image_server().await);
    let paths = ["a.jpg", "moved", "loop", "file", "html.jpg", "long.jpg", "away.jpg", "none.jpg", "same.jpg"];
    let urls: Vec<_> = paths.iter().map(|path| format!("{host}/{path}")).collect();
    assert_eq!(add_image_urls(&app, product, &urls).await, 9);
    assert_eq!(add_image_urls(&app, product, &urls).await, 0, "each URL is queued once");
    assert_eq!(visible_images(&app.anonymous(), product).await, json!([]), "no image was fetched yet");
    let db = &app.database.db;
    assert_eq!(fetch_due(db, &app.services.image_processor).await.unwrap(), 9);
    let images = visible_images(&manager, product).await;
    let why = |path: &str| {
        let image = images.as_array().unwrap().iter().find(|image| image["sourceUrl"] == format!("{host}/{path}"));
        let image = image.unwrap_or_else(|| panic!("no {path}"));
        match image["width"].is_null() {
            true => image["failure"].as_str().expect("a reason").to_owned(),
            false => "there".to_owned(),
        }
    };
    let mut both = [why("a.jpg"), why("same.jpg")];
    both.sort();
    assert_eq!(both, ["the product already has this image", "there"]);
    let table = [
        ("moved", "there"),
        ("loop", "more than 5 redirects"),
        ("file", "the URL must start with http:// or https://"),
        ("html.jpg", "the file must be a JPEG, PNG, WebP or GIF image"),
        ("long.jpg", "the file is larger than 1048576 bytes"),
        ("away.jpg", "the server responded with status 503"),
        ("none.jpg", "the server responded with status 404"),
    ];
    for (path, expected) in table {
        assert_eq!(why(path), expected, "{path}");
    }
    assert_eq!(
        visible_images(&app.anonymous(), product).await,
        json!([{ "width": 9, "sourceUrl": null, "failure": null }, { "width": 9, "sourceUrl": null, "failure": null }])
    );
    // Temporary failures are tried three times in all, with a delay.
    assert_eq!(fetch_due(db, &app.services.image_processor).await.unwrap(), 0);
    for tried in [1, 1, 0] {
        app.database.sql("UPDATE images SET try_at = now() WHERE media_id IS NULL").await;
        assert_eq!(fetch_due(db, &app.services.image_processor).await.unwrap(), tried);
    }
}

#[tokio::test]
async fn private_addresses_are_not_fetched() {
    let app = TestApp::new().await;
    let ((manager, product), host) = (shop(&app).await, image_server().await);
    let port = host.rsplit_once(':').expect("a port").1;
    let urls = [
        format!("http://127.0.0.1:{port}/a.jpg"),
        "http://localhost/a.jpg".to_owned(),
        "http://169.254.169.254/a".to_owned(),
    ];
    add_image_urls(&app, product, &urls).await;
    let processor = ImageProcessor::new(
        app.services.storage.clone(),
        "/media",
        FetchPolicy { max_bytes: UPLOAD_BYTES, addresses: Addresses::Public },
    );
    assert_eq!(fetch_due(&app.database.db, &processor).await.unwrap(), 3);
    let images = visible_images(&manager, product).await;
    let why: Vec<_> =
        images.as_array().unwrap().iter().map(|image| image["failure"].as_str().unwrap_or("there")).collect();
    let private = "the host has an address that is not public";
    assert_eq!(why, ["the port must be 80 or 443", private, private]);
    app.database.sql("UPDATE images SET try_at = now()").await;
    assert_eq!(fetch_due(&app.database.db, &processor).await.unwrap(), 0, "permanent failures are not retried");
}

#[tokio::test]
async fn image_can_be_added_by_url() {
    let app = TestApp::new().await;
    let ((manager, product), host) = (shop(&app).await, image_server().await);
    let add = async |url: &str| {
        let input = json!({ "productId": product.to_global_id(), "url": url });
        manager.mutate("productImageCreate", "image { url width sourceUrl }", input).await
    };
    let url = format!("{host}/a.jpg");
    let made = add(&url).await;
    let expected = json!({ "url": null, "width": null, "sourceUrl": url });
    assert_eq!(made.at("productImageCreate.image"), &expected);
    assert_eq!(add(&url).await.outcome("productImageCreate"), "TAKEN url");
    for bad in ["", "x", "ftp://x.example/a.jpg", "http://me:secret@x.example/"] {
        assert_eq!(add(bad).await.outcome("productImageCreate"), "INVALID url", "{bad}");
    }
    let long = format!("http://x.example/{}", "x".repeat(2000));
    assert_eq!(add(&long).await.outcome("productImageCreate"), "TOO_LONG url");
    assert_eq!(fetch_due(&app.database.db, &app.services.image_processor).await.unwrap(), 1);
    assert_eq!(visible_images(&manager, product).await[0]["width"], 9);
}

#[tokio::test]
async fn product_has_at_most_50_image_urls() {
    let app = TestApp::new().await;
    let (_, product) = shop(&app).await;
    let urls: Vec<_> = (0..60).map(|i| format!("http://x.example/{i}")).collect();
    assert_eq!(add_image_urls(&app, product, &urls).await, 50);
    assert_eq!(add_image_urls(&app, product, &[format!("http://x.example/{}", "x".repeat(2000))]).await, 0);
}
