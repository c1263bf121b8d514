//! The edges of texts: no mutation stores whitespace or invisible characters around a text.
//! Rule: the inputs below have every text field of the schema; a new one must be added here, or to [`EXEMPT`] with its
//! reason.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{
    ProductSpec, TestApp,
    image_server::image_server,
    scenario::Scenario,
    sdl::{Sdl, base_name},
};

/// Added before and after every text. U+2003 is found in the database if any of it is stored.
const EDGES: [&str; 2] = ["\u{feff}\t\u{2003}\u{200b} ", "\n\u{a0}\u{2003}\u{202c}\r\n"];

/// Text fields that are not stored, or whose edges count.
const EXEMPT: &[&str] = &[
    // Passwords are compared as they are.
    "password",
    "newPassword",
    // Keys and tokens that other systems chose.
    "idempotencyKey",
    "source",
    // Secrets are looked up, not stored; see the tests of `access`.
    "token",
    "refreshToken",
    // Needs an uploaded file; checked like any other text.
    "imageBaseUrl",
];

/// Returns inputs with all text fields: the index of the actor, the mutation and its input.
async fn inputs(scenario: &Scenario<'_>, app: &TestApp) -> Vec<(usize, &'static str, Value)> {
    let id = |name: &str| scenario.ids[name].clone();
    let (customer, admin) = (1, 7);
    let owner = format!("UPDATE webhook_subscriptions SET user_id = {}", scenario.actors[admin].id.0);
    app.database.sql(&owner).await;
    let website = app.website("second").await.id;
    let product = app.product(website, ProductSpec { stock: 9, ..ProductSpec::default() }).await.id;
    let cart = scenario.actors[customer].create_cart(&[(product, 1)]).await;
    let ship_line = json!([{ "orderDetailId": id("OrderDetail"), "quantity": 1 }]);
    let return_line = json!([{ "orderDetailId": id("OrderDetail"), "quantity": 1, "reason": "torn" }]);
    let home = json!({ "recipientName": "Ada", "company": "Tin Ltd", "phone": "(202) 555-0143", "countryCode": "US",
        "subdivisionCode": "CA", "city": "Napa", "district": "Napa County", "address": "Quay 1", "postalCode": "94558" });
    let with = |fields: Value, mut input: Value| {
        let into = input.as_object_mut().expect("an object");
        into.extend(fields.as_object().expect("an object").clone());
        input
    };
    let page = |slug: &str| json!({ "name": "Page", "slug": slug, "description": "About it" });
    let item = |sku: &str| {
        json!({ "name": "Item", "slug": sku, "sku": sku, "barcode": sku, "variant": "Red", "description": "Fine",
            "supplierSku": sku, "price": "1", "tags": ["Red", "Wool"], "seo": { "title": "T", "description": "D" }, "options": [{ "name": "Size", "value": sku }] })
    };
    let group = json!({ "variesBy": ["Size", "Color"] });
    let image = json!({ "alt": "A lamp", "url": format!("{}/a.jpg", image_server().await) });
    let tracking = json!({ "carrier": "Post", "trackingNumber": "P 2", "trackingUrl": "https://post.example/2" });
    let supplier =
        |name: &str| json!({ "name": name, "contactName": "Jo", "email": "jo@tin.example", "phone": "+49 40 1234" });
    let query = "subscription { event { eventId } }";
    let person = |email: &str| json!({ "name": "Ada", "email": email, "phone": "+44 20 7946 0000" });
    let shop = |code: &str| json!({ "code": code, "name": "Shop", "baseUrl": "https://shop.example" });
    let role = json!({ "name": "Clerk", "description": "Helps\nout" });
    let contact = json!({ "name": "Ada", "email": "ada@souk.example", "phone": "202 555 0143" });
    vec![
        (admin, "websiteCreate", with(json!({ "currency": "EUR" }), shop("third"))),
        (admin, "websiteUpdate", with(json!({ "id": id("Website") }), shop("first"))),
        (admin, "roleCreate", with(json!({ "code": "clerk", "permissions": [] }), role.clone())),
        (admin, "userCreate", with(json!({ "role": "customer" }), person("ada@souk.example"))),
        (admin, "userUpdate", with(json!({ "id": id("User") }), person("ida@souk.example"))),
        (admin, "userRoleSet", json!({ "userId": id("User"), "role": "customer" })),
        (0, "register", with(json!({ "password": "a long enough password" }), person("eva@souk.example"))),
        (0, "passwordForgot", json!({ "email": "ada@souk.example" })),
        (0, "emailVerificationResend", json!({ "email": "ada@souk.example" })),
        (admin, "userIdentityAdd", json!({ "userId": id("User"), "websiteId": id("Website"), "externalId": "c-17" })),
        (customer, "addressCreate", home.clone()),
        (customer, "addressUpdate", with(json!({ "id": id("Address") }), home.clone())),
        (customer, "apiKeyCreate", json!({ "name": "Till", "permissions": [] })),
        (admin, "brandCreate", page("new-brand")),
        (admin, "brandUpdate", with(json!({ "id": id("Brand") }), page("brand"))),
        (admin, "brandLogoSet", with(json!({ "brandId": id("Brand") }), image.clone())),
        (admin, "categoryCreate", page("new-category")),
        (admin, "categoryUpdate", with(json!({ "id": id("Category") }), page("category"))),
        (admin, "categoryImageSet", with(json!({ "categoryId": id("Category") }), image.clone())),
        (admin, "supplierCreate", supplier("Tin Ltd")),
        (admin, "supplierUpdate", with(json!({ "id": id("Supplier") }), supplier("Copper Ltd"))),
        (
            admin,
            "productGroupCreate",
            with(json!({ "sourceWebsiteId": id("Website") }), with(group, page("new-group"))),
        ),
        (admin, "productGroupUpdate", with(json!({ "id": id("ProductGroup"), "variesBy": ["Size"] }), page("group"))),
        (
            admin,
            "productCreate",
            with(json!({ "sourceWebsiteId": id("Website"), "groupId": id("ProductGroup") }), item("n1")),
        ),
        (admin, "productUpdate", with(json!({ "id": id("Product"), "groupId": id("ProductGroup") }), item("n2"))),
        (admin, "productImageCreate", with(json!({ "productId": id("Product") }), image)),
        (admin, "productImageUpdate", json!({ "id": id("Image"), "alt": "A lamp" })),
        (admin, "stockAdjust", json!({ "productId": id("Product"), "delta": 1, "note": "Found" })),
        (admin, "stockSet", json!({ "productId": id("Product"), "quantity": 5, "note": "Counted" })),
        (
            2,
            "reviewCreate",
            json!({ "productId": souk::ids::RowId::to_global_id(product), "rating": 5, "title": "Good", "text": "Lit.\nIt is." }),
        ),
        (customer, "reviewUpdate", json!({ "id": id("Review"), "title": "Better", "text": "Bright" })),
        (admin, "searchRuleCreate", json!({ "websiteId": id("Website"), "words": ["lamp", "light"], "url": "/lamps" })),
        (
            admin,
            "searchRuleUpdate",
            json!({ "id": id("SearchRule"), "words": ["oil"], "url": "https://shop.example/oil", "target": null }),
        ),
        (
            admin,
            "webhookSubscriptionCreate",
            json!({ "url": "https://erp.example/", "events": ["ORDER_PLACED"], "secret": "0123456789abcdef", "website": id("Website"), "query": query }),
        ),
        (
            admin,
            "webhookSubscriptionUpdate",
            json!({ "id": id("WebhookSubscription"), "url": "https://erp.example/", "secret": "fedcba9876543210", "website": id("Website"), "query": query }),
        ),
        (customer, "wishlistCreate", json!({ "name": "Later" })),
        (customer, "wishlistUpdate", json!({ "id": id("Wishlist"), "name": "Soon" })),
        (
            customer,
            "checkout",
            json!({ "cartId": cart.id, "address": home, "billingAddress": home, "contact": contact, "note": "Ring\ntwice", "idempotencyKey": "c" }),
        ),
        (customer, "orderNoteAdd", json!({ "orderId": id("Order"), "text": "Where\nis it?" })),
        (
            admin,
            "shipmentCreate",
            with(json!({ "orderId": id("Order"), "lines": ship_line, "idempotencyKey": "2" }), tracking.clone()),
        ),
        (admin, "shipmentUpdate", with(json!({ "id": id("Shipment") }), tracking)),
        (admin, "returnReject", json!({ "id": id("Return"), "reason": "too late" })),
        (
            customer,
            "returnCreate",
            json!({ "orderId": id("Order"), "lines": return_line, "note": "Sorry", "idempotencyKey": "2" }),
        ),
    ]
}

