//! Lists of products by SKU, stock and time of the last update.

use serde_json::json;
use souk::{
    auth::Permission,
    ids::{RowId, UserId, WebsiteId},
};

use crate::support::{Actor, ProductSpec, TestApp};

/// Returns the SKUs of the products in an order, read in pages of one.
async fn skus(actor: &Actor<'_>, order: &str) -> String {
    let (mut all, mut after) = (String::new(), "null".to_owned());
    loop {
        let document = format!(
            "{{ products(first: 1, after: {after}, orderBy: {{{order}}}) {{ nodes {{ sku }} pageInfo {{ endCursor hasNextPage }} }} }}"
        );
        let page = actor.run(&document).await;
        for product in page.at("products.nodes").as_array().expect("nodes") {
            all += product["sku"].as_str().expect("a SKU");
        }
        if page.at("products.pageInfo.hasNextPage") == false {
            return all;
        }
        after = format!("{:?}", page.text_at("products.pageInfo.endCursor"));
    }
}

#[tokio::test]
async fn products_are_sorted_by_sku_stock_and_last_update() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("here").await.id, app.website("there").await.id);
    let (seller, manager) = (app.seller().await, app.manager().await);
    let clerk = app.user_with(&[Permission::ManageStock], &[there]).await;
    let product = async |sku: &str, website: WebsiteId, stock: i32, seller: Option<UserId>| {
        let spec = ProductSpec { sku: Some(sku.to_owned()), stock, seller, ..ProductSpec::default() };
        app.product(website, spec).await.id.to_global_id()
    };
    let b = product("b", here, 3, Some(seller.id)).await;
    product("a", there, 2, None).await;
    product("c", here, 2, Some(seller.id)).await;
    product("d", there, 9, None).await;
    let public = app.anonymous();
    assert_eq!(skus(&public, "field: SKU").await, "abcd");
    assert_eq!(skus(&public, "field: SKU, direction: DESC").await, "dcba");
    let change = json!({ "id": b, "name": "Newer" });
    assert_eq!(manager.try_mutate("productUpdate", change).await, "done");
    assert_eq!(skus(&public, "field: UPDATED_AT").await, "acdb");

    // Sellers and staff of one website see the order of the stock that they may see.
    assert_eq!(skus(&manager, "field: STOCK").await, "acbd");
    assert_eq!(skus(&manager, "field: STOCK, direction: DESC").await, "dbca");
    assert_eq!(skus(&seller, "field: STOCK").await, "cb");
    assert_eq!(skus(&clerk, "field: STOCK").await, "ad");
    for actor in [&public, &app.customer().await] {
        for list in ["products(orderBy: {field: STOCK})", "websites { nodes { products(orderBy: {field: STOCK})"] {
            let close = if list.starts_with("websites") { "} }" } else { "" };
            let rejected = actor.run(&format!("{{ {list} {{ nodes {{ id }} }} {close} }}")).await;
            assert_eq!(rejected.code(), "FORBIDDEN", "{list}");
        }
    }
}

#[tokio::test]
async fn categories_and_brands_are_given_by_id_or_slug_at_any_depth() {
    let app = TestApp::new().await;
    let website = app.website("here").await.id;
    let clothing = app.category("clothing", None).await.id;
    let shirts = app.category("shirts", Some(clothing)).await.id;
    let (acme, other) = (app.brand("acme").await.id, app.brand("other").await.id);
    for (sku, category, brand) in
        [("a", Some(clothing), Some(acme)), ("b", Some(shirts), Some(other)), ("c", None, Some(acme))]
    {
        let spec = ProductSpec { sku: Some(sku.to_owned()), category, brand, ..ProductSpec::default() };
        app.product(website, spec).await;
    }
    let public = app.anonymous();
    let id = clothing.to_global_id();
    for (filter, expected) in [
        ("category: {eq: \"clothing\"}".to_owned(), "a"),
        ("category: {eq: \"clothing\", includeDescendants: true}".to_owned(), "ab"),
        (format!("category: {{in: [\"shirts\", {id:?}]}}"), "ab"),
        ("brand: {eq: \"acme\"}".to_owned(), "ac"),
        ("brand: {in: [\"acme\", \"other\"]}, not: {category: {eq: \"shirts\"}}".to_owned(), "ac"),
        ("or: [{category: {eq: \"shirts\"}}, {and: [{brand: {eq: \"acme\"}}]}]".to_owned(), "abc"),
    ] {
        let document = format!("{{ products(where: {{{filter}}}, orderBy: {{field: SKU}}) {{ nodes {{ sku }} }} }}");
        let found = public.run(&document).await;
        let skus = found.at("products.nodes").as_array().expect("nodes").clone();
        assert_eq!(skus.iter().filter_map(|node| node["sku"].as_str()).collect::<String>(), expected, "{filter}");
    }
    let nested = "{ websites { nodes { products(where: {brand: {eq: \"acme\"}}) { nodes { sku } } } } }";
    assert_eq!(public.run(nested).await.at("websites.nodes.0.products.nodes").as_array().map(Vec::len), Some(2));
    for filter in ["category: {eq: \"nothing\"}", "not: {brand: {in: [\"acme\", \"nothing\"]}}"] {
        let rejected = public.run(&format!("{{ products(where: {{{filter}}}) {{ nodes {{ id }} }} }}")).await;
        let rule = &rejected.json["errors"][0]["extensions"]["rule"];
        assert_eq!((rejected.code(), rule), ("BAD_USER_INPUT", &json!("NOT_FOUND")), "{filter}");
    }
}
