//! Payments in the graph.

mod mutation;

pub use self::mutation::*;

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};

use crate::graphql::engine::container::Ordered;
use crate::graphql::engine::container::Plain;
use crate::graphql::engine::scalars::Money;
use crate::graphql::engine::scalars::global;
use crate::graphql::engine::scalars::money;
use crate::graphql::schema::context::ContextExt;
use crate::graphql::schema::context::Services;
use crate::graphql::schema::orders::Order;
use crate::graphql::schema::orders::order;
use crate::{
    error::{Error, Result},
    ids::{PaymentId, RowId},
    money::Currency,
    payments::{
        actions,
        model::{Kind, Method, OperationRow, OperationStatus, PaymentRow, ProviderName, Status},
    },
};

/// See [`PaymentObject`].
pub type Payment = Ordered<PaymentObject>;

/// An order being paid.
#[derive(Clone)]
pub struct PaymentObject(Arc<PaymentRow>);

impl Plain for PaymentObject {
    const PLAIN: &'static [&'static str] = &[
        "id",
        "provider",
        "method",
        "status",
        "amount",
        "capturedAmount",
        "refundedAmount",
        "failure",
        "createdAt",
        "updatedAt",
    ];
}

/// The object of a row.
pub fn payment(row: impl Into<Arc<PaymentRow>>) -> Payment {
    Ordered(PaymentObject(row.into()))
}

fn currency(row: &PaymentRow) -> Result<Currency> {
    Currency::parse(&row.currency).ok_or_else(|| Error::Internal("a payment without a currency".into()))
}

/// An order being paid: promised, taken, paid back. An order has at most one payment of which something can still become;
/// one that failed stays beside the next. The order's customer sees it, and staff do.
#[Object(name = "Payment")]
impl PaymentObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// What is paid; null for those who see payments and no orders.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        Ok(ctx.loaders().orders.load(self.0.order_id).await?.map(order))
    }

    /// Who moves the money.
    async fn provider(&self) -> ProviderName {
        self.0.provider
    }

    /// How it is paid.
    async fn method(&self) -> Method {
        self.0.method
    }

    /// Where it stands.
    async fn status(&self) -> Status {
        self.0.status
    }

    /// What is to be paid: the order's total when the payment was made.
    async fn amount(&self) -> Result<Money> {
        Ok(money(self.0.amount, currency(&self.0)?))
    }

    /// What was taken, paid back or not.
    async fn captured_amount(&self) -> Result<Money> {
        Ok(money(self.0.captured_amount, currency(&self.0)?))
    }

    /// What was paid back of it.
    async fn refunded_amount(&self) -> Result<Money> {
        Ok(money(self.0.refunded_amount, currency(&self.0)?))
    }

    /// Why the provider refused it, in a word such as `card_declined`; null where it did not.
    async fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// What was done with it, the oldest first: at most 100 that people asked for, and what the shop did by itself.
    #[graphql(complexity = "5 * child_complexity")]
    async fn operations(&self, ctx: &Context<'_>) -> Result<Vec<PaymentOperation>> {
        let rows = ctx.loaders().operations_by_payment.load(self.0.id).await?;
        let currency = currency(&self.0)?;
        let operation = |row: &Arc<OperationRow>| Ordered(PaymentOperationObject { row: Arc::clone(row), currency });
        Ok(rows.iter().flat_map(|rows| rows.iter()).map(operation).collect())
    }

    /// When it was asked for.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// See [`PaymentOperationObject`].
pub type PaymentOperation = Ordered<PaymentOperationObject>;

/// What was done with a payment.
pub struct PaymentOperationObject {
    row: Arc<OperationRow>,
    currency: Currency,
}

impl Plain for PaymentOperationObject {
    const PLAIN: &'static [&'static str] = &["kind", "status", "amount", "at", "settledAt", "failure", "reason"];
}

/// What was done with a payment, or is being done: the provider may not have told yet.
#[Object(name = "PaymentOperation")]
impl PaymentOperationObject {
    /// What is done.
    async fn kind(&self) -> Kind {
        self.row.kind
    }

    /// What has become of it.
    async fn status(&self) -> OperationStatus {
        self.row.status
    }

    /// How much.
    async fn amount(&self) -> Money {
        money(self.row.amount, self.currency)
    }

    /// When it was asked for.
    async fn at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When it was known what became of it; null while nobody knows.
    async fn settled_at(&self) -> Option<DateTime<Utc>> {
        self.row.settled_at
    }

    /// Why the provider refused it, in a word; null where it did not.
    async fn failure(&self) -> Option<&str> {
        self.row.failure.as_deref()
    }

    /// Why somebody asked for it, in their words.
    async fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }
}

/// Queries of payments.
#[derive(Default)]
pub struct PaymentQuery;

#[Object]
impl PaymentQuery {
    /// One payment that you may see: of an order that you placed, as a guest by your cart token, or as staff. Sellers see none
    /// of the orders that hold their products. Null otherwise.
    async fn payment(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Result<Option<Payment>> {
        let id = PaymentId::parse("id", &id)?;
        Ok(ctx.loaders().payments.load(id).await?.map(payment))
    }
}

impl Services {
    /// Takes a webhook of a payment provider, its headers by their names in lower case: what it came to, in a word.
    /// # Errors
    /// Why it is not taken.
    pub async fn payment_webhook(
        &self,
        provider: &str,
        headers: &BTreeMap<String, String>,
        body: &[u8],
    ) -> Result<&'static str> {
        let received = actions::webhooks::receive(&self.db, &self.providers, provider, headers, body, Utc::now());
        Ok(received.await?.map_or("repeated", |outcome| outcome.as_str()))
    }
}
