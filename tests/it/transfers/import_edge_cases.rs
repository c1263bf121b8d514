//! Edge cases of imports: rejected rows, names in use, and repeated or concurrent imports.

use std::io::Cursor;

use souk::transfers::{
    formats::decode::Encoding,
    model::{Format, ImportOptions, Resource},
};

use crate::{
    support::TestApp,
    transfers::imports::{Shop, counts, options},
};

const GERMAN: &str =
    "INSERT INTO websites (id, code, name, base_url, currency) VALUES (2, 'de', 'Laden', 'https://de.example', 'EUR')";

#[tokio::test]
async fn rejected_row_leaves_nothing_behind() {
    let shop = Shop::new().await;
    shop.import_csv(Resource::Products, "sku,name,price,slug\nA,Lantern,1,lantern\n").await;
    let file = "sku,name,price,stock,category,brand,supplier\n\
                B,,1,1,No > Name,Nobody,None\n\
                C,Lamp,1,one,Less > Nothing,Minus,None\n\
                D,Lamp,1,1,Home > Light,Wick,Tallow\n";
    assert_eq!(counts(&shop.import_csv(Resource::Products, file).await), [1, 0, 0, 2]);
    let categories = "external_id,path,slug\n1,Home > One,taken\n2,Home > Two,taken\n3,Gone > Three,\"not a slug\"\n";
    assert_eq!(counts(&shop.import_csv(Resource::Categories, categories).await), [1, 0, 0, 2]);
    for (table, expected) in
        [("categories", "Home, Light, One"), ("brands", "Wick"), ("suppliers", "Tallow"), ("products", "Lamp, Lantern")]
    {
        let names = format!("SELECT string_agg(name, ', ' ORDER BY name) FROM {table}");
        assert_eq!(shop.database.scalar(&names).await, expected);
    }
}

