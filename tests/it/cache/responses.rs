//! Which responses are cached, for which viewers, and the effects of operations whose response comes from the cache.

use futures_util::future::join_all;
use serde_json::json;
use souk::{
    config::LimitSettings,
    ids::{ProductId, RowId},
};

use super::{is_hit, run, warm};
use crate::support::{
    ProductSpec, TestApp,
    generated_operations::{document, missing_id, node_types, root_fields},
    psql::Psql,
    scenario::Scenario,
    sdl::Sdl,
};

const PRODUCTS: &str = "{ products { nodes { name price { amount } } } }";

async fn app_with_product() -> (TestApp, String) {
    let app = TestApp::builder().cached().build().await;
    let website = app.website("sailor").await;
    let product = app.product(website.id, ProductSpec { stock: 50, ..ProductSpec::default() }).await;
    (app, product.id.to_global_id())
}

#[tokio::test]
async fn second_response_to_an_anonymous_query_comes_from_the_cache() {
    let (app, id) = app_with_product().await;
    let document = format!("{{ product(id: \"{id}\") {{ id name price {{ amount }} }} }}");
    assert!(!is_hit(&app, &document).await);
    let first = run(&app.anonymous(), &document).await;
    let second = run(&app.anonymous(), &document).await;
    assert_eq!(first.data(), second.data());
    assert_eq!((second.statements(), &second.json["extensions"]["cache"]["hit"]), (0, &json!(true)));
    let key = souk::ids::decode(&id).expect("an ID").1;
    assert_eq!(second.json["extensions"]["cache"]["tags"], json!([format!("product:{key}")]));
}

#[tokio::test]
async fn responses_are_kept_by_document_variables_and_host() {
    let (app, id) = app_with_product().await;
    let (anonymous, missing) = (app.anonymous(), ProductId(99).to_global_id());
    let documents = ["query ($id: ID!) { product(id: $id) { id } }", "query ($id: ID!) { product(id: $id) { name } }"];
    let is_hit = async |document: &str, id: &str, host: &str| {
        app.services.responses.catch_up().await;
        let request = anonymous.request().header("host", host);
        let response = anonymous.run_request(request, document, json!({ "id": id })).await;
        response.json["extensions"]["cache"]["hit"] == true
    };
    // The documents are parsed and validated, so that they are the same ones from now on.
    for document in documents {
        is_hit(document, &ProductId(98).to_global_id(), "souk").await;
    }
    let keys = [
        (documents[0], id.as_str(), "souk"),
        (documents[1], id.as_str(), "souk"),
        (documents[0], missing.as_str(), "souk"),
        (documents[0], id.as_str(), "other.example"),
    ];
    for expected in [false, true] {
        for (document, id, host) in keys {
            assert_eq!(is_hit(document, id, host).await, expected, "{document} {id} {host}");
        }
    }
}

#[tokio::test]
async fn viewers_with_a_credential_neither_get_nor_leave_a_cached_response() {
    let (app, id) = app_with_product().await;
    let document = format!("{{ product(id: \"{id}\") {{ name stock }} }}");
    for actor in [app.admin().await, app.customer().await] {
        for _ in 0..2 {
            let response = run(&actor, &document).await;
            assert!(response.json["extensions"]["cache"].is_null(), "{}", response.json);
            assert_ne!(response.statements(), 0);
        }
    }
    warm(&app, &document).await;
    assert_eq!(run(&app.admin().await, &document).await.at("product.stock"), 50);
    assert!(run(&app.anonymous(), &document).await.at("product.stock").is_null());
}

#[tokio::test]
async fn guests_share_what_everyone_sees_and_nothing_else() {
    let app = TestApp::builder().cached().build().await;
    let (sdl, scenario) = (Sdl::read(), Scenario::create(&app).await);
    let uncached = app.second_server().await;
    let shopper = uncached.anonymous().run("mutation { cartCreate { cart { id } cartToken } }").await;
    let token = shopper.text_at("cartCreate.cartToken");
    let cart = shopper.text_at("cartCreate.cart.id");
    let id_of = |name: &str| {
        if name == "Cart" { cart.clone() } else { scenario.ids.get(name).cloned().unwrap_or_else(|| missing_id(name)) }
    };
    let mut documents: Vec<String> = root_fields(&sdl)
        .into_iter()
        .filter(|(root, _)| *root == "Query")
        .map(|(root, field)| document(&sdl, root, &field, &id_of))
        .collect();
    documents.extend(node_types(&sdl).into_iter().map(|name| format!("{{ node(id: \"{}\") {{ id }} }}", id_of(name))));
    let (guest, loaded) = (app.anonymous().with_cart(Some(token.clone())), uncached.anonymous().with_cart(Some(token)));
    let mut hits = 0;
    for document in documents {
        for _ in 0..2 {
            run(&app.anonymous(), &document).await;
        }
        let response = run(&guest, &document).await;
        hits += i32::from(response.json["extensions"]["cache"]["hit"] == true);
        assert_eq!(response.json["data"], loaded.run(&document).await.json["data"], "{document}");
    }
    assert!(hits > 10, "{hits}");
}

