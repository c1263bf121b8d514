//! GraphQL types and queries of payments, and the entry point for provider webhooks.

mod mutation;

pub use self::mutation::*;

use std::{collections::BTreeMap, sync::Arc};

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

use crate::{
    auth::Scope,
    error::Result,
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

/// A payment of an order.
#[derive(Clone)]
pub struct Payment(Arc<PaymentRow>);

resource! {
    Payment(payment) by PaymentId of PaymentRow,
    |conn, context, ids| payments::store::by_ids(conn, &context.payment_scope(), &ids), row => row.id,
}

by_parent! {
    /// Payments of orders.
    PaymentsByOrder by OrderId => PaymentRow,
    |conn, context, ids| payments::store::by_order_ids(conn, &context.payment_scope(), &ids), row => row.order_id
}

by_parent! {
    /// Payments of orders that the viewer found by number and email address.
    UnscopedPaymentsByOrder by OrderId => PaymentRow,
    |conn, _, ids| payments::store::by_order_ids(conn, &Scope::All, &ids), row => row.order_id
}

by_parent! {
    /// Operations of payments.
    OperationsByPayment by PaymentId => OperationRow,
    |conn, _, ids| payments::store::operations_by_payment_ids(conn, &ids), row => row.payment_id
}

/// A payment of an order: authorized, captured, refunded. An order has at most one payment that is pending or
/// successful; failed payments are kept beside it. Visible to the order's customer and staff.
#[object]
impl Payment {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Order that is paid. Null if the viewer may see payments but not the order.
    async fn order(&self, ctx: &Context<'_>) -> Result<Option<Order>> {
        Ok(ctx.loaders().row(self.0.order_id).await?.map(order))
    }

    /// Payment provider that processes the payment.
    fn provider(&self) -> ProviderName {
        self.0.provider
    }

    /// Payment method.
    fn method(&self) -> Method {
        self.0.method
    }

    /// Current status of the payment.
    fn status(&self) -> Status {
        self.0.status
    }

    /// Amount to pay: the order's total when the payment was created.
    fn amount(&self) -> Money {
        money(self.0.amount, self.0.currency())
    }

    /// Amount that was captured, including amounts that were refunded later.
    fn captured_amount(&self) -> Money {
        money(self.0.captured_amount, self.0.currency())
    }

    /// Amount that was refunded.
    fn refunded_amount(&self) -> Money {
        money(self.0.refunded_amount, self.0.currency())
    }

    /// Failure code of the provider, such as `card_declined`; null if the payment did not fail.
    fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// Operations on the payment, oldest first. At most 100 that were requested through the API, plus automatic ones.
    #[graphql(complexity = "5 * child_complexity")]
    async fn operations(&self, ctx: &Context<'_>) -> Result<Vec<PaymentOperation>> {
        let rows = ctx.loaders().group::<OperationsByPayment, _>(self.0.id).await?;
        let currency = self.0.currency();
        let operation = |row: &Arc<OperationRow>| PaymentOperation { row: Arc::clone(row), currency };
        Ok(rows.iter().map(operation).collect())
    }

    /// When the payment was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the payment was last updated (UTC).
    fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// An operation on a payment.
pub struct PaymentOperation {
    row: Arc<OperationRow>,
    currency: Currency,
}

/// An operation on a payment, such as a capture or a refund. Its outcome may still be unknown.
#[object]
impl PaymentOperation {
    /// Kind of operation.
    fn kind(&self) -> Kind {
        self.row.kind
    }

    /// Current status of the operation.
    fn status(&self) -> OperationStatus {
        self.row.status
    }

    /// Amount of the operation.
    fn amount(&self) -> Money {
        money(self.row.amount, self.currency)
    }

    /// When the operation was requested (UTC).
    fn at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When the outcome of the operation became known (UTC); null while it is unknown.
    fn settled_at(&self) -> Option<DateTime<Utc>> {
        self.row.settled_at
    }

    /// Failure code of the provider; null if the operation did not fail.
    fn failure(&self) -> Option<&str> {
        self.row.failure.as_deref()
    }

    /// Reason that was given for the operation; null if there is none.
    fn reason(&self) -> Option<&str> {
        self.row.reason.as_deref()
    }
}

/// Query root for payments.
#[derive(Default)]
pub struct PaymentQuery;

#[object]
impl PaymentQuery {
    /// Returns a payment by ID. Customers see payments of their own orders, guests those of the orders that their cart
    /// token placed, staff all payments. Sellers do not see payments of orders that contain their products. Null if the
    /// payment does not exist or is not visible to the viewer.
    async fn payment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the payment.")] id: ID,
    ) -> Result<Option<Payment>> {
        let id = PaymentId::parse("id", &id)?;
        Ok(ctx.loaders().row(id).await?.map(payment))
    }
}

impl Services {
    /// Processes a webhook of a payment provider and returns its outcome. Header names are in lower case.
    /// # Errors
    /// Returns an error if the webhook is rejected.
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
