//! Many buyers and few pieces, over HTTP: what is sold is what there was, and nobody learns how many were in the way.

use std::collections::BTreeMap;

use rand::{
    Rng, SeedableRng,
    rngs::StdRng,
    seq::{IndexedRandom, SliceRandom},
};
use serde_json::json;
use souk::{
    auth::{GuestKey, Viewer},
    carts,
    db::{Db, DbSettings},
    error::Error,
    ids::{CartId, ProductId, RowId},
};

use crate::support::{
    Actor, Answer, Client, ProductSpec, TestApp, TestDb,
    accounts::PASSWORD,
    shopper::{Sale, Shopper, Wanted},
    stress::{seed, setting},
};

const CLIENTS: u64 = 64;
const PRODUCTS: usize = 10;
/// Pieces of each product.
const STOCK: i32 = 50;
/// Looks for deadlocks ten times as early as PostgreSQL does by default.
const EARLY: &str = "deadlock_timeout = '100ms'";

/// A server with as many connections as in production, and ten products at two websites.
struct Market {
    app: TestApp,
    products: Vec<ProductId>,
}

impl Market {
    /// Opens it, over a database with this setting.
    async fn open(setting: Option<&str>) -> Self {
        let mut database = TestDb::new().await;
        if let Some(setting) = setting {
            database.set(setting).await;
        }
        database.db = Db::connect(&database.url, &DbSettings::default()).await.expect("the database answers");
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

    /// Pieces in stock, in the order of the products.
    async fn stocks(&self) -> Vec<i32> {
        let mut stocks = Vec::new();
        for product in &self.products {
            stocks.push(self.app.stock(*product).await);
        }
        stocks
    }
}

/// A refusal is an answer; an error is not, whoever was in the way.
#[track_caller]
fn told(answer: &Answer, mutation: &str) -> Result<(), String> {
    let verdict = answer.verdict(mutation);
    assert!(!verdict.starts_with('!'), "{mutation}: {}", answer.text);
    if verdict == "done" { Ok(()) } else { Err(verdict) }
}

/// Which lines were refused for want of pieces; for another reason none is refused here.
#[track_caller]
fn short(verdict: &str) -> Vec<usize> {
    let line = |refusal: &str| refusal.strip_prefix("OUT_OF_STOCK lines.")?.strip_suffix(".quantity")?.parse().ok();
    let lines = verdict.split(", ").map(|refusal| line(refusal).unwrap_or_else(|| panic!("{verdict}")));
    lines.collect()
}

/// How a buyer has a cart kept before they buy it.
#[derive(Clone)]
enum Keeping {
    /// Through the graph, for longer than all this takes.
    Asked,
    /// For a moment that is over as soon as not.
    Brief(Db),
}

/// Buys at random until every product is refused by the piece.
async fn buy_what_there_is(mut shopper: Shopper, products: Vec<String>, keeping: Keeping, seed: u64) -> Vec<Sale> {
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut left, mut sales) = (products, Vec::new());
    for number in 0.. {
        let mut wanted: Wanted = left.choose_multiple(&mut rng, 4).map(|id| (id.clone(), 0)).collect();
        wanted.truncate(rng.random_range(1..=4));
        wanted.shuffle(&mut rng);
        wanted.iter_mut().for_each(|(_, pieces)| *pieces = rng.random_range(1..=3));
        if wanted.is_empty() {
            break;
        }
        let (keeps, goes) = (rng.random_ratio(1, 3), rng.random_ratio(1, 20));
        // The same key throughout: what was refused has not used it.
        let key = format!("{seed}-{number}");
        while !wanted.is_empty() {
            match try_to_buy(&mut shopper, &wanted, keeps.then_some(&keeping), goes, &key).await {
                Ok(sale) => {
                    sales.extend(sale);
                    break;
                }
                Err(refused) => {
                    for (id, pieces) in &mut wanted {
                        if refused.contains(id) {
                            *pieces /= 2;
                            left.retain(|other| *pieces > 0 || other != id);
                        }
                    }
                    wanted.retain(|(_, pieces)| *pieces > 0);
                }
            }
        }
    }
    sales
}

