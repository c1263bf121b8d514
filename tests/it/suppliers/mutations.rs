//! Creating and changing suppliers: names are unique, contacts can be cleared.

use serde_json::json;

use crate::support::TestApp;

#[tokio::test]
async fn supplier_name_is_unique_and_contacts_can_be_cleared() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    let fields = "supplier { id name email phone }";
    let input = json!({ "name": "Hemp Ltd", "email": "sales@hemp.example", "phone": "+44 20 7946 0000" });
    let new = manager.mutate("supplierCreate", fields, input).await;
    let id = new.text_at("supplierCreate.supplier.id");
    manager.create("supplier", json!({ "name": "Jute Ltd" })).await;
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
        assert_eq!(manager.try_mutate("supplierUpdate", change.clone()).await, expected, "{change}");
    }
    assert_eq!(app.database.contents().await, before);
    let changed = manager.mutate("supplierUpdate", fields, json!({ "id": id, "email": null })).await;
    let whole = json!({ "id": id, "name": "Hemp Ltd", "email": null, "phone": "+442079460000" });
    assert_eq!(*changed.at("supplierUpdate.supplier"), whole);
}
