//! Writing websites, categories, brands and suppliers: who may, what is refused, what comes of it.

use serde_json::{Value, json};
use souk::ids::{BrandId, CategoryId, RowId, SupplierId, WebsiteId};

use crate::support::{Actor, ProductSpec, TestApp};

/// The id of what a mutation made.
async fn made(actor: &Actor<'_>, noun: &str, input: Value) -> String {
    let mutation = format!("{noun}Create");
    actor.mutate(&mutation, &format!("{noun} {{ id }}"), input).await.text_at(&format!("{mutation}.{noun}.id"))
}

async fn verdict(actor: &Actor<'_>, mutation: &str, input: Value) -> String {
    actor.mutate(mutation, "", input).await.verdict(mutation)
}

#[tokio::test]
async fn only_those_with_the_permission_write_the_catalogue() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id.global();
    let category = app.category("ropes", None).await.id.global();
    let brand = app.brand("knot").await.id.global();
    let supplier = app.supplier("Hemp Ltd").await.id.global();
    let product = app.product(WebsiteId::parse("id", &website).unwrap(), ProductSpec::default()).await.id.global();
    let (anonymous, customer, seller) = (app.anonymous(), app.customer().await, app.seller().await);
    let (manager, admin) = (app.manager().await, app.admin().await);
    // The mutation, an input that is good, and whether sellers, managers and admins may.
    let cases = [
        (
            "websiteCreate",
            json!({ "code": "new", "name": "New", "baseUrl": "https://new.example", "currency": "EUR" }),
            [false, false, true],
        ),
        ("websiteUpdate", json!({ "id": website, "name": "Newer" }), [false, false, true]),
        ("categoryCreate", json!({ "name": "New" }), [false, true, true]),
        ("categoryUpdate", json!({ "id": category, "name": "Newer" }), [false, true, true]),
        ("categoryDelete", json!({ "id": category }), [false, true, true]),
        ("brandCreate", json!({ "name": "New" }), [false, true, true]),
        ("brandUpdate", json!({ "id": brand, "name": "Newer" }), [false, true, true]),
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
        assert_eq!(verdict(&anonymous, mutation, input.clone()).await, "!UNAUTHENTICATED", "{mutation}");
        assert_eq!(verdict(&customer, mutation, input.clone()).await, "!FORBIDDEN", "{mutation}");
        for (actor, may) in [&seller, &manager, &admin].into_iter().zip(may) {
            if !may {
                assert_eq!(verdict(actor, mutation, input.clone()).await, "!FORBIDDEN", "{mutation}");
            }
        }
    }
    assert_eq!(app.database.contents().await, before);
    for (mutation, input, may) in &cases {
        for (actor, may) in [&seller, &manager, &admin].into_iter().zip(may) {
            // Whoever comes second may find it taken or gone: the permission is what counts here.
            let said = verdict(actor, mutation, input.clone()).await;
            assert_eq!(said == "!FORBIDDEN", !may, "{mutation}: {said}");
            assert!(!may || !said.starts_with('!'), "{mutation}: {said}");
        }
    }
}

