//! Mutations of payments.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::Result,
    graphql::{
        engine::{guards::PermissionGuard, payload::payload, scalars::Decimal},
        schema::{
            context::{ContextExt, Services},
            payments::{Payment, payment},
        },
    },
    ids::{OrderId, PaymentId, RowId},
    payments::{
        actions::{self, OperationRequest, PaymentRequest},
        model::{Method, ProviderName},
    },
};

/// Input for `paymentCreate`.
#[derive(InputObject)]
pub struct PaymentCreateInput {
    /// ID of the order to pay. The whole order is paid.
    order_id: ID,
    /// Payment provider that processes the payment.
    provider: ProviderName,
    /// Payment method: CARD for the provider TEST, CASH_ON_DELIVERY or BANK_TRANSFER for the provider MANUAL.
    method: Method,
    /// Token of the provider for a card or account, at most 500 characters, as issued to the customer's browser; never
    /// a card number. For the provider TEST, the number of one of its test cards. Must be omitted for MANUAL.
    source: Option<String>,
    /// Key chosen by the client, 1 to 200 characters. Repeating a request with the same key returns the payment of the
    /// first request in its current status.
    idempotency_key: String,
}

/// Input for `paymentCapture`.
#[derive(Debug, InputObject)]
pub struct PaymentCaptureInput {
    /// ID of the payment.
    id: ID,
    /// Amount to capture: above 0 and at most the authorized amount that is not captured yet, with at most the decimal
    /// places of the currency. Default: all of it.
    amount: Option<Decimal>,
    /// Key chosen by the client, 1 to 200 characters. Repeating a request with the same key returns the first result.
    idempotency_key: String,
}

/// Input for `paymentVoid`.
#[derive(Debug, InputObject)]
pub struct PaymentVoidInput {
    /// ID of the payment.
    id: ID,
    /// Key chosen by the client, 1 to 200 characters. Repeating a request with the same key returns the first result.
    idempotency_key: String,
}

/// Input for `paymentRefund`.
#[derive(Debug, InputObject)]
pub struct PaymentRefundInput {
    /// ID of the payment.
    id: ID,
    /// Amount to refund: above 0 and at most the captured amount that is not refunded yet, with at most the decimal
    /// places of the currency. Default: all of it.
    amount: Option<Decimal>,
    /// Reason for the refund, at most 500 characters; visible to the customer.
    reason: Option<String>,
    /// Key chosen by the client, 1 to 200 characters. Repeating a request with the same key returns the first result.
    idempotency_key: String,
}

payload! {
    /// Result of `paymentCreate`.
    PaymentCreatePayload {
        /// The payment. Its status is FAILED if the provider declined it, and PENDING if the outcome is not known yet.
        payment: Payment
    }
}
payload! {
    /// Result of `paymentCapture`.
    PaymentCapturePayload {
        /// The updated payment; its last operation has the outcome of the capture.
        payment: Payment
    }
}
payload! {
    /// Result of `paymentVoid`.
    PaymentVoidPayload {
        /// The updated payment; its last operation has the outcome of the void.
        payment: Payment
    }
}
payload! {
    /// Result of `paymentRefund`.
    PaymentRefundPayload {
        /// The updated payment; its last operation has the outcome of the refund.
        payment: Payment
    }
}

/// Mutation root for payments.
#[derive(Default)]
pub struct PaymentMutation;

#[object]
impl PaymentMutation {
    /// Pays the whole amount of an order. The provider may decline the payment (status FAILED; another payment can be
    /// created) or respond late (status PENDING; query `payment` later). Customers can pay their own orders;
    /// `MANAGE_PAYMENTS` allows any order. Requires login or the cart token that placed the order.
    async fn payment_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Order, provider, method and payment source.")] input: PaymentCreateInput,
    ) -> Result<PaymentCreatePayload> {
        let created = async {
            let PaymentCreateInput { order_id, provider, method, source, idempotency_key } = input;
            let order = OrderId::parse("orderId", &order_id)?;
            let request = PaymentRequest { order, provider, method, source };
            let Services { providers, orders, .. } = ctx.services();
            let (viewer, shopper) = (ctx.viewer(), ctx.shopper());
            actions::create(ctx.db(), providers, *orders, viewer, &shopper, request, idempotency_key).await
        };
        PaymentCreatePayload::of(created.await.map(payment))
    }

    /// Captures an authorized payment, in full or in parts. Requires `MANAGE_PAYMENTS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManagePayments])")]
    async fn payment_capture(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Payment and the amount to capture.")] input: PaymentCaptureInput,
    ) -> Result<PaymentCapturePayload> {
        let captured = async {
            let id = PaymentId::parse("id", &input.id)?;
            let request = OperationRequest { payment: id, amount: input.amount.map(|amount| amount.0), reason: None };
            let key = input.idempotency_key;
            actions::capture(ctx.db(), &ctx.services().providers, ctx.viewer(), request, key).await
        };
        PaymentCapturePayload::of(captured.await.map(payment))
    }

    /// Voids the authorized amount of a payment that is not captured. Requires `MANAGE_PAYMENTS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManagePayments])")]
    async fn payment_void(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Payment to void.")] input: PaymentVoidInput,
    ) -> Result<PaymentVoidPayload> {
        let voided = async {
            let id = PaymentId::parse("id", &input.id)?;
            actions::void(ctx.db(), &ctx.services().providers, ctx.viewer(), id, input.idempotency_key).await
        };
        PaymentVoidPayload::of(voided.await.map(payment))
    }

    /// Refunds captured money, in full or in parts. Requires `MANAGE_PAYMENTS`.
    #[graphql(guard = "PermissionGuard(&[Permission::ManagePayments])")]
    async fn payment_refund(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Payment and the amount to refund.")] input: PaymentRefundInput,
    ) -> Result<PaymentRefundPayload> {
        let refunded = async {
            let id = PaymentId::parse("id", &input.id)?;
            let amount = input.amount.map(|amount| amount.0);
            let request = OperationRequest { payment: id, amount, reason: input.reason };
            let key = input.idempotency_key;
            actions::refund(ctx.db(), &ctx.services().providers, ctx.viewer(), request, key).await
        };
        PaymentRefundPayload::of(refunded.await.map(payment))
    }
}
