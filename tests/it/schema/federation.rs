//! The server as a subgraph of an Apollo Federation. The composition with another one is tested in `tests/clients`.

use serde_json::json;
use souk::{
    config::{Environment, Introspection},
    ids::RowId,
};

use crate::support::{ProductSpec, TestApp};

const ENTITIES: &str = "query ($all: [_Any!]!) { _entities(representations: $all) { __typename ... on Product { name brand { name } } ... on Order { status } } }";

#[tokio::test]
async fn entities_are_found_as_the_viewer_sees_them() {
    let app = TestApp::new().await;
    let product = app.product(app.website("main").await.id, ProductSpec { stock: 9, ..ProductSpec::default() }).await;
    let (customer, id) = (app.customer().await, product.id.to_global_id());
    let order = customer.order(&[(product.id, 1)]).await;
    let all = json!([
        { "__typename": "Product", "id": id },
        { "__typename": "Order", "id": order },
        { "__typename": "Order", "id": id },
        { "__typename": "Product", "id": "UHJvZHVjdDo5OTk5OTk" },
    ]);
    let found = customer.run_with(ENTITIES, json!({ "all": all })).await;
    let product = json!({ "__typename": "Product", "name": product.name, "brand": null });
    let order = json!({ "__typename": "Order", "status": "PENDING" });
    assert_eq!(*found.at("_entities"), json!([product, order, null, null]));
    let found = app.anonymous().run_with(ENTITIES, json!({ "all": all })).await;
    assert_eq!(*found.at("_entities"), json!([product, null, null, null]));
    for wrong in [json!([{ "id": id }]), json!(["Product"]), json!([{ "__typename": "Product", "id": "none" }])] {
        let response = customer.run_with(ENTITIES, json!({ "all": wrong })).await;
        assert_eq!(response.code(), "BAD_USER_INPUT", "{wrong}");
    }
}

#[tokio::test]
async fn entities_are_loaded_together() {
    let app = TestApp::new().await;
    let website = app.website("main").await.id;
    let mut all = Vec::new();
    let mut statements = Vec::new();
    for count in [1, 50] {
        while all.len() < count {
            let product = app.product(website, ProductSpec::default()).await;
            all.push(json!({ "__typename": "Product", "id": product.id.to_global_id() }));
        }
        let found = app.anonymous().run_with(ENTITIES, json!({ "all": all })).await;
        assert_eq!(found.at("_entities").as_array().map(Vec::len), Some(count));
        statements.push(found.statements());
    }
    assert_eq!(statements[0], statements[1]);
    all.resize(1_001, all[0].clone());
    let response = app.anonymous().run_with(ENTITIES, json!({ "all": all })).await;
    assert_eq!(response.code(), "BAD_USER_INPUT");
}

#[tokio::test]
async fn the_definition_of_the_subgraph_is_for_those_who_may_query_the_schema() {
    let document = "{ _service { sdl } }";
    let app = TestApp::builder()
        .environment(Environment::Production)
        .http(|http| http.introspection = Some(Introspection::Staff))
        .build()
        .await;
    assert_eq!(app.anonymous().run(document).await.code(), "FORBIDDEN");
    let sdl = app.admin().await.run(document).await.text_at("_service.sdl");
    assert!(sdl.contains("https://specs.apollo.dev/federation/v2"), "{}", &sdl[..500]);
    let entities = sdl.lines().filter(|line| line.contains("implements Node")).collect::<Vec<_>>();
    assert!(entities.len() >= 30 && entities.iter().all(|line| line.contains("@key(fields: \"id\")")), "{entities:?}");
    assert!(!sdl.contains("_entities("));
    // The schema of other clients is not changed.
    let document = "{ __schema { types { name } queryType { fields { name } } } }";
    let shown = app.admin().await.run(document).await.at("__schema").to_string();
    assert!(shown.contains("\"node\"") && !shown.contains("_entities") && !shown.contains("_Any"), "{shown}");
}
