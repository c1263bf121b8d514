//! Recording of searches and clicks, which never delays a request.

use std::collections::BTreeMap;

use chrono::{TimeDelta, Utc};
use diesel_async::SimpleAsyncConnection;
use serde_json::{Value, json};
use souk::{
    analytics::{
        model::{NewSearch, SearchOutcome, Searcher},
        recorder::{MAX_BATCH, MAX_QUEUED},
    },
    ids::{ProductId, RowId, SearchId, WebsiteId},
    paging::{CursorSeal, Direction, Page, PageArgs},
    search::{
        model::{DocumentKind, Search, SearchFilter, SearchOrderField},
        query::ParsedQuery,
    },
    websites::name_order::NameOrder,
};

use super::reports::{search, shop};
use crate::support::{
    Actor, TestApp, TestDb,
    bulk::{BASE, nth_id},
    process::{DataDir, ServerProcess},
};

/// Waits until everything is recorded, and returns it, oldest first.
async fn recorded_searches(app: &TestApp, columns: &str) -> Vec<String> {
    app.services.search_recorder.flush().await;
    app.database.rows(&format!("SELECT {columns} FROM searches ORDER BY id")).await
}

async fn count(app: &TestApp, table: &str) -> String {
    app.services.search_recorder.flush().await;
    app.database.scalar(&format!("SELECT count(*) FROM {table}")).await
}

#[tokio::test]
async fn search_is_recorded_with_its_query_and_results() {
    let app = TestApp::new().await;
    shop(&app).await;
    let visitor = app.anonymous().with_visitor("a-visitor-of-this-test");
    let (sailor, rise) = (nth_id::<WebsiteId>(0), nth_id::<WebsiteId>(1));
    let at_sailor =
        format!(", types: [PRODUCT], where: {{sourceWebsite: {{eq: {sailor:?}}}}}, orderBy: {{field: PRICE}}");
    let response = search(&visitor, "  Storm \t LANTERN ", &at_sailor).await;
    let (kind, key) = souk::ids::decode(&response.text_at("search.searchId")).expect("an id");
    assert_eq!(kind, "Search");
    search(&visitor, "lamtern", &format!(", where: {{sourceWebsite: {{in: [{sailor:?}, {rise:?}]}}}}"))
        .await
        .at("search");
    search(&visitor, "xylophone", "").await.at("search");
    search(&visitor, "-", "").await.at("search");
    // Of a page without the total count, only the hits on the page are known.
    visitor.run("{ search(query: \"lantern\", first: 1) { nodes { __typename } } }").await.at("search");
    visitor.run("{ search(query: \"rope\", first: 1) { nodes { __typename } } }").await.at("search");
    let rows = recorded_searches(&app, "website_id, query, corrected, results, results_exact, is_shareable").await;
    assert_eq!(
        rows,
        [
            format!("({BASE},\"storm lantern\",,1,t,t)"),
            "(,lamtern,lantern,2,t,t)".into(),
            "(,xylophone,,0,t,t)".into(),
            "(,-,,0,t,f)".into(),
            "(,lantern,,1,f,t)".into(),
            "(,rope,,1,t,t)".into(),
        ]
    );
    assert_eq!(app.database.scalar("SELECT min(id) FROM searches").await, key.to_string());
    let filters = app.database.scalar("SELECT filters FROM searches ORDER BY id").await;
    let filters: Value = serde_json::from_str(&filters).expect("JSON");
    let given = json!({ "types": ["PRODUCT"], "where": { "sourceWebsite": { "eq": sailor } }, "orderBy": { "field": "PRICE" } });
    assert_eq!(filters, given);
    let none = app.database.scalar("SELECT count(*) FROM searches WHERE filters = '{}'").await;
    assert_eq!(none, "4");
    let near = "SELECT bool_and(took_ms > 0 AND searched_at BETWEEN now() - interval '1 minute' AND now()
        AND (id >> 21) = floor(extract(epoch FROM searched_at) * 1000)) FROM searches";
    assert_eq!(app.database.scalar(near).await, "t");
    // The visitor's hash is stored, and the id itself nowhere.
    assert_eq!(
        app.database.scalar("SELECT count(*) FROM searches WHERE visitor = sha256('a-visitor-of-this-test')").await,
        "6"
    );
    let tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    for table in app.database.rows(tables).await {
        let table = table.trim_matches(['(', ')']);
        let text = app.database.rows(&format!("SELECT r::text FROM {table} r")).await.join("\n");
        assert!(!text.contains("a-visitor-of-this-test"), "{table}");
    }
}

