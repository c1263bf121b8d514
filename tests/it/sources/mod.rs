//! Sources: external ids, who may see them, and users of several websites.

use serde_json::{Value, json};
use souk::{auth::Permission, ids::RowId};

use crate::support::{Actor, ProductSpec, TestApp};

const SOURCE_FIELDS: &str = "source { website { code } externalId firstSeen lastSeen }";

/// Returns what an actor sees of a row's source: nothing if the row is not visible, the website, or the external id as
/// well.
async fn visible_source(actor: &Actor<'_>, type_name: &str, id: &str) -> String {
    let document = format!("query ($id: ID!) {{ node(id: $id) {{ ... on {type_name} {{ {SOURCE_FIELDS} }} }} }}");
    let response = actor.run_with(&document, json!({ "id": id })).await;
    let source = &response.at("node")["source"];
    let word = |field: &str| source[field].as_str().unwrap_or("-").to_owned();
    assert_eq!(source["firstSeen"].is_null(), source["externalId"].is_null(), "{source:#}");
    match source {
        Value::Null => String::new(),
        _ => format!("{} {}", source["website"]["code"].as_str().unwrap_or("-"), word("externalId")),
    }
}

#[tokio::test]
async fn external_ids_are_visible_only_to_website_staff() {
    let app = TestApp::new().await;
    let (sailor, rise) = (app.website("sailor").await, app.website("rise").await);
    let (seller, customer) = (app.seller().await, app.customer().await);
    let spec = ProductSpec { stock: 9, seller: Some(seller.id), ..ProductSpec::default() };
    let product = app.product(sailor.id, spec).await;
    let order = customer.order(&[(product.id, 1)]).await;
    let names = format!(
        "UPDATE users SET source_website_id = {website} WHERE id = {user};
         INSERT INTO sources (resource_type, resource_id, website_id, external_id) VALUES
            ('Product', {product}, {website}, 'P-7'), ('User', {user}, {website}, 'C-7');
         INSERT INTO sources (resource_type, resource_id, website_id, external_id) SELECT 'Order', id, {website}, 'O-7' FROM orders",
        website = sailor.id.0,
        user = customer.id.0,
        product = product.id.0,
    );
    app.database.sql(&names).await;
    let (product, user) = (product.id.to_global_id(), customer.global_id());
    let all = Permission::ALL;
    let table = [
        (app.anonymous(), ["sailor -", "", ""]),
        (customer, ["sailor -", "sailor O-7", "sailor C-7"]),
        (app.customer().await, ["sailor -", "", ""]),
        (seller, ["sailor P-7", "sailor -", ""]),
        (app.seller().await, ["sailor -", "", ""]),
        (app.user_with(all, &[sailor.id]).await, ["sailor P-7", "sailor O-7", "sailor C-7"]),
        (app.user_with(all, &[rise.id]).await, ["sailor -", "", ""]),
        (app.manager().await, ["sailor P-7", "sailor O-7", "sailor C-7"]),
    ];
    for (index, (actor, expected)) in table.iter().enumerate() {
        let things = [("Product", &product), ("Order", &order), ("User", &user)];
        for ((type_name, id), expected) in things.into_iter().zip(expected) {
            assert_eq!(visible_source(actor, type_name, id).await, *expected, "{type_name} for actor {index}");
        }
    }
}

#[tokio::test]
async fn rows_created_here_have_a_source_without_external_id() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let product = app.product(website.id, ProductSpec { sku: Some("L".into()), ..ProductSpec::default() }).await;
    let manager = app.manager().await;
    let document = format!(
        "{{ product(website: \"sailor\", sku: \"L\") {{ id createdAt {SOURCE_FIELDS} }} me {{ {SOURCE_FIELDS} }} }}"
    );
    let response = manager.run(&document).await;
    let made = response.at("product.createdAt");
    let source = json!({ "website": { "code": "sailor" }, "externalId": null, "firstSeen": made, "lastSeen": null });
    assert_eq!(response.at("product.source"), &source);
    assert_eq!(response.at("me.source"), &Value::Null, "staff of all websites have no source");
    assert_eq!(response.at("product.id"), &json!(product.id.to_global_id()));
}

