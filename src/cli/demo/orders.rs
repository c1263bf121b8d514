//! Inserts orders with their payments, shipments, returns, notes and events.
//! Rule: triggers set statuses, totals and quantities, as for any other writer.

use chrono::{DateTime, Duration, Utc};
use rust_decimal::Decimal;

use super::{
    data::{Address, DemoData, Operation, Order, OrderLine, Payment, Return, Shipment},
    inserted::{InsertedRows, look_up, look_up_optional, named},
};
use crate::{
    db::Conn,
    error::{Error, Result},
    ids::{OrderId, UserId},
    orders::{
        model::{
            Contact, EventKind, NewEvent, NewOrder, NewOrderDetail, OrderAddress, OrderDetailRow, ReturnLine,
            ReturnRequest, ReturnStatus, Status, Tracking,
        },
        store,
    },
    payments::{
        self,
        model::{Kind, Method, NewOperation, NewPayment, ProviderName},
    },
    stock::model::{NewMovement, Reason},
    text,
};

/// Email address of the staff member who handles the orders.
const STAFF: &str = "manager@souk.example";

/// Time after which the provider is asked about pending payments: long enough to look at them.
const PENDING_TIME: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 3600);

/// Inserts the orders, oldest first. Returns the entries of the stock ledger with their times.
pub(super) async fn insert(
    conn: &Conn,
    data: &DemoData,
    inserted: &InsertedRows<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<NewMovement>> {
    let staff = look_up(&inserted.users, STAFF)?;
    let (mut movements, mut events) = (Vec::new(), Vec::new());
    for order in &data.orders {
        let mut handled = HandledOrder::place(conn, order, data, inserted, now, staff).await?;
        for payment in &order.payments {
            handled.pay(conn, payment, currency(data, &order.website)?, inserted).await?;
        }
        if let Some(after) = order.confirmed {
            store::update_status(conn, handled.id, Status::Confirmed).await?;
            handled.change_status(Status::Confirmed, after, Some(staff));
        }
        if let Some(cancelled) = &order.cancelled {
            store::update_status(conn, handled.id, Status::Cancelled).await?;
            handled.change_status(
                Status::Cancelled,
                cancelled.after,
                Some(look_up(&inserted.users, cancelled.by.as_str())?),
            );
            handled.move_stock(Reason::Cancellation, 1, cancelled.after);
        }
        handled.ship(conn, &order.shipments).await?;
        for requested in &order.returns {
            handled.take_back(conn, requested).await?;
        }
        for note in &order.notes {
            let by = Some(look_up(&inserted.users, note.by.as_str())?);
            let message = Some(note.text.clone());
            let event = handled.event(EventKind::Note, note.after, by);
            handled.events.push(NewEvent { message, is_internal: note.is_internal, ..event });
        }
        // The sort is stable: events of the same time keep their order.
        handled.events.sort_by_key(|event| event.at);
        events.append(&mut handled.events);
        movements.append(&mut handled.movements);
    }
    store::history::insert_events(conn, &events).await?;
    Ok(movements)
}

fn currency<'m>(data: &'m DemoData, website: &str) -> Result<&'m str> {
    let found = data.catalog.websites.iter().find(|known| known.code == website);
    found.map(|known| known.currency.as_str()).ok_or_else(|| missing("website", website))
}

fn missing(what: &str, name: &str) -> Error {
    Error::Internal(format!("the demo data names the {what} {name:?}, which it does not define"))
}

/// An order while its past is inserted.
struct HandledOrder {
    id: OrderId,
    customer: Option<UserId>,
    staff: UserId,
    placed_at: DateTime<Utc>,
    status: Status,
    lines: Vec<OrderDetailRow>,
    events: Vec<NewEvent>,
    movements: Vec<NewMovement>,
}

impl HandledOrder {
    async fn place(
        conn: &Conn,
        order: &Order,
        data: &DemoData,
        inserted: &InsertedRows<'_>,
        now: DateTime<Utc>,
        staff: UserId,
    ) -> Result<Self> {
        let customer = look_up_optional(&inserted.users, order.customer.as_ref())?;
        let (contact, shipping) = addressee(order, data)?;
        let billing = order.billing_address.clone().map(Address::checked).transpose()?;
        let number = store::next_number(conn).await?;
        let placed_at = now - Duration::hours(order.placed_hours_ago);
        let new = NewOrder {
            contact,
            customer_note: order.customer_note.clone(),
            source_website_id: look_up(&inserted.websites, order.website.as_str())?,
            order_number: format!("{}-{number}", order.website.to_uppercase()),
            user_id: customer,
            status: Status::Pending,
            shipping: shipping.into(),
            billing_address: billing.map(OrderAddress::from),
            placed_at,
        };
        let id = store::history::insert_order(conn, &new).await?;
        let mut lines = Vec::new();
        for OrderLine { sku, quantity } in &order.lines {
            let product = look_up(&inserted.products, (order.website.as_str(), sku.as_str()))?;
            lines.push(NewOrderDetail {
                order_id: id,
                product_id: product.id,
                name: product.name,
                sku: product.sku,
                quantity: *quantity,
                unit_price: product.price,
            });
        }
        store::history::insert_lines(conn, &lines, placed_at).await?;
        let lines = store::lines_by_order_ids(conn, &[id]).await?;
        let (events, movements, status) = (Vec::new(), Vec::new(), Status::Pending);
        let mut placed = Self { id, customer, staff, placed_at, status, lines, events, movements };
        let event = placed.event(EventKind::Placed, 0, customer);
        placed.events.push(NewEvent { to_status: Some(Status::Pending), ..event });
        placed.move_stock(Reason::Sale, -1, 0);
        Ok(placed)
    }

