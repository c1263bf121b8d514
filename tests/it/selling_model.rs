//! The shop against a model of it: random sequences of everything that carts and orders go through, each step answered as
//! the model says, and the books of both alike after every one.

use std::collections::BTreeMap;

use proptest::{
    collection::vec,
    prelude::{Strategy, any},
    prop_oneof,
    test_runner::{Config, TestCaseError, TestRunner},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use souk::{
    carts,
    ids::{ProductId, RowId},
};

use crate::support::{Actor, Answer, ProductSpec, TestApp};

const PRODUCTS: usize = 3;
const CUSTOMERS: usize = 2;
const STOCK: i32 = 12;
/// How many sequences, and how long they are at most.
const SEQUENCES: u32 = 40;
const STEPS: usize = 40;
/// A card of the test provider that is always good.
const CARD: &str = "4242424242424242";

/// One thing that somebody does. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    Add {
        who: usize,
        product: usize,
        pieces: i32,
    },
    Remove {
        who: usize,
    },
    Reserve {
        who: usize,
    },
    Release {
        who: usize,
    },
    /// The time of all reservations runs out; they may be cleared away at once, or by whoever comes next.
    Expire {
        tidy: bool,
    },
    Price {
        product: usize,
        cents: i64,
    },
    Adjust {
        product: usize,
        pieces: i32,
    },
    Checkout {
        who: usize,
    },
    AddToOrder {
        order: usize,
        product: usize,
        pieces: i32,
    },
    ChangeLine {
        order: usize,
        line: usize,
        pieces: i32,
    },
    RemoveLine {
        order: usize,
        line: usize,
    },
    Cancel {
        order: usize,
        by_staff: bool,
    },
    Confirm {
        order: usize,
    },
    Ship {
        order: usize,
        line: usize,
        pieces: i32,
    },
    Deliver {
        order: usize,
    },
    Return {
        order: usize,
        line: usize,
        pieces: i32,
        restock: bool,
    },
    Pay {
        order: usize,
    },
    Capture {
        order: usize,
    },
    Refund {
        order: usize,
        cents: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    use Step as S;
    let (who, product, order, line) = (0..CUSTOMERS, 0..PRODUCTS, any::<usize>, any::<usize>);
    let pieces = 1..6_i32;
    prop_oneof![
        6 => (who.clone(), product.clone(), pieces.clone()).prop_map(|(who, product, pieces)| S::Add { who, product, pieces }),
        1 => who.clone().prop_map(|who| S::Remove { who }),
        2 => who.clone().prop_map(|who| S::Reserve { who }),
        1 => who.clone().prop_map(|who| S::Release { who }),
        1 => any::<bool>().prop_map(|tidy| S::Expire { tidy }),
        1 => (product.clone(), 1..9999_i64).prop_map(|(product, cents)| S::Price { product, cents }),
        1 => (product.clone(), -4..6_i32).prop_map(|(product, pieces)| S::Adjust { product, pieces }),
        5 => who.prop_map(|who| S::Checkout { who }),
        1 => (order(), product, pieces.clone()).prop_map(|(order, product, pieces)| S::AddToOrder { order, product, pieces }),
        1 => (order(), line(), 1..8_i32).prop_map(|(order, line, pieces)| S::ChangeLine { order, line, pieces }),
        1 => (order(), line()).prop_map(|(order, line)| S::RemoveLine { order, line }),
        1 => (order(), any::<bool>()).prop_map(|(order, by_staff)| S::Cancel { order, by_staff }),
        2 => order().prop_map(|order| S::Confirm { order }),
        3 => (order(), line(), pieces.clone()).prop_map(|(order, line, pieces)| S::Ship { order, line, pieces }),
        1 => order().prop_map(|order| S::Deliver { order }),
        2 => (order(), line(), pieces, any::<bool>())
            .prop_map(|(order, line, pieces, restock)| S::Return { order, line, pieces, restock }),
        2 => order().prop_map(|order| S::Pay { order }),
        2 => order().prop_map(|order| S::Capture { order }),
        2 => (order(), 1..9999_i64).prop_map(|(order, cents)| S::Refund { order, cents }),
    ]
}

fn money(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}

