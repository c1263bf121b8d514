//! Writing products: owners, slugs, SKUs, prices, updates, deletion and restoring.

use serde_json::{Value, json};
use souk::ids::{BrandId, CategoryId, ProductId, RowId, SupplierId, WebsiteId};

use crate::support::{Actor, ProductSpec, TestApp};

const PRODUCT_FIELDS: &str =
    "product { id name slug sku barcode variant description price { amount currency } stock isActive
    sourceWebsite { id } category { id } brand { id } supplier { id } seller { id } }";

async fn try_mutate(actor: &Actor<'_>, mutation: &str, input: Value) -> String {
    actor.mutate(mutation, "", input).await.outcome(mutation)
}

fn product_input(website: WebsiteId, sku: &str) -> Value {
    json!({ "sourceWebsiteId": website.to_global_id(), "name": "Rope", "sku": sku, "price": "12.50" })
}

fn with_field(mut input: Value, field: &str, value: Value) -> Value {
    input[field] = value;
    input
}

#[tokio::test]
async fn created_product_belongs_to_its_seller_or_to_the_shop() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let (category, brand) = (app.category("ropes", None).await.id, app.brand("knot").await.id);
    let supplier = app.supplier("Hemp Ltd").await.id;
    let (manager, seller) = (app.manager().await, app.seller().await);
    let mut input = product_input(website, "R-1");
    for (field, value) in [
        ("slug", "strong-rope".to_owned()),
        ("barcode", "4006381333931".to_owned()),
        ("variant", "10 m".to_owned()),
        ("description", "Of hemp".to_owned()),
        ("categoryId", category.to_global_id()),
        ("brandId", brand.to_global_id()),
        ("supplierId", supplier.to_global_id()),
    ] {
        input[field] = json!(value);
    }
    let made = manager.mutate("productCreate", PRODUCT_FIELDS, input).await;
    let whole = json!({
        "id": ProductId(1).to_global_id(), "name": "Rope", "slug": "strong-rope", "sku": "R-1", "barcode": "4006381333931",
        "variant": "10 m", "description": "Of hemp", "price": { "amount": "12.50", "currency": "EUR" }, "stock": 0,
        "isActive": true, "sourceWebsite": { "id": website.to_global_id() }, "category": { "id": category.to_global_id() },
        "brand": { "id": brand.to_global_id() }, "supplier": { "id": supplier.to_global_id() }, "seller": null,
    });
    assert_eq!(*made.at("productCreate.product"), whole);

    let made = seller.mutate("productCreate", PRODUCT_FIELDS, product_input(website, "R-2")).await;
    assert_eq!(made.text_at("productCreate.product.seller.id"), seller.global_id());
    let refused = try_mutate(
        &seller,
        "productCreate",
        with_field(product_input(website, "R-3"), "sellerId", json!(manager.global_id())),
    );
    assert_eq!(refused.await, "!BAD_USER_INPUT", "the seller cannot be set by input");
}

