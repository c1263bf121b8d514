//! Runs an import, as a new or an existing transfer, from its checkpoint to the end of the file.
//! Rule: one run at a time imports a resource of a website; other runs wait for the lease.

mod importer;

use std::{io::Read, path::Path, time::Duration};

use self::importer::Importer;
use super::{
    super::{
        actions::{BatchImport, BatchWriter},
        model::{ImportOptions, Report, Resource},
        read_ahead::ReadAhead,
        record::Record,
        rejects::{Layout, RejectsFile},
    },
    missing::FileContents,
    model::{Input, Lease, Run},
    products, source, store,
};
use crate::{
    audit,
    db::Db,
    error::{Error, ErrorCode, Result, UserErrorCode},
    ids::TransferId,
    jobs::model::HEARTBEAT,
    money::Currency,
    websites::{self, model::WebsiteRow},
};

/// Interval between attempts to take a lease.
const LEASE_POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Imports a file as a new transfer, or continues an interrupted import of the same file. Rejected rows are written to
/// the file `rejects`. `progress` is called with the report after each batch.
/// # Errors
/// User errors for an unknown website, an invalid header and invalid options; file and database errors. Rows imported
/// before the error stay.
pub async fn import(
    db: &Db,
    options: &ImportOptions,
    input: Input,
    rejects: &Path,
    progress: impl Fn(&Report) + Send,
) -> Result<Report> {
    let website = website(db, options).await?;
    let source = source::read(input.bytes, options, website.currency()).await?;
    let (at, hash) = (Some(website.id), input.hash.as_deref());
    let lease = loop {
        let id = db.transaction(async |conn| store::find_or_insert(conn, at, options, hash).await).await?;
        // If another run has finished the same file in the meantime, a new transfer is started, which changes nothing.
        if let Some(lease) = wait_for_lease(db, id).await? {
            break lease;
        }
    };
    run(db, Run { options, website, lease }, source, rejects, progress, async { Ok(()) }).await
}

/// Imports a file for an existing transfer, from its checkpoint. `before_finish` runs after the last row and before the
/// transfer is marked as done.
/// # Errors
/// Errors of [`import`] and of `before_finish`.
pub async fn import_for_transfer(
    db: &Db,
    id: TransferId,
    options: &ImportOptions,
    bytes: Box<dyn Read + Send>,
    rejects: &Path,
    before_finish: impl Future<Output = Result<()>> + Send,
) -> Result<Report> {
    let website = website(db, options).await?;
    let source = source::read(bytes, options, website.currency()).await?;
    let done = || Error::Coded(ErrorCode::Conflict, "the import is already done".into());
    let lease = wait_for_lease(db, id).await?.ok_or_else(done)?;
    run(db, Run { options, website, lease }, source, rejects, |_| (), before_finish).await
}

/// Returns the number of rows of a file, up to the first read error; none if the header cannot be read.
pub async fn count(options: &ImportOptions, bytes: Box<dyn Read + Send>) -> Option<u64> {
    // The number of rows does not depend on the currency.
    let (_, mut batches) = source::read(bytes, options, Currency::NONE).await.ok()?;
    let mut rows = 0;
    while let Ok(batch) = batches.next().await
        && !batch.rows.is_empty()
    {
        rows += batch.rows.len() as u64;
    }
    Some(rows)
}

async fn website(db: &Db, options: &ImportOptions) -> Result<WebsiteRow> {
    if !(1..=10_000).contains(&options.batch) {
        return Err(Error::bad_input("batch", "batch must be between 1 and 10000 rows"));
    }
    options.rules.check(options.resource)?;
    let code = &options.website;
    let found = db.read(async |conn| websites::store::find_by_code(conn, code).await).await?;
    found.ok_or_else(|| Error::user(UserErrorCode::NotFound, "website", format!("there is no website {code:?}")))
}

/// Waits for the lease of a transfer; returns none if another run has finished the transfer in the meantime.
async fn wait_for_lease(db: &Db, id: TransferId) -> Result<Option<Lease>> {
    let mut has_logged = false;
    loop {
        if let Some(lease) = db.transaction(async |conn| store::take_lease(conn, id).await).await? {
            return Ok(Some(lease));
        }
        if db.read(async |conn| store::is_done(conn, id).await).await? {
            return Ok(None);
        }
        if !has_logged {
            tracing::info!("waiting for another import of the same website");
            has_logged = true;
        }
        tokio::time::sleep(LEASE_POLL_INTERVAL).await;
    }
}

/// Renews the lease of a run until another run has taken it; returns the error that says so. Batches renew it, too, but
/// may take longer than it is valid.
async fn lose_lease(db: &Db, lease: &Lease) -> Error {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        match db.transaction(async |conn| store::renew_lease(conn, lease).await).await {
            Err(lost @ Error::Coded(ErrorCode::Conflict, _)) => return lost,
            Err(error) => tracing::warn!(%error, transfer = lease.id.0, "renewing an import lease failed"),
            Ok(()) => {}
        }
    }
}

async fn run(
    db: &Db,
    run: Run<'_>,
    (layout, file): (Layout, ReadAhead<Record>),
    rejects: &Path,
    progress: impl Fn(&Report) + Send,
    before_finish: impl Future<Output = Result<()>> + Send,
) -> Result<Report> {
    let contents = FileContents::new(run.options.format, &layout);
    let mut rejects = RejectsFile::open(rejects, layout, run.lease.checkpoint > 0)?;
    let mut importer = Importer::new(db, &run, contents, rejects.take_rejected_before());
    let batch_import = BatchImport { db, file, rejects, is_dry_run: run.options.is_dry_run };
    let mut report = run.lease.report.clone();
    let work = async {
        batch_import.run(&mut importer, &mut report, progress).await?;
        if run.options.resource == Resource::Products {
            report.missing = products::actions::handle_missing(db, &run, importer.contents()).await?;
            importer.store_progress(&report).await?;
        }
        before_finish.await
    };
    let done: Result<()> = tokio::select! {
        done = work => done,
        lost = lose_lease(db, &run.lease) => Err(lost),
    };
    let failure = done.as_ref().err().map(Error::to_string);
    let (lease, failure) = (&run.lease, failure.as_deref());
    let (website, is_audited) = (run.website.id, failure.is_none() && !run.options.is_dry_run);
    let counts = &serde_json::json!({ run.options.resource.as_str(): report.counts });
    let ended = db.transaction(async |conn| {
        if is_audited {
            audit::store::insert_import(conn, website, counts).await?;
        }
        store::update_ended(conn, lease, failure).await
    });
    ended.await?;
    done.map(|()| report)
}
