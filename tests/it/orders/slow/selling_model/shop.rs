//! The shop in the database, and the cart steps, applied to the database and the model.

use serde_json::{Value, json};
use souk::{
    carts,
    ids::{ProductId, RowId},
};

use super::model::{CUSTOMERS, Cart, Line, Model, Order, PRODUCTS, STOCK, Step, money};
use crate::support::{Actor, ProductSpec, TestApp, TestResponse};

/// Returns the outcome that the model predicts, as text.
pub(super) fn describe_outcome(expected: Result<(), &str>) -> String {
    expected.map_or_else(str::to_owned, |()| "done".to_owned())
}

/// Returns the first error code of a mutation's response, or `done`.
pub(super) fn code(response: &TestResponse, mutation: &str) -> String {
    response.outcome(mutation).split([' ', ',']).next().unwrap_or_default().to_owned()
}

pub struct Shop<'a> {
    pub(super) app: &'a TestApp,
    pub(super) customers: Vec<Actor<'a>>,
    pub(super) staff: Actor<'a>,
    pub(super) products: Vec<ProductId>,
    pub(super) carts: Vec<String>,
    /// Global ids of orders, their lines and payments, in the order of the model.
    pub(super) orders: Vec<String>,
    pub(super) lines: Vec<Vec<String>>,
    pub(super) payments: Vec<Option<String>>,
    pub(super) count: usize,
}

