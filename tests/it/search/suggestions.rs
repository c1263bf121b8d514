//! Search suggestions: completions of a prefix, for which viewer, and how soon after a change.

use serde_json::json;
use souk::{ids::WebsiteId, search::store::update_popularity};

use crate::support::{
    Actor, TestApp,
    bulk::{BASE, nth_id},
};

async fn shop(app: &TestApp) {
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency) VALUES
            (BASE + 1, 'sailor', 'Sailor', 'https://s.example', 'EUR'), (BASE + 2, 'rise', 'Rise', 'https://r.example', 'EUR');
        INSERT INTO categories (id, name, slug) VALUES (BASE + 1, 'Lanterns', 'lanterns'), (BASE + 2, 'Home & Lanterns', 'home');
        INSERT INTO brands (id, name, slug) VALUES (BASE + 1, 'Lantern Makers', 'lm'), (BASE + 2, 'Wick', 'wick');
        INSERT INTO suppliers (id, name) VALUES (BASE + 1, 'Lantern Depot');
        INSERT INTO products (id, source_website_id, sku, slug, name, description, price, is_active) VALUES
            (BASE + 1, BASE + 1, 'A-1', 'a', 'Storm Lantern', '', 1, true),
            (BASE + 2, BASE + 1, 'A-2', 'b', 'Lantern', '', 1, true),
            (BASE + 3, BASE + 2, 'A-3', 'c', 'Café Chair', 'near a lantern', 1, true),
            (BASE + 4, BASE + 2, 'A-4', 'd', 'Lantern Hook', '', 1, true),
            (BASE + 5, BASE + 1, 'A-5', 'e', 'Lantern Secret', '', 1, false),
            (BASE + 6, BASE + 1, 'A-6', 'f', 'Candle', '', 1, true), (BASE + 7, BASE + 2, 'A-7', 'g', 'Candle', '', 1, true);";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
}

/// Returns type and text of each suggestion.
async fn suggest(actor: &Actor<'_>, prefix: &str, arguments: &str) -> Vec<String> {
    let document =
        format!("query ($prefix: String!) {{ searchSuggestions(prefix: $prefix {arguments}) {{ text kind }} }}");
    let response = actor.run_with(&document, json!({ "prefix": prefix })).await;
    let all = response.at("searchSuggestions").as_array().expect("a list").clone();
    all.iter()
        .map(|it| format!("{} {}", it["kind"].as_str().expect("a kind"), it["text"].as_str().expect("a text")))
        .collect()
}

#[tokio::test]
async fn suggestions_are_grouped_by_type() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    let rise = format!(", website: {:?}", nth_id::<WebsiteId>(2));
    for (prefix, arguments, expected) in [
        (
            "lan",
            "",
            &[
                "CATEGORY Lanterns",
                "CATEGORY Home & Lanterns",
                "BRAND Lantern Makers",
                "PRODUCT Lantern",
                "PRODUCT Lantern Hook",
                "PRODUCT Storm Lantern",
            ][..],
        ),
        ("LANTERN", ", first: 2", &["CATEGORY Lanterns", "BRAND Lantern Makers"]),
        ("lantern h", "", &["PRODUCT Lantern Hook", "CATEGORY Home & Lanterns"]),
        ("hook lan", "", &["PRODUCT Lantern Hook"]),
        (
            "lantern ",
            ", first: 50",
            &[
                "CATEGORY Lanterns",
                "CATEGORY Home & Lanterns",
                "BRAND Lantern Makers",
                "PRODUCT Lantern",
                "PRODUCT Lantern Hook",
                "PRODUCT Storm Lantern",
            ],
        ),
        ("cafe c", "", &["PRODUCT Café Chair"]),
        ("s", "", &["PRODUCT Storm Lantern"]),
        ("w", "", &["BRAND Wick"]),
        ("a-4", "", &["PRODUCT Lantern Hook"]),
        (
            "lan",
            rise.as_str(),
            &["CATEGORY Lanterns", "CATEGORY Home & Lanterns", "BRAND Lantern Makers", "PRODUCT Lantern Hook"],
        ),
        ("caf", rise.as_str(), &["PRODUCT Café Chair"]),
        // `can` and `in` are stop words but also prefixes; a product of two shops is suggested once.
        ("can", "", &["PRODUCT Candle"]),
        ("lantern h", rise.as_str(), &["PRODUCT Lantern Hook", "CATEGORY Home & Lanterns"]),
        // Words of descriptions, suppliers and hidden products are not suggested.
        ("near", "", &[]),
        ("depot", "", &[]),
        ("secret", "", &[]),
        ("zzz", "", &[]),
    ] {
        let mut found = suggest(&public, prefix, arguments).await;
        let mut expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        if prefix == "lantern h" {
            found.sort();
            expected.sort();
        }
        assert_eq!(found, expected, "{prefix:?} {arguments}");
    }
    // Staff see the same suggestions as everyone else.
    assert!(suggest(&app.manager().await, "secret", "").await.is_empty());
}

