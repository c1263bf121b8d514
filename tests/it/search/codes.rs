//! Queries that other shops' customers typed: codes in any spelling, names of stop words, scripts without spaces,
//! German umlauts, units and signs.

use serde_json::json;
use souk::transfers::model::Resource;

use crate::{
    support::{Actor, TestApp},
    transfers::imports::Shop,
};

/// Products whose names and codes were not found.
const CASES: &str = include_str!("cases.souk.csv");

/// Further products of the same kinds.
const MORE: &str = "sku,name,price,brand,description
TV 55.8,Panel,900.00,,
CPP,C++ Primer,30.00,,
CSHARP,C# Primer,30.00,,
PLAINC,C Primer,30.00,,
B26,\"City Bike 26\"\"\",300.00,,
B28,City Bike 28 inch,300.00,,
ROPE,Rope 2.5 m,4.00,,
TAPE,\"Tape 2,5m\",4.00,,
PUZZLE,\"Puzzle 1,000 Pieces\",20.00,,
ROCK,AC/DC Poster,20.00,,
SODA,7-Up Can,1.00,,
TEE,Cotton T-Shirt,9.00,,
SHIRT,Dress Shirt,9.00,,
MEN,Men's Jacket,9.00,,
BAG,가방을 위한 끈,9.00,,
KANA,ギター ケース,90.00,,
ARAB,كِتَاب جَدِيد,9.00,,
SPARE,Spare Part,9.00,,Fits the <b>XR-700</b> and the Wi-Fi dock
THEME,The Pillow,9.00,,
PILLOW,Pillow,9.00,,
";

/// Starts a shop in a language with the products of both files.
async fn shop(language: &str) -> TestApp {
    let shop = Shop::new().await;
    shop.database.sql(&format!("UPDATE websites SET language = '{language}'")).await;
    for file in [CASES, MORE] {
        let report = shop.import_csv(Resource::Products, file).await;
        assert_eq!(report.counts.rejected, 0, "{}", shop.rejects());
    }
    TestApp::builder().database(shop.database).build().await
}

/// Returns the SKUs of the products that are found, best first, and the names of others.
async fn found(actor: &Actor<'_>, query: &str) -> Vec<String> {
    let document = "query ($query: String!) { search(query: $query) { nodes { __typename ... on Product { sku }
        ... on Brand { name } } } }";
    let response = actor.run_with(document, json!({ "query": query })).await;
    let nodes = response.at("search.nodes").as_array().expect("nodes").clone();
    let code = |node: &serde_json::Value| {
        let code = node["sku"].as_str().or(node["name"].as_str());
        code.expect("a SKU or a name").to_owned()
    };
    nodes.iter().map(code).collect()
}

async fn assert_found(language: &str, cases: &[(&str, &[&str])]) {
    let app = shop(language).await;
    let public = app.anonymous();
    for (query, expected) in cases {
        assert_eq!(found(&public, query).await, *expected, "{query:?}");
    }
}

const RECORDER: &[&str] = &["DS-7604NI-E1/4P/A"];

#[tokio::test]
async fn codes_are_found_by_their_parts_in_any_spelling() {
    assert_found(
        "en",
        &[
            ("1001", &["SR-1001"]),
            ("SR 1001", &["SR-1001"]),
            ("SR1001", &["SR-1001"]),
            ("sr1001 ", &["SR-1001"]),
            ("lantern sr-1001", &["SR-1001"]),
            ("16 07", &["16-07"]),
            ("1607", &["16-07"]),
            ("DS-7604", RECORDER),
            ("DS-7604 recorder", RECORDER),
            ("DS7604NI", RECORDER),
            ("7604", RECORDER),
            ("ds-76", RECORDER),
            ("DS 7604NI E1 4P A", RECORDER),
            ("DS7604NIE14PA", RECORDER),
            ("DS‑7604NI", RECORDER),
            ("ＤＳ－７６０４", RECORDER),
            ("DS-7605", &[]),
            ("760 ", &[]),
            ("WD 40", &["WD-40"]),
            ("wd40", &["WD-40"]),
            ("iphone 12", &["CASE-12"]),
            ("iphone12 case", &["CASE-12"]),
            ("socks 38", &["SOCK"]),
            ("freezer 20", &["ICE"]),
            ("wifi", &["ROUTER", "SPARE"]),
            ("acdc", &["ROCK"]),
            ("ac/dc", &["ROCK"]),
            ("7up", &["SODA"]),
            ("7 up", &["SODA"]),
            ("t-shirt", &["TEE"]),
            ("tshirts", &["TEE"]),
            ("mens", &["MEN"]),
            ("tv-55.8", &["TV 55.8"]),
            ("tv558", &["TV 55.8"]),
            ("xr700", &["SPARE"]),
            ("\"wd 40 spray\"", &["WD-40"]),
            ("spray -wd40", &[]),
        ],
    )
    .await;
}