#[tokio::test]
async fn a_website_is_made_and_changed_but_never_its_currency() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let fields = "website { id code name baseUrl currency }";
    let input = json!({ "code": "sailor", "name": "Sailor", "baseUrl": "https://sailor.example", "currency": "SEK" });
    let new = admin.mutate("websiteCreate", fields, input.clone()).await;
    let mut expected = input.clone();
    expected["id"] = new.at("websiteCreate.website.id").clone();
    assert_eq!(*new.at("websiteCreate.website"), expected);
    let id = new.text_at("websiteCreate.website.id");

    let change = json!({ "id": id, "code": "seaman", "baseUrl": "http://seaman.example" });
    let changed = admin.mutate("websiteUpdate", fields, change).await;
    let whole =
        json!({ "id": id, "code": "seaman", "name": "Sailor", "baseUrl": "http://seaman.example", "currency": "SEK" });
    assert_eq!(*changed.at("websiteUpdate.website"), whole);
    let unchanged = admin.mutate("websiteUpdate", fields, json!({ "id": id })).await;
    assert_eq!(*unchanged.at("websiteUpdate.website"), whole);

    app.website("taken").await;
    let with = |field: &str, value: Value| {
        let mut input = json!({ "code": "new", "name": "New", "baseUrl": "https://new.example", "currency": "EUR" });
        input[field] = value;
        input
    };
    let before = app.database.contents().await;
    for (input, expected) in [
        (with("code", json!("taken")), "TAKEN code"),
        (with("code", json!("")), "INVALID code"),
        (with("code", json!("-a")), "INVALID code"),
        (with("code", json!("A")), "INVALID code"),
        (with("code", json!("a b")), "INVALID code"),
        (with("code", json!("é")), "INVALID code"),
        (with("code", json!("a".repeat(51))), "INVALID code"),
        (with("name", json!(" ")), "REQUIRED name"),
        (with("baseUrl", json!("")), "INVALID baseUrl"),
        (with("baseUrl", json!("ftp://new.example")), "INVALID baseUrl"),
        (with("baseUrl", json!("javascript:alert(1)")), "INVALID baseUrl"),
        (with("baseUrl", json!("https://new.example/a b")), "INVALID baseUrl"),
        (with("baseUrl", json!(format!("https://{}", "a".repeat(2000)))), "INVALID baseUrl"),
        (with("currency", json!("eur")), "!BAD_USER_INPUT"),
        (with("currency", json!("EURO")), "!BAD_USER_INPUT"),
        (with("currency", json!("")), "!BAD_USER_INPUT"),
        (with("currency", json!("€€€")), "!BAD_USER_INPUT"),
        (with("currency", json!(null)), "!BAD_USER_INPUT"),
    ] {
        assert_eq!(verdict(&admin, "websiteCreate", input.clone()).await, expected, "{input}");
    }
    for (change, expected) in [
        (json!({ "id": id, "code": "taken" }), "TAKEN code"),
        (json!({ "id": id, "code": null }), "REQUIRED code"),
        (json!({ "id": id, "name": null }), "REQUIRED name"),
        (json!({ "id": id, "baseUrl": null }), "REQUIRED baseUrl"),
        (json!({ "id": id, "currency": "EUR" }), "!BAD_USER_INPUT"),
        (json!({ "id": WebsiteId(999).global(), "name": "x" }), "NOT_FOUND id"),
        (json!({ "id": WebsiteId(999).global() }), "NOT_FOUND id"),
        (json!({ "id": CategoryId(1).global(), "name": "x" }), "INVALID id"),
    ] {
        assert_eq!(verdict(&admin, "websiteUpdate", change.clone()).await, expected, "{change}");
    }
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn a_moved_category_takes_all_that_is_below_along() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    let new = async |name: &str, parent: Option<&str>| {
        made(&manager, "category", json!({ "name": name, "parentId": parent })).await
    };
    let (house, garden) = (new("House", None).await, new("Garden", None).await);
    let kitchen = new("Kitchen", Some(&house)).await;
    let pots = new("Pots", Some(&kitchen)).await;
    let lids = new("Lids", Some(&pots)).await;
    let above = async |id: &str| {
        let query = "query ($id: ID!) { category(id: $id) { depth parent { name } ancestors { name } } }";
        let found = app.anonymous().run_with(query, json!({ "id": id })).await;
        let names: Vec<String> = found
            .at("category.ancestors")
            .as_array()
            .expect("a list")
            .iter()
            .map(|category| category["name"].as_str().expect("a name").to_owned())
            .collect();
        assert_eq!(*found.at("category.depth"), names.len());
        assert_eq!(found.at("category.parent.name").as_str(), names.last().map(String::as_str));
        names.join(" ")
    };
    assert_eq!(above(&lids).await, "House Kitchen Pots");
    let move_to = async |id: &str, parent: Value| {
        verdict(&manager, "categoryUpdate", json!({ "id": id, "parentId": parent })).await
    };
    assert_eq!(move_to(&kitchen, json!(garden)).await, "done");
    assert_eq!(
        [above(&kitchen).await, above(&pots).await, above(&lids).await],
        ["Garden", "Garden Kitchen", "Garden Kitchen Pots"]
    );
    assert_eq!(move_to(&pots, json!(house)).await, "done");
    assert_eq!([above(&kitchen).await, above(&pots).await, above(&lids).await], ["Garden", "House", "House Pots"]);
    assert_eq!(move_to(&pots, Value::Null).await, "done");
    assert_eq!([above(&pots).await, above(&lids).await], ["", "Pots"]);
    // Absent is not null: it stays where it is.
    assert_eq!(verdict(&manager, "categoryUpdate", json!({ "id": lids, "name": "Covers" })).await, "done");
    assert_eq!(above(&lids).await, "Pots");
    let children = "query ($id: ID!) { category(id: $id) { children { nodes { name } } } }";
    let below = app.anonymous().run_with(children, json!({ "id": pots })).await;
    assert_eq!(*below.at("category.children.nodes"), json!([{ "name": "Covers" }]));

    let before = app.database.contents().await;
    for (id, parent, expected) in [
        (&pots, json!(pots), "CYCLE parentId"),
        (&pots, json!(lids), "CYCLE parentId"),
        (&garden, json!(kitchen), "CYCLE parentId"),
        (&pots, json!(CategoryId(999).global()), "NOT_FOUND parentId"),
        (&pots, json!(BrandId(1).global()), "INVALID parentId"),
        (&pots, json!(""), "INVALID parentId"),
    ] {
        assert_eq!(move_to(id, parent.clone()).await, expected, "{parent}");
    }
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn a_tree_grows_no_deeper_than_thirty_two() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    let mut ids = vec![made(&manager, "category", json!({ "name": "Level 1" })).await];
    for level in 2..=32 {
        ids.push(
            made(&manager, "category", json!({ "name": format!("Level {level}"), "parentId": ids[level - 2] })).await,
        );
    }
    let root = made(&manager, "category", json!({ "name": "Root" })).await;
    let before = app.database.contents().await;
    let deeper = json!({ "name": "Level 33", "parentId": ids[31] });
    assert_eq!(verdict(&manager, "categoryCreate", deeper).await, "OUT_OF_RANGE parentId");
    let deeper = json!({ "id": ids[0], "parentId": root });
    assert_eq!(verdict(&manager, "categoryUpdate", deeper).await, "OUT_OF_RANGE parentId");
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn what_is_in_use_is_not_deleted_and_what_is_free_is_gone() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let manager = app.manager().await;
    let top = app.category("top", None).await;
    let below = app.category("below", Some(top.id)).await;
    let (brand, supplier) = (app.brand("knot").await, app.supplier("Hemp Ltd").await);
    let spec = ProductSpec {
        category: Some(below.id),
        brand: Some(brand.id),
        supplier: Some(supplier.id),
        ..ProductSpec::default()
    };
    let product = app.product(website.id, spec).await.id.global();
    // A product that was deleted softly holds on to them too: old orders show it.
    assert_eq!(verdict(&manager, "productDelete", json!({ "id": product })).await, "done");
    let things = [
        ("categoryDelete", top.id.global()),
        ("categoryDelete", below.id.global()),
        ("brandDelete", brand.id.global()),
        ("supplierDelete", supplier.id.global()),
    ];
    let before = app.database.contents().await;
    for (mutation, id) in &things {
        assert_eq!(verdict(&manager, mutation, json!({ "id": id })).await, "IN_USE id", "{mutation}");
    }
    assert_eq!(app.database.contents().await, before);

    let free = json!({ "id": product, "categoryId": null, "brandId": null, "supplierId": null });
    assert_eq!(verdict(&manager, "productUpdate", free).await, "done");
    for (mutation, id) in things.iter().rev() {
        let answer = manager.mutate(mutation, "deletedId", json!({ "id": id })).await;
        assert_eq!(answer.text_at(&format!("{mutation}.deletedId")), *id);
        let node = manager.run_with("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert!(node.at("node").is_null());
        assert_eq!(verdict(&manager, mutation, json!({ "id": id })).await, "NOT_FOUND id", "{mutation}");
    }
    assert_eq!(app.database.rows("SELECT kind FROM search_documents WHERE kind <> 'product'").await.len(), 0);
    for (mutation, id) in [
        ("categoryDelete", BrandId(1).global()),
        ("brandDelete", SupplierId(1).global()),
        ("supplierDelete", String::new()),
    ] {
        assert_eq!(verdict(&manager, mutation, json!({ "id": id })).await, "INVALID id", "{mutation}");
    }
}