/// Surrounds the text fields of a value of this input type, and adds them to `seen`.
fn surround(sdl: &Sdl, input: &str, value: &mut Value, seen: &mut BTreeSet<String>) {
    if let Value::Array(items) = value {
        return items.iter_mut().for_each(|item| surround(sdl, input, item, seen));
    }
    for field in sdl.inputs(input) {
        let (name, ty) = (field.name.node.as_str(), base_name(&field.ty.node));
        match value.get_mut(name) {
            Some(text) if ty == "String" && !EXEMPT.contains(&name) => {
                seen.insert(format!("{input}.{name}"));
                let texts = match text {
                    Value::Array(texts) => texts.iter_mut().collect(),
                    text => vec![text],
                };
                for text in texts {
                    *text = json!(format!("{}{}{}", EDGES[0], text.as_str().expect("a text"), EDGES[1]));
                }
            }
            Some(inner) => surround(sdl, ty, inner, seen),
            None => {}
        }
    }
}

/// Returns the text fields of an input type and of those within it.
fn text_fields(sdl: &Sdl, input: &str, fields: &mut BTreeSet<String>) {
    for field in sdl.inputs(input) {
        let (name, ty) = (field.name.node.as_str(), base_name(&field.ty.node));
        if ty == "String" && !EXEMPT.contains(&name) {
            fields.insert(format!("{input}.{name}"));
        } else if ty != input {
            text_fields(sdl, ty, fields);
        }
    }
}