/// The shop as it should be.
#[derive(Debug, Default)]
struct Model {
    stock: [i32; PRODUCTS],
    cents: [i64; PRODUCTS],
    carts: [Cart; CUSTOMERS],
    orders: Vec<Order>,
}

#[derive(Debug, Default, Clone)]
struct Cart {
    lines: BTreeMap<usize, i32>,
    reserved: BTreeMap<usize, i32>,
    /// What is reserved is over, though it may still be on the books.
    over: bool,
}

#[derive(Debug, Clone)]
struct Order {
    who: usize,
    status: &'static str,
    lines: Vec<Line>,
    /// One after the other: the last may be live.
    payments: Vec<Payment>,
}

/// Cents.
#[derive(Debug, Clone, Copy, Default)]
struct Payment {
    promised: i64,
    paid: i64,
    refunded: i64,
}

#[derive(Debug, Clone)]
struct Line {
    product: usize,
    pieces: i32,
    cents: i64,
    shipped: i32,
    returned: i32,
}

impl Order {
    fn total(&self) -> i64 {
        self.lines.iter().map(|line| i64::from(line.pieces) * line.cents).sum()
    }

    /// Whether money was promised or paid, which stands in the way of changes.
    fn is_paid(&self) -> bool {
        self.payments.iter().any(|payment| payment.promised > 0 || payment.paid > 0)
    }

    /// Whether money is promised or here, which stands in the way of another payment.
    fn is_live(&self) -> bool {
        self.payments.iter().any(|payment| payment.promised > 0 || payment.paid > payment.refunded)
    }
}

impl Model {
    /// What others than this customer hold of a product.
    fn held(&self, product: usize, but: Option<usize>) -> i32 {
        let others = self.carts.iter().enumerate().filter(|(who, cart)| Some(*who) != but && !cart.over);
        others.map(|(_, cart)| cart.reserved.get(&product).copied().unwrap_or_default()).sum()
    }

    fn free(&self, product: usize, who: Option<usize>) -> i32 {
        self.stock[product] - self.held(product, who)
    }
}

/// The same shop in the database.
struct Shop<'a> {
    app: &'a TestApp,
    customers: Vec<Actor<'a>>,
    staff: Actor<'a>,
    products: Vec<ProductId>,
    carts: Vec<String>,
    /// Global ids of orders, their lines and payments, in the order of the model's.
    orders: Vec<String>,
    lines: Vec<Vec<String>>,
    payments: Vec<Option<String>>,
    count: usize,
}

