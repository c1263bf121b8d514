//! The job that fetches pictures by URL.
//! Rule: whatever becomes of one ends in its row, for staff to read; at most three tries, with a pause between them.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};

use super::ImageProcessor;
use crate::{
    db::Db,
    error::{Error, Result},
    jobs::model::JobRow,
    media::{
        fetch::{FetchError, fetch},
        model::{ImageRow, MAX_ATTEMPTS},
        store,
    },
    products,
};

/// The job that does so.
pub const KIND: &str = "fetch_images";
/// How often it looks for more.
pub const PERIOD: Duration = Duration::from_secs(5);
/// How many are taken, and fetched, at once.
const CONCURRENCY: usize = 8;
/// How long one run goes on taking more; well below the time of a job.
const MAX_RUN: Duration = Duration::from_secs(60);
/// The pause after the first try in minutes; the next one is four times as long.
const RETRY_MINUTES: i64 = 5;

/// Fetches what is due: how many were tried.
/// # Errors
/// Those of the database.
pub async fn fetch_due(db: &Db, processor: &ImageProcessor) -> Result<usize> {
    let (started, mut count) = (Instant::now(), 0);
    loop {
        let claimed = db.transaction(async |conn| store::claim_due(conn, CONCURRENCY as i64).await).await?;
        let claimed_count = claimed.len();
        let work = stream::iter(claimed).for_each_concurrent(CONCURRENCY, |image| async move {
            let id = image.id;
            if let Err(error) = fetch_one(db, processor, image).await {
                // Its lease runs out, and it is tried again.
                tracing::warn!(%error, image = id.0, "a picture by URL waits");
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
                    products::store::lock(conn, &[image.product_id]).await?;
                    let media = store::upsert_media(conn, &made).await?;
                    store::set_media(conn, image.id, media.id).await
                });
                match attached.await {
                    Err(Error::User(_)) => FetchError::Permanent("the product has this picture already".to_owned()),
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
        products::store::lock(conn, &[image.product_id]).await?;
        store::record_failure(conn, image.id, &reason, retry_after).await
    })
    .await
}

/// Runs the job.
/// # Errors
/// Those of the database.
pub async fn run(db: &Db, processor: &ImageProcessor, _: &JobRow) -> Result<()> {
    let count = fetch_due(db, processor).await?;
    if count > 0 {
        tracing::info!(count, "tried to fetch pictures by URL");
    }
    Ok(())
}
