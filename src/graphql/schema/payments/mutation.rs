//! Mutations of payments.

use async_graphql::{Context, ID, InputObject};
use souk_macros::object;

use crate::{
    auth::Permission,
    error::Result,
    graphql::{
        engine::{guards::PermissionGuard, payload::payload, scalars::Decimal},
        schema::{
            context::ContextExt,
            payments::{Payment, payment},
        },
    },
    ids::{OrderId, PaymentId, RowId},
    payments::{
        actions::{self, OperationRequest, PaymentRequest},
        model::{Method, ProviderName},
    },
};

/// A payment to be.
#[derive(InputObject)]
pub struct PaymentCreateInput {
    /// Which order: all of it is paid.
    order_id: ID,
    /// Who moves the money.
    provider: ProviderName,
    /// How it is paid: CARD by TEST, CASH_ON_DELIVERY and BANK_TRANSFER by MANUAL.
    method: Method,
    /// The token that stands for a card or an account, at most 500 characters, as the provider gave it to the customer's
    /// browser; never the number itself. For the provider TEST the number of one of its test cards. None for MANUAL.
    source: Option<String>,
    /// Your own name for this write, 1 to 200 characters: sent again with the same name, it is done once and answers the
    /// payment as it is then.
    idempotency_key: String,
}

/// What to capture.
#[derive(Debug, InputObject)]
pub struct PaymentCaptureInput {
    /// Which payment.
    id: ID,
    /// How much, from 0.01 to what is authorised and not captured; all of that without.
    amount: Option<Decimal>,
    /// Your own name for this write, as of `paymentCreate`.
    idempotency_key: String,
}

/// What to void.
#[derive(Debug, InputObject)]
pub struct PaymentVoidInput {
    /// Which payment: what is authorised and not captured of it is given back.
    id: ID,
    /// Your own name for this write, as of `paymentCreate`.
    idempotency_key: String,
}

/// What to refund.
#[derive(Debug, InputObject)]
pub struct PaymentRefundInput {
    /// Which payment.
    id: ID,
    /// How much, from 0.01 to what is captured and not refunded; all of that without.
    amount: Option<Decimal>,
    /// Why, at most 500 characters; the customer reads it.
    reason: Option<String>,
    /// Your own name for this write, as of `paymentCreate`.
    idempotency_key: String,
}

payload! {
    /// The answer of `paymentCreate`.
    PaymentCreatePayload {
        /// The payment as it is now: refused where its status is FAILED, not known yet where it is PENDING.
        payment: Payment
    }
}
payload! {
    /// The answer of `paymentCapture`.
    PaymentCapturePayload {
        /// The payment as it is now; its last operation says what became of the capture.
        payment: Payment
    }
}
payload! {
    /// The answer of `paymentVoid`.
    PaymentVoidPayload {
        /// The payment as it is now; its last operation says what became of the void.
        payment: Payment
    }
}
payload! {
    /// The answer of `paymentRefund`.
    PaymentRefundPayload {
        /// The payment as it is now; its last operation says what became of the refund.
        payment: Payment
    }
}

/// Mutations of payments.
#[derive(Default)]
pub struct PaymentMutation;

#[object]
impl PaymentMutation {
    /// Pays an order, all of it: your own, as a guest by your cart token, with MANAGE_PAYMENTS any. The provider may refuse
    /// it (FAILED, and the next one may be tried) or not tell in time (PENDING: ask for `payment` later). Requires being
    /// logged in or a cart token.
    async fn payment_create(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The payment to be.")] input: PaymentCreateInput,
    ) -> Result<PaymentCreatePayload> {
        let created = async {
            let PaymentCreateInput { order_id, provider, method, source, idempotency_key } = input;
            let order = OrderId::parse("orderId", &order_id)?;
            let request = PaymentRequest { order, provider, method, source };
            actions::create(ctx.db(), &ctx.services().providers, ctx.viewer(), request, idempotency_key).await
        };
        PaymentCreatePayload::of(created.await.map(payment))
    }

    /// Takes authorised money, all of it or a part, several times until nothing is left. Requires MANAGE_PAYMENTS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManagePayments])")]
    async fn payment_capture(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to capture.")] input: PaymentCaptureInput,
    ) -> Result<PaymentCapturePayload> {
        let captured = async {
            let id = PaymentId::parse("id", &input.id)?;
            let request = OperationRequest { payment: id, amount: input.amount.map(|amount| amount.0), reason: None };
            let key = input.idempotency_key;
            actions::capture(ctx.db(), &ctx.services().providers, ctx.viewer(), request, key).await
        };
        PaymentCapturePayload::of(captured.await.map(payment))
    }

    /// Gives back what is authorised and not captured. Requires MANAGE_PAYMENTS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManagePayments])")]
    async fn payment_void(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to void.")] input: PaymentVoidInput,
    ) -> Result<PaymentVoidPayload> {
        let voided = async {
            let id = PaymentId::parse("id", &input.id)?;
            actions::void(ctx.db(), &ctx.services().providers, ctx.viewer(), id, input.idempotency_key).await
        };
        PaymentVoidPayload::of(voided.await.map(payment))
    }

    /// Pays captured money back, all of it or a part, several times until nothing is left. Requires MANAGE_PAYMENTS.
    #[graphql(guard = "PermissionGuard(&[Permission::ManagePayments])")]
    async fn payment_refund(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to refund.")] input: PaymentRefundInput,
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
