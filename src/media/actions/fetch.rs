//! The job that downloads images by URL.
//! Rule: a URL is downloaded once for all images that have it; the outcome of every attempt is recorded in their rows
//! for staff; at most three attempts, with a delay between them.

use std::{
    future::ready,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};

use super::ImageProcessor;
use crate::{
    db::{Conn, Db},
    error::Result,
    ids::{ImageId, ProductId},
    jobs::{model::JobInfo, worker::StopSignal},
    media::{
        fetch::fetch,
        model::{DownloadState, DueDownload, MAX_ATTEMPTS},
        store::{downloads, upsert_media},
    },
    outbound::OutboundError,
    products,
};

/// The job.
pub const JOB: JobInfo =
    JobInfo::recurring("fetch_images", Duration::from_secs(5), "Downloads images that were added by URL.")
        .stopping_itself();
/// Number of URLs that are claimed and downloaded at once.
const CONCURRENCY: usize = 8;
/// How long one run claims more images; well below the timeout of a job.
const MAX_RUN: Duration = Duration::from_secs(60);
/// Delay after the first attempt in minutes; the next one is four times as long.
const RETRY_MINUTES: i64 = 5;
/// How old a download may be, when an image with its URL is added, to be used for that image. So an import downloads each
/// URL once, and later ones find out whether the image has changed.
const MAX_AGE: chrono::Duration = chrono::Duration::hours(1);
/// Number of images per transaction.
const CHUNK: i64 = 500;

/// Downloads the images that are due; returns the number of URLs.
/// # Errors
/// Database errors.
pub async fn fetch_due(db: &Db, processor: &ImageProcessor) -> Result<usize> {
    fetch_until(db, processor, &StopSignal::never()).await
}

/// Downloads the images that are due, or those that are done when the worker stops. Interrupted downloads are due again
/// at once.
async fn fetch_until(db: &Db, processor: &ImageProcessor, stop: &StopSignal) -> Result<usize> {
    let (started, mut count) = (Instant::now(), 0);
    loop {
        let claimed = db.transaction(async |conn| downloads::claim_due(conn, CONCURRENCY).await).await?;
        if claimed.is_empty() {
            return Ok(count);
        }
        let claimed_count = claimed.len();
        let work = stream::iter(claimed).map(|download| async move {
            let done = settle(db, processor, &download, stop).await.unwrap_or_else(|error| {
                // The lease expires and the URL, which may hold a secret, is tried again.
                tracing::warn!(%error, "image download not processed, retried after its lease expires");
                true
            });
            (!done).then_some(download.url)
        });
        let interrupted: Vec<String> = work.buffer_unordered(CONCURRENCY).filter_map(ready).collect().await;
        count += claimed_count - interrupted.len();
        if !interrupted.is_empty() {
            db.transaction(async |conn| downloads::release(conn, &interrupted).await).await?;
            return Ok(count);
        }
        if started.elapsed() > MAX_RUN {
            return Ok(count);
        }
    }
}

/// Downloads a URL, unless it was downloaded lately, and records the outcome in all images with this URL. Returns false
/// if it was interrupted.
async fn settle(db: &Db, processor: &ImageProcessor, download: &DueDownload, stop: &StopSignal) -> Result<bool> {
    let earlier = download.earlier.clone().filter(|state| state.fetched_at >= download.created_at - MAX_AGE);
    let state = match earlier {
        Some(state) => state,
        None => tokio::select! {
            state = attempt(db, processor, download) => state?,
            () = stop.stopped() => return Ok(false),
        },
    };
    let mut last = ImageId(0);
    loop {
        let settled = db.transaction(async |conn| settle_chunk(conn, download, &state, last).await).await?;
        match settled {
            Some(id) => last = id,
            None => return Ok(true),
        }
    }
}

/// Downloads a URL and stores the content.
async fn attempt(db: &Db, processor: &ImageProcessor, download: &DueDownload) -> Result<DownloadState> {
    let failed = match fetch(&download.url, processor.fetch_policy()).await {
        Ok(bytes) => match processor.process(db, bytes.into()).await? {
            Ok(made) => {
                let media = db.transaction(async |conn| upsert_media(conn, &made).await).await?;
                return Ok(DownloadState {
                    media_id: Some(media.id),
                    failure: None,
                    attempts: download.attempts,
                    try_at: download.claimed_at,
                    fetched_at: download.claimed_at,
                });
            }
            Err(reason) => OutboundError::Permanent(reason.to_string()),
        },
        Err(failed) => failed,
    };
    Ok(match failed {
        OutboundError::Transient(reason) if download.attempts < MAX_ATTEMPTS => {
            let pause = RETRY_MINUTES * 4_i64.pow(download.attempts.max(1).unsigned_abs() - 1);
            let try_at = download.claimed_at + chrono::Duration::minutes(pause);
            DownloadState { try_at, ..failure(download, &reason, download.attempts) }
        }
        OutboundError::Transient(reason) | OutboundError::Permanent(reason) => failure(download, &reason, MAX_ATTEMPTS),
    })
}

/// Returns the state of a download that failed.
fn failure(download: &DueDownload, reason: &str, attempts: i32) -> DownloadState {
    DownloadState {
        media_id: None,
        failure: Some(reason.chars().take(1000).collect()),
        attempts,
        try_at: download.claimed_at,
        fetched_at: download.claimed_at,
    }
}

/// Records the outcome of a download in the next images that wait for it; returns the last one, or none if there are no
/// more.
async fn settle_chunk(
    conn: &Conn,
    download: &DueDownload,
    state: &DownloadState,
    after: ImageId,
) -> Result<Option<ImageId>> {
    let waiting = downloads::waiting(conn, &download.url, state.media_id.is_none(), after, CHUNK).await?;
    let (ids, products): (Vec<ImageId>, Vec<Option<ProductId>>) = waiting.into_iter().unzip();
    if ids.is_empty() {
        return Ok(None);
    }
    let products: Vec<ProductId> = products.into_iter().flatten().collect();
    products::store::lock(conn, &products).await?;
    downloads::settle(conn, &ids, state).await?;
    Ok(ids.last().copied())
}

/// Runs the download job until the worker stops.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, processor: &ImageProcessor, stop: &StopSignal) -> Result<()> {
    let count = fetch_until(db, processor, stop).await?;
    if count > 0 {
        tracing::info!(count, "image downloads attempted");
    }
    Ok(())
}
