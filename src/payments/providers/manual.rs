//! Payments that staff record by hand: cash on delivery and bank transfers.
//! Rule: every operation succeeds at once, since it only records what people do: staff capture when the money has
//! arrived, and refund or void in the same way.

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, ready};

use super::{Call, Event, Headers, OperationOutcome, Provider, UnknownOutcome, WebhookRejection};
use crate::{
    error::{Error, Result},
    payments::model::Method,
};

/// The provider for manual payments.
pub struct Manual;

impl Provider for Manual {
    fn check(&self, method: Method, source: Option<&str>) -> Result<()> {
        if !matches!(method, Method::CashOnDelivery | Method::BankTransfer) {
            return Err(Error::bad_input(
                "method",
                "method must be CASH_ON_DELIVERY or BANK_TRANSFER for this provider",
            ));
        }
        match source {
            None => Ok(()),
            Some(_) => Err(Error::bad_input("source", "this provider does not accept a source")),
        }
    }

    fn requires_manual_capture(&self) -> bool {
        true
    }

    fn authorize<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>> {
        succeed(call)
    }

    fn capture<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>> {
        succeed(call)
    }

    fn void<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>> {
        succeed(call)
    }

    fn refund<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>> {
        succeed(call)
    }

    /// The provider has no state, and executing an operation twice is harmless.
    fn look_up<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Result<Option<OperationOutcome>, UnknownOutcome>> {
        Box::pin(ready(Ok(None)))
    }

    fn webhook(&self, _: &Headers, _: &[u8], _: DateTime<Utc>) -> Result<Event, WebhookRejection> {
        Err(WebhookRejection::NotFound)
    }
}

fn succeed<'a>(call: &Call) -> BoxFuture<'a, Result<OperationOutcome, UnknownOutcome>> {
    Box::pin(ready(Ok(OperationOutcome::Done { reference: format!("manual_{}", call.key.simple()) })))
}