    fn at(&self, after: i64) -> DateTime<Utc> {
        self.placed_at + Duration::hours(after)
    }

    fn event(&self, kind: EventKind, after: i64, user_id: Option<UserId>) -> NewEvent {
        let (order_id, at) = (self.id, self.at(after));
        let (from_status, to_status, quantity, amount, message) = (None, None, None, None, None);
        NewEvent { order_id, at, user_id, kind, from_status, to_status, quantity, amount, message, is_internal: false }
    }

    fn change_status(&mut self, to: Status, after: i64, by: Option<UserId>) {
        let event = self.event(EventKind::StatusChanged, after, by);
        self.events.push(NewEvent { from_status: Some(self.status), to_status: Some(to), ..event });
        self.status = to;
    }

    /// Adds ledger entries for all lines of the order.
    fn move_stock(&mut self, reason: Reason, sign: i32, after: i64) {
        let (id, customer, at) = (self.id, self.customer, self.at(after));
        self.movements.extend(
            self.lines
                .iter()
                .map(|line| NewMovement::new(line.product_id, Some(id), customer, reason, sign * line.quantity).at(at)),
        );
    }

    fn line(&self, sku: &str) -> Result<&OrderDetailRow> {
        self.lines.iter().find(|line| line.sku == sku).ok_or_else(|| missing("line", sku))
    }

    async fn pay(&mut self, conn: &Conn, payment: &Payment, currency: &str, inserted: &InsertedRows<'_>) -> Result<()> {
        let total: Decimal = self.lines.iter().map(|line| line.total_price).sum();
        let provider = named(ProviderName::ALL, ProviderName::as_str, &payment.provider)?;
        let new = NewPayment {
            order_id: self.id,
            provider,
            method: named(Method::ALL, Method::as_str, &payment.method)?,
            amount: total,
            currency: currency.to_owned(),
        };
        let payment_id = payments::store::insert_past(conn, &new, self.placed_at).await?.id;
        for operation in &payment.operations {
            let Operation { kind, after, amount, by, reason, failure, is_pending } = operation;
            let kind = named(Kind::ALL, Kind::as_str, kind)?;
            let by = match look_up_optional(&inserted.users, by.as_ref())? {
                None if kind == Kind::Authorize => self.customer,
                None => Some(self.staff),
                by => by,
            };
            let amount = amount.unwrap_or(total);
            let new = NewOperation { payment_id, kind, amount, user_id: by, reason: reason.clone() };
            // The test provider derives the behavior of its card from the reference.
            let card = if *is_pending { "later" } else { "succeeds" };
            let reference = match provider {
                ProviderName::Test => format!("test_{card}_{}", payment_id.0),
                ProviderName::Manual => format!("manual_{}", payment_id.0),
            };
            if *is_pending {
                // The history of the order has an event only for the outcome.
                let started = payments::store::insert_past_pending(conn, &new, &reference, self.at(*after)).await?;
                payments::actions::schedule_resolve(conn, &started, None, 0, PENDING_TIME).await?;
                continue;
            }
            let outcome = failure.as_deref().map_or(Ok(reference.as_str()), Err);
            payments::store::insert_past_operation(conn, &new, outcome, self.at(*after)).await?;
            let event_kind = match kind {
                _ if failure.is_some() => EventKind::PaymentFailed,
                Kind::Authorize => EventKind::PaymentAuthorized,
                Kind::Capture => EventKind::PaymentCaptured,
                Kind::Void => EventKind::PaymentVoided,
                Kind::Refund => EventKind::PaymentRefunded,
            };
            let failed = failure.as_ref().map(|failure| format!("{}: {failure}", kind.as_str()));
            let message = failed.or_else(|| reason.clone());
            let event = self.event(event_kind, *after, by);
            self.events.push(NewEvent { amount: Some(amount), message, ..event });
        }
        Ok(())
    }

