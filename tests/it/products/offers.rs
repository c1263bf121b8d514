//! Offers: the same product on several websites, matched by GTIN or linked manually.

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{ProductId, RowId, WebsiteId},
};

use crate::support::{Actor, ProductSpec, TestApp};

async fn link(actor: &Actor<'_>, ids: &[ProductId]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| id.to_global_id()).collect();
    actor.mutate("productLink", "", json!({ "productIds": ids })).await.outcome("productLink")
}

async fn unlink(actor: &Actor<'_>, id: ProductId) -> String {
    actor.mutate("productUnlink", "", json!({ "productId": id.to_global_id() })).await.outcome("productUnlink")
}

/// Returns the SKUs of a product's offers.
async fn offers(actor: &Actor<'_>, id: ProductId) -> String {
    let query = "query ($id: ID!) { product(id: $id) { offers { sku } } }";
    let found = actor.run_with(query, json!({ "id": id.to_global_id() })).await;
    let skus = found.at("product.offers").as_array().expect("a list").iter();
    skus.map(|offer| offer["sku"].as_str().expect("a SKU").to_owned()).collect::<Vec<_>>().join(" ")
}

async fn product(app: &TestApp, website: WebsiteId, sku: &str, price: &'static str) -> ProductId {
    let spec = ProductSpec { sku: Some(sku.to_owned()), price: Some(price), ..ProductSpec::default() };
    app.product(website, spec).await.id
}

#[tokio::test]
async fn products_with_the_same_gtin_are_offers_ordered_by_website_and_price() {
    let app = TestApp::new().await;
    let (b, a) = (app.website("b").await.id, app.website("a").await.id);
    let manager = app.manager().await;
    let mut ids = Vec::new();
    // An EAN-13 and the same as GTIN-14, a UPC and the same as EAN, and codes that are not GTINs.
    for (website, sku, price, barcode) in [
        (b, "b-dear", "9.00", Some("4006381333931")),
        (b, "b-cheap", "7.00", Some("04006381333931")),
        (a, "a-only", "8.00", Some("4006381333931")),
        (a, "upc", "1.00", Some("036000291452")),
        (b, "ean", "1.00", Some("0036000291452")),
        (a, "wrong", "1.00", Some("4006381333930")),
        (b, "wrong too", "1.00", Some("4006381333930")),
        (a, "none", "1.00", None),
        (b, "none too", "1.00", None),
    ] {
        let id = product(&app, website, sku, price).await;
        let change = json!({ "id": id.to_global_id(), "barcode": barcode });
        assert_eq!(manager.mutate("productUpdate", "", change).await.outcome("productUpdate"), "done");
        ids.push(id);
    }
    let expected = [
        "a-only b-cheap b-dear",
        "a-only b-cheap b-dear",
        "a-only b-cheap b-dear",
        "upc ean",
        "upc ean",
        "wrong",
        "wrong too",
        "none",
        "none too",
    ];
    for (id, expected) in ids.iter().zip(expected) {
        assert_eq!(offers(&app.anonymous(), *id).await, expected);
    }
    // An inactive product is an offer only for staff.
    let removed = json!({ "id": ids[1].to_global_id() });
    assert_eq!(manager.mutate("productDelete", "", removed).await.outcome("productDelete"), "done");
    assert_eq!(offers(&app.anonymous(), ids[0]).await, "a-only b-dear");
    assert_eq!(offers(&manager, ids[0]).await, "a-only b-cheap b-dear");
}

#[tokio::test]
async fn products_are_linked_and_unlinked_manually() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("here").await.id, app.website("there").await.id);
    let manager = app.manager().await;
    let mut ids = Vec::new();
    for (website, sku) in [(here, "1"), (there, "2"), (here, "3"), (there, "4"), (here, "5")] {
        ids.push(product(&app, website, sku, "1.00").await);
    }
    let [one, two, three, four, five] = ids[..] else { panic!("five") };
    let anybody = app.anonymous();
    assert_eq!(link(&manager, &[one, two]).await, "done");
    assert_eq!(link(&manager, &[one, two]).await, "done");
    assert_eq!(link(&manager, &[four, five]).await, "done");
    assert_eq!([offers(&anybody, one).await, offers(&anybody, two).await], ["1 2", "1 2"]);
    assert_eq!([offers(&anybody, three).await, offers(&anybody, five).await], ["3", "5 4"]);

    let (seller, limited) = (app.seller().await, app.user_with(Permission::ALL, &[here]).await);
    let before = app.database.contents().await;
    for (actor, named, expected) in [
        (&manager, vec![], "OUT_OF_RANGE productIds"),
        (&manager, vec![one], "OUT_OF_RANGE productIds"),
        (&manager, vec![one, one], "OUT_OF_RANGE productIds"),
        (&manager, vec![one; 51], "OUT_OF_RANGE productIds"),
        (&manager, vec![three, ProductId(99)], "NOT_FOUND productIds.1"),
        (&limited, vec![two, three], "NOT_FOUND productIds.0"),
        (&seller, vec![one, two], "!FORBIDDEN"),
        (&anybody, vec![one, two], "!UNAUTHENTICATED"),
    ] {
        assert_eq!(link(actor, &named).await, expected, "{named:?}");
    }
    assert_eq!(unlink(&limited, two).await, "NOT_FOUND productId");
    assert_eq!(app.database.contents().await, before);

    // Both sets are merged.
    assert_eq!(link(&manager, &[five, three, two]).await, "done");
    for id in &ids {
        assert_eq!(offers(&anybody, *id).await, "1 3 5 2 4");
    }
    assert_eq!(unlink(&manager, three).await, "done");
    assert_eq!(unlink(&manager, three).await, "done");
    assert_eq!([offers(&anybody, one).await, offers(&anybody, three).await], ["1 5 2 4", "3"]);
    // A new link does not reuse an earlier set.
    let six = product(&app, there, "6", "1.00").await;
    assert_eq!(link(&manager, &[three, six]).await, "done");
    assert_eq!([offers(&anybody, one).await, offers(&anybody, six).await], ["1 5 2 4", "3 6"]);
}

#[tokio::test]
async fn concurrent_links_form_one_set() {
    let app = TestApp::new().await;
    let website = app.website("here").await.id;
    let manager = app.manager().await;
    let mut ids = Vec::new();
    for sku in ["0", "1", "2", "3", "4", "5"] {
        ids.push(product(&app, website, sku, "1.00").await);
    }
    // A chain of links, each made by a concurrent request.
    let said = futures_util::future::join_all(ids.windows(2).map(|pair| link(&manager, pair))).await;
    assert_eq!(said, ["done"; 5]);
    for id in &ids {
        assert_eq!(offers(&manager, *id).await, "0 1 2 3 4 5");
    }
}

#[tokio::test]
async fn at_most_fifty_offers_are_listed() {
    let app = TestApp::new().await;
    let website = app.website("here").await.id.0;
    let script = format!(
        "INSERT INTO products (id, source_website_id, name, slug, sku, price, barcode)
            SELECT 1000 + i, {website}, 'Pen', 'pen-' || i, 'P-' || i, 100 - i, '4006381333931' FROM generate_series(1, 60) i"
    );
    app.bulk_insert(&script).await;
    let found = app.anonymous().run("{ product(slug: \"pen-60\") { offers { sku } } }").await;
    let cheapest: Vec<Value> = (11..=60).rev().map(|i| json!({ "sku": format!("P-{i}") })).collect();
    assert_eq!(*found.at("product.offers"), json!(cheapest));
}