/// Products whose SKUs are the shop's own, so that only their names have the model numbers, and codes with other signs.
const MODELS: &str = "sku,name,price,brand
A-90001,Bosch GSR 18V-55 Drill,99.00,Bosch
A-90002,Knipex Cutter 95 11 165,39.00,
A-90003,TP-Link Deco X5(2-pack) Mesh,150.00,
A-90004,Texas LM2937N-2.5/NOPB Regulator,3.00,
A-90005,Geberit 115.770.11.5 Plate,60.00,
A-90006,Bachmann Socket 906.0215,70.00,
A-90007,Cable NYM 3x2.5 mm,50.00,
A-90008,Chain 12.50 m,20.00,
A-90009,Lens 50mm f/2.8,300.00,
SK 3302(B)+C,Rack,900.00,Rittal
HAT5320-8T,Storage,300.00,
194224-3,Impact Driver,20.00,
";

#[tokio::test]
async fn codes_in_names_are_found_without_spaces_and_with_other_signs() {
    let shop = Shop::new().await;
    shop.database.sql("UPDATE websites SET language = 'en'").await;
    let report = shop.import_csv(Resource::Products, MODELS).await;
    assert_eq!(report.counts.rejected, 0, "{}", shop.rejects());
    let app = TestApp::builder().database(shop.database).build().await;
    let public = app.anonymous();
    for (query, expected) in [
        ("GSR18V55", &["A-90001"][..]),
        ("gsr18v", &["A-90001"]),
        ("bosch gsr18v55 drill", &["A-90001"]),
        ("9511165", &["A-90002"]),
        ("DecoX52pack", &["A-90003"]),
        ("LM2937N25NOPB", &["A-90004"]),
        ("LM2937N 2 5 NOPB", &["A-90004"]),
        ("LM2937N-2-5/NOPB", &["A-90004"]),
        ("LM2937N-2.5", &["A-90004"]),
        ("115.7", &["A-90005"]),
        ("115 770 11 5", &["A-90005"]),
        ("115.770-11.5", &["A-90005"]),
        ("906 0215", &["A-90006"]),
        ("9060215", &["A-90006"]),
        ("906.02", &["A-90006"]),
        ("SK3302BC", &["SK 3302(B)+C"]),
        ("HAT5320.8T", &["HAT5320-8T"]),
        ("194224.3", &["194224-3"]),
        // Measures are no codes.
        ("2.5 mm", &["A-90007"]),
        ("25 mm ", &[]),
        ("chain 12.50", &["A-90008"]),
        ("chain 50 ", &[]),
        ("chain 1250 ", &[]),
        ("lens 28 ", &[]),
    ] {
        assert_eq!(found(&public, query).await, expected, "{query:?}");
    }
}

#[tokio::test]
async fn a_code_as_a_whole_ranks_before_longer_codes() {
    let shop = Shop::new().await;
    // Of equal ranks the product that was added last comes first.
    let models = "sku,name,price,brand
1-94-463,Level with a long name,20.00,Stanley
A-80001,Battery BL1010 for the cordless angle grinder,60.00,Makita
DS27730+,Long name of an amplifier,5.00,Analog
1-94-4632,Level,20.00,Stanley
BL1010B,Battery,60.00,Makita
DS27730+K,Amplifier,5.00,Analog
";
    let report = shop.import_csv(Resource::Products, models).await;
    assert_eq!(report.counts.rejected, 0, "{}", shop.rejects());
    let app = TestApp::builder().database(shop.database).build().await;
    let public = app.anonymous();
    for (query, expected) in [
        ("Stanley 1-94-463", ["1-94-463", "1-94-4632"]),
        ("bl1010", ["A-80001", "BL1010B"]),
        ("DS27730", ["DS27730+", "DS27730+K"]),
    ] {
        assert_eq!(found(&public, query).await, expected, "{query:?}");
    }
}

