//! The job that runs a transfer between the file storage and the database.
//! Rule: files are copied to disk, so that no database connection waits for the network. An interrupted run continues;
//! it starts over only if rows were rejected before, so that the rejects file is complete.

use std::{
    io::{BufWriter, Write},
    path::Path,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use serde::Deserialize;
use tempfile::NamedTempFile;
use tokio::{fs::File, io::AsyncWriteExt, time::interval};
use tokio_util::io::StreamReader;

use super::super::{
    super::{
        export::{ExportOptions, Limits, export_within},
        import::{self, import_for_transfer},
        model::ImportOptions,
    },
    model::{TransferDirection, TransferRow},
    store,
};
use crate::{
    db::{Db, actor::Actor},
    error::{Error, ErrorCode, Result},
    ids::{TransferId, WebsiteId},
    jobs::model::{Failure, JobInfo, JobRow},
    media::actions::ImageProcessor,
    storage::Storage,
    websites,
};

/// The job.
pub const JOB: JobInfo = JobInfo::long("transfer", "Runs an import or export.");

/// Number of rows of an import per transaction.
const BATCH: usize = 2_000;
/// Interval between progress updates of an export.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Payload of the job.
#[derive(Debug, Deserialize)]
struct Payload {
    transfer: TransferId,
}

/// Runs the transfer of a job on behalf of the user who started it. An export writes the images with the URLs of the
/// processor.
/// # Errors
/// Transient errors, which are retried; permanent failures are stored in the transfer.
pub async fn run(db: &Db, processor: &ImageProcessor, job: &JobRow) -> Result<(), Failure> {
    let Payload { transfer: id } = job.payload()?;
    let found = db.read(async |conn| store::find(conn, id).await).await?;
    let Some(row) = found else { return Ok(()) };
    // On a retry, the transfer may be marked as failed by the earlier attempt.
    if row.is_finished() && job.attempts == 1 {
        return Ok(());
    }
    let actor = Actor { user: row.user_id.map(|user| user.0), ..Actor::system() };
    let done = actor.scope(async {
        match row.direction {
            TransferDirection::Import => run_import(db, processor.storage(), &row).await,
            TransferDirection::Export => run_export(db, processor, &row).await,
        }
    });
    let Err(error) = done.await else { return Ok(()) };
    if is_transient(&error) {
        return Err(error.into());
    }
    let failure = match &error {
        Error::User(_) | Error::Coded(..) => error.to_string(),
        other => {
            tracing::error!(transfer = id.0, error = %other, "transfer failed");
            "internal error; see the server log".to_owned()
        }
    };
    db.transaction(async |conn| store::update_failed(conn, id, &failure).await).await?;
    Ok(())
}

/// Returns whether a retry may succeed.
fn is_transient(error: &Error) -> bool {
    matches!(
        error,
        Error::Retry(_)
            | Error::Unavailable(_)
            | Error::CommitUnknown(_)
            | Error::WriteRejected(_)
            | Error::Coded(ErrorCode::Unavailable, _)
    )
}

async fn run_import(db: &Db, storage: &Storage, row: &TransferRow) -> Result<()> {
    let id = row.id;
    let website: Vec<WebsiteId> = row.website_id.into_iter().collect();
    let found = db.read(async |conn| websites::store::by_ids(conn, &website).await).await?.pop();
    let website = found.ok_or_else(|| Error::not_found("website", "website"))?;
    let input = download(storage, row.input_key.as_deref().unwrap_or_default()).await?;
    if row.checkpoint > 0 && row.rejected > 0 {
        db.transaction(async |conn| store::update_started(conn, id).await).await?;
    }
    let options = ImportOptions {
        resource: row.resource,
        format: row.format,
        website: website.code,
        is_dry_run: row.is_dry_run,
        batch: BATCH,
        user: row.user_id,
        customer_websites: row.customer_websites.clone(),
        keeps_catalog: row.keeps_catalog(),
        shop_options: row.shop_options(),
        rules: row.rules(),
    };
    let total = import::count(&options, Box::new(input.reopen().map_err(disk_error)?)).await.map(saturating_i64);
    db.transaction(async |conn| store::update_total(conn, id, total).await).await?;
    let directory = tempfile::tempdir().map_err(disk_error)?;
    let rejects = directory.path().join("rejects");
    let before_finish = async {
        if rejects.is_file() {
            let key = format!("transfers/{}/rejects.{}", id.0, row.format.extension());
            upload(storage, &key, &rejects).await?;
            let key = &key;
            db.transaction(async |conn| store::update_rejects(conn, id, key).await).await?;
        }
        Ok(())
    };
    let bytes = Box::new(input.reopen().map_err(disk_error)?);
    import_for_transfer(db, id, &options, bytes, &rejects, before_finish).await?;
    Ok(())
}

async fn run_export(db: &Db, processor: &ImageProcessor, row: &TransferRow) -> Result<()> {
    let (id, storage) = (row.id, processor.storage());
    db.transaction(async |conn| store::update_started(conn, id).await).await?;
    let file = NamedTempFile::new().map_err(disk_error)?;
    let media_url = processor.absolute_media_url().map(ToOwned::to_owned);
    let options = ExportOptions { resource: row.resource, format: row.format, website: row.website_id, media_url };
    let (written, total) = (AtomicI64::new(0), AtomicI64::new(0));
    let out = BufWriter::with_capacity(1 << 16, file.as_file());
    // The permission was checked when the export was started.
    let limits = Limits {
        websites: row.website_id.map(|website| vec![website]),
        customer_websites: row.customer_websites.clone(),
    };
    let rows = export_within(db, &limits, &options, out, |done, all| {
        written.store(saturating_i64(done), Ordering::Relaxed);
        total.store(saturating_i64(all), Ordering::Relaxed);
    });
    let report_progress = async {
        let mut ticks = interval(PROGRESS_INTERVAL);
        loop {
            ticks.tick().await;
            let (written, total) = (written.load(Ordering::Relaxed), total.load(Ordering::Relaxed));
            let note = db.transaction(async |conn| store::update_progress(conn, id, written, total).await);
            if let Err(error) = note.await {
                tracing::warn!(transfer = id.0, %error, "transfer progress not stored");
            }
        }
    };
    let rows = tokio::select! {
        rows = rows => saturating_i64(rows?),
        () = report_progress => 0,
    };
    file.as_file().flush().map_err(disk_error)?;
    let key = format!("transfers/{}/output.{}", id.0, row.format.extension());
    upload(storage, &key, file.path()).await?;
    let key = &key;
    db.transaction(async |conn| store::update_exported(conn, id, rows, key).await).await
}

fn saturating_i64(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Copies a file from the storage to disk.
async fn download(storage: &Storage, key: &str) -> Result<NamedTempFile> {
    let missing = || Error::Coded(ErrorCode::NotFound, "The file no longer exists. Upload it again.".into());
    let object = storage.get(key).await?.ok_or_else(missing)?;
    let file = NamedTempFile::new().map_err(disk_error)?;
    let mut out = File::from_std(file.reopen().map_err(disk_error)?);
    let mut bytes = StreamReader::new(object.stream);
    tokio::io::copy(&mut bytes, &mut out)
        .await
        .map_err(|error| Error::Unavailable(format!("file storage: {error}")))?;
    out.flush().await.map_err(disk_error)?;
    Ok(file)
}

/// Copies a file to the storage.
async fn upload(storage: &Storage, key: &str, file: &Path) -> Result<()> {
    let file = File::open(file).await.map_err(disk_error)?;
    storage.put_stream(key, file, u64::MAX).await.map(|_| ())
}

fn disk_error(error: std::io::Error) -> Error {
    Error::Internal(format!("transfer file: {error}"))
}
