//! Websites: creating and changing them, and the values that are rejected.

use serde_json::{Value, json};
use souk::ids::{CategoryId, RowId, WebsiteId};

use crate::support::TestApp;

#[tokio::test]
async fn website_is_created_and_updated_except_its_currency() {
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
        (with("currency", json!("ZZZ")), "!BAD_USER_INPUT"),
        (with("currency", json!("XXX")), "!BAD_USER_INPUT"),
        (with("currency", json!("XTS")), "!BAD_USER_INPUT"),
        (with("currency", json!("XAU")), "!BAD_USER_INPUT"),
        (with("currency", json!("CLF")), "!BAD_USER_INPUT"),
        (with("currency", json!("")), "!BAD_USER_INPUT"),
        (with("currency", json!("€€€")), "!BAD_USER_INPUT"),
        (with("currency", json!(null)), "!BAD_USER_INPUT"),
    ] {
        assert_eq!(admin.try_mutate("websiteCreate", input.clone()).await, expected, "{input}");
    }
    for (change, expected) in [
        (json!({ "id": id, "code": "taken" }), "TAKEN code"),
        (json!({ "id": id, "code": null }), "REQUIRED code"),
        (json!({ "id": id, "name": null }), "REQUIRED name"),
        (json!({ "id": id, "baseUrl": null }), "REQUIRED baseUrl"),
        (json!({ "id": id, "currency": "EUR" }), "!BAD_USER_INPUT"),
        (json!({ "id": WebsiteId(999).to_global_id(), "name": "x" }), "NOT_FOUND id"),
        (json!({ "id": WebsiteId(999).to_global_id() }), "NOT_FOUND id"),
        (json!({ "id": CategoryId(1).to_global_id(), "name": "x" }), "INVALID id"),
    ] {
        assert_eq!(admin.try_mutate("websiteUpdate", change.clone()).await, expected, "{change}");
    }
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn website_is_found_by_id_or_code() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let id = website.id.to_global_id();
    let public = app.anonymous();
    for (arguments, found) in [
        (format!("id: {id:?}"), true),
        ("code: \"sailor\"".to_owned(), true),
        ("code: \" sailor \"".to_owned(), true),
        ("code: \"Sailor\"".to_owned(), false),
        (format!("id: {:?}", WebsiteId(999).to_global_id()), false),
    ] {
        let seen = public.run(&format!("{{ website({arguments}) {{ id }} }}")).await;
        let expected = if found { json!({ "id": id }) } else { Value::Null };
        assert_eq!(*seen.at("website"), expected, "{arguments}");
    }
    for arguments in [format!("id: {id:?}, code: \"sailor\""), "id: null".to_owned(), "id: \"x\"".to_owned()] {
        let rejected = public.run(&format!("{{ website({arguments}) {{ id }} }}")).await;
        assert_eq!(rejected.code(), "BAD_USER_INPUT", "{arguments}");
        assert_eq!(rejected.json["errors"][0]["extensions"]["field"], "id", "{arguments}");
    }
}

#[tokio::test]
async fn website_is_deleted_only_if_nothing_belongs_to_it() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for (code, table, columns, values, message) in [
        ("a", "products", "name, slug, sku, price", "'P', 'p', 'p', 1", "products"),
        ("b", "product_groups", "name, slug, varies_by", "'G', 'g', '{Size}'", "product groups"),
        ("c", "orders", "order_number", "'C-1'", "orders"),
        ("d", "users", "name, role_id", "'U', (SELECT id FROM roles WHERE code = 'customer')", "users"),
    ] {
        let id = app.website(code).await.id;
        let insert = format!("INSERT INTO {table} (source_website_id, {columns}) VALUES ({}, {values})", id.0);
        app.database.sql(&insert).await;
        let before = app.database.contents().await;
        let input = json!({ "id": id.to_global_id() });
        let rejected = admin.mutate("websiteDelete", "deletedId", input).await;
        assert_eq!(rejected.outcome("websiteDelete"), "IN_USE id", "{table}");
        assert!(rejected.text_at("websiteDelete.userErrors.0.message").contains(message), "{rejected:#?}");
        assert_eq!(app.database.contents().await, before, "{table}");
    }
    let empty = app.website("empty").await.id.to_global_id();
    let rule = json!({ "websiteId": empty, "words": ["sale"], "url": "/sale" });
    assert_eq!(admin.try_mutate("searchRuleCreate", rule).await, "done");
    let deleted = admin.mutate("websiteDelete", "deletedId", json!({ "id": empty })).await;
    assert_eq!(*deleted.at("websiteDelete.deletedId"), json!(empty));
    let seen = admin.run("{ website(code: \"empty\") { id } searchRules { nodes { id } } }").await;
    assert_eq!((seen.at("website"), seen.at("searchRules.nodes")), (&Value::Null, &json!([])));
    assert_eq!(admin.try_mutate("websiteDelete", json!({ "id": empty })).await, "NOT_FOUND id");
    assert_eq!(admin.try_mutate("websiteDelete", json!({ "id": CategoryId(1).to_global_id() })).await, "INVALID id");
}
