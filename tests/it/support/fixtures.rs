//! Test rows, created through the stores. Every value that a test does not set has a valid default.

use rust_decimal::Decimal;
use souk::{
    auth::Viewer,
    brands::{
        self,
        model::{BrandRow, NewBrand},
    },
    categories::{
        self,
        model::{CategoryRow, NewCategory},
    },
    ids::{BrandId, CategoryId, OrderId, ProductId, RowId, SupplierId, UserId, WebsiteId},
    products::{
        self,
        model::{Backorders, InventoryPolicy, NewProduct, ProductRow},
    },
    stock::{
        self,
        model::{NewMovement, Reason},
    },
    suppliers::{
        self,
        model::{NewSupplier, SupplierRow},
    },
    users::{
        self,
        model::{AddressFields, AddressRow, NewAddress},
    },
    websites::{
        self,
        language::Language,
        model::{NewWebsite, WebsiteRow},
    },
};

use super::{Actor, TestApp};

/// Values of a new product.
#[derive(Debug, Clone, Default)]
pub struct ProductSpec {
    pub name: Option<String>,
    pub sku: Option<String>,
    pub price: Option<&'static str>,
    pub stock: i32,
    pub inventory_policy: Option<InventoryPolicy>,
    pub backorders: Option<Backorders>,
    pub category: Option<CategoryId>,
    pub brand: Option<BrandId>,
    pub supplier: Option<SupplierId>,
    pub seller: Option<UserId>,
}

impl TestApp {
    /// Creates a website that sells in EUR.
    pub async fn website(&self, code: &str) -> WebsiteRow {
        let new = NewWebsite {
            code: code.to_owned(),
            name: format!("Shop {code}"),
            base_url: format!("https://{code}.example"),
            currency: "EUR".to_owned(),
            language: Language::En,
        };
        let row = self.database.db.transaction(async |conn| websites::store::insert(conn, &new).await).await;
        let row = row.expect("a new website");
        // So that no test's operation includes the statement that loads the currency.
        self.services.currency_cache.preload(&self.database.db).await.expect("currencies");
        row
    }

    /// Creates a category.
    pub async fn category(&self, slug: &str, parent: Option<CategoryId>) -> CategoryRow {
        let new = NewCategory {
            parent_id: parent,
            name: slug.to_owned(),
            slug: slug.to_owned(),
            description: String::new(),
            position: None,
            path: Vec::new(),
        };
        self.database
            .db
            .transaction(async |conn| categories::store::insert(conn, &new).await)
            .await
            .expect("a category")
    }

    /// Creates a brand.
    pub async fn brand(&self, slug: &str) -> BrandRow {
        let new = NewBrand { name: slug.to_owned(), slug: slug.to_owned(), description: String::new() };
        self.database.db.transaction(async |conn| brands::store::insert(conn, &new).await).await.expect("a brand")
    }

    /// Creates a supplier.
    pub async fn supplier(&self, name: &str) -> SupplierRow {
        let new =
            NewSupplier { name: name.to_owned(), contact_name: None, email: None, phone: None, lead_time_days: None };
        self.database.db.transaction(async |conn| suppliers::store::insert(conn, &new).await).await.expect("a supplier")
    }

