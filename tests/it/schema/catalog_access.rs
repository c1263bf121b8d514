//! Which roles may write websites, categories, brands, suppliers, products and stock.

use serde_json::json;
use souk::ids::{RowId, WebsiteId};

use crate::support::{ProductSpec, TestApp, image_server::image_server};

#[tokio::test]
async fn writing_the_catalog_requires_permission() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id.to_global_id();
    let category = app.category("ropes", None).await.id.to_global_id();
    let brand = app.brand("knot").await.id.to_global_id();
    let supplier = app.supplier("Hemp Ltd").await.id.to_global_id();
    let product =
        app.product(WebsiteId::parse("id", &website).unwrap(), ProductSpec::default()).await.id.to_global_id();
    let (anonymous, customer, seller) = (app.anonymous(), app.customer().await, app.seller().await);
    let (manager, admin, images) = (app.manager().await, app.admin().await, image_server().await);
    // The mutation, a valid input, and whether sellers, managers and admins may run it.
    let cases = [
        (
            "websiteCreate",
            json!({ "code": "new", "name": "New", "baseUrl": "https://new.example", "currency": "EUR" }),
            [false, false, true],
        ),
        ("websiteUpdate", json!({ "id": website, "name": "Newer" }), [false, false, true]),
        ("websiteDelete", json!({ "id": website }), [false, false, true]),
        ("categoryCreate", json!({ "name": "New" }), [false, true, true]),
        ("categoryUpdate", json!({ "id": category, "name": "Newer" }), [false, true, true]),
        ("categoryImageSet", json!({ "categoryId": category, "url": format!("{images}/a.jpg") }), [false, true, true]),
        ("categoryImageDelete", json!({ "categoryId": category }), [false, true, true]),
        ("categoryDelete", json!({ "id": category }), [false, true, true]),
        ("brandCreate", json!({ "name": "New" }), [false, true, true]),
        ("brandUpdate", json!({ "id": brand, "name": "Newer" }), [false, true, true]),
        ("brandLogoSet", json!({ "brandId": brand, "url": format!("{images}/b.jpg") }), [false, true, true]),
        ("brandLogoDelete", json!({ "brandId": brand }), [false, true, true]),
        ("brandDelete", json!({ "id": brand }), [false, true, true]),
        ("supplierCreate", json!({ "name": "New" }), [false, true, true]),
        ("supplierUpdate", json!({ "id": supplier, "name": "Newer" }), [false, true, true]),
        ("supplierDelete", json!({ "id": supplier }), [false, true, true]),
        (
            "productCreate",
            json!({ "sourceWebsiteId": website, "name": "New", "sku": "N", "price": "1" }),
            [true, true, true],
        ),
        ("productUpdate", json!({ "id": product, "name": "Newer" }), [true, true, true]),
        ("productDelete", json!({ "id": product }), [true, true, true]),
        ("stockAdjust", json!({ "productId": product, "delta": 1 }), [true, true, true]),
    ];
    let before = app.database.contents().await;
    for (mutation, input, may) in &cases {
        assert_eq!(anonymous.try_mutate(mutation, input.clone()).await, "!UNAUTHENTICATED", "{mutation}");
        assert_eq!(customer.try_mutate(mutation, input.clone()).await, "!FORBIDDEN", "{mutation}");
        for (actor, may) in [&seller, &manager, &admin].into_iter().zip(may) {
            if !may {
                assert_eq!(actor.try_mutate(mutation, input.clone()).await, "!FORBIDDEN", "{mutation}");
            }
        }
    }
    assert_eq!(app.database.contents().await, before);
    for (mutation, input, may) in &cases {
        for (actor, may) in [&seller, &manager, &admin].into_iter().zip(may) {
            // A later actor may find the row changed or deleted; only the permission matters here.
            let said = actor.try_mutate(mutation, input.clone()).await;
            assert_eq!(said == "!FORBIDDEN", !may, "{mutation}: {said}");
            assert!(!may || !said.starts_with('!'), "{mutation}: {said}");
        }
    }
}
