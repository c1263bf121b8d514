//! Rows and rules of payments.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    db::tables::{payment_operations, payments},
    error::{Error, Result, UserErrorCode},
    ids::{JobId, OrderId, PaymentId, PaymentOperationId, UserId},
    text_enum,
};

/// Most payments of an order: whoever tries so many cards is not paying.
pub const MAX_PAYMENTS: i64 = 50;
/// Most operations of a payment that people ask for; what the shop does by itself comes on top.
pub const MAX_OPERATIONS: usize = 100;
/// Longest source, in characters.
pub const MAX_SOURCE: usize = 500;
/// Longest reason, in characters.
pub const MAX_REASON: usize = 500;
/// Longest reference or failure of a provider, in characters: what is longer is cut.
pub const MAX_PROVIDER_TEXT: usize = 200;

text_enum! {
    /// Who moves the money.
    #[graphql(name = "PaymentProvider")]
    pub enum ProviderName {
        /// People: cash on delivery, bank transfers. Staff note what they see.
        Manual => "manual",
        /// Nobody: a provider to try everything with, by the numbers of its test cards.
        Test => "test",
    }
}

text_enum! {
    /// How somebody pays.
    #[graphql(name = "PaymentMethod")]
    pub enum Method {
        /// By a card.
        Card => "card",
        /// In cash, when the goods arrive.
        CashOnDelivery => "cash_on_delivery",
        /// By a transfer from their bank.
        BankTransfer => "bank_transfer",
    }
}

text_enum! {
    /// Where a payment stands.
    #[graphql(name = "PaymentStatus")]
    pub enum Status {
        /// Nobody knows yet whether the money is promised.
        Pending => "pending",
        /// The money is promised, and none of it taken.
        Authorized => "authorized",
        /// Money has been taken, maybe in part.
        Captured => "captured",
        /// The promise was given back, and nothing taken. It is over.
        Voided => "voided",
        /// All that was taken has been paid back, and nothing more can be. It is over.
        Refunded => "refunded",
        /// The provider refused it. It is over.
        Failed => "failed",
    }
}

text_enum! {
    /// What is done with a payment.
    #[graphql(name = "PaymentOperationKind")]
    pub enum Kind {
        /// The customer's money is promised.
        Authorize => "authorize",
        /// Promised money is taken.
        Capture => "capture",
        /// What is promised and not taken is given back.
        Void => "void",
        /// Money that was taken is paid back.
        Refund => "refund",
    }
}

text_enum! {
    /// What has become of an operation.
    #[graphql(name = "PaymentOperationStatus")]
    pub enum OperationStatus {
        /// Nobody knows yet.
        Pending => "pending",
        /// It was done.
        Succeeded => "succeeded",
        /// The provider refused it.
        Failed => "failed",
    }
}

text_enum! {
    /// What news of an operation came to.
    #[graphql(name = "PaymentNews")]
    pub enum SettleOutcome {
        /// The operation is settled by it, or still pending as it says.
        Applied => "applied",
        /// It was known before.
        Known => "known",
        /// It contradicts what is settled, which stays: somebody has to look.
        Conflict => "conflict",
        /// There is no such operation.
        Unknown => "unknown",
    }
}

/// A payment.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = payments, check_for_backend(diesel::pg::Pg))]
pub struct PaymentRow {
    /// Key.
    pub id: PaymentId,
    /// What is paid.
    pub order_id: OrderId,
    /// Who moves the money.
    pub provider: ProviderName,
    /// How it is paid.
    pub method: Method,
    /// Where it stands.
    pub status: Status,
    /// What is to be paid, in its currency.
    pub amount: Decimal,
    /// ISO 4217.
    pub currency: String,
    /// What was taken, paid back or not.
    pub captured_amount: Decimal,
    /// What was paid back of it.
    pub refunded_amount: Decimal,
    /// What the provider calls it.
    pub provider_reference: Option<String>,
    /// Why it was refused, in a word of the provider.
    pub failure: Option<String>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// A payment to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = payments)]
pub struct NewPayment {
    /// See [`PaymentRow`].
    pub order_id: OrderId,
    /// See [`PaymentRow`].
    pub provider: ProviderName,
    /// See [`PaymentRow`].
    pub method: Method,
    /// See [`PaymentRow`].
    pub amount: Decimal,
    /// See [`PaymentRow`].
    pub currency: String,
}

/// An operation of a payment.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = payment_operations, check_for_backend(diesel::pg::Pg))]
pub struct OperationRow {
    /// Key.
    pub id: PaymentOperationId,
    /// Whose.
    pub payment_id: PaymentId,
    /// What is done.
    pub kind: Kind,
    /// How much, in the payment's currency.
    pub amount: Decimal,
    /// What has become of it.
    pub status: OperationStatus,
    /// Its idempotency key at the provider.
    pub key: Uuid,
    /// What the provider calls it.
    pub provider_reference: Option<String>,
    /// Why it was refused, in a word of the provider.
    pub failure: Option<String>,
    /// Why somebody asked for it.
    pub reason: Option<String>,
    /// The job that looks after it while it is pending.
    pub job_id: Option<JobId>,
    /// When it was settled.
    pub settled_at: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// An operation to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = payment_operations)]
pub struct NewOperation {
    /// See [`OperationRow`].
    pub payment_id: PaymentId,
    /// See [`OperationRow`].
    pub kind: Kind,
    /// See [`OperationRow`].
    pub amount: Decimal,
    /// Who asks for it; nobody where the shop does by itself, or a guest.
    pub user_id: Option<UserId>,
    /// See [`OperationRow`].
    pub reason: Option<String>,
}

/// What can still be done with a payment. Operations that are pending count as if they had succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remaining {
    /// What is promised and neither taken nor given back: so much can be captured or voided.
    pub capturable: Decimal,
    /// What was taken and not paid back: so much can be refunded.
    pub refundable: Decimal,
}

impl Remaining {
    /// What is left of a payment after all its operations.
    pub fn of(payment: &PaymentRow, operations: &[OperationRow]) -> Self {
        let sum = |kinds: &[Kind]| -> Decimal {
            let counted = operations.iter().filter(|operation| operation.status != OperationStatus::Failed);
            counted.filter(|operation| kinds.contains(&operation.kind)).map(|operation| operation.amount).sum()
        };
        let is_authorized = matches!(payment.status, Status::Authorized | Status::Captured);
        let uncaptured = payment.amount - sum(&[Kind::Capture, Kind::Void]);
        Self {
            capturable: if is_authorized { uncaptured } else { Decimal::ZERO },
            refundable: payment.captured_amount - sum(&[Kind::Refund]),
        }
    }

