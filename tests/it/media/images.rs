//! Product images: who adds them, how they are served, and which files are deleted.

use axum::{
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};
use chrono::Utc;
use futures_util::TryStreamExt;
use serde_json::{Value, json};
use souk::{
    ids::RowId,
    media::actions::file_cleanup::{CleanupReport, clean_up},
    storage::uploads,
};

use crate::support::{Actor, ProductSpec, TestApp, builder::UPLOAD_BYTES, multipart_form::png};

const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];

/// Creates a shop; returns its manager and the ids of two products.
async fn shop(app: &TestApp) -> (Actor<'_>, String, String) {
    let website = app.website("sailor").await.id;
    let product = async |sku: &str| {
        let spec = ProductSpec { sku: Some(sku.into()), ..ProductSpec::default() };
        app.product(website, spec).await.id.to_global_id()
    };
    (app.manager().await, product("rope").await, product("sail").await)
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or("done")
}

async fn get(app: &TestApp, method: &str, url: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
    let request = Request::builder().method(method).uri(url);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    app.send(request.body(Body::empty()).expect("a request")).await
}

async fn keys(app: &TestApp, dir: &str) -> Vec<String> {
    let keys = app.services.storage.list(dir).expect("a list").map_ok(|entry| entry.key);
    keys.try_collect().await.expect("a list")
}

async fn alts(app: &TestApp, product: &str) -> Value {
    let document = "query ($id: ID!) { product(id: $id) { image { alt } images { alt } } }";
    let response = app.anonymous().run_with(document, json!({ "id": product })).await;
    let images = response.at("product.images").as_array().expect("a list");
    assert_eq!(response.at("product.image.alt"), &images[0]["alt"], "the product's image is the first");
    images.iter().map(|image| image["alt"].clone()).collect()
}

#[tokio::test]
async fn image_is_uploaded_returned_and_served_as_immutable() {
    let app = TestApp::new().await;
    let (manager, rope, _) = shop(&app).await;
    let added = manager.add_image(&rope, &png(200, 100, RED), json!({ "alt": "A red rope" })).await;
    assert_eq!(code(&added), "done", "{added}");
    let image = &added["image"];
    assert_eq!(
        (&image["width"], &image["height"], &image["alt"], &image["position"]),
        (&json!(200), &json!(100), &json!("A red rope"), &json!(1))
    );
    assert!(image["blurhash"].as_str().is_some_and(|hash| hash.len() > 5));
    let (large, small) = (image["url"].as_str().unwrap(), image["small"].as_str().unwrap());
    assert!(
        large.starts_with("http://souk/media/") && large.ends_with("/200.webp") && small.ends_with("/160.jpg"),
        "{image}"
    );

    let (status, headers, bytes) = get(&app, "GET", small, &[]).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (StatusCode::OK, "image/jpeg"));
    assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(image::load_from_memory(&bytes).expect("an image").width(), 160);
    let tag = headers["etag"].to_str().unwrap();
    let (status, _, nothing) = get(&app, "GET", small, &[("if-none-match", tag)]).await;
    assert_eq!((status, nothing.len()), (StatusCode::NOT_MODIFIED, 0));
    let (status, headers, part) = get(&app, "GET", small, &[("range", "bytes=2-5")]).await;
    assert_eq!((status, &part[..]), (StatusCode::PARTIAL_CONTENT, &bytes[2..6]));
    assert_eq!(headers["content-range"], format!("bytes 2-5/{}", bytes.len()).as_str());
    let old = [("range", "bytes=2-5"), ("if-range", "\"another\"")];
    assert_eq!(get(&app, "GET", small, &old).await.0, StatusCode::OK);
    assert_eq!(get(&app, "GET", small, &[("range", "bytes=999999-")]).await.0, StatusCode::RANGE_NOT_SATISFIABLE);
    let (status, headers, _) = get(&app, "HEAD", small, &[]).await;
    assert_eq!(
        (status, headers["content-length"].to_str().unwrap()),
        (StatusCode::OK, bytes.len().to_string().as_str())
    );
    assert_eq!(get(&app, "POST", small, &[]).await.0, StatusCode::METHOD_NOT_ALLOWED);
    for missing in [small.replace("160", "161"), small.replace(".jpg", ".png"), "/media/x/160.jpg".to_owned()] {
        assert_eq!(get(&app, "GET", &missing, &[]).await.0, StatusCode::NOT_FOUND, "{missing}");
    }
}

