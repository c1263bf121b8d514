//! One key, one purchase: however often it is sent, by whomever, and whatever breaks between the commit and its answer.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use souk::ids::{ProductId, RowId};

use crate::support::{
    Answer, Client, CommitProxy, ProductSpec, SECRET, Stop, TestApp, TestDb,
    process::{DataDir, Served},
    shopper::Shopper,
    stress::setting,
};

const STOCK: i32 = 1000;

/// A product at each of two websites.
async fn two_products(app: &TestApp) -> [ProductId; 2] {
    let mut products = Vec::new();
    for code in ["sailor", "lamps"] {
        let website = app.website(code).await.id;
        products.push(app.product(website, ProductSpec { stock: STOCK, ..ProductSpec::default() }).await.id);
    }
    products.try_into().expect("two")
}

async fn stocks(app: &TestApp, products: [ProductId; 2]) -> [i32; 2] {
    [app.stock(products[0]).await, app.stock(products[1]).await]
}

/// A guest at a server with two pieces of each product in the cart.
async fn guest(client: Client, products: [ProductId; 2]) -> Shopper {
    let mut shopper = Shopper::new(client);
    let filled = shopper.fill(&products.map(|id| (id.to_global_id(), 2))).await.expect("an answer");
    assert_eq!(filled.verdict("cartCreate"), "done");
    shopper
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_sent_fifty_times_at_once_buys_once_and_all_are_answered_alike() {
    let app = TestApp::new().await;
    let products = two_products(&app).await;
    let address = app.listen().await;
    for round in 0..setting("SOUK_PROOF_ROUNDS", 2) {
        let left = STOCK - 4 * i32::try_from(round).unwrap();
        let ada = guest(Client::of(address), products).await;
        let bob = Client::of(address);
        let customer = app.customer().await;
        let bob = guest(bob.sending("authorization", format!("Bearer {}", customer.token().unwrap())), products).await;
        let key = format!("round {round}");
        let all: Vec<Answer> = join_all((0..100).map(|index| {
            let (buyer, input) = if index % 2 == 0 { (&ada, ada.order(&key)) } else { (&bob, bob.order(&key)) };
            let mut client = buyer.client.beside();
            async move { client.mutate("checkout", ORDERS, input).await.expect("an answer") }
        }))
        .await;
        let (adas, bobs): (Vec<_>, Vec<_>) = all.iter().enumerate().partition(|(index, _)| index % 2 == 0);
        for answers in [&adas, &bobs] {
            assert_eq!(answers.len(), 50);
            for (_, answer) in answers {
                assert_eq!(answer.verdict("checkout"), "done", "{}", answer.text);
                assert_eq!(answer.data(), answers[0].1.data());
            }
        }
        // The same word of two people: two keys.
        assert_ne!(adas[0].1.data(), bobs[0].1.data());
        assert_eq!(stocks(&app, products).await, [left - 4; 2]);
        assert_eq!(app.database.ask("SELECT count(*) FROM orders").await, (4 * (round + 1)).to_string());
    }
    app.database.assert_no_order_is_half().await;
    app.database.assert_books_balance().await;
}

const ORDERS: &str = "orders { id orderNumber status createdAt updatedAt totalAmount { amount currency } customerNote
    contact { name email phone } shippingAddress { country city address postalCode } sourceWebsite { code }
    details { id name sku quantity unitPrice { amount } totalPrice { amount } } }";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_wishes_under_one_key_at_once_one_is_done_and_the_other_refused() {
    let app = TestApp::new().await;
    let products = two_products(&app).await;
    let address = app.listen().await;
    let ada = guest(Client::of(address), products).await;
    let answers = join_all((0..50).map(|index| {
        let mut input = ada.order("key");
        input["note"] = [json!(null), json!("Ring twice.")][index % 2].clone();
        let mut client = ada.client.beside();
        async move { client.mutate("checkout", ORDERS, input).await.expect("an answer") }
    }))
    .await;
    let mut verdicts = [answers[0].verdict("checkout"), answers[1].verdict("checkout")];
    for (index, answer) in answers.iter().enumerate() {
        assert_eq!(answer.verdict("checkout"), verdicts[index % 2]);
        assert_eq!(answer.data(), answers[index % 2].data());
    }
    verdicts.sort();
    assert_eq!(verdicts, ["IDEMPOTENCY_MISMATCH idempotencyKey", "done"]);
    assert_eq!(stocks(&app, products).await, [STOCK - 2; 2]);
}

