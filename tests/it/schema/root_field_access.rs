//! Permissions: every root field for every role, as a matrix generated from the schema, and which roles and users an
//! actor may change.

use std::fmt::Write;

use async_graphql::parser::types::FieldDefinition;
use serde_json::json;
use souk::auth::Permission;

use crate::support::{
    Actor, TestApp, TestResponse,
    generated_operations::{MISSING_KEY, document, id_for, missing_id, root_fields},
    psql::Psql,
    scenario::{ACTORS, Scenario},
    sdl::{Sdl, description},
};

/// Returns the result of the guards: `allowed`, `UNAUTHENTICATED` or `FORBIDDEN`. Panics on any other error, which
/// means that the document is wrong.
fn guard_result(response: &TestResponse) -> String {
    if response.json["errors"].is_null() {
        return "allowed".to_owned();
    }
    match response.code() {
        code @ ("UNAUTHENTICATED" | "FORBIDDEN") => code.to_owned(),
        other => panic!("{other}: {response:#?}"),
    }
}

/// Returns whether a field's description says that something is required, and the permissions it names.
pub(super) fn required_permissions(field: &FieldDefinition) -> (bool, Vec<Permission>) {
    let text = description(field).split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((_, sentence)) = text.split_once("Requires ") else { return (false, Vec::new()) };
    let sentence = sentence.split('.').next().unwrap_or_default();
    let words: Vec<_> = sentence.split(|letter: char| letter != '_' && !letter.is_ascii_uppercase()).collect();
    let named = Permission::ALL.iter().copied().filter(|permission| words.contains(&permission.as_str())).collect();
    (true, named)
}

#[test]
fn generated_ids_are_valid() {
    let sdl = Sdl::read();
    for (name, type_name) in [("sourceWebsiteId", "Website"), ("orderDetailUpdate", "OrderDetail"), ("ids", "Product")]
    {
        assert_eq!(
            souk::ids::decode(&id_for(&sdl, name, &missing_id)),
            Some((type_name.to_owned(), MISSING_KEY)),
            "{name}"
        );
    }
}

/// Returns which actors may use each root field.
async fn root_field_matrix(sdl: &Sdl, scenario: &Scenario<'_>) -> String {
    let mut matrix = format!("{:<32}", "");
    for name in ACTORS {
        write!(matrix, "{name:<17}").expect("writing to a string");
    }
    for (root, field) in root_fields(sdl) {
        let document = document(sdl, root, &field, &missing_id);
        write!(matrix, "\n{:<32}", format!("{root}.{}", field.name.node)).expect("writing to a string");
        for actor in &scenario.actors {
            // A new login for each field, because some fields log out.
            write!(matrix, "{:<17}", guard_result(&actor.log_in_again().await.run(&document).await))
                .expect("writing to a string");
        }
    }
    matrix.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_root_field_for_every_actor() {
    let app = TestApp::new().await;
    let scenario = Scenario::create(&app).await;
    insta::assert_snapshot!("root_fields", root_field_matrix(&Sdl::read(), &scenario).await);
}

#[tokio::test]
async fn every_root_field_is_open_to_the_same_actors_with_a_warm_cache() {
    let app = TestApp::builder().cached().build().await;
    let (sdl, scenario) = (Sdl::read(), Scenario::create(&app).await);
    // Anonymous clients and the first pass fill the cache.
    for _ in 0..2 {
        app.services.responses.catch_up().await;
        insta::assert_snapshot!("root_fields", root_field_matrix(&sdl, &scenario).await);
    }
}

/// Fields where each of several permissions allows a type of its own; tested in `exports` and `transfers`.
const PER_RESOURCE: &[&str] = &["exportStart", "importStart"];

#[tokio::test]
async fn field_descriptions_name_the_required_permissions() {
    let (sdl, app) = (Sdl::read(), TestApp::new().await);
    let anonymous = app.anonymous();
    let powerless = app.user_with(&[], &[]).await;
    let mut holders = Vec::new();
    for permission in Permission::ALL {
        holders.push((*permission, app.user_with(&[*permission], &[]).await));
    }
    for (root, field) in root_fields(&sdl) {
        let (document, place) = (document(&sdl, root, &field, &missing_id), format!("{root}.{}", field.name.node));
        let (is_guarded, named) = required_permissions(&field);
        let expect = async |who: &str, actor: &Actor<'_>, expected: &str| {
            let found = guard_result(&actor.log_in_again().await.run(&document).await);
            assert_eq!(found, expected, "{place} for {who}; its description: {:?}", description(&field));
        };
        expect("anonymous", &anonymous, if is_guarded { "UNAUTHENTICATED" } else { "allowed" }).await;
        expect("a user without permissions", &powerless, if named.is_empty() { "allowed" } else { "FORBIDDEN" }).await;
        for (permission, actor) in &holders {
            // The permission opens the field, but not for this type.
            if PER_RESOURCE.contains(&field.name.node.as_str()) && named.contains(permission) {
                continue;
            }
            let opens = named.is_empty() || named.contains(permission);
            expect(permission.as_str(), actor, if opens { "allowed" } else { "FORBIDDEN" }).await;
        }
    }
}