#[tokio::test]
async fn widths_out_of_range_are_rejected() {
    let app = TestApp::new().await;
    let (manager, rope, _) = shop(&app).await;
    manager.add_image(&rope, &png(20, 20, RED), json!({})).await;
    let document = "query ($id: ID!, $width: Int) { product(id: $id) { image { url(width: $width) } } }";
    let url = async |width: i32| app.anonymous().run_with(document, json!({ "id": rope, "width": width })).await;
    for width in [1, 20_000] {
        assert!(url(width).await.at("product.image.url").is_string(), "{width}");
    }
    for width in [0, -1, 20_001, i32::MIN] {
        let response = url(width).await;
        assert_eq!(response.code(), "BAD_USER_INPUT", "{width}");
        let message = &response.json["errors"][0]["message"];
        assert!(message.as_str().is_some_and(|text| text.contains("between 1 and 20,000")), "{message}");
    }
}

#[tokio::test]
async fn identical_files_are_stored_once() {
    let app = TestApp::new().await;
    let (manager, rope, sail) = shop(&app).await;
    let content = png(20, 20, RED);
    let first = manager.add_image(&rope, &content, json!({})).await;
    assert_eq!(code(&manager.add_image(&rope, &content, json!({})).await), "TAKEN");
    let second = manager.add_image(&sail, &content, json!({})).await;
    assert_eq!(first["image"]["url"], second["image"]["url"]);
    assert_eq!(app.database.scalar("SELECT count(*) FROM media").await, "1");
    assert_eq!(keys(&app, "media").await.len(), 2, "one width in two formats");
}

#[tokio::test]
async fn files_that_are_not_images_are_rejected() {
    let app = TestApp::new().await;
    let (manager, rope, _) = shop(&app).await;
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";
    let whole = png(50, 50, RED);
    let table: [(&str, &[u8]); 4] =
        [("SVG", svg), ("HTML", b"<!doctype html><p>"), ("nothing", b""), ("half", &whole[..whole.len() / 2])];
    for (name, bytes) in table {
        let refused = manager.add_image(&rope, bytes, json!({})).await;
        assert_eq!(
            (code(&refused), &refused["userErrors"][0]["field"]),
            ("INVALID", &json!("file")),
            "{name}: {refused}"
        );
    }
    let table = [
        (json!({ "position": 0 }), "OUT_OF_RANGE"),
        (json!({ "alt": "x".repeat(501) }), "TOO_LONG"),
        (json!({ "url": "http://x.example" }), "INVALID"),
    ];
    for (other, expected) in table {
        assert_eq!(code(&manager.add_image(&rope, &whole, other.clone()).await), expected, "{other}");
    }
    assert_eq!(app.database.scalar("SELECT count(*) FROM images").await, "0");
    assert!(keys(&app, "media").await.is_empty());
}

#[tokio::test]
async fn images_are_ordered() {
    let app = TestApp::new().await;
    let (manager, rope, sail) = shop(&app).await;
    let mut ids = Vec::new();
    for (alt, shade, position) in [("a", 1, json!(null)), ("b", 2, json!(null)), ("c", 3, json!(1))] {
        let added = manager.add_image(&rope, &png(9, 9, [shade; 3]), json!({ "alt": alt, "position": position })).await;
        ids.push(added["image"]["id"].clone());
    }
    assert_eq!(alts(&app, &rope).await, json!(["c", "a", "b"]));
    let moved = json!({ "id": ids[2], "position": 9, "alt": "C" });
    assert_eq!(
        manager.mutate("productImageUpdate", "image { position }", moved).await.outcome("productImageUpdate"),
        "done"
    );
    assert_eq!(alts(&app, &rope).await, json!(["a", "b", "C"]));
    let reorder = async |product: &str, ids: Value| {
        let input = json!({ "productId": product, "ids": ids });
        manager.mutate("productImagesReorder", "product { id }", input).await.outcome("productImagesReorder")
    };
    assert_eq!(reorder(&rope, json!([ids[1], ids[2], ids[0]])).await, "done");
    assert_eq!(alts(&app, &rope).await, json!(["b", "C", "a"]));
    for wrong in
        [json!([]), json!([ids[0], ids[1]]), json!([ids[0], ids[1], ids[1]]), json!([ids[0], ids[1], ids[2], ids[2]])]
    {
        assert_eq!(reorder(&rope, wrong.clone()).await, "INVALID ids", "{wrong}");
    }
    assert_eq!(reorder(&sail, json!(ids)).await, "INVALID ids");
    let removed = manager.mutate("productImageDelete", "image { alt }", json!({ "id": ids[1] })).await;
    assert_eq!(removed.text_at("productImageDelete.image.alt"), "b");
    assert_eq!(alts(&app, &rope).await, json!(["C", "a"]));
}