#[tokio::test]
async fn category_names_are_trimmed() {
    let shop = Shop::new().await;
    shop.import(Resource::Categories, Format::SoukJsonl, r#"{"external_id": "1", "path": [" Home", "Light "]}"#).await;
    let again = shop.import_csv(Resource::Categories, "path\n Home  >  Light \n").await;
    assert_eq!(counts(&again), [0, 0, 1, 0]);
    let names = "SELECT string_agg(name, '|' ORDER BY id) FROM categories";
    assert_eq!(shop.database.scalar(names).await, "Home|Light");
}

#[tokio::test]
async fn slug_used_by_another_website_is_accepted() {
    let shop = Shop::new().await;
    shop.database.sql(GERMAN).await;
    shop.import_csv(Resource::Products, "sku,name,price,slug\nA,Lantern,1,lantern\nB,Lamp,1,lamp\n").await;
    let abroad = ImportOptions { website: "de".into(), ..options(Resource::Products, Format::SoukCsv) };
    let out = shop.exported(Resource::Products, Format::SoukCsv).await;
    for expected in [[2, 0, 0, 0], [0, 0, 2, 0]] {
        let report = shop.run(&abroad, Cursor::new(out.clone()), None).await.unwrap();
        assert_eq!(counts(&report), expected, "{report:?}");
    }
    let slugs = "SELECT string_agg(slug, ' ' ORDER BY slug) FROM products";
    assert_eq!(shop.database.scalar(slugs).await, "lamp lamp-de-b lantern lantern-de-a");
    // Within one website a used slug is an error.
    let taken = shop.import_csv(Resource::Products, "sku,slug\nA,lamp\n").await;
    assert_eq!(counts(&taken), [0, 0, 0, 1]);
}

#[tokio::test]
async fn reimporting_local_customers_changes_nothing() {
    let shop = Shop::new().await;
    let made = "INSERT INTO users (name, email, role_id, source_website_id, created_at)
                SELECT 'Eve', 'eve@souk.example', id, 1, '2020-01-02' FROM roles WHERE code = 'customer'";
    shop.database.sql(made).await;
    let out = shop.exported(Resource::Customers, Format::SoukCsv).await;
    assert_eq!(counts(&shop.import_csv(Resource::Customers, &out).await), [0, 0, 1, 0]);
    let since = "SELECT first_seen::date FROM sources WHERE resource_type = 'User'";
    assert_eq!(shop.database.scalar(since).await, "2020-01-02");
}

#[tokio::test]
async fn rejected_json_lines_have_reasons_and_can_be_reimported() {
    let shop = Shop::new().await;
    let file = "{\"sku\": \"A\", \"name\": \"Lantern\"}\nnonsense\n";
    assert_eq!(counts(&shop.import(Resource::Products, Format::SoukJsonl, file).await), [0, 0, 0, 2]);
    let rejects: Vec<serde_json::Value> =
        shop.rejects().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((&rejects[0]["line"], &rejects[0]["sku"]), (&1.into(), &"A".into()));
    assert_eq!(rejects[0]["reason"], "price: a new product must have a price");
    assert_eq!((&rejects[1]["line"], &rejects[1]["text"]), (&2.into(), &"nonsense".into()));
    let mut right = rejects[0].clone();
    right["price"] = "1.50".into();
    assert_eq!(counts(&shop.import(Resource::Products, Format::SoukJsonl, &right.to_string()).await), [1, 0, 0, 0]);
}

#[tokio::test]
async fn configured_encoding_is_used() {
    let shop = Shop::new().await;
    let mut western = options(Resource::Products, Format::SoukCsv);
    western.shop_options.encoding = Encoding::Windows1252;
    let report = shop.run(&western, Cursor::new(b"sku,name,price\nA,Caf\xe9,1\n"), None).await.unwrap();
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    assert_eq!(shop.database.scalar("SELECT name FROM products").await, "Café");
}

#[tokio::test]
async fn image_urls_must_be_http() {
    let shop = Shop::new().await;
    let urls = ["ftp://shop.example/a.jpg", "javascript:alert(1)", "a.jpg", "data:image/png"];
    let rows: String = urls.iter().zip(1..).map(|(url, n)| format!("S{n},Lamp,1,{url}\n")).collect();
    let report = shop
        .import_csv(Resource::Products, &format!("sku,name,price,images\n{rows}S9,Lamp,1,https://shop.example/a.jpg\n"))
        .await;
    assert_eq!(counts(&report), [1, 0, 0, 4]);
    assert!(report.errors.iter().all(|error| error.column.as_deref() == Some("images")), "{report:?}");
}

#[tokio::test]
async fn concurrent_import_of_the_same_file_changes_nothing() {
    let shop = Shop::new().await;
    let rows: String = (1..=40).map(|n| format!("S{n},Lamp {n},1\n")).collect();
    let (options, file) = (options(Resource::Products, Format::SoukCsv), format!("sku,name,price\n{rows}"));
    let run = || shop.run(&options, Cursor::new(file.clone()), Some(vec![7; 32]));
    let (one, other) = tokio::join!(run(), run());
    let mut counts = [counts(&one.unwrap()), counts(&other.unwrap())];
    counts.sort_unstable();
    assert_eq!(counts, [[0, 0, 40, 0], [40, 0, 0, 0]]);
}

#[tokio::test]
async fn imported_changes_are_searchable_immediately() {
    let shop = Shop::new().await;
    let app = TestApp::builder().database(shop.database.second_handle().await).build().await;
    let public = app.anonymous();
    let found = async |query: &str| {
        let document = format!(
            "{{ search(query: {query:?}, types: [PRODUCT]) {{ totalCount {{ value }} facets {{ brands {{ count }} }} }}
                searchSuggestions(prefix: {query:?}) {{ kind }} }}"
        );
        let response = public.run(&document).await;
        let kinds = response.at("searchSuggestions").as_array().expect("a list").clone();
        let suggested = kinds.iter().filter(|it| it["kind"] == "PRODUCT").count();
        let branded = response.at("search.facets.brands.0.count").as_i64();
        (response.at("search.totalCount.value").as_i64().expect("a count"), branded, suggested)
    };
    let file = |name: &str, brand: &str, is_active: bool| {
        let row = |i: i32| format!("SKU-{i},{name} {i},1,{brand},{is_active}\n");
        "sku,name,price,brand,is_active\n".to_owned() + &(1..=9).map(row).collect::<String>()
    };
    assert_eq!(counts(&shop.import_csv(Resource::Products, &file("Zephyr", "Wick", true)).await), [9, 0, 0, 0]);
    assert_eq!(found("zephyr").await, (9, Some(9), 9));
    assert_eq!(counts(&shop.import_csv(Resource::Products, &file("Mistral", "Tallow", true)).await), [0, 9, 0, 0]);
    assert_eq!(found("zephyr").await, (0, None, 0));
    assert_eq!(found("mistral").await, (9, Some(9), 9));
    assert_eq!(found("mistral wick").await.0, 0);
    assert_eq!(counts(&shop.import_csv(Resource::Products, &file("Mistral", "Tallow", false)).await), [0, 9, 0, 0]);
    assert_eq!(found("mistral").await, (0, None, 0));
}