/// The sale, or none where the buyer changes their mind at the till; else the products that were too few.
async fn try_to_buy(
    shopper: &mut Shopper,
    wanted: &Wanted,
    keeping: Option<&Keeping>,
    goes: bool,
    key: &str,
) -> Result<Option<Sale>, Vec<String>> {
    let names = |lines: &Wanted, refused: &str| short(refused).iter().map(|n| lines[*n].0.clone()).collect();
    let filled = shopper.fill(wanted).await.unwrap();
    told(&filled, "cartCreate").map_err(|refused| names(wanted, &refused))?;
    let kept = match keeping {
        None => Ok(()),
        Some(Keeping::Asked) => told(&shopper.reserve().await.unwrap(), "cartReserve"),
        Some(Keeping::Brief(db)) => keep_briefly(db, shopper).await,
    };
    let done = match kept {
        Err(refused) => Err(refused),
        Ok(()) if goes => Ok(None),
        Ok(()) => {
            let answer = shopper.checkout(key).await.unwrap();
            told(&answer, "checkout").map(|()| Some(shopper.sale(&answer)))
        }
    };
    if !matches!(done, Ok(Some(_))) {
        told(&shopper.clear().await.unwrap(), "cartClear").unwrap();
    }
    done.map_err(|refused| names(&shopper.lines, &refused))
}

async fn keep_briefly(db: &Db, shopper: &Shopper) -> Result<(), String> {
    let guest = shopper.token.as_deref().map(GuestKey::from_token);
    let viewer = Viewer::anonymous().with_guest(guest);
    let cart = CartId::parse("id", &shopper.cart).unwrap();
    let time = chrono::Duration::milliseconds(rand::random_range(0..20));
    match carts::actions::reserve(db, &viewer, cart, Some(time)).await {
        Ok(_) => Ok(()),
        Err(Error::User(errors)) => Err(errors
            .iter()
            .map(|error| format!("OUT_OF_STOCK {}", error.field.as_deref().unwrap()))
            .collect::<Vec<_>>()
            .join(", ")),
        Err(error) => panic!("{error}"),
    }
}

