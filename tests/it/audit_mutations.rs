//! What every mutation leaves in the audit log: who, from where, before and after.
//! The table reaches every mutation of the graph; a new one has to be added here.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use souk::ids::{JobId, RoleId, RowId};

use crate::support::{Actor, ProductSpec, TestApp, sdl::Sdl};

/// A mutation, its input, and the entries that it leaves: change, noun, code of its website (`-` for none),
/// before and after.
/// Words in capitals stand for the ids of [`Shop::names`]. Times are left out.
struct Case(&'static str, &'static str, &'static [&'static str]);

const CASES: &[Case] = &[
    Case(
        "websiteCreate",
        r#"{"code": "oar", "name": "Oar", "baseUrl": "https://oar.example", "currency": "SEK"}"#,
        &[r#"CREATED WEBSITE oar null {"code":"oar","name":"Oar","base_url":"https://oar.example","currency":"SEK"}"#],
    ),
    Case(
        "websiteUpdate",
        r#"{"id": "WEBSITE", "name": "Seaman"}"#,
        &[r#"UPDATED WEBSITE sailor {"name":"Shop sailor"} {"name":"Seaman"}"#],
    ),
    Case(
        "categoryCreate",
        r#"{"name": "Twine", "parentId": "CATEGORY"}"#,
        &[
            r#"CREATED CATEGORY - null {"name":"Twine","slug":"twine","position":0,"parent_id":"CATEGORY","description":""}"#,
        ],
    ),
    Case(
        "categoryUpdate",
        r#"{"id": "CATEGORY", "name": "Cords", "position": 3}"#,
        &[r#"UPDATED CATEGORY - {"name":"ropes","position":0} {"name":"Cords","position":3}"#],
    ),
    Case(
        "brandCreate",
        r#"{"name": "Wick"}"#,
        &[r#"CREATED BRAND - null {"name":"Wick","slug":"wick","description":""}"#],
    ),
    Case(
        "brandUpdate",
        r#"{"id": "BRAND", "name": "Knots"}"#,
        &[r#"UPDATED BRAND - {"name":"knot"} {"name":"Knots"}"#],
    ),
    Case(
        "brandDelete",
        r#"{"id": "BRAND"}"#,
        &[r#"DELETED BRAND - {"name":"Knots","slug":"knot","description":""} null"#],
    ),
    Case(
        "supplierCreate",
        r#"{"name": "Flax Ltd", "email": "flax@souk.example"}"#,
        &[r#"CREATED SUPPLIER - null {"name":"Flax Ltd","email":"flax@souk.example"}"#],
    ),
    Case(
        "supplierUpdate",
        r#"{"id": "SUPPLIER", "phone": "+44 20 7946 0000"}"#,
        &[r#"UPDATED SUPPLIER - {"phone":null} {"phone":"+442079460000"}"#],
    ),
    Case(
        "supplierDelete",
        r#"{"id": "SUPPLIER"}"#,
        &[r#"DELETED SUPPLIER - {"name":"Hemp Ltd","phone":"+442079460000"} null"#],
    ),
    Case(
        "productCreate",
        r#"{"sourceWebsiteId": "WEBSITE", "name": "Lamp", "sku": "L", "price": "9.5"}"#,
        &[
            r#"CREATED PRODUCT sailor null {"sku":"L","name":"Lamp","slug":"lamp","price":"9.50","is_active":true,"description":"","source_website_id":"WEBSITE"}"#,
        ],
    ),
    Case(
        "productUpdate",
        r#"{"id": "ROPE", "price": "12.00", "categoryId": "CATEGORY"}"#,
        &[r#"UPDATED PRODUCT sailor {"price":"10.00","category_id":null} {"price":"12.00","category_id":"CATEGORY"}"#],
    ),
    Case("productDelete", r#"{"id": "SAIL"}"#, &[r#"UPDATED PRODUCT sailor {"is_active":true} {"is_active":false}"#]),
    Case(
        "stockAdjust",
        r#"{"productId": "ROPE", "delta": -3, "note": "wet"}"#,
        &[
            r#"CREATED STOCK_MOVEMENT sailor null {"note":"wet","delta":-3,"reason":"adjustment","balance":5,"user_id":"ADMIN","product_id":"ROPE"}"#,
        ],
    ),
    Case(
        "orderCreate",
        r#"{"lines": [{"productId": "ROPE", "quantity": 2}], "addressId": "ADDRESS", "idempotencyKey": "k"}"#,
        &[
            r#"CREATED ORDER sailor null {"status":"pending","user_id":"ADMIN","ship_city":"Hamburg","contact_name":"A Administrator","ship_address":"Hafenstrasse 1","ship_country":"DE","total_amount":"24.00","ship_postal_code":"20359","source_website_id":"WEBSITE"}"#,
        ],
    ),
    Case(
        "checkout",
        r#"{"cartId": "CART", "addressId": "ADDRESS", "expectedTotal": "12.00", "idempotencyKey": "k"}"#,
        &[
            r#"CREATED ORDER sailor null {"status":"pending","user_id":"ADMIN","ship_city":"Hamburg","contact_name":"A Administrator","ship_address":"Hafenstrasse 1","ship_country":"DE","total_amount":"12.00","ship_postal_code":"20359","source_website_id":"WEBSITE"}"#,
        ],
    ),
    Case(
        "orderDetailAdd",
        r#"{"orderId": "ORDER", "productId": "ROPE", "quantity": 1}"#,
        &[
            r#"CREATED ORDER_DETAIL sailor null {"sku":"R","name":"Product R","order_id":"ORDER","quantity":1,"product_id":"ROPE","unit_price":"12.00","total_price":"12.00"}"#,
            r#"UPDATED ORDER sailor {"total_amount":"20.00"} {"total_amount":"32.00"}"#,
        ],
    ),
    Case(
        "orderDetailUpdate",
        r#"{"id": "LINE", "quantity": 3}"#,
        &[
            r#"UPDATED ORDER_DETAIL sailor {"quantity":2,"total_price":"20.00"} {"quantity":3,"total_price":"30.00"}"#,
            r#"UPDATED ORDER sailor {"total_amount":"32.00"} {"total_amount":"42.00"}"#,
        ],
    ),
    Case(
        "orderDetailRemove",
        r#"{"id": "LINE"}"#,
        &[
            r#"DELETED ORDER_DETAIL sailor {"sku":"R","name":"Product R","order_id":"ORDER","quantity":3,"product_id":"ROPE","unit_price":"10.00","total_price":"30.00"} null"#,
            r#"UPDATED ORDER sailor {"total_amount":"42.00"} {"total_amount":"12.00"}"#,
        ],
    ),
    Case(
        "orderStatusUpdate",
        r#"{"id": "ORDER", "status": "CONFIRMED"}"#,
        &[r#"UPDATED ORDER sailor {"status":"pending"} {"status":"confirmed"}"#],
    ),
    Case(
        "orderCancel",
        r#"{"id": "ORDER"}"#,
        &[r#"UPDATED ORDER sailor {"status":"confirmed"} {"status":"cancelled"}"#],
    ),
    Case(
        "paymentCreate",
        r#"{"orderId": "UNPAID", "provider": "TEST", "method": "CARD", "source": "4111111111111111", "idempotencyKey": "k"}"#,
        &[
            r#"CREATED PAYMENT sailor null {"amount":"10.00","method":"card","status":"pending","currency":"EUR","order_id":"UNPAID","provider":"test","captured_amount":"0.00","refunded_amount":"0.00"}"#,
            r#"UPDATED PAYMENT sailor {"status":"pending"} {"status":"authorized"}"#,
        ],
    ),
    Case(
        "paymentCapture",
        r#"{"id": "PAYMENT", "amount": "4", "idempotencyKey": "k"}"#,
        &[
            r#"UPDATED PAYMENT sailor {"status":"authorized","captured_amount":"0.00"} {"status":"captured","captured_amount":"4.00"}"#,
        ],
    ),
    Case(
        "paymentRefund",
        r#"{"id": "PAYMENT", "amount": "1.5", "idempotencyKey": "k"}"#,
        &[r#"UPDATED PAYMENT sailor {"refunded_amount":"0.00"} {"refunded_amount":"1.50"}"#],
    ),
    Case(
        "shipmentUpdate",
        r#"{"id": "SHIPMENT", "carrier": "Post"}"#,
        &[r#"UPDATED SHIPMENT sailor {"carrier":null} {"carrier":"Post"}"#],
    ),
    Case(
        "shipmentCreate",
        r#"{"orderId": "PARCELS", "trackingNumber": "P 1", "idempotencyKey": "k"}"#,
        &[
            r#"CREATED SHIPMENT sailor null {"order_id":"PARCELS","tracking_number":"P 1"}"#,
            r#"UPDATED ORDER sailor {"status":"confirmed"} {"status":"shipped"}"#,
        ],
    ),
    Case("shipmentDeliver", r#"{"id": "SHIPMENT"}"#, &["UPDATED SHIPMENT sailor {} {}"]),
    Case(
        "register",
        r#"{"name": "Ada", "email": "ada@souk.example", "password": "correct horse", "sourceWebsiteId": "WEBSITE"}"#,
        &[
            r#"CREATED USER sailor null {"name":"Ada","email":"ada@souk.example","role_id":"CUSTOMERS","is_active":true,"password_hash":"(hidden)","source_website_id":"WEBSITE"}"#,
        ],
    ),
    Case(
        "userCreate",
        r#"{"name": "Bo", "email": "bo@souk.example", "role": "seller"}"#,
        &[r#"CREATED USER - null {"name":"Bo","email":"bo@souk.example","role_id":"SELLERS","is_active":true}"#],
    ),
    Case(
        "userUpdate",
        r#"{"id": "CUSTOMER", "name": "Cy", "phone": "+44 20 7946 0000"}"#,
        &[r#"UPDATED USER - {"name":"A Customer","phone":null} {"name":"Cy","phone":"+442079460000"}"#],
    ),
    Case("userDeactivate", r#"{"id": "CUSTOMER"}"#, &[r#"UPDATED USER - {"is_active":true} {"is_active":false}"#]),
    Case(
        "categoryDelete",
        r#"{"id": "LEAF"}"#,
        &[r#"DELETED CATEGORY - {"name":"leaf","slug":"leaf","position":0,"description":""} null"#],
    ),
    Case("userReactivate", r#"{"id": "CUSTOMER"}"#, &[r#"UPDATED USER - {"is_active":false} {"is_active":true}"#]),
    Case(
        "userRoleSet",
        r#"{"userId": "CUSTOMER", "roleId": "SELLERS"}"#,
        &[r#"UPDATED USER - {"role_id":"CUSTOMERS"} {"role_id":"SELLERS"}"#],
    ),
    // The erasure is told, too, but not whom it took out.
    Case("userErase", r#"{"id": "CUSTOMER"}"#, &[r#"UPDATED USER - {"is_active":true} {"is_active":false}"#]),
    Case(
        "apiKeyCreate",
        r#"{"name": "Till", "permissions": ["MANAGE_STOCK"], "websites": ["WEBSITE"]}"#,
        &[
            r#"CREATED API_KEY - null {"hash":"(hidden)","name":"Till","user_id":"ADMIN"}"#,
            r#"UPDATED API_KEY - null {"permission":"MANAGE_STOCK"}"#,
            r#"UPDATED API_KEY - null {"website_id":"WEBSITE"}"#,
        ],
    ),
    Case("apiKeyRevoke", r#"{"id": "KEY"}"#, &["UPDATED API_KEY - {} {}"]),
    Case(
        "roleCreate",
        r#"{"code": "clerk", "name": "Clerk", "permissions": ["MANAGE_STOCK"], "websites": ["WEBSITE"]}"#,
        &[
            r#"CREATED ROLE - null {"code":"clerk","name":"Clerk","is_builtin":false,"description":""}"#,
            r#"UPDATED ROLE - null {"permission":"MANAGE_STOCK"}"#,
            r#"UPDATED ROLE - null {"website_id":"WEBSITE"}"#,
        ],
    ),
    Case(
        "roleUpdate",
        r#"{"id": "ROLE", "permissions": ["MANAGE_USERS"]}"#,
        &[
            r#"UPDATED ROLE - {"permission":"MANAGE_STOCK"} null"#,
            r#"UPDATED ROLE - null {"permission":"MANAGE_USERS"}"#,
        ],
    ),
    Case(
        "roleDelete",
        r#"{"id": "ROLE"}"#,
        &[
            r#"DELETED ROLE - {"code":"temp","name":"Temp","is_builtin":false,"description":""} null"#,
            r#"UPDATED ROLE - {"permission":"MANAGE_USERS"} null"#,
        ],
    ),
    Case(
        "jobRetry",
        r#"{"id": "JOB"}"#,
        &[r#"UPDATED JOB - {"state":"dead","attempts":10} {"state":"queued","attempts":0}"#],
    ),
    Case(
        "jobDelete",
        r#"{"id": "GONE"}"#,
        &[r#"DELETED JOB - {"kind":"mail","state":"dead","attempts":3,"is_recurring":false} null"#],
    ),
    // What changes nothing that the log tells of: what is void shows once nothing of the payment is left.
    Case("paymentVoid", r#"{"id": "PAYMENT", "idempotencyKey": "k"}"#, &[]),
    Case("login", r#"{"email": "ada@souk.example", "password": "correct horse"}"#, &[]),
    Case("addressCreate", r#"{"country": "DE", "city": "Kiel", "address": "Hafen 1"}"#, &[]),
    Case("addressUpdate", r#"{"id": "ADDRESS", "city": "Bremen"}"#, &[]),
    Case("addressDelete", r#"{"id": "ADDRESS"}"#, &[]),
];

/// Mutations of what the log does not tell of, and why.
const UNTOLD: &[(&str, &str)] = &[
    ("cartCreate", CARTS),
    ("cartLineAdd", CARTS),
    ("cartLineUpdate", CARTS),
    ("cartLineRemove", CARTS),
    ("cartClear", CARTS),
    ("cartReserve", CARTS),
    ("cartRelease", CARTS),
    ("logout", SESSIONS),
    ("logoutEverywhere", SESSIONS),
    ("sessionRevoke", SESSIONS),
    ("tokenRefresh", SESSIONS),
    ("emailChange", JOBS),
    ("emailVerificationResend", JOBS),
    ("passwordForgot", JOBS),
    ("emailChangeConfirm", MAIL),
    ("emailVerify", MAIL),
    ("passwordChange", MAIL),
    ("passwordReset", MAIL),
];
const CARTS: &str = "a cart is its holder's own until it is bought";
const SESSIONS: &str = "sessions keep their own times, devices and addresses";
const JOBS: &str = "it queues a job that sends a mail";
const MAIL: &str = "it takes the token of a mail, or a password: `recovery` has what they leave";

/// Something of each noun, and the names of their ids.
struct Shop<'a> {
    admin: Actor<'a>,
    names: Vec<(&'static str, String)>,
}

impl<'a> Shop<'a> {
    async fn new(app: &'a TestApp) -> Self {
        let (admin, customer) = (app.admin().await, app.customer().await);
        let website = app.website("sailor").await.id;
        let product = async |sku: &str| {
            app.product(website, ProductSpec { sku: Some(sku.into()), stock: 10, ..ProductSpec::default() }).await.id
        };
        let (rope, sail) = (product("R").await, product("S").await);
        let clerk = json!({ "code": "temp", "name": "Temp", "permissions": ["MANAGE_STOCK"] });
        let role = admin.mutate("roleCreate", "role { id }", clerk).await;
        let role_of = async |code: &str| {
            let sql = format!("SELECT id FROM roles WHERE code = '{code}'");
            RoleId(app.database.ask(&sql).await.parse().expect("a key")).global()
        };
        let (unpaid, paid) = (admin.order(&[(sail, 1)]).await, admin.order(&[(sail, 1)]).await);
        let payment = admin.pay(&paid, "4111111111111111").await;
        let placed = admin.try_order(&[(rope, 2)], "first").await;
        let parcels = admin.try_order(&[(sail, 3)], "parcels").await;
        let parcel_line = parcels.text_at("orderCreate.order.details.0.id");
        let parcels = parcels.text_at("orderCreate.order.id");
        let confirm = json!({ "id": parcels, "status": "CONFIRMED" });
        admin.mutate("orderStatusUpdate", "", confirm).await.at("orderStatusUpdate");
        let one = json!([{ "orderDetailId": parcel_line, "quantity": 1 }]);
        let ship = json!({ "orderId": parcels, "lines": one, "idempotencyKey": "first" });
        let shipped = admin.mutate("shipmentCreate", "shipment { id }", ship).await;
        let key = json!({ "name": "Till", "permissions": [] });
        let key = admin.mutate("apiKeyCreate", "apiKey { id }", key).await;
        let dead = async |attempts: i32| {
            let sql = format!(
                "INSERT INTO jobs (kind, payload, user_id, state, attempts, last_error)
                    VALUES ('mail', '{{}}', {}, 'dead', {attempts}, 'no such address') RETURNING id",
                admin.id.0
            );
            JobId(app.database.ask(&sql).await.parse().expect("a key")).global()
        };
        let cart = admin.cart_of(&[(rope, 1)]).await;
        let names = vec![
            ("CART", cart.id),
            ("KEY", key.text_at("apiKeyCreate.apiKey.id")),
            ("ADMIN", admin.global_id()),
            ("CUSTOMER", customer.global_id()),
            ("WEBSITE", website.global()),
            ("CATEGORY", app.category("ropes", None).await.id.global()),
            ("LEAF", app.category("leaf", None).await.id.global()),
            ("BRAND", app.brand("knot").await.id.global()),
            ("SUPPLIER", app.supplier("Hemp Ltd").await.id.global()),
            ("ROPE", rope.global()),
            ("SAIL", sail.global()),
            ("ADDRESS", admin.address().await.id.global()),
            ("UNPAID", unpaid),
            ("PAYMENT", payment),
            ("ORDER", placed.text_at("orderCreate.order.id")),
            ("PARCELS", parcels),
            ("SHIPMENT", shipped.text_at("shipmentCreate.shipment.id")),
            ("LINE", placed.text_at("orderCreate.order.details.0.id")),
            ("ROLE", role.text_at("roleCreate.role.id")),
            ("CUSTOMERS", role_of("customer").await),
            ("SELLERS", role_of("seller").await),
            ("JOB", dead(10).await),
            ("GONE", dead(3).await),
        ];
        Self { admin, names }
    }

    fn input(&self, text: &str) -> Value {
        let text = self
            .names
            .iter()
            .fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{name:?}"), &format!("{id:?}")));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The entries of a request, oldest first.
    async fn entries(&self, request_id: &str) -> Vec<Value> {
        let document = "{ auditLog(first: 100, orderBy: {field: AT}) { nodes {
            via user { id } address requestId noun nounId website { code } change before after } } }";
        let answer = self.admin.run(document).await;
        let entries = answer.at("auditLog.nodes").as_array().expect("a list").iter();
        entries.filter(|entry| entry["requestId"] == request_id).cloned().collect()
    }

    /// An entry as [`Case`] has it.
    fn told(&self, entry: &Value) -> String {
        let side = |side: &str| {
            let mut columns = entry[side].clone();
            for moving in [
                "created_at",
                "delivered_at",
                "erased_at",
                "placed_at",
                "shipped_at",
                "order_number",
                "prefix",
                "revoked_at",
                "checkout_id",
                "contact_email",
            ] {
                columns.as_object_mut().map(|columns| columns.shift_remove(moving));
            }
            columns.to_string()
        };
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let (change, noun, website) = (word(&entry["change"]), word(&entry["noun"]), word(&entry["website"]["code"]));
        let text = format!("{change} {noun} {website} {} {}", side("before"), side("after"));
        self.names.iter().fold(text, |text, (name, id)| text.replace(&format!("{id:?}"), &format!("{name:?}")))
    }
}

#[tokio::test]
async fn every_mutation_tells_who_changed_what_from_where() {
    let app = TestApp::new().await;
    let shop = Shop::new(&app).await;
    let mut wrong = String::new();
    for Case(mutation, input, expected) in CASES {
        let actor = if *mutation == "register" { app.anonymous() } else { app.known(shop.admin.id, "admin").await };
        let request = actor.request().header("x-request-id", *mutation).header("x-forwarded-for", "203.0.113.9");
        let mut input_type = (*mutation).to_owned() + "Input";
        input_type[..1].make_ascii_uppercase();
        let document = format!(
            "mutation ($input: {input_type}!) {{ {mutation}(input: $input) {{ userErrors {{ code field }} }} }}"
        );
        let answer = actor.run_by(request, &document, json!({ "input": shop.input(input) })).await;
        assert_eq!(answer.verdict(mutation), "done", "{mutation}: {answer:#?}");
        let entries = shop.entries(mutation).await;
        let told: Vec<_> = entries.iter().map(|entry| shop.told(entry)).collect();
        if told != *expected {
            wrong += &format!("{mutation} leaves\n    {}\n", told.join("\n    "));
        }
        for entry in &entries {
            let (via, user) = match *mutation {
                "register" => ("ANONYMOUS", Value::Null),
                _ => ("SESSION", json!(shop.admin.global_id())),
            };
            assert_eq!((entry["via"].as_str(), &entry["user"]["id"]), (Some(via), &user), "{entry:#}");
            assert_eq!(entry["address"], "203.0.113.9", "{entry:#}");
            let (type_name, _) = souk::ids::split(entry["nounId"].as_str().expect("an id")).expect("an id");
            let noun = entry["noun"].as_str().expect("a noun").replace('_', "");
            assert_eq!(type_name.to_uppercase(), noun, "{entry:#}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_mutation_is_in_the_table() {
    let sdl = Sdl::read();
    let told: BTreeSet<_> = CASES.iter().map(|case| case.0.to_owned()).collect();
    let told =
        told.into_iter().chain(UNTOLD.iter().map(|(mutation, _)| (*mutation).to_owned())).collect::<BTreeSet<_>>();
    let all: BTreeSet<_> = sdl.fields("Mutation").iter().map(|field| field.name.node.to_string()).collect();
    assert_eq!(told, all, "say what each mutation leaves in the audit log");
}
