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

/// Most returns of an order.
pub const MAX_RETURNS: i64 = 100;
/// Longest reason, in characters.
const MAX_REASON: usize = 500;

text_enum! {
    /// Where a return stands.
    #[graphql(name = "ReturnStatus")]
    pub enum ReturnStatus {
        /// Somebody wants to send pieces back.
        Requested => "requested",
        /// The pieces came back.
        Received => "received",
        /// The shop does not take them back.
        Rejected => "rejected",
    }
}

/// A part of an order on its way back.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = returns, check_for_backend(diesel::pg::Pg))]
pub struct ReturnRow {
    /// Key.
    pub id: ReturnId,
    /// Of which order.
    pub order_id: OrderId,
    /// Where it stands.
    pub status: ReturnStatus,
    /// What was written along; none where nothing was, and once the customer was erased.
    pub note: Option<String>,
    /// Why the shop does not take it back; none once the customer was erased.
    pub rejection: Option<String>,
    /// When it was received or rejected.
    pub settled_at: Option<DateTime<Utc>>,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// Pieces of a line in a return.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = return_lines, check_for_backend(diesel::pg::Pg))]
pub struct ReturnLineRow {
    /// In which return.
    pub return_id: ReturnId,
    /// Of which line.
    pub order_detail_id: OrderDetailId,
    /// Pieces.
    pub quantity: i32,
    /// Why; none once the customer was erased.
    pub reason: Option<String>,
    /// Whether they can be sold again.
    pub is_restocked: bool,
}

/// Pieces of a line to send back.
#[derive(Debug, Clone, Serialize)]
pub struct ReturnLine {
    /// Of which line.
    pub line: OrderDetailId,
    /// Pieces.
    pub quantity: i32,
    /// Why.
    pub reason: String,
}

/// A return to be.
#[derive(Debug, Clone, Serialize)]
pub struct ReturnRequest {
    /// Of which order.
    pub order: OrderId,
    /// What is to go back.
    pub lines: Vec<ReturnLine>,
    /// What else there is to say.
    pub note: Option<String>,
}

impl ReturnRequest {
    /// Checks the texts.
    /// # Errors
    /// User errors for the fields that break a rule.
    pub fn check(&self) -> Result<()> {
        let mut wrong = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            let broken = check_reason(&line.reason).err().into_iter().flat_map(|error| match error {
                Error::User(errors) => errors,
                _ => Vec::new(),
            });
            wrong
                .extend(broken.map(|error| UserError { field: Some(format!("lines.{index}.reason").into()), ..error }));
        }
        let mut validator = Validator::new();
        if let Some(note) = &self.note {
            if note.trim().is_empty() {
                validator.add(UserError::new(UserErrorCode::Required, "note", "give a text that is not blank"));
            }
            validator.multiline_text("note", note, 2000);
        }
        wrong.into_iter().for_each(|error| validator.add(error));
        validator.finish()
    }
}

/// Checks why something is sent back, or not taken back: one line of 1 to 500 characters.
/// # Errors
/// A user error of `reason`.
pub fn check_reason(reason: &str) -> Result<()> {
    let mut validator = Validator::new();
    validator.text("reason", reason, MAX_REASON);
    validator.finish()
}