/// The rush, over and over in a longer run; the stock is sold to the last piece, and the sum of all sales is the stock.
async fn rush(database: Option<&str>) {
    for round in 0..setting("SOUK_PROOF_ROUNDS", 1) {
        let seed = seed();
        let market = Market::open(database).await;
        let (app, address) = (&market.app, market.app.listen().await);
        let mut buyers = tokio::task::JoinSet::new();
        for index in 0..CLIENTS {
            let client = Client::of(address);
            let client = match index % 2 {
                0 => client,
                _ => client.sending("authorization", format!("Bearer {}", app.customer().await.token().unwrap())),
            };
            buyers.spawn(buy_what_there_is(Shopper::new(client), market.ids(), Keeping::Asked, seed + index));
        }
        let mut sales = buyers.join_all().await.concat();
        // What somebody gave back at the very end is there for whoever comes then.
        let left: i32 = market.stocks().await.iter().sum();
        let last = Shopper::new(Client::of(address));
        sales.extend(buy_what_there_is(last, market.ids(), Keeping::Asked, seed + CLIENTS).await);

        let mut sold = BTreeMap::new();
        for (product, pieces) in sales.iter().flat_map(|sale| &sale.lines) {
            *sold.entry(*product).or_insert(0) += pieces;
        }
        assert_eq!(sold.into_values().collect::<Vec<_>>(), vec![STOCK; PRODUCTS], "sold to somebody");
        assert_eq!(market.stocks().await, vec![0; PRODUCTS], "left");
        assert_eq!(app.database.ask("SELECT count(*) FROM cart_reservations").await, "0");
        app.database.assert_sold(&sales).await;
        assert_eq!(app.database.deadlocks().await, "0");
        println!("round {round}: {} checkouts, {left} of {} pieces left by the rush", sales.len(), STOCK * 10);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_clients_buy_exactly_the_stock() {
    rush(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn they_do_so_without_a_deadlock_however_early_one_is_looked_for() {
    rush(Some(EARLY)).await;
}

/// Everything else that locks what a checkout locks.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn edits_cancellations_corrections_expiry_and_logins_in_between_lose_no_piece() {
    for _ in 0..setting("SOUK_PROOF_ROUNDS", 1) {
        let seed = seed();
        let market = Market::open(Some(EARLY)).await;
        let (app, address) = (&market.app, market.app.listen().await);
        let bearer = |actor: &Actor<'_>| format!("Bearer {}", actor.token().unwrap());
        let mut work = tokio::task::JoinSet::new();
        for index in 0..24 {
            let (shopper, db) = (Shopper::new(Client::of(address)), app.database.db.clone());
            let buy = buy_what_there_is(shopper, market.ids(), Keeping::Brief(db), seed + index);
            work.spawn(async { drop(buy.await) });
        }
        for index in 0..8 {
            let client = Client::of(address).sending("authorization", bearer(&app.customer().await));
            work.spawn(change_minds(Shopper::new(client), market.ids(), seed + 100 + index));
        }
        for index in 0..2 {
            let client = Client::of(address).sending("authorization", bearer(&app.manager().await));
            work.spawn(correct_stock(client, market.ids(), seed + 200 + index));
        }
        for index in 0..6 {
            let email = format!("ada-{index}@souk.example");
            app.register(&email).await;
            work.spawn(log_in_at_the_till(Client::of(address), email, market.ids(), seed + 300 + index));
        }
        let db = app.database.db.clone();
        let tidy = tokio::spawn(async move {
            loop {
                carts::actions::clean_up(&db).await.unwrap();
                tokio::task::yield_now().await;
            }
        });
        work.join_all().await;
        tidy.abort();
        assert!(tidy.await.unwrap_err().is_cancelled(), "clearing away never failed");
        app.database.assert_books_balance().await;
        app.database.assert_no_order_is_half().await;
        assert_eq!(app.database.deadlocks().await, "0");
    }
}

/// A user who buys a little, and changes and cancels what they bought.
async fn change_minds(mut shopper: Shopper, products: Vec<String>, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    for number in 0..6 {
        let wanted: Wanted = products.choose_multiple(&mut rng, 3).map(|id| (id.clone(), 1)).collect();
        let key = format!("{seed}-{number}");
        if !matches!(try_to_buy(&mut shopper, &wanted, None, false, &key).await, Ok(Some(_))) {
            continue;
        }
        // The same key: the same orders.
        let bought =
            shopper.client.mutate("checkout", "orders { id details { id } }", shopper.order(&key)).await.unwrap();
        for order in bought.at("checkout.orders").as_array().unwrap() {
            let (id, line) = (&order["id"], &order["details"][0]["id"]);
            let (product, pieces) = (products.choose(&mut rng).unwrap(), rng.random_range(1..=4));
            let changes = [
                ("orderDetailUpdate", json!({ "id": line, "quantity": pieces })),
                ("orderDetailAdd", json!({ "orderId": id, "productId": product, "quantity": pieces })),
                ("orderDetailRemove", json!({ "id": line })),
                ("orderCancel", json!({ "id": id })),
            ];
            let many = rng.random_range(1..=4);
            for (mutation, input) in changes.choose_multiple(&mut rng, many) {
                let answer = shopper.client.mutate(mutation, "", input.clone()).await.unwrap();
                // Refused where it is cancelled, sold out or of another website by now.
                let _ = told(&answer, mutation);
            }
        }
    }
}

/// Staff who find pieces and lose some.
async fn correct_stock(mut client: Client, products: Vec<String>, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    for number in 0..40 {
        let delta = [-2, -1, 1, 2].choose(&mut rng);
        let input =
            json!({ "productId": products.choose(&mut rng), "delta": delta, "idempotencyKey": number.to_string() });
        let _ = told(&client.mutate("stockAdjust", "", input).await.unwrap(), "stockAdjust");
    }
}

/// A guest who fills a cart, has it kept, logs in and buys what is in the user's then: again and again.
async fn log_in_at_the_till(client: Client, email: String, products: Vec<String>, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut shopper = Shopper::new(client);
    for number in 0..6 {
        shopper.client.send_never("authorization");
        shopper.leave();
        let wanted: Wanted = products.choose_multiple(&mut rng, 3).map(|id| (id.clone(), 1)).collect();
        if told(&shopper.fill(&wanted).await.unwrap(), "cartCreate").is_err() {
            continue;
        }
        let _ = told(&shopper.reserve().await.unwrap(), "cartReserve");
        let input = json!({ "email": email, "password": PASSWORD });
        let answer = shopper.client.mutate("login", "accessToken", input).await.unwrap();
        told(&answer, "login").unwrap();
        shopper.client.send_always("authorization", format!("Bearer {}", answer.text_at("login.accessToken")));
        // What is in it, without another line.
        told(&shopper.fill(&[]).await.unwrap(), "cartCreate").unwrap();
        let bought = told(&shopper.checkout(&format!("{seed}-{number}")).await.unwrap(), "checkout");
        if bought.is_err() {
            told(&shopper.clear().await.unwrap(), "cartClear").unwrap();
        }
    }
}
