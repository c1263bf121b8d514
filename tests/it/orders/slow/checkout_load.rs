//! Checkout under load, over HTTP: exactly the stock is sold, and concurrency causes no errors.

use std::collections::BTreeMap;

use rand::{
    Rng, SeedableRng,
    rngs::StdRng,
    seq::{IndexedRandom, SliceRandom},
};
use serde_json::json;
use souk::{
    auth::{GuestKey, RequestOrigin, Viewer},
    carts,
    config::OrderSettings,
    db::{Db, DbSettings},
    error::Error,
    ids::{CartId, ProductId, RowId},
};

use crate::support::{
    Actor, Client, ProductSpec, TestApp, TestDb, TestResponse,
    accounts::PASSWORD,
    shopper::{CartItems, Purchase, Shopper},
    stress::{env_number, seed},
};

const CLIENTS: u64 = 64;
const PRODUCTS: usize = 10;
/// Units in stock of each product.
const STOCK: i32 = 50;
/// Checks for deadlocks ten times as early as PostgreSQL does by default.
const EARLY_DEADLOCK_CHECK: &str = "deadlock_timeout = '100ms'";

/// A server with as many connections as in production, and ten products of two websites.
struct TestShop {
    app: TestApp,
    products: Vec<ProductId>,
}

impl TestShop {
    /// Starts the server on a database with this parameter.
    async fn open(setting: Option<&str>) -> Self {
        let mut database = TestDb::new().await;
        if let Some(setting) = setting {
            database.set_parameter(setting).await;
        }
        database.db = Db::connect(&database.url, &DbSettings::default()).await.expect("a database connection");
        let app = TestApp::builder().database(database).build().await;
        let websites = [app.website("sailor").await.id, app.website("lamps").await.id];
        let mut products = Vec::new();
        for index in 0..PRODUCTS {
            let price = ["12.50", "0.99", "7.00"][index % 3];
            let spec = ProductSpec { price: Some(price), stock: STOCK, ..ProductSpec::default() };
            products.push(app.product(websites[index % 2], spec).await.id);
        }
        Self { app, products }
    }

    fn ids(&self) -> Vec<String> {
        self.products.iter().map(|id| id.to_global_id()).collect()
    }

    /// Returns the stock of each product, in order.
    async fn stocks(&self) -> Vec<i32> {
        let mut stocks = Vec::new();
        for product in &self.products {
            stocks.push(self.app.stock(*product).await);
        }
        stocks
    }
}

/// Returns an error for a rejected mutation and panics on a top-level error: other buyers may cause a rejection, never
/// a failure.
#[track_caller]
fn check_outcome(response: &TestResponse, mutation: &str) -> Result<(), String> {
    let outcome = response.outcome(mutation);
    assert!(!outcome.starts_with('!'), "{mutation}: {}", response.text);
    if outcome == "done" { Ok(()) } else { Err(outcome) }
}

/// Returns the indices of the lines that were rejected for insufficient stock, the only reason expected here.
#[track_caller]
fn unavailable_lines(outcome: &str) -> Vec<usize> {
    let line = |rejection: &str| rejection.strip_prefix("OUT_OF_STOCK lines.")?.strip_suffix(".quantity")?.parse().ok();
    let lines = outcome.split(", ").map(|rejection| line(rejection).unwrap_or_else(|| panic!("{outcome}")));
    lines.collect()
}

/// How a buyer reserves a cart before checkout.
#[derive(Clone)]
enum Reservation {
    /// Through GraphQL, for longer than the test takes.
    ThroughApi,
    /// For a moment, so that it is about as likely to have expired as not.
    Brief(Db),
}

/// Buys random quantities until even single units of every product are rejected.
async fn buy_until_sold_out(
    mut shopper: Shopper,
    products: Vec<String>,
    reservation: Reservation,
    seed: u64,
) -> Vec<Purchase> {
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut left, mut sales) = (products, Vec::new());
    for number in 0.. {
        let mut wanted: CartItems = left.choose_multiple(&mut rng, 4).map(|id| (id.clone(), 0)).collect();
        wanted.truncate(rng.random_range(1..=4));
        wanted.shuffle(&mut rng);
        wanted.iter_mut().for_each(|(_, quantity)| *quantity = rng.random_range(1..=3));
        if wanted.is_empty() {
            break;
        }
        let (reserves, abandons) = (rng.random_ratio(1, 3), rng.random_ratio(1, 20));
        // One key for all attempts: a rejected checkout does not use it up.
        let key = format!("{seed}-{number}");
        while !wanted.is_empty() {
            match try_buy(&mut shopper, &wanted, reserves.then_some(&reservation), abandons, &key).await {
                Ok(sale) => {
                    sales.extend(sale);
                    break;
                }
                Err(refused) => {
                    for (id, quantity) in &mut wanted {
                        if refused.contains(id) {
                            *quantity /= 2;
                            left.retain(|other| *quantity > 0 || other != id);
                        }
                    }
                    wanted.retain(|(_, quantity)| *quantity > 0);
                }
            }
        }
    }
    sales
}

