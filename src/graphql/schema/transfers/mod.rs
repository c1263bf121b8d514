//! GraphQL types of imports and exports: progress, row outcomes and files.

mod mutation;
mod query;
mod subscription;

use std::{sync::Arc, time::Duration};

use async_graphql::{Context, ID};
use chrono::{DateTime, Utc};
use souk_macros::object;

pub use self::{mutation::TransferMutation, query::TransferQuery, subscription::TransferSubscription};
use crate::{
    error::Result,
    graphql::{
        engine::scalars::global_id,
        schema::{
            context::ContextExt,
            media::{Image, ImageFailuresByTransfer, image},
            resource::resource,
            users::{User, user},
            websites::{Website, website},
        },
    },
    ids::TransferId,
    media::model::ImageFailure,
    transfers::{
        self, ignored_columns,
        model::{Format, Resource},
        rejection_summary::{RejectionSummary, RowError},
        runs::model::{Status, TransferDirection, TransferRow, TransferScope},
    },
};

/// Validity of a download URL.
const DOWNLOAD_URL_TTL: Duration = Duration::from_secs(3600);

/// Maximum number of reasons in `imageFailures`.
const MAX_IMAGE_FAILURES: usize = 20;

/// An import or export.
#[derive(Clone)]
pub struct Transfer(Arc<TransferRow>);

resource! {
    Transfer(transfer) by TransferId of TransferRow,
    |conn, context, ids| transfers::runs::store::by_ids(conn, &TransferScope::of(&context.viewer), &ids), row => row.id,
}

/// An import or export of a file, which runs in the background. Visible to users who may transfer its resource type at
/// its website.
#[object]
impl Transfer {
    /// Opaque global ID.
    pub fn id(&self) -> ID {
        global_id(self.0.id)
    }

    /// Direction of the transfer: import or export.
    fn direction(&self) -> TransferDirection {
        self.0.direction
    }

    /// Resource type that is transferred.
    fn resource(&self) -> Resource {
        self.0.resource
    }

    /// Format of the file.
    fn format(&self) -> Format {
        self.0.format
    }

    /// Website whose rows are transferred. Null for the rows of all websites, and for resource types that belong to no
    /// website.
    async fn website(&self, ctx: &Context<'_>) -> Result<Option<Website>> {
        let Some(id) = self.0.website_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(website))
    }

    /// User who started the transfer. Null for transfers started on the command line, and if the viewer may not see the
    /// user.
    async fn user(&self, ctx: &Context<'_>) -> Result<Option<User>> {
        let Some(id) = self.0.user_id else { return Ok(None) };
        Ok(ctx.loaders().row(id).await?.map(user))
    }

    /// Whether the transfer is a dry run, which validates the file and writes nothing.
    fn is_dry_run(&self) -> bool {
        self.0.is_dry_run
    }

    /// Current status of the transfer.
    fn status(&self) -> Status {
        self.0.status
    }

    /// Total number of rows; null until they are counted.
    fn total(&self) -> Option<i64> {
        self.0.total
    }

    /// Number of rows processed so far, for showing progress; updated while the transfer runs.
    fn processed(&self) -> i64 {
        self.0.processed
    }

    /// Number of rows read by an import: the sum of `created`, `updated`, `unchanged` and `rejected`.
    fn read(&self) -> i64 {
        self.0.created + self.0.updated + self.0.unchanged + self.0.rejected
    }

    /// Number of rows for which an import created a record.
    fn created(&self) -> i64 {
        self.0.created
    }

    /// Number of rows for which an import updated a record.
    fn updated(&self) -> i64 {
        self.0.updated
    }

    /// Number of rows of an import that changed nothing.
    fn unchanged(&self) -> i64 {
        self.0.unchanged
    }

    /// Number of rows that an import rejected.
    fn rejected(&self) -> i64 {
        self.0.rejected
    }

    /// The first 100 rejected rows of an import and their errors; the file at `rejectsUrl` has all of them. Empty
    /// where `rejectsUrl` is null.
    async fn errors(&self, ctx: &Context<'_>) -> Vec<TransferError> {
        if !self.0.shows_files_to(ctx.viewer()) {
            return Vec::new();
        }
        self.0.errors().into_iter().map(TransferError).collect()
    }

    /// Number of images of the imported products that are not downloaded yet; 0 for an export. Images are downloaded in the
    /// background, and go on when the import is done.
    async fn images_pending(&self, ctx: &Context<'_>) -> Result<i64> {
        let failures = ctx.loaders().group::<ImageFailuresByTransfer, _>(self.0.id).await?;
        Ok(failures.iter().filter(|failure| failure.reason.is_none()).map(|failure| failure.count).sum())
    }

    /// Images of the imported products that could not be downloaded, by reason: the 20 most frequent reasons. Products
    /// that a later import contains are part of its report.
    async fn image_failures(&self, ctx: &Context<'_>) -> Result<Vec<TransferImageFailure>> {
        let failures = ctx.loaders().group::<ImageFailuresByTransfer, _>(self.0.id).await?;
        let failed = failures.iter().filter(|failure| failure.reason.is_some()).take(MAX_IMAGE_FAILURES);
        Ok(failed.cloned().map(TransferImageFailure).collect())
    }

    /// The rejected rows of an import summarized by reason, at most 100 reasons. Empty where `rejectsUrl` is null.
    async fn rejections(&self, ctx: &Context<'_>) -> Vec<TransferRejection> {
        if !self.0.shows_files_to(ctx.viewer()) {
            return Vec::new();
        }
        self.0.rejections().into_iter().map(TransferRejection).collect()
    }

    /// Changes and omissions of an import in the rows that it accepted, such as a stock below zero, with the number of
    /// occurrences.
    async fn notes(&self) -> Vec<TransferNote> {
        self.0.notes().into_iter().map(|(message, count)| TransferNote { message, count }).collect()
    }

    /// Columns of the file that Souk has no place for and that have a value in at least one row, those with the most rows
    /// first; at most 200. Their values are not imported. Attributes that Magento lists in `additional_attributes` are
    /// columns, too. Files in Souk's own formats have none: unknown columns are rejected. Updated while the import runs.
    async fn ignored_columns(&self) -> Vec<IgnoredColumn> {
        self.0.ignored_columns().into_iter().map(IgnoredColumn).collect()
    }

    /// Number of active products of earlier imports of the website that the file does not contain. With
    /// `missing: DEACTIVATE` they are deactivated, otherwise they stay as they are. Null until the import is completed,
    /// for other resource types, and for a file that is known to be incomplete, such as a file from `rejectsUrl`.
    fn missing(&self) -> Option<i64> {
        self.0.missing
    }

    /// Why the transfer failed; null if it did not fail.
    fn failure(&self) -> Option<&str> {
        self.0.failure.as_deref()
    }

    /// Signed, absolute URL of the exported file, valid for one hour. Null until the export is completed, from one week after
    /// that on, and if the file contains customers who are not visible to the viewer.
    async fn download_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.signed_url(ctx, self.0.output_key.as_deref(), "").await
    }

    /// Signed URL of a file with all rejected rows of an import, as for `downloadUrl`. Correct the rows and import that
    /// file. Null if no row was rejected, and if the import could match customers who are not visible to the viewer.
    async fn rejects_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.signed_url(ctx, self.0.rejects_key.as_deref(), "-rejects").await
    }

    /// When the transfer was created (UTC).
    fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When the transfer started to run (UTC); null before.
    fn started_at(&self) -> Option<DateTime<Utc>> {
        self.0.started_at
    }

    /// When the transfer finished (UTC); null before.
    fn finished_at(&self) -> Option<DateTime<Utc>> {
        self.0.finished_at
    }
}

