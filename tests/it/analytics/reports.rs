//! Search reports: their figures, which websites each viewer sees, and the indexes they use.

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{RowId, WebsiteId},
};

use crate::support::{
    Actor, TestApp, TestResponse,
    bulk::{BASE, nth_id},
};

/// Inserts two websites, and a lantern, another lantern and a rope.
pub async fn shop(app: &TestApp) {
    let script = "
        INSERT INTO websites (id, code, name, base_url, currency) VALUES
            (BASE, 'sailor', 'Sailor', 'https://s.example', 'EUR'), (BASE + 1, 'rise', 'Rise', 'https://r.example', 'EUR');
        INSERT INTO products (id, source_website_id, sku, slug, name, price, stock) VALUES
            (BASE + 1, BASE, 'L-1', 'l1', 'Storm Lantern', 10, 9), (BASE + 2, BASE, 'L-2', 'l2', 'Paper Lantern', 20, 9),
            (BASE + 3, BASE + 1, 'R-1', 'r1', 'Red Rope', 5, 9);";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
}

/// Searches, and selects the id of the recorded search.
pub async fn search(actor: &Actor<'_>, query: &str, arguments: &str) -> TestResponse {
    let document = format!(
        "query ($query: String!) {{ search(query: $query {arguments}) {{
            searchId didYouMean totalCount {{ value }} pageInfo {{ endCursor }} }} }}"
    );
    actor.run_with(&document, json!({ "query": query })).await
}

/// Inserts five searches of January, by three known visitors and an unknown one; two were followed by clicks.
async fn seed_january(app: &TestApp) {
    shop(app).await;
    let script = "
        INSERT INTO searches (id, website_id, visitor, query, filters, results, results_exact, is_shareable, took_ms, searched_at)
        SELECT ((extract(epoch FROM at::timestamptz) * 1000)::bigint << 21) + number, BASE + website, sha256(visitor::bytea), query, '{}',
               results, true, true, 1, at::timestamptz
        FROM (VALUES (1, '2026-01-01T10:00:00Z', 0, 'a', 'lantern', 4), (2, '2026-01-01T11:00:00Z', 0, 'a', 'lantern', 2),
                     (3, '2026-01-01T23:59:59Z', 1, 'b', 'rope', 0), (4, '2026-01-03T00:00:00Z', NULL, NULL, 'rope', 0),
                     (5, '2026-01-03T05:00:00Z', 1, 'c', 'lantern', 3)) v (number, at, website, visitor, query, results);
        INSERT INTO search_clicks SELECT s.id, BASE + c.product, c.position, s.searched_at
            FROM searches s JOIN (VALUES (1, 1, 1), (1, 2, 3), (5, 1, 2)) c (number, product, position) ON c.number = s.id & 7;";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
}

/// Returns these fields of a report.
async fn report(actor: &Actor<'_>, arguments: &str, fields: &str) -> TestResponse {
    actor.run(&format!("{{ searchAnalytics({arguments}) {{ {fields} }} }}")).await
}

const DAYS: &str = "from: \"2026-01-01T00:00:00Z\", to: \"2026-01-04T00:00:00Z\"";
const ALL_FIELDS: &str = "searches visitors
    top { query searches visitors results clickThrough } zeroResults { query searches visitors results clickThrough }
    clickThrough { searches clicked rate meanPosition } trends(interval: DAY) { at searches zeroResults clicked }";

