//! Rows of `transfers`, and their visibility.
//! Rule: viewers see transfers of the resources that they may import and export, at the websites that they can access.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{
    formats::{self, amounts::DecimalSeparator, decode::Encoding},
    ignored_columns::IgnoredColumn,
    model::{Format, ProductRules, Resource, customer_websites},
    rejection_summary::{RejectionSummary, RowError},
};
use crate::{
    auth::{Permission, Viewer},
    db::{filter::Op, tables::transfers},
    ids::{TransferId, UserId, WebsiteId},
    paging::SortKey,
    text_enum,
    websites::model::WebsiteOp,
};

/// Permissions of which one is required to see transfers: those of all resources.
pub const TRANSFER_PERMISSIONS: &[Permission] = &[
    Permission::ManageProducts,
    Permission::ManageCatalogue,
    Permission::ManageUsers,
    Permission::ManageOrders,
    Permission::ManageStock,
    Permission::ManageReviews,
    Permission::ManageWebsites,
];

text_enum! {
    /// Direction of a transfer.
    #[graphql(name = "TransferDirection")]
    pub enum TransferDirection {
        /// A file is imported.
        Import => "import",
        /// A file is exported.
        Export => "export",
    }
}

text_enum! {
    /// Status of a transfer.
    #[graphql(name = "TransferStatus")]
    pub enum Status {
        /// The transfer is waiting to be run.
        Queued => "queued",
        /// The transfer is running.
        Running => "running",
        /// All rows were processed.
        Done => "done",
        /// The transfer stopped with an error; rows imported before stay.
        Failed => "failed",
    }
}

/// Options of an import; those of the file are for other shop systems.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShopOptions {
    /// Whether the file is encoded in Windows-1252, unless it is UTF-16 with a byte order mark.
    pub is_windows_1252: bool,
    /// Whether the file uses a decimal comma, if its prices do not determine it.
    pub is_decimal_comma: Option<bool>,
    /// Base URL of relative image paths.
    pub image_base_url: Option<String>,
    /// How existing products are treated, in any format.
    pub rules: ProductRules,
    /// Whether the categories, brands and suppliers of products must exist, because the user may not create them.
    pub keeps_catalog: bool,
}

/// A transfer.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = transfers, check_for_backend(diesel::pg::Pg))]
pub struct TransferRow {
    /// Primary key.
    pub id: TransferId,
    /// Direction.
    pub direction: TransferDirection,
    /// Resource.
    pub resource: Resource,
    /// Format of the file.
    pub format: Format,
    /// Website of the rows; none for all websites.
    pub website_id: Option<WebsiteId>,
    /// The user who started it; none on the command line.
    pub user_id: Option<UserId>,
    /// Websites whose customers that user could see; none for all.
    pub customer_websites: Option<Vec<WebsiteId>>,
    /// Whether it is a dry run, which writes nothing.
    pub is_dry_run: bool,
    options: Value,
    /// Current status.
    pub status: Status,
    /// Number of rows of the file that are imported.
    pub checkpoint: i64,
    /// Storage key of the imported file.
    pub input_key: Option<String>,
    /// Storage key of the exported file.
    pub output_key: Option<String>,
    /// Storage key of the rejects file.
    pub rejects_key: Option<String>,
    /// Total number of rows; none if it is not known yet.
    pub total: Option<i64>,
    /// Number of rows read or written so far.
    pub processed: i64,
    /// Number of rows that created an entity.
    pub created: i64,
    /// Number of rows that updated an existing entity.
    pub updated: i64,
    /// Number of rows that changed nothing.
    pub unchanged: i64,
    /// Number of rejected rows.
    pub rejected: i64,
    errors: Value,
    rejections: Value,
    ignored_columns: Value,
    /// Number of active products of earlier imports of the website that the file does not contain; none if this was not
    /// determined.
    pub missing: Option<i64>,
    notes: Value,
    /// Reason of the failure.
    pub failure: Option<String>,
    /// When the transfer was requested.
    pub created_at: DateTime<Utc>,
    /// When the transfer started to run.
    pub started_at: Option<DateTime<Utc>>,
    /// When the transfer ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl TransferRow {
    /// Returns the first rejected rows with their reasons.
    pub fn errors(&self) -> Vec<RowError> {
        serde_json::from_value(self.errors.clone()).unwrap_or_default()
    }

    /// Returns the rejected rows summarized by reason.
    pub fn rejections(&self) -> Vec<RejectionSummary> {
        serde_json::from_value(self.rejections.clone()).unwrap_or_default()
    }

