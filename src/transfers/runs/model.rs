//! Rows of transfers, and who sees which.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;

use super::super::model::{Format, Noun, RowError};
use crate::{
    auth::{Permission, Viewer},
    db::{filter::Op, tables::transfers},
    ids::{TransferId, UserId, WebsiteId},
    paging::SortKey,
    text_enum,
};

/// Who may move anything: the permissions of all nouns.
pub const MAY_MOVE: &[Permission] = &[
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
    pub enum Way {
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

/// A transfer.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = transfers, check_for_backend(diesel::pg::Pg))]
pub struct TransferRow {
    /// Key.
    pub id: TransferId,
    /// Which way.
    pub direction: Way,
    /// What is moved.
    pub noun: Noun,
    /// How its file is written.
    pub format: Format,
    /// Whose rows they are; none for all there are.
    pub website_id: Option<WebsiteId>,
    /// Who began it; nobody for the command line.
    pub user_id: Option<UserId>,
    /// Whether nothing is written.
    pub is_dry_run: bool,
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

    /// The name of its file for people; `what` is put behind.
    pub fn file_name(&self, what: &str) -> String {
        format!("{}-{}{what}.{}", self.noun.as_str(), self.id.0, self.format.extension())
    }

    /// Whether it has come to its end.
    pub fn is_over(&self) -> bool {
        matches!(self.status, Status::Done | Status::Failed)
    }
}

/// A transfer to be.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = transfers)]
pub struct NewTransfer {
    /// Which way.
    pub direction: Way,
    /// What is moved.
    pub noun: Noun,
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
}

/// Which transfers somebody sees: those of the nouns that they may move, at the websites that they reach.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reach {
    /// The nouns.
    pub nouns: Vec<Noun>,
    /// The websites; all there are, and what belongs to none, without.
    pub websites: Option<Arc<[WebsiteId]>>,
}

impl Reach {
    /// What this viewer sees.
    pub fn of(viewer: &Viewer) -> Self {
        let nouns = Noun::ALL.iter().copied().filter(|noun| viewer.can(noun.permission())).collect();
        Self { nouns, websites: viewer.identity().and_then(|identity| identity.websites.clone()) }
    }

    /// Whether that is every transfer.
    pub fn is_all(&self) -> bool {
        self.websites.is_none() && self.nouns.len() == Noun::ALL.len()
    }
}

/// A condition on transfers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TransferCondition {
    /// By the way that it goes.
    Way(Op<Way>),
    /// By what is moved.
    Noun(Op<Noun>),
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
