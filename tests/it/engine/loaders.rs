//! Failure isolation of loaders: a dropped waiter, a failed statement or a missing row does not affect other fields.

use std::{sync::Arc, time::Duration};

use diesel_async::SimpleAsyncConnection;
use futures_util::future::{join_all, poll_immediate};
use serde_json::json;
use souk::auth::Viewer;
use souk::db::Db;
use souk::db::DbSettings;
use souk::db::recorder::StatementRecorder;
use souk::error::Error;
use souk::error::ErrorCode;
use souk::error::Result;
use souk::graphql::engine::{batching::Dispatcher, shared_loads::SharedLoads};
use souk::graphql::schema::{
    loaders::Loaders,
    products::{OffersByProduct, UnscopedProducts},
};
use souk::ids::BrandId;
use souk::ids::CategoryId;
use souk::ids::ProductId;
use souk::ids::RowId;
use souk::ids::UserId;
use souk::websites;

use crate::support::{
    TestApp,
    bulk::{BASE, nth_id},
    psql::Psql,
};

/// Returns a viewer who may see everything.
fn staff() -> Viewer {
    Viewer::system()
}

#[tokio::test]
async fn dropped_waiter_does_not_affect_its_batch() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(3).await;
    let dispatcher = Dispatcher::default();
    let loaders = Loaders::new(&dispatcher, app.database.db.clone(), Arc::default(), &staff());
    let recorder = StatementRecorder::with_texts();
    let operation = async {
        let mut waiters = (1..=3).map(|i| Box::pin(loaders.row(BrandId(BASE + i)))).collect::<Vec<_>>();
        for waiter in &mut waiters {
            assert!(poll_immediate(waiter).await.is_none());
        }
        // The batch is dispatched here.
        tokio::task::yield_now().await;
        drop(waiters.remove(0));
        join_all(waiters).await
    };
    let names = recorder.clone().scope(dispatcher.run(operation)).await.into_iter();
    let names: Vec<_> = names.map(|found| found.expect("a result").expect("a brand").name.clone()).collect();
    assert_eq!(names, ["Maker 2", "Maker 3"]);
    assert_eq!(recorder.statements(), 1, "{:?}", recorder.texts());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_and_spurious_wakeups_do_not_split_a_batch() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(900).await;
    for _ in 0..20 {
        let dispatcher = Dispatcher::default();
        let loaders = &Loaders::new(&dispatcher, app.database.db.clone(), Arc::default(), &staff());
        let brand_of = |product: i64| async move {
            let product = loaders.row(ProductId(BASE + product)).await?.expect("a product");
            loaders.row(product.brand_id.expect("a brand")).await
        };
        // Nested lists, as in a response, beside a field that wakes the operation all the time.
        let rows = join_all((0..30).map(|i| join_all((1..=30).map(move |j| brand_of(i * 30 + j)))));
        let noise = async {
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
        };
        let recorder = StatementRecorder::with_texts();
        let (rows, ()) = recorder.clone().scope(dispatcher.run(async { tokio::join!(rows, noise) })).await;
        for (number, found) in rows.into_iter().flatten().enumerate() {
            assert_eq!(found.expect("a result").expect("a brand").name, format!("Maker {}", number + 1));
        }
        assert_eq!(recorder.statements(), 2, "{:#?}", recorder.texts());
    }
}

#[tokio::test]
async fn loaders_work_outside_of_an_operation() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(2).await;
    let dispatcher = Dispatcher::default();
    let loaders = Loaders::new(&dispatcher, app.database.db.clone(), Arc::default(), &staff());
    let two = || async { tokio::join!(loaders.row(BrandId(BASE + 1)), loaders.row(BrandId(BASE + 2))) };
    assert!(matches!(two().await, (Ok(Some(_)), Ok(Some(_)))));
    let recorder = StatementRecorder::default();
    assert!(matches!(recorder.clone().scope(dispatcher.run(two())).await, (Ok(Some(_)), Ok(Some(_)))));
    assert_eq!(recorder.statements(), 1);
    assert!(matches!(two().await, (Ok(Some(_)), Ok(Some(_)))));
}