#[tokio::test]
async fn changing_images_requires_write_access_to_the_product() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let (seller, other, customer) = (app.seller().await, app.seller().await, app.customer().await);
    let product =
        app.product(website, ProductSpec { seller: Some(seller.id), ..ProductSpec::default() }).await.id.to_global_id();
    let refused = customer.add_image(&product, &png(9, 9, RED), json!({})).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "FORBIDDEN");
    assert_eq!(code(&other.add_image(&product, &png(9, 9, RED), json!({})).await), "NOT_FOUND");
    let mine = seller.add_image(&product, &png(9, 9, RED), json!({})).await;
    let id = &mine["image"]["id"];
    for (mutation, input) in [
        ("productImageUpdate", json!({ "id": id, "alt": "x" })),
        ("productImageDelete", json!({ "id": id })),
        ("productImagesReorder", json!({ "productId": product, "ids": [id] })),
    ] {
        let field = if mutation == "productImagesReorder" { "productId" } else { "id" };
        let missing = format!("NOT_FOUND {field}");
        assert_eq!(other.mutate(mutation, "", input.clone()).await.outcome(mutation), missing, "{mutation}");
        assert_eq!(customer.mutate(mutation, "", input.clone()).await.outcome(mutation), "!FORBIDDEN", "{mutation}");
    }
    assert_eq!(
        seller.mutate("productImageDelete", "", json!({ "id": id })).await.outcome("productImageDelete"),
        "done"
    );
}

#[tokio::test]
async fn product_has_at_most_50_images() {
    let app = TestApp::new().await;
    let (manager, rope, _) = shop(&app).await;
    let fill = "INSERT INTO images (product_id, source_url, position)
        SELECT min(products.id), 'http://x.example/' || i, i FROM products, generate_series(1, 49) i GROUP BY i";
    app.database.sql(fill).await;
    assert_eq!(code(&manager.add_image(&rope, &png(9, 9, RED), json!({})).await), "done");
    assert_eq!(code(&manager.add_image(&rope, &png(9, 9, BLUE), json!({})).await), "OUT_OF_RANGE");
}

#[tokio::test]
async fn upload_is_used_once_and_only_by_its_uploader() {
    let app = TestApp::new().await;
    let (manager, rope, _) = shop(&app).await;
    let content = png(30, 30, RED);
    let size = content.len();
    let made = manager.mutate("uploadCreate", "upload { uploadId url expiresAt }", json!({ "bytes": size })).await;
    let (id, url) = (made.text_at("uploadCreate.upload.uploadId"), made.text_at("uploadCreate.upload.url"));
    let put = async |url: &str, bytes: Vec<u8>| {
        app.send(Request::put(url).body(Body::from(bytes)).expect("a request")).await.0
    };
    assert_eq!(put(&url, vec![0; size + 1]).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(put(&url.replace("/files/", "/files/A"), content.clone()).await, StatusCode::NOT_FOUND);
    assert_eq!(get(&app, "GET", &url, &[]).await.0, StatusCode::NOT_FOUND, "an upload URL does not allow reading");
    assert!(keys(&app, uploads::KEY_PREFIX).await.is_empty());
    assert_eq!(put(&url, content.clone()).await, StatusCode::CREATED);
    assert_eq!(put(&url, content.clone()).await, StatusCode::CONFLICT);
    let create = async |actor: &Actor<'_>, id: &str| {
        let input = json!({ "productId": rope, "uploadId": id });
        actor.mutate("productImageCreate", "image { width }", input).await.outcome("productImageCreate")
    };
    assert_eq!(create(&app.manager().await, &id).await, "NOT_FOUND uploadId", "another user's upload");
    assert_eq!(create(&manager, "../../media").await, "NOT_FOUND uploadId");
    assert_eq!(create(&manager, &id).await, "done");
    assert!(keys(&app, uploads::KEY_PREFIX).await.is_empty(), "a used upload is deleted");
    for bytes in [0, -1, 1_073_741_825] {
        assert_eq!(
            manager.mutate("uploadCreate", "", json!({ "bytes": bytes })).await.outcome("uploadCreate"),
            "OUT_OF_RANGE bytes"
        );
    }
}