#[tokio::test]
async fn equal_queries_at_the_same_time_load_once() {
    let (app, id) = app_with_product().await;
    let document = format!("{{ product(id: \"{id}\") {{ id sku }} }}");
    // Parsed and validated, so that all requests have the same document.
    run(&app.anonymous(), &document).await;
    let database = Psql::connect(&app.database.url).await;
    let waiting = Psql::connect(&app.database.url).await;
    database.rows("UPDATE products SET name = 'New name'").await;
    app.services.responses.catch_up().await;
    // The load waits for the lock. The others wait for the load, and the cache must not take that for a broken connection.
    database.rows("BEGIN").await;
    database.rows("LOCK TABLE products IN ACCESS EXCLUSIVE MODE").await;
    let anonymous = app.anonymous();
    let release = async {
        let load =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while waiting.scalar(load).await == "0" {
            tokio::task::yield_now().await;
        }
        database.rows("COMMIT").await;
    };
    let (responses, ()) = tokio::join!(join_all((0..8).map(|_| anonymous.run(&document))), release);
    let statements: Vec<_> = responses.iter().map(|response| response.statements()).collect();
    assert_eq!(statements.iter().sum::<u64>(), 1, "{statements:?}");
}

#[tokio::test]
async fn responses_with_errors_are_not_cached() {
    let (app, _) = app_with_product().await;
    for document in ["{ product(id: \"x\") { name } }", "{ products(where: {stock: {gte: 1}}) { nodes { name } } }"] {
        for _ in 0..3 {
            let response = run(&app.anonymous(), document).await;
            assert!(response.json["errors"].is_array(), "{}", response.json);
            assert!(response.json["extensions"]["cache"].is_null(), "{}", response.json);
        }
    }
}

#[tokio::test]
async fn fields_that_change_with_each_sale_or_search_are_not_cached() {
    let (app, id) = app_with_product().await;
    for document in [
        format!("{{ product(id: \"{id}\") {{ updatedAt }} }}"),
        "{ products(orderBy: {field: UPDATED_AT}) { nodes { name } } }".to_owned(),
        "{ search(query: \"product\") { searchId } }".to_owned(),
        "{ me { id } }".to_owned(),
    ] {
        for _ in 0..3 {
            let response = run(&app.anonymous(), &document).await;
            assert!(response.json["extensions"]["cache"].is_null(), "{document}: {}", response.json);
        }
    }
}

#[tokio::test]
async fn search_from_the_cache_is_recorded_for_its_visitor() {
    let (app, _) = app_with_product().await;
    let document = "{ search(query: \"product\") { nodes { __typename } } }";
    let (one, other) = ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002");
    for visitor in [one, one, other] {
        run(&app.anonymous().with_visitor(visitor), document).await;
    }
    assert!(is_hit(&app, document).await);
    app.services.search_recorder.flush().await;
    let searches = Psql::connect(&app.database.url).await;
    let recorded = "SELECT string_agg(n::text, ',' ORDER BY n) FROM
        (SELECT count(*) AS n FROM searches WHERE results = 1 AND query = 'product' GROUP BY visitor) AS s";
    assert_eq!(searches.scalar(recorded).await, "1,1,2");
}

#[tokio::test]
async fn responses_of_an_array_have_one_limit_of_bytes_wherever_they_come_from() {
    let limits = LimitSettings { max_response: 20_000, ..LimitSettings::default() };
    let app = TestApp::builder().cached().limits(limits).build().await;
    let website = app.website("sailor").await;
    app.product(website.id, ProductSpec::default()).await;
    app.database.sql("UPDATE products SET description = repeat('x', 15000)").await;
    let document = "{ products { nodes { description } } }";
    warm(&app, document).await;
    let body = json!([{ "query": document }, { "query": document }]).to_string();
    let (_, _, body) = app.send(app.anonymous().request().body(body.into()).expect("a request")).await;
    let responses: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert!(responses[0]["errors"].is_null(), "{responses}");
    assert_eq!(responses[1]["errors"][0]["extensions"]["code"], "LIMIT_EXCEEDED", "{responses}");
}

#[tokio::test]
async fn cache_is_bounded() {
    // One response fits.
    let app = TestApp::builder().cache_bytes(20_000).build().await;
    app.website("sailor").await;
    let documents: Vec<String> = (0..30).map(|n| format!("{{ n{n}: websites {{ nodes {{ code }} }} }}")).collect();
    let mut hits = 0;
    // A server that does not learn of changes in time takes nothing from its cache: on a busy machine it is tried again.
    for _ in 0..20 {
        for document in [&documents, &documents].into_iter().flatten() {
            run(&app.anonymous(), document).await;
        }
        for document in &documents {
            hits += i32::from(is_hit(&app, document).await);
        }
        if hits > 0 {
            break;
        }
    }
    assert!((1..=25).contains(&hits), "{hits} of 30");
}

#[tokio::test]
async fn cache_that_is_turned_off_keeps_nothing() {
    let app = TestApp::builder().cache_bytes(0).build().await;
    app.website("sailor").await;
    for _ in 0..3 {
        let response = app.anonymous().run(PRODUCTS).await;
        assert_ne!(response.statements(), 0);
        assert!(response.json["extensions"]["cache"].is_null());
    }
}
