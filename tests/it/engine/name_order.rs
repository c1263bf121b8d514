//! Lists by name: the order that people expect, on every page and in both directions.

use serde_json::json;
use souk::ids::RowId;

use crate::support::TestApp;

/// Names in the order that people expect: neither case nor accents come first, and numbers are ordered by their value.
const NAMES: [&str; 10] =
    ["3 oars", "20 oars", "anchor", "Anchor", "Änderung", "apple", "Éclair", "oar 9", "oar 10", "Zebra"];

#[tokio::test]
async fn lists_by_name_have_the_order_that_people_expect_on_every_page() {
    let app = TestApp::new().await;
    let website = app.website("000").await.id;
    let admin = app.admin().await;
    for place in 0..NAMES.len() {
        // Inserted in another order: `(3 * place) % 10` is a permutation.
        let name = NAMES[place * 3 % 10];
        let fields = json!({ "name": name, "slug": format!("s{place}") });
        for mutation in ["categoryCreate", "brandCreate", "supplierCreate", "productGroupCreate", "productCreate"] {
            let mut input = fields.clone();
            let own = match mutation {
                "productGroupCreate" => json!({ "sourceWebsiteId": website.to_global_id(), "variesBy": ["Size"] }),
                "productCreate" => json!({ "sourceWebsiteId": website.to_global_id(), "sku": name, "price": "1" }),
                _ => json!({}),
            };
            if mutation == "supplierCreate" {
                input = json!({ "name": name });
            }
            input.as_object_mut().expect("an object").extend(own.as_object().expect("an object").clone());
            assert_eq!(admin.try_mutate(mutation, input).await, "done", "{mutation} {name}");
        }
        assert_eq!(admin.try_mutate("wishlistCreate", json!({ "name": name })).await, "done");
        let shop =
            json!({ "code": format!("w{place}"), "name": name, "baseUrl": "https://shop.example", "currency": "EUR" });
        assert_eq!(admin.try_mutate("websiteCreate", shop).await, "done");
        let user = json!({ "name": name, "email": format!("u{place}@souk.example") });
        assert_eq!(admin.try_mutate("userCreate", user).await, "done");
    }
    for list in ["categories", "brands", "suppliers", "productGroups", "products", "wishlists", "websites", "users"] {
        for (direction, forward) in [("ASC", true), ("ASC", false), ("DESC", true)] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let range = match (forward, cursor.as_str()) {
                    (true, "") => "first: 3".to_owned(),
                    (true, cursor) => format!("first: 3 after: {cursor:?}"),
                    (false, "") => "last: 3".to_owned(),
                    (false, cursor) => format!("last: 3 before: {cursor:?}"),
                };
                let query = format!(
                    "{{ {list}({range} orderBy: {{field: NAME, direction: {direction}}}) {{ nodes {{ name }}
                        pageInfo {{ startCursor endCursor hasNextPage hasPreviousPage }} }} }}"
                );
                let found = admin.run(&query).await;
                let nodes = found.at(&format!("{list}.nodes")).as_array().expect("nodes").clone();
                let names: Vec<_> =
                    nodes.iter().map(|node| node["name"].as_str().expect("a name").to_owned()).collect();
                let info = found.at(&format!("{list}.pageInfo"));
                let (more, next) =
                    if forward { ("hasNextPage", "endCursor") } else { ("hasPreviousPage", "startCursor") };
                if forward {
                    seen.extend(names)
                } else {
                    seen.splice(0..0, names).for_each(drop)
                }
                if info[more] == false {
                    break;
                }
                cursor = info[next].as_str().expect("a cursor").to_owned();
            }
            // The website of the products and the admin have other names.
            seen.retain(|name| NAMES.contains(&name.as_str()));
            let mut expected = NAMES.to_vec();
            if direction == "DESC" {
                expected.reverse();
            }
            assert_eq!(seen, expected, "{list} {direction} {forward}");
        }
    }
}
