//! Product groups: products that are variants of the same item, such as sizes or colors.

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{ProductGroupId, ProductId, RowId, WebsiteId},
};

use crate::support::{Actor, ProductSpec, TestApp};

async fn try_mutate(actor: &Actor<'_>, mutation: &str, input: Value) -> String {
    actor.mutate(mutation, "", input).await.outcome(mutation)
}

/// Creates a group at a website; returns its id.
async fn create_group(manager: &Actor<'_>, website: WebsiteId, name: &str, varies_by: &[&str]) -> String {
    let input = json!({ "sourceWebsiteId": website.to_global_id(), "name": name, "variesBy": varies_by });
    manager
        .mutate("productGroupCreate", "productGroup { id }", input)
        .await
        .text_at("productGroupCreate.productGroup.id")
}

/// Returns options in the form of an input.
fn options(given: &[(&str, &str)]) -> Value {
    given.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
}

async fn add_to_group(manager: &Actor<'_>, product: ProductId, group: &str, given: &[(&str, &str)]) -> String {
    let input = json!({ "id": product.to_global_id(), "groupId": group, "options": options(given) });
    try_mutate(manager, "productUpdate", input).await
}

#[tokio::test]
async fn product_managers_of_the_website_create_update_and_delete_groups() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("here").await.id, app.website("there").await.id);
    let manager = app.manager().await;
    let fields = "productGroup { name slug description variesBy sourceWebsite { code } priceRange { min { amount } }
        options { name values } }";
    let shirt =
        json!({ "sourceWebsiteId": here.to_global_id(), "name": "Shirt, plain", "variesBy": ["Size", "Colour"] });
    let made = manager.mutate("productGroupCreate", fields, shirt.clone()).await;
    let whole = json!({ "name": "Shirt, plain", "slug": "shirt-plain", "description": "", "variesBy": ["Size", "Colour"],
        "sourceWebsite": { "code": "here" }, "priceRange": null,
        "options": [{ "name": "Size", "values": [] }, { "name": "Colour", "values": [] }] });
    assert_eq!(*made.at("productGroupCreate.productGroup"), whole);
    let again = manager.mutate("productGroupCreate", fields, shirt.clone()).await;
    assert_eq!(again.text_at("productGroupCreate.productGroup.slug"), "shirt-plain-2");
    let id = create_group(&manager, here, "Cap", &["Size"]).await;

    let elsewhere = app.user_with(Permission::ALL, &[there]).await;
    let before = app.database.contents().await;
    let with = |field: &str, value: Value| {
        let mut input = shirt.clone();
        input["slug"] = json!("other");
        input[field] = value;
        input
    };
    for (field, value, expected) in [
        ("slug", json!("shirt-plain"), "TAKEN slug"),
        ("slug", json!("Shirt"), "INVALID slug"),
        ("name", json!(" "), "REQUIRED name"),
        ("name", json!("x".repeat(256)), "TOO_LONG name"),
        ("sourceWebsiteId", json!(WebsiteId(99).to_global_id()), "NOT_FOUND sourceWebsiteId"),
        ("sourceWebsiteId", json!("x"), "INVALID sourceWebsiteId"),
        ("variesBy", json!([]), "OUT_OF_RANGE variesBy"),
        ("variesBy", json!(["a", "b", "c", "d", "e", "f"]), "OUT_OF_RANGE variesBy"),
        ("variesBy", json!(["Size", "size"]), "INVALID variesBy"),
        ("variesBy", json!(["Size", ""]), "REQUIRED variesBy"),
        ("variesBy", json!(["x".repeat(51)]), "TOO_LONG variesBy"),
    ] {
        assert_eq!(try_mutate(&manager, "productGroupCreate", with(field, value.clone())).await, expected, "{value}");
    }
    for (change, expected) in [
        (json!({ "slug": "shirt-plain" }), "TAKEN slug"),
        (json!({ "name": null }), "REQUIRED name"),
        (json!({ "variesBy": null }), "REQUIRED variesBy"),
        (json!({ "variesBy": [] }), "OUT_OF_RANGE variesBy"),
        (json!({ "id": ProductGroupId(99).to_global_id(), "name": "x" }), "NOT_FOUND id"),
        (json!({ "id": here.to_global_id(), "name": "x" }), "INVALID id"),
    ] {
        let mut input = json!({ "id": id });
        change.as_object().expect("fields").iter().for_each(|(field, value)| input[field] = value.clone());
        assert_eq!(try_mutate(&manager, "productGroupUpdate", input).await, expected, "{change}");
    }
    // Managers of another website cannot find the group, and cannot create one here.
    assert_eq!(
        try_mutate(&elsewhere, "productGroupCreate", with("slug", json!("s"))).await,
        "PERMISSION_NOT_HELD sourceWebsiteId"
    );
    assert_eq!(try_mutate(&elsewhere, "productGroupUpdate", json!({ "id": id, "name": "x" })).await, "NOT_FOUND id");
    assert_eq!(try_mutate(&elsewhere, "productGroupDelete", json!({ "id": id })).await, "NOT_FOUND id");
    assert_eq!(app.database.contents().await, before);

    let change = json!({ "id": id, "name": "Hat", "variesBy": ["Girth", "Cut"], "description": "Felt" });
    assert_eq!(try_mutate(&manager, "productGroupUpdate", change).await, "done");
    let found = app.anonymous().run("{ productGroup(slug: \"cap\") { id name description variesBy } }").await;
    let hat = json!({ "id": id, "name": "Hat", "description": "Felt", "variesBy": ["Girth", "Cut"] });
    assert_eq!(*found.at("productGroup"), hat);
    let list =
        "query ($website: ID!) { productGroups(where: {sourceWebsite: {eq: $website}, name: {contains: \"hat\"}}) {
        nodes { name } totalCount { value } } }";
    for (website, count) in [(here, 1), (there, 0)] {
        let found = app.anonymous().run_with(list, json!({ "website": website.to_global_id() })).await;
        assert_eq!(*found.at("productGroups.totalCount.value"), count);
    }
    assert_eq!(try_mutate(&manager, "productGroupDelete", json!({ "id": id })).await, "done");
    assert_eq!(try_mutate(&manager, "productGroupDelete", json!({ "id": id })).await, "NOT_FOUND id");
}

