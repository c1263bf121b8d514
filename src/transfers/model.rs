//! What transfers are told and tell: resources, formats, counts, and why rows were refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{formats, record::Rejection};
use crate::{db::export::Export, ids::UserId, registry::domains, text_enum};

/// Refused rows that the report keeps; the file of rejects has them all.
pub const MAX_ERRORS: usize = 100;

macro_rules! resources {
    ($($resource:ident($name:literal) $doc:literal in $domain:ident $export:ident;)*) => {
        text_enum! {
            /// What a transfer moves.
            #[graphql(name = "TransferResource")]
            pub enum Resource {$(#[doc = $doc] $resource => $name,)*}
        }

        impl Resource {
            /// What its domain says of its rows.
            pub fn export(self) -> &'static Export {
                match self { $(Self::$resource => &crate::$domain::store::$export,)* }
            }
        }
    };
}

domains!(transfers => resources);

text_enum! {
    /// How a file is written.
    #[graphql(name = "TransferFormat")]
    pub enum Format {
        /// Souk's own CSV.
        SoukCsv => "souk-csv",
        /// Souk's own JSON Lines.
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
    /// Whether souk writes it too.
    pub fn is_native(self) -> bool {
        matches!(self, Self::SoukCsv | Self::SoukJsonl)
    }

    /// How names of such files end.
    pub fn extension(self) -> &'static str {
        if self == Self::SoukJsonl { "jsonl" } else { "csv" }
    }
}

/// What an import is told.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// What the file holds.
    pub resource: Resource,
    /// How it is written.
    pub format: Format,
    /// The code of the website whose it is.
    pub website: String,
    /// Nothing is written.
    pub is_dry_run: bool,
    /// Rows in one transaction.
    pub batch: usize,
    /// Who does it; nobody on the command line.
    pub user: Option<UserId>,
    /// What files of other shops do not say of themselves.
    pub shop_options: formats::Options,
}

/// What became of the rows: `read` is the sum of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows of the file.
    pub read: u64,
    /// Made.
    pub created: u64,
    /// There before, and changed.
    pub updated: u64,
    /// There before, and left.
    pub unchanged: u64,
    /// Not taken over.
    pub rejected: u64,
}

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The line of the file on which the row begins, 1 for the first.
    pub line: u64,
    /// The column as the file calls it; none where the row as a whole is wrong.
    pub column: Option<String>,
    /// The rule that it breaks.
    pub message: String,
}

impl RowError {
    /// Of the row that begins on this line.
    pub fn new(line: u64, rejection: Rejection) -> Self {
        Self { line, column: rejection.column, message: rejection.message }
    }
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// What became of the rows.
    #[serde(flatten)]
    pub counts: Counts,
    /// The first [`MAX_ERRORS`] refused rows.
    pub errors: Vec<RowError>,
    /// What files of other shops hold beside their rows and is not taken over, and how often.
    #[serde(default)]
    pub notes: BTreeMap<String, u64>,
}

impl Report {
    /// Counts a refused row.
    pub fn reject(&mut self, line: u64, rejection: Rejection) {
        self.counts.rejected += 1;
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(RowError::new(line, rejection));
        }
    }
}
