//! Who may do what: every root field for every role, as a matrix made from the schema itself, and what a role may give.

use std::fmt::Write;

use async_graphql::parser::types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use souk::auth::Permission;

use crate::support::{
    Actor, Answer, TestApp,
    psql::Psql,
    sdl::{Sdl, base_name, description},
};

/// The key of nothing: every id that the matrix sends names no row, so that no field changes anything that matters.
const NOTHING: i64 = 999_999;

/// An operation that selects one root field, its arguments filled with values of the right types.
fn document(sdl: &Sdl, root: &str, field: &FieldDefinition) -> String {
    let name = field.name.node.as_str();
    let wanted = |argument: &InputValueDefinition| is_required(argument) || base_name(&argument.ty.node) == "ID";
    let arguments: Vec<_> = field
        .arguments
        .iter()
        .filter(|argument| wanted(&argument.node))
        .map(|argument| given(sdl, name, &argument.node))
        .collect();
    let arguments = if arguments.is_empty() { String::new() } else { format!("({})", arguments.join(", ")) };
    let is_leaf = matches!(sdl.get(base_name(&field.ty.node)).map(|ty| &ty.kind), None | Some(TypeKind::Scalar));
    let selection = if is_leaf { "" } else { " { __typename }" };
    format!("{} {{ {name}{arguments}{selection} }}", root.to_lowercase())
}

fn is_required(value: &InputValueDefinition) -> bool {
    !value.ty.node.nullable && value.default_value.is_none()
}

fn given(sdl: &Sdl, field: &str, argument: &InputValueDefinition) -> String {
    let name = argument.name.node.as_str();
    format!("{name}: {}", value(sdl, field, name, &argument.ty.node))
}

