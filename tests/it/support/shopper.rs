//! Shoppers who buy over HTTP, and checks that the database holds exactly what was sold to them.
//! Rule: an order counts as sold if its response arrived, complete and without an error.

use std::io;

use serde_json::{Value, json};
use souk::ids::{CartId, OrderId, ProductId, RowId};

use super::{Client, TestDb, TestResponse};

const CART: &str = "cart { id lines { product { id } quantity } total { amount } } cartToken";
const ORDERS: &str = "orders { id orderNumber createdAt totalAmount { amount } details { product { id } quantity } }";
const CART_TOKEN: &str = "x-cart-token";

/// Global ids of products, and quantities.
pub type CartItems = Vec<(String, i32)>;

/// A guest, or a user if the client sends a token.
pub struct Shopper {
    /// Connection to the server.
    pub client: Client,
    /// Global id of the cart; empty if there is none yet.
    pub cart: String,
    /// The guest's cart token.
    pub token: Option<String>,
    /// The cart's lines, in order.
    pub lines: CartItems,
    total: String,
}

/// A purchase that the server confirmed.
#[derive(Debug, Clone)]
pub struct Purchase {
    /// The cart that was bought.
    pub cart: CartId,
    /// The orders, in the format of [`TestDb::receipts`].
    pub receipts: Vec<String>,
    /// Quantities by product.
    pub lines: Vec<(ProductId, i32)>,
    /// When the first order was created.
    pub placed_at: String,
}

impl Shopper {
    /// Creates a shopper without a cart.
    pub fn new(client: Client) -> Self {
        Self { client, cart: String::new(), token: None, lines: Vec::new(), total: String::new() }
    }

    /// Creates a cart with these products.
    pub async fn fill(&mut self, wanted: &[(String, i32)]) -> io::Result<TestResponse> {
        let lines: Vec<_> = wanted.iter().map(|(id, n)| json!({ "productId": id, "quantity": n })).collect();
        let document = format!(
            "mutation ($input: CartCreateInput) {{ cartCreate(input: $input) {{ {CART} userErrors {{ code message field }} }} }}"
        );
        let response = self.client.run(&document, json!({ "input": { "lines": lines } })).await?;
        if response.outcome("cartCreate") == "done" {
            self.cart = response.text_at("cartCreate.cart.id");
            self.total = response.text_at("cartCreate.cart.total.amount");
            self.lines = lines_of(response.at("cartCreate.cart.lines"));
            if let Some(token) = response.at("cartCreate.cartToken").as_str() {
                self.token = Some(token.to_owned());
                self.client.set_header(CART_TOKEN, token);
            }
        }
        Ok(response)
    }

    /// Reserves the cart.
    pub async fn reserve(&mut self) -> io::Result<TestResponse> {
        self.client.mutate("cartReserve", "cart { id }", json!({ "id": self.cart })).await
    }

    /// Empties the cart.
    pub async fn clear(&mut self) -> io::Result<TestResponse> {
        self.client.mutate("cartClear", "cart { id }", json!({ "id": self.cart })).await
    }

    /// Checks out the cart.
    pub async fn checkout(&mut self, key: &str) -> io::Result<TestResponse> {
        self.client.mutate("checkout", ORDERS, self.checkout_input(key)).await
    }

    /// Returns the input of a checkout.
    pub fn checkout_input(&self, key: &str) -> Value {
        json!({
            "cartId": self.cart,
            "address": { "countryCode": "DE", "city": "Hamburg", "address": "Hafenstrasse 1", "postalCode": "20457" },
            "contact": { "name": "Ada", "email": "ada@souk.example" },
            "expectedTotal": self.total,
            "idempotencyKey": key,
        })
    }

    /// Forgets cart and token, to continue as a new guest.
    pub fn become_new_guest(&mut self) {
        self.client.remove_header(CART_TOKEN);
        (self.cart, self.token) = (String::new(), None);
    }

    /// Returns the purchase that a response confirms.
    pub fn purchase(&self, response: &TestResponse) -> Purchase {
        let orders = response.at("checkout.orders").as_array().expect("orders");
        let details = orders.iter().flat_map(|order| lines_of(&order["details"]));
        Purchase {
            cart: CartId::parse("id", &self.cart).expect("an id"),
            receipts: orders.iter().map(receipt).collect(),
            lines: details.map(|(id, n)| (product(&id), n)).collect(),
            placed_at: response.text_at("checkout.orders.0.createdAt"),
        }
    }
}

fn lines_of(lines: &Value) -> CartItems {
    let line = |line: &Value| {
        let id = line["product"]["id"].as_str().expect("a product").to_owned();
        (id, line["quantity"].as_i64().and_then(|n| i32::try_from(n).ok()).expect("a quantity"))
    };
    lines.as_array().expect("lines").iter().map(line).collect()
}