#[tokio::test]
async fn grouped_products_have_unique_option_values() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("here").await.id, app.website("there").await.id);
    let (manager, seller) = (app.manager().await, app.seller().await);
    let shirt = create_group(&manager, here, "Shirt", &["Size", "Colour"]).await;
    let foreign = create_group(&manager, there, "Shirt there", &["Size", "Colour"]).await;
    let product = |seller| app.product(here, ProductSpec { seller, ..ProductSpec::default() });
    let (first, second, own) = (product(None).await.id, product(None).await.id, product(Some(seller.id)).await.id);
    let (small, large) = ([("Colour", "Red"), ("Size", "S")], [("Size", "L"), ("Colour", "Red")]);
    assert_eq!(add_to_group(&manager, first, &shirt, &small).await, "done");

    let before = app.database.contents().await;
    let unknown = ProductGroupId(99).to_global_id();
    for (given, expected) in [
        (vec![("Size", "S"), ("Colour", "Red")], "TAKEN options"),
        (vec![], "INVALID options"),
        (vec![("Size", "S")], "INVALID options"),
        (vec![("Size", "S"), ("Size", "M")], "INVALID options"),
        (vec![("Size", "S"), ("Colour", "Blue"), ("Cut", "Slim")], "INVALID options"),
        (vec![("size", "S"), ("Colour", "Blue")], "INVALID options"),
        (vec![("Size", ""), ("Colour", "Blue")], "REQUIRED options"),
    ] {
        assert_eq!(add_to_group(&manager, second, &shirt, &given).await, expected, "{given:?}");
    }
    assert_eq!(add_to_group(&manager, second, &unknown, &large).await, "NOT_FOUND groupId");
    assert_eq!(add_to_group(&manager, second, &here.to_global_id(), &large).await, "INVALID groupId");
    assert_eq!(add_to_group(&manager, second, &foreign, &large).await, "INVALID groupId");
    assert_eq!(add_to_group(&seller, own, &shirt, &large).await, "PERMISSION_NOT_HELD groupId");
    let long = "x".repeat(101);
    assert_eq!(add_to_group(&manager, second, &shirt, &[("Size", &long), ("Colour", "Red")]).await, "TOO_LONG options");
    let without = json!({ "id": second.to_global_id(), "options": options(&large) });
    assert_eq!(try_mutate(&manager, "productUpdate", without).await, "INVALID options", "options require a group");
    let new = |group: &str, given: &[(&str, &str)]| {
        json!({ "sourceWebsiteId": here.to_global_id(), "name": "Shirt", "sku": "S-1", "price": "1", "groupId": group,
            "options": options(given) })
    };
    assert_eq!(try_mutate(&manager, "productCreate", new(&shirt, &small)).await, "TAKEN options");
    assert_eq!(try_mutate(&manager, "productCreate", new(&foreign, &large)).await, "INVALID groupId");
    assert_eq!(try_mutate(&seller, "productCreate", new(&shirt, &large)).await, "PERMISSION_NOT_HELD groupId");
    assert_eq!(app.database.contents().await, before);

    let made =
        manager.mutate("productCreate", "product { group { slug } options { name value } }", new(&shirt, &large));
    let whole = json!({ "group": { "slug": "shirt" },
        "options": [{ "name": "Size", "value": "L" }, { "name": "Colour", "value": "Red" }] });
    assert_eq!(*made.await.at("productCreate.product"), whole);

    // A product that leaves the group frees its combination.
    let fields = "product { group { id } options { name } }";
    let out = manager.mutate("productUpdate", fields, json!({ "id": first.to_global_id(), "groupId": null })).await;
    assert_eq!(*out.at("productUpdate.product"), json!({ "group": null, "options": [] }));
    assert_eq!(add_to_group(&manager, second, &shirt, &small).await, "done");
    let change = json!({ "id": second.to_global_id(), "options": options(&[("Size", "M"), ("Colour", "Red")]) });
    assert_eq!(try_mutate(&manager, "productUpdate", change).await, "done", "an omitted group is kept");
    assert_eq!(add_to_group(&manager, first, &shirt, &small).await, "done");
}

