//! Imports and exports in the graph: runs, how far they are, and their files.

mod mutation;
mod query;

use std::{sync::Arc, time::Duration};

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

pub use self::{mutation::TransferMutation, query::TransferQuery};
use crate::{
    error::Result,
    graphql::{
        engine::scalars::global_id,
        schema::{
            context::ContextExt,
            resource::resource,
            users::{User, user},
            websites::{Website, website},
        },
    },
    ids::TransferId,
    transfers::{
        self,
        model::{Format, Resource, RowError},
        runs::model::{Status, TransferDirection, TransferRow, TransferScope},
    },
};

/// How long the address of a file is good.
const DOWNLOAD_URL_TTL: Duration = Duration::from_secs(3600);

/// An import or export.
#[derive(Clone)]
pub struct Transfer(Arc<TransferRow>);

resource! {
    Transfer(transfer) by TransferId of TransferRow,
    |conn, context, ids| transfers::runs::store::by_ids(conn, &TransferScope::of(&context.viewer), &ids), row => row.id,
}

/// An import or export of a file, in the background. Seen by whoever may move its resource at its website.
#[object]
impl Transfer {
    /// Opaque id, unique across all types.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Which way it goes.
    fn direction(&self) -> TransferDirection {
        self.0.direction
    }

    /// What is moved.
    fn resource(&self) -> Resource {
        self.0.resource
    }

    /// How its file is written.
    fn format(&self) -> Format {
        self.0.format
    }

    /// The website whose rows they are; null for those of all, and for what belongs to none.
    async fn website(&self, ctx: &Context<'_>) -> Result<Option<Website>> {
        let Some(id) = self.0.website_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(website))
    }

    /// Who began it; null for the command line, and where you may not see them.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.user_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// Whether it tells what would become of the file, and writes nothing.
    fn is_dry_run(&self) -> bool {
        self.0.is_dry_run
    }

    /// Where it stands.
    fn status(&self) -> Status {
        self.0.status
    }

    /// Rows that there are; null until they are counted.
    fn total(&self) -> Option<i64> {
        self.0.total
    }

    /// Rows that are behind it, at most a second or a batch ago.
    fn processed(&self) -> i64 {
        self.0.processed
    }

    /// Rows of an import that were read: the sum of the next four.
    fn read(&self) -> i64 {
        self.0.created + self.0.updated + self.0.unchanged + self.0.rejected
    }

    /// Rows of an import that made something.
    fn created(&self) -> i64 {
        self.0.created
    }

    /// Rows of an import that changed something.
    fn updated(&self) -> i64 {
        self.0.updated
    }

    /// Rows of an import that said nothing new.
    fn unchanged(&self) -> i64 {
        self.0.unchanged
    }

    /// Rows of an import that were not taken over.
    fn rejected(&self) -> i64 {
        self.0.rejected
    }

    /// The first 100 rows that were not taken over, and why; the file of rejects has them all.
    async fn errors(&self) -> Vec<TransferError> {
        self.0.errors().into_iter().map(TransferError).collect()
    }

    /// Why it failed; null where it did not.
    fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// Where the file of an export is, for an hour from now; null until it is done, and a week after it. Where it begins with a
    /// slash, it is an address of this server.
    async fn download_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.signed_url(ctx, self.0.output_key.as_deref(), "").await
    }

    /// Where the rows of an import are that were not taken over, as `downloadUrl`: put them right and import that file. Null
    /// where there are none.
    async fn rejects_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.signed_url(ctx, self.0.rejects_key.as_deref(), "-rejects").await
    }

    /// When it was begun.
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it had its turn; null before.
    fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }

    /// When it ended; null before.
    fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }
}

impl Transfer {
    async fn signed_url(&self, ctx: &Context<'_>, key: Option<&str>, suffix: &str) -> Result<Option<String>> {
        let Some(key) = key else { return Ok(None) };
        let signed = ctx.services().storage.signed_get(key, &self.0.file_name(suffix), DOWNLOAD_URL_TTL).await?;
        Ok(Some(signed.url))
    }
}

/// A row that was not taken over.
pub struct TransferError(RowError);

/// A row of a file that was not taken over, and why.
#[object]
impl TransferError {
    /// The line of the file on which the row begins, 1 for the first.
    fn line(&self) -> u64 {
        self.0.line
    }

    /// The column as the file calls it; null where the row as a whole is wrong.
    fn column(&self) -> Option<&str> {
        self.0.column.as_deref()
    }

    /// The rule that it breaks.
    fn message(&self) -> &str {
        &self.0.message
    }
}