#[tokio::test]
async fn names_of_stop_words_are_found_first() {
    let app = shop("en").await;
    let public = app.anonymous();
    for (query, first) in
        [("The Who", "WHO"), ("IT", "IT"), ("to be or not to be", "BE"), ("NOW", "NOW"), ("the pillow", "THEME")]
    {
        assert_eq!(found(&public, query).await.first().map(String::as_str), Some(first), "{query:?}");
    }
    // A stop word is left out beside other words, but counts.
    assert_eq!(found(&public, "the pillow").await, ["THEME", "PILLOW"]);
    assert_eq!(found(&public, "pillow the").await.len(), 2);
    // Alone it must match: it does not find everything.
    assert_eq!(found(&public, "the and of ").await, [""; 0]);
    let suggestions = "{ searchSuggestions(prefix: \"NOW\") { text kind } }";
    assert_eq!(public.run(suggestions).await.at("searchSuggestions"), &json!([{ "text": "NOW", "kind": "BRAND" }]));
}

#[tokio::test]
async fn scripts_without_spaces_are_found_by_any_part() {
    for language in ["en", "other"] {
        assert_found(
            language,
            &[
                ("有料配信", &["JP"]),
                ("無観客有料配信イベント", &["JP"]),
                ("配信有料", &[]),
                ("包", &["CN"]),
                ("小化妆包 ", &["CN"]),
                ("สีแดง", &["TH"]),
                ("가방", &["BAG"]),
                ("가방이", &["BAG"]),
                ("끈", &["BAG"]),
                ("ｷﾞﾀｰ", &["KANA"]),
                ("كتاب", &["ARAB"]),
            ],
        )
        .await;
    }
    let app = shop("en").await;
    for (prefix, text) in [("包", "小化妆包"), ("有料", "無観客有料配信イベント"), ("ｷﾞﾀ", "ギター ケース")]
    {
        let suggestions = format!("{{ searchSuggestions(prefix: \"{prefix}\") {{ text }} }}");
        let found = app.anonymous().run(&suggestions).await;
        assert_eq!(found.at("searchSuggestions"), &json!([{ "text": text }]), "{prefix}");
    }
}

#[tokio::test]
async fn german_umlauts_are_found_in_both_spellings() {
    assert_found(
        "de",
        &[
            ("Müsli", &["MUE1", "MUE2"]),
            ("müslischale", &["MUE2"]),
            ("oel fuer fahrraeder", &["OEL"]),
            ("Öl für Fahrräder", &["OEL"]),
            ("28 Zoll", &["B28"]),
        ],
    )
    .await;
    let app = shop("de").await;
    for query in ["Muesli", "musli"] {
        let mut codes = found(&app.anonymous(), query).await;
        codes.sort();
        assert_eq!(codes, ["MUE1", "MUE2"], "{query}");
    }
}

#[tokio::test]
async fn units_and_signs_are_read_as_customers_write_them() {
    assert_found(
        "en",
        &[
            ("-20°C", &["ICE"]),
            ("Freezer bag -20°C", &["ICE"]),
            ("freezer -\"20\"", &[]),
            ("26 inch", &["B26"]),
            ("26\"", &["B26"]),
            ("city bike 28\"", &["B28"]),
            ("28-inch", &["B28"]),
            ("25 m ", &[]),
            ("1000 piece", &["PUZZLE"]),
            ("1,000 pieces", &["PUZZLE"]),
            ("c++", &["CPP"]),
            ("c# ", &["CSHARP"]),
            ("c primer", &["PLAINC"]),
        ],
    )
    .await;
    let app = shop("en").await;
    for (queries, mut expected) in [(["500ml", "500 ml"], ["OIL1", "OIL2"]), (["2,5m", "2.5 m"], ["ROPE", "TAPE"])] {
        expected.sort_unstable();
        for query in queries {
            let mut names = found(&app.anonymous(), query).await;
            names.sort();
            assert_eq!(names, expected, "{query:?}");
        }
    }
}