#[tokio::test]
async fn options_of_a_group_in_use_can_be_renamed_but_not_reordered() {
    let app = TestApp::new().await;
    let website = app.website("here").await.id;
    let manager = app.manager().await;
    let shirt = create_group(&manager, website, "Shirt", &["Size", "Color"]).await;
    let product = app.product(website, ProductSpec::default()).await.id;
    assert_eq!(add_to_group(&manager, product, &shirt, &[("Size", "S"), ("Color", "Red")]).await, "done");
    // An inactive product still belongs to the group.
    assert_eq!(try_mutate(&manager, "productDelete", json!({ "id": product.to_global_id() })).await, "done");
    for (names, expected) in [
        (json!(["Size"]), "IN_USE variesBy"),
        (json!(["Size", "Color", "Cut"]), "IN_USE variesBy"),
        (json!(["Color", "Size"]), "IN_USE variesBy"),
        (json!(["Color", "Cut"]), "IN_USE variesBy"),
        (json!(["Size", "Colour"]), "done"),
    ] {
        let change = json!({ "id": shirt, "variesBy": names });
        assert_eq!(try_mutate(&manager, "productGroupUpdate", change).await, expected, "{names}");
    }
    assert_eq!(try_mutate(&manager, "productGroupDelete", json!({ "id": shirt })).await, "IN_USE id");
    let query = "query ($id: ID!) { product(id: $id) { options { name value } } }";
    let found = manager.run_with(query, json!({ "id": product.to_global_id() })).await;
    assert_eq!(*found.at("product.options"), options(&[("Size", "S"), ("Colour", "Red")]));
    assert_eq!(
        try_mutate(&manager, "productUpdate", json!({ "id": product.to_global_id(), "groupId": null })).await,
        "done"
    );
    let change = json!({ "id": shirt, "variesBy": ["Girth"] });
    assert_eq!(try_mutate(&manager, "productGroupUpdate", change).await, "done");
    assert_eq!(try_mutate(&manager, "productGroupDelete", json!({ "id": shirt })).await, "done");
}

