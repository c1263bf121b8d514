//! The GraphQL multipart request protocol: what is accepted, and the messages of rejections.

use futures_util::TryStreamExt;
use serde_json::{Value, json};
use souk::ids::RowId;

use crate::support::{
    ProductSpec, TestApp,
    builder::UPLOAD_BYTES,
    multipart_form::{Form, png},
};

const QUERY: &str = "mutation ($input: ProductImageCreateInput!) {
    productImageCreate(input: $input) { image { width } userErrors { code message } } }";

fn operations(product: &str) -> Value {
    json!({ "query": QUERY, "variables": { "input": { "productId": product, "file": null, "alt": "x" } } })
}

async fn product(app: &TestApp, sku: &str) -> String {
    let website = match app.database.scalar("SELECT coalesce(min(id), 0) FROM websites").await.as_str() {
        "0" => app.website("sailor").await.id,
        id => souk::ids::WebsiteId(id.parse().expect("a key")),
    };
    app.product(website, ProductSpec { sku: Some(sku.to_owned()), ..ProductSpec::default() }).await.id.to_global_id()
}

#[tokio::test]
async fn protocol_violations_are_rejected_with_the_reason() {
    let app = TestApp::new().await;
    let (manager, rope) = (app.manager().await, product(&app, "rope").await);
    let (operations, file) = (operations(&rope), png(9, 9, [9; 3]));
    let map = json!({ "0": ["variables.input.file"] });
    let eleven: Value = (0..11)
        .map(|i| (i.to_string(), json!([format!("variables.files.{i}")])))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let mapped = |map: Value| Form::new(&operations, &map).file("0", "a.png", &file).body();
    let large = vec![0; usize::try_from(UPLOAD_BYTES).expect("a size") + 1];
    let whole = || Form::new(&operations, &map);
    let table: Vec<(&str, Vec<u8>, u16, &str, &str)> = vec![
        ("an empty form", Form::default().body(), 400, "BAD_USER_INPUT", "`operations` is missing"),
        (
            "no map",
            Form::default().text("operations", &operations.to_string()).body(),
            400,
            "BAD_USER_INPUT",
            "`map` is missing",
        ),
        (
            "a file first",
            Form::default().file("0", "a.png", &file).body(),
            400,
            "BAD_USER_INPUT",
            "`operations` is missing",
        ),
        (
            "invalid JSON",
            Form::default().text("operations", "x").text("map", "{}").body(),
            400,
            "BAD_USER_INPUT",
            "JSON object",
        ),
        ("a batch", Form::new(&json!([operations]), &map).body(), 400, "BAD_USER_INPUT", "cannot have files"),
        ("a map of numbers", mapped(json!({ "0": [1] })), 400, "BAD_USER_INPUT", "lists of paths"),
        ("a map that is a list", mapped(json!([])), 400, "BAD_USER_INPUT", "lists of paths"),
        ("a file for nothing", mapped(json!({ "0": [] })), 400, "BAD_USER_INPUT", "has no path"),
        ("11 files", mapped(eleven), 413, "LIMIT_EXCEEDED", "at most 10 files; `map` names 11"),
        (
            "a path that does not exist",
            mapped(json!({ "0": ["variables.other"] })),
            400,
            "BAD_USER_INPUT",
            "must point to a null",
        ),
        (
            "a path to a value that is not null",
            mapped(json!({ "0": ["variables.input.alt"] })),
            400,
            "BAD_USER_INPUT",
            "must point to a null",
        ),
        ("a place in the query", mapped(json!({ "0": ["query"] })), 400, "BAD_USER_INPUT", "must point to a null"),
        (
            "a path twice",
            mapped(json!({ "0": ["variables.input.file", "variables.input.file"] })),
            400,
            "BAD_USER_INPUT",
            "twice",
        ),
        ("no file", whole().body(), 400, "BAD_USER_INPUT", "names the file `0`, which was not sent"),
        (
            "a file without a name",
            whole().file("1", "a.png", &file).body(),
            400,
            "BAD_USER_INPUT",
            "`1` is not in `map`",
        ),
        (
            "a file twice",
            whole().file("0", "a.png", &file).file("0", "a.png", &file).body(),
            400,
            "BAD_USER_INPUT",
            "sent twice",
        ),
        ("a large file", whole().file("0", "a.png", &large).body(), 413, "LIMIT_EXCEEDED", "larger than 1048576 bytes"),
        (
            "an incomplete form",
            {
                let mut body = whole().file("0", "a.png", &file).body();
                body.truncate(body.len() - 40);
                body
            },
            400,
            "BAD_USER_INPUT",
            "malformed or incomplete",
        ),
    ];
    for (name, body, status, code, words) in table {
        let (got, response) = manager.post_form(body, Some("apollo-require-preflight")).await;
        let error = &response["errors"][0];
        assert_eq!((got.as_u16(), &error["extensions"]["code"]), (status, &json!(code)), "{name}: {response}");
        assert!(error["message"].as_str().is_some_and(|message| message.contains(words)), "{name}: {response}");
    }
    assert_eq!(app.database.scalar("SELECT count(*) FROM images").await, "0");
}