    /// How much an operation takes: what is asked for, or else all that is left.
    /// # Errors
    /// INVALID_PAYMENT_STATUS where nothing is left, OUT_OF_RANGE and INVALID for an amount that cannot be.
    pub fn amount(&self, kind: Kind, asked: Option<Decimal>) -> Result<Decimal> {
        let (left, what) = match kind {
            Kind::Refund => (self.refundable, "was paid and has not been paid back"),
            _ => (self.capturable, "is authorised and not captured"),
        };
        if left <= Decimal::ZERO {
            return Err(Error::user(
                UserErrorCode::InvalidPaymentStatus,
                "id",
                format!("nothing of this payment {what}"),
            ));
        }
        let Some(amount) = asked else { return Ok(left) };
        if amount.normalize().scale() > 2 {
            return Err(Error::bad_input("amount", "an amount has at most two decimals"));
        }
        if amount <= Decimal::ZERO || amount > left {
            let rule = format!("{left} {what}: give an amount from 0.01 to that");
            return Err(Error::user(UserErrorCode::OutOfRange, "amount", rule));
        }
        Ok(amount)
    }
}

/// A reference or a failure as it is kept: on one line, cut to [`MAX_PROVIDER_TEXT`]; none where nothing is left.
pub fn sanitize(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|letter| !letter.is_control()).take(MAX_PROVIDER_TEXT).collect();
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn an_amount_is_within_what_is_left() {
        let left = Remaining { capturable: number("20.00"), refundable: number("5.50") };
        let code = |kind, asked: &str| match left.amount(kind, Some(number(asked))) {
            Ok(amount) => amount.to_string(),
            Err(Error::User(errors)) => format!("{:?}", errors[0].code),
            Err(error) => panic!("{error}"),
        };
        for (kind, asked, expected) in [
            (Kind::Capture, "20.00", "20.00"),
            (Kind::Capture, "0.01", "0.01"),
            (Kind::Capture, "20.01", "OutOfRange"),
            (Kind::Capture, "0", "OutOfRange"),
            (Kind::Capture, "-1", "OutOfRange"),
            (Kind::Capture, "1.001", "Invalid"),
            (Kind::Capture, "1.100", "1.100"),
            (Kind::Refund, "5.50", "5.50"),
            (Kind::Refund, "5.51", "OutOfRange"),
            (Kind::Refund, "1000000000", "OutOfRange"),
        ] {
            assert_eq!(code(kind, asked), expected, "{kind:?} {asked}");
        }
        assert_eq!(left.amount(Kind::Refund, None).unwrap(), number("5.50"));
        let nothing = Remaining { capturable: Decimal::ZERO, refundable: Decimal::ZERO };
        assert!(
            matches!(nothing.amount(Kind::Void, None), Err(Error::User(errors)) if errors[0].code == UserErrorCode::InvalidPaymentStatus)
        );
    }

    #[test]
    fn texts_of_a_provider_are_cut_to_one_line() {
        assert_eq!(sanitize("card\ndeclined\0").as_deref(), Some("carddeclined"));
        assert_eq!(sanitize(" \n"), None);
        assert_eq!(sanitize(&"é".repeat(300)).map(|text| text.chars().count()), Some(MAX_PROVIDER_TEXT));
    }
}