#[tokio::test]
async fn concurrent_claims_of_an_option_combination_succeed_once() {
    let app = TestApp::new().await;
    let website = app.website("here").await.id;
    let manager = app.manager().await;
    let shirt = create_group(&manager, website, "Shirt", &["Size"]).await;
    let mut products = Vec::new();
    for _ in 0..8 {
        products.push(app.product(website, ProductSpec::default()).await.id);
    }
    let mut said =
        futures_util::future::join_all(products.iter().map(|id| add_to_group(&manager, *id, &shirt, &[("Size", "S")])))
            .await;
    said.sort();
    assert_eq!(said.pop().as_deref(), Some("done"));
    assert_eq!(said, ["TAKEN options"; 7]);
    // Products join while another request changes the options: one of the two is rejected.
    let other = create_group(&manager, website, "Other", &["Size"]).await;
    let change = try_mutate(&manager, "productGroupUpdate", json!({ "id": other, "variesBy": ["Size", "Cut"] }));
    let join = add_to_group(&manager, products[0], &other, &[("Size", "S")]);
    let both = futures_util::future::join(change, join).await;
    assert!(
        [("done", "INVALID options"), ("IN_USE variesBy", "done")].contains(&(both.0.as_str(), both.1.as_str())),
        "{both:?}"
    );
}

#[tokio::test]
async fn group_shows_options_and_prices_of_visible_products() {
    let app = TestApp::new().await;
    let website = app.website("here").await.id;
    let manager = app.manager().await;
    let shirt = create_group(&manager, website, "Shirt", &["Size", "Colour"]).await;
    let mut last = None;
    for (size, colour, price) in
        [("M", "Red", "12.00"), ("S", "Red", "10.50"), ("M", "Blue", "20.00"), ("L", "Lime", "99.00")]
    {
        let product = app.product(website, ProductSpec { price: Some(price), ..ProductSpec::default() }).await.id;
        assert_eq!(add_to_group(&manager, product, &shirt, &[("Size", size), ("Colour", colour)]).await, "done");
        last = Some(product);
    }
    let removed = json!({ "id": last.expect("four products").to_global_id() });
    assert_eq!(try_mutate(&manager, "productDelete", removed).await, "done");
    let query = "{ productGroup(slug: \"shirt\") { options { name values } priceRange { min { amount currency } max { amount } }
        products(orderBy: {field: PRICE}) { totalCount { value } nodes { price { amount } } } } }";
    let public = json!({
        "options": [{ "name": "Size", "values": ["M", "S"] }, { "name": "Colour", "values": ["Red", "Blue"] }],
        "priceRange": { "min": { "amount": "10.50", "currency": "EUR" }, "max": { "amount": "20.00" } },
        "products": { "totalCount": { "value": 3 }, "nodes": [
            { "price": { "amount": "10.50" } }, { "price": { "amount": "12.00" } }, { "price": { "amount": "20.00" } }] }
    });
    assert_eq!(*app.anonymous().run(query).await.at("productGroup"), public);
    let staff = manager.run(query).await;
    assert_eq!(*staff.at("productGroup.options.0.values"), json!(["M", "S", "L"]));
    assert_eq!(staff.text_at("productGroup.priceRange.max.amount"), "99.00");
}

