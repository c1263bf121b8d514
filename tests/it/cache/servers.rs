//! Several servers that share their caches by Redis, and what happens when Redis fails.

use axum::{body::Body, http::Request};
use futures_util::StreamExt;
use serde_json::json;
use souk::{config::HttpSettings, ids::RowId};

use super::run;
use crate::support::{ProductSpec, RedisServer, TestApp, TestDb, TestResponse, psql::Psql};

/// Returns two servers with one database, the ID of a product, and a query of it.
async fn servers(redis: &RedisServer) -> (TestApp, TestApp, String, String) {
    // The positions that servers store when they start are after the changes that made the shop.
    let shop = TestApp::new().await;
    let website = shop.website("sailor").await;
    let spec = ProductSpec { sku: Some("MUG".to_owned()), name: Some("Blue mug".to_owned()), ..ProductSpec::default() };
    let id = shop.product(website.id, spec).await.id.to_global_id();
    let one = TestApp::builder().cached().redis(redis).database(shop.database).build().await;
    let two = server(redis, &one.database).await;
    let query = format!("{{ product(id: \"{id}\") {{ name price {{ amount }} }} }}");
    (one, two, id, query)
}

async fn server(redis: &RedisServer, database: &TestDb) -> TestApp {
    TestApp::builder().cached().redis(redis).database(database.second_handle().await).build().await
}

fn is_hit(response: &TestResponse) -> bool {
    response.json["extensions"]["cache"]["hit"] == true
}

/// Changes fields of a product by a mutation on a server.
async fn update(app: &TestApp, id: &str, fields: &str) {
    let update =
        format!("mutation {{ productUpdate(input: {{id: \"{id}\", {fields}}}) {{ userErrors {{ message }} }} }}");
    assert_eq!(app.admin().await.run(&update).await.user_errors("productUpdate"), []);
}

/// Runs a query on a server, and waits until its response is in Redis, as the only one.
async fn store(redis: &RedisServer, app: &TestApp, query: &str) -> TestResponse {
    let keys: Vec<String> = redis.run(redis::cmd("KEYS").arg("souk:response:*")).await;
    for key in keys {
        let _: i64 = redis.run(redis::cmd("DEL").arg(key)).await;
    }
    let response = run(&app.anonymous(), query).await;
    redis.wait_for_keys("souk:response:*").await;
    response
}

#[tokio::test]
async fn what_one_server_loaded_the_others_take_from_redis() {
    let redis = RedisServer::start();
    let (one, two, _, query) = servers(&redis).await;
    // The servers see the documents in different orders.
    run(&two.anonymous(), "{ websites { nodes { code } } }").await;
    let loaded = store(&redis, &one, &query).await;
    assert!(!is_hit(&loaded));
    let shared = run(&two.anonymous(), &query).await;
    assert!(is_hit(&shared), "{}", shared.json);
    assert_eq!(shared.json["data"], loaded.json["data"]);
    assert_eq!(shared.json["extensions"]["cache"]["tags"], loaded.json["extensions"]["cache"]["tags"]);
    assert_eq!(shared.json["extensions"]["sql"]["statements"], 0);
    // From now on it is in memory, and the first server has its own.
    let _: () = redis.run(&redis::cmd("FLUSHALL")).await;
    assert!(is_hit(&run(&two.anonymous(), &query).await));
    assert!(is_hit(&run(&one.anonymous(), &query).await));
    // Those who are logged in get their own responses.
    let customer = two.customer().await;
    assert!(!is_hit(&run(&customer, &query).await));
}

#[tokio::test]
async fn response_in_redis_is_not_used_after_a_change() {
    let redis = RedisServer::start();
    let (one, two, id, query) = servers(&redis).await;
    store(&redis, &one, &query).await;
    one.database.sql("UPDATE products SET name = 'Red mug' WHERE sku = 'MUG'").await;
    let response = run(&two.anonymous(), &query).await;
    assert_eq!((is_hit(&response), response.at("product.name")), (false, &json!("Red mug")));
    // A change of something else does not matter.
    store(&redis, &one, &query).await;
    one.database.sql("INSERT INTO brands (name, slug) VALUES ('New', 'new')").await;
    assert!(is_hit(&run(&two.anonymous(), &query).await));
    // A writer sees its own change at once, although the other server had stored the response.
    store(&redis, &two, &query.replace("name", "name sku")).await;
    update(&one, &id, "name: \"Green mug\"").await;
    let response = one.anonymous().run(&query.replace("name", "name sku")).await;
    assert_eq!(response.at("product.name"), "Green mug");
}