fn value(sdl: &Sdl, field: &str, name: &str, ty: &Type) -> String {
    let type_name = match &ty.base {
        BaseType::List(inner) => return format!("[{}]", value(sdl, field, name, inner)),
        BaseType::Named(name) => name.as_str(),
    };
    match sdl.get(type_name).map(|definition| &definition.kind) {
        Some(TypeKind::Enum(values)) => values.values[0].node.value.node.to_string(),
        Some(TypeKind::InputObject(_)) => {
            let fields = sdl.inputs(type_name).into_iter().filter(|input| is_required(input));
            let fields: Vec<_> = fields.map(|input| given(sdl, field, input)).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        _ => match type_name {
            "ID" => format!("{:?}", global_id(sdl, if name == "id" { field } else { name })),
            "String" => "\"text\"".to_owned(),
            "Int" => "1".to_owned(),
            "Boolean" => "true".to_owned(),
            "Decimal" => "\"1.00\"".to_owned(),
            "CurrencyCode" => "\"EUR\"".to_owned(),
            "DateTime" => "\"2026-01-01T00:00:00Z\"".to_owned(),
            other => panic!("say here what a {other} looks like, for {field}({name})"),
        },
    }
}

/// An id of the noun that a name speaks of: `sourceWebsiteId` of a website, `orderDetailUpdate` of an order's line.
fn global_id(sdl: &Sdl, name: &str) -> String {
    let name = name.trim_end_matches("Id").to_lowercase();
    let nodes = sdl.types().filter(|(_, definition)| {
        matches!(&definition.kind, TypeKind::Object(object) if object.implements.iter().any(|i| i.node == "Node"))
    });
    let spoken = nodes.map(|(node, _)| node).filter(|node| name.contains(&node.to_lowercase()));
    let noun = spoken.max_by_key(|node| node.len()).unwrap_or("Product");
    // Written out here, since the program builds ids of known types only.
    URL_SAFE_NO_PAD.encode(format!("{noun}:{NOTHING}"))
}

/// Whether the guards let an operation pass: `allowed`, `UNAUTHENTICATED` or `FORBIDDEN`. Anything else is a fault of
/// the document, and fails.
fn verdict(answer: &Answer) -> String {
    if answer.json["errors"].is_null() {
        return "allowed".to_owned();
    }
    match answer.code() {
        code @ ("UNAUTHENTICATED" | "FORBIDDEN") => code.to_owned(),
        other => panic!("{other}: {answer:#?}"),
    }
}

/// The permissions of which a field's description says that one is required, and whether it says that anything is.
fn required(field: &FieldDefinition) -> (bool, Vec<Permission>) {
    let text = description(field).split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((_, sentence)) = text.split_once("Requires ") else { return (false, Vec::new()) };
    let sentence = sentence.split('.').next().unwrap_or_default();
    let words: Vec<_> = sentence.split(|letter: char| letter != '_' && !letter.is_ascii_uppercase()).collect();
    let named = Permission::ALL.iter().copied().filter(|permission| words.contains(&permission.as_str())).collect();
    (true, named)
}

fn root_fields(sdl: &Sdl) -> Vec<(&'static str, FieldDefinition)> {
    ["Query", "Mutation"]
        .into_iter()
        .flat_map(|root| sdl.fields(root).into_iter().map(move |field| (root, field.clone())))
        .collect()
}

#[test]
fn ids_of_the_matrix_are_ids() {
    let sdl = Sdl::read();
    for (name, noun) in [("sourceWebsiteId", "Website"), ("orderDetailUpdate", "OrderDetail"), ("ids", "Product")] {
        assert_eq!(souk::ids::split(&global_id(&sdl, name)), Some((noun.to_owned(), NOTHING)), "{name}");
    }
}

#[tokio::test]
async fn every_root_field_for_every_role() {
    let (sdl, app) = (Sdl::read(), TestApp::new().await);
    let actors = [
        ("anonymous", app.anonymous()),
        ("customer", app.customer().await),
        ("seller", app.seller().await),
        ("manager", app.manager().await),
        ("admin", app.admin().await),
    ];
    let mut matrix = format!("{:<32}", "");
    for (name, _) in &actors {
        write!(matrix, "{name:<17}").expect("a string takes it");
    }
    for (root, field) in root_fields(&sdl) {
        // Each field by people who have just logged in: some fields log out.
        let document = document(&sdl, root, &field);
        write!(matrix, "\n{:<32}", format!("{root}.{}", field.name.node)).expect("a string takes it");
        for (_, actor) in &actors {
            write!(matrix, "{:<17}", verdict(&actor.again().await.run(&document).await)).expect("a string takes it");
        }
    }
    let matrix: Vec<_> = matrix.lines().map(str::trim_end).collect();
    insta::assert_snapshot!("root_fields_by_role", matrix.join("\n"));
}

#[tokio::test]
async fn a_field_says_which_permissions_open_it() {
    let (sdl, app) = (Sdl::read(), TestApp::new().await);
    let anonymous = app.anonymous();
    let nothing = app.holder(&[], &[]).await;
    let mut holders = Vec::new();
    for permission in Permission::ALL {
        holders.push((*permission, app.holder(&[*permission], &[]).await));
    }
    for (root, field) in root_fields(&sdl) {
        let (document, place) = (document(&sdl, root, &field), format!("{root}.{}", field.name.node));
        let (is_guarded, named) = required(&field);
        let expect = async |who: &str, actor: &Actor<'_>, expected: &str| {
            let found = verdict(&actor.again().await.run(&document).await);
            assert_eq!(found, expected, "{place} for {who}; its description: {:?}", description(&field));
        };
        expect("anonymous", &anonymous, if is_guarded { "UNAUTHENTICATED" } else { "allowed" }).await;
        expect("a user without permissions", &nothing, if named.is_empty() { "allowed" } else { "FORBIDDEN" }).await;
        for (permission, actor) in &holders {
            let opens = named.is_empty() || named.contains(permission);
            expect(permission.as_str(), actor, if opens { "allowed" } else { "FORBIDDEN" }).await;
        }
    }
}

