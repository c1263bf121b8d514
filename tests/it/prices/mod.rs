//! Price history: what is recorded, who reads it, and the lowest price of the last 30 days; currencies.

mod comparisons;
mod currencies;

use serde_json::{Value, json};
use souk::{
    auth::Permission,
    ids::{ProductId, RowId},
};

use crate::support::{Actor, ProductSpec, TestApp, psql::Psql};

const HISTORY: &str = "query ($id: ID!) { product(id: $id) { compareAtPrice { amount currency } priceHistory {
    totalCount { value } nodes { price { amount } compareAtPrice { amount } user { id } product { id } at } } } }";

async fn update(actor: &Actor<'_>, product: ProductId, input: Value) -> String {
    let mut input = input;
    input["id"] = json!(product.to_global_id());
    actor.mutate("productUpdate", "product { id }", input).await.outcome("productUpdate")
}

/// Returns price, compare-at price, and whether this actor set them, latest first.
async fn history(actor: &Actor<'_>, product: ProductId) -> Vec<String> {
    let response = actor.run_with(HISTORY, json!({ "id": product.to_global_id() })).await;
    let nodes = response.at("product.priceHistory.nodes").as_array().expect("a list").clone();
    assert_eq!(*response.at("product.priceHistory.totalCount.value"), nodes.len());
    let reported = nodes.iter().map(|node| {
        assert_eq!(node["product"]["id"], product.to_global_id());
        let amount = |field: &str| node[field]["amount"].as_str().unwrap_or("-").to_owned();
        let who = if node["user"]["id"] == actor.global_id() { "me" } else { "-" };
        format!("{} {} {who}", amount("price"), amount("compareAtPrice"))
    });
    reported.collect()
}

#[tokio::test]
async fn only_price_changes_are_recorded() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let manager = app.manager().await;
    let new = json!({ "sourceWebsiteId": website.to_global_id(), "name": "Rope", "sku": "R", "price": "10", "compareAtPrice": "12.50" });
    let made = manager.mutate("productCreate", "product { id compareAtPrice { amount currency } }", new).await;
    assert_eq!(*made.at("productCreate.product.compareAtPrice"), json!({ "amount": "12.50", "currency": "EUR" }));
    let product = ProductId::parse("id", &made.text_at("productCreate.product.id")).expect("an id");
    for input in [
        json!({ "price": "9" }),
        json!({ "price": "9.00", "name": "Hemp rope" }),
        json!({ "compareAtPrice": null }),
        json!({ "price": "8", "compareAtPrice": "9" }),
    ] {
        assert_eq!(update(&manager, product, input.clone()).await, "done", "{input}");
    }
    let adjusted = json!({ "productId": product.to_global_id(), "delta": 5 });
    assert_eq!(manager.mutate("stockAdjust", "", adjusted).await.outcome("stockAdjust"), "done");
    app.customer().await.order(&[(product, 1)]).await;
    assert_eq!(history(&manager, product).await, ["8.00 9.00 me", "9.00 - me", "9.00 12.50 me", "10.00 12.50 me"]);
    for wrong in ["-1", "1.005", "1000000000000"] {
        let found = update(&manager, product, json!({ "compareAtPrice": wrong })).await;
        assert!(found.ends_with(" compareAtPrice"), "{wrong}: {found}");
    }
    assert_eq!(history(&manager, product).await.len(), 4);
}

#[tokio::test]
async fn price_history_is_visible_only_to_those_who_set_prices() {
    let app = TestApp::new().await;
    let (here, there) = (app.website("sailor").await.id, app.website("rise").await.id);
    let (seller, other) = (app.seller().await, app.seller().await);
    let product = app.product(here, ProductSpec { seller: Some(seller.id), ..ProductSpec::default() }).await.id;
    let table = [
        (app.anonymous(), false),
        (app.customer().await, false),
        (other, false),
        (app.user_with(&[Permission::ManageStock], &[]).await, false),
        (app.user_with(&[Permission::ManageProducts], &[there]).await, false),
        (app.user_with(&[Permission::ManageProducts], &[here]).await, true),
        (seller, true),
        (app.admin().await, true),
    ];
    for (index, (actor, expected)) in table.iter().enumerate() {
        let response = actor.run_with(HISTORY, json!({ "id": product.to_global_id() })).await;
        assert_eq!(!response.at("product.priceHistory").is_null(), *expected, "row {index}");
    }
}