#[tokio::test]
async fn user_has_one_identity_per_website() {
    let app = TestApp::new().await;
    let (sailor, rise, oar) = (app.website("sailor").await, app.website("rise").await, app.website("oar").await);
    let (manager, ada, bo) = (app.manager().await, app.customer().await, app.customer().await);
    let home = format!("UPDATE users SET source_website_id = {} WHERE id = {}", rise.id.0, ada.id.0);
    app.database.sql(&home).await;
    let input = |user: &Actor<'_>, website: &souk::websites::model::WebsiteRow, name: &str| json!({ "userId": user.global_id(), "websiteId": website.id.to_global_id(), "externalId": name });
    let add = async |actor: &Actor<'_>, input: Value| {
        actor.mutate("userIdentityAdd", "", input).await.outcome("userIdentityAdd")
    };
    let of_rise = app.user_with(&[Permission::ManageUsers], &[rise.id]).await;
    let too_long = "x".repeat(256);
    let nobody = json!({ "userId": souk::ids::UserId(999_999).to_global_id(), "websiteId": oar.id.to_global_id(), "externalId": "1" });
    let nowhere = json!({ "userId": ada.global_id(), "websiteId": souk::ids::WebsiteId(999_999).to_global_id(), "externalId": "1" });
    for (actor, input, expected) in [
        (&app.anonymous(), input(&ada, &sailor, "7"), "!UNAUTHENTICATED"),
        (&ada, input(&ada, &sailor, "7"), "!FORBIDDEN"),
        (&of_rise, input(&ada, &sailor, "7"), "PERMISSION_NOT_HELD websiteId"),
        (&of_rise, input(&bo, &rise, "8"), "NOT_FOUND userId"),
        (&manager, input(&ada, &sailor, ""), "REQUIRED externalId"),
        (&manager, input(&ada, &sailor, &too_long), "TOO_LONG externalId"),
        (&manager, nobody, "NOT_FOUND userId"),
        (&manager, nowhere, "NOT_FOUND websiteId"),
        (&manager, input(&ada, &sailor, "7"), "done"),
        (&manager, input(&ada, &sailor, "8"), "TAKEN websiteId"),
        (&manager, input(&bo, &sailor, "7"), "TAKEN externalId"),
        (&manager, input(&bo, &oar, "7"), "done"),
        (&of_rise, input(&ada, &rise, "A"), "done"),
    ] {
        assert_eq!(add(actor, input.clone()).await, expected, "{input:#}");
    }
    let own = ada.log_in_again().await.run("{ me { identities { website { code } externalId } } }").await;
    let known = json!([
        { "website": { "code": "rise" }, "externalId": "A" },
        { "website": { "code": "sailor" }, "externalId": "7" },
    ]);
    assert_eq!(own.at("me.identities"), &known);
    let document =
        format!("{{ user(id: {:?}) {{ identities {{ website {{ code }} externalId }} }} }}", ada.global_id());
    assert_eq!(manager.run(&document).await.at("user.identities"), &known);
    // Staff of one website do not see external ids of another.
    let seen = of_rise.run(&document).await;
    assert_eq!(seen.at("user.identities.0.externalId"), &json!("A"));
    assert_eq!(seen.at("user.identities.1.externalId"), &Value::Null);
    let remove = json!({ "userId": ada.global_id(), "websiteId": sailor.id.to_global_id() });
    for expected in ["done", "NOT_FOUND websiteId"] {
        let removed = manager.mutate("userIdentityRemove", "user { identities { externalId } }", remove.clone()).await;
        assert_eq!(removed.outcome("userIdentityRemove"), expected);
    }
    let removed = of_rise.mutate("userIdentityRemove", "", remove).await;
    assert_eq!(removed.outcome("userIdentityRemove"), "PERMISSION_NOT_HELD websiteId");
}

#[tokio::test]
async fn source_is_deleted_with_its_row() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await;
    let (manager, customer) = (app.manager().await, app.customer().await);
    let category = app.category("ropes", None).await;
    let names = format!(
        "INSERT INTO sources (resource_type, resource_id, website_id, external_id) VALUES
            ('Category', {}, {website}, 'K-7'), ('User', {}, {website}, 'C-7')",
        category.id.0,
        customer.id.0,
        website = website.id.0,
    );
    app.database.sql(&names).await;
    let delete = json!({ "id": category.id.to_global_id() });
    assert_eq!(manager.mutate("categoryDelete", "", delete).await.outcome("categoryDelete"), "done");
    assert_eq!(app.database.scalar("SELECT string_agg(external_id, ' ') FROM sources").await, "C-7");
    let erase = json!({ "id": customer.global_id() });
    assert_eq!(manager.mutate("userErase", "", erase).await.outcome("userErase"), "done");
    assert_eq!(app.database.scalar("SELECT count(*) FROM sources").await, "0");
    let add = json!({ "userId": customer.global_id(), "websiteId": website.id.to_global_id(), "externalId": "C-7" });
    let added = manager.mutate("userIdentityAdd", "", add).await;
    assert_eq!(added.outcome("userIdentityAdd"), "NOT_FOUND userId", "an erased user gets no new identity");
}
