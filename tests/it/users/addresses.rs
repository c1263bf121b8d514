//! Addresses: access, and the default address.

use serde_json::{Value, json};
use souk::ids::{AddressId, RowId, UserId};

use crate::support::{Actor, TestApp};

async fn try_mutate(actor: &Actor<'_>, mutation: &str, input: Value) -> String {
    actor.mutate(mutation, "", input).await.outcome(mutation)
}

fn address_input(city: &str) -> Value {
    json!({ "countryCode": "DE", "city": city, "address": "Kai 1", "postalCode": "24103" })
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
    let fields = "address { countryCode city district address postalCode isDefault }";
    let mut input = address_input("Kiel");
    input["district"] = json!("Nord");
    let made = customer.mutate("addressCreate", &format!("{fields} address {{ id }}"), input).await;
    let id = made.text_at("addressCreate.address.id");
    let changed = customer.mutate("addressUpdate", fields, json!({ "id": id, "city": "Bonn", "district": null })).await;
    let whole = json!({ "countryCode": "DE", "city": "Bonn", "district": null, "address": "Kai 1", "postalCode": "24103", "isDefault": true });
    assert_eq!(*changed.at("addressUpdate.address"), whole);
    let unchanged = customer.mutate("addressUpdate", fields, json!({ "id": id })).await;
    assert_eq!(*unchanged.at("addressUpdate.address"), whole);
    let before = app.database.contents().await;
    for field in ["countryCode", "city", "address", "isDefault"] {
        let change = json!({ "id": id, field: null });
        assert_eq!(try_mutate(&customer, "addressUpdate", change).await, format!("REQUIRED {field}"));
    }
    let change = json!({ "id": id, "company": " ", "city": " ", "address": "\n", "postalCode": "1".repeat(21) });
    let said = try_mutate(&customer, "addressUpdate", change).await;
    assert_eq!(said, "TOO_LONG postalCode, REQUIRED city, REQUIRED address");
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
        let input = json!({ "countryCode": "GB", "city": "London", "address": typed, "postalCode": "SW1A 1AA" });
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

/// All fields of an address.
const WHOLE: &str =
    "address { id recipientName company phone countryCode country subdivisionCode subdivision city district
    address postalCode }";

#[tokio::test]
async fn address_is_stored_in_the_form_of_its_country() {
    let app = TestApp::new().await;
    let customer = app.customer().await;
    let input = json!({ "recipientName": " Ada Byron ", "company": "Engines", "phone": "(202) 555-0143", "countryCode": "us",
        "subdivisionCode": "ca", "city": "Cupertino", "address": "1 Loop", "postalCode": "95014 1234" });
    let made = customer.mutate("addressCreate", WHOLE, input).await;
    let mut address = made.at("addressCreate.address").clone();
    let id = address["id"].take();
    let mut expected = json!({ "id": null, "recipientName": "Ada Byron", "company": "Engines", "phone": "+12025550143",
        "countryCode": "US", "country": "United States", "subdivisionCode": "US-CA", "subdivision": "California",
        "city": "Cupertino", "district": null, "address": "1 Loop", "postalCode": "95014-1234" });
    assert_eq!(address, expected);
    // The country changes together with what depends on it.
    let change = json!({ "id": id, "countryCode": "GB", "subdivisionCode": null, "postalCode": "sw1a1aa", "company": null,
        "phone": "020 7946 0000", "recipientName": null });
    let changed = customer.mutate("addressUpdate", WHOLE, change).await;
    let mut address = changed.at("addressUpdate.address").clone();
    address["id"].take();
    for (field, value) in [
        ("recipientName", Value::Null),
        ("company", Value::Null),
        ("phone", json!("+442079460000")),
        ("countryCode", json!("GB")),
        ("country", json!("United Kingdom")),
        ("subdivisionCode", Value::Null),
        ("subdivision", Value::Null),
        ("postalCode", json!("SW1A 1AA")),
    ] {
        expected[field] = value;
    }
    assert_eq!(address, expected);
}

