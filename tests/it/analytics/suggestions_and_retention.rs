//! Popular searches as suggestions, the retention of searches, and their export and erasure.

use serde_json::{Value, json};
use souk::{
    analytics::actions::refresh::refresh,
    config::AnalyticsSettings,
    db::recorder::StatementRecorder,
    ids::{RowId, WebsiteId},
    search::store::popular_searches::by_prefix,
};

use super::reports::{search, seed_many_searches, shop};
use crate::support::{
    TestApp,
    bulk::{BASE, nth_id},
};

/// Runs the maintenance job of search analytics.
async fn run_maintenance(app: &TestApp, settings: AnalyticsSettings) {
    app.services.search_recorder.flush().await;
    refresh(&app.database.db, settings).await.expect("a refresh");
}

/// Returns the suggestions for a prefix, at a website or across all.
async fn suggested(app: &TestApp, website: Option<WebsiteId>, prefix: &str) -> Vec<(String, i32, i32)> {
    let prefix = prefix.to_owned();
    let rows = app.database.db.read(async |conn| by_prefix(conn, website, &prefix, 10).await).await.expect("rows");
    rows.into_iter().map(|row| (row.query, row.people, row.searches)).collect()
}

fn texts(rows: &[(&str, i32, i32)]) -> Vec<(String, i32, i32)> {
    rows.iter().map(|(text, people, searches)| ((*text).to_owned(), *people, *searches)).collect()
}

#[tokio::test]
async fn popular_searches_are_suggested_without_personal_data() {
    let app = TestApp::new().await;
    shop(&app).await;
    // Personal data that others could read if it were suggested.
    let private = "UPDATE products SET description = 'ada@souk.example 01715550123 lovelace' WHERE name = 'Red Rope'";
    app.database.sql(private).await;
    let at = |website: i64| format!(", where: {{sourceWebsite: {{eq: {:?}}}}}", nth_id::<WebsiteId>(website));
    for number in 0..5 {
        let person = |number: usize| {
            let visitor = app.anonymous().with_visitor(&format!("visitor-{number}"));
            visitor.at_address(&format!("198.51.{number}.7"))
        };
        let visitor = person(number);
        for (query, arguments) in [
            ("Storm  lantern", at(0)),
            ("rope", if number < 2 { at(1) } else { String::new() }),
            ("papre lantern", String::new()),
            ("ada@souk.example", String::new()),
            ("01715550123", String::new()),
            ("rope -babbage", String::new()),
            ("rope or lovelace", String::new()),
            ("\"red rope\"", String::new()),
            ("xylophone", String::new()),
        ] {
            search(&visitor, query, &arguments).await.at("search.searchId");
        }
        // A person counts once, however often they search; anonymous searches and those of staff do not count.
        let often = person(number.min(3));
        search(&often, "red rope", "").await.at("search.searchId");
        search(&app.anonymous(), "paper", "").await.at("search.searchId");
        search(&app.manager().await, "storm", "").await.at("search.searchId");
    }
    run_maintenance(&app, AnalyticsSettings::default()).await;
    let found = "SELECT count(*) FROM searches WHERE results = 0";
    assert_eq!(app.database.scalar(found).await, "5", "all other searches have results");
    let everywhere = texts(&[("paper lantern", 5, 5), ("rope", 5, 5), ("storm lantern", 5, 5)]);
    assert_eq!(suggested(&app, None, "").await, everywhere);
    assert_eq!(suggested(&app, Some(WebsiteId(BASE)), "").await, texts(&[("storm lantern", 5, 5)]));
    assert_eq!(suggested(&app, Some(WebsiteId(BASE + 1)), "").await, []);
    assert_eq!(suggested(&app, None, "storm l").await, texts(&[("storm lantern", 5, 5)]));
    for nothing in ["storm lanterns", "%", "_", "lantern", "z", "Storm"] {
        assert_eq!(suggested(&app, None, nothing).await, [], "{nothing}");
    }
    // Below the minimum number of people, a search is no longer suggested.
    run_maintenance(&app, AnalyticsSettings { search_shared_by: 6, ..AnalyticsSettings::default() }).await;
    assert_eq!(suggested(&app, None, "").await, []);
    // A lower minimum suggests more; the most popular search is first.
    search(&app.customer().await.at_address("198.51.9.7"), "rope", &at(1)).await.at("search.searchId");
    run_maintenance(&app, AnalyticsSettings { search_shared_by: 2, ..AnalyticsSettings::default() }).await;
    assert_eq!(suggested(&app, None, "r").await, texts(&[("rope", 6, 6), ("red rope", 4, 5)]));
    assert_eq!(suggested(&app, Some(WebsiteId(BASE + 1)), "").await, texts(&[("rope", 3, 3)]));
    // Only recent searches count.
    app.database.sql("UPDATE searches SET id = id - ((31 * 86400000::bigint) << 21)").await;
    run_maintenance(&app, AnalyticsSettings::default()).await;
    assert_eq!(suggested(&app, None, "").await, []);
}

