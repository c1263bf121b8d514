//! Input of an import, the run with its lease, and the outcome of a row.
//! Rule: a run has one lease and one website.

use std::io::Read;

use super::super::{
    model::{ImportOptions, Report},
    record::Rejection,
};
use crate::{ids::TransferId, websites::model::WebsiteRow};

/// Outcome of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOutcome {
    /// The row created an entity.
    Created,
    /// The row updated an existing entity.
    Updated,
    /// The row changed nothing.
    Unchanged,
    /// The row was rejected.
    Rejected(Rejection),
}

/// Outcomes of rows that were written together.
#[derive(Debug, Default)]
pub struct Written {
    /// The outcome of each row, in order.
    pub outcomes: Vec<RowOutcome>,
    /// Number of accepted rows whose negative stock was set to 0.
    pub shortfalls: u64,
}

impl Written {
    /// Appends the outcomes of later rows.
    pub fn extend(&mut self, other: Self) {
        self.outcomes.extend(other.outcomes);
        self.shortfalls += other.shortfalls;
    }
}

impl From<Vec<RowOutcome>> for Written {
    fn from(outcomes: Vec<RowOutcome>) -> Self {
        Self { outcomes, shortfalls: 0 }
    }
}

/// A file to import.
pub struct Input {
    /// The content of the file.
    pub bytes: Box<dyn Read + Send>,
    /// SHA-256 of the content, to find an interrupted run of the same file; none if the input cannot be read twice.
    pub hash: Option<Vec<u8>>,
}

/// The right to run a transfer; it expires unless it is renewed.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The transfer.
    pub id: TransferId,
    /// Number of the run; incremented each time the lease is taken.
    pub run: i32,
    /// Number of rows of the file that are imported.
    pub checkpoint: i64,
    /// Counts of these rows.
    pub report: Report,
}

/// A run of an import.
pub struct Run<'a> {
    /// Options of the import.
    pub options: &'a ImportOptions,
    /// The website that the rows belong to.
    pub website: WebsiteRow,
    /// Lease on the transfer.
    pub lease: Lease,
}
