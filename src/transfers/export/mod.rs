//! Exports: all rows of a resource in one consistent snapshot, in Souk's own formats.
//! Rule: rows are streamed, so that memory use does not depend on their number; no column contains passwords or other
//! secrets.

mod store;

use std::io::Write;

use futures_util::TryStreamExt;
use serde_json::Value;

use super::{
    model::{Format, Resource, customer_websites},
    native::write::RowWriter,
};
use crate::{
    auth::Viewer,
    db::{Db, export::Kind},
    error::{Error, ErrorCode, Result, UserErrorCode},
    ids::WebsiteId,
};

/// Number of rows between two progress reports.
const PROGRESS_INTERVAL_ROWS: u64 = 1_000;

/// Path of uploaded images, as the statements of the exports write it.
const MEDIA_PATH: &str = "/media/";

/// Options of an export.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// The resource to export.
    pub resource: Resource,
    /// Format of the file; one of Souk's own formats.
    pub format: Format,
    /// Website to export; required for resources that belong to a website. For categories it selects whose external IDs
    /// are exported.
    pub website: Option<WebsiteId>,
    /// Absolute base URL of uploaded images; none for paths of this server.
    pub media_url: Option<String>,
}

impl ExportOptions {
    /// Checks the options.
    /// # Errors
    /// User errors for a format that cannot be written and for a missing website.
    pub fn check(&self) -> Result<()> {
        if !self.format.is_native() {
            return Err(Error::bad_input("format", "exports support only souk-csv and souk-jsonl"));
        }
        if self.resource.export().has_website && self.website.is_none() {
            let rule = format!("a website is required to export {}", self.resource.as_str());
            return Err(Error::user(UserErrorCode::Required, "website", rule));
        }
        Ok(())
    }
}

/// What the rows of an export are limited to.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Websites whose rows are exported; none for all.
    pub websites: Option<Vec<WebsiteId>>,
    /// Websites whose customers are shown; none for all.
    pub customer_websites: Option<Vec<WebsiteId>>,
}

/// Writes all rows of a resource that the viewer can access; returns how many. `progress` is called regularly with the
/// number of written rows and their total.
/// # Errors
/// FORBIDDEN without the resource's permission; NOT_FOUND for a website that the viewer cannot access; errors of
/// [`ExportOptions::check`], the file and the database.
pub async fn export<W: Write + Send>(
    db: &Db,
    viewer: &Viewer,
    options: &ExportOptions,
    out: W,
    progress: impl FnMut(u64, u64) + Send,
) -> Result<u64> {
    options.check()?;
    let limits = Limits { websites: visible_websites(viewer, options)?, customer_websites: customer_websites(viewer) };
    export_within(db, &limits, options, out, progress).await
}

/// Writes all rows of a resource within these limits, as [`export`] does, for a viewer whose permission was checked.
/// # Errors
/// Errors of [`ExportOptions::check`], the file and the database.
pub async fn export_within<W: Write + Send>(
    db: &Db,
    limits: &Limits,
    options: &ExportOptions,
    out: W,
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<u64> {
    options.check()?;
    let mut writer = RowWriter::new(out, options.resource, options.format)?;
    let snapshot = db.snapshot().await?;
    let total = store::count(&snapshot, options.resource, limits).await?;
    progress(0, total);
    let mut written = 0;
    {
        let mut rows = store::stream(&snapshot, options.resource, limits).await?;
        while let Some(mut cells) = rows.try_next().await? {
            if let Some(media_url) = &options.media_url {
                make_images_absolute(options.resource, &mut cells, media_url);
            }
            writer.write(&cells)?;
            written += 1;
            if written % PROGRESS_INTERVAL_ROWS == 0 {
                progress(written, total);
            }
        }
    }
    snapshot.end().await?;
    writer.finish()?.flush().map_err(|error| Error::Internal(format!("the file cannot be written: {error}")))?;
    progress(written, written.max(total));
    Ok(written)
}

/// Puts the base URL in place of the path of uploaded images.
fn make_images_absolute(resource: Resource, cells: &mut [Option<String>], media_url: &str) {
    let images = resource.export().columns.iter().zip(cells).filter(|(column, _)| column.kind == Kind::Images);
    for cell in images.filter_map(|(_, cell)| cell.as_mut()) {
        let Ok(Value::Array(mut images)) = serde_json::from_str(cell) else { continue };
        for image in &mut images {
            if let Some(path) = image["url"].as_str().and_then(|url| url.strip_prefix(MEDIA_PATH)) {
                image["url"] = format!("{media_url}/{path}").into();
            }
        }
        *cell = Value::Array(images).to_string();
    }
}

/// Returns the websites whose rows are exported; none for all.
fn visible_websites(viewer: &Viewer, options: &ExportOptions) -> Result<Option<Vec<WebsiteId>>> {
    viewer.require_any(&[options.resource.export().permission])?;
    if let Some(website) = options.website {
        if !viewer.can_access_website(website) {
            return Err(Error::Coded(ErrorCode::NotFound, "there is no such website".into()));
        }
        return Ok(Some(vec![website]));
    }
    let limit = viewer.identity().and_then(|identity| identity.websites.as_deref());
    Ok(limit.map(<[WebsiteId]>::to_vec))
}
