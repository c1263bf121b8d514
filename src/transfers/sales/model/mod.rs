//! Pure rules of sales imports: options, lines and their rejection, batches, and the report.
//! Rule: no I/O; a field has one meaning or is rejected, nothing is guessed.

pub(super) mod batch;
mod fields;
pub(super) mod file_index;
pub(super) mod header;
mod line;
mod options;
pub mod report;

pub use self::{
    line::{RejectReason, SalesLine},
    options::{Columns, NON_PRODUCTS, SalesOptions, WebsiteOptions},
    report::SalesReport,
};
