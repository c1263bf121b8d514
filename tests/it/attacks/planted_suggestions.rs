//! Searches that one person makes as many, so that their text is suggested to everyone.

use serde_json::json;
use souk::{
    analytics::actions::refresh::refresh,
    config::AnalyticsSettings,
    ids::{RowId, WebsiteId},
};

use crate::support::{Actor, ProductSpec, TestApp};

const SEARCH: &str = "query ($query: String!) { search(query: $query) { searchId totalCount { value } } }";

/// Creates a product for sale; of a seller if there is one.
async fn sell(app: &TestApp, website: WebsiteId, name: &str, seller: Option<&Actor<'_>>) {
    let seller = seller.map(|seller| seller.id);
    app.product(website, ProductSpec { name: Some(name.to_owned()), stock: 5, seller, ..ProductSpec::default() }).await;
}

/// Searches for a text and writes the search.
async fn search(actor: &Actor<'_>, query: &str) {
    let found = actor.run_with(SEARCH, json!({ "query": query })).await;
    assert!(
        found.at("search.searchId").is_string() && *found.at("search.totalCount.value") != json!(0),
        "{}",
        found.text
    );
}

/// Runs the hourly job, and returns what is suggested for a prefix as popular queries.
async fn suggested(app: &TestApp, prefix: &str) -> Vec<String> {
    app.services.search_recorder.flush().await;
    refresh(&app.database.db, AnalyticsSettings::default()).await.expect("a refresh");
    queries(app, prefix).await
}

async fn queries(app: &TestApp, prefix: &str) -> Vec<String> {
    let document = "query ($prefix: String!) { searchSuggestions(prefix: $prefix) { text kind } }";
    let response = app.anonymous().run_with(document, json!({ "prefix": prefix })).await;
    let all = response.at("searchSuggestions").as_array().expect("a list").clone();
    let queries = all.iter().filter(|suggestion| suggestion["kind"] == "QUERY");
    queries.map(|suggestion| suggestion["text"].as_str().expect("text").to_owned()).collect()
}

#[tokio::test]
async fn visitors_of_one_network_are_one_person() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    sell(&app, website, "Scam call now", None).await;
    for number in 0..6 {
        let visitor = app.anonymous().with_visitor(&format!("visitor-{number}"));
        search(&visitor.at_address(&format!("203.0.113.{number}")), "scam call").await;
        let visitor = app.anonymous().with_visitor(&format!("visitor-6-{number}"));
        search(&visitor.at_address(&format!("2001:db8:1:2::{number}")), "scam call").await;
        // Accounts without an order are made up as easily.
        search(&app.customer().await.at_address("203.0.113.9"), "scam call").await;
        search(&app.customer().await, "scam call").await;
    }
    assert_eq!(suggested(&app, "scam").await, [""; 0]);
    let stored =
        app.database.scalar("SELECT count(DISTINCT network) || ' ' || max(octet_length(network)) FROM searches").await;
    assert_eq!(stored, "2 16", "hashes of the two networks");
    // Customers who ordered are people, wherever they are; so are others on other networks.
    let product = app.product(website, ProductSpec { stock: 9, ..ProductSpec::default() }).await.id;
    for _ in 0..2 {
        let customer = app.customer().await.at_address("203.0.113.9");
        customer.order(&[(product, 1)]).await;
        search(&customer, "scam call").await;
    }
    search(&app.anonymous().with_visitor("x").at_address("198.51.100.1"), "scam call").await;
    assert_eq!(suggested(&app, "scam").await, ["scam call"]);
}

#[tokio::test]
async fn words_that_only_one_seller_uses_are_not_suggested() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let (one, other) = (app.seller().await, app.seller().await);
    for number in 0..3 {
        sell(&app, website, &format!("Scam call {number}"), Some(&one)).await;
    }
    // Both words are used by others, but not together.
    sell(&app, website, "Scam detector", Some(&other)).await;
    sell(&app, website, "Bosun's call", None).await;
    let search_from_everywhere = async || {
        for number in 0..6 {
            let visitor = app.anonymous().with_visitor(&format!("visitor-{number}"));
            search(&visitor.at_address(&format!("198.51.{number}.1")), "scam call").await;
        }
    };
    search_from_everywhere().await;
    assert_eq!(suggested(&app, "scam").await, [""; 0]);
    sell(&app, website, "Call against a scam", Some(&other)).await;
    assert_eq!(suggested(&app, "scam").await, ["scam call"]);
}

#[tokio::test]
async fn staff_block_a_suggestion() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    sell(&app, website, "Scams call now", None).await;
    sell(&app, website, "Rope", None).await;
    for number in 0..6 {
        let visitor =
            app.anonymous().with_visitor(&format!("visitor-{number}")).at_address(&format!("198.51.{number}.1"));
        search(&visitor, "scams call").await;
        search(&visitor, "rope").await;
    }
    assert_eq!(suggested(&app, "scam").await, ["scams call"]);
    let manager = app.manager().await;
    let rule = json!({ "websiteId": website.to_global_id(), "words": ["scam"], "blocksSuggestions": true });
    let created = manager.mutate("searchRuleCreate", "searchRule { id words blocksSuggestions }", rule.clone()).await;
    assert_eq!(created.at("searchRuleCreate.searchRule.blocksSuggestions"), &json!(true), "{}", created.text);
    assert_eq!(queries(&app, "scam").await, [""; 0], "at once");
    assert_eq!(suggested(&app, "scam").await, [""; 0], "after the next refresh");
    assert_eq!(queries(&app, "rop").await, ["rope"]);
    // The rule does not change what is found.
    search(&app.anonymous().with_visitor("x"), "scam").await;
    let id = created.text_at("searchRuleCreate.searchRule.id");
    let with_url = manager.mutate("searchRuleUpdate", "searchRule { id }", json!({ "id": id, "url": "/safety" })).await;
    assert!(with_url.outcome("searchRuleUpdate").starts_with("INVALID "), "{}", with_url.text);
    assert_eq!(
        manager.mutate("searchRuleDelete", "deletedId", json!({ "id": id })).await.outcome("searchRuleDelete"),
        "done"
    );
    assert_eq!(suggested(&app, "scam").await, ["scams call"]);
    let rejected = app.customer().await.mutate("searchRuleCreate", "searchRule { id }", rule).await;
    assert_eq!(rejected.code(), "FORBIDDEN");
}
