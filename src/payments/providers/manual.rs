//! Payments that people see to: cash on delivery and bank transfers.
//! Rule: everything is done at once, since it is a note of what people do: an authorisation is a promise, staff capture
//! when the money is there, and refunds and voids are notes of the same kind.

use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, ready};

use super::{Call, Event, Headers, OperationOutcome, Provider, UnknownOutcome, WebhookRejection};
use crate::{
    error::{Error, Result},
    payments::model::Method,
};

/// See the module.
pub struct Manual;

impl Provider for Manual {
    fn check(&self, method: Method, source: Option<&str>) -> Result<()> {
        if !matches!(method, Method::CashOnDelivery | Method::BankTransfer) {
            return Err(Error::bad_input("method", "this provider takes CASH_ON_DELIVERY and BANK_TRANSFER"));
        }
        match source {
            None => Ok(()),
            Some(_) => Err(Error::bad_input("source", "this provider takes no source")),
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

    /// It keeps nothing, and noting twice does no harm.
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