impl<'a> Shop<'a> {
    pub async fn open(app: &'a TestApp, model: &mut Model) -> Shop<'a> {
        let website = app.website("sailor").await;
        let mut products = Vec::new();
        for index in 0..PRODUCTS {
            (model.stock[index], model.cents[index]) = (STOCK, 1000);
            products.push(app.product(website.id, ProductSpec { stock: STOCK, ..ProductSpec::default() }).await.id);
        }
        let mut customers = Vec::new();
        let mut carts = Vec::new();
        for _ in 0..CUSTOMERS {
            let customer = app.customer().await;
            carts.push(customer.create_cart(&[]).await.id);
            customers.push(customer);
        }
        let staff = app.admin().await;
        Shop { app, customers, staff, products, carts, orders: vec![], lines: vec![], payments: vec![], count: 0 }
    }

    pub(super) fn key(&mut self) -> String {
        self.count += 1;
        format!("step-{}", self.count)
    }

    pub(super) async fn lines_of(&self, order: usize) -> Vec<String> {
        let query = "query ($id: ID!) { order(id: $id) { details { id } } }";
        let seen = self.staff.run_with(query, json!({ "id": self.orders[order] })).await;
        seen.at("order.details")
            .as_array()
            .expect("lines")
            .iter()
            .map(|line| line["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Applies a step to the database and the model; returns both outcomes, or `None` if the step does not apply.
    pub async fn apply(&mut self, model: &mut Model, step: &Step) -> Option<(String, String)> {
        match step.clone() {
            Step::Add { who, product, quantity } => {
                let input = json!({ "cartId": self.carts[who], "productId": self.products[product].to_global_id(), "quantity": quantity });
                let response = self.customers[who].mutate("cartLineAdd", "cart { id }", input).await;
                let cart = &mut model.carts[who];
                let all = cart.lines.get(&product).copied().unwrap_or_default() + quantity;
                let expected = if all > model.stock[product] { Err("OUT_OF_STOCK") } else { Ok(()) };
                if expected.is_ok() {
                    cart.lines.insert(product, all);
                    cart.reserved.clear();
                }
                Some((code(&response, "cartLineAdd"), describe_outcome(expected)))
            }
            Step::Remove { who } => {
                let seen = self.customers[who].run("{ cart { lines { id product { id } } } }").await;
                let line = seen.at("cart.lines").as_array().expect("lines").first().cloned()?;
                let product = self.products.iter().position(|id| json!(id.to_global_id()) == line["product"]["id"])?;
                let response =
                    self.customers[who].mutate("cartLineRemove", "cart { id }", json!({ "id": line["id"] })).await;
                model.carts[who].lines.remove(&product);
                model.carts[who].reserved.clear();
                Some((code(&response, "cartLineRemove"), describe_outcome(Ok(()))))
            }
            Step::Reserve { who } => {
                let response =
                    self.customers[who].mutate("cartReserve", "cart { id }", json!({ "id": self.carts[who] })).await;
                let cart = model.carts[who].clone();
                let stands = !cart.reserved.is_empty() && !cart.is_expired;
                let expected = if stands {
                    Ok(())
                } else if cart.lines.is_empty() {
                    Err("CART_EMPTY")
                } else if cart.lines.iter().any(|(product, quantity)| model.available(*product, Some(who)) < *quantity)
                {
                    Err("OUT_OF_STOCK")
                } else {
                    Ok(())
                };
                if expected.is_ok() && !stands {
                    model.carts[who] = Cart { reserved: cart.lines.clone(), is_expired: false, ..cart };
                }
                Some((code(&response, "cartReserve"), describe_outcome(expected)))
            }
            Step::Release { who } => {
                let response =
                    self.customers[who].mutate("cartRelease", "cart { id }", json!({ "id": self.carts[who] })).await;
                model.carts[who].reserved.clear();
                Some((code(&response, "cartRelease"), describe_outcome(Ok(()))))
            }
            Step::Expire { cleans_up } => {
                let is_expired = "SET session_replication_role = replica;
                    UPDATE cart_reservations SET expires_at = now() - interval '1 s'";
                self.app.database.sql(is_expired).await;
                if cleans_up {
                    carts::actions::clean_up(&self.app.database.db).await.expect("a cleanup");
                }
                for cart in &mut model.carts {
                    cart.is_expired = true;
                    if cleans_up {
                        cart.reserved.clear();
                    }
                }
                None
            }
            Step::Price { product, cents } => {
                let input = json!({ "id": self.products[product].to_global_id(), "price": money(cents).to_string() });
                let response = self.staff.mutate("productUpdate", "product { id }", input).await;
                model.cents[product] = cents;
                Some((code(&response, "productUpdate"), describe_outcome(Ok(()))))
            }
            Step::Adjust { product, quantity } => {
                if quantity == 0 {
                    return None;
                }
                let input = json!({ "productId": self.products[product].to_global_id(), "delta": quantity });
                let response = self.staff.mutate("stockAdjust", "product { id }", input).await;
                let expected = if model.stock[product] + quantity < 0 { Err("OUT_OF_STOCK") } else { Ok(()) };
                if expected.is_ok() {
                    model.stock[product] += quantity;
                }
                Some((code(&response, "stockAdjust"), describe_outcome(expected)))
            }
            Step::Checkout { who } => {
                let total: i64 = model.carts[who].lines.iter().map(|(p, n)| i64::from(*n) * model.cents[*p]).sum();
                let input = json!({
                    "cartId": self.carts[who],
                    "address": { "countryCode": "DE", "city": "Hamburg", "address": "Hafenstrasse 1", "postalCode": "20457" },
                    "expectedTotal": money(total).to_string(),
                    "idempotencyKey": self.key(),
                });
                let fields = "orders { id details { id product { id } } }";
                let response = self.customers[who].mutate("checkout", fields, input).await;
                let cart = model.carts[who].clone();
                let expected = if cart.lines.is_empty() {
                    Err("CART_EMPTY")
                } else if cart.lines.iter().any(|(product, quantity)| model.available(*product, Some(who)) < *quantity)
                {
                    Err("OUT_OF_STOCK")
                } else {
                    Ok(())
                };
                if expected.is_ok() && response.outcome("checkout") == "done" {
                    let placed = response.at("checkout.orders.0.details").as_array().expect("lines").clone();
                    let product_of = |line: &Value| {
                        self.products.iter().position(|id| json!(id.to_global_id()) == line["product"]["id"])
                    };
                    let line = |line: &Value| {
                        let product = product_of(line).expect("a product of the shop");
                        Line {
                            product,
                            quantity: cart.lines[&product],
                            cents: model.cents[product],
                            shipped: 0,
                            returned: 0,
                        }
                    };
                    let lines: Vec<Line> = placed.iter().map(line).collect();
                    for line in &lines {
                        model.stock[line.product] -= line.quantity;
                    }
                    model.orders.push(Order { who, status: "PENDING", lines, payments: Vec::new() });
                    model.carts[who] = Cart::default();
                    self.orders.push(response.text_at("checkout.orders.0.id"));
                    self.lines.push(placed.iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect());
                    self.payments.push(None);
                }
                Some((code(&response, "checkout"), describe_outcome(expected)))
            }
            of_an_order => self.apply_to_order(model, of_an_order).await,
        }
    }

    /// Returns the state of the database in the format of [`model_state`].
    pub async fn state(&self) -> Vec<String> {
        let stock = "SELECT 'stock', stock FROM products ORDER BY id";
        let orders = "SELECT upper(status), round(total_amount, 2), round(paid_amount, 2), round(refunded_amount, 2),
            (SELECT sum(shipped_quantity) || ' ' || sum(returned_quantity) FROM order_details WHERE order_id = o.id)
            FROM orders o ORDER BY id";
        let mut rows = self.app.database.rows(stock).await;
        rows.extend(self.app.database.rows(orders).await);
        rows
    }
}
