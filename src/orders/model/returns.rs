//! Rows and inputs of returns.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;

use crate::{
    db::tables::{return_lines, returns},
    error::{Error, Result, UserError, UserErrorCode},
    ids::{OrderDetailId, OrderId, ReturnId},
    text::Validator,
    text_enum,
};

/// Maximum number of returns per order.
pub const MAX_RETURNS: i64 = 100;
/// Maximum length of a reason, in characters.
const MAX_REASON: usize = 500;

text_enum! {
    /// Status of a return.
    #[graphql(name = "ReturnStatus")]
    pub enum ReturnStatus {
        /// The return was requested.
        Requested => "requested",
        /// The returned units were received.
        Received => "received",
        /// The shop rejected the return.
        Rejected => "rejected",
    }
}

/// A return of units of an order.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = returns, check_for_backend(diesel::pg::Pg))]
pub struct ReturnRow {
    /// Primary key.
    pub id: ReturnId,
    /// The order.
    pub order_id: OrderId,
    /// Current status.
    pub status: ReturnStatus,
    /// The requester's note; none if there is no note or the customer's data was erased.
    pub note: Option<String>,
    /// Reason of the rejection; none once the customer's data was erased.
    pub rejection: Option<String>,
    /// When the return was received or rejected.
    pub settled_at: Option<DateTime<Utc>>,
    /// When the return was requested.
    pub created_at: DateTime<Utc>,
}

/// A line of a return.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = return_lines, check_for_backend(diesel::pg::Pg))]
pub struct ReturnLineRow {
    /// The return.
    pub return_id: ReturnId,
    /// The order line.
    pub order_detail_id: OrderDetailId,
    /// Number of units.
    pub quantity: i32,
    /// Reason for the return; none once the customer's data was erased.
    pub reason: Option<String>,
    /// Whether the units went back to stock.
    pub is_restocked: bool,
}

/// A line of a return request.
#[derive(Debug, Clone, Serialize)]
pub struct ReturnLine {
    /// The order line.
    pub line: OrderDetailId,
    /// Number of units.
    pub quantity: i32,
    /// Reason for the return.
    pub reason: String,
}

/// A request to return units of an order.
#[derive(Debug, Clone, Serialize)]
pub struct ReturnRequest {
    /// The order.
    pub order: OrderId,
    /// The lines to return.
    pub lines: Vec<ReturnLine>,
    /// Additional note.
    pub note: Option<String>,
}

impl ReturnRequest {
    /// Trims and checks the reasons and the note.
    /// # Errors
    /// User errors of the invalid fields.
    pub fn checked(mut self) -> Result<Self> {
        let mut wrong = Vec::new();
        for (index, line) in self.lines.iter_mut().enumerate() {
            match checked_reason(std::mem::take(&mut line.reason)) {
                Ok(reason) => line.reason = reason,
                Err(Error::User(errors)) => {
                    let field = || Some(format!("lines.{index}.reason").into());
                    wrong.extend(errors.into_iter().map(|error| UserError { field: field(), ..error }));
                }
                Err(error) => return Err(error),
            }
        }
        let mut validator = Validator::new();
        validator.multiline_texts("note", &mut self.note, 2000);
        if self.note.as_deref() == Some("") {
            validator.add(UserError::new(UserErrorCode::Required, "note", "must not be blank"));
        }
        wrong.into_iter().for_each(|error| validator.add(error));
        validator.finish()?;
        Ok(self)
    }
}

/// Trims and checks the reason of a return or of its rejection: one line of 1 to 500 characters.
/// # Errors
/// A user error of `reason`.
pub fn checked_reason(mut reason: String) -> Result<String> {
    let mut validator = Validator::new();
    validator.text("reason", &mut reason, MAX_REASON);
    validator.finish()?;
    Ok(reason)
}
