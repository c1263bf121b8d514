//! A seller with one line of an order must not see or change the rest of it.

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{ProductId, RowId},
};

use crate::support::{Actor, ProductSpec, TestApp};

/// Everything that is not a seller's of an order with their line.
const HIDDEN: &str = "totalAmount { amount } paymentStatus paidAmount { amount } refundedAmount { amount } customerNote
    contact { name email phone } billingAddress { city } user { id }";

/// An order of a rope of seller `a` and a sail of seller `b`.
struct Shared<'a> {
    app: &'a TestApp,
    customer: Actor<'a>,
    a: Actor<'a>,
    b: Actor<'a>,
    admin: Actor<'a>,
    products: [ProductId; 2],
    order: String,
    /// The lines of `a` and `b`.
    lines: [String; 2],
}

impl<'a> Shared<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let website = app.website("sailor").await.id;
        let (customer, a, b, admin) = (app.customer().await, app.seller().await, app.seller().await, app.admin().await);
        customer.address().await;
        app.database.sql("UPDATE addresses SET is_default = true").await;
        let product = async |name: &str, seller: &Actor<'_>| {
            let (name, seller) = (Some(name.to_owned()), Some(seller.id));
            app.product(website, ProductSpec { name, stock: 100, seller, ..ProductSpec::default() }).await.id
        };
        let products = [product("Rope", &a).await, product("Sail", &b).await];
        let placed = customer.try_order(&[(products[0], 2), (products[1], 3)], "1").await;
        let line = |index: usize| placed.text_at(&format!("orderCreate.order.details.{index}.id"));
        let (order, lines) = (placed.text_at("orderCreate.order.id"), [line(0), line(1)]);
        app.database.sql("UPDATE orders SET contact_phone = '+4940123456', customer_note = 'Ring twice.'").await;
        Self { app, customer, a, b, admin, products, order, lines }
    }

    async fn set_status(&self, actor: &Actor<'_>, status: &str) -> String {
        actor.try_mutate("orderStatusUpdate", json!({ "id": self.order, "status": status })).await
    }

    async fn status(&self) -> String {
        self.app.database.scalar("SELECT status FROM orders").await
    }

    async fn read(&self, actor: &Actor<'_>, fields: &str) -> Value {
        let document = format!("query ($id: ID!) {{ order(id: $id) {{ {fields} }} }}");
        actor.run_with(&document, json!({ "id": self.order })).await.at("order").clone()
    }

    /// Ships units of the lines of `a` and `b`; returns the outcome and the ID of the shipment.
    async fn ship(&self, actor: &Actor<'_>, units: [i32; 2], key: &str) -> (String, Value) {
        let lines = self.lines.iter().zip(units).filter(|(_, units)| *units > 0);
        let lines: Vec<_> = lines.map(|(id, units)| json!({ "orderDetailId": id, "quantity": units })).collect();
        let input = json!({ "orderId": self.order, "lines": lines, "idempotencyKey": key });
        let response = actor.mutate("shipmentCreate", "shipment { id }", input).await;
        let outcome = response.outcome("shipmentCreate");
        let id = if outcome == "done" { response.at("shipmentCreate.shipment.id").clone() } else { Value::Null };
        (outcome, id)
    }
}

