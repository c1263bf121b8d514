//! Options and reports of transfers: resources, formats, counts, and rejected rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    formats,
    ignored_columns::IgnoredColumn,
    record::Rejection,
    rejection_summary::{MAX_ERRORS, RejectionSummary, RowError},
};
use crate::{
    auth::{Permission, Scope, Viewer},
    db::export::Export,
    error::{Error, Result},
    ids::{UserId, WebsiteId},
    registry::domains,
    text_enum,
};

macro_rules! resources {
    ($($resource:ident($name:literal) $doc:literal in $domain:ident $export:ident;)*) => {
        text_enum! {
            /// Resource that a transfer imports or exports.
            #[graphql(name = "TransferResource")]
            pub enum Resource {$(#[doc = $doc] $resource => $name,)*}
        }

        impl Resource {
            /// Returns whether files of the resource can show customers or other users.
            pub fn has_customers(self) -> bool {
                let Export { joins, filter, .. } = self.export();
                joins.contains("$2") || filter.contains("$2")
            }

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

text_enum! {
    /// The rule by which an import finds the product of a row.
    #[derive(Default, Serialize, Deserialize)]
    #[graphql(name = "ImportMatch")]
    pub enum MatchBy {
        /// By external ID, and by SKU if the row or the product has no external ID. A row whose SKU belongs to a product
        /// with another external ID is rejected.
        #[default]
        ExternalId => "external-id",
        /// By external ID, and otherwise by SKU. A product that is found by SKU gets the external ID of the row.
        Sku => "sku",
    }
}

text_enum! {
    /// The treatment of active products of earlier imports of the website that the file does not contain.
    #[derive(Default, Serialize, Deserialize)]
    #[graphql(name = "ImportMissing")]
    pub enum Missing {
        /// They stay as they are.
        #[default]
        Keep => "keep",
        /// They are deactivated. Use it only for files that contain all products of the website.
        Deactivate => "deactivate",
    }
}

/// How an import treats existing products.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProductRules {
    /// How products are found.
    pub match_by: MatchBy,
    /// What happens to products that the file does not contain.
    pub missing: Missing,
}

impl ProductRules {
    /// Checks that the rules are the default ones, except for products.
    /// # Errors
    /// User errors of `match` and `missing`.
    pub fn check(self, resource: Resource) -> Result<()> {
        if resource == Resource::Products || self == Self::default() {
            return Ok(());
        }
        let field = if self.missing == Missing::Keep { "match" } else { "missing" };
        Err(Error::bad_input(field, "this option is for imports of products only"))
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
    /// Websites whose customers the user may see; none for all. Rows match no other customers.
    pub customer_websites: Option<Vec<WebsiteId>>,
    /// Whether the categories, brands and suppliers of products must exist, because the user may not create them.
    pub keeps_catalog: bool,
    /// Options of formats of other shop systems.
    pub shop_options: formats::Options,
    /// How existing products are treated.
    pub rules: ProductRules,
}

/// Returns the websites whose customers the viewer may see; none for all. A transfer stores them when it is started,
/// and matches and shows no other customers.
pub fn customer_websites(viewer: &Viewer) -> Option<Vec<WebsiteId>> {
    match viewer.scope(Permission::ManageUsers) {
        Scope::All => None,
        Scope::Websites(_, websites) => Some(websites.to_vec()),
        Scope::Public | Scope::Own(_) | Scope::Guest(_) | Scope::Seller { .. } => Some(Vec::new()),
    }
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

/// Report of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Row counts.
    #[serde(flatten)]
    pub counts: Counts,
    /// The first [`MAX_ERRORS`] rejected rows.
    pub errors: Vec<RowError>,
    /// All rejected rows, summarized by reason.
    #[serde(default)]
    pub rejections: Vec<RejectionSummary>,
    /// Number of active products of earlier imports of the website that the file does not contain. None if this was
    /// not determined: for other resources, and for a rejects file.
    #[serde(default)]
    pub missing: Option<u64>,
    /// What was changed or left out in accepted rows, with the number of occurrences.
    #[serde(default)]
    pub notes: BTreeMap<String, u64>,
    /// Columns of files of other shop systems that are not imported, those with the most rows first.
    #[serde(default)]
    pub ignored_columns: Vec<IgnoredColumn>,
}

/// Note on the rows whose negative stock was set to 0, because their products cannot be sold on backorder.
pub const SHORTFALLS: &str = "products with a stock below zero and no backorders, imported with a stock of 0";
/// Note on the orders whose total in the file is not the sum of their lines.
pub const OTHER_TOTALS: &str = "orders whose total is not the sum of their lines; the sum is imported";

impl Report {
    /// Replaces the notes on the file, which its reader counts from the start; notes on written rows stay.
    pub fn set_file_notes(&mut self, notes: BTreeMap<String, u64>) {
        let before = std::mem::replace(&mut self.notes, notes);
        for note in [SHORTFALLS, OTHER_TOTALS] {
            self.count_note(note, before.get(note).copied().unwrap_or_default());
        }
    }

    /// Counts written rows with a note: [`SHORTFALLS`] or [`OTHER_TOTALS`].
    pub fn count_note(&mut self, note: &'static str, count: u64) {
        if count > 0 {
            *self.notes.entry(note.to_owned()).or_default() += count;
        }
    }

    /// Counts a rejected row.
    pub fn reject(&mut self, line: u64, rejection: Rejection) {
        self.counts.rejected += 1;
        RejectionSummary::count(&mut self.rejections, line, &rejection);
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(RowError::new(line, rejection));
        }
    }
}
