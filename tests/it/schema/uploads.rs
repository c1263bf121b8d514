//! Who may send files: exactly those who hold a permission of some mutation that takes them, of all mutations in the
//! schema.

use std::collections::BTreeSet;

use async_graphql::parser::types::{FieldDefinition, TypeKind};
use axum::http::StatusCode;
use serde_json::{Value, json};
use souk::{auth::Permission, graphql::schema::media::upload::UPLOAD_PERMISSIONS};

use super::root_field_access::required_permissions;
use crate::support::{
    Actor, TestApp,
    generated_operations::{document, missing_id, root_fields},
    multipart_form::{Form, png},
    sdl::{Sdl, base_name},
};

/// Returns whether an input contains a file, at any depth.
fn takes_file<'a>(sdl: &'a Sdl, type_name: &'a str, seen: &mut BTreeSet<&'a str>) -> bool {
    type_name == "Upload"
        || seen.insert(type_name)
            && sdl.inputs(type_name).iter().any(|input| takes_file(sdl, base_name(&input.ty.node), seen))
}

/// Returns the mutations that take a file.
fn upload_mutations(sdl: &Sdl) -> Vec<FieldDefinition> {
    let takes = |field: &FieldDefinition| {
        let mut arguments = field.arguments.iter();
        arguments.any(|argument| takes_file(sdl, base_name(&argument.node.ty.node), &mut BTreeSet::new()))
    };
    let mutations = root_fields(sdl).into_iter().filter(|(root, _)| *root == "Mutation").map(|(_, field)| field);
    let found: Vec<_> = mutations.filter(|field| takes(field)).collect();
    assert!(found.len() >= 4, "only {} mutations take a file: is the search broken?", found.len());
    found
}

fn names(permissions: &[Permission]) -> BTreeSet<&'static str> {
    permissions.iter().map(|permission| permission.as_str()).collect()
}

/// Returns forms that send a file to a mutation, one for each resource type if it takes one. Other ids belong to no row.
fn forms(sdl: &Sdl, mutation: &FieldDefinition) -> Vec<Vec<u8>> {
    let name = mutation.name.node.as_str();
    let generated = document(sdl, "Mutation", mutation, &missing_id);
    let (before, after) = generated.split_once("uploadId: \"").unwrap_or_else(|| panic!("{name} takes no `uploadId`"));
    let (_, after) = after.split_once('"').expect("the end of the ID");
    let query = format!("{before}file: $file{after}").replacen("mutation {", "mutation ($file: Upload) {", 1);
    let Some(TypeKind::Enum(resources)) = sdl.get("TransferResource").map(|definition| &definition.kind) else {
        panic!("no `TransferResource`")
    };
    let resources: Vec<&str> = resources.values.iter().map(|value| value.node.value.node.as_str()).collect();
    let queries: BTreeSet<String> = resources
        .iter()
        .map(|resource| query.replacen(&format!("resource: {}", resources[0]), &format!("resource: {resource}"), 1))
        .collect();
    let form = |query: String| {
        let operations = json!({ "query": query, "variables": { "file": null } });
        Form::new(&operations, &json!({ "0": ["variables.file"] })).file("0", "a.png", &png(4, 4, [1; 3])).body()
    };
    queries.into_iter().map(form).collect()
}

/// Returns whether one of the forms is accepted, and its mutation open to the actor.
async fn accepts_one(actor: &Actor<'_>, forms: &[Vec<u8>]) -> bool {
    for form in forms {
        let (status, response) = actor.post_form(form.clone(), Some("graphql-require-preflight")).await;
        let code = &response["errors"][0]["extensions"]["code"];
        assert!(code == &Value::Null || code == "FORBIDDEN", "the document is wrong: {response:#}");
        if status == StatusCode::OK && code == &Value::Null {
            return true;
        }
    }
    false
}

#[test]
fn upload_permissions_are_those_of_the_mutations_that_take_files() {
    let sdl = Sdl::read();
    let mut required = BTreeSet::new();
    for mutation in upload_mutations(&sdl) {
        let (_, permissions) = required_permissions(&mutation);
        assert!(!permissions.is_empty(), "{} takes a file from everyone", mutation.name.node);
        assert!(
            permissions.iter().any(|permission| UPLOAD_PERMISSIONS.contains(permission)),
            "{} has a file that nobody can send",
            mutation.name.node
        );
        required.extend(names(&permissions));
    }
    assert_eq!(names(UPLOAD_PERMISSIONS), required);
    let fields = sdl.fields("Mutation");
    let create = fields.iter().find(|field| field.name.node == "uploadCreate").expect("uploadCreate");
    assert_eq!(names(&required_permissions(create).1), required, "the description of uploadCreate");
}

#[tokio::test]
async fn every_mutation_that_takes_files_accepts_them_from_those_it_is_for() {
    let (sdl, app) = (Sdl::read(), TestApp::new().await);
    let mut holders = Vec::new();
    for permission in Permission::ALL {
        holders.push((*permission, app.user_with(&[*permission], &[]).await));
    }
    for mutation in upload_mutations(&sdl) {
        let (name, forms) = (mutation.name.node.as_str(), forms(&sdl, &mutation));
        let (_, named) = required_permissions(&mutation);
        for (permission, actor) in &holders {
            let accepted = accepts_one(actor, &forms).await;
            assert_eq!(accepted, named.contains(permission), "{name} with {}", permission.as_str());
        }
    }
}
