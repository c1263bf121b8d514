//! What every actor sees of one row of each type, field by field, as a matrix generated from the printed schema.

use std::{collections::BTreeMap, fmt::Write};

use serde_json::{Value, json};

use crate::{
    DOMAINS,
    support::{
        Actor, TestApp,
        generated_operations::{
            MISSING_KEY, argument_literal, document, is_required, missing_id, node_types, root_fields,
        },
        scenario::{ACTORS, Scenario},
        sdl::{Sdl, base_name},
    },
};

/// Returns what an actor sees of a field: `shown`, `none` if it is null or empty, `-` if the row is not visible, or the
/// error code.
async fn field_state(actor: &Actor<'_>, document: &str, id: &str, field: &str) -> String {
    let response = actor.run_with(document, json!({ "id": id })).await;
    if !response.json["errors"].is_null() {
        return response.code().to_owned();
    }
    let node = response.at("node");
    let value = match &node[field] {
        Value::Object(of) if of.contains_key("nodes") => &node[field]["nodes"],
        value => value,
    };
    let outcome = match value {
        _ if node.is_null() => "-",
        Value::Null => "none",
        Value::Array(items) if items.is_empty() => "none",
        _ => "shown",
    };
    outcome.to_owned()
}

/// Returns what each actor sees of each field of each type.
async fn field_matrix(sdl: &Sdl, scenario: &Scenario<'_>) -> String {
    let mut matrix = format!("{:<32}", "");
    for name in ACTORS {
        write!(matrix, "{name:<17}").expect("writing to a string");
    }
    for type_name in node_types(sdl) {
        let id = scenario.ids.get(type_name).unwrap_or_else(|| panic!("the scenario has no {type_name}"));
        for field in sdl.fields(type_name) {
            let name = field.name.node.as_str();
            let target = base_name(&field.ty.node);
            let selection = match target {
                _ if target.ends_with("Connection") => "{ nodes { __typename } }",
                _ if sdl.is_leaf(target) => "",
                _ => "{ __typename }",
            };
            let arguments = field.arguments.iter().filter(|argument| is_required(&argument.node));
            let arguments: Vec<_> =
                arguments.map(|argument| argument_literal(sdl, name, &argument.node, &missing_id)).collect();
            let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
            let document = format!(
                "query ($id: ID!) {{ node(id: $id) {{ ... on {type_name} {{ {name}{arguments} {selection} }} }} }}"
            );
            write!(matrix, "\n{:<32}", format!("{type_name}.{name}")).expect("writing to a string");
            for actor in &scenario.actors {
                write!(matrix, "{:<17}", field_state(actor, &document, id, name).await).expect("writing to a string");
            }
        }
    }
    matrix.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_field_of_every_type_for_every_actor() {
    let app = TestApp::new().await;
    let scenario = Scenario::create(&app).await;
    insta::assert_snapshot!("fields", field_matrix(&Sdl::read(), &scenario).await);
}

#[tokio::test]
async fn every_field_is_the_same_for_every_actor_with_a_warm_cache() {
    let app = TestApp::builder().cached().build().await;
    let (sdl, scenario) = (Sdl::read(), Scenario::create(&app).await);
    // Anonymous clients and the first pass fill the cache.
    for _ in 0..2 {
        app.services.responses.catch_up().await;
        insta::assert_snapshot!("fields", field_matrix(&sdl, &scenario).await);
    }
}

/// Types whose rows can be hidden from an actor; rows of other types are visible to everyone.
const HIDDEN: [&str; 17] = [
    "User",
    "Address",
    "Session",
    "ApiKey",
    "Product",
    "StockMovement",
    "PriceChange",
    "Order",
    "OrderDetail",
    "Shipment",
    "Return",
    "Review",
    "Payment",
    "AuditEntry",
    "Job",
    "Transfer",
    "SearchRule",
];

/// Returns a response without the parts that always differ: the requested id and the extensions.
fn normalized(response: &Value, id: &str) -> String {
    let mut response = response.clone();
    response.as_object_mut().expect("an object").remove("extensions");
    for error in response["errors"].as_array_mut().into_iter().flatten() {
        error["extensions"]["requestId"].take();
    }
    response.to_string().replace(id, "ID")
}

/// Returns the tables whose contents differ, without those for attempt counters, idempotency keys and sessions, which
/// do not belong to the requested row.
fn written_tables<'a>(before: &BTreeMap<String, String>, after: &'a BTreeMap<String, String>) -> Vec<&'a str> {
    let unrelated = ["login_throttles", "idempotency_keys", "jobs", "sessions"];
    let differs = |table: &&String| {
        before.get(*table) != after.get(*table) && !unrelated.contains(&table.trim_start_matches('('))
    };
    after.keys().filter(differs).map(String::as_str).collect()
}

