//! A client who never pays cannot sell out a product: neither with reservations nor with orders, with new carts or accounts.

use serde_json::{Value, json};
use souk::{
    config::OrderSettings,
    ids::{OrderDetailId, OrderId, ProductId, RowId, WebsiteId},
    orders::actions::expiry::cancel_expired,
};

use crate::support::{Actor, ProductSpec, TestApp, TestResponse, fixtures::TestCart};

pub(super) const STOCK: i32 = 50;
pub(super) const HERE: &str = "203.0.113.7";
/// Another address of the same network.
const BESIDE: &str = "203.0.113.99";
pub(super) const ELSEWHERE: &str = "198.51.100.1";

pub(super) async fn app_with(orders: OrderSettings) -> (TestApp, ProductId) {
    let app = TestApp::builder().orders(orders).build().await;
    let website = app.website("sailor").await.id;
    let product = app.product(website, ProductSpec { stock: STOCK, ..ProductSpec::default() }).await.id;
    (app, product)
}

pub(super) async fn website_of(app: &TestApp) -> WebsiteId {
    WebsiteId(app.database.scalar("SELECT id FROM websites").await.parse().unwrap())
}

/// Runs a mutation from this address, as forwarded by the shop's proxy.
pub(super) async fn from(actor: &Actor<'_>, address: &str, mutation: &str, fields: &str, input: Value) -> TestResponse {
    let mut name = mutation.to_owned();
    name[..1].make_ascii_uppercase();
    let document = format!(
        "mutation ($input: {name}Input!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code message field }} }} }}"
    );
    let request = actor.request().header("x-forwarded-for", address);
    actor.run_request(request, &document, json!({ "input": input })).await
}

/// Reserves units in a new cart of a new guest; returns the outcome, the guest and their cart.
async fn reserve<'a>(app: &'a TestApp, address: &str, product: ProductId, units: i32) -> (String, Actor<'a>, TestCart) {
    let cart = app.anonymous().create_cart(&[(product, units)]).await;
    let guest = app.anonymous().with_cart(cart.token.clone());
    let reserved = from(&guest, address, "cartReserve", "", json!({ "id": cart.id })).await;
    (reserved.outcome("cartReserve"), guest, cart)
}

/// Checks out units in a new cart of a new guest; returns the guest and the response.
async fn buy<'a>(app: &'a TestApp, address: &str, product: ProductId, units: i32) -> (Actor<'a>, TestResponse) {
    let cart = app.anonymous().create_cart(&[(product, units)]).await;
    let guest = app.anonymous().with_cart(cart.token.clone());
    let input = json!({
        "cartId": cart.id,
        "address": { "countryCode": "DE", "city": "Hamburg", "address": "Hafenstrasse 1", "postalCode": "20457" },
        "contact": { "name": "Ada", "email": format!("ada-{}@souk.example", uuid::Uuid::new_v4().simple()) },
        "idempotencyKey": "k",
    });
    let response = from(&guest, address, "checkout", "orders { id }", input).await;
    (guest, response)
}

/// Places an order that must be accepted; returns the guest and the order.
pub(super) async fn unpaid<'a>(app: &'a TestApp, address: &str, product: ProductId, units: i32) -> (Actor<'a>, String) {
    let (guest, response) = buy(app, address, product, units).await;
    assert_eq!(response.outcome("checkout"), "done", "{response:?}");
    let order = response.text_at("checkout.orders.0.id");
    (guest, order)
}

/// Moves the time at which orders expire into the past.
async fn let_time_pass(app: &TestApp, time: &str) {
    let sql = "UPDATE unpaid_orders SET expires_at = expires_at - interval '<t>', ended_at = ended_at - interval '<t>'";
    app.database.sql(&sql.replace("<t>", time)).await;
}

/// Orders units of a product as a user; returns the outcome.
async fn order(actor: &Actor<'_>, address: &str, product: ProductId, units: i32) -> String {
    let lines = json!([{ "productId": product.to_global_id(), "quantity": units }]);
    let input = json!({ "lines": lines, "idempotencyKey": uuid::Uuid::new_v4().to_string() });
    from(actor, address, "orderCreate", "", input).await.outcome("orderCreate")
}

pub(super) async fn verified_customer(app: &TestApp) -> Actor<'_> {
    let customer = app.customer().await;
    app.database.sql(&format!("UPDATE users SET email_verified_at = now() WHERE id = {}", customer.id.0)).await;
    customer
}