/// Returns the purchase, `None` if the buyer abandons it, or the products with insufficient stock.
async fn try_buy(
    shopper: &mut Shopper,
    wanted: &CartItems,
    reservation: Option<&Reservation>,
    abandons: bool,
    key: &str,
) -> Result<Option<Purchase>, Vec<String>> {
    let names =
        |lines: &CartItems, refused: &str| unavailable_lines(refused).iter().map(|n| lines[*n].0.clone()).collect();
    let filled = shopper.fill(wanted).await.unwrap();
    check_outcome(&filled, "cartCreate").map_err(|refused| names(wanted, &refused))?;
    let kept = match reservation {
        None => Ok(()),
        Some(Reservation::ThroughApi) => check_outcome(&shopper.reserve().await.unwrap(), "cartReserve"),
        Some(Reservation::Brief(db)) => reserve_briefly(db, shopper).await,
    };
    let done = match kept {
        Err(refused) => Err(refused),
        Ok(()) if abandons => Ok(None),
        Ok(()) => {
            let response = shopper.checkout(key).await.unwrap();
            check_outcome(&response, "checkout").map(|()| Some(shopper.purchase(&response)))
        }
    };
    if !matches!(done, Ok(Some(_))) {
        check_outcome(&shopper.clear().await.unwrap(), "cartClear").unwrap();
    }
    done.map_err(|refused| names(&shopper.lines, &refused))
}

async fn reserve_briefly(db: &Db, shopper: &Shopper) -> Result<(), String> {
    let guest = shopper.token.as_deref().map(GuestKey::from_token);
    let viewer = Viewer::anonymous().with_guest(guest);
    let cart = CartId::parse("id", &shopper.cart).unwrap();
    let time = chrono::Duration::milliseconds(rand::random_range(0..20));
    let shopper = carts::model::Shopper::new(&viewer, &RequestOrigin::default(), OrderSettings::unlimited());
    match carts::actions::reserve(db, &viewer, &shopper, cart, Some(time)).await {
        Ok(_) => Ok(()),
        Err(Error::User(errors)) => Err(errors
            .iter()
            .map(|error| format!("OUT_OF_STOCK {}", error.field.as_deref().unwrap()))
            .collect::<Vec<_>>()
            .join(", ")),
        Err(error) => panic!("{error}"),
    }
}