    /// Returns what was changed or left out in accepted rows, with the number of rows.
    pub fn notes(&self) -> BTreeMap<String, u64> {
        serde_json::from_value(self.notes.clone()).unwrap_or_default()
    }

    /// Returns the columns of the file that are not imported.
    pub fn ignored_columns(&self) -> Vec<IgnoredColumn> {
        serde_json::from_value(self.ignored_columns.clone()).unwrap_or_default()
    }

    /// Returns how existing products are treated.
    pub fn rules(&self) -> ProductRules {
        self.options().rules
    }

    /// Returns whether the categories, brands and suppliers of products must exist.
    pub fn keeps_catalog(&self) -> bool {
        self.options().keeps_catalog
    }

    fn options(&self) -> ShopOptions {
        serde_json::from_value(self.options.clone()).unwrap_or_default()
    }

    /// Returns the options of the file's format. Sale prices are evaluated for the day of the request, whenever the run
    /// continues.
    pub fn shop_options(&self) -> formats::Options {
        let options = self.options();
        let comma = |is_comma| if is_comma { DecimalSeparator::Comma } else { DecimalSeparator::Point };
        formats::Options {
            encoding: if options.is_windows_1252 { Encoding::Windows1252 } else { Encoding::Unicode },
            decimal_separator: options.is_decimal_comma.map(comma),
            image_base_url: options.image_base_url,
            today: self.created_at.date_naive(),
            ..formats::Options::default()
        }
    }

    /// Returns the file name for downloads, with `suffix` appended.
    pub fn file_name(&self, suffix: &str) -> String {
        format!("{}-{}{suffix}.{}", self.resource.as_str(), self.id.0, self.format.extension())
    }

    /// Returns whether the viewer may see all customers that the transfer's files can show.
    pub fn shows_files_to(&self, viewer: &Viewer) -> bool {
        let Some(visible) = customer_websites(viewer).filter(|_| self.resource.has_customers()) else { return true };
        self.customer_websites.as_ref().is_some_and(|shown| shown.iter().all(|website| visible.contains(website)))
    }

    /// Returns whether the transfer has ended.
    pub fn is_finished(&self) -> bool {
        matches!(self.status, Status::Done | Status::Failed)
    }
}

/// A transfer to insert.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = transfers)]
pub struct NewTransfer {
    /// Direction.
    pub direction: TransferDirection,
    /// Resource.
    pub resource: Resource,
    /// Format of the file.
    pub format: Format,
    /// Website of the rows.
    pub website_id: Option<WebsiteId>,
    /// The user who starts it.
    pub user_id: Option<UserId>,
    /// Websites whose customers that user may see; none for all.
    pub customer_websites: Option<Vec<WebsiteId>>,
    /// Whether it is a dry run.
    pub is_dry_run: bool,
    /// Storage key of the imported file.
    pub input_key: Option<String>,
    /// The file's [`ShopOptions`].
    pub options: Value,
}

/// The transfers that a viewer can see: of the resources that they may import and export, at the websites that they can
/// access.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TransferScope {
    /// The resources.
    pub resources: Vec<Resource>,
    /// The websites; none for all websites and transfers without one.
    pub websites: Option<Arc<[WebsiteId]>>,
}

impl TransferScope {
    /// Returns the scope of a viewer.
    pub fn of(viewer: &Viewer) -> Self {
        let resources =
            Resource::ALL.iter().copied().filter(|resource| viewer.can(resource.export().permission)).collect();
        Self { resources, websites: viewer.identity().and_then(|identity| identity.websites.clone()) }
    }

    /// Returns whether the scope includes every transfer.
    pub fn is_all(&self) -> bool {
        self.websites.is_none() && self.resources.len() == Resource::ALL.len()
    }
}

/// A filter condition on transfers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TransferCondition {
    /// By direction.
    Direction(Op<TransferDirection>),
    /// By resource.
    Resource(Op<Resource>),
    /// By status.
    Status(Op<Status>),
    /// By website.
    Website(WebsiteOp),
    /// By the time of the request.
    CreatedAt(Op<DateTime<Utc>>),
}

/// Fields that transfers can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum TransferOrderField {
    /// When the transfer was requested.
    #[default]
    CreatedAt,
}

impl TransferOrderField {
    /// Returns the list's name in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::CreatedAt => "transfers:created_at",
        }
    }

    /// Returns the sort key of a row.
    pub fn key(self, row: &TransferRow) -> SortKey {
        match self {
            Self::CreatedAt => SortKey::Time(row.created_at),
        }
    }
}
