//! Exports: every row of a resource, as one moment saw them, in souk's own formats.
//! Rule: rows stream through, so that memory is flat however many there are; passwords and other secrets are in no column.

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

/// Rows between two words on the progress.
const PROGRESS_INTERVAL_ROWS: u64 = 1_000;

/// What an export is told.
#[derive(Debug, Clone)]
pub struct ExportOptions {
    /// What goes out.
    pub resource: Resource,
    /// How it is written: one of souk's own formats.
    pub format: Format,
    /// Whose: a must for what belongs to a website. Of categories it says which website's ids go along.
    pub website: Option<WebsiteId>,
}

impl ExportOptions {
    /// # Errors
    /// User errors for a format that souk does not write, and where the website is missing.
    pub fn check(&self) -> Result<()> {
        if !self.format.is_native() {
            return Err(Error::bad_input("format", "souk writes souk-csv and souk-jsonl"));
        }
        if self.resource.export().has_website && self.website.is_none() {
            let rule = format!("{} belong to a website: say which", self.resource.as_str());
            return Err(Error::user(UserErrorCode::Required, "website", rule));
        }
        Ok(())
    }
}

/// Writes everything of a resource that the viewer reaches: how many rows. `progress` hears now and then how many are written,
/// and of how many.
/// # Errors
/// FORBIDDEN without the resource's permission, NOT_FOUND for a website beyond the viewer's; those of [`ExportOptions::check`], of
/// the file and of the database.
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

/// The websites whose rows go out; none for all there are.
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