#[tokio::test]
async fn slugs_are_derived_from_names_and_unique() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("here").await.id, app.website("there").await.id);
    let manager = app.manager().await;
    let slug = async |website: WebsiteId, name: &str, sku: &str| {
        let input = with_field(product_input(website, sku), "name", json!(name));
        manager.mutate("productCreate", "product { slug }", input).await.text_at("productCreate.product.slug")
    };
    assert_eq!(slug(here, "Café Lamp, 2 m", "L-1").await, "cafe-lamp-2-m");
    assert_eq!(slug(here, "Cafe lamp 2 M", "L-2").await, "cafe-lamp-2-m-l-2");
    assert_eq!(slug(here, "???", "Q-1").await, "item");
    assert_eq!(slug(here, "🦀", "Q-2").await, "crab");
    assert!(slug(here, &"ü".repeat(255), "U-1").await.len() <= 200);
    // Names and SKUs that produce the same slug, within one website and across two.
    let mut slugs = Vec::new();
    for sku in ["A-1", "A 1", "A.1", "A/1", "a 1", "!", "?", "…"] {
        slugs.push(slug(here, "Same", sku).await);
        slugs.push(slug(there, "Same", sku).await);
        slugs.push(slug(here, &format!("{}-", "x".repeat(139)), &format!("{sku}b")).await);
    }
    let count = slugs.len();
    slugs.sort();
    slugs.dedup();
    assert_eq!(slugs.len(), count, "{slugs:?}");

    let before = app.database.contents().await;
    let chosen = |slug: Value| with_field(product_input(here, "C-1"), "slug", slug);
    for (slug, expected) in [
        ("crab", "TAKEN slug"),
        ("Crab", "INVALID slug"),
        ("crab--legs", "INVALID slug"),
        ("-crab", "INVALID slug"),
        ("crab/legs", "INVALID slug"),
        ("ü", "INVALID slug"),
    ] {
        assert_eq!(try_mutate(&manager, "productCreate", chosen(json!(slug))).await, expected, "{slug}");
        let change = json!({ "id": ProductId(1).to_global_id(), "slug": slug });
        assert_eq!(try_mutate(&manager, "productUpdate", change).await, expected, "{slug}");
    }
    let long = json!("a".repeat(201));
    assert_eq!(try_mutate(&manager, "productCreate", chosen(long)).await, "INVALID slug");
    assert_eq!(app.database.contents().await, before);
    assert_eq!(try_mutate(&manager, "productCreate", chosen(json!("a".repeat(200)))).await, "done");
}

#[tokio::test]
async fn sku_is_unique_within_its_website() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("here").await.id, app.website("there").await.id);
    let manager = app.manager().await;
    assert_eq!(try_mutate(&manager, "productCreate", product_input(here, "R-1")).await, "done");
    assert_eq!(try_mutate(&manager, "productCreate", product_input(there, "R-1")).await, "done");
    assert_eq!(try_mutate(&manager, "productCreate", product_input(here, "r-1")).await, "done");
    let other =
        app.product(here, ProductSpec { sku: Some("R-2".into()), ..ProductSpec::default() }).await.id.to_global_id();
    let before = app.database.contents().await;
    assert_eq!(try_mutate(&manager, "productCreate", product_input(here, "R-1")).await, "TAKEN sku");
    let change = json!({ "id": other, "sku": "R-1" });
    assert_eq!(try_mutate(&manager, "productUpdate", change).await, "TAKEN sku");
    assert_eq!(app.database.contents().await, before);
}