#[tokio::test]
async fn texts_are_stored_without_their_edges() {
    let app = TestApp::new().await;
    let (sdl, scenario) = (Sdl::read(), Scenario::create(&app).await);
    let mut seen = BTreeSet::new();
    let tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    let tables = app.database.rows(tables).await;
    let dirty = tables.iter().map(|table| table.trim_matches(['(', ')'])).map(|table| {
        format!("SELECT '{table}' AS name, r::text AS row FROM {table} r WHERE r::text LIKE '%\u{2003}%'")
    });
    let dirty = dirty.collect::<Vec<_>>().join(" UNION ALL ");
    for (actor, mutation, mut input) in inputs(&scenario, &app).await {
        let type_name = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
        surround(&sdl, &type_name, &mut input, &mut seen);
        let response = scenario.actors[actor].mutate(mutation, "", input.clone()).await;
        assert_eq!(response.outcome(mutation), "done", "{mutation} {input} {:?}", response.json);
        assert_eq!(app.database.rows(&dirty).await, Vec::<String>::new(), "{mutation}");
    }
    let mut all = BTreeSet::new();
    for mutation in sdl.fields("Mutation") {
        for argument in &mutation.arguments {
            text_fields(&sdl, base_name(&argument.node.ty.node), &mut all);
        }
    }
    // The role of a staff member, and an email address that needs a password, are changed in tests of their own.
    let elsewhere =
        ["RoleUpdateInput.description", "RoleUpdateInput.name", "EmailChangeInput.email", "LoginInput.email"];
    let elsewhere = elsewhere.map(str::to_owned).into_iter().chain(["PaymentRefundInput.reason".to_owned()]);
    seen.extend(elsewhere);
    let missing: Vec<_> = all.difference(&seen).collect();
    assert!(missing.is_empty(), "add these text fields to the inputs of this test: {missing:?}");
    // Texts are equal if they are equal without their edges.
    let lamp = format!("{}n1{}", EDGES[0], EDGES[1]);
    let twin = json!({ "sourceWebsiteId": scenario.ids["Website"], "name": "Twin", "sku": lamp, "price": "1" });
    assert_eq!(scenario.actors[7].try_mutate("productCreate", twin).await, "TAKEN sku");
}

#[tokio::test]
async fn lookups_and_filters_ignore_the_edges_of_texts() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    app.product(website, ProductSpec { sku: Some("TR-1".into()), ..ProductSpec::default() }).await;
    app.category("lamps", None).await;
    let admin = app.admin().await;
    for (query, path) in [
        ("query ($t: String!) { products(where: { sku: { eq: $t } }) { nodes { sku } } }", "products.nodes.0.sku"),
        ("query ($t: String!) { products(where: { sku: { in: [$t] } }) { nodes { sku } } }", "products.nodes.0.sku"),
        (
            "query ($t: String!) { products(where: { sku: { contains: $t } }) { nodes { sku } } }",
            "products.nodes.0.sku",
        ),
        ("query ($t: String!) { product(website: \"sailor\\u00a0\", sku: $t) { sku } }", "product.sku"),
        (
            "query ($t: String!) { product(slug: \" product-tr-1\\t\") { sku } products(where: { sku: { eq: $t } }) { nodes { sku } } }",
            "product.sku",
        ),
    ] {
        let found = admin.run_with(query, json!({ "t": format!("{}TR-1{}", EDGES[0], EDGES[1]) })).await;
        assert_eq!(found.text_at(path), "TR-1", "{query}");
    }
    let found = admin.run("{ category(slug: \" lamps\\u200b\") { slug } }").await;
    assert_eq!(found.text_at("category.slug"), "lamps");
}