async fn status(app: &TestApp, order: &str) -> String {
    let id = OrderId::parse("id", order).unwrap().0;
    app.database.scalar(&format!("SELECT status FROM orders WHERE id = {id}")).await
}

#[tokio::test]
async fn reservations_of_one_network_are_limited_to_a_share_of_the_stock() {
    let (app, product) = app_with(OrderSettings::default()).await;
    for address in [HERE, "2001:db8:1:2::1", "127.0.0.1"] {
        assert_eq!(reserve(&app, address, product, STOCK).await.0, "OUT_OF_RANGE lines.0.quantity", "{address}");
    }
    assert_eq!(reserve(&app, HERE, product, 25).await.0, "done");
    // A new cart, another address of the network, and an account do not start over.
    for address in [HERE, BESIDE] {
        assert_eq!(reserve(&app, address, product, 1).await.0, "OUT_OF_RANGE lines.0.quantity", "{address}");
    }
    let customer = app.customer().await;
    let cart = customer.create_cart(&[(product, 1)]).await;
    let reserve_cart = async |address| {
        from(&customer, address, "cartReserve", "", json!({ "id": cart.id })).await.outcome("cartReserve")
    };
    assert_eq!(reserve_cart(HERE).await, "OUT_OF_RANGE lines.0.quantity");
    assert_eq!(reserve_cart(ELSEWHERE).await, "done");
    // Others can buy the rest.
    assert_eq!(buy(&app, ELSEWHERE, product, 20).await.1.outcome("checkout"), "done");
}

#[tokio::test]
async fn number_of_reserved_carts_of_one_network_is_limited() {
    let (app, product) = app_with(OrderSettings { reserved_carts: 3, ..OrderSettings::default() }).await;
    for _ in 0..3 {
        assert_eq!(reserve(&app, HERE, product, 1).await.0, "done");
    }
    let (refused, ..) = reserve(&app, BESIDE, product, 1).await;
    assert_eq!(refused, "OUT_OF_RANGE id");
    assert_eq!(reserve(&app, ELSEWHERE, product, 1).await.0, "done");
    // A proxy on the same machine sends the requests of many clients.
    for _ in 0..4 {
        assert_eq!(reserve(&app, "127.0.0.1", product, 1).await.0, "done");
    }
    app.database.sql("UPDATE carts SET expires_at = now() - interval '1 second'").await;
    souk::carts::actions::clean_up(&app.database.db).await.unwrap();
    assert_eq!(reserve(&app, HERE, product, 1).await.0, "done");
}

#[tokio::test]
async fn networks_that_many_clients_share_are_those_that_are_exempt_from_rate_limits() {
    for (is_on, exempt, shared, counted) in [
        (true, "127.0.0.0/8", &["127.0.0.1"][..], &["10.1.2.3", HERE][..]),
        (true, "10.1.0.0/16", &["10.1.2.3"], &["127.0.0.1", HERE]),
        (false, "10.1.0.0/16", &["127.0.0.1", HERE], &[]),
    ] {
        let app = TestApp::builder()
            .orders(OrderSettings { reserved_carts: 1, ..OrderSettings::default() })
            .http(|http| (http.rates.is_on, http.rates.exempt) = (is_on, vec![exempt.parse().expect("a network")]))
            .build()
            .await;
        let website = app.website("sailor").await.id;
        let product = app.product(website, ProductSpec { stock: STOCK, ..ProductSpec::default() }).await.id;
        for (addresses, expected) in [(shared, "done"), (counted, "OUT_OF_RANGE id")] {
            for address in addresses {
                assert_eq!(reserve(&app, address, product, 1).await.0, "done", "{is_on} {exempt}: {address}");
                assert_eq!(reserve(&app, address, product, 1).await.0, expected, "{is_on} {exempt}: {address}");
            }
        }
    }
}