#[tokio::test]
async fn categories_and_brands_get_slugs_that_are_plain_and_their_own() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    for noun in ["category", "brand"] {
        let (create, update) = (format!("{noun}Create"), format!("{noun}Update"));
        let fields = format!("{noun} {{ id name slug description }}");
        let new = manager.mutate(&create, &fields, json!({ "name": "Café & Bar", "description": "Cups" })).await;
        let id = new.text_at(&format!("{create}.{noun}.id"));
        assert_eq!(new.text_at(&format!("{create}.{noun}.slug")), "cafe-bar");
        let chosen = manager.mutate(&create, &fields, json!({ "name": "Café & Bar", "slug": "bar" })).await;
        assert_eq!(chosen.text_at(&format!("{create}.{noun}.slug")), "bar");

        let before = app.database.contents().await;
        for (mutation, input, expected) in [
            (&create, json!({ "name": "Cafe Bar" }), "TAKEN slug"),
            (&create, json!({ "name": "Other", "slug": "bar" }), "TAKEN slug"),
            (&create, json!({ "name": "Other", "slug": "Bar" }), "INVALID slug"),
            (&create, json!({ "name": "Other", "slug": "a--b" }), "INVALID slug"),
            (&create, json!({ "name": "Other", "slug": "-a" }), "INVALID slug"),
            (&create, json!({ "name": "Other", "slug": "" }), "INVALID slug"),
            (&create, json!({ "name": "Other", "slug": "a".repeat(201) }), "INVALID slug"),
            (&update, json!({ "id": id, "slug": "bar" }), "TAKEN slug"),
            (&update, json!({ "id": id, "slug": "ü" }), "INVALID slug"),
            (&update, json!({ "id": id, "slug": null }), "REQUIRED slug"),
            (&update, json!({ "id": id, "name": null }), "REQUIRED name"),
            (&update, json!({ "id": id, "name": "" }), "REQUIRED name"),
            (&update, json!({ "id": SupplierId(1).global(), "name": "x" }), "INVALID id"),
        ] {
            assert_eq!(verdict(&manager, mutation, input.clone()).await, expected, "{mutation} {input}");
        }
        let missing = if noun == "category" { CategoryId(999).global() } else { BrandId(999).global() };
        assert_eq!(verdict(&manager, &update, json!({ "id": missing, "name": "x" })).await, "NOT_FOUND id");
        assert_eq!(app.database.contents().await, before);

        // A new name leaves the slug, so that links stay; null clears the description.
        let renamed = manager.mutate(&update, &fields, json!({ "id": id, "name": "Bistro" })).await;
        let whole = json!({ "id": id, "name": "Bistro", "slug": "cafe-bar", "description": "Cups" });
        assert_eq!(*renamed.at(&format!("{update}.{noun}")), whole);
        let cleared = manager.mutate(&update, &fields, json!({ "id": id, "description": null })).await;
        assert_eq!(cleared.text_at(&format!("{update}.{noun}.description")), "");
    }
}

