//! Search rules: synonyms, redirects, and the permission to change them.

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{RowId, WebsiteId},
};

use crate::support::{Actor, ProductSpec, TestApp, TestResponse};

const FIELDS: &str = "searchRule { id website { code } words url target { __typename ... on Category { name } } }";

async fn search(actor: &Actor<'_>, query: &str, arguments: &str) -> TestResponse {
    let document = format!(
        "query ($query: String!) {{ search(query: $query {arguments}) {{ didYouMean nodes {{ ... on Product {{ name }} }}
            redirect {{ url target {{ __typename ... on Category {{ name }} ... on Product {{ name }} }} }} }} }}"
    );
    actor.run_with(&document, json!({ "query": query })).await
}

/// Returns the names of the matching products, sorted.
async fn names(actor: &Actor<'_>, query: &str, arguments: &str) -> Vec<String> {
    let response = search(actor, query, &format!(", types: [PRODUCT] {arguments}")).await;
    let nodes = response.at("search.nodes").as_array().expect("nodes").clone();
    let mut names: Vec<String> = nodes.iter().map(|node| node["name"].as_str().expect("a name").to_owned()).collect();
    names.sort();
    names
}

/// Creates a website with products of these names.
async fn shop(app: &TestApp, code: &str, names: &[&str]) -> WebsiteId {
    let website = app.website(code).await.id;
    for name in names {
        app.product(website, ProductSpec { name: Some((*name).to_owned()), ..ProductSpec::default() }).await;
    }
    website
}

async fn create_rule(actor: &Actor<'_>, website: WebsiteId, words: &[&str], other: Value) -> TestResponse {
    let mut input = json!({ "websiteId": website.to_global_id(), "words": words });
    if let (Some(input), Some(other)) = (input.as_object_mut(), other.as_object()) {
        input.extend(other.clone());
    }
    actor.mutate("searchRuleCreate", FIELDS, input).await
}

#[tokio::test]
async fn synonyms_find_each_other() {
    let app = TestApp::new().await;
    let sailor = shop(&app, "sailor", &["Canvas Sneaker", "Running Trainer", "Cotton T-Shirt"]).await;
    let rise = shop(&app, "rise", &["Sneaker of Rise"]).await;
    let (manager, public) = (app.manager().await, app.anonymous());
    assert_eq!(names(&public, "trainer", "").await, ["Running Trainer"]);

    create_rule(&manager, sailor, &["sneaker", "trainer", "plimsoll"], json!({}))
        .await
        .at("searchRuleCreate.searchRule.id");
    create_rule(&manager, sailor, &["tee shirt", "t-shirt"], json!({})).await.at("searchRuleCreate.searchRule.id");
    let at = |website: WebsiteId| format!(", where: {{ sourceWebsite: {{ eq: {:?} }} }}", website.to_global_id());
    let both = ["Canvas Sneaker", "Running Trainer"];
    for (query, filter, found) in [
        ("trainer", at(sailor), &both[..]),
        // Inflected forms, and prefixes of words.
        ("TRAINERS", at(sailor), &both),
        ("plimsolls", at(sailor), &both),
        ("canvas trainer", at(sailor), &["Canvas Sneaker"]),
        ("trainer -canvas", at(sailor), &["Running Trainer"]),
        ("canvas or plimsoll", at(sailor), &both),
        // Words in quotes have no synonyms.
        ("\"trainer\"", at(sailor), &["Running Trainer"]),
        ("cotton tee shirt", at(sailor), &["Cotton T-Shirt"]),
        // A rule does not apply to other websites.
        ("sneaker", at(rise), &["Sneaker of Rise"]),
        // Nor to searches across several websites, because a rule belongs to only one of them.
        ("trainer", String::new(), &["Running Trainer"]),
    ] {
        assert_eq!(names(&public, query, &filter).await, found, "{query} {filter}");
    }
    assert!(names(&public, "trainer", &at(rise)).await.is_empty());

    // A word that only occurs in a rule is known, and is suggested as a correction.
    let response = search(&public, "plimsoll", &at(sailor)).await;
    assert_eq!(response.at("search.didYouMean"), &Value::Null);
    let meant = search(&public, "plimsol red", &at(sailor)).await;
    assert_eq!(meant.at("search.nodes").as_array().map(Vec::len), Some(0), "no product is red");
    let meant = search(&public, "plimsoil", &at(sailor)).await;
    assert_eq!(
        (meant.text_at("search.didYouMean"), meant.at("search.nodes").as_array().map(Vec::len)),
        ("plimsoll".into(), Some(2))
    );
}