#[tokio::test]
async fn response_that_was_loaded_before_an_open_transaction_commits_is_not_used_after_it() {
    let redis = RedisServer::start();
    let (one, two, _, query) = servers(&redis).await;
    let psql = Psql::connect(&one.database.url).await;
    psql.rows("BEGIN; UPDATE products SET name = 'Late mug' WHERE sku = 'MUG'").await;
    store(&redis, &one, &query).await;
    assert!(is_hit(&run(&two.anonymous(), &query).await));
    // Another transaction, which began later, has ended before.
    one.database.sql("INSERT INTO brands (name, slug) VALUES ('New', 'new')").await;
    let third = server(&redis, &one.database).await;
    assert!(is_hit(&run(&third.anonymous(), &query).await));
    psql.rows("COMMIT").await;
    for app in [&one, &two, &third, &server(&redis, &one.database).await] {
        assert_eq!(run(&app.anonymous(), &query).await.at("product.name"), "Late mug");
    }
}

#[tokio::test]
async fn server_that_starts_uses_what_was_stored_before_unless_it_changed() {
    let redis = RedisServer::start();
    let (one, _two, _, query) = servers(&redis).await;
    // The first server has written a position when it started.
    redis.wait_for_keys("souk:position:*").await;
    let other = query.replace("name", "name sku");
    run(&one.anonymous(), &query).await;
    run(&one.anonymous(), &other).await;
    while redis.wait_for_keys("souk:response:*").await.len() < 2 {
        tokio::task::yield_now().await;
    }
    let late = server(&redis, &one.database).await;
    assert!(is_hit(&run(&late.anonymous(), &query).await));
    one.database.sql("UPDATE products SET name = 'Red mug' WHERE sku = 'MUG'").await;
    let later = server(&redis, &one.database).await;
    assert_eq!(run(&later.anonymous(), &other).await.at("product.name"), "Red mug");
    // After a cleanup, a server does not know all changes since the position.
    store(&redis, &one, &query).await;
    for _ in 0..2 {
        souk::access::actions::cleanup::delete_expired(&one.database.db).await.expect("a cleanup");
    }
    let last = server(&redis, &one.database).await;
    assert!(!is_hit(&run(&last.anonymous(), &query).await));
}

#[tokio::test]
async fn search_from_redis_is_recorded_for_its_own_visitor() {
    let redis = RedisServer::start();
    let (one, two, ..) = servers(&redis).await;
    let query = "{ search(query: \"mug\") { nodes { ... on Product { name } } } }";
    store(&redis, &one, query).await;
    let visitor = two.anonymous().with_visitor("A3F0C5E8-9B4D-4E2A-8C71-5D6E7F809102");
    assert!(is_hit(&run(&visitor, query).await));
    for app in [&one, &two] {
        app.services.search_recorder.flush().await;
    }
    let count = "SELECT count(*) || ' ' || count(visitor) FROM searches WHERE query = 'mug'";
    assert_eq!(one.database.scalar(count).await, "2 1");
}

#[tokio::test]
async fn unreadable_values_are_ignored() {
    let redis = RedisServer::start();
    let (one, _two, _, query) = servers(&redis).await;
    store(&redis, &one, &query).await;
    let key = redis.wait_for_keys("souk:response:*").await.remove(0);
    let stored: String = redis.run(redis::cmd("GET").arg(&key)).await;
    let (head, body) = stored.split_once('\n').expect("a head");
    for value in
        ["", "\n", "{}\n{}", "x", head, &format!("{head}\n"), &format!("{head}\n{{}}"), &format!("x{head}\n{body}")]
    {
        let _: () = redis.run(redis::cmd("SET").arg(&key).arg(value)).await;
        let two = server(&redis, &one.database).await;
        let response = run(&two.anonymous(), &query).await;
        assert_eq!((response.at("product.name"), is_hit(&response)), (&json!("Blue mug"), false), "{value}");
    }
    let _: () = redis.run(redis::cmd("SET").arg(&key).arg(&stored)).await;
    assert!(is_hit(&run(&server(&redis, &one.database).await.anonymous(), &query).await));
}

#[tokio::test]
async fn changes_are_announced_to_other_servers() {
    let redis = RedisServer::start();
    let (one, _two, id, _) = servers(&redis).await;
    let mut channel = redis.subscribe("souk:changes:0").await;
    update(&one, &id, "price: \"7\"").await;
    channel.on_message().next().await.expect("a message");
}