/// Returns the outcome of a mutation: `done`, the code of its user error, or the code of its top-level error.
fn outcome(response: &TestResponse, mutation: &str) -> String {
    if !response.json["errors"].is_null() {
        return response.code().to_owned();
    }
    match response.user_errors(mutation).first() {
        Some((code, _)) => code.clone(),
        None => "done".to_owned(),
    }
}

#[tokio::test]
async fn user_cannot_grant_a_role_above_their_own() {
    let app = TestApp::new().await;
    // An additional role with one permission that a manager lacks.
    app.database
        .sql(
            "INSERT INTO roles (code, name) VALUES ('webmaster', 'Webmaster');
             INSERT INTO role_permissions SELECT id, 'MANAGE_WEBSITES' FROM roles WHERE code = 'webmaster'",
        )
        .await;
    let roles = ["customer", "seller", "manager", "webmaster", "admin"];
    let table = [
        (app.anonymous(), ["UNAUTHENTICATED"; 5]),
        (app.customer().await, ["FORBIDDEN"; 5]),
        (app.seller().await, ["FORBIDDEN"; 5]),
        (app.user("webmaster").await, ["FORBIDDEN"; 5]),
        (app.manager().await, ["done", "done", "done", "PERMISSION_NOT_HELD", "PERMISSION_NOT_HELD"]),
        (app.admin().await, ["done"; 5]),
    ];
    let database = Psql::connect(&app.database.url).await;
    for (index, (actor, expected)) in table.iter().enumerate() {
        for (role, expected) in roles.iter().zip(expected) {
            let email = format!("{role}-of-{index}@souk.example");
            let input = json!({ "input": { "name": "New", "email": email, "role": role } });
            let document = "mutation ($input: UserCreateInput!) { userCreate(input: $input) {
                user { role { code } } userErrors { code field } } }";
            let response = actor.run_with(document, input).await;
            assert_eq!(outcome(&response, "userCreate"), *expected, "row {index} creates a {role}: {response:?}");
            let made = database.scalar(&format!("SELECT count(*) FROM users WHERE email = '{email}'")).await;
            assert_eq!(made == "1", *expected == "done", "row {index} creates a {role}");
        }
    }
}

#[tokio::test]
async fn registered_user_is_a_customer() {
    let app = TestApp::new().await;
    let register = r#"mutation { register(input: { name: "New", email: "new@souk.example", password: "correct horse" }) {
        userErrors { code } } }"#;
    // Regardless of the viewer, a registration grants only the customer role.
    let response = app.admin().await.run(register).await;
    assert!(response.user_errors("register").is_empty(), "{response:?}");
    let database = Psql::connect(&app.database.url).await;
    let role = "SELECT code FROM roles JOIN users ON role_id = roles.id WHERE email = 'new@souk.example'";
    assert_eq!(database.scalar(role).await, "customer");
}

#[tokio::test]
async fn user_cannot_change_a_user_with_more_permissions() {
    let app = TestApp::new().await;
    let (customer, seller, manager, admin) =
        (app.customer().await, app.seller().await, app.manager().await, app.admin().await);
    let database = Psql::connect(&app.database.url).await;
    let rename =
        r#"mutation ($id: ID!) { userUpdate(input: { id: $id, name: "Changed" }) { userErrors { code field } } }"#;
    let move_email = r#"mutation ($id: ID!) {
        userUpdate(input: { id: $id, email: "changed@souk.example" }) { userErrors { code field } } }"#;
    let deactivate = "mutation ($id: ID!) { userDeactivate(input: { id: $id }) { userErrors { code field } } }";
    let anonymous = app.anonymous();
    // The actor, the target, and the expected outcomes of renaming, changing the email address and deactivating.
    let table = [
        (&anonymous, &admin, ["UNAUTHENTICATED"; 3]),
        (&customer, &admin, ["NOT_FOUND", "PERMISSION_NOT_HELD", "NOT_FOUND"]),
        (&customer, &seller, ["NOT_FOUND", "PERMISSION_NOT_HELD", "NOT_FOUND"]),
        (&seller, &admin, ["NOT_FOUND", "PERMISSION_NOT_HELD", "NOT_FOUND"]),
        (&seller, &customer, ["NOT_FOUND", "PERMISSION_NOT_HELD", "NOT_FOUND"]),
        (&manager, &admin, ["PERMISSION_NOT_HELD"; 3]),
        (&customer, &customer, ["done", "PERMISSION_NOT_HELD", "done"]),
        (&manager, &seller, ["done"; 3]),
        (&admin, &manager, ["done"; 3]),
    ];
    for (actor, target, expected) in table {
        let row = format!("SELECT users.*::text FROM users WHERE id = {}", target.id.0);
        let operations = [("userUpdate", rename), ("userUpdate", move_email), ("userDeactivate", deactivate)];
        for ((mutation, document), expected) in operations.into_iter().zip(expected) {
            let before = database.scalar(&row).await;
            let response = actor.run_with(document, json!({ "id": target.global_id() })).await;
            assert_eq!(outcome(&response, mutation), expected, "{document} by {} on {}", actor.id.0, target.id.0);
            assert_eq!(database.scalar(&row).await != before, expected == "done", "{document}");
        }
        // So that the next new email address is not taken.
        let reset = format!("UPDATE users SET email = 'user-{0}@souk.example' WHERE id = {0}", target.id.0);
        database.rows(&reset).await;
    }
}