#[tokio::test]
async fn only_the_first_page_is_recorded_and_no_rejected_search() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    let first = search(&public, "lantern", ", first: 1").await;
    first.text_at("search.searchId");
    let after = format!(", first: 1, after: {}", first.at("search.pageInfo.endCursor"));
    assert_eq!(search(&public, "lantern", &after).await.at("search.searchId"), &Value::Null);
    assert_eq!(search(&public, "lantern", &after.replace("after", "before")).await.at("search.searchId"), &Value::Null);
    search(&public, "lantern", ", last: 1").await.text_at("search.searchId");
    for arguments in [", where: {brand: {eq: \"x\"}}", ", after: \"x\""] {
        assert!(!search(&public, "lantern", arguments).await.json["errors"].is_null());
    }
    // Browsing has no query.
    for arguments in ["", ", first: 1", ", where: {sourceWebsite: {code: \"sailor\"}}"] {
        assert_eq!(search(&public, " ", arguments).await.at("search.searchId"), &Value::Null);
    }
    assert_eq!(recorded_searches(&app, "query, results").await, ["(lantern,2)", "(lantern,2)"]);
}

#[tokio::test]
async fn search_belongs_to_a_user_or_a_visitor_but_not_both() {
    let app = TestApp::new().await;
    shop(&app).await;
    let known = |user: &str, visitor: &str| format!("({user},{visitor})");
    let customer = app.customer().await.with_visitor("v");
    let admin = app.admin().await;
    let key = json!({ "name": "Till", "permissions": [] });
    let key = admin.mutate("apiKeyCreate", "secret", key).await.text_at("apiKeyCreate.secret");
    let (long, most) = ("v".repeat(101), "v".repeat(100));
    let cases = [
        (app.anonymous(), known("", "")),
        (app.anonymous().with_visitor("v"), known("", "v")),
        (app.anonymous().with_visitor(&most), known("", &most)),
        // An invalid visitor id is ignored.
        (app.anonymous().with_visitor(""), known("", "")),
        (app.anonymous().with_visitor("a visitor"), known("", "")),
        (app.anonymous().with_visitor(&long), known("", "")),
        (customer.log_in_again().await, known(&customer.id.0.to_string(), "")),
        // A search with an API key belongs to the visitor whose id is sent, otherwise to the key's owner.
        (app.with_key(key.clone(), admin.id).with_visitor("v"), known("", "v")),
        (app.with_key(key, admin.id), known(&admin.id.0.to_string(), "")),
    ];
    for (actor, expected) in cases {
        app.database.sql("TRUNCATE searches").await;
        search(&actor, "lantern", "").await.text_at("search.searchId");
        let visitors = format!("VALUES ('v'), ('{most}')");
        let who = format!("user_id, (SELECT v FROM ({visitors}) t (v) WHERE sha256(v::bytea) = visitor)");
        assert_eq!(recorded_searches(&app, &who).await, [expected]);
    }
}

#[tokio::test]
async fn search_responds_while_recording_is_blocked() {
    let app = TestApp::new().await;
    shop(&app).await;
    let mut other = app.database.raw_connection().await;
    other.batch_execute("BEGIN; LOCK TABLE searches, search_clicks").await.expect("a lock");
    let id = search(&app.anonymous(), "lantern", "").await.text_at("search.searchId");
    let click = json!({ "searchId": id, "productId": nth_id::<ProductId>(1), "position": 1 });
    assert_eq!(app.anonymous().mutate("searchClick", "", click).await.outcome("searchClick"), "done");
    other.batch_execute("COMMIT").await.expect("a commit");
    assert_eq!((count(&app, "searches").await, count(&app, "search_clicks").await), ("1".into(), "1".into()));
}

/// Returns this many anonymous searches, as passed to the recorder, without the equal ids that may occur within a
/// millisecond.
fn anonymous_searches(count: usize) -> Vec<NewSearch> {
    let mut searches = BTreeMap::new();
    while searches.len() < count {
        let search = anonymous_search(searches.len());
        searches.insert(search.id, search);
    }
    searches.into_values().collect()
}

