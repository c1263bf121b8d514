//! Imports and exports in the graph: runs, how far they are, and their files.

mod mutation;
mod query;

use std::{sync::Arc, time::Duration};

use async_graphql::{Context, ID, Object};
use chrono::{DateTime, Utc};

pub use self::{mutation::TransferMutation, query::TransferQuery};
use crate::graphql::engine::container::Ordered;
use crate::graphql::engine::container::Plain;
use crate::graphql::engine::scalars::global;
use crate::graphql::schema::context::ContextExt;
use crate::graphql::schema::users::User;
use crate::graphql::schema::users::user;
use crate::graphql::schema::websites::Website;
use crate::graphql::schema::websites::website;
use crate::{
    error::Result,
    transfers::{
        model::{Format, Noun, RowError},
        runs::model::{Status, TransferRow, Way},
    },
};

/// How long the address of a file is good.
const LIFE: Duration = Duration::from_secs(3600);

/// See [`TransferObject`].
pub type Transfer = Ordered<TransferObject>;

/// An import or export.
#[derive(Clone)]
pub struct TransferObject(Arc<TransferRow>);

impl Plain for TransferObject {
    const PLAIN: &'static [&'static str] = &[
        "id",
        "direction",
        "noun",
        "format",
        "isDryRun",
        "status",
        "total",
        "processed",
        "read",
        "created",
        "updated",
        "unchanged",
        "rejected",
        "failure",
        "createdAt",
        "startedAt",
        "finishedAt",
    ];
}

/// The object of a row.
pub fn transfer(row: impl Into<Arc<TransferRow>>) -> Transfer {
    Ordered(TransferObject(row.into()))
}

/// An import or export of a file, in the background. Seen by whoever may move its noun at its website.
#[Object(name = "Transfer")]
impl TransferObject {
    /// Opaque id, unique across all types.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Which way it goes.
    async fn direction(&self) -> Way {
        self.0.direction
    }

    /// What is moved.
    async fn noun(&self) -> Noun {
        self.0.noun
    }

    /// How its file is written.
    async fn format(&self) -> Format {
        self.0.format
    }

    /// The website whose rows they are; null for those of all, and for what belongs to none.
    async fn website(&self, ctx: &Context<'_>) -> Result<Option<Website>> {
        let Some(id) = self.0.website_id else { return Ok(None) };
        Ok(ctx.loaders().websites.load(id).await?.map(website))
    }

    /// Who began it; null for the command line, and where you may not see them.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.user_id else { return Ok(None) };
        Ok(ctx.loaders().users.load(id).await?.map(user))
    }

    /// Whether it tells what would become of the file, and writes nothing.
    async fn is_dry_run(&self) -> bool {
        self.0.is_dry_run
    }

    /// Where it stands.
    async fn status(&self) -> Status {
        self.0.status
    }

    /// Rows that there are; null until they are counted.
    async fn total(&self) -> Option<i64> {
        self.0.total
    }

    /// Rows that are behind it, at most a second or a batch ago.
    async fn processed(&self) -> i64 {
        self.0.processed
    }

    /// Rows of an import that were read: the sum of the next four.
    async fn read(&self) -> i64 {
        self.0.created + self.0.updated + self.0.unchanged + self.0.rejected
    }

    /// Rows of an import that made something.
    async fn created(&self) -> i64 {
        self.0.created
    }

    /// Rows of an import that changed something.
    async fn updated(&self) -> i64 {
        self.0.updated
    }

    /// Rows of an import that said nothing new.
    async fn unchanged(&self) -> i64 {
        self.0.unchanged
    }

    /// Rows of an import that were not taken over.
    async fn rejected(&self) -> i64 {
        self.0.rejected
    }

    /// The first 100 rows that were not taken over, and why; the file of rejects has them all.
    async fn errors(&self) -> Vec<TransferError> {
        self.0.errors().into_iter().map(|error| Ordered(TransferErrorObject(error))).collect()
    }

    /// Why it failed; null where it did not.
    async fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// Where the file of an export is, for an hour from now; null until it is done, and a week after it. Where it begins with a
    /// slash, it is an address of this server.
    async fn download_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.url(ctx, self.0.output_key.as_deref(), "").await
    }

    /// Where the rows of an import are that were not taken over, as `downloadUrl`: put them right and import that file. Null
    /// where there are none.
    async fn rejects_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.url(ctx, self.0.rejects_key.as_deref(), "-rejects").await
    }

    /// When it was begun.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it had its turn; null before.
    async fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }

    /// When it ended; null before.
    async fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }
}

impl TransferObject {
    async fn url(&self, ctx: &Context<'_>, key: Option<&str>, what: &str) -> Result<Option<String>> {
        let Some(key) = key else { return Ok(None) };
        let signed = ctx.services().storage.signed_get(key, &self.0.file_name(what), LIFE).await?;
        Ok(Some(signed.url))
    }
}

/// See [`TransferErrorObject`].
pub type TransferError = Ordered<TransferErrorObject>;

/// A row that was not taken over.
pub struct TransferErrorObject(RowError);

impl Plain for TransferErrorObject {
    const PLAIN: &'static [&'static str] = &["line", "column", "message"];
}

/// A row of a file that was not taken over, and why.
#[Object(name = "TransferError")]
impl TransferErrorObject {
    /// The line of the file on which the row begins, 1 for the first.
    async fn line(&self) -> u64 {
        self.0.line
    }

    /// The column as the file calls it; null where the row as a whole is wrong.
    async fn column(&self) -> Option<&str> {
        self.0.column.as_deref()
    }

    /// The rule that it breaks.
    async fn message(&self) -> &str {
        &self.0.message
    }
}