#[tokio::test]
async fn a_supplier_has_a_name_of_its_own_and_contacts_that_can_be_cleared() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    let fields = "supplier { id name email phone }";
    let input = json!({ "name": "Hemp Ltd", "email": "sales@hemp.example", "phone": "+44 20 7946 0000" });
    let new = manager.mutate("supplierCreate", fields, input).await;
    let id = new.text_at("supplierCreate.supplier.id");
    made(&manager, "supplier", json!({ "name": "Jute Ltd" })).await;
    let before = app.database.contents().await;
    for (change, expected) in [
        (json!({ "name": "Jute Ltd" }), "TAKEN name"),
        (json!({ "name": null }), "REQUIRED name"),
        (json!({ "email": "nobody" }), "INVALID email"),
        (json!({ "email": "a@b@c" }), "INVALID email"),
        (json!({ "email": "" }), "INVALID email"),
        (json!({ "phone": "12" }), "INVALID phone"),
        (json!({ "phone": "call me" }), "INVALID phone"),
        (json!({ "phone": "1".repeat(41) }), "INVALID phone"),
        (json!({ "name": " ", "email": "x", "phone": "x" }), "REQUIRED name, INVALID email, INVALID phone"),
    ] {
        let mut change = change;
        change["id"] = json!(id);
        assert_eq!(verdict(&manager, "supplierUpdate", change.clone()).await, expected, "{change}");
    }
    assert_eq!(app.database.contents().await, before);
    let changed = manager.mutate("supplierUpdate", fields, json!({ "id": id, "email": null })).await;
    let whole = json!({ "id": id, "name": "Hemp Ltd", "email": null, "phone": "+442079460000" });
    assert_eq!(*changed.at("supplierUpdate.supplier"), whole);
}