fn anonymous_search(number: usize) -> NewSearch {
    let text = format!("lantern {number}");
    let search = Search {
        query: ParsedQuery::parse(&text),
        text,
        kinds: vec![DocumentKind::Product],
        is_staff: false,
        filter: SearchFilter::default(),
        order: SearchOrderField::Relevance,
        direction: Direction::Desc,
        name_order: NameOrder::default(),
        page: Page::new("search:rank", PageArgs::default()).expect("a page"),
        cursor_seal: CursorSeal::new([8; 32]),
    };
    let outcome = SearchOutcome { results: 1, is_exact: true, took_ms: 1.0 };
    NewSearch::new(&search, Searcher::default(), json!({}), None, outcome)
}

#[tokio::test]
async fn searches_are_written_in_batches() {
    let app = TestApp::new().await;
    let counting = "
        CREATE TABLE statements (rows bigint);
        CREATE FUNCTION count_statement() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO statements SELECT count(*) FROM new_rows; RETURN NULL; END $$;
        CREATE TRIGGER count_statement AFTER INSERT ON searches
            REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION count_statement();";
    app.database.sql(counting).await;
    anonymous_searches(1_000).into_iter().for_each(|search| app.services.search_recorder.record_search(search));
    assert_eq!(count(&app, "searches").await, "1000");
    assert_eq!(app.database.scalar("SELECT string_agg(rows::text, ' ') FROM statements").await, "500 500");
    assert_eq!((MAX_BATCH, app.services.search_recorder.dropped()), (500, 0));
}

#[tokio::test]
async fn events_beyond_the_buffer_are_dropped_and_counted() {
    let app = TestApp::new().await;
    shop(&app).await;
    let (recorder, public) = (&app.services.search_recorder, app.anonymous());
    let mut other = app.database.raw_connection().await;
    other.batch_execute("BEGIN; LOCK TABLE searches").await.expect("a lock");
    // The recorder takes one batch of these and waits to write it.
    let mut searches = anonymous_searches(MAX_BATCH + MAX_QUEUED + 7);
    searches.drain(..MAX_BATCH).for_each(|search| recorder.record_search(search));
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while app.database.scalar(waits).await == "0" {
        tokio::task::yield_now().await;
    }
    searches.into_iter().for_each(|search| recorder.record_search(search));
    assert_eq!(recorder.dropped(), 7);
    search(&public, "lantern", "").await.text_at("search.searchId");
    assert_eq!(recorder.dropped(), 8);
    other.batch_execute("COMMIT").await.expect("a commit");
    assert_eq!(count(&app, "searches").await, (MAX_BATCH + MAX_QUEUED).to_string());
}

#[tokio::test]
async fn click_counts_once_for_an_existing_product() {
    let app = TestApp::new().await;
    shop(&app).await;
    let public = app.anonymous();
    let id = search(&public, "lantern", "").await.text_at("search.searchId");
    let (lantern, paper) = (nth_id::<ProductId>(1), nth_id::<ProductId>(2));
    let ago = |age: TimeDelta| SearchId::at(Utc::now() - age).to_global_id();
    for (search, product, position, expected) in [
        (&id, &lantern, 1, "done"),
        (&id, &lantern, 5, "done"),
        (&id, &paper, 10_000, "done"),
        // Clicks on missing searches or products are ignored without an error.
        (&id, &nth_id::<ProductId>(9), 1, "done"),
        (&id, &lantern, 0, "OUT_OF_RANGE position"),
        (&id, &lantern, 10_001, "OUT_OF_RANGE position"),
        (&ago(TimeDelta::hours(23)), &lantern, 1, "done"),
        (&ago(TimeDelta::hours(25)), &lantern, 1, "INVALID searchId"),
        (&ago(-TimeDelta::hours(1)), &lantern, 1, "INVALID searchId"),
        (&lantern, &lantern, 1, "INVALID searchId"),
        (&"x".to_owned(), &lantern, 1, "INVALID searchId"),
        (&id, &id, 1, "INVALID productId"),
    ] {
        let input = json!({ "searchId": search, "productId": product, "position": position });
        assert_eq!(public.mutate("searchClick", "", input.clone()).await.outcome("searchClick"), expected, "{input}");
    }
    app.services.search_recorder.flush().await;
    let clicks = "SELECT product_id - 1000000, position FROM search_clicks ORDER BY search_id DESC, product_id";
    assert_eq!(app.database.rows(clicks).await, ["(1,1)", "(2,10000)", "(1,1)"]);
}

