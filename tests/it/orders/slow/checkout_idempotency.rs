//! Idempotency keys of checkouts: repeated requests, several buyers, and failures between the commit and its response.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk::ids::{ProductId, RowId};

use crate::support::{
    Client, CommitFault, CommitProxy, ProductSpec, SECRET, TestApp, TestDb, TestResponse,
    process::{DataDir, ServerProcess},
    shopper::Shopper,
    stress::env_number,
};

const STOCK: i32 = 1000;

/// Creates a product at each of two websites.
async fn two_products(app: &TestApp) -> [ProductId; 2] {
    let mut products = Vec::new();
    for code in ["sailor", "lamps"] {
        let website = app.website(code).await.id;
        products.push(app.product(website, ProductSpec { stock: STOCK, ..ProductSpec::default() }).await.id);
    }
    products.try_into().expect("two products")
}

async fn stocks(app: &TestApp, products: [ProductId; 2]) -> [i32; 2] {
    [app.stock(products[0]).await, app.stock(products[1]).await]
}

/// Returns a guest with two units of each product in the cart.
async fn guest_with_cart(client: Client, products: [ProductId; 2]) -> Shopper {
    let mut shopper = Shopper::new(client);
    let filled = shopper.fill(&products.map(|id| (id.to_global_id(), 2))).await.expect("a response");
    assert_eq!(filled.outcome("cartCreate"), "done");
    shopper
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_concurrent_requests_with_one_key_buy_once() {
    let app = TestApp::new().await;
    let products = two_products(&app).await;
    let address = app.listen().await;
    for round in 0..env_number("SOUK_PROOF_ROUNDS", 2) {
        let left = STOCK - 4 * i32::try_from(round).unwrap();
        let ada = guest_with_cart(Client::new(address), products).await;
        let bob = Client::new(address);
        let customer = app.customer().await;
        let bob = guest_with_cart(
            bob.with_header("authorization", format!("Bearer {}", customer.token().unwrap())),
            products,
        )
        .await;
        let key = format!("round {round}");
        let all: Vec<TestResponse> = join_all((0..100).map(|index| {
            let (buyer, input) =
                if index % 2 == 0 { (&ada, ada.checkout_input(&key)) } else { (&bob, bob.checkout_input(&key)) };
            let mut client = buyer.client.with_new_connection();
            async move { client.mutate("checkout", ORDERS, input).await.expect("a response") }
        }))
        .await;
        let (adas, bobs): (Vec<_>, Vec<_>) = all.iter().enumerate().partition(|(index, _)| index % 2 == 0);
        for responses in [&adas, &bobs] {
            assert_eq!(responses.len(), 50);
            for (_, response) in responses {
                assert_eq!(response.outcome("checkout"), "done", "{}", response.text);
                assert_eq!(response.data(), responses[0].1.data());
            }
        }
        // The same key of two buyers: two different keys.
        assert_ne!(adas[0].1.data(), bobs[0].1.data());
        assert_eq!(stocks(&app, products).await, [left - 4; 2]);
        assert_eq!(app.database.scalar("SELECT count(*) FROM orders").await, (4 * (round + 1)).to_string());
    }
    app.database.assert_no_partial_orders().await;
    app.database.assert_invariants().await;
}

const ORDERS: &str = "orders { id orderNumber status createdAt updatedAt totalAmount { amount currency } customerNote
    contact { name email phone } shippingAddress { countryCode city address postalCode } sourceWebsite { code }
    details { id name sku quantity unitPrice { amount } totalPrice { amount } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_different_requests_with_one_key_accept_one() {
    let app = TestApp::new().await;
    let products = two_products(&app).await;
    let address = app.listen().await;
    let ada = guest_with_cart(Client::new(address), products).await;
    let responses = join_all((0..50).map(|index| {
        let mut input = ada.checkout_input("key");
        input["note"] = [json!(null), json!("Ring twice.")][index % 2].clone();
        let mut client = ada.client.with_new_connection();
        async move { client.mutate("checkout", ORDERS, input).await.expect("a response") }
    }))
    .await;
    let mut outcomes = [responses[0].outcome("checkout"), responses[1].outcome("checkout")];
    for (index, response) in responses.iter().enumerate() {
        assert_eq!(response.outcome("checkout"), outcomes[index % 2]);
        assert_eq!(response.data(), responses[index % 2].data());
    }
    outcomes.sort();
    assert_eq!(outcomes, ["IDEMPOTENCY_MISMATCH idempotencyKey", "done"]);
    assert_eq!(stocks(&app, products).await, [STOCK - 2; 2]);
}

#[tokio::test]
async fn keys_of_other_buyers_have_no_effect() {
    let app = TestApp::new().await;
    let products = two_products(&app).await;
    let address = app.listen().await;
    let mut ada = guest_with_cart(Client::new(address), products).await;
    let first = ada.checkout("key").await.expect("a response");
    assert_eq!(first.outcome("checkout"), "done");
    let token = format!("Bearer {}", app.customer().await.token().unwrap());
    // Other buyers repeat Ada's request: they see nothing and change nothing.
    let mut others = [
        Client::new(address),
        Client::new(address).with_header("x-cart-token", "souk_c_of_nobody"),
        Client::new(address).with_header("authorization", token.clone()),
    ];
    let before = app.database.contents().await;
    for other in &mut others {
        let response = other.mutate("checkout", ORDERS, ada.checkout_input("key")).await.expect("a response");
        assert_eq!(response.outcome("checkout"), "NOT_FOUND cartId");
        assert_eq!(response.at("checkout.orders"), &json!([]));
    }
    assert_eq!(app.database.contents().await, before);
    // With a cart of their own, the same text is a key of their own; Ada's key still returns her orders.
    let bob = app.customer().await;
    let bob = Client::new(address).with_header("authorization", format!("Bearer {}", bob.token().unwrap()));
    let theirs = guest_with_cart(bob, products).await.checkout("key").await.expect("a response");
    assert_eq!(theirs.outcome("checkout"), "done");
    assert_ne!(theirs.at("checkout.orders"), first.at("checkout.orders"));
    assert_eq!(ada.checkout("key").await.expect("a response").data(), first.data());
    assert_eq!(stocks(&app, products).await, [STOCK - 4; 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn retry_after_a_server_kill_returns_the_committed_orders() {
    let app = TestApp::new().await;
    let products = two_products(&app).await;
    let proxy = CommitProxy::start(&app.database.url).await;
    let dir = DataDir::new();
    let serve = async || {
        let mut command = dir.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("DATABASE_URL", &proxy.url).env("SOUK_ENV", "production").env("SOUK_JWT_SECRET", SECRET);
        tokio::task::spawn_blocking(|| ServerProcess::start(command)).await.expect("the server starts")
    };
    let server = serve().await;
    let mut ada =
        guest_with_cart(Client::new(server.address).with_header("x-request-id", "adas-checkout"), products).await;
    proxy.stop("adas-checkout", CommitFault::HoldResponse);
    let (response, ()) = tokio::join!(ada.checkout("key"), async {
        proxy.stopped().await;
        server.signal("-9");
    });
    assert!(response.is_err(), "unexpected response: {response:?}");
    assert_eq!(tokio::task::spawn_blocking(|| server.wait()).await.expect("the server ends"), None);
    // It was committed, but no response was received.
    let receipts = app.database.receipts().await;
    assert_eq!((receipts.len(), stocks(&app, products).await), (2, [STOCK - 2; 2]));

    let server = serve().await;
    ada.client = ada.client.at_server(server.address);
    for _ in 0..2 {
        let again = ada.checkout("key").await.expect("a response");
        assert_eq!(again.outcome("checkout"), "done", "{}", again.text);
        assert_eq!(ada.purchase(&again).receipts, receipts);
        app.database.assert_purchases(&[ada.purchase(&again)]).await;
    }
    assert_eq!(stocks(&app, products).await, [STOCK - 2; 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn unknown_commit_outcome_asks_to_retry_with_the_same_key() {
    let app = TestApp::new().await;
    let products = two_products(&app).await;
    let proxy = CommitProxy::start(&app.database.url).await;
    let beyond = TestApp::builder().database(TestDb::open(&proxy.url).await).build().await;
    let impatient = TestApp::builder()
        .database(TestDb::open(&proxy.url).await)
        .http(|http| http.timeout = Duration::from_secs(3))
        .build()
        .await;
    let (address, impatient) = (beyond.listen().await, impatient.listen().await);
    let mut left = STOCK;
    for (stop, code) in [
        (CommitFault::LoseCommit, "UNAVAILABLE"),
        (CommitFault::LoseResponse, "UNAVAILABLE"),
        (CommitFault::HoldResponse, "TIMEOUT"),
    ] {
        let id = format!("checkout-{stop:?}");
        let mut ada = guest_with_cart(Client::new(address).with_header("x-request-id", id.clone()), products).await;
        if stop == CommitFault::HoldResponse {
            ada.client = ada.client.at_server(impatient);
        }
        proxy.stop(&id, stop);
        let lost = ada.checkout("key").await.expect("a response");
        proxy.stopped().await;
        assert_eq!(lost.code(), code, "{stop:?}: {}", lost.text);
        let message = lost.json["errors"][0]["message"].as_str().expect("a message");
        assert!(message.contains("Retry with the same idempotency key"), "{stop:?}: {message}");
        assert_eq!(lost.json["data"]["checkout"], Value::Null);
        let done = if stop == CommitFault::LoseCommit { 0 } else { 2 };
        assert_eq!(stocks(&app, products).await, [left - done; 2], "{stop:?}");
        left -= 2;
        for _ in 0..2 {
            let again = ada.checkout("key").await.expect("a response");
            assert_eq!(again.outcome("checkout"), "done", "{stop:?}: {}", again.text);
            assert_eq!(stocks(&app, products).await, [left; 2], "{stop:?}");
        }
    }
    assert_eq!(app.database.scalar("SELECT count(*) FROM orders").await, "6");
    app.database.assert_no_partial_orders().await;
    app.database.assert_invariants().await;
}
