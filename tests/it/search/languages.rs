//! Search languages: each website is searched with the stemmer of its language, and several languages are searched at
//! once.

use serde_json::json;
use souk::search::actions::reindex;

use crate::support::{
    Actor, TestApp,
    bulk::{BASE, nth_id},
};

/// Inserts a shop in English, one in German and one in Polish, for which PostgreSQL has no stemmer.
async fn shops(app: &TestApp) {
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency, language) VALUES
            (BASE + 1, 'sailor', 'Sailor', 'https://s.example', 'EUR', 'en'),
            (BASE + 2, 'matrose', 'Matrose', 'https://m.example', 'EUR', 'de'),
            (BASE + 3, 'marynarz', 'Marynarz', 'https://y.example', 'EUR', 'other');
        INSERT INTO categories (id, name, slug) VALUES (BASE + 1, 'Häuser', 'haus');
        INSERT INTO products (id, source_website_id, sku, slug, name, description, price) VALUES
            (BASE + 1, BASE + 1, 'E-1', 'e1', 'The Running House', 'red', 1),
            (BASE + 2, BASE + 2, 'D-1', 'd1', 'Das rote Haus', 'mit Gärten', 1),
            (BASE + 3, BASE + 2, 'D-2', 'd2', 'Blaues Haus', 'ohne Garten, the end', 1),
            (BASE + 4, BASE + 3, 'P-1', 'p1', 'Dom Żółty', '', 1);";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
}

/// Returns the names of the matching products, sorted.
async fn found_names(actor: &Actor<'_>, query: &str) -> Vec<String> {
    names_at(actor, query, "").await
}

async fn names_at(actor: &Actor<'_>, query: &str, filter: &str) -> Vec<String> {
    let document = format!(
        "query ($query: String!) {{ search(query: $query {filter}) {{
            nodes {{ ... on Product {{ name }} ... on Category {{ name }} }} }} }}"
    );
    let response = actor.run_with(&document, json!({ "query": query })).await;
    let nodes = response.at("search.nodes").as_array().expect("nodes").clone();
    let mut names: Vec<String> = nodes.iter().map(|node| node["name"].as_str().expect("a name").to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn each_website_is_searched_with_the_stemmer_of_its_language() {
    let app = TestApp::new().await;
    shops(&app).await;
    let public = app.anonymous();
    for (query, found) in [
        // English and German stems.
        ("houses ", &["The Running House"][..]),
        ("Häuser ", &["Blaues Haus", "Das rote Haus", "Häuser"]),
        ("hauser ", &["Blaues Haus", "Das rote Haus", "Häuser"]),
        ("rotes Haus ", &["Das rote Haus"]),
        ("runs ", &["The Running House"]),
        // An excluded word is excluded in every language.
        ("Haus -Gärten", &["Häuser"]),
        ("Haus -roter", &["Blaues Haus", "Häuser"]),
        // A stop word of only one language.
        ("the house ", &["The Running House"]),
        ("the end ", &["Blaues Haus"]),
        ("für das haus ", &["Blaues Haus", "Das rote Haus", "Häuser"]),
        ("das haus ", &["Blaues Haus", "Das rote Haus", "Häuser"]),
        // Without a stemmer: words match as written, except for accents and case.
        ("zolty ", &["Dom Żółty"]),
        ("DOM ", &["Dom Żółty"]),
        ("haus or dom ", &["Blaues Haus", "Das rote Haus", "Dom Żółty", "Häuser"]),
    ] {
        assert_eq!(found_names(&public, query).await, found, "{query}");
    }
    let snippets = "{ search(query: \"Gartens\") { didYouMean edges { snippet } } }";
    let response = public.run(snippets).await;
    let all: Vec<&str> =
        response.at("search.edges").as_array().expect("edges").iter().filter_map(|e| e["snippet"].as_str()).collect();
    assert!(all.len() == 2 && all.iter().all(|text| text.contains("<mark>G")), "{all:?}");
    let meant = public.run("{ search(query: \"Laterneh gartne\") { didYouMean } }").await;
    assert_eq!(meant.at("search.didYouMean"), &json!(null));
}

#[tokio::test]
async fn words_are_taken_apart_once_and_again_when_a_language_is_added() {
    let app = TestApp::new().await;
    shops(&app).await;
    let public = app.anonymous();
    let search = async |query: &str| {
        let document = format!("{{ search(query: \"{query}\") {{ nodes {{ ... on Product {{ name }} }} }} }}");
        let response = public.run(&document).await;
        let names = response.at("search.nodes").as_array().expect("nodes").len();
        (names, response.sql.iter().filter(|sql| sql.contains("search_query(w.language")).count())
    };
    assert_eq!(search("maisons ").await, (0, 1));
    assert_eq!(search("maisons ").await, (0, 0));
    assert_eq!(search("houses ").await, (1, 1), "another word");
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency, language)
            VALUES (BASE + 4, 'marin', 'Marin', 'https://f.example', 'EUR', 'fr');
        INSERT INTO products (id, source_website_id, sku, slug, name, price)
            VALUES (BASE + 5, BASE + 4, 'F-1', 'f1', 'La maison', 1)";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
    assert_eq!(search("maisons ").await, (1, 1));
    assert_eq!(search("maisons ").await, (1, 0));
}

