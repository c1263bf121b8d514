//! Who gets the events of a subscription, and what they show.

use serde_json::{Value, json};
use souk::{auth::Permission, ids::RowId};

use crate::support::{Actor, ProductSpec, TestApp, websocket::WebSocket};

/// A subscription to an order.
fn order_updated(id: &str) -> String {
    format!("subscription {{ orderUpdated(id: \"{id}\") {{ order {{ id status }} kind cursor }} }}")
}

/// A product that can be ordered.
fn stocked() -> ProductSpec {
    ProductSpec { stock: 50, ..ProductSpec::default() }
}

/// Runs a subscription that is rejected when it starts, and returns the code of its error.
async fn rejection(app: &TestApp, actor: &Actor<'_>, document: &str) -> String {
    let mut socket = WebSocket::connect(app.listen().await, actor).await;
    socket.start(document).await;
    socket.error_code().await
}

async fn set_status(app: &TestApp, order: &str, status: &str) {
    let input = json!({ "id": order, "status": status });
    let updated = app.admin().await.mutate("orderStatusUpdate", "", input).await;
    assert_eq!(updated.user_errors("orderStatusUpdate"), []);
}

#[tokio::test]
async fn an_order_is_seen_by_its_customer_and_staff_and_by_no_one_else() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let product = app.product(app.website("main").await.id, stocked()).await;
    let (customer, admin, other) = (app.customer().await, app.admin().await, app.customer().await);
    let id = customer.order(&[(product.id, 1)]).await;
    let document = order_updated(&id);

    let (mut theirs, mut staff) =
        (customer.subscribe(address, &document).await, admin.subscribe(address, &document).await);
    set_status(&app, &id, "CONFIRMED").await;
    for socket in [&mut theirs, &mut staff] {
        let data = socket.next().await;
        let change = &data["orderUpdated"];
        assert_eq!((&change["order"]["id"], &change["order"]["status"]), (&json!(id), &json!("CONFIRMED")));
        assert_eq!(change["kind"], "STATUS_CHANGED");
        assert!(change["cursor"].as_str().is_some_and(|cursor| !cursor.is_empty()));
    }
    for stranger in [&other, &app.anonymous(), &app.guest("an unknown token")] {
        assert_eq!(rejection(&app, stranger, &document).await, "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_guest_sees_the_order_of_the_cart_token_whoever_changes_it() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let product = app.product(app.website("main").await.id, stocked()).await;
    let cart = app.anonymous().create_cart(&[(product.id, 1)]).await;
    let guest = app.guest(cart.token.as_deref().expect("a token"));
    let id = guest.checkout(&cart, "one").await.text_at("checkout.orders.0.id");
    let mut socket = guest.subscribe(address, &order_updated(&id)).await;
    app.database.sql("UPDATE orders SET status = 'confirmed'").await;
    assert_eq!(socket.next().await["orderUpdated"]["order"]["status"], "CONFIRMED");
    app.database.sql("UPDATE orders SET contact_name = 'Grace'").await;
    assert_eq!(socket.next().await["orderUpdated"]["kind"], "UPDATED");
}

#[tokio::test]
async fn internal_notes_are_events_of_staff_only() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let product = app.product(app.website("main").await.id, stocked()).await;
    let (customer, admin) = (app.customer().await, app.admin().await);
    let id = customer.order(&[(product.id, 1)]).await;
    let mut theirs = customer.subscribe(address, &order_updated(&id)).await;
    let mut staff = admin.subscribe(address, &order_updated(&id)).await;
    let note = json!({ "orderId": id, "text": "pays late", "isInternal": true });
    assert_eq!(admin.mutate("orderNoteAdd", "", note).await.user_errors("orderNoteAdd"), []);
    assert_eq!(staff.next().await["orderUpdated"]["kind"], "UPDATED");
    set_status(&app, &id, "CONFIRMED").await;
    assert_eq!(theirs.next().await["orderUpdated"]["kind"], "STATUS_CHANGED");
}

