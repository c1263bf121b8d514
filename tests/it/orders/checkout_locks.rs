//! Concurrent checkouts and reservations: the order in which they take locks, and the retry of a deadlock's victim.

use diesel_async::SimpleAsyncConnection;
use serde_json::json;
use souk::{
    auth::{GuestKey, RequestOrigin, Viewer},
    carts,
    config::OrderSettings,
    ids::{CartId, ProductId, RowId},
};

use crate::support::{Client, ProductSpec, TestApp, shopper::Shopper};

const STOCK: i32 = 9;

/// Creates two products, in the order in which they are locked.
async fn two_products(app: &TestApp) -> [ProductId; 2] {
    let website = app.website("sailor").await.id;
    let mut products = Vec::new();
    for _ in 0..2 {
        products.push(app.product(website, ProductSpec { stock: STOCK, ..ProductSpec::default() }).await.id);
    }
    products.try_into().expect("two products")
}

/// Waits until a session waits for a lock.
async fn wait_for_lock_waiter(app: &TestApp) {
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while app.database.scalar(waits).await == "0" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn renewed_reservation_locks_products_in_order() {
    let app = TestApp::new().await;
    let [first, last] = two_products(&app).await;
    let (ada, bob) = (app.anonymous(), app.customer().await);
    let cart = ada.create_cart(&[(first, 1), (last, 1)]).await;
    let guest = cart.token.as_deref().map(GuestKey::from_token);
    let viewer = Viewer::anonymous().with_guest(guest);
    let id = CartId::parse("id", &cart.id).unwrap();
    // Expires the reservation immediately, and the other buyer's release removes that of the first product.
    let over = Some(chrono::Duration::seconds(-1));
    let shopper = carts::model::Shopper::new(&viewer, &RequestOrigin::default(), OrderSettings::unlimited());
    carts::actions::reserve(&app.database.db, &viewer, &shopper, id, over).await.unwrap();
    let other = json!({ "id": bob.create_cart(&[(first, STOCK)]).await.id });
    assert_eq!(bob.mutate("cartReserve", "", other.clone()).await.outcome("cartReserve"), "done");
    assert_eq!(bob.mutate("cartRelease", "", other).await.outcome("cartRelease"), "done");
    let kept = app.database.rows("SELECT product_id FROM cart_reservations").await;
    assert_eq!(kept, [format!("({})", last.0)]);

    let lock = |product: ProductId| format!("SELECT FROM products WHERE id = {} FOR NO KEY UPDATE NOWAIT", product.0);
    let mut session = app.database.raw_connection().await;
    session.batch_execute(&format!("BEGIN; {}", lock(first))).await.unwrap();
    let ada = ada.with_cart(cart.token.clone());
    let reserve = ada.mutate("cartReserve", "", json!({ "id": cart.id }));
    let meanwhile = async {
        wait_for_lock_waiter(&app).await;
        let free = session.batch_execute(&lock(last)).await;
        session.batch_execute("ROLLBACK").await.unwrap();
        free
    };
    let (reserved, free) = tokio::join!(reserve, meanwhile);
    assert_eq!(free, Ok(()), "the second product was locked before the first");
    assert_eq!(reserved.outcome("cartReserve"), "done");
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn deadlock_victim_is_retried_and_succeeds() {
    // Where the checkout is when it is chosen as the victim: at its row locks, or at the statements that it pipelines.
    let held = |last: ProductId| {
        let locked = format!("SELECT FROM products WHERE id = {} FOR UPDATE", last.0);
        [locked, "LOCK TABLE order_details IN SHARE MODE".into(), "LOCK TABLE jobs IN SHARE MODE".into()]
    };
    for step in 0..3 {
        let app = TestApp::new().await;
        app.database.set_parameter("deadlock_timeout = '300ms'").await;
        let [first, last] = two_products(&app).await;
        let mut shopper = Shopper::new(Client::new(app.listen().await));
        let filled = shopper.fill(&[(first.to_global_id(), 2), (last.to_global_id(), 2)]).await.unwrap();
        assert_eq!(filled.outcome("cartCreate"), "done");
        let mut session = app.database.raw_connection().await;
        // This session never checks for deadlocks itself, so the checkout does.
        let held = &held(last)[step];
        session.batch_execute(&format!("SET deadlock_timeout = '10min'; BEGIN; {held}")).await.unwrap();
        let meanwhile = async {
            wait_for_lock_waiter(&app).await;
            let wanted = format!("SELECT FROM products WHERE id = {} FOR UPDATE; COMMIT", first.0);
            session.batch_execute(&wanted).await
        };
        let (response, meanwhile) = tokio::join!(shopper.checkout("key"), meanwhile);
        meanwhile.unwrap();
        let response = response.unwrap();
        assert_eq!(response.outcome("checkout"), "done", "{held}: {}", response.text);
        assert_eq!((app.stock(first).await, app.stock(last).await), (STOCK - 2, STOCK - 2), "{held}");
        app.database.assert_purchases(&[shopper.purchase(&response)]).await;
        assert_eq!(app.database.deadlock_count().await, "1", "{held}: one deadlock");
    }
}