#[tokio::test]
async fn multipart_requests_require_a_preflight_header_and_authentication() {
    let app = TestApp::new().await;
    let (manager, rope) = (app.manager().await, product(&app, "rope").await);
    let form = |shade| {
        Form::new(&operations(&rope), &json!({ "0": ["variables.input.file"] }))
            .file("0", "a.png", &png(9, 9, [shade; 3]))
            .body()
    };
    let (status, response) = manager.post_form(form(0), None).await;
    assert_eq!((status.as_u16(), &response["errors"][0]["extensions"]["code"]), (400, &json!("BAD_USER_INPUT")));
    assert!(response["errors"][0]["message"].as_str().is_some_and(|text| text.contains("GraphQL-Require-Preflight")));
    for (shade, header) in
        ["graphql-require-preflight", "apollo-require-preflight", "x-apollo-operation-name"].iter().enumerate()
    {
        let (status, response) = manager.post_form(form(shade as u8), Some(header)).await;
        assert_eq!(
            (status.as_u16(), &response["data"]["productImageCreate"]["image"]["width"]),
            (200, &json!(9)),
            "{header}: {response}"
        );
    }
    let (status, response) = app.anonymous().post_form(form(9), Some("apollo-require-preflight")).await;
    assert_eq!((status.as_u16(), &response["errors"][0]["extensions"]["code"]), (401, &json!("UNAUTHENTICATED")));
    assert_eq!(app.database.scalar("SELECT count(*) FROM images").await, "3");
}

#[tokio::test]
async fn one_file_can_fill_two_variables_and_its_name_is_ignored() {
    let app = TestApp::new().await;
    let (manager, rope, sail) = (app.manager().await, product(&app, "rope").await, product(&app, "sail").await);
    let query = "mutation ($a: ProductImageCreateInput!, $b: ProductImageCreateInput!) {
        a: productImageCreate(input: $a) { image { url } userErrors { code } }
        b: productImageCreate(input: $b) { image { url } userErrors { code } } }";
    let input = |product: &str| json!({ "productId": product, "file": null });
    let operations = json!({ "query": query, "variables": { "a": input(&rope), "b": input(&sail) } });
    let form = Form::new(&operations, &json!({ "pic": ["variables.a.file", "variables.b.file"] }));
    let form = form.file("pic", "../../../../etc/passwd", &png(9, 9, [9; 3])).body();
    let (_, response) = manager.post_form(form, Some("graphql-require-preflight")).await;
    let data = &response["data"];
    assert!(data["a"]["image"]["url"].is_string() && data["a"] == data["b"], "{response}");
    let keys = app.services.storage.list("media").unwrap().map_ok(|entry| entry.key);
    let keys: Vec<String> = keys.try_collect().await.unwrap();
    assert!(keys.len() == 2 && keys.iter().all(|key| !key.contains("passwd")), "{keys:?}");
}

#[tokio::test]
async fn string_in_place_of_a_file_is_rejected() {
    let app = TestApp::new().await;
    let (manager, rope) = (app.manager().await, product(&app, "rope").await);
    for text in ["x", "0", "\u{1}file:0", "#__graphql_file__:0"] {
        let input = json!({ "productId": rope, "file": text });
        let response = manager.run_with(QUERY, json!({ "input": input })).await;
        let user = response.json["data"]["productImageCreate"]["userErrors"][0]["code"] == "INVALID";
        assert!(user || response.code() == "BAD_USER_INPUT", "{text:?}: {response:?}");
    }
}