#[tokio::test]
async fn failing_field_does_not_affect_its_siblings() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(3).await;
    let ids: Vec<_> = (1..=3).map(nth_id::<BrandId>).collect();
    // The pages of `wrong` are the same as those of `right`, so they share one batch.
    let page = "page: products(first: 1) { nodes { sku } }";
    for (before, after) in [("products(first: 0) { nodes { id } }", ""), ("", "products(first: 0) { nodes { id } }")] {
        let document = format!(
            "query ($ids: [ID!]!) {{ wrong: nodes(ids: $ids) {{ ... on Brand {{ {before} {page} {after} }} }}
                right: nodes(ids: $ids) {{ ... on Brand {{ {page} }} }} }}"
        );
        let response = app.anonymous().run_with(&document, json!({ "ids": ids })).await;
        assert_eq!(response.at_ignoring_errors("wrong"), &json!([null, null, null]));
        let page = |i: i64| json!({ "page": { "nodes": [{ "sku": format!("L-{i}") }] } });
        assert_eq!(response.at_ignoring_errors("right"), &json!([page(1), page(2), page(3)]));
        let codes =
            response.json["errors"].as_array().expect("errors").iter().map(|error| &error["extensions"]["code"]);
        assert_eq!(codes.collect::<Vec<_>>(), ["BAD_USER_INPUT"; 3]);
        assert_eq!(response.sql.len(), 2, "{:#?}", response.sql);
    }
}

#[tokio::test]
async fn failed_statement_is_reported_at_every_waiting_field() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(5).await;
    app.database.sql("ALTER TABLE brands RENAME TO gone").await;
    let response = app.anonymous().run("{ products { nodes { brand { id } sku category { slug } } } }").await;
    let errors = response.json["errors"].as_array().expect("errors");
    let mut places: Vec<_> = errors.iter().map(|error| error["path"].clone()).collect();
    places.sort_by_key(ToString::to_string);
    assert_eq!(places, (0..5).map(|i| json!(["products", "nodes", i, "brand"])).collect::<Vec<_>>());
    for error in errors {
        assert_eq!(error["extensions"]["code"], "INTERNAL_SERVER_ERROR");
        assert_eq!(error["message"], "internal server error");
    }
    for i in 0..5 {
        let node = response.at_ignoring_errors(&format!("products.nodes.{i}"));
        assert!(node["brand"].is_null() && node["sku"].is_string() && node["category"]["slug"].is_string(), "{node}");
    }
    assert_eq!(response.sql.len(), 3, "a failed statement is not retried: {:#?}", response.sql);
}

#[tokio::test]
async fn slow_statement_times_out_every_waiting_field() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(3).await;
    let settings = DbSettings { read_connections: 1, read_timeout: Duration::from_millis(50), ..DbSettings::default() };
    let db = Db::connect(&app.database.url, &settings).await.expect("a database connection");
    let mut other = app.database.raw_connection().await;
    other.batch_execute("BEGIN; LOCK TABLE brands").await.expect("a lock");
    let dispatcher = Dispatcher::default();
    let loaders = Loaders::new(&dispatcher, db, Arc::default(), &staff());
    let responses = dispatcher.run(join_all((1..=3).map(|i| loaders.row(BrandId(BASE + i))))).await;
    for response in responses {
        assert!(matches!(response, Err(Error::Coded(ErrorCode::Timeout, _))), "{response:?}");
    }
    other.batch_execute("ROLLBACK").await.expect("a rollback");
    // The failure is not cached.
    let again = loaders.row(BrandId(BASE + 1)).await;
    assert_eq!(again.expect("a result").expect("a brand").name, "Maker 1");
}

#[tokio::test]
async fn missing_row_is_null_among_found_rows() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(2).await;
    let dispatcher = Dispatcher::default();
    let loaders = Loaders::new(&dispatcher, app.database.db.clone(), Arc::default(), &staff());
    let (found, missing) = tokio::join!(loaders.row(ProductId(BASE + 1)), loaders.row(ProductId(BASE + 9)));
    assert_eq!(found.expect("a result").expect("a product").sku, "L-1");
    assert!(missing.expect("no error").is_none());
    let some = loaders.rows([9, 2, 8, 1].map(|i| ProductId(BASE + i))).await.expect("a result");
    assert_eq!(some.iter().map(|row| row.sku.as_str()).collect::<Vec<_>>(), ["L-2", "L-1"]);

    let ids: Vec<_> = [1, 9, 2].map(nth_id::<ProductId>).into();
    let document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    let response = app.anonymous().run_with(document, json!({ "ids": ids })).await;
    assert_eq!(response.at("nodes"), &json!([{ "id": ids[0] }, null, { "id": ids[2] }]));
    assert_eq!(response.statements(), 1);
}