fn product(id: &str) -> ProductId {
    ProductId::parse("id", id).expect("an id")
}

fn receipt(order: &Value) -> String {
    let id = OrderId::parse("id", order["id"].as_str().expect("an id")).expect("an id").0;
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let mut lines: Vec<(i64, i32)> = lines_of(&order["details"]).iter().map(|(id, n)| (product(id).0, *n)).collect();
    lines.sort_unstable();
    let lines: Vec<_> = lines.iter().map(|(product, n)| format!("{product}x{n}")).collect();
    format!("{id} {} {} {}", text(&order["orderNumber"]), text(&order["totalAmount"]["amount"]), lines.join(" "))
}

impl TestDb {
    /// Returns one line per order: id, number, total, products and quantities.
    pub async fn receipts(&self) -> Vec<String> {
        let lines = "SELECT string_agg(product_id || 'x' || quantity, ' ' ORDER BY product_id) FROM order_details
            WHERE order_id = o.id";
        let orders = format!(
            "SELECT concat_ws(' ', id, order_number, round(total_amount, 2), ({lines})) AS order FROM orders o"
        );
        let rows = self.rows(&format!("{orders} ORDER BY id")).await;
        rows.iter().map(|row| row.trim_matches(['(', ')', '"']).to_owned()).collect()
    }

    /// Checks that every order is complete or absent: lines, ledger, history, email, audit log, and idempotency key.
    pub async fn assert_no_partial_orders(&self) {
        let taken = "SELECT product_id, -sum(delta) FROM stock_movements WHERE order_id = o.id
            GROUP BY product_id HAVING sum(delta) <> 0";
        let lines = "SELECT product_id, sum(quantity) FROM order_details
            WHERE order_id = o.id AND o.status <> 'cancelled' GROUP BY product_id";
        let half = format!(
            "SELECT id, order_number,
                EXISTS (SELECT FROM order_details WHERE order_id = o.id) AS has_lines,
                NOT EXISTS (({lines} EXCEPT {taken}) UNION ALL ({taken} EXCEPT {lines})) AS as_taken,
                (SELECT count(*) FROM order_events WHERE order_id = o.id AND kind = 'placed') AS events,
                (SELECT count(*) FROM jobs WHERE payload ->> 'template' = 'order_placed'
                    AND payload -> 'values' ->> 'order' = o.order_number)
                    + (SELECT count(*) FROM deferred_confirmations WHERE order_id = o.id) AS confirmations,
                (SELECT count(*) FROM audit_log WHERE resource_type = 'Order' AND resource_id = o.id AND change = 'created') AS entries,
                (SELECT count(*) FROM idempotency_keys WHERE operation = 'checkout' AND answer_id = o.checkout_id) AS keys
            FROM orders o"
        );
        // A confirmation that is deferred is dropped with the order.
        let half = format!(
            "SELECT s.*, greatest(confirmations, (o.status = 'cancelled')::int) AS mails
            FROM ({half}) s JOIN orders o USING (id)"
        );
        let wrong = format!(
            "SELECT * FROM ({half}) s WHERE NOT (has_lines AND as_taken) OR (events, mails, entries, keys) <> (1, 1, 1, 1)"
        );
        assert_eq!(self.rows(&wrong).await, Vec::<String>::new(), "incomplete orders");
        let unanswered = "SELECT id FROM idempotency_keys WHERE answer_id = 0";
        assert_eq!(self.rows(unanswered).await, Vec::<String>::new(), "keys without a result");
    }

    /// Checks that the database holds exactly the confirmed orders, complete, and that their carts are empty.
    pub async fn assert_purchases(&self, sales: &[Purchase]) {
        let mut confirmed: Vec<&String> = sales.iter().flat_map(|sale| &sale.receipts).collect();
        let id = |receipt: &&String| receipt.split(' ').next().and_then(|id| id.parse::<i64>().ok());
        confirmed.sort_by_key(id);
        let actual = self.receipts().await;
        assert_eq!(confirmed, actual.iter().collect::<Vec<_>>(), "confirmed orders, and orders in the database");
        self.assert_no_partial_orders().await;
        let carts: Vec<_> = sales.iter().map(|sale| sale.cart.0.to_string()).collect();
        let full = format!("SELECT cart_id FROM cart_lines WHERE cart_id = ANY ('{{{}}}')", carts.join(","));
        assert_eq!(self.rows(&full).await, Vec::<String>::new(), "carts that were bought and are not empty");
        self.assert_invariants().await;
    }
}