#[tokio::test]
async fn redirect_rule_returns_its_target() {
    let app = TestApp::new().await;
    let website = shop(&app, "sailor", &["Storm Lantern"]).await;
    let secret = app.product(website, ProductSpec { name: Some("Old Lamp".into()), ..ProductSpec::default() }).await;
    app.database.sql(&format!("UPDATE products SET is_active = false WHERE id = {}", secret.id.0)).await;
    let category = app.category("clearance", None).await;
    let (manager, public) = (app.manager().await, app.anonymous());
    create_rule(&manager, website, &["sale", "last chance"], json!({ "target": category.id.to_global_id() })).await;
    create_rule(&manager, website, &["returns policy"], json!({ "url": "/help/returns" })).await;
    create_rule(&manager, website, &["old lamp"], json!({ "target": secret.id.to_global_id() })).await;

    let sale = search(&public, " SALES ", "").await;
    assert_eq!(
        sale.at("search.redirect"),
        &json!({ "url": null, "target": { "__typename": "Category", "name": "clearance" } })
    );
    assert_eq!(search(&public, "Last Chance", "").await.at("search.redirect.target.name"), "clearance");
    let help = search(&public, "return policy", "").await;
    assert_eq!(help.at("search.redirect"), &json!({ "url": "/help/returns", "target": null }));
    // A redirect's word is never corrected, however similar it is to another word.
    app.product(website, ProductSpec { name: Some("Salle de Bain".into()), ..ProductSpec::default() }).await;
    let sale = search(&public, "sale", "").await;
    assert_eq!(
        (sale.at("search.didYouMean"), sale.at("search.redirect.target.name")),
        (&json!(null), &json!("clearance"))
    );
    // Additional words or operators make it another query. A hidden target is returned only to viewers who may see it.
    for query in ["sale lantern", "\"sale\"", "chance last", "old lamp", "lantern"] {
        assert_eq!(search(&public, query, "").await.at("search.redirect"), &Value::Null, "{query}");
    }
    assert_eq!(search(&manager, "old lamp", "").await.at("search.redirect.target.name"), "Old Lamp");
    let rise = app.website("rise").await.id;
    let at = |website: WebsiteId| format!(", where: {{ sourceWebsite: {{ eq: {:?} }} }}", website.to_global_id());
    for (filter, leads) in [(at(rise), false), (String::new(), false), (at(website), true)] {
        assert_eq!(search(&public, "sale", &filter).await.at("search.redirect").is_object(), leads, "{filter}");
    }

    // A rule is deleted with its target.
    app.database.sql(&format!("DELETE FROM categories WHERE id = {}", category.id.0)).await;
    assert_eq!(search(&public, "sale", &at(website)).await.at("search.redirect"), &Value::Null);
    assert_eq!(manager.run("{ searchRules { totalCount { value } } }").await.at("searchRules.totalCount.value"), 2);
}

#[tokio::test]
async fn rule_update_and_deletion_apply_immediately() {
    let app = TestApp::new().await;
    let website = shop(&app, "sailor", &["Canvas Sneaker"]).await;
    let category = app.category("shoes", None).await.id.to_global_id();
    let (manager, public) = (app.manager().await, app.anonymous());
    let id = create_rule(&manager, website, &["sneaker", "trainer"], json!({}))
        .await
        .text_at("searchRuleCreate.searchRule.id");
    let change = async |input: Value| {
        let mut input = input;
        input["id"] = json!(id);
        manager.mutate("searchRuleUpdate", FIELDS, input).await
    };
    let changed = change(json!({ "words": ["sneaker", "pump"] })).await;
    assert_eq!(changed.at("searchRuleUpdate.searchRule.words"), &json!(["sneaker", "pump"]));
    assert_eq!(names(&public, "pump", "").await, ["Canvas Sneaker"]);
    assert_eq!(names(&public, "trainer", "").await, [""; 0]);
    // From synonyms to a redirect, and then to another target.
    change(json!({ "target": category })).await;
    assert_eq!(names(&public, "pump", "").await, [""; 0]);
    assert_eq!(search(&public, "pump", "").await.at("search.redirect.target.name"), "shoes");
    assert_eq!(
        change(json!({ "url": "/pumps" })).await.user_errors("searchRuleUpdate"),
        [("INVALID".into(), "url".into())]
    );
    change(json!({ "target": null, "url": "/pumps" })).await;
    assert_eq!(search(&public, "pump", "").await.at("search.redirect"), &json!({ "url": "/pumps", "target": null }));
    let removed = manager.mutate("searchRuleDelete", "deletedId", json!({ "id": id })).await;
    assert_eq!(removed.text_at("searchRuleDelete.deletedId"), id);
    assert_eq!(search(&public, "pump", "").await.at("search.redirect"), &Value::Null);
    let again = manager.mutate("searchRuleDelete", "deletedId", json!({ "id": id })).await;
    assert_eq!(again.user_errors("searchRuleDelete"), [("NOT_FOUND".into(), "id".into())]);
}