#[tokio::test]
async fn duplicate_keys_are_sent_once() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(9).await;
    app.database.sql(&format!("UPDATE products SET brand_id = {BASE} + 4")).await;
    let response = app.anonymous().run("{ products { nodes { brand { name } } } }").await;
    for i in 0..9 {
        assert_eq!(response.text_at(&format!("products.nodes.{i}.brand.name")), "Maker 4");
    }
    assert!(response.sql[1].ends_with(&format!("-- binds: [[BrandId({})]]", BASE + 4)), "{:#?}", response.sql);
}

#[tokio::test]
async fn every_parent_gets_its_own_rows_over_three_levels() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(40).await;
    let document = "{ products(first: 40) { nodes { sku category { slug parent { slug children(first: 2) { nodes { slug
        products(first: 2) { nodes { sku brand { slug } } } } } } } } } }";
    let response = app.anonymous().run(document).await;
    for i in 0..40 {
        let product = response.at(&format!("products.nodes.{i}"));
        let number = product["sku"].as_str().expect("a SKU").trim_start_matches("L-");
        let expected = json!({
            "sku": format!("L-{number}"),
            "category": { "slug": format!("board-{number}"), "parent": { "slug": format!("shelf-{number}"), "children": {
                "nodes": [{ "slug": format!("board-{number}"), "products": {
                    "nodes": [{ "sku": format!("L-{number}"), "brand": { "slug": format!("maker-{number}") } }] } }] } } },
        });
        assert_eq!(product, &expected);
    }
    assert_eq!(response.statements(), 6, "{:#?}", response.sql);
}

#[tokio::test]
async fn keys_beyond_the_statement_limit_are_split() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(1).await;
    let dispatcher = Dispatcher::default();
    let loaders = Loaders::new(&dispatcher, app.database.db.clone(), Arc::default(), &staff());
    let recorder = StatementRecorder::default();
    let keys = (1..=10_001).map(|i| CategoryId(BASE + i));
    let found = recorder.clone().scope(dispatcher.run(loaders.rows(keys))).await.expect("a result");
    assert_eq!((found.len(), recorder.statements()), (2, 2));
}

#[tokio::test]
async fn loaders_respect_the_access_of_the_viewer() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(2).await;
    app.database.sql(&format!("UPDATE products SET is_active = false WHERE id = {BASE} + 1")).await;
    let dispatcher = Dispatcher::default();
    let public = Loaders::new(&dispatcher, app.database.db.clone(), Arc::default(), &Viewer::anonymous());
    let products = public.rows([1, 2].map(|i| ProductId(BASE + i))).await.expect("a result");
    assert_eq!(products.iter().map(|row| row.id).collect::<Vec<_>>(), [ProductId(BASE + 2)]);
    assert!(public.row(UserId(BASE + 1)).await.expect("a result").is_none());
    // A sold product stays readable through the order line.
    let sold = public.load::<UnscopedProducts>(ProductId(BASE + 1)).await.expect("a result");
    assert_eq!(sold.map(|row| row.id.key()), Some(BASE + 1));
}

