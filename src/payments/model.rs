//! Rows and rules of payments.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

use crate::{
    db::tables::{payment_operations, payments},
    error::{Error, Result, UserErrorCode},
    ids::{JobId, OrderId, PaymentId, PaymentOperationId, UserId},
    money::Currency,
    text_enum,
};

/// Maximum number of payments per order; a limit on card testing.
pub const MAX_PAYMENTS: i64 = 50;
/// Maximum number of operations per payment that staff can start; automatic operations are not limited.
pub const MAX_OPERATIONS: usize = 100;
/// Maximum length of a source, in characters.
pub const MAX_SOURCE: usize = 500;
/// Maximum length of a reason, in characters.
pub const MAX_REASON: usize = 500;
/// Maximum length of a provider's reference or failure code, in characters; longer ones are truncated.
pub const MAX_PROVIDER_TEXT: usize = 200;

text_enum! {
    /// Payment provider that processes a payment.
    #[graphql(name = "PaymentProvider")]
    pub enum ProviderName {
        /// Cash on delivery and bank transfers, which staff record by hand.
        Manual => "manual",
        /// A test provider that moves no money; the number of its test card determines the outcome.
        Test => "test",
    }
}

text_enum! {
    /// Way in which the customer pays.
    #[graphql(name = "PaymentMethod")]
    pub enum Method {
        /// Payment by card.
        Card => "card",
        /// Cash payment on delivery.
        CashOnDelivery => "cash_on_delivery",
        /// Payment by bank transfer.
        BankTransfer => "bank_transfer",
    }
}

text_enum! {
    /// Status of a payment.
    #[graphql(name = "PaymentStatus")]
    pub enum Status {
        /// The authorization is in progress and its outcome is not known yet.
        Pending => "pending",
        /// The amount is authorized and nothing is captured.
        Authorized => "authorized",
        /// The amount was captured in full or in part.
        Captured => "captured",
        /// The authorization was voided and nothing was captured. Final.
        Voided => "voided",
        /// The whole captured amount was refunded and nothing more can be captured. Final.
        Refunded => "refunded",
        /// The provider declined the authorization. Final.
        Failed => "failed",
    }
}

text_enum! {
    /// Type of a payment operation.
    #[graphql(name = "PaymentOperationKind")]
    pub enum Kind {
        /// Reserves the amount on the customer's card or account.
        Authorize => "authorize",
        /// Collects an authorized amount.
        Capture => "capture",
        /// Releases the amount that is authorized and not captured.
        Void => "void",
        /// Pays a captured amount back to the customer.
        Refund => "refund",
    }
}

text_enum! {
    /// Status of a payment operation.
    #[graphql(name = "PaymentOperationStatus")]
    pub enum OperationStatus {
        /// The outcome is not known yet.
        Pending => "pending",
        /// The operation succeeded.
        Succeeded => "succeeded",
        /// The provider declined the operation.
        Failed => "failed",
    }
}

text_enum! {
    /// Result of applying a provider's outcome to an operation.
    #[graphql(name = "PaymentNews")]
    pub enum SettleOutcome {
        /// The outcome was applied: the operation is settled, or still pending as reported.
        Applied => "applied",
        /// The outcome was already known.
        Known => "known",
        /// The outcome contradicts the settled one, which stays. Needs manual review.
        Conflict => "conflict",
        /// No operation has this key.
        Unknown => "unknown",
    }
}

/// A payment.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = payments, check_for_backend(diesel::pg::Pg))]
pub struct PaymentRow {
    /// Primary key.
    pub id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// The provider.
    pub provider: ProviderName,
    /// The payment method.
    pub method: Method,
    /// Current status.
    pub status: Status,
    /// Amount to pay, in the payment's currency.
    pub amount: Decimal,
    currency: String,
    /// Captured amount, including refunded amounts.
    pub captured_amount: Decimal,
    /// Refunded amount.
    pub refunded_amount: Decimal,
    /// The provider's ID of the payment.
    pub provider_reference: Option<String>,
    /// The provider's failure code, if the authorization was declined.
    pub failure: Option<String>,
    /// When the payment was created.
    pub created_at: DateTime<Utc>,
    /// When the payment was last updated.
    pub updated_at: DateTime<Utc>,
}

impl PaymentRow {
    /// Returns the currency of its amounts.
    pub fn currency(&self) -> Currency {
        Currency::from_stored(&self.currency).expect("the table's CHECK guarantees three capital letters")
    }
}