impl Transfer {
    async fn signed_url(&self, ctx: &Context<'_>, key: Option<&str>, suffix: &str) -> Result<Option<String>> {
        let Some(key) = key.filter(|_| self.0.shows_files_to(ctx.viewer())) else { return Ok(None) };
        let signed = ctx.services().storage.signed_get(key, &self.0.file_name(suffix), DOWNLOAD_URL_TTL).await?;
        Ok(Some(ctx.absolute_url(signed.url)))
    }
}

/// Images that could not be downloaded.
pub struct TransferImageFailure(Arc<ImageFailure>);

/// Images of an import that could not be downloaded for the same reason.
#[object]
impl TransferImageFailure {
    /// Error of the downloads.
    fn reason(&self) -> &str {
        self.0.reason.as_deref().unwrap_or_default()
    }

    /// Number of images.
    fn count(&self) -> i64 {
        self.0.count
    }

    /// Up to five of the images.
    async fn examples(&self, ctx: &Context<'_>) -> Result<Vec<Image>> {
        Ok(ctx.loaders().rows(self.0.examples.iter().copied()).await?.into_iter().map(image).collect())
    }
}

/// A note on accepted rows.
pub struct TransferNote {
    message: String,
    count: u64,
}

/// A change or omission of an import in rows that it accepted.
#[object]
impl TransferNote {
    /// Description of the change or omission.
    fn message(&self) -> &str {
        &self.message
    }

    /// Number of occurrences.
    fn count(&self) -> u64 {
        self.count
    }
}

/// A reason for rejecting rows.
pub struct TransferRejection(RejectionSummary);

/// The rows of a file that an import rejected for one reason.
#[object]
impl TransferRejection {
    /// Name of the column in the file; null if the reason concerns the rows as a whole.
    fn column(&self) -> Option<&str> {
        self.0.column.as_deref()
    }

    /// Error message. Numbers and quoted values that differ between the rows are replaced with `…`.
    fn message(&self) -> &str {
        &self.0.message
    }

    /// Number of rows that were rejected for this reason.
    fn count(&self) -> u64 {
        self.0.count
    }

    /// The first 3 of these rows.
    async fn examples(&self) -> Vec<TransferError> {
        self.0.examples.iter().cloned().map(TransferError).collect()
    }
}

/// A column that is not imported.
pub struct IgnoredColumn(ignored_columns::IgnoredColumn);

/// A column of an imported file that Souk has no place for.
#[object]
impl IgnoredColumn {
    /// Name of the column in the file.
    fn column(&self) -> &str {
        &self.0.column
    }

    /// Number of rows of the file that have a value in the column.
    fn rows(&self) -> u64 {
        self.0.rows
    }
}

/// A rejected row.
pub struct TransferError(RowError);

/// A row of the file that an import rejected, and the reason.
#[object]
impl TransferError {
    /// Line of the file on which the row begins; the first line is 1.
    fn line(&self) -> u64 {
        self.0.line
    }

    /// Name of the column in the file; null if the error concerns the row as a whole.
    fn column(&self) -> Option<&str> {
        self.0.column.as_deref()
    }

    /// Error message.
    fn message(&self) -> &str {
        &self.0.message
    }
}