    /// Creates a product of a website, by default `Product <sku>` at 10.00 with no stock.
    pub async fn product(&self, website: WebsiteId, spec: ProductSpec) -> ProductRow {
        let sku = spec.sku.clone().unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string());
        let new = NewProduct {
            source_website_id: website,
            category_id: spec.category,
            brand_id: spec.brand,
            supplier_id: spec.supplier,
            seller_id: spec.seller,
            name: spec.name.clone().unwrap_or_else(|| format!("Product {sku}")),
            slug: String::new(),
            sku,
            barcode: None,
            variant: None,
            description: String::new(),
            price: spec.price.unwrap_or("10.00").parse::<Decimal>().expect("a price"),
            compare_at_price: None,
            cost_price: None,
            supplier_sku: None,
            group_id: None,
            option_values: vec![],
            low_stock_threshold: None,
            inventory_policy: spec.inventory_policy,
            backorders: spec.backorders,
            is_active: None,
            tags: vec![],
            weight: None,
            weight_unit: None,
            seo_title: None,
            seo_description: None,
        };
        let everything = Viewer::system();
        self.database
            .db
            .transaction(async |conn| {
                let row = products::actions::create_in(conn, &everything, new.clone()).await?;
                if spec.stock > 0 {
                    let opening = NewMovement::new(row.id, None, None, Reason::Opening, spec.stock);
                    stock::store::insert(conn, &[opening]).await?;
                }
                Ok(products::store::by_ids_including_inactive(conn, &[row.id]).await?.remove(0))
            })
            .await
            .expect("a new product")
    }

    /// Returns a product's stock in the database.
    pub async fn stock(&self, product: ProductId) -> i32 {
        let found = self
            .database
            .db
            .read(async |conn| products::store::by_ids_including_inactive(conn, &[product]).await)
            .await;
        found.expect("a product").remove(0).stock
    }
}

impl TestApp {
    /// Returns a guest with this cart token.
    pub fn guest(&self, token: &str) -> Actor<'_> {
        self.anonymous().with_cart(Some(token.to_owned()))
    }

    /// Turns an order into one that a guest placed with this cart token.
    pub async fn assign_to_guest(&self, order: &str, token: &str) {
        let id = OrderId::parse("id", order).expect("an order").0;
        let sql = format!("UPDATE orders SET user_id = NULL, cart_token_hash = sha256('{token}') WHERE id = {id}");
        self.database.sql(&sql).await;
    }

    /// Sets an order's payment status and paid amount directly, without a payment.
    pub async fn set_payment(&self, order: &str, status: &str, paid: &str) {
        let id = OrderId::parse("id", order).expect("an order").0;
        let sql = format!(
            "ALTER TABLE orders DISABLE TRIGGER orders_payment_update;
             UPDATE orders SET payment_status = '{status}', paid_amount = {paid} WHERE id = {id};
             ALTER TABLE orders ENABLE TRIGGER orders_payment_update"
        );
        self.database.sql(&sql).await;
    }
}

/// A cart as its owner sees it.
#[derive(Debug, Clone)]
pub struct TestCart {
    /// Global id.
    pub id: String,
    /// The token of a new guest; `None` for users.
    pub token: Option<String>,
    /// Global ids of the lines.
    pub lines: Vec<String>,
    /// Cart total.
    pub total: String,
}

/// A confirmed order of three units in one line. Two units are shipped, and each has a return of its own.
pub struct ShippedOrder {
    /// Global id of the order.
    pub order: String,
    /// Global id of the order line.
    pub line: String,
    /// Global id of the shipment.
    pub shipment: String,
    /// Global ids of the returns.
    pub returns: [String; 2],
}