#[tokio::test]
async fn staff_sees_the_orders_of_its_websites_and_a_seller_those_with_its_lines() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let (one, two) = (app.website("one").await, app.website("two").await);
    let seller = app.seller().await;
    let spec = ProductSpec { seller: Some(seller.id), ..stocked() };
    let (theirs, other) = (app.product(one.id, spec).await, app.product(two.id, stocked()).await);
    let manager = app.user_with(&[Permission::ManageOrders], &[two.id]).await;
    let document = "subscription { ordersChanged { order { id } kind cursor } }";
    let filtered = "subscription { ordersChanged(website: \"two\") { order { id } kind cursor } }";
    let mut all = app.admin().await.subscribe(address, document).await;
    let mut of_two = app.admin().await.subscribe(address, filtered).await;
    let mut limited = manager.subscribe(address, document).await;
    let mut of_seller = seller.subscribe(address, document).await;
    let customer = app.customer().await;
    let first = customer.order(&[(theirs.id, 1)]).await;
    let second = customer.order(&[(other.id, 1)]).await;
    for (socket, expected) in [
        (&mut all, vec![&first, &second]),
        (&mut of_two, vec![&second]),
        (&mut limited, vec![&second]),
        (&mut of_seller, vec![&first]),
    ] {
        for id in expected {
            let data = socket.next().await;
            assert_eq!(data["ordersChanged"]["order"]["id"], json!(id));
            assert_eq!(data["ordersChanged"]["kind"], "PLACED");
        }
        assert!(socket.is_silent().await);
    }
    assert_eq!(rejection(&app, &customer, document).await, "FORBIDDEN");
    assert_eq!(rejection(&app, &app.anonymous(), document).await, "UNAUTHENTICATED");
    let unknown = "subscription { ordersChanged(website: \"three\") { cursor } }";
    assert_eq!(rejection(&app, &app.admin().await, unknown).await, "BAD_USER_INPUT");
}

#[tokio::test]
async fn customers_get_the_changes_of_products_that_they_can_see() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let website = app.website("main").await;
    let product = app.product(website.id, ProductSpec { name: Some("Mug".to_owned()), ..ProductSpec::default() }).await;
    let document = "subscription { productChanged { product { name } productId kind } }";
    let one = format!(
        "subscription {{ productChanged(id: {:?}) {{ product {{ name }} productId kind }} }}",
        product.id.to_global_id()
    );
    let mut public = app.anonymous().subscribe(address, document).await;
    let mut of_one = app.anonymous().subscribe(address, &one).await;
    let mut staff = app.admin().await.subscribe(address, document).await;
    for statement in [
        "UPDATE products SET name = 'Blue mug'",
        "UPDATE products SET cost_price = 3",
        "UPDATE products SET is_active = false",
        "UPDATE products SET name = 'Red mug'",
    ] {
        app.database.sql(statement).await;
        let change = staff.next().await;
        assert_eq!(change["productChanged"]["kind"], "UPDATED", "{statement}");
    }
    let change = |kind: &str, product_field: Value| json!({ "productChanged": { "product": product_field, "productId": product.id.to_global_id(), "kind": kind } });
    for socket in [&mut public, &mut of_one] {
        // What the event shows is read when it is sent.
        let first = socket.next().await;
        assert!(
            [change("UPDATED", json!({ "name": "Blue mug" })), change("DELETED", Value::Null)].contains(&first),
            "{first}"
        );
        assert_eq!(socket.next().await, change("DELETED", Value::Null));
        assert!(socket.is_silent().await, "changes that customers do not see are no events");
    }
    let created =
        app.product(website.id, ProductSpec { name: Some("Bowl".to_owned()), ..ProductSpec::default() }).await;
    let data = public.next().await;
    assert_eq!(
        (&data["productChanged"]["kind"], &data["productChanged"]["product"]["name"]),
        (&json!("CREATED"), &json!("Bowl"))
    );
    // The history of prices keeps products from being deleted.
    let delete = "ALTER TABLE price_changes DISABLE TRIGGER USER; DELETE FROM price_changes WHERE product_id = 0;
        DELETE FROM products WHERE id = 0";
    app.database.sql(&delete.replace("= 0", &format!("= {}", created.id.0))).await;
    assert_eq!(public.next().await["productChanged"]["kind"], "DELETED");
    assert!(of_one.is_silent().await);
}