async fn sees(actor: &Actor<'_>, id: &Value) -> bool {
    actor.run_with("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await.at("node").is_object()
}

#[tokio::test]
async fn seller_sees_own_lines_and_what_shipping_them_needs() {
    let app = TestApp::new().await;
    let shared = Shared::new(&app).await;
    let hidden = shared.read(&shared.a, HIDDEN).await;
    assert!(hidden.as_object().expect("an order").values().all(Value::is_null), "{hidden:#}");
    let shown = shared.read(&shared.customer, HIDDEN).await;
    assert_eq!(shown["customerNote"], "Ring twice.");
    let fields =
        "details { name isConfirmed } events { kind } payments { id } shippingAddress { recipientName phone city }";
    let seen = shared.read(&shared.a, fields).await;
    assert_eq!(seen["details"], json!([{ "name": "Rope", "isConfirmed": false }]));
    assert_eq!((&seen["events"], &seen["payments"]), (&json!([]), &json!([])));
    let address = &seen["shippingAddress"];
    assert_eq!((&address["recipientName"], &address["phone"]), (&shown["contact"]["name"], &json!("+4940123456")));
    assert!(address["city"].is_string());
    // The same in lists and for the nodes themselves.
    let listed = shared.a.run("{ orders { nodes { contact { email } details { name } } } }").await;
    assert_eq!(*listed.at("orders.nodes"), json!([{ "contact": null, "details": [{ "name": "Rope" }] }]));
    let lines = shared.lines.each_ref().map(|id| json!(id));
    assert_eq!([sees(&shared.a, &lines[0]).await, sees(&shared.a, &lines[1]).await], [true, false]);
    // Nothing is left to ship of a canceled order.
    assert_eq!(shared.set_status(&shared.admin, "CANCELLED").await, "done");
    assert_eq!(shared.read(&shared.a, "shippingAddress { city }").await["shippingAddress"], Value::Null);
}

#[tokio::test]
async fn line_stays_with_the_seller_who_sold_it() {
    let app = TestApp::new().await;
    let shared = Shared::new(&app).await;
    let later = app.seller().await;
    let moved = format!("UPDATE products SET seller_id = {} WHERE id = {}", later.id.0, shared.products[0].0);
    app.database.sql(&moved).await;
    assert!(shared.read(&later, "id").await.is_null());
    assert_eq!(shared.read(&shared.a, "details { name }").await["details"], json!([{ "name": "Rope" }]));
}

#[tokio::test]
async fn seller_of_a_line_is_visible_to_staff_and_that_seller() {
    let app = TestApp::new().await;
    let shared = Shared::new(&app).await;
    let clerk = app.user_with(&[Permission::ManageOrders], &[]).await;
    // The line keeps its seller when the product gets another one.
    let later = app.seller().await;
    let moved = format!("UPDATE products SET seller_id = {} WHERE id = {}", later.id.0, shared.products[0].0);
    app.database.sql(&moved).await;
    let sellers = async |actor: &Actor<'_>| {
        let read = shared.read(actor, "details { seller { id } }").await;
        let lines = read["details"].as_array().expect("lines").clone();
        lines.iter().map(|line| line["seller"]["id"].clone()).collect::<Vec<_>>()
    };
    let (a, b) = (json!(shared.a.global_id()), json!(shared.b.global_id()));
    assert_eq!(sellers(&shared.admin).await, [a.clone(), b.clone()]);
    assert_eq!(sellers(&shared.a).await, [a]);
    assert_eq!(sellers(&shared.b).await, [b]);
    // Customers and staff without `MANAGE_USERS` see no other users.
    assert_eq!(sellers(&shared.customer).await, [Value::Null, Value::Null]);
    assert_eq!(sellers(&clerk).await, [Value::Null, Value::Null]);
    app.database.sql("UPDATE order_details SET seller_id = NULL").await;
    assert_eq!(sellers(&shared.admin).await, [Value::Null, Value::Null], "the shop's own products");
}

