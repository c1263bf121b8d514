//! One actor of every kind, and one row of every type, for the access matrices.

use std::collections::BTreeMap;

use serde_json::json;
use souk::{
    auth::Permission,
    ids::{ImageId, JobId, PriceChangeId, RowId, SearchRuleId, StockMovementId, TransferId},
};

use super::{Actor, ProductSpec, TestApp};
use crate::DOMAINS;

/// Names of the actors. The first customer placed an order, the first seller sold it, and the website manager manages
/// its website. The API key belongs to the admin and has only MANAGE_ORDERS.
pub const ACTORS: [&str; 9] = [
    "anonymous",
    "customer",
    "other customer",
    "seller",
    "other seller",
    "website manager",
    "manager",
    "admin",
    "API key",
];

/// The actors, and the id of one row of each type; rows that have an owner belong to the first customer or the first
/// seller.
pub struct Scenario<'a> {
    /// In the order of [`ACTORS`].
    pub actors: Vec<Actor<'a>>,
    /// Global ids by type.
    pub ids: BTreeMap<&'static str, String>,
}

impl<'a> Scenario<'a> {
    /// Creates the actors and rows.
    pub async fn create(app: &'a TestApp) -> Self {
        let website = app.website("sailor").await;
        let managers = [
            Permission::ManageUsers,
            Permission::ManageCatalogue,
            Permission::ManageProducts,
            Permission::ManageStock,
            Permission::ManageOrders,
            Permission::ManagePayments,
            Permission::ManageReviews,
        ];
        let mut actors = vec![
            app.anonymous(),
            app.customer().await,
            app.customer().await,
            app.seller().await,
            app.seller().await,
            app.user_with(&managers, &[website.id]).await,
            app.manager().await,
            app.admin().await,
        ];
        let key = json!({ "name": "Till", "permissions": ["MANAGE_ORDERS"] });
        let made = actors[7].mutate("apiKeyCreate", "secret", key).await;
        actors.push(app.with_key(made.text_at("apiKeyCreate.secret"), actors[7].id));
        let (customer, seller) = (&actors[1], &actors[3]);
        let made = customer.mutate("apiKeyCreate", "apiKey { id }", json!({ "name": "Till", "permissions": [] })).await;
        let from = format!("UPDATE users SET source_website_id = {} WHERE id = {}", website.id.0, customer.id.0);
        app.database.sql(&from).await;
        let (category, brand) = (app.category("lamps", None).await, app.brand("wick").await);
        let supplier = app.supplier("Tallow and Sons").await;
        let spec = |sku: &str| ProductSpec {
            sku: Some(sku.to_owned()),
            stock: 10,
            category: Some(category.id),
            brand: Some(brand.id),
            supplier: Some(supplier.id),
            seller: Some(seller.id),
            ..ProductSpec::default()
        };
        let sold = app.product(website.id, spec("sold")).await;
        // Of the two units one is shipped.
        let order = customer.order(&[(sold.id, 2)]).await;
        let confirm = json!({ "id": order, "status": "CONFIRMED" });
        assert_eq!(actors[7].mutate("orderStatusUpdate", "", confirm).await.outcome("orderStatusUpdate"), "done");
        // An inactive product, visible only to its seller and staff.
        let hidden = app.product(website.id, spec("hidden")).await;
        app.database.sql(&format!("UPDATE products SET is_active = false WHERE id = {}", hidden.id.0)).await;
        let group = json!({ "sourceWebsiteId": website.id.to_global_id(), "name": "Lantern", "variesBy": ["Size"] });
        let group = actors[7].mutate("productGroupCreate", "productGroup { id }", group).await;
        let group = group.text_at("productGroupCreate.productGroup.id");
        let put =
            json!({ "id": sold.id.to_global_id(), "groupId": group, "options": [{ "name": "Size", "value": "S" }] });
        assert_eq!(actors[7].mutate("productUpdate", "", put).await.outcome("productUpdate"), "done");
        let mine = customer.run("{ me { sessions { id } role { id } } }").await;
        let line =
            customer.run_with("query ($id: ID!) { order(id: $id) { details { id } } }", json!({ "id": order })).await;
        let cart = customer.create_cart(&[(sold.id, 1)]).await;
        let payment = customer.try_pay(&order, "4111111111111111", "scenario").await;
        let line = line.text_at("order.details.0.id");
        let one = json!([{ "orderDetailId": line, "quantity": 1 }]);
        let ship = json!({ "orderId": order, "lines": one, "carrier": "Post", "trackingNumber": "P 1",
            "trackingUrl": "https://post.example", "idempotencyKey": "1" });
        let shipped = actors[7].mutate("shipmentCreate", "shipment { id }", ship).await;
        let one = json!([{ "orderDetailId": line, "quantity": 1, "reason": "torn" }]);
        let back = json!({ "orderId": order, "lines": one, "note": "A pity.", "idempotencyKey": "1" });
        let back = customer.mutate("returnCreate", "return { id }", back).await;
        let review = json!({ "productId": sold.id.to_global_id(), "rating": 4, "title": "Bright" });
        let review = customer.mutate("reviewCreate", "review { id }", review).await;
        let entry = actors[7].run("{ auditLog(first: 1) { nodes { id } } }").await;
        let sale = app.database.scalar("SELECT id FROM stock_movements WHERE order_id IS NOT NULL").await;
        let price = format!("SELECT id FROM price_changes WHERE product_id = {}", hidden.id.0);
        let price = app.database.scalar(&price).await;
        let dead = "INSERT INTO jobs (kind, payload, state, attempts, locked_until, last_error)
            VALUES ('test', '{}', 'dead', 1, now(), 'it never will') RETURNING id";
        let dead = app.database.scalar(dead).await;
        let moved = format!(
            "INSERT INTO transfers (direction, resource, format, website_id, user_id, status, output_key, rejects_key, total,
                    errors, failure, started_at, finished_at)
                VALUES ('import', 'products', 'souk-csv', {}, {}, 'failed', 'transfers/1/output.csv', 'transfers/1/rejects.csv',
                    7, '[{{\"line\": 2, \"column\": \"sku\", \"message\": \"a row has one\"}}]', 'the file ends too early', now(), now())
                RETURNING id",
            website.id.0, customer.id.0
        );
        let moved = app.database.scalar(&moved).await;
        let content = format!(
            "WITH made AS (INSERT INTO media (sha256, format, width, height, bytes, blurhash, widths)
                VALUES (repeat('ab', 32), 'jpeg', 640, 480, 1000, 'LEHV6nWB2yk8', ARRAY[160, 640]) RETURNING id)
             INSERT INTO images (product_id, media_id, position, source_url, failure)
                SELECT {}, id, 1, 'https://pictures.example/1.jpg', 'it was late' FROM made RETURNING id",
            hidden.id.0
        );
        let content = app.database.scalar(&content).await;
        let rule = format!(
            "INSERT INTO search_rules (website_id, words, category_id) VALUES ({}, '{{sale,offers}}', {}) RETURNING id",
            website.id.0, category.id.0
        );
        let rule = app.database.scalar(&rule).await;
        let mut ids = BTreeMap::from([
            ("Website", website.id.to_global_id()),
            ("User", customer.global_id()),
            ("Address", customer.address().await.id.to_global_id()),
            ("Role", mine.text_at("me.role.id")),
            ("Session", mine.text_at("me.sessions.0.id")),
            ("ApiKey", made.text_at("apiKeyCreate.apiKey.id")),
            ("Category", category.id.to_global_id()),
            ("Brand", brand.id.to_global_id()),
            ("Supplier", supplier.id.to_global_id()),
            ("Product", hidden.id.to_global_id()),
            ("StockMovement", StockMovementId(sale.parse().expect("a key")).to_global_id()),
            ("Image", ImageId(content.parse().expect("a key")).to_global_id()),
            ("ProductGroup", group),
            ("PriceChange", PriceChangeId(price.parse().expect("a key")).to_global_id()),
            ("Order", order),
            ("OrderDetail", line),
            ("Cart", cart.id),
            ("CartLine", cart.lines[0].clone()),
            ("Payment", payment.text_at("paymentCreate.payment.id")),
            ("Shipment", shipped.text_at("shipmentCreate.shipment.id")),
            ("Return", back.text_at("returnCreate.return.id")),
            ("Review", review.text_at("reviewCreate.review.id")),
            ("AuditEntry", entry.text_at("auditLog.nodes.0.id")),
            ("Job", JobId(dead.parse().expect("a key")).to_global_id()),
            ("Transfer", TransferId(moved.parse().expect("a key")).to_global_id()),
            ("SearchRule", SearchRuleId(rule.parse().expect("a key")).to_global_id()),
        ]);
        for domain in DOMAINS {
            ids.extend((domain.rows)(&actors[1], sold.id).await);
        }
        Self { actors, ids }
    }
}