#[tokio::test]
async fn report_counts_searches_visitors_queries_clicks_and_days() {
    let app = TestApp::new().await;
    seed_january(&app).await;
    let manager = app.manager().await;
    let day = |day: u8, searches: u8, zero_results: u8, clicked: u8| json!({ "at": format!("2026-01-{day:02}T00:00:00+00:00"), "searches": searches, "zeroResults": zero_results, "clicked": clicked });
    let expected = json!({
        "searches": 5, "visitors": 3,
        "top": [
            { "query": "lantern", "searches": 3, "visitors": 2, "results": "3.0", "clickThrough": "0.6667" },
            { "query": "rope", "searches": 2, "visitors": 1, "results": "0.0", "clickThrough": "0" },
        ],
        "zeroResults": [{ "query": "rope", "searches": 2, "visitors": 1, "results": "0.0", "clickThrough": "0" }],
        "clickThrough": { "searches": 5, "clicked": 2, "rate": "0.4", "meanPosition": "2.00" },
        "trends": [day(1, 3, 1, 1), day(2, 0, 0, 0), day(3, 2, 1, 1)],
    });
    assert_eq!(report(&manager, DAYS, ALL_FIELDS).await.at("searchAnalytics"), &expected);
    assert_eq!(
        report(&manager, DAYS, "top(first: 1) { query }").await.at("searchAnalytics.top"),
        &json!([{ "query": "lantern" }])
    );
    // The start is inclusive, the end exclusive.
    let until_noon = "from: \"2026-01-01T11:00:00Z\", to: \"2026-01-03T05:00:00Z\"";
    assert_eq!(report(&manager, until_noon, "searches").await.at("searchAnalytics.searches"), &json!(3));
}

#[tokio::test]
async fn period_without_searches_is_zero() {
    let app = TestApp::new().await;
    seed_january(&app).await;
    let empty = json!({
        "searches": 0, "visitors": 0, "top": [], "zeroResults": [],
        "clickThrough": { "searches": 0, "clicked": 0, "rate": null, "meanPosition": null },
        "trends": [{ "at": "2025-12-01T00:00:00+00:00", "searches": 0, "zeroResults": 0, "clicked": 0 }],
    });
    let manager = app.manager().await;
    let december = "from: \"2025-12-01T00:00:00Z\", to: \"2025-12-02T00:00:00Z\"";
    assert_eq!(report(&manager, december, ALL_FIELDS).await.at("searchAnalytics"), &empty);
    // The default is the last 30 days.
    search(&app.anonymous(), "lantern", "").await.at("search.searchId");
    app.services.search_recorder.flush().await;
    let lately = manager.run("{ searchAnalytics { searches trends(interval: DAY) { searches } } }").await;
    assert_eq!(lately.at("searchAnalytics.searches"), &json!(1));
    assert_eq!(lately.at("searchAnalytics.trends").as_array().map(Vec::len), Some(31));
}

#[tokio::test]
async fn intervals_are_in_utc_whatever_the_database_time_zone() {
    let app = TestApp::new().await;
    // A time zone that changes to daylight saving time on March 29.
    app.database.set_parameter("timezone = 'Europe/Berlin'").await;
    seed_january(&app).await;
    let manager = app.manager().await;
    for (from, to, interval, steps, first, last) in [
        ("2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z", "DAY", 3, "2026-03-28", "2026-03-30"),
        ("2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z", "WEEK", 1, "2025-12-29", "2025-12-29"),
        ("2026-01-15T00:00:00Z", "2026-04-02T00:00:00Z", "MONTH", 4, "2026-01-01", "2026-04-01"),
        ("2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z", "HOUR", 24, "2026-03-29", "2026-03-29"),
    ] {
        let response =
            report(&manager, &format!("from: {from:?}, to: {to:?}"), &format!("trends(interval: {interval}) {{ at }}"))
                .await;
        let trends = response.at("searchAnalytics.trends").as_array().expect("steps").clone();
        let day = |step: Option<&Value>| step.and_then(|step| step["at"].as_str()).map(|at| at[..10].to_owned());
        assert_eq!(trends.len(), steps, "{interval}");
        assert_eq!((day(trends.first()), day(trends.last())), (Some(first.into()), Some(last.into())), "{interval}");
    }
}

