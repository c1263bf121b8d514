//! SQL statements of image downloads.
//! Rule: all images with the same URL are claimed and settled together, so that a URL is downloaded once.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{
    QueryableByName,
    dsl::now,
    prelude::*,
    sql_query,
    sql_types::{Array, BigInt, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;

use super::{
    super::model::{DownloadState, DueDownload, ImageFailure, MAX_ATTEMPTS},
    DUPLICATE, minutes,
};
use crate::{
    db::{Conn, sql::timestamptz_pl_interval, tables::images},
    error::Result,
    ids::{ImageId, ProductId, TransferId},
    sources::model::SourceType,
};

/// Lease of a URL that is being downloaded, in minutes.
const LEASE_MINUTES: i64 = 5;
/// Number of due images whose URLs are considered for a claim.
const WINDOW: i64 = 500;

/// Claims up to `limit` URLs that are due for download, with a lease of five minutes.
pub async fn claim_due(mut conn: &Conn, limit: usize) -> Result<Vec<DueDownload>> {
    let due = images::table
        .filter(images::media_id.is_null())
        .filter(images::attempts.lt(MAX_ATTEMPTS))
        .filter(images::try_at.le(now))
        .order((images::try_at, images::id))
        .limit(WINDOW)
        .select(images::source_url.assume_not_null());
    let due: Vec<String> = due.load(&mut conn).await?;
    let mut urls: Vec<String> = Vec::new();
    for url in due {
        if urls.len() < limit && !urls.contains(&url) {
            urls.push(url);
        }
    }
    if urls.is_empty() {
        return Ok(Vec::new());
    }
    let mut earlier = settled(conn, &urls).await?;
    let due = images::table
        .filter(images::source_url.eq_any(&urls))
        .filter(images::media_id.is_null())
        .filter(images::attempts.lt(MAX_ATTEMPTS))
        .filter(images::try_at.le(now));
    let claimed = diesel::update(due).set((
        images::attempts.eq(images::attempts + 1),
        images::try_at.eq(timestamptz_pl_interval(now, minutes(LEASE_MINUTES))),
    ));
    let columns = (images::source_url.assume_not_null(), images::attempts, images::created_at, images::try_at);
    let claimed: Vec<(String, i32, DateTime<Utc>, DateTime<Utc>)> =
        claimed.returning(columns).get_results(&mut conn).await?;
    let mut downloads: HashMap<String, DueDownload> = HashMap::new();
    for (url, attempts, created_at, locked_until) in claimed {
        let claimed_at = locked_until - chrono::Duration::minutes(LEASE_MINUTES);
        let new = || DueDownload { earlier: earlier.remove(&url), url: url.clone(), attempts, created_at, claimed_at };
        let download = downloads.entry(url.clone()).or_insert_with(new);
        download.attempts = download.attempts.max(attempts);
        download.created_at = download.created_at.max(created_at);
    }
    Ok(urls.iter().filter_map(|url| downloads.remove(url)).collect())
}

/// Returns the latest state of each of these URLs that was attempted and is not due again.
async fn settled(mut conn: &Conn, urls: &[String]) -> Result<HashMap<String, DownloadState>> {
    let is_settled = images::media_id.is_not_null().or(images::attempts.ge(MAX_ATTEMPTS)).or(images::try_at.gt(now));
    let found = images::table
        .filter(images::source_url.eq_any(urls))
        .filter(images::fetched_at.is_not_null())
        .filter(is_settled)
        .distinct_on(images::source_url)
        .order((images::source_url, images::fetched_at.desc()))
        .select((images::source_url.assume_not_null(), DownloadState::as_select()));
    let found: Vec<(String, DownloadState)> = found.load(&mut conn).await?;
    Ok(found.into_iter().collect())
}

/// Returns the images that wait for a URL, with their products, in order of their IDs from the one after `after`. If the
/// download failed, those that were not claimed for it are left out.
pub async fn waiting(
    mut conn: &Conn,
    url: &str,
    has_failed: bool,
    after: ImageId,
    limit: i64,
) -> Result<Vec<(ImageId, Option<ProductId>)>> {
    let waiting = images::table
        .filter(images::source_url.eq(url))
        .filter(images::media_id.is_null())
        .filter(images::id.gt(after))
        .order(images::id)
        .limit(limit)
        .select((images::id, images::product_id))
        .into_boxed();
    let waiting = if has_failed { waiting.filter(images::try_at.gt(now)) } else { waiting };
    Ok(waiting.load(&mut conn).await?)
}

/// Gives images without content the state of their download. The caller holds the locks of their products.
pub async fn settle(mut conn: &Conn, ids: &[ImageId], state: &DownloadState) -> Result<()> {
    let waiting = images::table.filter(images::id.eq_any(ids)).filter(images::media_id.is_null());
    let Some(media) = state.media_id else {
        diesel::update(waiting).set(state).execute(&mut conn).await?;
        return Ok(());
    };
    let query = sql_query(
        "UPDATE images i SET media_id = $2, failure = NULL, fetched_at = $3
         WHERE i.id = ANY($1) AND i.media_id IS NULL
           AND NOT EXISTS (SELECT FROM images o WHERE o.product_id = i.product_id AND o.media_id = $2)",
    );
    let query = query.bind::<Array<BigInt>, _>(ids).bind::<BigInt, _>(media);
    let settled = query.bind::<Timestamptz, _>(state.fetched_at).execute(&mut conn).await?;
    if settled < ids.len() {
        // Without the time: this says nothing about the URL.
        let failed = (
            images::failure.eq(DUPLICATE),
            images::attempts.eq(MAX_ATTEMPTS),
            images::fetched_at.eq(None::<DateTime<Utc>>),
        );
        diesel::update(waiting).set(failed).execute(&mut conn).await?;
    }
    Ok(())
}

/// Makes these URLs due again, as if they had not been claimed.
pub async fn release(mut conn: &Conn, urls: &[String]) -> Result<()> {
    let claimed = images::table
        .filter(images::source_url.eq_any(urls))
        .filter(images::media_id.is_null())
        .filter(images::attempts.gt(0))
        .filter(images::try_at.gt(now));
    let due = (images::attempts.eq(images::attempts - 1), images::try_at.eq(now));
    diesel::update(claimed).set(due).execute(&mut conn).await?;
    Ok(())
}

/// Returns why images of products that these imports saw last have no content, with the number of images, most frequent
/// reason first. Images that are not downloaded yet have no reason.
pub async fn failures_by_transfers(mut conn: &Conn, ids: &[TransferId]) -> Result<Vec<ImageFailure>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        transfer: TransferId,
        #[diesel(sql_type = Nullable<Text>)]
        reason: Option<String>,
        #[diesel(sql_type = BigInt)]
        count: i64,
        #[diesel(sql_type = Array<BigInt>)]
        examples: Vec<ImageId>,
    }
    let query = sql_query(
        "SELECT s.last_transfer_id AS transfer, i.failure AS reason, count(*) AS count,
                (array_agg(i.id ORDER BY i.id))[1:5] AS examples
         FROM sources s JOIN images i ON i.product_id = s.resource_id
         WHERE s.resource_type = $2 AND s.last_transfer_id = ANY($1) AND i.media_id IS NULL
         GROUP BY 1, 2 ORDER BY 1, 3 DESC, 2",
    );
    let query = query.bind::<Array<BigInt>, _>(ids).bind::<Text, _>(SourceType::Product.as_str());
    let rows: Vec<Row> = query.load(&mut conn).await?;
    let failure = |Row { transfer, reason, count, examples }| ImageFailure { transfer, reason, count, examples };
    Ok(rows.into_iter().map(failure).collect())
}