/// Returns the rows of all pages of a list, read forward or backward.
async fn read_all_pages(actor: &Actor<'_>, arguments: &str, backward: bool) -> Vec<Value> {
    let (count, place, info) = match backward {
        false => ("first", "after", "hasNextPage endCursor"),
        true => ("last", "before", "hasPreviousPage startCursor"),
    };
    let (mut rows, mut cursor) = (Vec::new(), Value::Null);
    loop {
        let at = if cursor.is_null() { String::new() } else { format!("{place}: {cursor}, ") };
        let document = format!(
            "{{ products({count}: 7, {at}{arguments}) {{ nodes {{ id group {{ id }} }} pageInfo {{ {info} }} }} }}"
        );
        let page = actor.run(&document).await;
        let nodes = page.at("products.nodes").as_array().expect("a list").clone();
        let (more, next) = info.split_once(' ').expect("two fields");
        cursor = page.at(&format!("products.pageInfo.{next}")).clone();
        let is_last = page.at(&format!("products.pageInfo.{more}")) == &json!(false);
        if backward { rows.splice(0..0, nodes) } else { rows.splice(rows.len().., nodes) }.for_each(drop);
        if is_last {
            return rows;
        }
    }
}

#[tokio::test]
async fn one_per_group_lists_the_first_matching_product_of_each_group() {
    let app = TestApp::new().await;
    let website = app.website("here").await.id.0;
    // 60 products, many with equal prices and times, some without a group, some inactive.
    let script = format!(
        "INSERT INTO product_groups (id, source_website_id, name, slug, varies_by)
            SELECT 100 + i, {website}, 'Group ' || i, 'group-' || i, '{{Size}}' FROM generate_series(1, 8) i;
         INSERT INTO products (id, source_website_id, name, slug, sku, price, is_active, created_at, group_id, option_values)
            SELECT 1000 + i, {website}, 'Thing ' || i * 31 % 13, 'thing-' || i, 'T-' || i, i * 17 % 7, i % 9 <> 0,
                   now() - i * 7919 % 11 * interval '1 min',
                   CASE WHEN i % 5 <> 0 THEN 101 + i * 13 % 8 END, CASE WHEN i % 5 <> 0 THEN ARRAY[i::text] ELSE '{{}}' END
            FROM generate_series(1, 60) i"
    );
    app.bulk_insert(&script).await;
    let filters = [
        "{}",
        "{price: {gte: \"3\"}}",
        "{or: [{price: {lte: \"1\"}}, {name: {contains: \"1\"}}]}",
        "{not: {sku: {contains: \"2\"}}}",
        "{isActive: false}",
    ];
    let mut collapsed = 0;
    for actor in [app.anonymous(), app.manager().await] {
        for filter in filters {
            for field in ["CREATED_AT", "NAME", "PRICE"] {
                for direction in ["ASC", "DESC"] {
                    let arguments = format!("where: {filter}, orderBy: {{field: {field}, direction: {direction}}}");
                    let mut seen = Vec::new();
                    let mut model = read_all_pages(&actor, &arguments, false).await;
                    let all = model.len();
                    model.retain(|row| {
                        let is_first = row["group"].is_null() || !seen.contains(&row["group"]);
                        seen.push(row["group"].clone());
                        is_first
                    });
                    collapsed += all - model.len();
                    let one = format!("{arguments}, onePerGroup: true");
                    assert_eq!(read_all_pages(&actor, &one, false).await, model, "{one}");
                    assert_eq!(read_all_pages(&actor, &one, true).await, model, "from the end: {one}");
                    let count = format!("{{ products({one}) {{ totalCount {{ value }} }} }}");
                    assert_eq!(*actor.run(&count).await.at("products.totalCount.value"), model.len(), "{one}");
                }
            }
        }
    }
    assert!(collapsed > 500, "only {collapsed} rows were collapsed");
}