#[tokio::test]
async fn address_must_fit_its_country() {
    let app = TestApp::new().await;
    let customer = app.customer().await;
    let id = add_address(&customer, "Kiel", true).await;
    let before = app.database.contents().await;
    let message = async |mutation: &str, input: Value| {
        let response = customer.mutate(mutation, "userErrors { code field message }", input).await;
        let errors = response.at(&format!("{mutation}.userErrors")).as_array().expect("errors").clone();
        let text = |error: &Value, key: &str| error[key].as_str().unwrap_or_default().to_owned();
        errors.iter().map(|error| format!("{}: {}", text(error, "field"), text(error, "message"))).collect::<Vec<_>>()
    };
    let home = |other: Value| {
        let mut input = address_input("Kiel");
        input.as_object_mut().expect("an object").extend(other.as_object().expect("an object").clone());
        input
    };
    for (other, expected) in [
        (json!({ "postalCode": "##" }), "postalCode: postalCode must be a postal code of Germany, such as 10115"),
        (json!({ "postalCode": null }), "postalCode: postalCode is required in Germany, such as 10115"),
        (json!({ "postalCode": " " }), "postalCode: must not be blank"),
        (
            json!({ "countryCode": "US", "postalCode": "95014" }),
            "subdivisionCode: subdivisionCode is required in United States, such as US-AL",
        ),
        (
            json!({ "countryCode": "US", "postalCode": "95014", "subdivisionCode": "CA-ON" }),
            "subdivisionCode: subdivisionCode must be the ISO 3166-2 code of a subdivision of United States, such as US-AL",
        ),
        (
            json!({ "phone": "12" }),
            "phone: must be a valid phone number in DE, or one with country code, such as +44 20 7946 0000",
        ),
        (json!({ "recipientName": "x".repeat(256) }), "recipientName: must be at most 255 characters long"),
    ] {
        assert_eq!(message("addressCreate", home(other.clone())).await, [expected], "{other}");
    }
    for country in ["Narnia", "Germany", "DEU", "ZZ", "##", ""] {
        let other = json!({ "countryCode": country });
        assert_eq!(try_mutate(&customer, "addressCreate", home(other)).await, "!BAD_USER_INPUT", "{country}");
    }
    // A changed part is checked with those that stay.
    for (change, expected) in [
        (json!({ "postalCode": null }), "REQUIRED postalCode"),
        (json!({ "postalCode": "SW1A 1AA" }), "INVALID postalCode"),
        (json!({ "countryCode": "GB" }), "INVALID postalCode"),
        (json!({ "countryCode": "IT", "postalCode": "00144" }), "REQUIRED subdivisionCode"),
    ] {
        let mut input = change.clone();
        input["id"] = json!(id);
        assert_eq!(try_mutate(&customer, "addressUpdate", input).await, expected, "{change}");
    }
    assert_eq!(app.database.contents().await, before);
    // Countries without postal codes, and with optional ones.
    for other in
        [json!({ "countryCode": "HK", "postalCode": null }), json!({ "countryCode": "IE", "postalCode": null })]
    {
        assert_eq!(try_mutate(&customer, "addressCreate", home(other.clone())).await, "done", "{other}");
    }
}

#[tokio::test]
async fn imported_address_stays_until_its_place_is_changed() {
    let app = TestApp::new().await;
    let customer = app.customer().await;
    let id = add_address(&customer, "Kiel", true).await;
    app.database.sql("UPDATE addresses SET country = 'ZZ', district = 'Narnia', postal_code = '##'").await;
    let seen = customer.run("{ me { addresses { countryCode country postalCode } } }").await;
    let unknown = json!([{ "countryCode": "ZZ", "country": "Unknown country", "postalCode": "##" }]);
    assert_eq!(*seen.at("me.addresses"), unknown);
    assert_eq!(try_mutate(&customer, "addressUpdate", json!({ "id": id, "city": "Cair Paravel" })).await, "done");
    let fixed = json!({ "id": id, "countryCode": "DE", "postalCode": "24103" });
    let half = json!({ "id": id, "countryCode": "DE" });
    assert_eq!(try_mutate(&customer, "addressUpdate", half).await, "INVALID postalCode");
    assert_eq!(try_mutate(&customer, "addressUpdate", fixed).await, "done");
}

#[tokio::test]
async fn countries_describe_their_addresses() {
    let app = TestApp::new().await;
    let query = "{ countries { code name postalCode { isRequired example } isSubdivisionRequired subdivisions { code name } } }";
    let response = app.anonymous().run(query).await;
    let countries = response.at("countries").as_array().expect("a list");
    assert_eq!(countries.len(), 250);
    let names: Vec<&str> = countries.iter().map(|country| country["name"].as_str().expect("a name")).collect();
    assert!(names.is_sorted(), "{names:?}");
    let find = |code: &str| countries.iter().find(|country| country["code"] == code).expect("a country");
    assert_eq!(
        *find("DE"),
        json!({ "code": "DE", "name": "Germany", "postalCode": { "isRequired": true, "example": "10115" },
            "isSubdivisionRequired": false, "subdivisions": [] })
    );
    assert_eq!(find("HK")["postalCode"], Value::Null);
    assert_eq!(find("IE")["postalCode"]["isRequired"], json!(false));
    assert_eq!(find("US")["isSubdivisionRequired"], json!(true));
    let states = find("US")["subdivisions"].as_array().expect("a list");
    assert!(states.contains(&json!({ "code": "US-CA", "name": "California" })), "{states:?}");
    assert!(countries.iter().all(|country| country["code"] != "ZZ"));
}
