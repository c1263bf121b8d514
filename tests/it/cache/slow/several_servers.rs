//! Two servers with caches, and a writer that uses neither. Each write of a product has a higher number than those before.
//! A server never returns less than what it has confirmed, and no server returns less than what was committed a second
//! before the request, whoever wrote it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use souk::ids::{ProductId, RowId};

use crate::support::{
    Actor, ProductSpec, RedisServer, TestApp,
    psql::Psql,
    stress::{env_number, seed},
};

const PRODUCTS: usize = 12;
/// The age that a response may have on a server that did not write.
const MAX_AGE: Duration = Duration::from_secs(1);

/// The numbers that were written to one product, each with the time when it was confirmed. They only rise.
#[derive(Default)]
struct Written(Mutex<Vec<(u32, Instant)>>);

impl Written {
    fn confirm(&self, number: u32) {
        self.0.lock().expect("no panic").push((number, Instant::now()));
    }

    /// Returns the highest number that was confirmed before a moment.
    fn before(&self, moment: Instant) -> u32 {
        let confirmed = self.0.lock().expect("no panic");
        confirmed.iter().filter(|(_, at)| *at <= moment).map(|(number, _)| *number).max().unwrap_or_default()
    }
}

/// A product: its writers take turns, so that its numbers rise in the order of the commits.
struct Product {
    id: ProductId,
    next: tokio::sync::Mutex<u32>,
    by_anyone: Written,
    /// By each of the servers.
    by_server: [Written; 2],
}

impl Product {
    /// The queries that show the number, each a different way to the product.
    fn query(&self, way: u32) -> (String, &'static str) {
        let id = self.id.to_global_id();
        match way {
            0 => (format!("{{ product(id: \"{id}\") {{ sku price {{ amount }} }} }}"), "/product"),
            1 => (format!("{{ node(id: \"{id}\") {{ ... on Product {{ price {{ amount }} }} }} }}"), "/node"),
            2 => (
                format!("{{ products(where: {{id: {{eq: \"{id}\"}}}}) {{ nodes {{ price {{ amount }} }} }} }}"),
                "/products/nodes/0",
            ),
            _ => (
                format!(
                    "{{ search(query: \"p{}\") {{ nodes {{ ... on Product {{ price {{ amount }} }} }} }} }}",
                    self.id.0
                ),
                "/search/nodes/0",
            ),
        }
    }

    async fn read(&self, client: &Actor<'_>, way: u32) -> u32 {
        let (document, place) = self.query(way);
        let response = client.run(&document).await;
        let data = &response.json["data"];
        let amount = data.pointer(&format!("{place}/price/amount")).and_then(serde_json::Value::as_str);
        let amount = amount.unwrap_or_else(|| panic!("{document}: {}", response.json));
        amount.trim_end_matches('0').trim_end_matches('.').parse().expect("a whole number")
    }
}

fn update(id: ProductId, number: u32) -> String {
    format!(
        "mutation {{ productUpdate(input: {{id: \"{}\", price: \"{number}\"}}) {{ userErrors {{ code message }} }} }}",
        id.to_global_id()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn no_response_is_older_than_it_may_be() {
    let one = TestApp::builder().cached().build().await;
    let two = TestApp::builder().cached().database(one.database.second_handle().await).build().await;
    write_and_read(one, two).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_response_of_servers_with_redis_is_older_than_it_may_be() {
    let redis = RedisServer::start();
    // The small cache forgets responses, so that many come from Redis.
    let build = || TestApp::builder().cache_bytes(32 * 1024).redis(&redis);
    let one = build().build().await;
    let two = build().database(one.database.second_handle().await).build().await;
    write_and_read(one, two).await;
}

async fn write_and_read(one: TestApp, two: TestApp) {
    let operations = env_number("SOUK_CACHE_OPERATIONS", 3_000);
    let servers = [&one, &two];
    let website = one.website("sailor").await;
    let mut products = Vec::new();
    for n in 0..PRODUCTS {
        let spec = ProductSpec { name: Some(format!("p{}", n + 1)), price: Some("1"), ..ProductSpec::default() };
        let id = one.product(website.id, spec).await.id;
        one.database.sql(&format!("UPDATE products SET name = 'p{0}' WHERE id = {0}", id.0)).await;
        products.push(Product {
            id,
            next: tokio::sync::Mutex::new(2),
            by_anyone: Written::default(),
            by_server: <[Written; 2]>::default(),
        });
    }
    let products = Arc::new(products);
    let is_done = AtomicBool::new(false);
    let hits = std::sync::atomic::AtomicU64::new(0);
    let seed = seed();

    let through_a_server = async |server: usize, mut random: StdRng| {
        let admin = servers[server].admin().await;
        while !is_done.load(Relaxed) {
            let product = &products[random.random_range(0..PRODUCTS)];
            let mut next = product.next.lock().await;
            let errors = admin.run(&update(product.id, *next)).await.user_errors("productUpdate");
            assert_eq!(errors, []);
            product.by_server[server].confirm(*next);
            product.by_anyone.confirm(*next);
            *next += 1;
            drop(next);
            tokio::time::sleep(Duration::from_millis(random.random_range(1..20))).await;
        }
    };
    let around_the_servers = async |mut random: StdRng| {
        let psql = Psql::connect(&one.database.url).await;
        while !is_done.load(Relaxed) {
            let product = &products[random.random_range(0..PRODUCTS)];
            let mut next = product.next.lock().await;
            // Some transactions take their time, so that later ones commit before them.
            psql.rows("BEGIN").await;
            psql.rows(&format!("UPDATE products SET price = {next} WHERE id = {}", product.id.0)).await;
            tokio::time::sleep(Duration::from_millis(random.random_range(0..30))).await;
            psql.rows("COMMIT").await;
            product.by_anyone.confirm(*next);
            *next += 1;
        }
    };
    let reader = async |server: usize, mut random: StdRng| {
        let client = servers[server].anonymous();
        for _ in 0..operations / 4 {
            let product = &products[random.random_range(0..PRODUCTS)];
            let started = Instant::now();
            let (own, any) = (
                product.by_server[server].before(started),
                started.checked_sub(MAX_AGE).map_or(0, |moment| product.by_anyone.before(moment)),
            );
            let way = random.random_range(0..4);
            let found = product.read(&client, way).await;
            assert!(found >= own, "server {server} confirmed {own} and returned {found} (way {way}, seed {seed})");
            assert!(
                found >= any,
                "{any} was committed a second ago, server {server} returned {found} (way {way}, seed {seed})"
            );
            let again = client.run(&product.query(0).0).await;
            hits.fetch_add(u64::from(again.json["extensions"]["cache"]["hit"] == true), Relaxed);
        }
    };
    let random = |n: u64| StdRng::seed_from_u64(seed.wrapping_add(n));
    let readers = async {
        tokio::join!(reader(0, random(1)), reader(0, random(2)), reader(1, random(3)), reader(1, random(4)));
        is_done.store(true, Relaxed);
    };
    tokio::join!(
        readers,
        through_a_server(0, random(5)),
        through_a_server(1, random(6)),
        around_the_servers(random(7)),
    );
    assert!(hits.load(Relaxed) > 0, "the cache was never used");
}
