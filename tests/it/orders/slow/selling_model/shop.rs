//! The same shop in the database, and what is done with carts.

use serde_json::{Value, json};
use souk::{
    carts,
    ids::{ProductId, RowId},
};

use super::model::{CUSTOMERS, Cart, Line, Model, Order, PRODUCTS, STOCK, Step, money};
use crate::support::{Actor, Answer, ProductSpec, TestApp};

/// What the model says came of a step.
pub(super) fn said(expected: Result<(), &str>) -> String {
    expected.map_or_else(str::to_owned, |()| "done".to_owned())
}

/// The first code of a mutation's answer, or `done`.
pub(super) fn code(answer: &Answer, mutation: &str) -> String {
    answer.verdict(mutation).split([' ', ',']).next().unwrap_or_default().to_owned()
}

pub struct Shop<'a> {
    pub(super) app: &'a TestApp,
    pub(super) customers: Vec<Actor<'a>>,
    pub(super) staff: Actor<'a>,
    pub(super) products: Vec<ProductId>,
    pub(super) carts: Vec<String>,
    /// Global ids of orders, their lines and payments, in the order of the model's.
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
            carts.push(customer.cart_of(&[]).await.id);
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

    /// Does a step in the database and in the model. Gives what both say came of it; nothing where the step has no object.
    pub async fn take(&mut self, model: &mut Model, step: &Step) -> Option<(String, String)> {
        match step.clone() {
            Step::Add { who, product, pieces } => {
                let input = json!({ "cartId": self.carts[who], "productId": self.products[product].to_global_id(), "quantity": pieces });
                let answer = self.customers[who].mutate("cartLineAdd", "cart { id }", input).await;
                let cart = &mut model.carts[who];
                let all = cart.lines.get(&product).copied().unwrap_or_default() + pieces;
                let expected = if all > model.stock[product] { Err("OUT_OF_STOCK") } else { Ok(()) };
                if expected.is_ok() {
                    cart.lines.insert(product, all);
                    cart.reserved.clear();
                }
                Some((code(&answer, "cartLineAdd"), said(expected)))
            }
            Step::Remove { who } => {
                let seen = self.customers[who].run("{ cart { lines { id product { id } } } }").await;
                let line = seen.at("cart.lines").as_array().expect("lines").first().cloned()?;
                let product = self.products.iter().position(|id| json!(id.to_global_id()) == line["product"]["id"])?;
                let answer =
                    self.customers[who].mutate("cartLineRemove", "cart { id }", json!({ "id": line["id"] })).await;
                model.carts[who].lines.remove(&product);
                model.carts[who].reserved.clear();
                Some((code(&answer, "cartLineRemove"), said(Ok(()))))
            }
            Step::Reserve { who } => {
                let answer =
                    self.customers[who].mutate("cartReserve", "cart { id }", json!({ "id": self.carts[who] })).await;
                let cart = model.carts[who].clone();
                let stands = !cart.reserved.is_empty() && !cart.over;
                let expected = if stands {
                    Ok(())
                } else if cart.lines.is_empty() {
                    Err("CART_EMPTY")
                } else if cart.lines.iter().any(|(product, pieces)| model.free(*product, Some(who)) < *pieces) {
                    Err("OUT_OF_STOCK")
                } else {
                    Ok(())
                };
                if expected.is_ok() && !stands {
                    model.carts[who] = Cart { reserved: cart.lines.clone(), over: false, ..cart };
                }
                Some((code(&answer, "cartReserve"), said(expected)))
            }
            Step::Release { who } => {
                let answer =
                    self.customers[who].mutate("cartRelease", "cart { id }", json!({ "id": self.carts[who] })).await;
                model.carts[who].reserved.clear();
                Some((code(&answer, "cartRelease"), said(Ok(()))))
            }
            Step::Expire { tidy } => {
                let over = "SET session_replication_role = replica;
                    UPDATE cart_reservations SET expires_at = now() - interval '1 s'";
                self.app.database.sql(over).await;
                if tidy {
                    carts::actions::clean_up(&self.app.database.db).await.expect("tidy");
                }
                for cart in &mut model.carts {
                    cart.over = true;
                    if tidy {
                        cart.reserved.clear();
                    }
                }
                None
            }
            Step::Price { product, cents } => {
                let input = json!({ "id": self.products[product].to_global_id(), "price": money(cents).to_string() });
                let answer = self.staff.mutate("productUpdate", "product { id }", input).await;
                model.cents[product] = cents;
                Some((code(&answer, "productUpdate"), said(Ok(()))))
            }
            Step::Adjust { product, pieces } => {
                if pieces == 0 {
                    return None;
                }
                let input = json!({ "productId": self.products[product].to_global_id(), "delta": pieces });
                let answer = self.staff.mutate("stockAdjust", "product { id }", input).await;
                let expected = if model.stock[product] + pieces < 0 { Err("OUT_OF_STOCK") } else { Ok(()) };
                if expected.is_ok() {
                    model.stock[product] += pieces;
                }
                Some((code(&answer, "stockAdjust"), said(expected)))
            }
            Step::Checkout { who } => {
                let total: i64 = model.carts[who].lines.iter().map(|(p, n)| i64::from(*n) * model.cents[*p]).sum();
                let input = json!({
                    "cartId": self.carts[who],
                    "address": { "country": "DE", "city": "Hamburg", "address": "Hafenstrasse 1" },
                    "expectedTotal": money(total).to_string(),
                    "idempotencyKey": self.key(),
                });
                let fields = "orders { id details { id product { id } } }";
                let answer = self.customers[who].mutate("checkout", fields, input).await;
                let cart = model.carts[who].clone();
                let expected = if cart.lines.is_empty() {
                    Err("CART_EMPTY")
                } else if cart.lines.iter().any(|(product, pieces)| model.free(*product, Some(who)) < *pieces) {
                    Err("OUT_OF_STOCK")
                } else {
                    Ok(())
                };
                if expected.is_ok() && answer.verdict("checkout") == "done" {
                    let placed = answer.at("checkout.orders.0.details").as_array().expect("lines").clone();
                    let product_of = |line: &Value| {
                        self.products.iter().position(|id| json!(id.to_global_id()) == line["product"]["id"])
                    };
                    let line = |line: &Value| {
                        let product = product_of(line).expect("a product of ours");
                        Line {
                            product,
                            pieces: cart.lines[&product],
                            cents: model.cents[product],
                            shipped: 0,
                            returned: 0,
                        }
                    };
                    let lines: Vec<Line> = placed.iter().map(line).collect();
                    for line in &lines {
                        model.stock[line.product] -= line.pieces;
                    }
                    model.orders.push(Order { who, status: "PENDING", lines, payments: Vec::new() });
                    model.carts[who] = Cart::default();
                    self.orders.push(answer.text_at("checkout.orders.0.id"));
                    self.lines.push(placed.iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect());
                    self.payments.push(None);
                }
                Some((code(&answer, "checkout"), said(expected)))
            }
            of_an_order => self.take_with_order(model, of_an_order).await,
        }
    }

    /// What the database's books say, in the words of [`books`].
    pub async fn books(&self) -> Vec<String> {
        let stock = "SELECT 'stock', stock FROM products ORDER BY id";
        let orders = "SELECT upper(status), total_amount, paid_amount, refunded_amount,
            (SELECT sum(shipped_quantity) || ' ' || sum(returned_quantity) FROM order_details WHERE order_id = o.id)
            FROM orders o ORDER BY id";
        let mut rows = self.app.database.rows(stock).await;
        rows.extend(self.app.database.rows(orders).await);
        rows
    }
}
