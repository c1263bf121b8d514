//! Imports and exports that are started through GraphQL: permissions, progress, and files.

use chrono::Utc;
use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{RowId, TransferId, WebsiteId},
    storage::uploads,
    transfers::runs::actions::cleanup::{RETENTION, delete_old_files},
};

use crate::support::{Actor, ProductSpec, TestApp, multipart_form::Form};

/// Every field of a transfer.
const TRANSFER_FIELDS: &str =
    "transfer { id status resource processed total read created updated unchanged rejected failure
    errors { line column message } rejections { column message count examples { line } } ignoredColumns { column rows } missing downloadUrl rejectsUrl website { code } user { id } startedAt finishedAt }";

/// Stores a file as an upload; returns its id.
pub(super) async fn upload(actor: &Actor<'_>, text: &str) -> String {
    let id = uploads::new_id();
    let key = uploads::key(actor.id.0, &id).expect("an upload id");
    actor.app.services.storage.put(&key, text.to_owned().into()).await.expect("a store");
    id
}

/// Returns a stored file as text.
pub(crate) async fn stored_file(app: &TestApp, column: &str, id: &str) -> String {
    let key = app.database.scalar(&format!("SELECT {column} FROM transfers WHERE id = {}", key(id).0)).await;
    let bytes = app.services.storage.get_bytes(&key, 1 << 20).await.expect("a store").expect("a file");
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

pub(super) fn key(id: &str) -> TransferId {
    TransferId::parse("id", id).expect("the id of a transfer")
}

pub(crate) async fn transfer_status(actor: &Actor<'_>, id: &str) -> Value {
    let document = format!("query ($id: ID!) {{ {} }}", TRANSFER_FIELDS.replace("transfer {", "transfer(id: $id) {"));
    actor.run_with(&document, json!({ "id": id })).await.at("transfer").clone()
}

pub(super) async fn start_import(
    actor: &Actor<'_>,
    website: WebsiteId,
    upload: &str,
    more: Value,
) -> crate::support::TestResponse {
    let mut input = json!({ "resource": "PRODUCTS", "websiteId": website.to_global_id(), "uploadId": upload,
        "idempotencyKey": uuid::Uuid::new_v4().to_string() });
    input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    actor.mutate("importStart", TRANSFER_FIELDS, input).await
}

/// Starts an import, runs it, and returns the transfer.
pub(crate) async fn run_import(actor: &Actor<'_>, website: WebsiteId, text: &str, more: Value) -> Value {
    let upload = upload(actor, text).await;
    let begun = start_import(actor, website, &upload, more).await;
    assert_eq!(begun.at("importStart.transfer.status"), "QUEUED");
    actor.app.run_jobs().await;
    transfer_status(actor, &begun.text_at("importStart.transfer.id")).await
}

#[tokio::test]
async fn export_file_url_lasts_an_hour_and_its_key_is_idempotent() {
    let app = TestApp::new().await;
    let (website, manager) = (app.website("sailor").await.id, app.manager().await);
    for sku in ["R", "S"] {
        app.product(website, ProductSpec { sku: Some(sku.into()), stock: 3, ..ProductSpec::default() }).await;
    }
    let input = json!({ "resource": "STOCK", "websiteId": website.to_global_id(), "idempotencyKey": "one" });
    let begun = manager.mutate("exportStart", TRANSFER_FIELDS, input.clone()).await;
    let id = begun.text_at("exportStart.transfer.id");
    assert_eq!(begun.at("exportStart.transfer.downloadUrl"), &Value::Null);
    assert_eq!(manager.mutate("exportStart", TRANSFER_FIELDS, input).await.text_at("exportStart.transfer.id"), id);
    assert_eq!(app.run_jobs().await, 1);
    let run = transfer_status(&manager, &id).await;
    assert_eq!((&run["status"], &run["processed"], &run["total"]), (&json!("DONE"), &json!(2), &json!(2)));
    assert_eq!((&run["website"]["code"], &run["user"]["id"]), (&json!("sailor"), &json!(manager.global_id())));
    assert!(run["downloadUrl"].as_str().is_some_and(|url| url.starts_with("http://souk/files/")), "{run}");
    assert_eq!(
        stored_file(&app, "output_key", &id).await,
        "sku,stock,low_stock_threshold,inventory_policy,backorders\nR,3,5,tracked,deny\nS,3,5,tracked,deny\n"
    );
    let other = json!({ "resource": "STOCK", "format": "SOUK_JSONL", "websiteId": website.to_global_id(), "idempotencyKey": "one" });
    let other = manager.mutate("exportStart", TRANSFER_FIELDS, other).await;
    assert_eq!(other.outcome("exportStart"), "IDEMPOTENCY_MISMATCH idempotencyKey");
}

#[tokio::test]
async fn import_accepts_valid_rows_and_returns_rejected_ones() {
    let app = TestApp::new().await;
    let (website, manager) = (app.website("sailor").await.id, app.manager().await);
    let text = "sku,name,price\nR,Rope,2.50\nS,Sail,\"1.234,56\"\nT,Tar,4\n";
    let dry = run_import(&manager, website, text, json!({ "isDryRun": true })).await;
    assert_eq!((&dry["created"], &dry["rejected"]), (&json!(2), &json!(1)));
    assert_eq!(app.database.scalar("SELECT count(*) FROM products").await, "0");
    let run = run_import(&manager, website, text, json!({})).await;
    for (field, expected) in [
        ("status", json!("DONE")),
        ("read", json!(3)),
        ("processed", json!(3)),
        ("total", json!(3)),
        ("created", json!(2)),
        ("rejected", json!(1)),
        ("failure", Value::Null),
    ] {
        assert_eq!(run[field], expected, "{field} of {run}");
    }
    assert_eq!((&run["errors"][0]["line"], &run["errors"][0]["column"]), (&json!(3), &json!("price")));
    assert!(run["rejectsUrl"].is_string() && run["downloadUrl"].is_null(), "{run}");
    let rejects = stored_file(&app, "rejects_key", run["id"].as_str().unwrap()).await;
    assert!(rejects.starts_with("sku,name,price,line,reason\nS,Sail,\"1.234,56\",3,"), "{rejects}");
    // After the corrected rejects are imported, the first file changes nothing.
    let right = run_import(&manager, website, &rejects.replace("1.234,56", "1234.56"), json!({})).await;
    assert_eq!((&right["created"], &right["rejectsUrl"]), (&json!(1), &Value::Null));
    let again = run_import(&manager, website, &text.replace("\"1.234,56\"", "1234.56"), json!({})).await;
    assert_eq!((&again["unchanged"], &again["read"]), (&json!(3), &json!(3)));
    let source = manager.run("{ products(first: 1) { nodes { source { lastTransfer { id } } } } }").await;
    assert_eq!(source.at("products.nodes.0.source.lastTransfer.id"), &again["id"]);
}

#[tokio::test]
async fn import_matches_by_sku_and_deactivates_missing_products_only_if_asked() {
    let app = TestApp::new().await;
    let (website, manager) = (app.website("sailor").await.id, app.manager().await);
    run_import(&manager, website, "external_id,sku,name,price\n1,R,Rope,2.50\n2,S,Sail,4\n", json!({})).await;
    let newer = "external_id,sku,name,price\n3,R,Cable,9\n4,S,Sheet,9\n";
    let run = run_import(&manager, website, newer, json!({})).await;
    assert_eq!((&run["rejected"], &run["missing"]), (&json!(2), &Value::Null), "{run}");
    let [rejection] = run["rejections"].as_array().expect("a list").as_slice() else { panic!("{run}") };
    assert_eq!((&rejection["column"], &rejection["count"]), (&json!("sku"), &json!(2)));
    assert_eq!(rejection["examples"], json!([{ "line": 2 }, { "line": 3 }]));
    let rope = "external_id,sku,name,price\n3,R,Cable,9\n";
    let run = run_import(&manager, website, rope, json!({ "match": "SKU", "missing": "DEACTIVATE" })).await;
    assert_eq!((&run["updated"], &run["missing"]), (&json!(1), &json!(1)), "{run}");
    let products = "SELECT string_agg(concat_ws(' ', sku, name, is_active), ', ' ORDER BY sku) FROM products";
    assert_eq!(app.database.scalar(products).await, "R Cable t, S Sail f");
    for (input, field) in [(json!({ "match": "SKU" }), "match"), (json!({ "missing": "DEACTIVATE" }), "missing")] {
        let mut input = input;
        input["resource"] = json!("STOCK");
        let rejected = start_import(&manager, website, &upload(&manager, "sku,stock\nR,1\n").await, input).await;
        assert_eq!(rejected.outcome("importStart"), format!("INVALID {field}"));
    }
}

#[tokio::test]
async fn file_can_be_uploaded_with_the_mutation() {
    let app = TestApp::new().await;
    let (website, manager) = (app.website("sailor").await.id, app.manager().await);
    let query = format!(
        "mutation ($input: ImportStartInput!) {{ importStart(input: $input) {{ {TRANSFER_FIELDS} userErrors {{ code field message }} }} }}"
    );
    let post = async |name: &str, text: &str, upload: Value| {
        let input = json!({ "resource": "STOCK", "websiteId": website.to_global_id(), "file": null, "uploadId": upload, "idempotencyKey": "one" });
        let operations = json!({ "query": query, "variables": { "input": input } });
        let form = Form::new(&operations, &json!({ "0": ["variables.input.file"] })).file("0", name, text.as_bytes());
        let (_, response) = manager.post_form(form.body(), Some("graphql-require-preflight")).await;
        response["data"]["importStart"].clone()
    };
    app.product(website, ProductSpec { sku: Some("R".into()), ..ProductSpec::default() }).await;
    let text = "sku,stock\nR,9\n";
    let begun = post("../a.csv", text, Value::Null).await;
    // A repeated request with the same contents is the same request, whatever the file name.
    assert_eq!(post("b.csv", text, Value::Null).await["transfer"]["id"], begun["transfer"]["id"]);
    assert_eq!(post("a.csv", "sku,stock\nR,8\n", Value::Null).await["userErrors"][0]["code"], "IDEMPOTENCY_MISMATCH");
    let both = post("a.csv", text, json!(uploads::new_id())).await;
    assert_eq!(both["userErrors"][0]["field"], "uploadId", "{both}");
    assert_eq!(app.run_jobs().await, 1);
    assert_eq!(transfer_status(&manager, begun["transfer"]["id"].as_str().expect("an id")).await["updated"], 1);
    assert_eq!(app.database.scalar("SELECT stock FROM products").await, "9");
}

#[tokio::test]
async fn unreadable_file_fails_the_transfer_but_not_the_job() {
    let app = TestApp::new().await;
    let (website, manager) = (app.website("sailor").await.id, app.manager().await);
    let run = run_import(&manager, website, "sku,colour\nR,red\n", json!({})).await;
    assert_eq!(run["status"], "FAILED");
    assert!(run["failure"].as_str().is_some_and(|why| why.contains("colour")), "{run}");
    let id = upload(&manager, "sku,name,price\n").await;
    let begun = start_import(&manager, website, &id, json!({})).await;
    app.services.storage.delete(&uploads::key(manager.id.0, &id).unwrap()).await.unwrap();
    app.run_jobs().await;
    let run = transfer_status(&manager, &begun.text_at("importStart.transfer.id")).await;
    assert!(run["failure"].as_str().is_some_and(|why| why.contains("no longer exists")), "{run}");
    assert_eq!(app.database.scalar("SELECT count(*) FROM jobs WHERE kind = 'transfer'").await, "0");
}

#[tokio::test]
async fn interrupted_transfer_resumes_after_its_last_batch() {
    let app = TestApp::new().await;
    let (website, manager) = (app.website("sailor").await.id, app.manager().await);
    // The rows rejected by the previous run, and the rows created and counted by this one.
    for (refused, made, counted) in [(0, "S0,T0", 3), (1, "R1,S1,T1", 3)] {
        let text = format!("sku,name,price\nR{refused},Rope,2.50\nS{refused},Sail,3\nT{refused},Tar,4\n");
        let begun = start_import(&manager, website, &upload(&manager, &text).await, json!({})).await;
        let id = begun.text_at("importStart.transfer.id");
        let cut_off = format!(
            "UPDATE transfers SET status = 'running', checkpoint = 1, processed = 1, created = 1 - {refused}, rejected = {refused}
             WHERE id = {}",
            key(&id).0
        );
        app.database.sql(&cut_off).await;
        app.run_jobs().await;
        let run = transfer_status(&manager, &id).await;
        assert_eq!(
            (&run["status"], &run["created"], &run["read"]),
            (&json!("DONE"), &json!(counted), &json!(3)),
            "{run}"
        );
        let skus = format!("SELECT string_agg(sku, ',' ORDER BY sku) FROM products WHERE sku LIKE '%{refused}'");
        assert_eq!(app.database.scalar(&skus).await, made);
    }
}

#[tokio::test]
async fn transfer_requires_permission_for_its_resource_and_website() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("sailor").await.id, app.website("rise").await.id);
    let clerk = app.user_with(&[Permission::ManageStock], &[here]).await;
    let (manager, seller) = (app.manager().await, app.seller().await);
    let begin = async |actor: &Actor<'_>, resource: &str, website: Option<WebsiteId>| {
        let input =
            json!({ "resource": resource, "websiteId": website.map(RowId::to_global_id), "idempotencyKey": "k" });
        actor.mutate("exportStart", TRANSFER_FIELDS, input).await
    };
    assert_eq!(begin(&seller, "PRODUCTS", Some(here)).await.code(), "FORBIDDEN");
    assert_eq!(begin(&clerk, "PRODUCTS", Some(here)).await.code(), "FORBIDDEN");
    assert_eq!(begin(&clerk, "STOCK", Some(there)).await.outcome("exportStart"), "NOT_FOUND websiteId");
    assert_eq!(begin(&clerk, "STOCK", None).await.outcome("exportStart"), "REQUIRED websiteId");
    assert_eq!(app.database.scalar("SELECT count(*) FROM transfers").await, "0");
    let mine = begin(&clerk, "STOCK", Some(here)).await.text_at("exportStart.transfer.id");
    let theirs = begin(&manager, "PRODUCTS", Some(here)).await.text_at("exportStart.transfer.id");
    for (actor, count) in [(&clerk, 1), (&manager, 2)] {
        let list = actor.run("{ transfers { totalCount { value } nodes { id } } }").await;
        assert_eq!(list.at("transfers.totalCount.value"), &json!(count));
    }
    assert_eq!(
        (transfer_status(&clerk, &theirs).await, transfer_status(&clerk, &mine).await["resource"].clone()),
        (Value::Null, json!("STOCK"))
    );
    assert_eq!(seller.run("{ transfers { nodes { id } } }").await.code(), "FORBIDDEN");
    // An upload is accessible only to the user who sent it.
    let file = upload(&manager, "sku,stock\nR,1\n").await;
    let stock = json!({ "resource": "STOCK" });
    assert_eq!(start_import(&clerk, here, &file, stock.clone()).await.outcome("importStart"), "NOT_FOUND uploadId");
    let file = upload(&clerk, "sku,stock\nR,1\n").await;
    assert_eq!(start_import(&clerk, there, &file, stock.clone()).await.outcome("importStart"), "NOT_FOUND websiteId");
    assert_eq!(start_import(&clerk, here, &file, json!({})).await.code(), "FORBIDDEN");
    for (input, outcome) in [
        (json!({ "resource": "STOCK_MOVEMENTS" }), "INVALID resource"),
        (json!({ "resource": "STOCK", "format": "SHOPIFY" }), "INVALID format"),
    ] {
        assert_eq!(start_import(&clerk, here, &file, input).await.outcome("importStart"), outcome);
    }
    assert_eq!(start_import(&clerk, here, &file, stock).await.outcome("importStart"), "done");
}

#[tokio::test]
async fn files_are_deleted_after_a_week_and_the_transfer_is_kept() {
    let app = TestApp::new().await;
    let (website, manager) = (app.website("sailor").await.id, app.manager().await);
    let input = json!({ "resource": "STOCK", "websiteId": website.to_global_id(), "idempotencyKey": "one" });
    let id = manager.mutate("exportStart", TRANSFER_FIELDS, input).await.text_at("exportStart.transfer.id");
    app.run_jobs().await;
    let (db, storage) = (&app.database.db, &app.services.storage);
    let week = Utc::now() + RETENTION;
    assert_eq!(delete_old_files(db, storage, week - chrono::Duration::minutes(1)).await.unwrap(), 0);
    assert!(transfer_status(&manager, &id).await["downloadUrl"].is_string());
    assert_eq!(delete_old_files(db, storage, week + chrono::Duration::minutes(1)).await.unwrap(), 1);
    let run = transfer_status(&manager, &id).await;
    assert_eq!((&run["downloadUrl"], &run["status"]), (&Value::Null, &json!("DONE")));
}
