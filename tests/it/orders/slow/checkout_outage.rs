//! PostgreSQL killed at random moments during checkouts: every acknowledged order exists, no order is incomplete, and
//! the server recovers by itself.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use souk::ids::{ProductId, RowId};
use tokio::sync::watch;

use crate::support::{
    Client, SECRET, TestDb, TestResponse,
    process::{DataDir, ServerProcess},
    query_scalar,
    shopper::{CartItems, Purchase, Shopper},
    stress::{env_number, seed},
};

const CLIENTS: u64 = 6;
const PRODUCTS: i64 = 10;
const STOCK: i64 = 1_000_000;
/// Maximum time from the return of the database to the next successful checkout.
const RECOVERY_LIMIT: Duration = Duration::from_secs(5);
const SERVER_START_TIME: &str = "SELECT pg_postmaster_start_time()::text";

/// State shared by the buyers and the task that kills PostgreSQL.
#[derive(Default)]
struct Shop {
    sales: Mutex<Vec<Purchase>>,
    /// Number of purchases.
    sold: watch::Sender<usize>,
    closed: AtomicBool,
    /// Operations that failed, and checkouts that were committed although their response was lost.
    failed: AtomicU64,
    unanswered: AtomicU64,
}

impl Shop {
    /// Waits until this many more purchases are made.
    async fn wait_for_sales(&self, more: usize) {
        let mut sold = self.sold.subscribe();
        let wanted = *sold.borrow_and_update() + more;
        let done = tokio::time::timeout(Duration::from_secs(60), sold.wait_for(|sold| *sold >= wanted)).await;
        done.expect("a purchase in time").expect("the shop is open");
    }

    /// Returns the response, or `None` if the operation has to be retried; an outage may cause no other error.
    async fn successful_response(&self, response: std::io::Result<TestResponse>) -> Option<TestResponse> {
        let response = response.expect("the server process never stops");
        if response.json["errors"].is_null() {
            return Some(response);
        }
        assert_eq!(response.code(), "UNAVAILABLE", "{}", response.text);
        self.failed.fetch_add(1, Relaxed);
        tokio::time::sleep(Duration::from_millis(10)).await;
        None
    }
}

/// Buys one cart after another, each as a new guest, and retries until each is bought.
async fn buy(shop: Arc<Shop>, mut shopper: Shopper, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let products: Vec<String> = (1..=PRODUCTS).map(|id| ProductId(id).to_global_id()).collect();
    for number in 0.. {
        shopper.become_new_guest();
        let wanted: CartItems = products.choose_multiple(&mut rng, 3).map(|id| (id.clone(), 2)).collect();
        while shop.successful_response(shopper.fill(&wanted).await).await.is_none() {}
        let key = format!("{seed}-{number}");
        let (response, sent_at) = loop {
            let sent_at = chrono::Utc::now();
            if let Some(response) = shop.successful_response(shopper.checkout(&key).await).await {
                break (response, sent_at);
            }
        };
        assert_eq!(response.outcome("checkout"), "done", "{}", response.text);
        let sale = shopper.purchase(&response);
        if chrono::DateTime::parse_from_rfc3339(&sale.placed_at).expect("a time") < sent_at {
            shop.unanswered.fetch_add(1, Relaxed);
        }
        shop.sales.lock().expect("no panic").push(sale);
        shop.sold.send_modify(|sold| *sold += 1);
        if shop.closed.load(Relaxed) {
            break;
        }
    }
}

/// Kills the PostgreSQL process named in the pid file and waits for the new one; returns the time of its return.
async fn kill_postgres(cluster: &Path, url: &str) -> Instant {
    let before = query_scalar(url, SERVER_START_TIME).await.expect("a PostgreSQL connection");
    let file = fs::read_to_string(cluster.join("postmaster.pid")).expect("a pid file");
    let pid = file.lines().next().expect("a pid");
    assert!(Command::new("kill").args(["-9", pid]).status().expect("kill runs").success());
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if query_scalar(url, SERVER_START_TIME).await.is_ok_and(|begun| begun != before) {
            return Instant::now();
        }
        assert!(Instant::now() < deadline, "PostgreSQL did not restart in time");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killing_postgres_during_checkouts_loses_no_order() {
    let (kills, seed) = (env_number("SOUK_PROOF_KILLS", 10), seed());
    let mut rng = StdRng::seed_from_u64(seed);
    let dir = DataDir::new();
    let mut command = dir.command(&["serve", "--listen", "127.0.0.1:0"]);
    // Without a mail server, emails stay in the queue and can be counted.
    command.env("SOUK_ENV", "production").env("SOUK_JWT_SECRET", SECRET).env("SOUK_LOG", "error");
    let server = tokio::task::spawn_blocking(|| ServerProcess::start(command)).await.expect("the server starts");
    let (url, cluster) = (dir.stdout_of(&["db", "url"]).trim().to_owned(), dir.0.join("postgres"));
    query_scalar(&url, &format!(
        "INSERT INTO websites (id, code, name, base_url, currency)
            SELECT i, 'site-' || i, 'Site ' || i, 'https://site.example', 'EUR' FROM generate_series(1, 2) i;
        INSERT INTO products (id, source_website_id, name, slug, sku, price)
            SELECT i, 1 + i % 2, 'Lantern ' || i, 'lantern-' || i, 'L-' || i, i + 0.99 FROM generate_series(1, {PRODUCTS}) i;
        INSERT INTO stock_movements (product_id, reason, delta)
            SELECT i, 'opening', {STOCK} FROM generate_series(1, {PRODUCTS}) i"
    )).await.expect("products");

    let shop = Arc::new(Shop::default());
    let mut buyers = tokio::task::JoinSet::new();
    for index in 0..CLIENTS {
        buyers.spawn(buy(Arc::clone(&shop), Shopper::new(Client::new(server.address)), seed + index));
    }
    let mut longest = Duration::ZERO;
    for round in 0..kills {
        shop.wait_for_sales(rng.random_range(1..10)).await;
        tokio::time::sleep(Duration::from_micros(rng.random_range(0..30_000))).await;
        let back = kill_postgres(&cluster, &url).await;
        shop.wait_for_sales(1).await;
        longest = longest.max(back.elapsed());
        assert!(
            back.elapsed() <= RECOVERY_LIMIT,
            "round {round}: the first checkout came {:?} after the return",
            back.elapsed()
        );
    }
    shop.closed.store(true, Relaxed);
    buyers.join_all().await;
    // The server process was never restarted.
    assert_eq!(server.get("/readyz").0, 200);

    let sales = std::mem::take(&mut *shop.sales.lock().expect("no panic"));
    let database = TestDb::open(&url).await;
    let orders: usize = sales.iter().map(|sale| sale.receipts.len()).sum();
    println!("{kills} kills: {} checkouts acknowledged, {orders} orders", sales.len());
    println!(
        "{} operations failed meanwhile; the response of {} committed checkouts was lost",
        shop.failed.load(Relaxed),
        shop.unanswered.load(Relaxed)
    );
    println!("longest time from the return of PostgreSQL to the next checkout: {longest:?}");
    database.assert_purchases(&sales).await;
    println!("lost: 0, incomplete: 0, duplicated: 0");
    assert_ne!(shop.failed.load(Relaxed), 0, "at least one operation failed");
    let sold: i32 = sales.iter().flat_map(|sale| &sale.lines).map(|(_, units)| units).sum();
    let stock = database.scalar("SELECT sum(stock) FROM products").await;
    assert_eq!(stock, (STOCK * PRODUCTS - i64::from(sold)).to_string());
    server.stop();
}