/// Prices as clients may send them, each with the stored amount or the error.
fn prices() -> Vec<(Value, &'static str)> {
    let good = [
        (json!("0"), "0.00"),
        (json!("-0"), "0.00"),
        (json!("-0.00"), "0.00"),
        (json!("0.01"), "0.01"),
        (json!("7"), "7.00"),
        (json!(7), "7.00"),
        (json!(7.5), "7.50"),
        (json!(7.0), "7.00"),
        (json!("7.5"), "7.50"),
        (json!("7.500"), "7.50"),
        (json!("007.5"), "7.50"),
        (json!("999999999999.99"), "999999999999.99"),
        (json!(99_999_999), "99999999.00"),
    ];
    let refused = [
        (json!("-0.01"), "OUT_OF_RANGE price"),
        (json!("-1"), "OUT_OF_RANGE price"),
        (json!(-1), "OUT_OF_RANGE price"),
        (json!("1000000000000"), "OUT_OF_RANGE price"),
        (json!("999999999999.991"), "INVALID price"),
        (json!("79228162514264337593543950335"), "OUT_OF_RANGE price"),
        (json!("1.005"), "INVALID price"),
        (json!("0.0000000000000000000000000001"), "INVALID price"),
        (json!(i64::MAX), "OUT_OF_RANGE price"),
        (json!("79228162514264337593543950336"), "!BAD_USER_INPUT"),
        (json!("9".repeat(41)), "!BAD_USER_INPUT"),
        (json!("9".repeat(900_000)), "!BAD_USER_INPUT"),
        (json!(1e300), "!BAD_USER_INPUT"),
        (json!(u64::MAX), "!BAD_USER_INPUT"),
        (json!("1e5"), "!BAD_USER_INPUT"),
        (json!("1E5"), "!BAD_USER_INPUT"),
        (json!("NaN"), "!BAD_USER_INPUT"),
        (json!("Infinity"), "!BAD_USER_INPUT"),
        (json!(""), "!BAD_USER_INPUT"),
        (json!(" "), "!BAD_USER_INPUT"),
        (json!(" 7"), "!BAD_USER_INPUT"),
        (json!("7 "), "!BAD_USER_INPUT"),
        (json!("7,50"), "!BAD_USER_INPUT"),
        (json!("1_000"), "!BAD_USER_INPUT"),
        (json!("1,000.00"), "!BAD_USER_INPUT"),
        (json!("0x10"), "!BAD_USER_INPUT"),
        (json!("٧"), "!BAD_USER_INPUT"),
        (json!("."), "!BAD_USER_INPUT"),
        (json!("-"), "!BAD_USER_INPUT"),
        (json!("1.2.3"), "!BAD_USER_INPUT"),
        (json!("--1"), "!BAD_USER_INPUT"),
        (json!("7\0"), "!BAD_USER_INPUT"),
        (json!("EUR 7"), "!BAD_USER_INPUT"),
        (json!(true), "!BAD_USER_INPUT"),
        (json!(["7"]), "!BAD_USER_INPUT"),
        (json!({ "amount": "7" }), "!BAD_USER_INPUT"),
    ];
    good.into_iter().chain(refused).collect()
}

#[tokio::test]
async fn price_is_an_exact_decimal_within_its_range() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let id = app.product(website, ProductSpec::default()).await.id.to_global_id();
    let manager = app.manager().await;
    for (price, expected) in prices() {
        let before = app.database.contents().await;
        let change = json!({ "id": id, "price": price });
        let response = manager.mutate("productUpdate", "product { price { amount } }", change).await;
        let shown: String = price.to_string().chars().take(60).collect();
        let said = response.outcome("productUpdate");
        if said == "done" {
            assert_eq!(response.text_at("productUpdate.product.price.amount"), expected, "{shown}");
            continue;
        }
        assert_eq!(said, expected, "{shown}");
        let input = with_field(product_input(website, "P"), "price", price);
        assert_eq!(try_mutate(&manager, "productCreate", input).await, expected, "{shown}");
        assert_eq!(app.database.contents().await, before, "{shown}");
    }
    for literal in ["true", "EUR", "null", "[7]"] {
        let input =
            format!("sourceWebsiteId: \"{}\", name: \"Rope\", sku: \"P\", price: {literal}", website.to_global_id());
        let document = format!("mutation {{ productCreate(input: {{ {input} }}) {{ userErrors {{ code field }} }} }}");
        assert_eq!(manager.run(&document).await.outcome("productCreate"), "!BAD_USER_INPUT", "{literal}");
    }
    assert_eq!(try_mutate(&manager, "productUpdate", json!({ "id": id, "price": null })).await, "REQUIRED price");
    assert_eq!(
        try_mutate(&manager, "productCreate", with_field(product_input(website, "P"), "price", Value::Null)).await,
        "!BAD_USER_INPUT"
    );
}

