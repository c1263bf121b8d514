//! Rows of `transfers`, and which of them a viewer sees.
//! Rule: a viewer sees what they may import and export, at the websites that they reach.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::{
    formats::{self, amounts::DecimalSeparator, decode::Encoding},
    model::{Format, Resource, RowError},
};
use crate::{
    auth::{Permission, Viewer},
    db::{filter::Op, tables::transfers},
    ids::{TransferId, UserId, WebsiteId},
    paging::SortKey,
    text_enum,
};

/// Who may move anything: the permissions of all resources.
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
    /// Which way a transfer goes.
    #[graphql(name = "TransferDirection")]
    pub enum TransferDirection {
        /// A file comes in.
        Import => "import",
        /// A file goes out.
        Export => "export",
    }
}

text_enum! {
    /// Where a transfer stands.
    #[graphql(name = "TransferStatus")]
    pub enum Status {
        /// It waits for its turn.
        Queued => "queued",
        /// It runs.
        Running => "running",
        /// All rows are behind it.
        Done => "done",
        /// It ended before its last row; what was taken over stays.
        Failed => "failed",
    }
}

/// What a file of another shop does not say of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShopOptions {
    /// Whether it is in Windows-1252, where it is no UTF-16 with a byte order mark.
    pub is_windows_1252: bool,
    /// Whether it writes 1.234,56 where its prices do not tell.
    pub is_decimal_comma: Option<bool>,
    /// What stands before addresses of images that name no server.
    pub image_base_url: Option<String>,
}

/// A transfer.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = transfers, check_for_backend(diesel::pg::Pg))]
pub struct TransferRow {
    /// Key.
    pub id: TransferId,
    /// Which way.
    pub direction: TransferDirection,
    /// What is moved.
    pub resource: Resource,
    /// How its file is written.
    pub format: Format,
    /// Whose rows they are; none for all there are.
    pub website_id: Option<WebsiteId>,
    /// Who began it; nobody for the command line.
    pub user_id: Option<UserId>,
    /// Whether nothing is written.
    pub is_dry_run: bool,
    options: Value,
    /// Where it stands.
    pub status: Status,
    /// Rows of the file that are written for good.
    pub checkpoint: i64,
    /// Where the file that comes in is.
    pub input_key: Option<String>,
    /// Where the file that went out is.
    pub output_key: Option<String>,
    /// Where the rows are that were not taken over.
    pub rejects_key: Option<String>,
    /// Rows there are; none while that is not known.
    pub total: Option<i64>,
    /// Rows that are read, or written out.
    pub processed: i64,
    /// Rows that made something.
    pub created: i64,
    /// Rows that changed something.
    pub updated: i64,
    /// Rows that said nothing new.
    pub unchanged: i64,
    /// Rows that were not taken over.
    pub rejected: i64,
    errors: Value,
    /// Why it failed.
    pub failure: Option<String>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// When it had its turn.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

impl TransferRow {
    /// The first of the rows that were not taken over, and why.
    pub fn errors(&self) -> Vec<RowError> {
        serde_json::from_value(self.errors.clone()).unwrap_or_default()
    }

    /// What the file does not say of itself. The day is that of the beginning, whenever the run goes on.
    pub fn shop_options(&self) -> formats::Options {
        let options: ShopOptions = serde_json::from_value(self.options.clone()).unwrap_or_default();
        let comma = |is_comma| if is_comma { DecimalSeparator::Comma } else { DecimalSeparator::Point };
        formats::Options {
            encoding: if options.is_windows_1252 { Encoding::Windows1252 } else { Encoding::Unicode },
            decimal_separator: options.is_decimal_comma.map(comma),
            image_base_url: options.image_base_url,
            today: self.created_at.date_naive(),
        }
    }

    /// The name of its file for people; `suffix` is put behind.
    pub fn file_name(&self, suffix: &str) -> String {
        format!("{}-{}{suffix}.{}", self.resource.as_str(), self.id.0, self.format.extension())
    }

    /// Whether it has come to its end.
    pub fn is_finished(&self) -> bool {
        matches!(self.status, Status::Done | Status::Failed)
    }
}

/// A transfer to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = transfers)]
pub struct NewTransfer {
    /// Which way.
    pub direction: TransferDirection,
    /// What is moved.
    pub resource: Resource,
    /// How its file is written.
    pub format: Format,
    /// Whose rows they are.
    pub website_id: Option<WebsiteId>,
    /// Who begins it.
    pub user_id: Option<UserId>,
    /// Whether nothing is written.
    pub is_dry_run: bool,
    /// Where the file that comes in is.
    pub input_key: Option<String>,
    /// The file's [`ShopOptions`].
    pub options: Value,
}

/// Which transfers somebody sees: those of the resources that they may move, at the websites that they reach.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TransferScope {
    /// The resources.
    pub resources: Vec<Resource>,
    /// The websites; all there are, and what belongs to none, without.
    pub websites: Option<Arc<[WebsiteId]>>,
}

impl TransferScope {
    /// What this viewer sees.
    pub fn of(viewer: &Viewer) -> Self {
        let resources =
            Resource::ALL.iter().copied().filter(|resource| viewer.can(resource.export().permission)).collect();
        Self { resources, websites: viewer.identity().and_then(|identity| identity.websites.clone()) }
    }

    /// Whether that is every transfer.
    pub fn is_all(&self) -> bool {
        self.websites.is_none() && self.resources.len() == Resource::ALL.len()
    }
}

/// A condition on transfers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TransferCondition {
    /// By the way that it goes.
    Direction(Op<TransferDirection>),
    /// By what is moved.
    Resource(Op<Resource>),
    /// By where it stands.
    Status(Op<Status>),
    /// By website.
    Website(Op<WebsiteId>),
    /// By when it was begun.
    CreatedAt(Op<DateTime<Utc>>),
}

/// What a list of transfers is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, async_graphql::Enum)]
pub enum TransferOrderField {
    /// When it was begun.
    #[default]
    CreatedAt,
}

impl TransferOrderField {
    /// The list's name in cursors.
    pub fn list(self) -> &'static str {
        match self {
            Self::CreatedAt => "transfers:created_at",
        }
    }

    /// The sort key of a row.
    pub fn key(self, row: &TransferRow) -> SortKey {
        match self {
            Self::CreatedAt => SortKey::Time(row.created_at),
        }
    }
}