#[tokio::test]
async fn reserved_cart_can_be_checked_out_by_its_client() {
    let (app, product) = app_with(OrderSettings::default()).await;
    let (outcome, guest, cart) = reserve(&app, HERE, product, 25).await;
    assert_eq!(outcome, "done");
    let input = json!({
        "cartId": cart.id,
        "address": { "countryCode": "DE", "city": "Hamburg", "address": "Hafenstrasse 1", "postalCode": "20457" },
        "contact": { "name": "Ada", "email": "ada@souk.example" },
        "idempotencyKey": "k",
    });
    assert_eq!(from(&guest, HERE, "checkout", "", input).await.outcome("checkout"), "done");
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn unpaid_orders_of_one_client_are_limited_to_a_share_and_a_number() {
    let (app, product) = app_with(OrderSettings { unpaid_orders: 4, ..OrderSettings::default() }).await;
    let (guest, order) = unpaid(&app, HERE, product, 24).await;
    assert_eq!(buy(&app, BESIDE, product, 2).await.1.outcome("checkout"), "OUT_OF_RANGE lines.0.quantity");
    assert_eq!(reserve(&app, BESIDE, product, 2).await.0, "OUT_OF_RANGE lines.0.quantity");
    // What is paid for does not count.
    guest.pay(&order, "4111111111111111").await;
    unpaid(&app, HERE, product, 2).await;
    // Orders that were canceled today count, so that nobody starts over by canceling.
    for _ in 0..3 {
        let (guest, order) = unpaid(&app, HERE, product, 1).await;
        let canceled = guest.mutate("orderCancel", "", json!({ "id": order })).await;
        assert_eq!(canceled.outcome("orderCancel"), "done");
    }
    assert_eq!(buy(&app, BESIDE, product, 1).await.1.outcome("checkout"), "OUT_OF_RANGE cartId");
    unpaid(&app, ELSEWHERE, product, 1).await;
    let_time_pass(&app, "25 hours").await;
    cancel_expired(&app.database.db).await.unwrap();
    unpaid(&app, BESIDE, product, 1).await;
}

#[tokio::test]
async fn stock_is_sold_out_by_an_unpaid_order_once_a_day_at_most() {
    let (app, product) = app_with(OrderSettings::default()).await;
    // An honest customer, whose email address is known, may buy everything.
    let customer = verified_customer(&app).await;
    assert_eq!(order(&customer, HERE, product, STOCK).await, "done");
    let_time_pass(&app, "1 hour").await;
    assert_eq!(cancel_expired(&app.database.db).await.unwrap(), 1);
    assert_eq!(buy(&app, BESIDE, product, STOCK).await.1.outcome("checkout"), "OUT_OF_RANGE lines.0.quantity");
    unpaid(&app, BESIDE, product, 20).await;
    assert_eq!(order(&verified_customer(&app).await, ELSEWHERE, product, 30).await, "done");
    // A proxy on the same machine sends the requests of many clients.
    let other = app.product(website_of(&app).await, ProductSpec { stock: STOCK, ..ProductSpec::default() }).await.id;
    for _ in 0..2 {
        unpaid(&app, "127.0.0.1", other, 13).await;
    }
}

#[tokio::test]
async fn first_order_with_an_unconfirmed_email_address_is_limited_too() {
    let (app, product) = app_with(OrderSettings::default()).await;
    let small = app.product(website_of(&app).await, ProductSpec { stock: 3, ..ProductSpec::default() }).await.id;
    for address in [HERE, ELSEWHERE, "127.0.0.1"] {
        let (_, response) = buy(&app, address, product, 26).await;
        assert_eq!(response.outcome("checkout"), "OUT_OF_RANGE lines.0.quantity", "{address}");
        let message = response.text_at("checkout.userErrors.0.message");
        assert!(message.contains("confirm your email address"), "{message}");
    }
    let unverified = app.customer().await;
    assert_eq!(order(&unverified, HERE, product, 26).await, "OUT_OF_RANGE lines.0.quantity");
    assert_eq!(app.stock(product).await, STOCK, "nothing was sold");
    // Two units are always allowed.
    assert_eq!(buy(&app, ELSEWHERE, small, 3).await.1.outcome("checkout"), "OUT_OF_RANGE lines.0.quantity");
    unpaid(&app, ELSEWHERE, small, 2).await;
    // Units that are added to the first order count together with those that it has.
    let (guest, order_id) = unpaid(&app, HERE, product, 20).await;
    let line = "SELECT id FROM order_details ORDER BY id DESC LIMIT 1";
    let line = OrderDetailId(app.database.scalar(line).await.parse().expect("a key")).to_global_id();
    for (units, expected) in [(26, "OUT_OF_RANGE quantity"), (25, "done")] {
        let input = json!({ "id": line, "quantity": units });
        let changed = from(&guest, HERE, "orderDetailUpdate", "", input).await;
        assert_eq!(changed.outcome("orderDetailUpdate"), expected, "{units} of {order_id}");
    }
    assert_eq!(order(&verified_customer(&app).await, "192.0.2.1", product, 25).await, "done");
}

#[tokio::test]
async fn guest_whose_email_address_is_confirmed_may_order_everything() {
    let (app, product) = app_with(OrderSettings { unpaid_share: 10, ..OrderSettings::default() }).await;
    let other = app.product(website_of(&app).await, ProductSpec { stock: STOCK, ..ProductSpec::default() }).await.id;
    let cart = app.anonymous().create_cart(&[(product, 1)]).await;
    let guest = app.anonymous().with_cart(cart.token.clone());
    let check_out = async |key: &str| {
        let input = json!({
            "cartId": cart.id,
            "address": { "countryCode": "DE", "city": "Hamburg", "address": "Hafenstrasse 1", "postalCode": "20457" },
            "contact": { "name": "Ada", "email": "ada@souk.example" },
            "idempotencyKey": key,
        });
        from(&guest, HERE, "checkout", "", input).await.outcome("checkout")
    };
    assert_eq!(check_out("1").await, "done");
    let line = json!({ "cartId": cart.id, "productId": other.to_global_id(), "quantity": STOCK });
    assert_eq!(guest.try_mutate("cartLineAdd", line).await, "done");
    assert_eq!(check_out("2").await, "OUT_OF_RANGE lines.0.quantity");
    let token = json!({ "token": app.email().await.token() });
    assert_eq!(guest.try_mutate("orderEmailConfirm", token).await, "done");
    assert_eq!(check_out("3").await, "done");
    // One unpaid order of the product is enough.
    let (_, response) = buy(&app, BESIDE, product, 6).await;
    assert_eq!(response.outcome("checkout"), "OUT_OF_RANGE lines.0.quantity");
}

#[tokio::test]
async fn accounts_are_limited_wherever_they_are_and_staff_are_not() {
    let (app, product) = app_with(OrderSettings { unpaid_orders: 2, ..OrderSettings::default() }).await;
    let order = async |actor: &Actor<'_>, address: &str, units: i32| order(actor, address, product, units).await;
    let customer = app.customer().await;
    assert_eq!(order(&customer, HERE, 20).await, "done");
    assert_eq!(order(&customer, ELSEWHERE, 10).await, "OUT_OF_RANGE lines.0.quantity");
    assert_eq!(order(&customer, ELSEWHERE, 1).await, "done");
    assert_eq!(order(&customer, "192.0.2.1", 1).await, "OUT_OF_RANGE lines");
    let manager = app.manager().await;
    assert_eq!(order(&manager, HERE, 29).await, "done");
    assert_eq!(app.database.scalar("SELECT count(*) FROM unpaid_orders").await, "2");
}

#[tokio::test]
async fn units_added_to_an_unpaid_order_count_too() {
    let (app, product) = app_with(OrderSettings::default()).await;
    let free = app
        .product(website_of(&app).await, ProductSpec { stock: 5, price: Some("0.00"), ..ProductSpec::default() })
        .await
        .id;
    let (guest, order) = unpaid(&app, HERE, free, 1).await;
    assert_eq!(app.database.scalar("SELECT expires_at IS NULL FROM unpaid_orders").await, "t", "nothing to pay");
    let add = async |units: i32| {
        let input = json!({ "orderId": order, "productId": product.to_global_id(), "quantity": units });
        from(&guest, BESIDE, "orderDetailAdd", "order { details { id } }", input).await
    };
    unpaid(&app, BESIDE, product, 10).await;
    assert_eq!(add(16).await.outcome("orderDetailAdd"), "OUT_OF_RANGE quantity");
    let added = add(15).await;
    assert_eq!(added.outcome("orderDetailAdd"), "done");
    assert_eq!(app.database.scalar("SELECT bool_and(expires_at > now()) FROM unpaid_orders").await, "t");
    let more = json!({ "id": added.text_at("orderDetailAdd.order.details.1.id"), "quantity": 16 });
    let raised = from(&guest, HERE, "orderDetailUpdate", "", more).await;
    assert_eq!(raised.outcome("orderDetailUpdate"), "OUT_OF_RANGE quantity");
}

#[tokio::test]
async fn unpaid_order_expires_and_returns_its_units() {
    let (app, product) = app_with(OrderSettings::default()).await;
    let (_, order) = unpaid(&app, HERE, product, 25).await;
    assert_eq!(cancel_expired(&app.database.db).await.unwrap(), 0);
    let_time_pass(&app, "61 minutes").await;
    app.emails().await;
    // Any number of servers run the job.
    let other = app.second_server().await;
    let (one, two) = tokio::join!(cancel_expired(&app.database.db), cancel_expired(&other.database.db));
    assert_eq!(one.unwrap() + two.unwrap(), 1);
    assert_eq!(cancel_expired(&app.database.db).await.unwrap(), 0);
    assert_eq!((status(&app, &order).await.as_str(), app.stock(product).await), ("cancelled", STOCK));
    let ledger = "SELECT reason, delta, user_id FROM stock_movements WHERE order_id IS NOT NULL ORDER BY id";
    assert_eq!(app.database.rows(ledger).await, ["(sale,-25,)", "(cancellation,25,)"]);
    let events = "SELECT kind, to_status, user_id, message FROM order_events ORDER BY kind, id";
    let expected = [
        "(note,,,\"Canceled automatically: the order was not paid in time.\")",
        "(placed,pending,,)",
        "(status_changed,cancelled,,)",
    ];
    assert_eq!(app.database.rows(events).await, expected);
    let mail = app.email().await;
    assert!(mail.header("subject").ends_with("at Shop sailor has been canceled"), "{}", mail.header("subject"));
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn each_payment_method_has_its_own_time() {
    let (app, product) = app_with(OrderSettings::default()).await;
    let pay = async |method: &str, address: &str| {
        let (guest, order) = unpaid(&app, address, product, 1).await;
        let input = json!({ "orderId": order, "provider": "MANUAL", "method": method, "idempotencyKey": "p" });
        assert_eq!(guest.mutate("paymentCreate", "", input).await.outcome("paymentCreate"), "done");
        order
    };
    let (transfer, cash) = (pay("BANK_TRANSFER", HERE).await, pay("CASH_ON_DELIVERY", HERE).await);
    let (guest, card) = unpaid(&app, HERE, product, 1).await;
    guest.pay(&card, "4111111111111111").await;
    let (guest, declined) = unpaid(&app, HERE, product, 1).await;
    guest.pay(&declined, "4000000000000002").await;
    let (_, confirmed) = unpaid(&app, HERE, product, 1).await;
    let confirm = json!({ "id": confirmed, "status": "CONFIRMED" });
    assert_eq!(app.manager().await.mutate("orderStatusUpdate", "", confirm).await.outcome("orderStatusUpdate"), "done");

    let_time_pass(&app, "1 hour").await;
    cancel_expired(&app.database.db).await.unwrap();
    assert_eq!(status(&app, &declined).await, "cancelled");
    assert_eq!((status(&app, &transfer).await, status(&app, &card).await), ("pending".into(), "pending".into()));
    let_time_pass(&app, "7 days").await;
    cancel_expired(&app.database.db).await.unwrap();
    assert_eq!(status(&app, &transfer).await, "cancelled");
    app.run_jobs().await;
    assert_eq!(app.payment_status(&transfer).await, "none 0.00/0.00", "the authorization is voided");
    for order in [&cash, &card] {
        assert_eq!(status(&app, order).await, "pending");
    }
    assert_eq!(status(&app, &confirmed).await, "confirmed");
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn payment_that_arrives_after_the_expiry_is_undone() {
    let (app, product) = app_with(OrderSettings::default()).await;
    let (guest, order) = unpaid(&app, HERE, product, 1).await;
    // The test provider reports the outcome of this card later.
    guest.pay(&order, "4000000000000004").await;
    assert_eq!(app.payment_status(&order).await, "pending 0.00/0.00");
    let_time_pass(&app, "2 hours").await;
    assert_eq!(cancel_expired(&app.database.db).await.unwrap(), 1);
    // The authorization succeeds; then it is voided, which this card also does later.
    for _ in 0..2 {
        app.run_jobs_now("test_payment_webhook").await;
    }
    assert_eq!(app.payment_status(&order).await, "none 0.00/0.00");
    assert!(app.payment_history(&order).await.iter().any(|event| event.starts_with("voided")));
    let again = guest.try_pay(&order, "4111111111111111", "again").await;
    assert_eq!(again.outcome("paymentCreate"), "ILLEGAL_TRANSITION orderId");
}