#[tokio::test]
async fn empty_or_invalid_rule_is_rejected() {
    let app = TestApp::new().await;
    let website = shop(&app, "sailor", &[]).await;
    let manager = app.manager().await;
    let (nobody, category) = (website.to_global_id(), app.category("shoes", None).await.id.to_global_id());
    let removed = souk::ids::BrandId(7).to_global_id();
    let long = "x".repeat(101);
    let many: Vec<String> = (0..51).map(|n| format!("word{n}")).collect();
    for (words, other, code, field) in [
        (json!([]), json!({}), "OUT_OF_RANGE", "words"),
        (json!(many), json!({}), "OUT_OF_RANGE", "words"),
        (json!(["alone"]), json!({}), "REQUIRED", "words"),
        (json!(["sneaker", "Sneakers"]), json!({}), "INVALID", "words"),
        (json!(["sneaker", "the"]), json!({}), "INVALID", "words"),
        (json!(["sneaker", " "]), json!({}), "REQUIRED", "words"),
        (json!(["sneaker", "% & |"]), json!({}), "INVALID", "words"),
        (json!(["sneaker", long]), json!({}), "TOO_LONG", "words"),
        (json!(["one two three four", "five"]), json!({}), "TOO_LONG", "words"),
        (json!(["sale"]), json!({ "target": nobody }), "INVALID", "target"),
        (json!(["sale"]), json!({ "target": removed }), "NOT_FOUND", "target"),
        (json!(["sale"]), json!({ "target": category, "url": "/sale" }), "INVALID", "url"),
        (json!(["sale"]), json!({ "url": "javascript:alert(1)" }), "INVALID", "url"),
        (json!(["sale"]), json!({ "url": "" }), "INVALID", "url"),
        (json!(["sale"]), json!({ "url": "//evil.example" }), "INVALID", "url"),
        (json!(["sale"]), json!({ "url": "/\\evil.example" }), "INVALID", "url"),
        (json!(["sale"]), json!({ "url": "https://" }), "INVALID", "url"),
        (json!(["sale"]), json!({ "url": "https://shop.example@evil.example/" }), "INVALID", "url"),
        (json!(["sale"]), json!({ "url": "http://shop.example/" }), "INVALID", "url"),
    ] {
        let mut input = json!({ "websiteId": website.to_global_id(), "words": words });
        input.as_object_mut().expect("an object").extend(other.as_object().expect("an object").clone());
        let response = manager.mutate("searchRuleCreate", FIELDS, input.clone()).await;
        assert_eq!(response.user_errors("searchRuleCreate")[0], (code.into(), field.into()), "{input}");
    }
    assert_eq!(app.database.scalar("SELECT count(*) FROM search_rules").await, "0");
}

#[tokio::test]
async fn rules_require_catalog_permission_at_the_website() {
    let app = TestApp::new().await;
    let (sailor, rise) = (app.website("sailor").await.id, app.website("rise").await.id);
    let manager = app.manager().await;
    let limited = app.user_with(&[Permission::ManageCatalogue], &[rise]).await;
    let id = create_rule(&manager, sailor, &["sneaker", "trainer"], json!({}))
        .await
        .text_at("searchRuleCreate.searchRule.id");
    create_rule(&limited, rise, &["pump", "court"], json!({})).await.at("searchRuleCreate.searchRule.id");

    let refused = create_rule(&limited, sailor, &["a1", "b1"], json!({})).await;
    assert_eq!(refused.user_errors("searchRuleCreate"), [("PERMISSION_NOT_HELD".into(), "websiteId".into())]);
    for (mutation, fields, input) in [
        ("searchRuleUpdate", FIELDS, json!({ "id": id, "words": ["a1", "b1"] })),
        ("searchRuleDelete", "deletedId", json!({ "id": id })),
    ] {
        let refused = limited.mutate(mutation, fields, input).await;
        assert_eq!(refused.user_errors(mutation), [("NOT_FOUND".into(), "id".into())]);
    }
    let list = "{ searchRules(first: 1) { totalCount { value } pageInfo { hasNextPage endCursor } nodes { words website { code } } } }";
    let (all, own) = (manager.run(list).await, limited.run(list).await);
    assert_eq!(
        (all.at("searchRules.totalCount.value"), own.at("searchRules.totalCount.value")),
        (&json!(2), &json!(1))
    );
    assert_eq!(own.at("searchRules.nodes.0"), &json!({ "words": ["pump", "court"], "website": { "code": "rise" } }));
    assert_eq!(all.at("searchRules.nodes.0.words"), &json!(["sneaker", "trainer"]));
    let cursor = all.text_at("searchRules.pageInfo.endCursor");
    for (arguments, words) in [
        (format!("first: 1, after: {cursor:?}"), "pump"),
        ("last: 1".into(), "pump"),
        ("orderBy: { field: CREATED_AT, direction: DESC }".into(), "pump"),
        (format!("where: {{ website: {{ eq: {:?} }} }}", rise.to_global_id()), "pump"),
    ] {
        let response = manager.run(&format!("{{ searchRules({arguments}) {{ nodes {{ words }} }} }}")).await;
        assert_eq!(response.text_at("searchRules.nodes.0.words.0"), words, "{arguments}");
    }
    let node = format!("{{ node(id: {id:?}) {{ ... on SearchRule {{ words }} }} }}");
    assert_eq!(limited.run(&node).await.at("node"), &Value::Null);
    assert_eq!(manager.run(&node).await.text_at("node.words.0"), "sneaker");
}
