//! Options and reports of transfers: resources, formats, counts, and rejected rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{formats, record::Rejection};
use crate::{db::export::Export, ids::UserId, registry::domains, text_enum};

/// Maximum number of rejected rows in a report; the rejects file contains all of them.
pub const MAX_ERRORS: usize = 100;

macro_rules! resources {
    ($($resource:ident($name:literal) $doc:literal in $domain:ident $export:ident;)*) => {
        text_enum! {
            /// Resource that a transfer imports or exports.
            #[graphql(name = "TransferResource")]
            pub enum Resource {$(#[doc = $doc] $resource => $name,)*}
        }

        impl Resource {
            /// Returns the export definition of the resource's domain.
            pub fn export(self) -> &'static Export {
                match self { $(Self::$resource => &crate::$domain::store::$export,)* }
            }
        }
    };
}

domains!(transfers => resources);

text_enum! {
    /// File format of a transfer.
    #[graphql(name = "TransferFormat")]
    pub enum Format {
        /// Souk's CSV format.
        SoukCsv => "souk-csv",
        /// Souk's JSON Lines format.
        SoukJsonl => "souk-jsonl",
        /// Shopify's product CSV.
        Shopify => "shopify",
        /// WooCommerce's product CSV.
        #[graphql(name = "WOOCOMMERCE")]
        WooCommerce => "woocommerce",
        /// Magento 2's product CSV.
        Magento => "magento",
    }
}

impl Format {
    /// Returns whether Souk can also write the format.
    pub fn is_native(self) -> bool {
        matches!(self, Self::SoukCsv | Self::SoukJsonl)
    }

    /// Returns the file extension.
    pub fn extension(self) -> &'static str {
        if self == Self::SoukJsonl { "jsonl" } else { "csv" }
    }
}

/// Options of an import.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The resource of the file.
    pub resource: Resource,
    /// Format of the file.
    pub format: Format,
    /// Code of the website that the rows belong to.
    pub website: String,
    /// Whether the run is a dry run, which writes nothing to the database.
    pub is_dry_run: bool,
    /// Number of rows per transaction.
    pub batch: usize,
    /// The user who runs the import; none on the command line.
    pub user: Option<UserId>,
    /// Options of formats of other shop systems.
    pub shop_options: formats::Options,
}

/// Row counts by outcome; `read` is the sum of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows read.
    pub read: u64,
    /// Rows that created an entity.
    pub created: u64,
    /// Rows that updated an existing entity.
    pub updated: u64,
    /// Rows that changed nothing.
    pub unchanged: u64,
    /// Rejected rows.
    pub rejected: u64,
}

/// A rejected row in a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// Line of the file on which the row begins, from 1.
    pub line: u64,
    /// Name of the column in the file; none if the row as a whole is invalid.
    pub column: Option<String>,
    /// The rule that the row violates.
    pub message: String,
}

impl RowError {
    /// Creates the error of the row that begins on this line.
    pub fn new(line: u64, rejection: Rejection) -> Self {
        Self { line, column: rejection.column, message: rejection.message }
    }
}

/// Report of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Row counts.
    #[serde(flatten)]
    pub counts: Counts,
    /// The first [`MAX_ERRORS`] rejected rows.
    pub errors: Vec<RowError>,
    /// Data in files of other shop systems that is not imported, with the number of occurrences.
    #[serde(default)]
    pub notes: BTreeMap<String, u64>,
}

impl Report {
    /// Counts a rejected row.
    pub fn reject(&mut self, line: u64, rejection: Rejection) {
        self.counts.rejected += 1;
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(RowError::new(line, rejection));
        }
    }
}