/// Lets all buyers buy at once, repeatedly in a longer run; the whole stock is sold, and the sum of all sales equals
/// the stock.
async fn run_buyers(database: Option<&str>) {
    for round in 0..env_number("SOUK_PROOF_ROUNDS", 1) {
        let seed = seed();
        let shop = TestShop::open(database).await;
        let (app, address) = (&shop.app, shop.app.listen().await);
        let mut buyers = tokio::task::JoinSet::new();
        for index in 0..CLIENTS {
            let client = Client::new(address);
            let client = match index % 2 {
                0 => client,
                _ => client.with_header("authorization", format!("Bearer {}", app.customer().await.token().unwrap())),
            };
            buyers.spawn(buy_until_sold_out(Shopper::new(client), shop.ids(), Reservation::ThroughApi, seed + index));
        }
        let mut sales = buyers.join_all().await.concat();
        // Units that were released at the very end are sold to a last buyer.
        let left: i32 = shop.stocks().await.iter().sum();
        let last = Shopper::new(Client::new(address));
        sales.extend(buy_until_sold_out(last, shop.ids(), Reservation::ThroughApi, seed + CLIENTS).await);

        let mut sold = BTreeMap::new();
        for (product, quantity) in sales.iter().flat_map(|sale| &sale.lines) {
            *sold.entry(*product).or_insert(0) += quantity;
        }
        assert_eq!(sold.into_values().collect::<Vec<_>>(), vec![STOCK; PRODUCTS], "units sold");
        assert_eq!(shop.stocks().await, vec![0; PRODUCTS], "units left");
        assert_eq!(app.database.scalar("SELECT count(*) FROM cart_reservations").await, "0");
        app.database.assert_purchases(&sales).await;
        assert_eq!(app.database.deadlock_count().await, "0");
        println!(
            "round {round}: {} checkouts, {left} of {} units left after the concurrent phase",
            sales.len(),
            STOCK * 10
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_clients_buy_exactly_the_stock() {
    run_buyers(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_clients_buy_without_a_deadlock() {
    run_buyers(Some(EARLY_DEADLOCK_CHECK)).await;
}

/// Runs everything else that locks the rows that a checkout locks.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_edits_cancellations_adjustments_and_logins_lose_no_unit() {
    for _ in 0..env_number("SOUK_PROOF_ROUNDS", 1) {
        let seed = seed();
        let shop = TestShop::open(Some(EARLY_DEADLOCK_CHECK)).await;
        let (app, address) = (&shop.app, shop.app.listen().await);
        let bearer = |actor: &Actor<'_>| format!("Bearer {}", actor.token().unwrap());
        let mut work = tokio::task::JoinSet::new();
        for index in 0..24 {
            let (shopper, db) = (Shopper::new(Client::new(address)), app.database.db.clone());
            let buy = buy_until_sold_out(shopper, shop.ids(), Reservation::Brief(db), seed + index);
            work.spawn(async { drop(buy.await) });
        }
        for index in 0..8 {
            let client = Client::new(address).with_header("authorization", bearer(&app.customer().await));
            work.spawn(buy_and_change(Shopper::new(client), shop.ids(), seed + 100 + index));
        }
        for index in 0..2 {
            let client = Client::new(address).with_header("authorization", bearer(&app.manager().await));
            work.spawn(adjust_stock(client, shop.ids(), seed + 200 + index));
        }
        for index in 0..6 {
            let email = format!("ada-{index}@souk.example");
            app.register(&email).await;
            work.spawn(log_in_at_checkout(Client::new(address), email, shop.ids(), seed + 300 + index));
        }
        let db = app.database.db.clone();
        let cleanup = tokio::spawn(async move {
            loop {
                carts::actions::clean_up(&db).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        work.join_all().await;
        cleanup.abort();
        assert!(cleanup.await.unwrap_err().is_cancelled(), "the cleanup never failed");
        app.database.assert_invariants().await;
        app.database.assert_no_partial_orders().await;
        assert_eq!(app.database.deadlock_count().await, "0");
    }
}

/// Buys as a user, then changes and cancels the orders.
async fn buy_and_change(mut shopper: Shopper, products: Vec<String>, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    for number in 0..6 {
        let wanted: CartItems = products.choose_multiple(&mut rng, 3).map(|id| (id.clone(), 1)).collect();
        let key = format!("{seed}-{number}");
        if !matches!(try_buy(&mut shopper, &wanted, None, false, &key).await, Ok(Some(_))) {
            continue;
        }
        // The same key returns the same orders.
        let bought = shopper
            .client
            .mutate("checkout", "orders { id details { id } }", shopper.checkout_input(&key))
            .await
            .unwrap();
        for order in bought.at("checkout.orders").as_array().unwrap() {
            let (id, line) = (&order["id"], &order["details"][0]["id"]);
            let (product, quantity) = (products.choose(&mut rng).unwrap(), rng.random_range(1..=4));
            let changes = [
                ("orderDetailUpdate", json!({ "id": line, "quantity": quantity })),
                ("orderDetailAdd", json!({ "orderId": id, "productId": product, "quantity": quantity })),
                ("orderDetailRemove", json!({ "id": line })),
                ("orderCancel", json!({ "id": id })),
            ];
            let many = rng.random_range(1..=4);
            for (mutation, input) in changes.choose_multiple(&mut rng, many) {
                let response = shopper.client.mutate(mutation, "", input.clone()).await.unwrap();
                // Rejected if the order is canceled, or the product is sold out or of another website.
                let _ = check_outcome(&response, mutation);
            }
        }
    }
}

/// Adjusts the stock up and down as staff.
async fn adjust_stock(mut client: Client, products: Vec<String>, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    for number in 0..40 {
        let delta = [-2, -1, 1, 2].choose(&mut rng);
        let input =
            json!({ "productId": products.choose(&mut rng), "delta": delta, "idempotencyKey": number.to_string() });
        let _ = check_outcome(&client.mutate("stockAdjust", "", input).await.unwrap(), "stockAdjust");
    }
}

/// Repeatedly fills a cart as a guest, reserves it, logs in and buys the merged cart.
async fn log_in_at_checkout(client: Client, email: String, products: Vec<String>, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut shopper = Shopper::new(client);
    for number in 0..6 {
        shopper.client.remove_header("authorization");
        shopper.become_new_guest();
        let wanted: CartItems = products.choose_multiple(&mut rng, 3).map(|id| (id.clone(), 1)).collect();
        if check_outcome(&shopper.fill(&wanted).await.unwrap(), "cartCreate").is_err() {
            continue;
        }
        let _ = check_outcome(&shopper.reserve().await.unwrap(), "cartReserve");
        let input = json!({ "email": email, "password": PASSWORD });
        let response = shopper.client.mutate("login", "accessToken", input).await.unwrap();
        check_outcome(&response, "login").unwrap();
        shopper.client.set_header("authorization", format!("Bearer {}", response.text_at("login.accessToken")));
        // Adds no lines; the response is the merged cart.
        check_outcome(&shopper.fill(&[]).await.unwrap(), "cartCreate").unwrap();
        let bought = check_outcome(&shopper.checkout(&format!("{seed}-{number}")).await.unwrap(), "checkout");
        if bought.is_err() {
            check_outcome(&shopper.clear().await.unwrap(), "cartClear").unwrap();
        }
    }
}
