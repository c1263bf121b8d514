//! The order steps, applied to the database and the model.

use serde_json::json;
use souk::ids::RowId;

use super::{
    model::{Line, Model, Payment, Step, money},
    shop::{Shop, code, describe_outcome},
};

/// A card of the test provider that always succeeds.
const CARD: &str = "4111111111111111";

impl Shop<'_> {
    pub(super) async fn apply_to_order(&mut self, model: &mut Model, step: Step) -> Option<(String, String)> {
        match step {
            Step::AddToOrder { order, product, quantity } => {
                let order = model.nth(order)?;
                let input = json!({ "orderId": self.orders[order], "productId": self.products[product].to_global_id(), "quantity": quantity });
                let response =
                    self.customers[model.orders[order].who].mutate("orderDetailAdd", "order { id }", input).await;
                let expected = match &model.orders[order] {
                    order if order.status != "PENDING" => Err("ILLEGAL_TRANSITION"),
                    order if order.is_paid() => Err("PAYMENT_EXISTS"),
                    _ if model.available(product, None) < quantity => Err("OUT_OF_STOCK"),
                    _ => Ok(()),
                };
                if expected.is_ok() {
                    model.stock[product] -= quantity;
                    let cents = model.cents[product];
                    let lines = &mut model.orders[order].lines;
                    match lines.iter_mut().find(|line| line.product == product && line.cents == cents) {
                        Some(line) => line.quantity += quantity,
                        None => lines.push(Line { product, quantity, cents, shipped: 0, returned: 0 }),
                    }
                    self.lines[order] = self.lines_of(order).await;
                }
                Some((code(&response, "orderDetailAdd"), describe_outcome(expected)))
            }
            Step::ChangeLine { order, line, quantity } => {
                let order = model.nth(order)?;
                let line = line % model.orders[order].lines.len();
                let input = json!({ "id": self.lines[order][line], "quantity": quantity });
                let response =
                    self.customers[model.orders[order].who].mutate("orderDetailUpdate", "order { id }", input).await;
                let (product, before) =
                    (model.orders[order].lines[line].product, model.orders[order].lines[line].quantity);
                let expected = match &model.orders[order] {
                    order if order.status != "PENDING" => Err("ILLEGAL_TRANSITION"),
                    order if order.is_paid() => Err("PAYMENT_EXISTS"),
                    _ if quantity > before && model.available(product, None) < quantity - before => Err("OUT_OF_STOCK"),
                    _ => Ok(()),
                };
                if expected.is_ok() {
                    model.stock[product] -= quantity - before;
                    let (more, cents) = (quantity - before, model.cents[product]);
                    let lines = &mut model.orders[order].lines;
                    if more > 0 && lines[line].cents != cents {
                        // Added units cost today's price.
                        match lines.iter_mut().find(|line| line.product == product && line.cents == cents) {
                            Some(line) => line.quantity += more,
                            None => lines.push(Line { product, quantity: more, cents, shipped: 0, returned: 0 }),
                        }
                        self.lines[order] = self.lines_of(order).await;
                    } else {
                        lines[line].quantity = quantity;
                    }
                }
                Some((code(&response, "orderDetailUpdate"), describe_outcome(expected)))
            }
            Step::RemoveLine { order, line } => {
                let order = model.nth(order)?;
                let line = line % model.orders[order].lines.len();
                let input = json!({ "id": self.lines[order][line] });
                let response =
                    self.customers[model.orders[order].who].mutate("orderDetailRemove", "order { id }", input).await;
                let expected = match &model.orders[order] {
                    order if order.status != "PENDING" => Err("ILLEGAL_TRANSITION"),
                    order if order.is_paid() => Err("PAYMENT_EXISTS"),
                    order if order.lines.len() == 1 => Err("REQUIRED"),
                    _ => Ok(()),
                };
                if expected.is_ok() {
                    let line = model.orders[order].lines.remove(line);
                    model.stock[line.product] += line.quantity;
                    self.lines[order] = self.lines_of(order).await;
                }
                Some((code(&response, "orderDetailRemove"), describe_outcome(expected)))
            }
            Step::Cancel { order, by_staff } => {
                let order = model.nth(order)?;
                let actor = if by_staff { &self.staff } else { &self.customers[model.orders[order].who] };
                let response = actor.mutate("orderCancel", "order { id }", json!({ "id": self.orders[order] })).await;
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
                        model.stock[line.product] += line.quantity;
                    }
                    // A job voids what was authorized and refunds what was paid.
                    self.app.run_jobs().await;
                    for payment in &mut it.payments {
                        *payment = Payment { promised: 0, refunded: payment.paid, ..*payment };
                    }
                }
                Some((code(&response, "orderCancel"), describe_outcome(expected)))
            }
            Step::Confirm { order } => {
                let order = model.nth(order)?;
                let input = json!({ "id": self.orders[order], "status": "CONFIRMED" });
                let response = self.staff.mutate("orderStatusUpdate", "order { id }", input).await;
                let it = &mut model.orders[order];
                let expected = if it.status == "PENDING" { Ok(()) } else { Err("ILLEGAL_TRANSITION") };
                if expected.is_ok() {
                    it.status = "CONFIRMED";
                }
                Some((code(&response, "orderStatusUpdate"), describe_outcome(expected)))
            }
            Step::Ship { order, line, quantity } => {
                let order = model.nth(order)?;
                let line = line % model.orders[order].lines.len();
                let lines = json!([{ "orderDetailId": self.lines[order][line], "quantity": quantity }]);
                let input = json!({ "orderId": self.orders[order], "lines": lines, "idempotencyKey": self.key() });
                let response = self.staff.mutate("shipmentCreate", "shipment { id }", input).await;
                let it = &mut model.orders[order];
                let left = it.lines[line].quantity - it.lines[line].shipped;
                let expected = match it.status {
                    "CONFIRMED" if quantity <= left => Ok(()),
                    "CONFIRMED" => Err("OUT_OF_RANGE"),
                    _ => Err("ILLEGAL_TRANSITION"),
                };
                if expected.is_ok() {
                    it.lines[line].shipped += quantity;
                    if it.lines.iter().all(|line| line.shipped == line.quantity) {
                        it.status = "SHIPPED";
                    }
                }
                Some((code(&response, "shipmentCreate"), describe_outcome(expected)))
            }
            Step::Deliver { order } => {
                let order = model.nth(order)?;
                let input = json!({ "id": self.orders[order], "status": "DELIVERED" });
                let response = self.staff.mutate("orderStatusUpdate", "order { id }", input).await;
                let it = &mut model.orders[order];
                let expected = if it.status == "SHIPPED" { Ok(()) } else { Err("ILLEGAL_TRANSITION") };
                if expected.is_ok() {
                    it.status = "DELIVERED";
                }
                Some((code(&response, "orderStatusUpdate"), describe_outcome(expected)))
            }
            Step::Return { order, line, quantity, restock } => {
                let order = model.nth(order)?;
                let line = line % model.orders[order].lines.len();
                let id = self.lines[order][line].clone();
                let lines = json!([{ "orderDetailId": id, "quantity": quantity, "reason": "too small" }]);
                let input = json!({ "orderId": self.orders[order], "lines": lines, "idempotencyKey": self.key() });
                let response =
                    self.customers[model.orders[order].who].mutate("returnCreate", "return { id }", input).await;
                let it = &mut model.orders[order];
                let there = it.lines[line].shipped - it.lines[line].returned;
                let expected = if it.lines.iter().all(|line| line.shipped == 0) {
                    Err("ILLEGAL_TRANSITION")
                } else if quantity > there {
                    Err("OUT_OF_RANGE")
                } else {
                    Ok(())
                };
                if expected.is_ok() && response.outcome("returnCreate") == "done" {
                    it.lines[line].returned += quantity;
                    let product = it.lines[line].product;
                    let lines = json!([{ "orderDetailId": id, "restock": restock }]);
                    let input = json!({ "id": response.text_at("returnCreate.return.id"), "lines": lines });
                    let received = self.staff.mutate("returnReceive", "return { id }", input).await;
                    assert_eq!(received.outcome("returnReceive"), "done");
                    if restock {
                        model.stock[product] += quantity;
                    }
                }
                Some((code(&response, "returnCreate"), describe_outcome(expected)))
            }
            Step::Pay { order } => {
                let order = model.nth(order)?;
                let input = json!({ "orderId": self.orders[order], "provider": "TEST", "method": "CARD", "source": CARD, "idempotencyKey": self.key() });
                let who = model.orders[order].who;
                let response = self.customers[who].mutate("paymentCreate", "payment { id }", input).await;
                let it = &mut model.orders[order];
                let expected = match it.status {
                    "CANCELLED" => Err("ILLEGAL_TRANSITION"),
                    _ if it.has_open_payment() => Err("PAYMENT_EXISTS"),
                    _ => Ok(()),
                };
                if expected.is_ok() && response.outcome("paymentCreate") == "done" {
                    it.payments.push(Payment { promised: it.total(), ..Payment::default() });
                    self.payments[order] = Some(response.text_at("paymentCreate.payment.id"));
                }
                Some((code(&response, "paymentCreate"), describe_outcome(expected)))
            }
            Step::Capture { order } => {
                let order = model.nth(order)?;
                let input = json!({ "id": self.payments[order].clone()?, "idempotencyKey": self.key() });
                let response = self.staff.mutate("paymentCapture", "payment { id }", input).await;
                let payment = model.orders[order].payments.last_mut()?;
                let expected = if payment.promised > 0 { Ok(()) } else { Err("INVALID_PAYMENT_STATUS") };
                if expected.is_ok() {
                    *payment = Payment { promised: 0, paid: payment.promised, refunded: 0 };
                }
                Some((code(&response, "paymentCapture"), describe_outcome(expected)))
            }
            Step::Refund { order, cents } => {
                let order = model.nth(order)?;
                let amount = money(cents).to_string();
                let input =
                    json!({ "id": self.payments[order].clone()?, "amount": amount, "idempotencyKey": self.key() });
                let response = self.staff.mutate("paymentRefund", "payment { id }", input).await;
                let payment = model.orders[order].payments.last_mut()?;
                let expected = match payment.paid - payment.refunded {
                    0 => Err("INVALID_PAYMENT_STATUS"),
                    left if cents > left => Err("OUT_OF_RANGE"),
                    _ => Ok(()),
                };
                if expected.is_ok() {
                    payment.refunded += cents;
                }
                Some((code(&response, "paymentRefund"), describe_outcome(expected)))
            }
            _ => unreachable!("a step with a cart"),
        }
    }
}
