//! Exports: all rows of a resource in one consistent snapshot, in Souk's own formats.
//! Rule: rows are streamed, so that memory use does not depend on their number; no column contains passwords or other
//! secrets.

mod store;

use std::io::Write;

use futures_util::TryStreamExt;

use super::{
    model::{Format, Resource},
    native::write::RowWriter,
};
use crate::{
    auth::Viewer,
    db::Db,
    error::{Error, ErrorCode, Result, UserErrorCode},
    ids::WebsiteId,
};

/// Number of rows between two progress reports.
const PROGRESS_INTERVAL_ROWS: u64 = 1_000;

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
    mut progress: impl FnMut(u64, u64) + Send,
) -> Result<u64> {
    options.check()?;
    let websites = visible_websites(viewer, options)?;
    let mut writer = RowWriter::new(out, options.resource, options.format)?;
    let snapshot = db.snapshot().await?;
    let total = store::count(&snapshot, options.resource, websites.as_deref()).await?;
    progress(0, total);
    let mut written = 0;
    {
        let mut rows = store::stream(&snapshot, options.resource, websites.as_deref()).await?;
        while let Some(cells) = rows.try_next().await? {
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