#[tokio::test]
async fn update_keeps_absent_fields_and_clears_null_fields() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let manager = app.manager().await;
    let mut input = product_input(website, "R-1");
    let links = [
        ("categoryId", app.category("ropes", None).await.id.to_global_id()),
        ("brandId", app.brand("knot").await.id.to_global_id()),
        ("supplierId", app.supplier("Hemp Ltd").await.id.to_global_id()),
        ("barcode", "1".to_owned()),
        ("variant", "2".to_owned()),
        ("description", "3".to_owned()),
    ];
    for (field, value) in &links {
        input[*field] = json!(value);
    }
    let made = manager.mutate("productCreate", PRODUCT_FIELDS, input).await;
    let mut whole = made.at("productCreate.product").clone();
    let id = whole["id"].clone();
    let change = async |change: Value| {
        let response = manager.mutate("productUpdate", PRODUCT_FIELDS, with_field(change, "id", id.clone())).await;
        assert_eq!(response.outcome("productUpdate"), "done", "{response:?}");
        response.at("productUpdate.product").clone()
    };
    assert_eq!(change(json!({})).await, whole);
    whole["name"] = json!("Cord");
    assert_eq!(change(json!({ "name": "Cord" })).await, whole, "the slug stays, so that links keep working");
    for (field, _) in &links {
        let plain = field.trim_end_matches("Id");
        whole[plain] = if plain == "description" { json!("") } else { Value::Null };
        assert_eq!(change(json!({ *field: null })).await, whole, "{field}");
    }

    let before = app.database.contents().await;
    for (field, value, expected) in [
        ("name", Value::Null, "REQUIRED name"),
        ("slug", Value::Null, "REQUIRED slug"),
        ("sku", Value::Null, "REQUIRED sku"),
        ("isActive", Value::Null, "REQUIRED isActive"),
        ("id", Value::Null, "!BAD_USER_INPUT"),
        ("categoryId", json!(CategoryId(99).to_global_id()), "NOT_FOUND categoryId"),
        ("brandId", json!(BrandId(99).to_global_id()), "NOT_FOUND brandId"),
        ("supplierId", json!(SupplierId(99).to_global_id()), "NOT_FOUND supplierId"),
        ("categoryId", json!(BrandId(1).to_global_id()), "INVALID categoryId"),
        ("brandId", json!("x"), "INVALID brandId"),
        ("supplierId", json!(""), "INVALID supplierId"),
        ("id", json!(ProductId(99).to_global_id()), "NOT_FOUND id"),
        ("id", json!(CategoryId(1).to_global_id()), "INVALID id"),
        // Fields that an update cannot set.
        ("sourceWebsiteId", json!(website.to_global_id()), "!BAD_USER_INPUT"),
        ("sellerId", json!(manager.global_id()), "!BAD_USER_INPUT"),
        ("stock", json!(5), "!BAD_USER_INPUT"),
    ] {
        let change = with_field(json!({ "id": id }), field, value);
        assert_eq!(try_mutate(&manager, "productUpdate", change.clone()).await, expected, "{change}");
    }
    for (field, value, expected) in [
        ("sourceWebsiteId", json!(WebsiteId(99).to_global_id()), "NOT_FOUND sourceWebsiteId"),
        ("sourceWebsiteId", json!("x"), "INVALID sourceWebsiteId"),
        ("sourceWebsiteId", Value::Null, "!BAD_USER_INPUT"),
        ("categoryId", json!(CategoryId(99).to_global_id()), "NOT_FOUND categoryId"),
        ("name", Value::Null, "!BAD_USER_INPUT"),
        ("sku", Value::Null, "!BAD_USER_INPUT"),
        ("description", Value::Null, "!BAD_USER_INPUT"),
        ("stock", json!(-1), "OUT_OF_RANGE stock"),
    ] {
        let input = with_field(product_input(website, "R-2"), field, value);
        assert_eq!(try_mutate(&manager, "productCreate", input.clone()).await, expected, "{input}");
    }
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn seller_updates_only_their_own_products() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let (seller, rival) = (app.seller().await, app.seller().await);
    let product = |seller| app.product(website, ProductSpec { seller, ..ProductSpec::default() });
    let own = product(Some(seller.id)).await.id.to_global_id();
    let before = app.database.contents().await;
    for other in [product(Some(rival.id)).await.id.to_global_id(), product(None).await.id.to_global_id()] {
        let before = app.database.contents().await;
        let change = json!({ "id": other, "name": "Mine" });
        assert_eq!(try_mutate(&seller, "productUpdate", change).await, "NOT_FOUND id");
        assert_eq!(try_mutate(&seller, "productDelete", json!({ "id": other })).await, "NOT_FOUND id");
        assert_eq!(
            try_mutate(&seller, "stockAdjust", json!({ "productId": other, "delta": 1 })).await,
            "NOT_FOUND productId"
        );
        assert_eq!(app.database.contents().await, before);
    }
    assert_ne!(app.database.contents().await, before);
    assert_eq!(try_mutate(&seller, "stockAdjust", json!({ "productId": own, "delta": 1 })).await, "done");
    assert_eq!(try_mutate(&seller, "productUpdate", json!({ "id": own, "name": "Mine" })).await, "done");
    assert_eq!(try_mutate(&seller, "productDelete", json!({ "id": own })).await, "done");
}