#[tokio::test]
async fn popular_products_are_suggested_first_and_new_names_immediately() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    app.database
        .sql(&format!("UPDATE search_documents SET popularity = 2 WHERE kind = 'product' AND node_id = {BASE} + 4"))
        .await;
    let products = |all: Vec<String>| all.into_iter().filter(|text| text.starts_with("PRODUCT")).collect::<Vec<_>>();
    let first = products(suggest(&public, "lan", "").await);
    assert_eq!(first, ["PRODUCT Lantern Hook", "PRODUCT Lantern", "PRODUCT Storm Lantern"]);
    app.database.sql(&format!("UPDATE products SET name = 'Beacon' WHERE id = {BASE} + 4")).await;
    assert_eq!(suggest(&public, "bea", "").await, ["PRODUCT Beacon"]);
    assert_eq!(products(suggest(&public, "lan", "").await), ["PRODUCT Lantern", "PRODUCT Storm Lantern"]);
    let forgotten = app.database.db.transaction(async |conn| update_popularity(conn).await).await;
    assert_eq!(forgotten.expect("a refresh"), 1, "popularity is reset without sales");
}

#[tokio::test]
async fn any_prefix_is_handled() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    for prefix in
        ["", "  ", "%", "_", "'", "\"", "\\", "& | !", "<->", "😀", "\u{202e}", "-lantern", "or", "the", "-- ;", ":*"]
    {
        let found = suggest(&public, prefix, "").await;
        assert!(found.is_empty(), "{prefix:?} {found:?}");
    }
    for (arguments, field) in [
        (json!({ "prefix": "x".repeat(201) }), "prefix"),
        (json!({ "prefix": "lan", "first": 0 }), "first"),
        (json!({ "prefix": "lan", "first": 51 }), "first"),
        (json!({ "prefix": "lan", "website": "nonsense" }), "website"),
    ] {
        let document = "query ($prefix: String!, $first: Int, $website: String) { searchSuggestions(prefix: $prefix, first: $first, website: $website) { text } }";
        let mut variables = json!({ "first": 10 });
        variables.as_object_mut().expect("an object").extend(arguments.as_object().expect("an object").clone());
        let response = public.run_with(document, variables).await;
        assert_eq!(response.code(), "BAD_USER_INPUT", "{arguments}");
        assert_eq!(response.json["errors"][0]["extensions"]["field"], field, "{arguments}");
    }
}

#[tokio::test]
async fn popular_searches_are_suggested_first() {
    let app = TestApp::new().await;
    shop(&app).await;
    let script = "INSERT INTO search_popular (website_id, query, people, searches) VALUES
        (NULL, 'lantern', 9, 20), (NULL, 'lantern hook', 12, 12), (NULL, 'red lantern', 50, 50),
        (BASE + 1, 'lantern', 9, 20), (BASE + 2, 'lantern hook', 12, 12);";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
    let public = app.anonymous();
    let queries = async |prefix: &str, arguments: &str| {
        let all = suggest(&public, prefix, arguments).await;
        let is_led = all.iter().skip_while(|text| text.starts_with("QUERY")).all(|text| !text.starts_with("QUERY"));
        assert!(is_led, "{all:?}");
        all.into_iter().filter(|text| text.starts_with("QUERY")).collect::<Vec<_>>()
    };
    assert_eq!(queries("LAN", "").await, ["QUERY lantern hook", "QUERY lantern"]);
    assert_eq!(queries("lan", ", first: 1").await, ["QUERY lantern hook"]);
    assert_eq!(queries(" lantern  H", "").await, ["QUERY lantern hook"]);
    let code =
        public.run_with("query ($id: ID!) { website(id: $id) { code } }", json!({ "id": nth_id::<WebsiteId>(1) }));
    let code = code.await.text_at("website.code");
    for website in [nth_id::<WebsiteId>(1), code] {
        assert_eq!(queries("lan", &format!(", website: {website:?}")).await, ["QUERY lantern"], "{website}");
    }
    assert_eq!(queries("%", "").await, [""; 0]);
    let node = public.run("{ searchSuggestions(prefix: \"lan\", first: 1) { node { __typename } } }").await;
    assert_eq!(node.at("searchSuggestions.0.node"), &json!(null));
}