#[tokio::test]
async fn products_by_several_ids_and_slugs_take_one_statement_each() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(2).await;
    app.database.sql(&format!("UPDATE products SET is_active = false WHERE id = {BASE} + 1")).await;
    let (hidden, visible) = (nth_id::<ProductId>(1), nth_id::<ProductId>(2));
    let document = format!(
        "{{ a: product(slug: \"lantern-1\") {{ id }} b: product(slug: \"lantern-2\") {{ sku category {{ slug }} brand {{ slug }} }}
            c: product(slug: \"lantern-2\") {{ sku }} d: product(slug: \"none\") {{ id }}
            e: product(id: \"{hidden}\") {{ id }} f: product(id: \"{visible}\") {{ sku category {{ slug }} }} }}"
    );
    let response = app.anonymous().run(&document).await;
    let expected = json!({
        "a": null, "b": {"sku": "L-2", "category": {"slug": "board-2"}, "brand": {"slug": "maker-2"}},
        "c": {"sku": "L-2"}, "d": null, "e": null, "f": {"sku": "L-2", "category": {"slug": "board-2"}},
    });
    assert_eq!(response.json["data"], expected);
    assert_eq!(response.statements(), 2, "{:#?}", response.sql);
}

/// Loads the IDs of the offers of a product, and whether the viewer sees the hidden product 1.
async fn offers(db: Db, shared: Arc<SharedLoads<Viewer>>, viewer: Viewer) -> (Vec<i64>, bool) {
    let dispatcher = Dispatcher::default();
    let loaders = Loaders::new(&dispatcher, db, shared, &viewer);
    let offers = loaders.group::<OffersByProduct, _>(ProductId(BASE + 2));
    let hidden = loaders.row(ProductId(BASE + 1));
    let (offers, hidden) = dispatcher.run(async { tokio::join!(offers, hidden) }).await;
    let ids = offers.expect("offers").iter().map(|offer| offer.1.id.key() - BASE).collect();
    (ids, hidden.expect("a result").is_some())
}

#[tokio::test]
async fn operations_that_share_statements_load_the_same_as_alone() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(4).await;
    let hide = format!("UPDATE products SET barcode = '4006381333931', is_active = id > {BASE} + 1");
    app.database.sql(&hide).await;
    // The statements wait until the lock is released, so that the loads of later operations share one.
    let locked = Psql::connect(&app.database.url).await;
    locked.rows("BEGIN; LOCK TABLE products").await;
    let shared: Arc<SharedLoads<Viewer>> = Arc::default();
    let viewers = (0..6).flat_map(|_| [Viewer::anonymous(), staff()]);
    let operations = viewers.map(|viewer| tokio::spawn(offers(app.database.db.clone(), Arc::clone(&shared), viewer)));
    let operations: Vec<_> = operations.collect();
    let waiting = "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database
        WHERE d.datname = current_database() AND l.relation = 'products'::regclass AND NOT l.granted";
    while locked.scalar(waiting).await == "0" {
        tokio::task::yield_now().await;
    }
    locked.rows("COMMIT").await;
    for (number, operation) in operations.into_iter().enumerate() {
        let is_staff = number % 2 == 1;
        let expected = if is_staff { vec![1, 2, 3, 4] } else { vec![2, 3, 4] };
        assert_eq!(operation.await.expect("an operation"), (expected, is_staff), "operation {number}");
    }
}

async fn count(db: &Db) -> Result<i64> {
    db.read(websites::store::count).await
}

#[tokio::test]
async fn statements_are_counted_wherever_they_run() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.seed_all(2).await;
    let db = app.database.db.clone();
    let recorder = StatementRecorder::with_texts();
    recorder
        .clone()
        .scope(async {
            // Pipelined on the shared connections, and in the task of a batch.
            let dispatcher = Dispatcher::default();
            let loaders = Loaders::new(&dispatcher, db.clone(), Arc::default(), &staff());
            let all = dispatcher
                .run(async { tokio::join!(count(&db), count(&db), count(&db), loaders.row(BrandId(BASE + 1))) })
                .await;
            assert!(matches!(all, (Ok(2), Ok(2), Ok(2), Ok(Some(_)))));
            assert_eq!(StatementRecorder::current().statements(), 4);
            // In a transaction, on a pooled connection.
            assert_eq!(db.transaction(websites::store::count).await.expect("a count"), 2);
            // A spawned task counts only within a recorder's scope.
            let (task, own) = (db.clone(), StatementRecorder::current());
            tokio::spawn(async move { count(&task).await }).await.expect("a task").expect("a count");
            let task = db.clone();
            tokio::spawn(own.scope(async move { count(&task).await })).await.expect("a task").expect("a count");
        })
        .await;
    let texts = recorder.texts();
    let of = |what: &str| texts.iter().filter(|text| text.contains(what)).count();
    assert_eq!((of("FROM \"websites\""), of("FROM \"brands\""), of("BEGIN"), of("COMMIT")), (5, 1, 1, 1), "{texts:#?}");
    assert_eq!(recorder.statements() as usize, texts.len());
    assert!(recorder.elapsed_ms() > 0.0);
    // Nothing is counted outside of the scope.
    count(&db).await.expect("a count");
    assert_eq!((recorder.texts(), StatementRecorder::current().statements()), (texts, 0));
}