#[tokio::test]
async fn deleted_product_is_hidden_but_stays_on_orders_and_can_be_restored() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let category = app.category("ropes", None).await;
    let (customer, seller, rival, manager) =
        (app.customer().await, app.seller().await, app.seller().await, app.manager().await);
    let spec = ProductSpec {
        name: Some("Hempen halyard".into()),
        stock: 5,
        category: Some(category.id),
        seller: Some(seller.id),
        ..ProductSpec::default()
    };
    let product = app.product(website, spec).await;
    let order = customer.order(&[(product.id, 1)]).await;
    let everywhere = "query ($id: ID!, $slug: String!, $category: ID!, $order: ID!) {
        list: products { nodes { id } } one: product(id: $id) { id } bySlug: product(slug: $slug) { id } node(id: $id) { id }
        nodes(ids: [$id]) { id } search(query: \"halyard\") { nodes { ... on Product { id } } }
        category(id: $category) { products { nodes { id } } }
        order(id: $order) { details { name product { id name isActive } } } }";
    let variables = json!({ "id": product.id.to_global_id(), "slug": product.slug, "category": category.id.to_global_id(), "order": order });
    let anonymous = app.anonymous();
    // Counts in how many of the seven queries the product is found.
    let found = async |actor: &Actor<'_>| {
        let seen = actor.run_with(everywhere, variables.clone()).await;
        let lists = ["list.nodes", "search.nodes", "category.products.nodes"];
        let lists = lists.iter().filter(|path| !seen.at(path).as_array().expect("a list").is_empty()).count();
        let single = ["one", "bySlug", "node", "nodes.0"].iter().filter(|path| !seen.at(path).is_null()).count();
        lists + single
    };
    assert_eq!([found(&anonymous).await, found(&customer).await, found(&rival).await], [7, 7, 7]);
    for _ in 0..2 {
        let deleted =
            manager.mutate("productDelete", "product { isActive }", json!({ "id": product.id.to_global_id() })).await;
        assert_eq!(*deleted.at("productDelete.product.isActive"), false);
        assert_eq!([found(&anonymous).await, found(&customer).await, found(&rival).await], [0, 0, 0]);
    }
    // Search only shows public products, to every actor.
    assert_eq!([found(&seller).await, found(&manager).await], [6, 6]);
    let old = customer.run_with(everywhere, variables.clone()).await;
    let line = json!([{ "name": "Hempen halyard", "product": { "id": product.id.to_global_id(), "name": "Hempen halyard", "isActive": false } }]);
    assert_eq!(*old.at("order.details"), line);
    assert_eq!(
        customer.try_order(&[(product.id, 1)], "k").await.outcome("orderCreate"),
        "PRODUCT_INACTIVE lines.0.productId"
    );

    let back = json!({ "id": product.id.to_global_id(), "isActive": true });
    assert_eq!(try_mutate(&seller, "productUpdate", back).await, "done");
    assert_eq!([found(&anonymous).await, found(&customer).await, found(&rival).await], [7, 7, 7]);
    assert_eq!(app.stock(product.id).await, 4);
}
