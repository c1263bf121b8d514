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