#[tokio::test]
async fn customers_get_changes_of_the_availability_and_staff_those_of_the_stock() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let product = app.product(app.website("main").await.id, ProductSpec { stock: 20, ..ProductSpec::default() }).await;
    let id = product.id.to_global_id();
    let document =
        format!("subscription {{ stockChanged(product: {id:?}) {{ product {{ id availability stock }} cursor }} }}");
    let mut public = app.anonymous().subscribe(address, &document).await;
    let admin = app.admin().await;
    let mut staff = admin.subscribe(address, &document).await;
    let set = async |quantity: i32| {
        let input = json!({ "productId": id, "quantity": quantity });
        assert_eq!(admin.mutate("stockSet", "", input).await.user_errors("stockSet"), []);
    };
    set(19).await;
    assert_eq!(staff.next().await["stockChanged"]["product"]["stock"], 19);
    set(0).await;
    let seen = staff.next().await;
    assert_eq!(
        (&seen["stockChanged"]["product"]["stock"], &seen["stockChanged"]["product"]["availability"]),
        (&json!(0), &json!("OUT_OF_STOCK"))
    );
    let seen = public.next().await;
    assert_eq!(
        (&seen["stockChanged"]["product"]["stock"], &seen["stockChanged"]["product"]["availability"]),
        (&Value::Null, &json!("OUT_OF_STOCK"))
    );
    assert!(public.is_silent().await);
}

#[tokio::test]
async fn carts_are_followed_by_their_owner() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let product = app.product(app.website("main").await.id, stocked()).await;
    let document = "subscription { cartUpdated { cartId cart { lines { quantity } } cursor } }";
    let customer = app.customer().await;
    let mut of_user = customer.subscribe(address, document).await;
    let cart = app.anonymous().create_cart(&[(product.id, 1)]).await;
    let guest = app.guest(cart.token.as_deref().expect("a token"));
    let mut of_guest = guest.subscribe(address, document).await;

    let theirs = customer.create_cart(&[(product.id, 2)]).await;
    let change = of_user.next().await;
    assert_eq!(change["cartUpdated"]["cartId"], json!(theirs.id));
    assert_eq!(change["cartUpdated"]["cart"]["lines"], json!([{ "quantity": 2 }]));

    let line = json!({ "id": cart.lines[0], "quantity": 5 });
    assert_eq!(guest.mutate("cartLineUpdate", "", line).await.user_errors("cartLineUpdate"), []);
    assert_eq!(of_guest.next().await["cartUpdated"]["cart"]["lines"], json!([{ "quantity": 5 }]));
    app.database.sql("DELETE FROM carts WHERE user_id IS NULL").await;
    assert_eq!(of_guest.next().await["cartUpdated"]["cart"], Value::Null);
    assert!(of_user.is_silent().await);
    assert_eq!(rejection(&app, &app.anonymous(), document).await, "UNAUTHENTICATED");
}

#[tokio::test]
async fn notifications_are_of_the_kinds_that_the_viewer_has_the_permission_for() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let website = app.website("main").await;
    let product = app.product(website.id, ProductSpec { stock: 20, ..ProductSpec::default() }).await;
    let document = "subscription { notifications { kind order { status } product { sku } job { kind } review { rating } payment { id } } }";
    let mut admin = app.admin().await.subscribe(address, document).await;
    let mut reviewer = app.user_with(&[Permission::ManageReviews], &[]).await.subscribe(address, document).await;
    let customer = app.customer().await;

    customer.order(&[(product.id, 1)]).await;
    let order = admin.next().await;
    assert_eq!(
        (&order["notifications"]["kind"], &order["notifications"]["order"]["status"]),
        (&json!("NEW_ORDER"), &json!("PENDING"))
    );
    assert_eq!(order["notifications"]["review"], Value::Null);
    app.database
        .sql("INSERT INTO stock_movements (product_id, reason, delta) SELECT id, 'adjustment', 1 - stock FROM products")
        .await;
    assert_eq!(admin.next().await["notifications"]["kind"], "LOW_STOCK");
    app.database.sql("INSERT INTO jobs (kind, payload) VALUES ('unknown', '{}')").await;
    app.database.sql("UPDATE jobs SET state = 'dead' WHERE kind = 'unknown'").await;
    let dead = admin.next().await;
    assert_eq!(
        (&dead["notifications"]["kind"], &dead["notifications"]["job"]["kind"]),
        (&json!("DEAD_JOB"), &json!("unknown"))
    );
    let review = json!({ "productId": product.id.to_global_id(), "rating": 4, "text": "Holds tea." });
    assert_eq!(customer.mutate("reviewCreate", "", review).await.user_errors("reviewCreate"), []);
    for socket in [&mut admin, &mut reviewer] {
        let review = socket.next().await;
        assert_eq!(
            (&review["notifications"]["kind"], &review["notifications"]["review"]["rating"]),
            (&json!("NEW_REVIEW"), &json!(4))
        );
    }
    let jobs = "subscription { notifications(kinds: [DEAD_JOB]) { kind } }";
    let reviewer = app.user_with(&[Permission::ManageReviews], &[]).await;
    assert_eq!(rejection(&app, &reviewer, jobs).await, "FORBIDDEN");
    assert_eq!(rejection(&app, &customer, document).await, "FORBIDDEN");
}