impl Actor<'_> {
    /// Orders, confirms and ships a product and requests two returns; the actor must be an admin, who may do all of
    /// these.
    pub async fn ship_and_return(&self, product: ProductId) -> ShippedOrder {
        let placed = self.try_order(&[(product, 3)], "parcels").await;
        let (order, line) = (placed.text_at("orderCreate.order.id"), placed.text_at("orderCreate.order.details.0.id"));
        let confirm = serde_json::json!({ "id": order, "status": "CONFIRMED" });
        self.mutate("orderStatusUpdate", "", confirm).await.at("orderStatusUpdate");
        let two = serde_json::json!([{ "orderDetailId": line, "quantity": 2 }]);
        let ship = serde_json::json!({ "orderId": order, "lines": two, "idempotencyKey": "parcels" });
        let shipped = self.mutate("shipmentCreate", "shipment { id }", ship).await;
        let send_back = async |key: &str| {
            let one = serde_json::json!([{ "orderDetailId": line, "quantity": 1, "reason": "torn" }]);
            let input = serde_json::json!({ "orderId": order, "lines": one, "idempotencyKey": key });
            self.mutate("returnCreate", "return { id }", input).await.text_at("returnCreate.return.id")
        };
        let returns = [send_back("first").await, send_back("second").await];
        ShippedOrder { shipment: shipped.text_at("shipmentCreate.shipment.id"), order, line, returns }
    }

    /// Creates an address of this user.
    pub async fn address(&self) -> AddressRow {
        let new = NewAddress {
            user_id: self.id,
            fields: AddressFields {
                country: "DE".to_owned(),
                city: "Hamburg".to_owned(),
                address: "Hafenstrasse 1".to_owned(),
                postal_code: Some("20359".to_owned()),
                ..AddressFields::default()
            },
            is_default: false,
        };
        let insert = self.app.database.db.transaction(async |conn| users::store::insert_address(conn, &new).await);
        insert.await.expect("an address")
    }

    /// Creates a cart with these products through GraphQL.
    pub async fn create_cart(&self, lines: &[(ProductId, i32)]) -> TestCart {
        let lines: Vec<_> = lines
            .iter()
            .map(|(product, quantity)| serde_json::json!({ "productId": product.to_global_id(), "quantity": quantity }))
            .collect();
        let document = "mutation ($input: CartCreateInput) { cartCreate(input: $input) {
            cart { id lines { id } total { amount } } cartToken userErrors { code message field } } }";
        let made = self.run_with(document, serde_json::json!({ "input": { "lines": lines } })).await;
        assert_eq!(made.outcome("cartCreate"), "done", "{made:?}");
        let lines = made.at("cartCreate.cart.lines").as_array().expect("lines").iter();
        TestCart {
            id: made.text_at("cartCreate.cart.id"),
            token: made.at("cartCreate.cartToken").as_str().map(ToOwned::to_owned),
            lines: lines.map(|line| line["id"].as_str().expect("an id").to_owned()).collect(),
            total: made.text_at("cartCreate.cart.total.amount"),
        }
    }

    /// Checks out a cart through GraphQL, as a guest or a user.
    pub async fn checkout(&self, cart: &TestCart, key: &str) -> super::TestResponse {
        self.checkout_with(cart, key, serde_json::json!({})).await
    }

    /// Checks out a cart with additional input fields.
    pub async fn checkout_with(&self, cart: &TestCart, key: &str, other: serde_json::Value) -> super::TestResponse {
        let mut input = serde_json::json!({
            "cartId": cart.id,
            "address": { "countryCode": "DE", "city": "Hamburg", "address": "Hafenstrasse 1", "postalCode": "20457" },
            "contact": { "name": "Ada", "email": "ada@souk.example" },
            "expectedTotal": cart.total,
            "idempotencyKey": key,
        });
        for (field, value) in other.as_object().expect("fields") {
            input[field] = value.clone();
        }
        let fields = "orders { id orderNumber status totalAmount { amount currency } sourceWebsite { code }
            details { name quantity totalPrice { amount } } }";
        self.mutate("checkout", fields, input).await
    }

    /// Places an order through GraphQL and returns its global id; panics if it is rejected.
    pub async fn order(&self, lines: &[(ProductId, i32)]) -> String {
        let response = self.try_order(lines, &uuid::Uuid::new_v4().to_string()).await;
        response.text_at("orderCreate.order.id")
    }

    /// Tries to place an order through GraphQL with an idempotency key.
    pub async fn try_order(&self, lines: &[(ProductId, i32)], key: &str) -> super::TestResponse {
        let lines: Vec<_> = lines
            .iter()
            .map(|(product, quantity)| serde_json::json!({ "productId": product.to_global_id(), "quantity": quantity }))
            .collect();
        let document = "mutation ($input: OrderCreateInput!) { orderCreate(input: $input) {
            order { id orderNumber status totalAmount { amount currency } details { id quantity } }
            userErrors { code message field } } }";
        let input = serde_json::json!({ "input": { "lines": lines, "idempotencyKey": key } });
        self.run_with(document, input).await
    }
}