impl<'a> Shop<'a> {
    async fn open(app: &'a TestApp, model: &mut Model) -> Shop<'a> {
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

    fn key(&mut self) -> String {
        self.count += 1;
        format!("step-{}", self.count)
    }

    async fn lines_of(&self, order: usize) -> Vec<String> {
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
    async fn take(&mut self, model: &mut Model, step: &Step) -> Option<(String, String)> {
        let done = "done".to_owned();
        let said = |expected: Result<(), &str>| expected.map_or_else(str::to_owned, |()| "done".to_owned());
        let code = |answer: &Answer, mutation: &str| {
            answer.verdict(mutation).split([' ', ',']).next().unwrap_or_default().to_owned()
        };
        let nth = |number: usize| model.orders.len().checked_sub(1).map(|last| number % (last + 1));
        match step.clone() {
            Step::Add { who, product, pieces } => {
                let input = json!({ "cartId": self.carts[who], "productId": self.products[product].global(), "quantity": pieces });
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
                let product = self.products.iter().position(|id| json!(id.global()) == line["product"]["id"])?;
                let answer =
                    self.customers[who].mutate("cartLineRemove", "cart { id }", json!({ "id": line["id"] })).await;
                model.carts[who].lines.remove(&product);
                model.carts[who].reserved.clear();
                Some((code(&answer, "cartLineRemove"), done))
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
                Some((code(&answer, "cartRelease"), done))
            }
            Step::Expire { tidy } => {
                let over = "SET session_replication_role = replica;
                    UPDATE cart_reservations SET expires_at = now() - interval '1 s'";
                self.app.database.sql(over).await;
                if tidy {
                    carts::actions::tidy(&self.app.database.db).await.expect("tidy");
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
                let input = json!({ "id": self.products[product].global(), "price": money(cents).to_string() });
                let answer = self.staff.mutate("productUpdate", "product { id }", input).await;
                model.cents[product] = cents;
                Some((code(&answer, "productUpdate"), done))
            }
            Step::Adjust { product, pieces } => {
                if pieces == 0 {
                    return None;
                }
                let input = json!({ "productId": self.products[product].global(), "delta": pieces });
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
                    let product_of =
                        |line: &Value| self.products.iter().position(|id| json!(id.global()) == line["product"]["id"]);
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
            Step::AddToOrder { order, product, pieces } => {
                let order = nth(order)?;
                let input = json!({ "orderId": self.orders[order], "productId": self.products[product].global(), "quantity": pieces });
                let answer =
                    self.customers[model.orders[order].who].mutate("orderDetailAdd", "order { id }", input).await;
                let expected = match &model.orders[order] {
                    order if order.status != "PENDING" => Err("ILLEGAL_TRANSITION"),
                    order if order.is_paid() => Err("PAYMENT_EXISTS"),
                    _ if model.free(product, None) < pieces => Err("OUT_OF_STOCK"),
                    _ => Ok(()),
                };
                if expected.is_ok() {
                    model.stock[product] -= pieces;
                    let cents = model.cents[product];
                    model.orders[order].lines.push(Line { product, pieces, cents, shipped: 0, returned: 0 });
                    self.lines[order] = self.lines_of(order).await;
                }
                Some((code(&answer, "orderDetailAdd"), said(expected)))
            }
            Step::ChangeLine { order, line, pieces } => {
                let order = nth(order)?;
                let line = line % model.orders[order].lines.len();
                let input = json!({ "id": self.lines[order][line], "quantity": pieces });
                let answer =
                    self.customers[model.orders[order].who].mutate("orderDetailUpdate", "order { id }", input).await;
                let (product, before) =
                    (model.orders[order].lines[line].product, model.orders[order].lines[line].pieces);
                let expected = match &model.orders[order] {
                    order if order.status != "PENDING" => Err("ILLEGAL_TRANSITION"),
                    order if order.is_paid() => Err("PAYMENT_EXISTS"),
                    _ if pieces > before && model.free(product, None) < pieces - before => Err("OUT_OF_STOCK"),
                    _ => Ok(()),
                };
                if expected.is_ok() {
                    model.stock[product] -= pieces - before;
                    model.orders[order].lines[line].pieces = pieces;
                }
                Some((code(&answer, "orderDetailUpdate"), said(expected)))
            }
            Step::RemoveLine { order, line } => {
                let order = nth(order)?;
                let line = line % model.orders[order].lines.len();
                let input = json!({ "id": self.lines[order][line] });
                let answer =
                    self.customers[model.orders[order].who].mutate("orderDetailRemove", "order { id }", input).await;
                let expected = match &model.orders[order] {
                    order if order.status != "PENDING" => Err("ILLEGAL_TRANSITION"),
                    order if order.is_paid() => Err("PAYMENT_EXISTS"),
                    order if order.lines.len() == 1 => Err("REQUIRED"),
                    _ => Ok(()),
                };
                if expected.is_ok() {
                    let line = model.orders[order].lines.remove(line);
                    model.stock[line.product] += line.pieces;
                    self.lines[order] = self.lines_of(order).await;
                }
                Some((code(&answer, "orderDetailRemove"), said(expected)))
            }
            Step::Cancel { order, by_staff } => {
                let order = nth(order)?;
                let actor = if by_staff { &self.staff } else { &self.customers[model.orders[order].who] };
                let answer = actor.mutate("orderCancel", "order { id }", json!({ "id": self.orders[order] })).await;
                let it = &mut model.orders[order];
                let is_legal = it.status == "PENDING" || by_staff && it.status == "CONFIRMED";
                let expected = match it.lines.iter().any(|line| line.shipped > 0) {
                    _ if !is_legal => Err("ILLEGAL_TRANSITION"),
                    true => Err("ILLEGAL_TRANSITION"),
                    false => Ok(()),
                };
                if expected.is_ok() {
                    it.status = "CANCELLED";
                    for line in &it.lines {
                        model.stock[line.product] += line.pieces;
                    }
                    // What was promised is let go, what was paid is paid back, by a job.
                    self.app.run_jobs().await;
                    for payment in &mut it.payments {
                        *payment = Payment { promised: 0, refunded: payment.paid, ..*payment };
                    }
                }
                Some((code(&answer, "orderCancel"), said(expected)))
            }
            Step::Confirm { order } => {
                let order = nth(order)?;
                let input = json!({ "id": self.orders[order], "status": "CONFIRMED" });
                let answer = self.staff.mutate("orderStatusUpdate", "order { id }", input).await;
                let it = &mut model.orders[order];
                let expected = if it.status == "PENDING" { Ok(()) } else { Err("ILLEGAL_TRANSITION") };
                if expected.is_ok() {
                    it.status = "CONFIRMED";
                }
                Some((code(&answer, "orderStatusUpdate"), said(expected)))
            }
            Step::Ship { order, line, pieces } => {
                let order = nth(order)?;
                let line = line % model.orders[order].lines.len();
                let lines = json!([{ "orderDetailId": self.lines[order][line], "quantity": pieces }]);
                let input = json!({ "orderId": self.orders[order], "lines": lines, "idempotencyKey": self.key() });
                let answer = self.staff.mutate("shipmentCreate", "shipment { id }", input).await;
                let it = &mut model.orders[order];
                let left = it.lines[line].pieces - it.lines[line].shipped;
                let expected = match it.status {
                    "CONFIRMED" if pieces <= left => Ok(()),
                    "CONFIRMED" => Err("OUT_OF_RANGE"),
                    _ => Err("ILLEGAL_TRANSITION"),
                };
                if expected.is_ok() {
                    it.lines[line].shipped += pieces;
                    if it.lines.iter().all(|line| line.shipped == line.pieces) {
                        it.status = "SHIPPED";
                    }
                }
                Some((code(&answer, "shipmentCreate"), said(expected)))
            }
            Step::Deliver { order } => {
                let order = nth(order)?;
                let input = json!({ "id": self.orders[order], "status": "DELIVERED" });
                let answer = self.staff.mutate("orderStatusUpdate", "order { id }", input).await;
                let it = &mut model.orders[order];
                let expected = if it.status == "SHIPPED" { Ok(()) } else { Err("ILLEGAL_TRANSITION") };
                if expected.is_ok() {
                    it.status = "DELIVERED";
                }
                Some((code(&answer, "orderStatusUpdate"), said(expected)))
            }
            Step::Return { order, line, pieces, restock } => {
                let order = nth(order)?;
                let line = line % model.orders[order].lines.len();
                let id = self.lines[order][line].clone();
                let lines = json!([{ "orderDetailId": id, "quantity": pieces, "reason": "too small" }]);
                let input = json!({ "orderId": self.orders[order], "lines": lines, "idempotencyKey": self.key() });
                let answer =
                    self.customers[model.orders[order].who].mutate("returnCreate", "return { id }", input).await;
                let it = &mut model.orders[order];
                let there = it.lines[line].shipped - it.lines[line].returned;
                let expected = if it.lines.iter().all(|line| line.shipped == 0) {
                    Err("ILLEGAL_TRANSITION")
                } else if pieces > there {
                    Err("OUT_OF_RANGE")
                } else {
                    Ok(())
                };
                if expected.is_ok() && answer.verdict("returnCreate") == "done" {
                    it.lines[line].returned += pieces;
                    let product = it.lines[line].product;
                    let lines = json!([{ "orderDetailId": id, "restock": restock }]);
                    let input = json!({ "id": answer.text_at("returnCreate.return.id"), "lines": lines });
                    let received = self.staff.mutate("returnReceive", "return { id }", input).await;
                    assert_eq!(received.verdict("returnReceive"), "done");
                    if restock {
                        model.stock[product] += pieces;
                    }
                }
                Some((code(&answer, "returnCreate"), said(expected)))
            }
            Step::Pay { order } => {
                let order = nth(order)?;
                let input = json!({ "orderId": self.orders[order], "provider": "TEST", "source": CARD, "idempotencyKey": self.key() });
                let who = model.orders[order].who;
                let answer = self.customers[who].mutate("paymentCreate", "payment { id }", input).await;
                let it = &mut model.orders[order];
                let expected = match it.status {
                    "CANCELLED" => Err("ILLEGAL_TRANSITION"),
                    _ if it.is_live() => Err("PAYMENT_EXISTS"),
                    _ => Ok(()),
                };
                if expected.is_ok() && answer.verdict("paymentCreate") == "done" {
                    it.payments.push(Payment { promised: it.total(), ..Payment::default() });
                    self.payments[order] = Some(answer.text_at("paymentCreate.payment.id"));
                }
                Some((code(&answer, "paymentCreate"), said(expected)))
            }
            Step::Capture { order } => {
                let order = nth(order)?;
                let input = json!({ "id": self.payments[order].clone()?, "idempotencyKey": self.key() });
                let answer = self.staff.mutate("paymentCapture", "payment { id }", input).await;
                let payment = model.orders[order].payments.last_mut()?;
                let expected = if payment.promised > 0 { Ok(()) } else { Err("PAYMENT_STATE") };
                if expected.is_ok() {
                    *payment = Payment { promised: 0, paid: payment.promised, refunded: 0 };
                }
                Some((code(&answer, "paymentCapture"), said(expected)))
            }
            Step::Refund { order, cents } => {
                let order = nth(order)?;
                let amount = money(cents).to_string();
                let input =
                    json!({ "id": self.payments[order].clone()?, "amount": amount, "idempotencyKey": self.key() });
                let answer = self.staff.mutate("paymentRefund", "payment { id }", input).await;
                let payment = model.orders[order].payments.last_mut()?;
                let expected = match payment.paid - payment.refunded {
                    0 => Err("PAYMENT_STATE"),
                    left if cents > left => Err("OUT_OF_RANGE"),
                    _ => Ok(()),
                };
                if expected.is_ok() {
                    payment.refunded += cents;
                }
                Some((code(&answer, "paymentRefund"), said(expected)))
            }
        }
    }

    /// What the database's books say, in the words of [`books`].
    async fn books(&self) -> Vec<String> {
        let stock = "SELECT 'stock', stock FROM products ORDER BY id";
        let orders = "SELECT upper(status), total_amount, paid_amount, refunded_amount,
            (SELECT sum(shipped_quantity) || ' ' || sum(returned_quantity) FROM order_details WHERE order_id = o.id)
            FROM orders o ORDER BY id";
        let mut rows = self.app.database.rows(stock).await;
        rows.extend(self.app.database.rows(orders).await);
        rows
    }
}

fn books(model: &Model) -> Vec<String> {
    let stock = model.stock.iter().map(|pieces| format!("(stock,{pieces})"));
    let orders = model.orders.iter().map(|order| {
        let paid: i64 = order.payments.iter().map(|payment| payment.paid).sum();
        let refunded: i64 = order.payments.iter().map(|payment| payment.refunded).sum();
        let shipped: i32 = order.lines.iter().map(|line| line.shipped).sum();
        let returned: i32 = order.lines.iter().map(|line| line.returned).sum();
        let (total, paid, refunded) = (money(order.total()), money(paid), money(refunded));
        format!("({},{total},{paid},{refunded},\"{shipped} {returned}\")", order.status)
    });
    stock.chain(orders).collect()
}

async fn play(steps: &[Step]) -> Result<(), TestCaseError> {
    let app = TestApp::new().await;
    let mut model = Model::default();
    let mut shop = Shop::open(&app, &mut model).await;
    for (index, step) in steps.iter().enumerate() {
        if let Some((said, expected)) = shop.take(&mut model, step).await
            && said != expected
        {
            return Err(TestCaseError::fail(format!("step {index}, {step:?}: {said}, not {expected}")));
        }
        let (database, memory) = (shop.books().await, books(&model));
        if database != memory {
            return Err(TestCaseError::fail(format!("after step {index}, {step:?}: {database:?}, not {memory:?}")));
        }
    }
    app.database.assert_books_balance().await;
    Ok(())
}

#[test]
fn the_shop_does_what_its_model_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = Config { cases: SEQUENCES, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let played = TestRunner::new(config).run(&vec(step(), 1..STEPS), |steps| runtime.block_on(play(&steps)));
    if let Err(error) = played {
        panic!("{error}");
    }
}
