//! Lists of one website by name have the order of its language, on every page and in both directions; a cursor of another
//! order is rejected.

use serde_json::{Value, json};
use souk::ids::WebsiteId;

use crate::support::{
    Actor, TestApp, TestResponse,
    bulk::{BASE, nth_id},
};

/// Websites by number: the language, and names in the order of that language.
const SHOPS: [(&str, [&str; 6]); 5] = [
    ("sv", ["Apelsin 9", "Apelsin 10", "Zebra", "Ångbåt", "Ärta", "Öl"]),
    ("da", ["Bolle", "Zebra", "Æble", "Ø", "Ål", "Ål 2"]),
    ("es", ["Nube", "Nzz", "Ñandú", "Ñu", "Oca", "Zorro"]),
    ("ru", ["Арбуз", "Ёлка", "Яблоко", "Apple", "Banana", "Zebra"]),
    ("de", ["Ananas", "Äpfel", "Birne", "Ohr", "Öl", "Zebra"]),
];

async fn shops(app: &TestApp) {
    let mut script = String::new();
    for (number, (language, names)) in SHOPS.iter().enumerate() {
        let id = BASE + 1 + number as i64;
        script += &format!(
            "INSERT INTO websites (id, code, name, base_url, currency, language)
             VALUES ({id}, '{language}', 'Shop', 'https://s.example', 'EUR', '{language}');"
        );
        for place in 0..names.len() {
            // Inserted in another order: `(5 * place + 2) % 6` is a permutation.
            let name = names[(5 * place + 2) % 6];
            script += &format!(
                "INSERT INTO products (source_website_id, sku, slug, name, price)
                 VALUES ({id}, 'S{place}', 's-{number}-{place}', '{name}', 1);"
            );
        }
    }
    app.bulk_insert(&script).await;
}

/// Returns the names of a list, read in pages. `list` has the place `PAGE` for the arguments of a page.
async fn names(actor: &Actor<'_>, list: &str, path: &str, is_forward: bool) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = match is_forward {
            true => format!("first: 2 {cursor}"),
            false => format!("last: 2 {cursor}"),
        };
        let found = actor.run(&list.replace("PAGE", &page)).await;
        let nodes = found.at(&format!("{path}.nodes")).as_array().expect("nodes").clone();
        let name = |node: &Value| node["name"].as_str().expect("a name").to_owned();
        let at = if is_forward { seen.len() } else { 0 };
        seen.splice(at..at, nodes.iter().map(name));
        let info = found.at(&format!("{path}.pageInfo"));
        let (more, argument, end) = if is_forward {
            ("hasNextPage", "after", "endCursor")
        } else {
            ("hasPreviousPage", "before", "startCursor")
        };
        if info[more] == false {
            return seen;
        }
        cursor = format!("{argument}: {}", info[end]);
    }
}

const CONTENT: &str =
    "nodes { ... on Product { name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";

#[tokio::test]
async fn names_have_the_order_of_the_websites_language() {
    let app = TestApp::new().await;
    shops(&app).await;
    let public = app.anonymous();
    for (number, (language, expected)) in SHOPS.iter().enumerate() {
        let id = nth_id::<WebsiteId>(1 + number as i64);
        for direction in ["ASC", "DESC"] {
            let order = format!("orderBy: {{field: NAME, direction: {direction}}}");
            let lists = [
                (
                    format!("{{ products(PAGE {order} where: {{sourceWebsite: {{eq: {id:?}}}}}) {{ {CONTENT} }} }}"),
                    "products",
                ),
                (
                    format!(
                        "{{ products(PAGE {order} where: {{sourceWebsite: {{code: {language:?}}}}}) {{ {CONTENT} }} }}"
                    ),
                    "products",
                ),
                (
                    format!(
                        "{{ products(PAGE {order} where: {{and: [{{sourceWebsite: {{in: [{id:?}]}}}}]}}) {{ {CONTENT} }} }}"
                    ),
                    "products",
                ),
                (
                    format!(
                        "{{ products(PAGE {order} onePerGroup: true where: {{sourceWebsite: {{eq: {id:?}}}}}) {{ {CONTENT} }} }}"
                    ),
                    "products",
                ),
                (format!("{{ website(id: {id:?}) {{ products(PAGE {order}) {{ {CONTENT} }} }} }}"), "website.products"),
                (
                    format!("{{ search(PAGE {order} where: {{sourceWebsite: {{eq: {id:?}}}}}) {{ {CONTENT} }} }}"),
                    "search",
                ),
                (
                    format!(
                        "{{ search(query: \"s0 or s1 or s2 or s3 or s4 or s5\" PAGE {order} where: {{sourceWebsite: {{code: {language:?}}}}}) {{ {CONTENT} }} }}"
                    ),
                    "search",
                ),
            ];
            let mut expected = expected.to_vec();
            if direction == "DESC" {
                expected.reverse();
            }
            for (list, path) in &lists {
                for is_forward in [true, false] {
                    assert_eq!(
                        names(&public, list, path, is_forward).await,
                        expected,
                        "{language} {list} {is_forward}"
                    );
                }
            }
        }
    }
    // A list of several websites has the order that most languages share.
    let all =
        names(&public, &format!("{{ products(PAGE orderBy: {{field: NAME}}) {{ {CONTENT} }} }}"), "products", true)
            .await;
    let place = |name: &str| all.iter().position(|other| other == name);
    assert!(all.len() == 30 && place("Ångbåt") < place("Apelsin 9") && place("Ñu") < place("Nzz"), "{all:?}");
}

#[tokio::test]
async fn a_cursor_of_another_name_order_is_rejected() {
    let app = TestApp::new().await;
    shops(&app).await;
    let public = app.anonymous();
    let page = async |list: &str, website: Option<i64>, arguments: &str| -> TestResponse {
        let filter =
            website.map(|number| format!("where: {{sourceWebsite: {{eq: {:?}}}}}", nth_id::<WebsiteId>(number)));
        let filter = filter.unwrap_or_default();
        public
            .run(&format!("{{ {list}(first: 1 {arguments} {filter} orderBy: {{field: NAME}}) {{ {CONTENT} }} }}"))
            .await
    };
    for list in ["products", "search"] {
        let swedish = page(list, Some(1), "").await.text_at(&format!("{list}.pageInfo.endCursor"));
        let common = page(list, Some(5), "").await.text_at(&format!("{list}.pageInfo.endCursor"));
        for argument in ["after", "before"] {
            let (swedish, common) = (format!("{argument}: {swedish:?}"), format!("{argument}: {common:?}"));
            for (website, cursor) in [(Some(2), &swedish), (Some(5), &swedish), (None, &swedish), (Some(1), &common)] {
                let rejected = page(list, website, cursor).await;
                assert_eq!(rejected.code(), "BAD_USER_INPUT", "{list} {website:?} {cursor}");
                let error = &rejected.json["errors"][0];
                assert_eq!(error["extensions"]["field"], json!(argument));
                assert!(error["message"].as_str().is_some_and(|text| text.contains("another language")), "{error}");
            }
            // Languages that share an order share their cursors.
            page(list, None, &common).await.at(&format!("{list}.nodes"));
        }
    }
}
