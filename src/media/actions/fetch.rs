//! The job that fetches pictures by URL.
//! Rule: whatever becomes of one ends in its row, for staff to read; at most three tries, with a pause between them.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};

use super::Studio;
use crate::{
    db::Db,
    error::{Error, Result},
    jobs::model::JobRow,
    media::{
        fetch::{Failed, fetch},
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
const AT_ONCE: usize = 8;
/// How long one run goes on taking more; well below the time of a job.
const RUN: Duration = Duration::from_secs(60);
/// The pause after the first try in minutes; the next one is four times as long.
const PAUSE: i64 = 5;

/// Fetches what is due: how many were tried.
/// # Errors
/// Those of the database.
pub async fn fetch_due(db: &Db, studio: &Studio) -> Result<usize> {
    let (begun, mut count) = (Instant::now(), 0);
    loop {
        let claimed = db.transaction(async |conn| store::claim_wanted(conn, AT_ONCE as i64).await).await?;
        let some = claimed.len();
        let work = stream::iter(claimed).for_each_concurrent(AT_ONCE, |image| async move {
            let id = image.id;
            if let Err(error) = one(db, studio, image).await {
                // Its lease runs out, and it is tried again.
                tracing::warn!(%error, image = id.0, "a picture by URL waits");
            }
        });
        work.await;
        count += some;
        if some < AT_ONCE || begun.elapsed() > RUN {
            return Ok(count);
        }
    }
}

async fn one(db: &Db, studio: &Studio, image: ImageRow) -> Result<()> {
    let url = image.source_url.as_deref().unwrap_or_default();
    let failed = match fetch(url, studio.fetching()).await {
        Ok(bytes) => match studio.make(db, bytes.into()).await? {
            Ok(made) => {
                let attached = db.transaction(async |conn| {
                    products::store::lock(conn, &[image.product_id]).await?;
                    let media = store::upsert_media(conn, &made).await?;
                    store::set_media(conn, image.id, media.id).await
                });
                match attached.await {
                    Err(Error::User(_)) => Failed::ForGood("the product has this picture already".to_owned()),
                    other => return other,
                }
            }
            Err(why) => Failed::ForGood(why.to_string()),
        },
        Err(failed) => failed,
    };
    let (why, again) = match failed {
        Failed::ForNow(why) if image.attempts < MAX_ATTEMPTS => {
            (why, Some(PAUSE * 4_i64.pow(image.attempts.max(1).unsigned_abs() - 1)))
        }
        Failed::ForNow(why) | Failed::ForGood(why) => (why, None),
    };
    let why: String = why.chars().take(1000).collect();
    db.transaction(async |conn| {
        products::store::lock(conn, &[image.product_id]).await?;
        store::fail(conn, image.id, &why, again).await
    })
    .await
}

/// Runs the job.
/// # Errors
/// Those of the database.
pub async fn run(db: &Db, studio: &Studio, _: &JobRow) -> Result<()> {
    let count = fetch_due(db, studio).await?;
    if count > 0 {
        tracing::info!(count, "tried to fetch pictures by URL");
    }
    Ok(())
}