#[tokio::test]
async fn inaccessible_rows_respond_like_missing_rows() {
    let (sdl, app) = (Sdl::read(), TestApp::new().await);
    let scenario = Scenario::create(&app).await;
    let elsewhere = app.website("rise").await;
    let everything = souk::auth::Permission::ALL;
    // Actors who see nothing of the scenario; the last sees rows of other websites only.
    let strangers = [
        &scenario.actors[0],
        &scenario.actors[2],
        &scenario.actors[4],
        &app.user_with(everything, &[elsewhere.id]).await,
    ];
    let mut count = 0;
    for (root, field) in root_fields(&sdl) {
        let of_domains = DOMAINS.iter().flat_map(|domain| domain.restricted_types);
        for type_name in HIDDEN.iter().chain(of_domains).copied() {
            let theirs =
                |wanted: &str| if wanted == type_name { scenario.ids[type_name].clone() } else { missing_id(wanted) };
            let there = document(&sdl, root, &field, &theirs);
            let not_there = document(&sdl, root, &field, &missing_id);
            if there == not_there {
                continue;
            }
            // Selects the contents of the payload, not only the type name.
            let whole = |document: &str| {
                let selection =
                    if root == "Mutation" { "{ userErrors { code message field } }" } else { "{ __typename }" };
                document.replace("{ __typename }", selection)
            };
            let before = app.database.contents().await;
            for stranger in strangers {
                let stranger = stranger.log_in_again().await;
                let mut responses = Vec::new();
                for (document, id) in [(&there, scenario.ids[type_name].clone()), (&not_there, missing_id(type_name))] {
                    responses.push(normalized(&stranger.run(&whole(document)).await.json, &id));
                }
                assert_eq!(
                    responses[0], responses[1],
                    "{root}.{}: reveals that a {type_name} exists\n{there}",
                    field.name.node
                );
                count += 1;
            }
            assert_eq!(written_tables(&before, &app.database.contents().await), [""; 0], "{root}.{}", field.name.node);
        }
        // An id of another type.
        let wrong = document(&sdl, root, &field, &|type_name| {
            missing_id(if type_name == "Brand" { "Category" } else { "Brand" })
        });
        if wrong != document(&sdl, root, &field, &missing_id) && !["node", "nodes"].contains(&field.name.node.as_str())
        {
            let wrong = if root == "Mutation" {
                wrong.replace("{ __typename }", "{ userErrors { code field } }")
            } else {
                wrong
            };
            let admin = scenario.actors[7].log_in_again().await;
            let response = admin.run(&wrong).await;
            let text = response.json.to_string();
            let refused = text.contains("INVALID") || text.contains("BAD_USER_INPUT") || text.contains("FORBIDDEN");
            assert!(refused, "{wrong}\nreturned {text}");
        }
    }
    assert!(count > 60, "only {count} operations take an id");
    assert_eq!(souk::ids::decode(&missing_id("Order")).map(|(_, key)| key), Some(MISSING_KEY));
}

#[tokio::test]
async fn unknown_input_fields_are_rejected() {
    let (sdl, app) = (Sdl::read(), TestApp::new().await);
    let admin = app.admin().await;
    let powers = [
        ("role", json!("admin")),
        ("roleId", json!(missing_id("Role"))),
        ("isAdmin", json!(true)),
        ("isActive", json!(true)),
        ("isBuiltin", json!(true)),
        ("isEmailVerified", json!(true)),
        ("permissions", json!(["MANAGE_USERS"])),
        ("passwordHash", json!("x")),
        ("userId", json!(missing_id("User"))),
        ("sellerId", json!(missing_id("User"))),
        ("status", json!("DELIVERED")),
        ("totalAmount", json!("0")),
        ("unitPrice", json!("0")),
        ("createdAt", json!("2020-01-01T00:00:00Z")),
        ("nonsense", json!(null)),
    ];
    let before = app.database.contents().await;
    for field in sdl.fields("Mutation") {
        let name = field.name.node.as_str();
        let Some(argument) = field.arguments.first() else { continue };
        let input_type = base_name(&argument.node.ty.node);
        for (power, value) in &powers {
            if sdl.inputs(input_type).iter().any(|input| input.name.node == *power) {
                continue;
            }
            // Both as a variable and as a literal.
            let by_variable = format!("mutation ($input: {input_type}!) {{ {name}(input: $input) {{ __typename }} }}");
            let mut input = json!({});
            input[power] = value.clone();
            assert_eq!(
                admin.run_with(&by_variable, json!({ "input": input })).await.code(),
                "BAD_USER_INPUT",
                "{name}.{power}"
            );
            let text = if value.is_string() && *power == "status" { "DELIVERED".to_owned() } else { value.to_string() };
            let literal = format!("mutation {{ {name}(input: {{ {power}: {text} }}) {{ __typename }} }}");
            assert_eq!(admin.run(&literal).await.code(), "BAD_USER_INPUT", "{literal}");
        }
    }
    assert_eq!(app.database.contents().await, before);
}