/// What a mutation came to: `done`, the code of its user error, or the code of the refusal.
fn outcome(answer: &Answer, mutation: &str) -> String {
    if !answer.json["errors"].is_null() {
        return answer.code().to_owned();
    }
    match answer.user_errors(mutation).first() {
        Some((code, _)) => code.clone(),
        None => "done".to_owned(),
    }
}

#[tokio::test]
async fn nobody_grants_a_role_above_their_own() {
    let app = TestApp::new().await;
    // A role beside the others: it gives one permission that a manager lacks.
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
        (app.manager().await, ["done", "done", "done", "NOT_YOURS", "NOT_YOURS"]),
        (app.admin().await, ["done"; 5]),
    ];
    let database = Psql::connect(&app.database.url).await;
    for (index, (actor, expected)) in table.iter().enumerate() {
        for (role, expected) in roles.iter().zip(expected) {
            let email = format!("{role}-of-{index}@souk.example");
            let input = json!({ "input": { "name": "New", "email": email, "role": role } });
            let document = "mutation ($input: UserCreateInput!) { userCreate(input: $input) {
                user { role { code } } userErrors { code field } } }";
            let answer = actor.run_with(document, input).await;
            assert_eq!(outcome(&answer, "userCreate"), *expected, "row {index} makes a {role}: {answer:?}");
            let made = database.value(&format!("SELECT count(*) FROM users WHERE email = '{email}'")).await;
            assert_eq!(made == "1", *expected == "done", "row {index} makes a {role}");
        }
    }
}

#[tokio::test]
async fn who_registers_is_a_customer() {
    let app = TestApp::new().await;
    let register = r#"mutation { register(input: { name: "New", email: "new@souk.example", password: "correct horse" }) {
        userErrors { code } } }"#;
    // Whoever asks: a registration grants what anybody may have.
    let answer = app.admin().await.run(register).await;
    assert!(answer.user_errors("register").is_empty(), "{answer:?}");
    let database = Psql::connect(&app.database.url).await;
    let role = "SELECT code FROM roles JOIN users ON role_id = roles.id WHERE email = 'new@souk.example'";
    assert_eq!(database.value(role).await, "customer");
}

#[tokio::test]
async fn nobody_changes_a_user_who_holds_more() {
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
    // Who acts, on whom, and what renaming, a new e-mail address and deactivating come to.
    let table = [
        (&anonymous, &admin, ["UNAUTHENTICATED"; 3]),
        (&customer, &admin, ["NOT_FOUND", "NOT_YOURS", "NOT_FOUND"]),
        (&customer, &seller, ["NOT_FOUND", "NOT_YOURS", "NOT_FOUND"]),
        (&seller, &admin, ["NOT_FOUND", "NOT_YOURS", "NOT_FOUND"]),
        (&seller, &customer, ["NOT_FOUND", "NOT_YOURS", "NOT_FOUND"]),
        (&manager, &admin, ["NOT_YOURS"; 3]),
        (&customer, &customer, ["done", "NOT_YOURS", "done"]),
        (&manager, &seller, ["done"; 3]),
        (&admin, &manager, ["done"; 3]),
    ];
    for (actor, target, expected) in table {
        let row = format!("SELECT users.*::text FROM users WHERE id = {}", target.id.0);
        let operations = [("userUpdate", rename), ("userUpdate", move_email), ("userDeactivate", deactivate)];
        for ((mutation, document), expected) in operations.into_iter().zip(expected) {
            let before = database.value(&row).await;
            let answer = actor.run_with(document, json!({ "id": target.global_id() })).await;
            assert_eq!(outcome(&answer, mutation), expected, "{document} by {} on {}", actor.id.0, target.id.0);
            assert_eq!(database.value(&row).await != before, expected == "done", "{document}");
        }
        // So that the next e-mail address is not taken.
        let reset = format!("UPDATE users SET email = 'user-{0}@souk.example' WHERE id = {0}", target.id.0);
        database.rows(&reset).await;
    }
}