#[tokio::test]
async fn price_history_cannot_be_written_directly() {
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    app.product(website, ProductSpec::default()).await;
    let psql = Psql::connect(&app.database.url).await;
    for sql in [
        "INSERT INTO price_changes (product_id, price) SELECT id, 1 FROM products",
        "UPDATE price_changes SET price = 1",
        "DELETE FROM price_changes",
        "TRUNCATE price_changes",
    ] {
        let refused = psql.try_run(sql).await.expect_err(sql);
        let constraint = refused.as_db_error().and_then(|error| error.constraint());
        assert_eq!(constraint, Some("price_changes_from_products"), "{sql}");
    }
    // Every writer's changes are recorded, also of several rows at once.
    psql.rows("UPDATE products SET price = price + 1").await;
    psql.rows("UPDATE products SET price = price, name = name").await;
    let website = website.0;
    psql.rows(&format!(
        "INSERT INTO products (source_website_id, name, slug, sku, price)
            SELECT {website}, 'N', 'n-' || i, 'n-' || i, i FROM generate_series(1, 3) i
            ON CONFLICT (slug) DO UPDATE SET price = 7"
    ))
    .await;
    let all = "SELECT string_agg(price::text, ' ' ORDER BY id) FROM price_changes";
    assert_eq!(psql.scalar(all).await, "10.00 11.00 1.00 2.00 3.00");
}

/// Sets prices on several days, and checks the lowest price shown.
struct Shop<'a> {
    app: &'a TestApp,
    manager: Actor<'a>,
    product: ProductId,
}

impl Shop<'_> {
    /// Simulates later days by moving the history into the past.
    async fn days_later(&self, days: i32) {
        let sql = format!(
            "ALTER TABLE price_changes DISABLE TRIGGER USER;
             UPDATE price_changes SET at = at - interval '{days} days';
             ALTER TABLE price_changes ENABLE TRIGGER USER"
        );
        self.app.database.sql(&sql).await;
    }

    async fn lowest(&self) -> String {
        let document = "query ($id: ID!) { product(id: $id) { lowestPrice30Days { amount currency } } }";
        let response = self.app.anonymous().run_with(document, json!({ "id": self.product.to_global_id() })).await;
        response.at("product.lowestPrice30Days")["amount"].as_str().unwrap_or("-").to_owned()
    }
}

#[tokio::test]
async fn reduced_price_shows_the_lowest_price_of_the_previous_thirty_days() {
    // Each step: days since the previous one, the price, the compare-at price, and the lowest price shown.
    type Steps = &'static [(i32, &'static str, Option<&'static str>, &'static str)];
    let table: [(&str, Steps); 9] = [
        ("a first price is not a reduction", &[(0, "100", None, "-")]),
        ("a rise is not a reduction", &[(0, "100", None, "-"), (5, "120", None, "-")]),
        ("a reduction shows the previous price", &[(0, "100", None, "-"), (40, "80", None, "100.00")]),
        (
            "a rise before the reduction is ignored",
            &[(0, "100", None, "-"), (40, "150", None, "-"), (10, "120", Some("150"), "100.00")],
        ),
        (
            "prices of more than 30 days ago do not count",
            &[(0, "60", None, "-"), (40, "100", None, "-"), (31, "80", None, "100.00")],
        ),
        (
            "a price in effect at the start of the 30 days counts",
            &[(0, "60", None, "-"), (40, "100", None, "-"), (29, "80", None, "60.00")],
        ),
        (
            "a rise below the compare-at price counts as a reduction",
            &[(0, "100", None, "-"), (40, "60", Some("100"), "100.00"), (5, "80", Some("100"), "60.00")],
        ),
        (
            "changing only the compare-at price does not change the lowest price",
            &[
                (0, "100", None, "-"),
                (40, "80", Some("100"), "100.00"),
                (40, "80", Some("90"), "100.00"),
                (40, "80", None, "100.00"),
            ],
        ),
        (
            "a compare-at price set later refers to the start of the price",
            &[(0, "90", None, "-"), (40, "100", None, "-"), (40, "100", Some("120"), "90.00")],
        ),
    ];
    let app = TestApp::new().await;
    let website = app.website("sailor").await.id;
    let manager = app.manager().await;
    for (case, steps) in table {
        let product = app.product(website, ProductSpec { price: Some(steps[0].1), ..ProductSpec::default() }).await.id;
        let shop = Shop { app: &app, manager: app.existing_user(manager.id, "manager").await, product };
        assert_eq!(shop.lowest().await, steps[0].3, "{case}");
        for (days, price, compare, expected) in &steps[1..] {
            shop.days_later(*days).await;
            let change = json!({ "price": price, "compareAtPrice": compare });
            assert_eq!(update(&shop.manager, product, change).await, "done", "{case}");
            assert_eq!(shop.lowest().await, *expected, "{case}: {price}");
        }
    }
}
