//! Addresses: access, and the default address.

use serde_json::{Value, json};
use souk::ids::{AddressId, RowId, UserId};

use crate::support::{Actor, TestApp};

async fn try_mutate(actor: &Actor<'_>, mutation: &str, input: Value) -> String {
    actor.mutate(mutation, "", input).await.outcome(mutation)
}

fn address_input(city: &str) -> Value {
    json!({ "country": "DE", "city": city, "address": "Kai 1" })
}

async fn add_address(actor: &Actor<'_>, city: &str, is_default: bool) -> String {
    let mut input = address_input(city);
    input["isDefault"] = json!(is_default);
    actor.mutate("addressCreate", "address { id }", input).await.text_at("addressCreate.address.id")
}

/// Returns the cities of the actor's addresses; the default is marked with a star.
async fn cities(actor: &Actor<'_>) -> String {
    let me = actor.run("{ me { addresses { city isDefault } } }").await;
    let addresses = me.at("me.addresses").as_array().expect("a list").clone();
    let city = |address: &Value| {
        let star = if address["isDefault"] == true { "*" } else { "" };
        format!("{}{star}", address["city"].as_str().expect("a city"))
    };
    addresses.iter().map(city).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn first_address_is_the_default_until_changed() {
    let app = TestApp::new().await;
    let customer = app.customer().await;
    let kiel = add_address(&customer, "Kiel", false).await;
    assert_eq!(cities(&customer).await, "Kiel*");
    let bonn = add_address(&customer, "Bonn", false).await;
    assert_eq!(cities(&customer).await, "Kiel* Bonn");
    let ulm = add_address(&customer, "Ulm", true).await;
    assert_eq!(cities(&customer).await, "Kiel Bonn Ulm*");
    let default = |id: &str, is_default: bool| json!({ "id": id, "isDefault": is_default });
    assert_eq!(try_mutate(&customer, "addressUpdate", default(&bonn, true)).await, "done");
    assert_eq!(cities(&customer).await, "Kiel Bonn* Ulm");
    assert_eq!(try_mutate(&customer, "addressUpdate", default(&bonn, true)).await, "done");
    assert_eq!(cities(&customer).await, "Kiel Bonn* Ulm");
    assert_eq!(try_mutate(&customer, "addressUpdate", default(&kiel, false)).await, "done");
    assert_eq!(cities(&customer).await, "Kiel Bonn* Ulm");
    // Removing the default does not choose another one.
    assert_eq!(try_mutate(&customer, "addressUpdate", default(&bonn, false)).await, "done");
    assert_eq!(cities(&customer).await, "Kiel Bonn Ulm");
    assert_eq!(try_mutate(&customer, "addressUpdate", default(&ulm, true)).await, "done");
    assert_eq!(try_mutate(&customer, "addressDelete", json!({ "id": kiel })).await, "done");
    assert_eq!(cities(&customer).await, "Bonn Ulm*");
    assert_eq!(try_mutate(&customer, "addressDelete", json!({ "id": ulm })).await, "done");
    assert_eq!(cities(&customer).await, "Bonn");
    assert_eq!(try_mutate(&customer, "addressDelete", json!({ "id": bonn })).await, "done");
    add_address(&customer, "Jena", false).await;
    assert_eq!(cities(&customer).await, "Jena*");
}

#[tokio::test]
async fn update_keeps_absent_fields_and_clears_null_fields() {
    let app = TestApp::new().await;
    let customer = app.customer().await;
    let fields = "address { country city district address postalCode isDefault }";
    let mut input = address_input("Kiel");
    (input["district"], input["postalCode"]) = (json!("Nord"), json!("24103"));
    let made = customer.mutate("addressCreate", &format!("{fields} address {{ id }}"), input).await;
    let id = made.text_at("addressCreate.address.id");
    let changed = customer.mutate("addressUpdate", fields, json!({ "id": id, "city": "Bonn", "district": null })).await;
    let whole = json!({ "country": "DE", "city": "Bonn", "district": null, "address": "Kai 1", "postalCode": "24103", "isDefault": true });
    assert_eq!(*changed.at("addressUpdate.address"), whole);
    let unchanged = customer.mutate("addressUpdate", fields, json!({ "id": id })).await;
    assert_eq!(*unchanged.at("addressUpdate.address"), whole);
    let before = app.database.contents().await;
    for field in ["country", "city", "address", "isDefault"] {
        let change = json!({ "id": id, field: null });
        assert_eq!(try_mutate(&customer, "addressUpdate", change).await, format!("REQUIRED {field}"));
    }
    let change = json!({ "id": id, "country": "", "city": " ", "address": "\n", "postalCode": "1".repeat(21) });
    let said = try_mutate(&customer, "addressUpdate", change).await;
    assert_eq!(said, "REQUIRED country, REQUIRED city, REQUIRED address, TOO_LONG postalCode");
    assert_eq!(app.database.contents().await, before);
}

#[tokio::test]
async fn address_is_accessible_only_to_its_user_and_staff() {
    let app = TestApp::new().await;
    let (customer, neighbour) = (app.customer().await, app.customer().await);
    let (seller, manager, anonymous) = (app.seller().await, app.manager().await, app.anonymous());
    let id = add_address(&customer, "Kiel", false).await;
    let theirs = |city: &str| {
        let mut input = address_input(city);
        input["userId"] = json!(customer.global_id());
        input
    };
    let before = app.database.contents().await;
    for (actor, theirs, address, user) in [
        (&anonymous, theirs("Bonn"), "!UNAUTHENTICATED", "!UNAUTHENTICATED"),
        (&neighbour, theirs("Bonn"), "NOT_FOUND id", "NOT_FOUND userId"),
        (&seller, theirs("Bonn"), "NOT_FOUND id", "NOT_FOUND userId"),
    ] {
        assert_eq!(try_mutate(actor, "addressUpdate", json!({ "id": id, "city": "Bonn" })).await, address);
        assert_eq!(try_mutate(actor, "addressUpdate", json!({ "id": id })).await, address);
        assert_eq!(try_mutate(actor, "addressDelete", json!({ "id": id })).await, address);
        assert_eq!(try_mutate(actor, "addressCreate", theirs).await, user);
    }
    let mut stranger = address_input("Bonn");
    stranger["userId"] = json!(UserId(999).to_global_id());
    assert_eq!(try_mutate(&manager, "addressCreate", stranger).await, "NOT_FOUND userId");
    for (id, expected) in [
        (AddressId(999).to_global_id(), "NOT_FOUND id"),
        (customer.global_id(), "INVALID id"),
        (String::new(), "INVALID id"),
    ] {
        assert_eq!(try_mutate(&manager, "addressUpdate", json!({ "id": id, "city": "x" })).await, expected);
        assert_eq!(try_mutate(&manager, "addressDelete", json!({ "id": id })).await, expected);
    }
    assert_eq!(app.database.contents().await, before);

    assert_eq!(try_mutate(&manager, "addressCreate", theirs("Bonn")).await, "done");
    assert_eq!(try_mutate(&manager, "addressUpdate", json!({ "id": id, "city": "Ulm" })).await, "done");
    assert_eq!(cities(&customer).await, "Ulm* Bonn");
    let deleted = manager.mutate("addressDelete", "deletedId", json!({ "id": id })).await;
    assert_eq!(deleted.text_at("addressDelete.deletedId"), id);
    assert_eq!(cities(&customer).await, "Bonn");
    assert_eq!(cities(&manager).await, "");
}

#[tokio::test]
async fn user_has_at_most_fifty_addresses() {
    let app = TestApp::new().await;
    let (customer, neighbour) = (app.customer().await, app.customer().await);
    for number in 1..=50 {
        assert_eq!(
            try_mutate(&customer, "addressCreate", address_input(&number.to_string())).await,
            "done",
            "{number}"
        );
    }
    let before = app.database.contents().await;
    let response = customer.mutate("addressCreate", "address { id }", address_input("51")).await;
    assert_eq!(response.user_errors("addressCreate"), [("OUT_OF_RANGE".to_owned(), String::new())]);
    assert_eq!(app.database.contents().await, before);
    assert_eq!(try_mutate(&neighbour, "addressCreate", address_input("1")).await, "done");
    assert_eq!(cities(&customer).await.split(' ').count(), 50);
}

#[tokio::test]
async fn street_lines_of_an_address_are_separated_by_line_breaks() {
    let app = TestApp::new().await;
    let customer = app.customer().await;
    for typed in ["12 High Street\nFlat 3", " 12 High Street\r\n\r\n\tFlat 3 \n"] {
        let input = json!({ "country": "GB", "city": "London", "address": typed });
        let made = customer.mutate("addressCreate", "address { address }", input).await;
        assert_eq!(made.text_at("addressCreate.address.address"), "12 High Street\nFlat 3", "{typed:?}");
    }
    let mut input = address_input("Kiel\nOst");
    assert_eq!(try_mutate(&customer, "addressCreate", input.clone()).await, "INVALID city");
    input = address_input("Kiel");
    input["address"] = json!("Kai\t1");
    assert_eq!(try_mutate(&customer, "addressCreate", input.clone()).await, "INVALID address");
    input["address"] = json!(" \n ");
    assert_eq!(try_mutate(&customer, "addressCreate", input).await, "REQUIRED address");
}