#[tokio::test]
async fn changing_the_language_keeps_everything_searchable() {
    let app = TestApp::new().await;
    shops(&app).await;
    let (admin, public) = (app.admin().await, app.anonymous());
    let change = json!({ "id": nth_id::<souk::ids::WebsiteId>(2), "language": "OTHER" });
    let changed = admin.mutate("websiteUpdate", "website { language }", change).await;
    assert_eq!(changed.text_at("websiteUpdate.website.language"), "OTHER");
    let script = "INSERT INTO products (id, source_website_id, sku, slug, name, price) VALUES (BASE + 9, BASE + 2, 'F-1', 'f1', 'Grüner Berg', 1)";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
    // Existing products match by their old stems, new ones by the new stems.
    assert_eq!(found_names(&public, "\"roter\"").await, ["Das rote Haus"]);
    assert_eq!(found_names(&public, "gruner ").await, ["Grüner Berg"]);
    for _ in 0..2 {
        reindex::reindex_stale(&app.database.db).await.expect("a reindex");
        assert_eq!(found_names(&public, "\"roter\"").await, [""; 0]);
        assert_eq!(found_names(&public, "rote ").await, ["Das rote Haus"]);
        assert_eq!(found_names(&public, "gruner ").await, ["Grüner Berg"]);
    }
    let left =
        "SELECT string_agg(DISTINCT d.language, ' ') FROM search_documents d WHERE kind = 'product' AND website_id = ";
    assert_eq!(app.database.scalar(&format!("{left}{}", BASE + 2)).await, "other");
}

#[tokio::test]
async fn search_rules_match_in_the_language_of_their_website() {
    let app = TestApp::new().await;
    shops(&app).await;
    let (admin, public) = (app.admin().await, app.anonymous());
    let rule = json!({ "websiteId": nth_id::<souk::ids::WebsiteId>(2), "words": ["Haus", "Gebäude"] });
    let id =
        admin.mutate("searchRuleCreate", "searchRule { id }", rule).await.text_at("searchRuleCreate.searchRule.id");
    let there = format!(", where: {{sourceWebsite: {{eq: {:?}}}}}", nth_id::<souk::ids::WebsiteId>(2));
    assert_eq!(names_at(&public, "Gebäudes ", &there).await, ["Blaues Haus", "Das rote Haus"]);
    let change = json!({ "id": nth_id::<souk::ids::WebsiteId>(2), "language": "OTHER" });
    admin.mutate("websiteUpdate", "website { id }", change).await;
    reindex::reindex_stale(&app.database.db).await.expect("a reindex");
    assert_eq!(names_at(&public, "gebaude ", &there).await, ["Blaues Haus", "Das rote Haus"]);
    let document = format!("{{ auditLog(where: {{ resourceId: {id:?} }}) {{ nodes {{ change }} }} }}");
    assert_eq!(
        admin.run(&document).await.at("auditLog.nodes"),
        &json!([{ "change": "CREATED" }]),
        "the reindex is not a change"
    );
}