#[tokio::test]
async fn seller_does_not_learn_hidden_fields_by_filters() {
    let app = TestApp::new().await;
    let shared = Shared::new(&app).await;
    let email = app.database.scalar("SELECT contact_email FROM orders").await;
    for filter in [
        format!("where: {{contactEmail: {{eq: {email:?}}}}}"),
        format!("where: {{not: {{or: [{{contactEmail: {{startsWith: {:?}}}}}]}}}}", &email[..1]),
        "where: {contactName: {contains: \"Ada\"}}".to_owned(),
        "where: {paymentStatus: {eq: NONE}}".to_owned(),
        "where: {shippingCountry: {eq: \"DE\"}}".to_owned(),
        "where: {totalAmount: {gte: \"1\"}}".to_owned(),
        "orderBy: {field: TOTAL_AMOUNT}".to_owned(),
    ] {
        let list = format!("orders({filter}) {{ totalCount {{ value }} }}");
        assert_eq!(shared.a.run(&format!("{{ {list} }}")).await.code(), "FORBIDDEN", "{filter}");
        let nested = format!("{{ websites {{ nodes {{ {list} }} }} }}");
        assert_eq!(shared.a.run(&nested).await.code(), "FORBIDDEN", "{filter}");
        assert!(shared.admin.run(&format!("{{ {list} }}")).await.at("orders.totalCount.value").is_number(), "{filter}");
    }
    for (product, expected) in shared.products.iter().zip([1, 0]) {
        let filter = format!("{{product: {{in: [{:?}]}}}}", product.to_global_id());
        let count = async |actor: &Actor<'_>, filter: &str| {
            let list = format!("{{ orders(where: {filter}) {{ totalCount {{ value }} }} }}");
            actor.run(&list).await.at("orders.totalCount.value").clone()
        };
        assert_eq!(count(&shared.a, &filter).await, expected);
        assert_eq!(count(&shared.a, &format!("{{not: {filter}}}")).await, 1 - expected);
        assert_eq!(count(&shared.customer, &filter).await, 1);
    }
    let number = app.database.scalar("SELECT order_number FROM orders").await;
    let lookup = format!("{{ order(orderNumber: {number:?}, email: {email:?}) {{ id }} }}");
    assert!(shared.a.run(&lookup).await.at("order").is_null());
}

#[tokio::test]
async fn order_is_confirmed_shipped_and_delivered_when_all_sellers_have_done_so() {
    let app = TestApp::new().await;
    let shared = Shared::new(&app).await;
    let (a, b) = (&shared.a, &shared.b);
    for attempt in ["CANCELLED", "CONFIRMED"] {
        let expected = if attempt == "CANCELLED" { "PERMISSION_NOT_HELD status" } else { "done" };
        assert_eq!(shared.set_status(a, attempt).await, expected);
        assert_eq!(shared.status().await, "pending");
    }
    assert_eq!(a.try_mutate("orderCancel", json!({ "id": shared.order })).await, "NOT_FOUND id");
    assert_eq!(shared.read(a, "details { isConfirmed }").await["details"], json!([{ "isConfirmed": true }]));
    // A changed line has to be confirmed again.
    let more = json!({ "id": shared.lines[0], "quantity": 4 });
    assert_eq!(shared.customer.try_mutate("orderDetailUpdate", more).await, "done");
    assert_eq!(shared.set_status(b, "CONFIRMED").await, "done");
    assert_eq!(shared.status().await, "pending");
    assert_eq!(shared.set_status(a, "CONFIRMED").await, "done");
    assert_eq!(shared.status().await, "confirmed");

    assert_eq!(shared.ship(a, [0, 1], "1").await.0, "NOT_FOUND lines.0.orderDetailId");
    let (outcome, first) = shared.ship(a, [1, 0], "2").await;
    assert_eq!(outcome, "done");
    assert_eq!(shared.set_status(a, "SHIPPED").await, "done");
    assert_eq!(shared.status().await, "confirmed");
    let nothing = json!({ "orderId": shared.order, "idempotencyKey": "3" });
    assert_eq!(a.try_mutate("shipmentCreate", nothing).await, "OUT_OF_RANGE lines");
    assert_eq!([sees(a, &first).await, sees(b, &first).await], [true, false]);
    assert_eq!(shared.read(b, "shipments { id }").await["shipments"], json!([]));
    for mutation in ["shipmentUpdate", "shipmentDeliver"] {
        assert_eq!(b.try_mutate(mutation, json!({ "id": first })).await, "NOT_FOUND id", "{mutation}");
    }
    assert_eq!(shared.set_status(b, "SHIPPED").await, "done");
    assert_eq!(shared.status().await, "shipped");
    let shipped =
        app.database.rows("SELECT shipment_id, order_detail_id, quantity FROM shipment_lines ORDER BY 1").await;
    assert_eq!(shipped, ["(1,1,1)", "(2,1,3)", "(3,2,3)"]);

    assert_eq!(shared.set_status(a, "DELIVERED").await, "done");
    assert_eq!(shared.status().await, "shipped");
    let delivered = "SELECT array_agg(id ORDER BY id) FROM shipments WHERE delivered_at IS NOT NULL";
    assert_eq!(app.database.scalar(delivered).await, "{1,2}");
    assert_eq!(shared.set_status(b, "DELIVERED").await, "done");
    assert_eq!(shared.status().await, "delivered");
    app.database.assert_invariants().await;
}

