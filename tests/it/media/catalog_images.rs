//! The logos of brands and the images of categories: set, replaced, shown to everybody, deleted.

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use souk::ids::RowId;

use crate::support::{Actor, TestApp, image_server::image_server, multipart_form::png};

/// Uploads an image and returns the id of the upload.
async fn upload(actor: &Actor<'_>, image: Vec<u8>) -> String {
    let created = actor.mutate("uploadCreate", "upload { uploadId url }", json!({ "bytes": image.len() })).await;
    let put = Request::put(created.text_at("uploadCreate.upload.url")).body(Body::from(image)).expect("a request");
    assert_eq!(actor.app.send(put).await.0, StatusCode::CREATED);
    created.text_at("uploadCreate.upload.uploadId")
}

/// What everybody sees of the logo and the image.
async fn seen(app: &TestApp) -> [Value; 2] {
    let image = "id url width alt position sourceUrl";
    let document =
        format!("{{ brands {{ nodes {{ logo {{ {image} }} }} }} categories {{ nodes {{ image {{ {image} }} }} }} }}");
    let response = app.anonymous().run(&document).await;
    [response.at("brands.nodes.0.logo").clone(), response.at("categories.nodes.0.image").clone()]
}

#[tokio::test]
async fn brand_has_one_logo_and_category_one_image() {
    let app = TestApp::new().await;
    let (brand, category) = (app.brand("knot").await.id, app.category("ropes", None).await.id);
    let (manager, server) = (app.manager().await, image_server().await);
    assert_eq!(seen(&app).await, [Value::Null, Value::Null]);

    let cases = [
        ("brandLogoSet", "brandId", brand.to_global_id(), 0),
        ("categoryImageSet", "categoryId", category.to_global_id(), 1),
    ];
    for (mutation, field, id, place) in cases {
        let set = async |width: u32, alt: &str| {
            let upload = upload(&manager, png(width, 100, [255, 0, 0])).await;
            let mut input = json!({ "uploadId": upload, "alt": alt });
            input[field] = json!(id);
            manager.mutate(mutation, "", input).await.outcome(mutation)
        };
        assert_eq!(set(200, "Red").await, "done");
        let first = seen(&app).await[place].clone();
        assert_eq!((&first["width"], &first["alt"], &first["position"]), (&json!(200), &json!("Red"), &json!(1)));
        let request = Request::get(first["url"].as_str().expect("a URL")).body(Body::empty()).expect("a request");
        assert_eq!(app.send(request).await.0, StatusCode::OK);
        // A second one replaces the first.
        assert_eq!(set(300, "Wide").await, "done");
        let second = seen(&app).await[place].clone();
        assert_eq!((&second["id"], &second["width"], &second["alt"]), (&first["id"], &json!(300), &json!("Wide")));
        let document = "query ($id: ID!) { node(id: $id) { ... on Image { alt } } }";
        let node = app.anonymous().run_with(document, json!({ "id": second["id"] })).await;
        assert_eq!(node.at("node.alt"), "Wide");
        // It is no image of a product.
        let outcome = manager.mutate("productImageDelete", "", json!({ "id": second["id"] })).await;
        assert_eq!(outcome.outcome("productImageDelete"), "NOT_FOUND id");
        // One by URL is downloaded at once; the previous image stays if that fails.
        let mut input = json!({ field: id });
        for path in ["none.jpg", "away.jpg", "html.jpg", "long.jpg"] {
            input["url"] = json!(format!("{server}/{path}"));
            assert_eq!(manager.mutate(mutation, "", input.clone()).await.outcome(mutation), "INVALID url", "{path}");
            assert_eq!(seen(&app).await[place], second, "{path}");
        }
        input["url"] = json!(format!("{server}/moved"));
        assert_eq!(manager.mutate(mutation, "", input.clone()).await.outcome(mutation), "done");
        let third = seen(&app).await[place].clone();
        assert_eq!((&third["id"], &third["width"], &third["alt"]), (&first["id"], &json!(9), &json!("")));
        assert_eq!(third["sourceUrl"], Value::Null, "only staff sees it");
        input["uploadId"] = json!("x");
        assert_eq!(manager.mutate(mutation, "", input).await.outcome(mutation), "INVALID file");

        let delete = mutation.replace("Set", "Delete");
        let input = json!({ field: id });
        assert_eq!(manager.mutate(&delete, "", input.clone()).await.outcome(&delete), "done");
        assert_eq!(seen(&app).await[place], Value::Null);
        let again = manager.mutate(&delete, "", input).await;
        assert_eq!(again.outcome(&delete), format!("NOT_FOUND {field}"));
        let message = again.text_at(&format!("{delete}.userErrors.0.message"));
        assert!(message.contains("does not exist or has no"), "{message}");
    }
}

#[tokio::test]
async fn logo_is_deleted_with_its_brand() {
    let app = TestApp::new().await;
    let brand = app.brand("knot").await.id.to_global_id();
    let (manager, server) = (app.manager().await, image_server().await);
    let input = json!({ "brandId": brand, "url": format!("{server}/a.jpg") });
    assert_eq!(manager.mutate("brandLogoSet", "", input.clone()).await.outcome("brandLogoSet"), "done");
    assert_eq!(manager.mutate("brandDelete", "", json!({ "id": brand })).await.outcome("brandDelete"), "done");
    assert_eq!(app.database.scalar("SELECT count(*) FROM images").await, "0");
    assert_eq!(manager.mutate("brandLogoSet", "", input).await.outcome("brandLogoSet"), "NOT_FOUND brandId");
}
