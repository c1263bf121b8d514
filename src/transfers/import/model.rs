//! What an import is given, the run that all its batches belong to, and the outcome of a row.
//! Rule: a run has one lease and one website.

use std::io::Read;

use super::super::{
    model::{ImportOptions, Report},
    record::Rejection,
};
use crate::{ids::TransferId, websites::model::WebsiteRow};

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOutcome {
    /// The row created something.
    Created,
    /// The row changed something that existed.
    Updated,
    /// The row says nothing new.
    Unchanged,
    /// The row was not imported.
    Rejected(Rejection),
}

/// A file to import.
pub struct Input {
    /// Its bytes.
    pub bytes: Box<dyn Read + Send>,
    /// SHA-256 of the bytes, by which an interrupted run is found again; none for a file that cannot be read twice.
    pub hash: Option<Vec<u8>>,
}

/// The right to run a transfer, held until it expires unless it is renewed.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The transfer.
    pub id: TransferId,
    /// Number of the run, which increases each time that somebody takes the lease.
    pub run: i32,
    /// Number of the file's rows that are already imported.
    pub checkpoint: i64,
    /// Counts of these rows.
    pub report: Report,
}

/// A run of an import.
pub struct Run<'a> {
    /// Options.
    pub options: &'a ImportOptions,
    /// The website that the rows belong to.
    pub website: WebsiteRow,
    /// The lease on the transfer.
    pub lease: Lease,
}
