//! Use case of sales imports: each batch of lines is a transaction; afterwards names and prices of the products are
//! updated from all lines.
//! Rule: unlike other imports there is no row in `transfers`, and so no lease and no checkpoint. Lines are identified
//! by keys derived from their content, so that an interrupted run starts over and adds only what is missing.

mod file;
mod importer;
mod products;
mod website;

use std::{io::Read, path::Path};

use self::importer::SalesImporter;
use super::{
    super::{actions::BatchImport, model::Report, rejects::RejectsFile},
    model::{SalesOptions, SalesReport},
};
use crate::{
    audit,
    db::Db,
    error::{Error, Result},
};

/// Imports a sales file. Rejected lines are written to the file `rejects`, which is created only if there are any.
/// # Errors
/// User errors for invalid options and headers, and for a website with another currency; file and database errors.
/// Lines imported before the error stay.
pub async fn import_sales(
    db: &Db,
    options: &SalesOptions,
    input: impl Read + Send + 'static,
    rejects: &Path,
) -> Result<SalesReport> {
    options.check()?;
    let currency = website::currency(db, &options.website).await?;
    let (layout, file) = file::read(input, options, currency).await?;
    let (website, counts) = website::find_or_create(db, &options.website).await?;
    let rejects = RejectsFile::open(rejects, layout, false)?;
    let batch_import = BatchImport { db, file, rejects, is_dry_run: false };
    let mut importer = SalesImporter::new(db, options, &website);
    let mut lines = Report::default();
    batch_import.run(&mut importer, &mut lines, |_| ()).await?;
    let Report { counts: line_counts, ignored_columns, .. } = lines;
    let report = SalesReport { website: counts, lines: line_counts, ignored_columns, ..importer.finish().await? };
    let json = serde_json::to_value(&report).map_err(|error| Error::Internal(format!("report: {error}")))?;
    let (website, json) = (website.id, &json);
    db.transaction(async |conn| audit::store::insert_import(conn, website, json).await).await?;
    Ok(report)
}