#[tokio::test]
async fn website_role_sees_searches_of_its_website() {
    let app = TestApp::new().await;
    seed_january(&app).await;
    let of_sailor = app.user_with(&[Permission::ViewAnalytics], &[WebsiteId(BASE)]).await;
    let (manager, sailor, rise) = (app.manager().await, nth_id::<WebsiteId>(0), nth_id::<WebsiteId>(1));
    let code = manager.run_with("query ($id: ID!) { website(id: $id) { code } }", json!({ "id": sailor }));
    let code = code.await.text_at("website.code");
    for (who, website, searches) in [
        (&manager, None, 5),
        (&manager, Some(&sailor), 2),
        (&manager, Some(&code), 2),
        (&manager, Some(&rise), 2),
        (&manager, Some(&WebsiteId(999).to_global_id()), 0),
        (&of_sailor, None, 2),
        (&of_sailor, Some(&sailor), 2),
        (&of_sailor, Some(&code), 2),
        (&of_sailor, Some(&rise), 0),
    ] {
        let website = website.map(|id| format!(", website: {id:?}")).unwrap_or_default();
        let response = report(who, &format!("{DAYS}{website}"), ALL_FIELDS).await;
        let of = |field: &str| response.at(&format!("searchAnalytics.{field}")).clone();
        let sum = |field: &str| -> i64 {
            let rows = of(field);
            rows.as_array().expect("rows").iter().map(|row| row["searches"].as_i64().expect("a count")).sum()
        };
        assert_eq!(of("searches"), json!(searches), "{website}");
        assert_eq!((sum("top"), sum("trends")), (searches, searches), "{website}");
        assert_eq!(of("clickThrough.searches"), json!(searches), "{website}");
    }
    for (who, code) in [(&app.customer().await, "FORBIDDEN"), (&app.anonymous(), "UNAUTHENTICATED")] {
        assert_eq!(report(who, DAYS, "searches").await.code(), code);
    }
}

#[tokio::test]
async fn invalid_report_arguments_are_rejected() {
    let app = TestApp::new().await;
    let manager = app.manager().await;
    for (arguments, fields, field) in [
        ("from: \"2026-01-04T00:00:00Z\", to: \"2026-01-04T00:00:00Z\"", "searches", "from"),
        ("from: \"2025-01-01T00:00:00Z\", to: \"2026-02-06T00:00:00Z\"", "searches", "from"),
        ("website: \"x\"", "searches", "website"),
        (DAYS, "top(first: 0) { query }", "first"),
        (DAYS, "zeroResults(first: 101) { query }", "first"),
        ("from: \"2026-01-01T00:00:00Z\", to: \"2026-02-15T00:00:00Z\"", "trends(interval: HOUR) { at }", "interval"),
    ] {
        let response = report(&manager, arguments, fields).await;
        assert_eq!(response.json["errors"][0]["extensions"]["field"], field, "{response:?}");
    }
}

/// Inserts 40,000 searches of the last 80 days, half of them clicked; one in fifty is at another website than the
/// others.
pub async fn seed_many_searches(app: &TestApp) {
    shop(app).await;
    let script = "
        INSERT INTO searches (id, website_id, visitor, query, filters, results, results_exact, is_shareable, took_ms, searched_at)
        SELECT ((extract(epoch FROM at) * 1000)::bigint << 21) + i, BASE + (i % 50 = 0)::integer, sha256((i % 900)::text::bytea), 'lantern ' || i % 500, '{}',
               i % 5, true, true, 1, at
        FROM (SELECT i, now() - i * interval '173 s' AS at FROM generate_series(1, 40000) i) s;
        INSERT INTO search_clicks SELECT id, BASE + 1, 1, searched_at FROM searches WHERE id % 2 = 0;";
    app.bulk_insert(&script.replace("BASE", &BASE.to_string())).await;
}

#[tokio::test]
async fn report_reads_only_its_time_range() {
    let app = TestApp::new().await;
    seed_many_searches(&app).await;
    let manager = app.manager().await;
    let from = (chrono::Utc::now() - chrono::TimeDelta::days(1)).to_rfc3339();
    let website = format!(", website: {:?}", nth_id::<WebsiteId>(1));
    for (website, index, least) in [("", "searches_pkey", 490), (website.as_str(), "searches_website_id_idx", 9)] {
        let response = report(&manager, &format!("from: {from:?}{website}"), ALL_FIELDS).await;
        assert!(response.at("searchAnalytics.searches").as_i64() >= Some(least), "{response:?}");
        let statements: Vec<_> = response.sql.iter().filter(|sql| sql.contains("FROM searches")).collect();
        assert_eq!(statements.len(), 6, "one statement for each field: {statements:#?}");
        for statement in statements {
            let plan = app.database.explain(statement).await;
            assert!(plan.contains(index) && !plan.contains("Seq Scan"), "{statement}\n{plan}");
            let has_clicks = statement.contains("search_clicks");
            assert_eq!(plan.contains("search_clicks_pkey"), has_clicks, "{statement}\n{plan}");
        }
    }
}