    /// Inserts shipments. The order is shipped with its last line and delivered with its last shipment.
    async fn ship(&mut self, conn: &Conn, shipments: &[Shipment]) -> Result<()> {
        let mut left: Vec<_> = self.lines.iter().map(|line| (line.id, line.quantity)).collect();
        let mut on_the_way = Vec::new();
        for shipment in shipments {
            let Shipment { carrier, tracking_number, tracking_url, shipped, delivered, lines } = shipment;
            let mut quantities = Vec::new();
            for (id, left) in &mut left {
                let wanted = match lines {
                    None => *left,
                    Some(lines) => {
                        let sku = self.lines.iter().find(|line| line.id == *id).map(|line| &line.sku);
                        lines.iter().find(|line| Some(&line.sku) == sku).map_or(0, |line| line.quantity)
                    }
                };
                if wanted > 0 {
                    quantities.push((*id, wanted));
                    *left -= wanted;
                }
            }
            let tracking = Tracking {
                carrier: Some(carrier.clone()),
                tracking_number: Some(tracking_number.clone()),
                tracking_url: Some(tracking_url.clone()),
            };
            let at = self.at(*shipped);
            let id = store::history::insert_shipment(conn, self.id, &tracking, &quantities, at).await?;
            let quantity = Some(quantities.iter().map(|(_, quantity)| quantity).sum());
            let message = Some(format!("{carrier} {tracking_number}"));
            let event = self.event(EventKind::Shipped, *shipped, Some(self.staff));
            self.events.push(NewEvent { quantity, message: message.clone(), ..event });
            if let Some(delivered) = delivered {
                on_the_way.push((id, *delivered, quantity, message));
            }
        }
        let is_all = left.iter().all(|(_, quantity)| *quantity == 0);
        if let Some(last) = shipments.iter().map(|shipment| shipment.shipped).max().filter(|_| is_all) {
            self.change_status(Status::Shipped, last, Some(self.staff));
        }
        for (id, delivered, quantity, message) in &on_the_way {
            store::history::update_delivered(conn, *id, self.at(*delivered)).await?;
            let event = self.event(EventKind::Delivered, *delivered, Some(self.staff));
            self.events.push(NewEvent { quantity: *quantity, message: message.clone(), ..event });
        }
        if let Some(last) = on_the_way.iter().map(|(_, delivered, ..)| *delivered).max()
            && is_all
            && on_the_way.len() == shipments.len()
        {
            self.change_status(Status::Delivered, last, Some(self.staff));
        }
        Ok(())
    }

    async fn take_back(&mut self, conn: &Conn, requested: &Return) -> Result<()> {
        let mut lines = Vec::new();
        for line in &requested.lines {
            let (id, quantity) = (self.line(&line.sku)?.id, line.quantity);
            lines.push(ReturnLine { line: id, quantity, reason: line.reason.clone() });
        }
        let quantity = Some(lines.iter().map(|line| line.quantity).sum());
        let request = ReturnRequest { order: self.id, lines, note: requested.note.clone() }.checked()?;
        let id = store::history::insert_return(conn, &request, self.at(requested.requested)).await?;
        let event = self.event(EventKind::ReturnRequested, requested.requested, self.customer);
        self.events.push(NewEvent { quantity, ..event });
        let status = named(ReturnStatus::ALL, ReturnStatus::as_str, &requested.status)?;
        let Some(settled) = requested.settled else { return Ok(()) };
        let mut restocked = Vec::new();
        for line in requested.lines.iter().filter(|line| line.is_restocked) {
            let row = self.line(&line.sku)?;
            restocked.push(row.id);
            let movement =
                NewMovement::new(row.product_id, Some(self.id), Some(self.staff), Reason::Return, line.quantity);
            let at = self.at(settled);
            self.movements.push(movement.at(at));
        }
        store::returns::update_restocked(conn, id, &restocked).await?;
        let at = self.at(settled);
        store::history::update_return_settled(conn, id, status, requested.rejection.as_deref(), at).await?;
        let kind = match status {
            ReturnStatus::Rejected => EventKind::ReturnRejected,
            ReturnStatus::Requested | ReturnStatus::Received => EventKind::ReturnReceived,
        };
        let event = self.event(kind, settled, Some(self.staff));
        self.events.push(NewEvent { quantity, ..event });
        Ok(())
    }
}

/// Returns the contact and the shipping address of an order: those of the account or those of the guest.
fn addressee(order: &Order, data: &DemoData) -> Result<(Contact, OrderAddress)> {
    if let Some(guest) = &order.guest {
        let contact = Contact {
            contact_name: Some(guest.name.clone()),
            contact_email: Some(text::normalize_email("email", &guest.email)?),
            contact_phone: Some(text::normalize_phone("phone", &guest.phone, None)?),
        };
        return Ok((contact, guest.address.clone().checked()?.into()));
    }
    let email = order.customer.as_deref().unwrap_or_default();
    let user = data.people.users.iter().find(|user| user.email == email).ok_or_else(|| missing("customer", email))?;
    let contact = Contact {
        contact_name: Some(user.name.clone()),
        contact_email: Some(text::normalize_email("email", &user.email)?),
        contact_phone: Some(text::normalize_phone("phone", &user.phone, None)?),
    };
    let shipping = user.addresses.first().cloned().map(Address::checked).transpose()?;
    Ok((contact, shipping.map(OrderAddress::from).unwrap_or_default()))
}