#[tokio::test]
async fn seller_sees_their_part_of_shipments_and_returns_but_does_not_change_them() {
    let app = TestApp::new().await;
    let shared = Shared::new(&app).await;
    let (a, b) = (&shared.a, &shared.b);
    assert_eq!(shared.set_status(&shared.admin, "CONFIRMED").await, "done");
    let (_, both) = shared.ship(&shared.admin, [1, 1], "1").await;
    let (_, of_b) = shared.ship(&shared.admin, [0, 1], "2").await;
    for mutation in ["shipmentUpdate", "shipmentDeliver"] {
        assert_eq!(a.try_mutate(mutation, json!({ "id": both })).await, "PERMISSION_NOT_HELD id", "{mutation}");
        assert_eq!(a.try_mutate(mutation, json!({ "id": of_b })).await, "NOT_FOUND id", "{mutation}");
    }
    let mine =
        shared.read(a, "shipments { lines { quantity detail { name order { totalAmount { amount } } } } }").await;
    let line = json!({ "quantity": 1, "detail": { "name": "Rope", "order": { "totalAmount": null } } });
    assert_eq!(mine["shipments"], json!([{ "lines": [line] }]));

    let returned = |index: usize| json!({ "orderDetailId": shared.lines[index], "quantity": 1, "reason": "torn" });
    let request = async |lines: Value, key: &str| {
        let input = json!({ "orderId": shared.order, "lines": lines, "note": "Write to me.", "idempotencyKey": key });
        let response = shared.customer.mutate("returnCreate", "return { id }", input).await;
        response.at("returnCreate.return.id").clone()
    };
    let both = request(json!([returned(0), returned(1)]), "1").await;
    let of_b = request(json!([returned(1)]), "2").await;
    assert_eq!([sees(a, &both).await, sees(a, &of_b).await, sees(b, &of_b).await], [true, false, true]);
    let mine = shared.read(a, "returns { note lines { reason detail { name } } }").await;
    let line = json!({ "reason": "torn", "detail": { "name": "Rope" } });
    assert_eq!(mine["returns"], json!([{ "note": null, "lines": [line] }]));
    let all = shared.read(&shared.customer, "returns { note lines { reason } }").await;
    assert_eq!(all["returns"].as_array().map(Vec::len), Some(2));
    assert_eq!(all["returns"][0]["note"], "Write to me.");
}

#[tokio::test]
async fn guest_order_found_by_email_is_whole_for_a_seller_too() {
    let app = TestApp::new().await;
    let shared = Shared::new(&app).await;
    app.assign_to_guest(&shared.order, "souk_c_guest").await;
    let (number, email) = (
        app.database.scalar("SELECT order_number FROM orders").await,
        app.database.scalar("SELECT contact_email FROM orders").await,
    );
    let lookup = format!(
        "{{ order(orderNumber: {number:?}, email: {email:?}) {{ details {{ order {{ totalAmount {{ amount }} }} }} }} }}"
    );
    let found = shared.a.run(&lookup).await;
    assert_eq!(found.at("order.details").as_array().map(Vec::len), Some(2));
    assert!(found.at("order.details.0.order.totalAmount.amount").is_string());
    assert_eq!(shared.read(&shared.a, "details { name }").await["details"], json!([{ "name": "Rope" }]));
}