#[tokio::test]
async fn somebody_elses_key_has_no_effect() {
    let app = TestApp::new().await;
    let products = two_products(&app).await;
    let address = app.listen().await;
    let mut ada = guest(Client::of(address), products).await;
    let first = ada.checkout("key").await.expect("an answer");
    assert_eq!(first.verdict("checkout"), "done");
    let token = format!("Bearer {}", app.customer().await.token().unwrap());
    // Ada's very request, by others: they learn nothing of it and change nothing.
    let mut others = [
        Client::of(address),
        Client::of(address).sending("x-cart-token", "souk_c_of_nobody"),
        Client::of(address).sending("authorization", token.clone()),
    ];
    let before = app.database.contents().await;
    for other in &mut others {
        let answer = other.mutate("checkout", ORDERS, ada.order("key")).await.expect("an answer");
        assert_eq!(answer.verdict("checkout"), "NOT_FOUND cartId");
        assert_eq!(answer.at("checkout.orders"), &json!([]));
    }
    assert_eq!(app.database.contents().await, before);
    // With a cart of their own the same word is a key of their own; and Ada's still answers Ada.
    let bob = app.customer().await;
    let bob = Client::of(address).sending("authorization", format!("Bearer {}", bob.token().unwrap()));
    let theirs = guest(bob, products).await.checkout("key").await.expect("an answer");
    assert_eq!(theirs.verdict("checkout"), "done");
    assert_ne!(theirs.at("checkout.orders"), first.at("checkout.orders"));
    assert_eq!(ada.checkout("key").await.expect("an answer").data(), first.data());
    assert_eq!(stocks(&app, products).await, [STOCK - 4; 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_killed_between_the_commit_and_its_answer_answers_the_same_orders_when_it_is_back() {
    let app = TestApp::new().await;
    let products = two_products(&app).await;
    let proxy = CommitProxy::to(&app.database.url).await;
    let folder = DataDir::new();
    let serve = async || {
        let mut command = folder.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("DATABASE_URL", &proxy.url).env("SOUK_ENV", "production").env("SOUK_JWT_SECRET", SECRET);
        tokio::task::spawn_blocking(|| Served::start(command)).await.expect("it starts")
    };
    let server = serve().await;
    let mut ada = guest(Client::of(server.address).sending("x-request-id", "adas-checkout"), products).await;
    proxy.stop("adas-checkout", Stop::Held);
    let (answer, ()) = tokio::join!(ada.checkout("key"), async {
        proxy.stopped().await;
        server.signal("-9");
    });
    assert!(answer.is_err(), "no answer came: {answer:?}");
    assert_eq!(tokio::task::spawn_blocking(|| server.wait()).await.expect("it ends"), None);
    // It was done, and nobody was told.
    let receipts = app.database.receipts().await;
    assert_eq!((receipts.len(), stocks(&app, products).await), (2, [STOCK - 2; 2]));

    let server = serve().await;
    ada.client = ada.client.elsewhere(server.address);
    for _ in 0..2 {
        let again = ada.checkout("key").await.expect("an answer");
        assert_eq!(again.verdict("checkout"), "done", "{}", again.text);
        assert_eq!(ada.sale(&again).receipts, receipts);
        app.database.assert_sold(&[ada.sale(&again)]).await;
    }
    assert_eq!(stocks(&app, products).await, [STOCK - 2; 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn where_nobody_knows_whether_it_is_done_the_error_says_to_send_the_same_key_again() {
    let app = TestApp::new().await;
    let products = two_products(&app).await;
    let proxy = CommitProxy::to(&app.database.url).await;
    let beyond = TestApp::builder().database(TestDb::at(&proxy.url).await).build().await;
    let impatient = TestApp::builder()
        .database(TestDb::at(&proxy.url).await)
        .http(|http| http.timeout = Duration::from_secs(3))
        .build()
        .await;
    let (address, impatient) = (beyond.listen().await, impatient.listen().await);
    let mut left = STOCK;
    for (stop, code) in [(Stop::Before, "UNAVAILABLE"), (Stop::After, "UNAVAILABLE"), (Stop::Held, "TIMEOUT")] {
        let id = format!("checkout-{stop:?}");
        let mut ada = guest(Client::of(address).sending("x-request-id", id.clone()), products).await;
        if stop == Stop::Held {
            ada.client = ada.client.elsewhere(impatient);
        }
        proxy.stop(&id, stop);
        let lost = ada.checkout("key").await.expect("an answer");
        proxy.stopped().await;
        assert_eq!(lost.code(), code, "{stop:?}: {}", lost.text);
        let message = lost.json["errors"][0]["message"].as_str().expect("a message");
        assert!(message.contains("send it again with the same idempotency key"), "{stop:?}: {message}");
        assert_eq!(lost.json["data"], Value::Null);
        let done = if stop == Stop::Before { 0 } else { 2 };
        assert_eq!(stocks(&app, products).await, [left - done; 2], "{stop:?}");
        left -= 2;
        for _ in 0..2 {
            let again = ada.checkout("key").await.expect("an answer");
            assert_eq!(again.verdict("checkout"), "done", "{stop:?}: {}", again.text);
            assert_eq!(stocks(&app, products).await, [left; 2], "{stop:?}");
        }
    }
    assert_eq!(app.database.ask("SELECT count(*) FROM orders").await, "6");
    app.database.assert_no_order_is_half().await;
    app.database.assert_books_balance().await;
}