#[tokio::test]
async fn private_file_is_served_at_its_signed_url() {
    let app = TestApp::new().await;
    app.services.storage.put("transfers/1/out.csv", "a,b".into()).await.unwrap();
    let life = std::time::Duration::from_secs(60);
    let signed = app.services.storage.signed_get("transfers/1/out.csv", "pro\"ducts.csv", life).await.unwrap();
    let (status, headers, bytes) = get(&app, "GET", &signed.url, &[]).await;
    assert_eq!((status, &bytes[..]), (StatusCode::OK, &b"a,b"[..]));
    assert_eq!(headers["content-disposition"], "attachment; filename=\"pro_ducts.csv\"");
    assert_eq!(
        (&headers["x-content-type-options"], &headers["cache-control"]),
        (&"nosniff".parse().unwrap(), &"private, no-store".parse().unwrap())
    );
    assert_eq!(
        get(&app, "PUT", &signed.url, &[]).await.0,
        StatusCode::NOT_FOUND,
        "a download URL does not allow writing"
    );
    let over = app.services.storage.signed_get("transfers/1/out.csv", "x", std::time::Duration::ZERO).await.unwrap();
    let forged =
        signed.url.rsplit_once('.').map(|(text, _)| format!("{text}.{}", over.url.rsplit_once('.').unwrap().1));
    assert_eq!(get(&app, "GET", &forged.unwrap(), &[]).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn unreferenced_files_are_deleted() {
    let app = TestApp::new().await;
    let (manager, rope, sail) = shop(&app).await;
    let (db, processor) = (&app.database.db, &app.services.image_processor);
    let later = Utc::now() + chrono::Duration::hours(2);
    let age = "UPDATE media SET created_at = now() - interval '2 hours'";
    let red = manager.add_image(&rope, &png(200, 9, RED), json!({})).await;
    manager.add_image(&sail, &png(200, 9, RED), json!({})).await;
    let blue = manager.add_image(&rope, &png(9, 9, BLUE), json!({})).await;
    assert_eq!(keys(&app, "media").await.len(), 6);
    app.database.sql(age).await;
    assert_eq!(clean_up(db, processor, later).await.unwrap(), CleanupReport::default(), "every file is in use");

    // One image is deleted; the other is still used by another product.
    for id in [&red["image"]["id"], &blue["image"]["id"]] {
        manager.mutate("productImageDelete", "", json!({ "id": id })).await;
    }
    assert_eq!(clean_up(db, processor, later).await.unwrap(), CleanupReport { rows: 1, files: 2, uploads: 0 });
    assert_eq!(keys(&app, "media").await.len(), 4);

    // A deleted product's images are deleted with it; the process ends between deleting the rows and the files.
    app.database.sql("DELETE FROM images; DELETE FROM media").await;
    assert_eq!(
        clean_up(db, processor, Utc::now()).await.unwrap(),
        CleanupReport::default(),
        "recent files may be about to be used"
    );
    assert_eq!(clean_up(db, processor, later).await.unwrap(), CleanupReport { rows: 0, files: 4, uploads: 0 });
    assert!(keys(&app, "media").await.is_empty());

    // An unused file is kept for an hour, an unused upload for a day.
    manager.add_image(&rope, &png(9, 9, RED), json!({})).await;
    app.database.sql("DELETE FROM images").await;
    assert_eq!(clean_up(db, processor, Utc::now()).await.unwrap(), CleanupReport::default());
    let url = manager.mutate("uploadCreate", "upload { url }", json!({ "bytes": UPLOAD_BYTES })).await;
    let put = Request::put(url.text_at("uploadCreate.upload.url")).body(Body::from("left")).unwrap();
    assert_eq!(app.send(put).await.0, StatusCode::CREATED);
    assert_eq!(clean_up(db, processor, later).await.unwrap().uploads, 0);
    assert_eq!(clean_up(db, processor, Utc::now() + chrono::Duration::hours(25)).await.unwrap().uploads, 1);
}