#[tokio::test]
async fn nothing_is_recorded_when_disabled() {
    let app = TestApp::builder().without_search_recorder().build().await;
    shop(&app).await;
    let public = app.anonymous();
    assert_eq!(search(&public, "lantern", "").await.at("search.searchId"), &Value::Null);
    let click = json!({ "searchId": SearchId::at(Utc::now()).to_global_id(), "productId": nth_id::<ProductId>(1), "position": 1 });
    assert_eq!(public.mutate("searchClick", "", click).await.outcome("searchClick"), "done");
    assert_eq!((count(&app, "searches").await, count(&app, "search_clicks").await), ("0".into(), "0".into()));
}

#[tokio::test]
async fn failed_writes_are_retried_and_finally_dropped() {
    let app = TestApp::new().await;
    let recorder = &app.services.search_recorder;
    // A sequence also counts in transactions that are rolled back.
    let refusing = "
        CREATE SEQUENCE attempts;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('attempts') < 2 THEN RAISE EXCEPTION 'not now'; END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER refuse AFTER INSERT ON searches FOR EACH STATEMENT EXECUTE FUNCTION refuse();";
    app.database.sql(refusing).await;
    search(&app.anonymous(), "lantern", "").await.text_at("search.searchId");
    assert_eq!(recorded_searches(&app, "query").await, ["(lantern)"]);
    assert_eq!((recorder.dropped(), app.database.scalar("SELECT last_value FROM attempts").await), (0, "2".into()));
    app.database.sql("ALTER SEQUENCE attempts MINVALUE -100 START -100; ALTER SEQUENCE attempts RESTART").await;
    search(&app.anonymous(), "rope", "").await.text_at("search.searchId");
    assert_eq!(recorded_searches(&app, "query").await, ["(lantern)"]);
    assert_eq!((recorder.dropped(), app.database.scalar("SELECT last_value FROM attempts").await), (1, "-97".into()));
    // The recorder continues.
    app.database.sql("DROP TRIGGER refuse ON searches").await;
    search(&app.anonymous(), "sail", "").await.text_at("search.searchId");
    assert_eq!(recorded_searches(&app, "query").await, ["(lantern)", "(sail)"]);
}

#[tokio::test]
async fn pending_searches_are_written_at_shutdown() {
    let (database, dir) = (TestDb::new().await, DataDir::new());
    let serve = |days: &str| {
        let mut command = dir.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("DATABASE_URL", &database.url).env("SOUK_SEARCH_RETENTION_DAYS", days);
        ServerProcess::start(command)
    };
    let document = "{ search(query: \"lantern\") { searchId } }";
    let server = serve("1");
    assert!(server.run(None, document).1["data"]["search"]["searchId"].is_string());
    assert_eq!(server.stop(), Some(0));
    assert_eq!(database.rows("SELECT query FROM searches").await, ["(lantern)"]);
    // Without recording there is no search id to click on.
    let server = serve("0");
    assert_eq!(server.run(None, document).1["data"]["search"], json!({ "searchId": null }));
    assert_eq!(server.stop(), Some(0));
}

/// Creates a user who searches while their account is being erased.
async fn searching_user(app: &TestApp) -> Actor<'_> {
    shop(app).await;
    let ada = app.customer().await;
    search(&ada, "lantern", "").await.text_at("search.searchId");
    ada
}

#[tokio::test]
async fn searches_of_an_erased_user_are_written_without_a_user() {
    let app = TestApp::new().await;
    let ada = searching_user(&app).await;
    let mut erasure = app.database.raw_connection().await;
    let begin = format!(
        "BEGIN; SELECT FROM users WHERE id = {0} FOR NO KEY UPDATE; UPDATE users SET erased_at = now() WHERE id = {0}",
        ada.id.0
    );
    erasure.batch_execute(&begin).await.expect("a lock on the user");
    search(&ada, "rope", "").await.text_at("search.searchId");
    let recorder = app.services.search_recorder.clone();
    let flushed = tokio::spawn(async move { recorder.flush().await });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while app.database.scalar(waits).await == "0" {
        tokio::task::yield_now().await;
    }
    erasure.batch_execute("COMMIT").await.expect("a commit");
    flushed.await.expect("no panic");
    assert_eq!(recorded_searches(&app, "query, user_id").await, ["(lantern,)", "(rope,)"]);
}