#[tokio::test]
async fn nothing_of_a_row_is_dropped_silently() {
    let shop = Shop::new().await;
    let options_only = "sku,name,price,options\nA,Tee,1,Size=S\nB,Cup,1,\n";
    let report = shop.import_csv(Resource::Products, options_only).await;
    assert_eq!(counts(&report), [1, 0, 0, 1]);
    assert_eq!(report.errors[0].message, "a product with options must be in a group");
    let order = |number: &str, total: &str| {
        let lines = r#""[{""sku"": ""B"", ""name"": ""Cup"", ""quantity"": 2, ""unit_price"": ""1.00""}]""#;
        format!("number,status,placed_at,total,lines\n{number},confirmed,2026-01-01T00:00:00Z,{total},{lines}\n")
    };
    let other = "orders whose total is not the sum of their lines; the sum is imported";
    for (number, total, expected) in [("1", "2.00", None), ("2", "", None), ("3", "7.95", Some(&1))] {
        let report = shop.import_csv(Resource::Orders, &order(number, total)).await;
        assert_eq!((counts(&report), report.notes.get(other)), ([1, 0, 0, 0], expected), "{total}");
    }
    assert_eq!(counts(&shop.import_csv(Resource::Orders, &order("4", "abc")).await), [0, 0, 0, 1]);
}

#[tokio::test]
async fn equal_positions_of_categories_are_separated_once() {
    let shop = Shop::new().await;
    let order = "SELECT string_agg(name, ' ' ORDER BY position, id) FROM categories";
    let file = |apple: i32| format!("external_id,path,position\nc1,Apple,{apple}\nc2,Cocoa,1\nc3,Milk,1\n");
    assert_eq!(counts(&shop.import_csv(Resource::Categories, &file(1)).await), [3, 0, 0, 0]);
    let before = shop.database.scalar(order).await;
    assert_eq!(counts(&shop.import_csv(Resource::Categories, &file(1)).await), [0, 0, 3, 0]);
    assert_eq!(shop.database.scalar(order).await, before);
    let moved = shop.import_csv(Resource::Categories, &file(5)).await;
    assert!(counts(&moved)[1] > 0, "{moved:?}");
    assert!(shop.database.scalar(order).await.ends_with("Apple"));
    assert_eq!(counts(&shop.import_csv(Resource::Categories, &file(5)).await), [0, 0, 3, 0]);
}

#[tokio::test]
async fn a_quote_that_is_not_closed_is_reported_where_it_opens() {
    let shop = Shop::new().await;
    let file = "sku,name,price\nA,Anchor,1\nB,\"Bell,1\nC,Chain,1\nD,Dinghy,1\n";
    let report = shop.import_csv(Resource::Products, file).await;
    assert_eq!(counts(&report), [1, 0, 0, 1]);
    let error = &report.errors[0];
    assert!(error.line == 3 && error.message.contains("a quote that opens on line 3 is not closed"), "{error:?}");
}