#[tokio::test]
async fn searches_past_retention_are_deleted_with_their_clicks() {
    let app = TestApp::new().await;
    seed_many_searches(&app).await;
    let kept = |days: u32| AnalyticsSettings { search_retention_days: days, ..AnalyticsSettings::default() };
    let left = "SELECT (SELECT count(*) FROM searches) || ' ' || (SELECT count(*) FROM search_clicks)";
    let (old, new) = app
        .database
        .scalar(
            "SELECT (SELECT count(*) FROM searches WHERE searched_at > now() - interval '10 days') || ' '
                || (SELECT count(*) FROM search_clicks WHERE clicked_at > now() - interval '10 days')",
        )
        .await
        .split_once(' ')
        .map(|(searches, clicks)| (searches.to_owned(), clicks.to_owned()))
        .expect("two");
    run_maintenance(&app, kept(90)).await;
    assert_eq!(app.database.scalar(left).await.split(' ').next(), Some("40000"));
    run_maintenance(&app, kept(10)).await;
    assert_eq!(app.database.scalar(left).await, format!("{old} {new}"));
    let oldest = "SELECT min(searched_at) > now() - interval '10 days 1 minute' FROM searches";
    assert_eq!(app.database.scalar(oldest).await, "t");
    // With a retention of zero everything is deleted.
    run_maintenance(&app, kept(0)).await;
    assert_eq!(app.database.scalar(left).await, "0 0");
}

#[tokio::test]
async fn maintenance_job_and_suggestions_read_index_ranges() {
    let app = TestApp::new().await;
    seed_many_searches(&app).await;
    let popular = "INSERT INTO search_popular (website_id, query, people, searches)
        SELECT CASE WHEN i % 2 = 0 THEN BASE END, md5(i::text), 5, 5 FROM generate_series(1, 20000) i";
    app.bulk_insert(&popular.replace("BASE", &BASE.to_string())).await;
    let recorder = StatementRecorder::with_texts();
    let read = async {
        for website in [None, Some(WebsiteId(BASE))] {
            assert!(suggested(&app, website, "ab").await.len() == 10);
        }
    };
    recorder.clone().scope(read).await;
    let all = AnalyticsSettings { search_retention_days: 79, ..AnalyticsSettings::default() };
    recorder.clone().scope(run_maintenance(&app, all)).await;
    let texts = recorder.texts();
    let statement = |begin: &str, has: &str| {
        let found = texts.iter().find(|text| text.starts_with(begin) && text.contains(has));
        found.unwrap_or_else(|| panic!("{begin} {has} is not in {texts:#?}"))
    };
    for (begin, has, index) in [
        ("SELECT", "\"search_popular\".\"website_id\" IS NULL", "search_popular_website_id_query_idx"),
        ("SELECT", "\"search_popular\".\"website_id\" = ", "search_popular_website_id_query_idx"),
        ("SELECT", "\"searches\".\"id\" <", "searches_pkey"),
        ("DELETE", "\"searches\".\"id\" <=", "searches_pkey"),
        ("SELECT", "\"search_clicks\".\"search_id\" <", "search_clicks_pkey"),
        ("DELETE", "\"search_clicks\".\"search_id\" <=", "search_clicks_pkey"),
    ] {
        let plan = app.database.explain(statement(begin, has)).await;
        assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{has}\n{plan}");
    }
}

#[tokio::test]
async fn user_export_includes_searches_and_erasure_anonymizes_them() {
    let app = TestApp::new().await;
    shop(&app).await;
    let (ada, other) = (app.customer().await, app.customer().await);
    let at_sailor = format!(", where: {{sourceWebsite: {{eq: {:?}}}}}", nth_id::<WebsiteId>(0));
    let id = search(&ada, "Paper lamtern", &at_sailor).await.text_at("search.searchId");
    search(&other, "rope", "").await.at("search.searchId");
    app.services.search_recorder.flush().await;
    let export = ada.run("{ userExport }").await;
    let mut searches = export.at("userExport.searches").clone();
    assert!(searches[0]["searchedAt"].take().is_string());
    let sailor = nth_id::<WebsiteId>(0);
    assert_eq!(
        searches,
        json!([{
            "searchId": id, "websiteId": sailor, "query": "paper lamtern", "didYouMean": "paper lantern",
            "filters": { "where": { "sourceWebsite": { "eq": sailor } } }, "results": 1, "searchedAt": Value::Null,
        }])
    );
    let erased = ada.mutate("userErase", "user { id }", json!({ "id": ada.id.to_global_id() })).await;
    assert_eq!(erased.outcome("userErase"), "done");
    let rows = app.database.rows("SELECT query, user_id, visitor FROM searches ORDER BY id").await;
    assert_eq!(rows, ["(\"paper lamtern\",,)".to_owned(), format!("(rope,{},)", other.id.0)]);
}