/// Runs queries and mutations that must work whatever Redis does.
async fn use_shop(one: &TestApp, two: &TestApp, id: &str, price: u32) {
    let query = format!("{{ product(id: \"{id}\") {{ price {{ amount }} }} }}");
    update(one, id, &format!("price: \"{price}\"")).await;
    for app in [one, two] {
        let response = run(&app.anonymous(), &query).await;
        assert_eq!(*response.at("product.price.amount"), format!("{price}.00"), "{}", response.json);
    }
}

/// Waits until `/readyz` says this; the status is always 200.
async fn wait_until_ready(app: &TestApp, expected: &str) {
    let started = std::time::Instant::now();
    loop {
        let request = Request::get("/readyz").header("host", "souk.example").body(Body::empty()).expect("a request");
        let (status, _, body) = app.send(request).await;
        let body = String::from_utf8(body).expect("UTF-8");
        assert_eq!(status, 200, "{body}");
        if body.starts_with(expected) {
            return;
        }
        assert!(started.elapsed().as_secs() < 60, "{body}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn shop_works_while_redis_is_gone_frozen_or_full() {
    let mut redis = RedisServer::start();
    let (one, two, id, query) = servers(&redis).await;
    wait_until_ready(&one, "ok").await;
    redis.stop();
    use_shop(&one, &two, &id, 11).await;
    wait_until_ready(&one, "degraded: Redis is not available").await;
    use_shop(&one, &two, &id, 12).await;

    redis.restart();
    wait_until_ready(&one, "ok").await;
    wait_until_ready(&two, "ok").await;
    store(&redis, &one, &query).await;
    assert!(is_hit(&run(&two.anonymous(), &query).await));

    redis.freeze();
    use_shop(&one, &two, &id, 13).await;
    wait_until_ready(&one, "degraded: Redis is not available").await;
    use_shop(&one, &two, &id, 14).await;
    redis.thaw();
    wait_until_ready(&one, "ok").await;
    wait_until_ready(&two, "ok").await;

    let _: () = redis.run(redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(1)).await;
    use_shop(&one, &two, &id, 15).await;
    wait_until_ready(&one, "degraded: Redis rejects writes").await;
    use_shop(&one, &two, &id, 16).await;
    let _: () = redis.run(redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(0)).await;
    wait_until_ready(&one, "ok").await;
}

#[tokio::test]
async fn server_starts_without_redis_and_uses_it_as_soon_as_it_is_there() {
    let mut redis = RedisServer::start();
    redis.stop();
    let (one, two, id, query) = servers(&redis).await;
    wait_until_ready(&one, "degraded: Redis is not available").await;
    use_shop(&one, &two, &id, 11).await;
    redis.restart();
    wait_until_ready(&one, "ok").await;
    wait_until_ready(&two, "ok").await;
    store(&redis, &one, &query).await;
    assert!(is_hit(&run(&two.anonymous(), &query).await));
}

#[tokio::test]
async fn redis_that_rejected_the_password_is_used_when_it_accepts_it() {
    let redis = RedisServer::start();
    let password = |password: &str| redis::cmd("CONFIG").arg("SET").arg("requirepass").arg(password).clone();
    let _: () = redis.run(&password("secret")).await;
    let database = TestDb::new().await;
    let url = format!("{}?pass=later", redis.url());
    let app = TestApp::builder().cached().redis_url(url).database(database).build().await;
    wait_until_ready(&app, "degraded: Redis is not available").await;
    let _: () = redis.run_as("secret", &password("later")).await;
    wait_until_ready(&app, "ok").await;
}

#[tokio::test]
async fn rate_limits_hold_for_all_servers_together() {
    let redis = RedisServer::start();
    let build = async |database: TestDb| {
        let limited = |http: &mut HttpSettings| http.rates.anonymous = "1000:1".parse().expect("a quota");
        TestApp::builder().database(database).redis(&redis).http(limited).build().await
    };
    let one = build(TestDb::new().await).await;
    let two = build(one.database.second_handle().await).await;
    let left = async |app: &TestApp, document: &str| {
        let response = app.anonymous().at_address("203.0.113.7").run(document).await;
        response.json["extensions"]["cost"]["remaining"].as_f64().expect("points")
    };
    let (cheap, expensive) = ("{ websites { nodes { code } } }", "{ search(query: \"mug\") { totalCount { value } } }");
    assert!(left(&two, cheap).await > 990.0);
    let mut spent = left(&one, cheap).await;
    while spent > 980.0 {
        spent = left(&one, expensive).await;
    }
    // Each point is restored in a second.
    while left(&two, cheap).await > spent + 5.0 {
        tokio::task::yield_now().await;
    }
}