#[tokio::test]
async fn failed_payments_are_notifications() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let product = app.product(app.website("main").await.id, stocked()).await;
    let customer = app.customer().await;
    let order = customer.order(&[(product.id, 1)]).await;
    let document = "subscription { notifications(kinds: [FAILED_PAYMENT]) { kind payment { status } } }";
    let mut admin = app.admin().await.subscribe(address, document).await;
    customer.pay(&order, "4000000000000002").await;
    let failed = admin.next().await;
    assert_eq!(failed["notifications"], json!({ "kind": "FAILED_PAYMENT", "payment": { "status": "FAILED" } }));
}

#[tokio::test]
async fn a_viewer_who_loses_the_permission_gets_no_more_events() {
    let app = TestApp::new().await;
    let address = app.listen().await;
    let product = app.product(app.website("main").await.id, stocked()).await;
    let manager = app.user_with(&[Permission::ManageOrders], &[]).await;
    let mut socket = manager.subscribe(address, "subscription { ordersChanged { order { id } } }").await;
    let customer = app.customer().await;
    customer.order(&[(product.id, 1)]).await;
    socket.next().await;
    app.database
        .sql(&format!(
            "UPDATE users SET role_id = (SELECT id FROM roles WHERE code = 'customer') WHERE id = {}",
            manager.id.0
        ))
        .await;
    // As the server does every second.
    souk::access::actions::cache::refresh_cache(&app.database.db, &app.services.permission_cache).await.unwrap();
    let ended = async {
        loop {
            customer.order(&[(product.id, 1)]).await;
            let message = socket.receive().await.json();
            if message["type"] == "error" {
                return message["payload"][0]["extensions"]["code"].clone();
            }
        }
    };
    assert_eq!(ended.await, "FORBIDDEN");
}

#[tokio::test]
async fn the_progress_of_a_transfer_completes_when_it_has_ended() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let started =
        admin.mutate("exportStart", "transfer { id }", json!({ "resource": "BRANDS", "idempotencyKey": "one" })).await;
    let id = started.text_at("exportStart.transfer.id");
    app.database.sql("UPDATE transfers SET status = 'running'").await;
    let document = format!("subscription {{ transferProgress(id: {id:?}) {{ transfer {{ status }} }} }}");
    let address = app.listen().await;
    let mut socket = admin.subscribe(address, &document).await;
    app.database.sql("UPDATE transfers SET processed = 5").await;
    assert_eq!(socket.next().await["transferProgress"]["transfer"]["status"], "RUNNING");
    app.database.sql("UPDATE transfers SET status = 'done'; UPDATE transfers SET processed = 6").await;
    assert_eq!(socket.next().await["transferProgress"]["transfer"]["status"], "DONE");
    assert_eq!(socket.receive().await.json()["type"], "complete");
    // A subscription that starts later ends at once.
    let mut late = WebSocket::connect(address, &admin).await;
    late.start(&document).await;
    assert_eq!(late.receive().await.json()["type"], "complete");
}