/// A payment to insert.
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
    /// Primary key.
    pub id: PaymentOperationId,
    /// The payment.
    pub payment_id: PaymentId,
    /// Type of the operation.
    pub kind: Kind,
    /// Amount, in the payment's currency.
    pub amount: Decimal,
    /// Current status.
    pub status: OperationStatus,
    /// Idempotency key at the provider.
    pub key: Uuid,
    /// The provider's ID of the operation.
    pub provider_reference: Option<String>,
    /// The provider's failure code, if the operation was declined.
    pub failure: Option<String>,
    /// Reason given by staff.
    pub reason: Option<String>,
    /// The job that resolves the operation while it is pending.
    pub job_id: Option<JobId>,
    /// When the operation was settled.
    pub settled_at: Option<DateTime<Utc>>,
    /// When the operation was created.
    pub created_at: DateTime<Utc>,
}

/// An operation to insert.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = payment_operations)]
pub struct NewOperation {
    /// See [`OperationRow`].
    pub payment_id: PaymentId,
    /// See [`OperationRow`].
    pub kind: Kind,
    /// See [`OperationRow`].
    pub amount: Decimal,
    /// The user who started it; none for guests and automatic operations.
    pub user_id: Option<UserId>,
    /// See [`OperationRow`].
    pub reason: Option<String>,
}

/// Amounts that can still be captured or refunded. Pending operations count as if they had succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remaining {
    /// Amount that is authorized and neither captured nor voided; it can be captured or voided.
    pub capturable: Decimal,
    /// Amount that is captured and not refunded; it can be refunded.
    pub refundable: Decimal,
    /// Currency of the amounts.
    pub currency: Currency,
}

impl Remaining {
    /// Returns the amounts that remain after all operations of a payment.
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
            currency: payment.currency(),
        }
    }

    /// Returns the amount of an operation: the requested one, or else the whole remaining amount.
    /// # Errors
    /// INVALID_PAYMENT_STATUS if nothing remains; OUT_OF_RANGE and INVALID for an invalid amount.
    pub fn amount(&self, kind: Kind, asked: Option<Decimal>) -> Result<Decimal> {
        let (left, what) = match kind {
            Kind::Refund => (self.refundable, "to refund"),
            _ => (self.capturable, "to capture or void"),
        };
        if left <= Decimal::ZERO {
            return Err(Error::user(
                UserErrorCode::InvalidPaymentStatus,
                "id",
                format!("the payment has no amount left {what}"),
            ));
        }
        let Some(amount) = asked else { return Ok(left) };
        let amount = self.currency.check_digits("amount", amount)?;
        if amount <= Decimal::ZERO || amount > left {
            let (smallest, left) = (self.currency.smallest_amount(), self.currency.format(left));
            let rule = format!("amount must be between {smallest} and {left}, the amount left {what}");
            return Err(Error::user(UserErrorCode::OutOfRange, "amount", rule));
        }
        Ok(amount)
    }
}

/// Removes control characters and truncates to [`MAX_PROVIDER_TEXT`] characters; none if the rest is blank.
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
    fn amount_cannot_exceed_the_remaining_amount() {
        let currency = Currency::parse("EUR").unwrap();
        let left = Remaining { capturable: number("20.00"), refundable: number("5.50"), currency };
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
            (Kind::Capture, "1.100", "1.10"),
            (Kind::Refund, "5.50", "5.50"),
            (Kind::Refund, "5.51", "OutOfRange"),
            (Kind::Refund, "1000000000", "OutOfRange"),
        ] {
            assert_eq!(code(kind, asked), expected, "{kind:?} {asked}");
        }
        assert_eq!(left.amount(Kind::Refund, None).unwrap(), number("5.50"));
        let nothing = Remaining { capturable: Decimal::ZERO, refundable: Decimal::ZERO, currency };
        assert!(
            matches!(nothing.amount(Kind::Void, None), Err(Error::User(errors)) if errors[0].code == UserErrorCode::InvalidPaymentStatus)
        );
    }

    #[test]
    fn amount_has_the_decimal_places_of_the_currency() {
        for (code, left, asked, expected) in [
            ("JPY", "1000", "1000.50", "amount must have at most 0 decimal places in JPY"),
            ("JPY", "1000", "0", "amount must be between 1 and 1000, the amount left to refund"),
            ("KWD", "1.255", "1.2555", "amount must have at most 3 decimal places in KWD"),
            ("KWD", "1.255", "1.256", "amount must be between 0.001 and 1.255, the amount left to refund"),
        ] {
            let currency = Currency::parse(code).unwrap();
            let left = Remaining { capturable: Decimal::ZERO, refundable: number(left), currency };
            let error = left.amount(Kind::Refund, Some(number(asked))).unwrap_err();
            assert!(matches!(&error, Error::User(errors) if errors[0].message == expected), "{error}");
        }
    }

    #[test]
    fn provider_texts_are_truncated_to_one_line() {
        assert_eq!(sanitize("card\ndeclined\0").as_deref(), Some("carddeclined"));
        assert_eq!(sanitize(" \n"), None);
        assert_eq!(sanitize(&"é".repeat(300)).map(|text| text.chars().count()), Some(MAX_PROVIDER_TEXT));
    }
}
