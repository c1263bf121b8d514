//! Payments in the graph.

mod mutation;

pub use self::mutation::*;

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    error::{Error, Result},
    graphql::{
        engine::scalars::{Money, global_id, money},
        schema::{
            context::{ContextExt, Services},
            loaders::by_parent,
            orders::{Order, order},
            resource::resource,
        },
    },
    ids::{OrderId, PaymentId, RowId},
    money::Currency,
    payments::{
        self, actions,
        model::{Kind, Method, OperationRow, OperationStatus, PaymentRow, ProviderName, Status},
    },
};

/// An order being paid.
#[derive(Clone)]
pub struct Payment(Arc<PaymentRow>);

fn currency(row: &PaymentRow) -> Result<Currency> {
    Currency::parse(&row.currency).ok_or_else(|| Error::Internal("a payment without a currency".into()))
}

resource! {
    Payment(payment) by PaymentId of PaymentRow,
    |conn, context, ids| payments::store::by_ids(conn, &context.payment_scope(), &ids), row => row.id,
}

by_parent! {
    /// The payments of orders.
    PaymentsByOrder by OrderId => PaymentRow,
    |conn, context, ids| payments::store::by_order_ids(conn, &context.payment_scope(), &ids), row => row.order_id
}

by_parent! {
    /// The operations of payments.
    OperationsByPayment by PaymentId => OperationRow,
    |conn, _, ids| payments::store::operations_by_payment_ids(conn, &ids), row => row.payment_id
}

/// An order being paid: promised, taken, paid back. An order has at most one payment of which something can still become;
/// one that failed stays beside the next. The order's customer sees it, and staff do.
#[object]
impl Payment {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// What is paid; null for those who see payments and no orders.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        Ok(ctx.loaders().row(self.0.order_id).await?.map(order))
    }

    /// Who moves the money.
    fn provider(&self) -> ProviderName {
        self.0.provider
    }

    /// How it is paid.
    fn method(&self) -> Method {
        self.0.method
    }

    /// Where it stands.
    fn status(&self) -> Status {
        self.0.status
    }

    /// What is to be paid: the order's total when the payment was made.
    fn amount(&self) -> Result<Money> {
        Ok(money(self.0.amount, currency(&self.0)?))
    }

    /// What was taken, paid back or not.
    fn captured_amount(&self) -> Result<Money> {
        Ok(money(self.0.captured_amount, currency(&self.0)?))
    }

    /// What was paid back of it.
    fn refunded_amount(&self) -> Result<Money> {
        Ok(money(self.0.refunded_amount, currency(&self.0)?))
    }

    /// Why the provider refused it, in a word such as `card_declined`; null where it did not.
    fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// What was done with it, the oldest first: at most 100 that people asked for, and what the shop did by itself.
    #[graphql(complexity = "5 * child_complexity")]
    async fn operations(&self, ctx: &Context<'_>) -> Result<Vec<PaymentOperation>> {
        let rows = ctx.loaders().group::<OperationsByPayment, _>(self.0.id).await?;
        let currency = currency(&self.0)?;
        let operation = |row: &Arc<OperationRow>| PaymentOperation { row: Arc::clone(row), currency };
        Ok(rows.iter().map(operation).collect())
    }

    /// When it was asked for.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// What was done with a payment.
pub struct PaymentOperation {
    row: Arc<OperationRow>,
    currency: Currency,
}

/// What was done with a payment, or is being done: the provider may not have told yet.
#[object]
impl PaymentOperation {
    /// What is done.
    fn kind(&self) -> Kind {
        self.row.kind
    }

    /// What has become of it.
    fn status(&self) -> OperationStatus {
        self.row.status
    }

    /// How much.
    fn amount(&self) -> Money {
        money(self.row.amount, self.currency)
    }

    /// When it was asked for.
    fn at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When it was known what became of it; null while nobody knows.
    fn settled_at(&self) -> Option<DateTime<Utc>> {
        self.row.settled_at
    }

    /// Why the provider refused it, in a word; null where it did not.
    fn failure(&self) -> Option<&str> {
        self.row.failure.as_deref()
    }

    /// Why somebody asked for it, in their words.
    fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }
}

/// Queries of payments.
#[derive(Default)]
pub struct PaymentQuery;

#[object]
impl PaymentQuery {
    /// One payment that you may see: of an order that you placed, as a guest by your cart token, or as staff. Sellers see none
    /// of the orders that hold their products. Null otherwise.
    async fn payment(&self, ctx: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Result<Option<Payment>> {
        let id = PaymentId::parse("id", &id)?;
        Ok(ctx.loaders().row(id).await?.map(payment))
    }
}

impl Services {
    /// Takes a webhook of a payment provider, its headers by their names in lower case: what it came to, in a word.
    /// # Errors
    /// Why it is not taken.
    pub async fn receive_payment_webhook(
        &self,
        provider: &str,
        headers: &BTreeMap<String, String>,
        body: &[u8],
    ) -> Result<&'static str> {
        let received = actions::webhooks::receive(&self.db, &self.providers, provider, headers, body, Utc::now());
        Ok(received.await?.map_or("repeated", |outcome| outcome.as_str()))
    }
}
