//! The job that downloads images by URL.
//! Rule: the outcome of every attempt is recorded in the image's row for staff; at most three attempts, with a delay
//! between them.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};

use super::ImageProcessor;
use crate::{
    db::Db,
    error::{Error, Result},
    jobs::model::{JobInfo, JobRow},
    media::{
        fetch::{FetchError, fetch},
        model::{ImageRow, MAX_ATTEMPTS},
        store,
    },
    products,
};

/// The job.
pub const JOB: JobInfo =
    JobInfo::recurring("fetch_images", Duration::from_secs(5), "Downloads images that were added by URL.");
/// Number of images that are claimed and downloaded at once.
const CONCURRENCY: usize = 8;
/// How long one run claims more images; well below the timeout of a job.
const MAX_RUN: Duration = Duration::from_secs(60);
/// Delay after the first attempt in minutes; the next one is four times as long.
const RETRY_MINUTES: i64 = 5;

/// Downloads the images that are due; returns the number of attempts.
/// # Errors
/// Database errors.
pub async fn fetch_due(db: &Db, processor: &ImageProcessor) -> Result<usize> {
    let (started, mut count) = (Instant::now(), 0);
    loop {
        let claimed = db.transaction(async |conn| store::claim_due(conn, CONCURRENCY as i64).await).await?;
        let claimed_count = claimed.len();
        let work = stream::iter(claimed).for_each_concurrent(CONCURRENCY, |image| async move {
            let id = image.id;
            if let Err(error) = fetch_one(db, processor, image).await {
                // The lease expires and the image is tried again.
                tracing::warn!(%error, image = id.0, "image download not processed, retried after its lease expires");
            }
        });
        work.await;
        count += claimed_count;
        if claimed_count < CONCURRENCY || started.elapsed() > MAX_RUN {
            return Ok(count);
        }
    }
}

async fn fetch_one(db: &Db, processor: &ImageProcessor, image: ImageRow) -> Result<()> {
    let url = image.source_url.as_deref().unwrap_or_default();
    let failed = match fetch(url, processor.fetch_policy()).await {
        Ok(bytes) => match processor.process(db, bytes.into()).await? {
            Ok(made) => {
                let attached = db.transaction(async |conn| {
                    products::store::lock(conn, image.product_id.as_slice()).await?;
                    let media = store::upsert_media(conn, &made).await?;
                    store::set_media(conn, image.id, media.id).await
                });
                match attached.await {
                    Err(Error::User(_)) => FetchError::Permanent("the product already has this image".to_owned()),
                    other => return other,
                }
            }
            Err(reason) => FetchError::Permanent(reason.to_string()),
        },
        Err(failed) => failed,
    };
    let (reason, retry_after) = match failed {
        FetchError::Transient(reason) if image.attempts < MAX_ATTEMPTS => {
            (reason, Some(RETRY_MINUTES * 4_i64.pow(image.attempts.max(1).unsigned_abs() - 1)))
        }
        FetchError::Transient(reason) | FetchError::Permanent(reason) => (reason, None),
    };
    let reason: String = reason.chars().take(1000).collect();
    db.transaction(async |conn| {
        products::store::lock(conn, image.product_id.as_slice()).await?;
        store::record_failure(conn, image.id, &reason, retry_after).await
    })
    .await
}

/// Runs the download job.
/// # Errors
/// Database errors.
pub async fn run(db: &Db, processor: &ImageProcessor, _: &JobRow) -> Result<()> {
    let count = fetch_due(db, processor).await?;
    if count > 0 {
        tracing::info!(count, "image downloads attempted");
    }
    Ok(())
}
