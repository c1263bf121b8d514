//! Image processing: off the async threads.
//! Rule: at most as many images at once as there are cores.

use std::{sync::Arc, thread::available_parallelism};

use bytes::Bytes;
use chrono::{DateTime, Duration, DurationRound, Utc};
use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::{
    db::Db,
    error::{Error, Result},
    media::{
        fetch::FetchPolicy,
        model::{MediaRow, NewMedia, RenditionFormat},
        renditions::{self, ImageError, RenderedImage},
        store,
    },
    storage::Storage,
};

/// Half of the longest time that a signed URL is valid, in minutes.
const SIGNED_URL_MINUTES: i64 = 30;

/// Processes and stores images. Clones share the concurrency limit.
#[derive(Clone)]
pub struct ImageProcessor(Arc<Inner>);

struct Inner {
    storage: Storage,
    media_url: String,
    fetch_policy: FetchPolicy,
    permits: Arc<Semaphore>,
}

impl ImageProcessor {
    /// Creates a processor with a storage, the base URL of media files and the limits of downloads.
    pub fn new(storage: Storage, media_url: &str, fetch_policy: FetchPolicy) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Inner {
            storage,
            media_url: media_url.trim_end_matches('/').to_owned(),
            fetch_policy,
            permits: Arc::new(Semaphore::new(cores)),
        }))
    }

    /// Returns the storage of the files.
    pub fn storage(&self) -> &Storage {
        &self.0.storage
    }

    /// Returns the maximum file size of an image, in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.0.fetch_policy.max_bytes
    }

    /// Returns the limits of downloads.
    pub fn fetch_policy(&self) -> FetchPolicy {
        self.0.fetch_policy
    }

    /// Returns the base URL of media files if it is absolute; none if it is a path of this server.
    pub fn absolute_media_url(&self) -> Option<&str> {
        Some(self.0.media_url.as_str()).filter(|url| !url.starts_with('/'))
    }

    /// Returns the URL of a rendition.
    pub fn url(&self, media: &MediaRow, width: Option<i32>, format: RenditionFormat) -> String {
        format!("{}/{}", self.0.media_url, media.path(width, format))
    }

    /// Returns a URL with which anyone can read a rendition for half an hour to an hour, on this server or at the object
    /// store. It is the same for half an hour, so that clients do not load the image again with each response.
    /// # Errors
    /// UNAVAILABLE if the object store cannot sign the URL.
    pub async fn signed_url(&self, media: &MediaRow, width: Option<i32>, format: RenditionFormat) -> Result<String> {
        let key = format!("media/{}", media.path(width, format));
        self.0.storage.signed_media_url(&key, signed_url_expiry(Utc::now())).await
    }

    /// Returns whether anyone may read the files of the content with this SHA-256. There is no cache: a product that is taken
    /// off sale hides its images at once, and browsers and CDNs keep those that are public.
    /// # Errors
    /// Database errors.
    pub async fn is_public(&self, db: &Db, sha256: &str) -> Result<bool> {
        db.read(async |conn| store::is_public(conn, sha256).await).await
    }

    /// Encodes the renditions of a file and stores them. Files whose content is known already are not processed again.
    /// # Errors
    /// Database and storage errors; the inner error is the reason why the file is rejected.
    pub async fn process(&self, db: &Db, file: Bytes) -> Result<Result<NewMedia, ImageError>> {
        self.process_by(db, file, renditions::render).await
    }

    /// Stores a WebP file of the program itself, and the same image in smaller widths, also WebP.
    /// # Errors
    /// As [`ImageProcessor::process`].
    pub async fn process_trusted(
        &self,
        db: &Db,
        file: &'static [u8],
        smaller: &'static [&'static [u8]],
    ) -> Result<Result<NewMedia, ImageError>> {
        self.process_by(db, Bytes::from_static(file), move |file| renditions::render_trusted(file, smaller)).await
    }

    async fn process_by(
        &self,
        db: &Db,
        file: Bytes,
        render: impl FnOnce(&[u8]) -> Result<RenderedImage, ImageError> + Send + 'static,
    ) -> Result<Result<NewMedia, ImageError>> {
        let bytes = i64::try_from(file.len()).unwrap_or(i64::MAX);
        let sha256 = hex::encode(Sha256::digest(&file));
        let known = db.read(async |conn| store::find_media(conn, &sha256).await).await?;
        if let Some(row) = known
            && self.has_all_files(&row).await?
        {
            let MediaRow { format, width, height, blurhash, widths, .. } = row;
            return Ok(Ok(NewMedia { sha256, format, width, height, bytes, blurhash, widths }));
        }
        let RenderedImage { format, width, height, blurhash, files } = match self.render(file, render).await? {
            Ok(rendered) => rendered,
            Err(why) => return Ok(Err(why)),
        };
        let mut widths: Vec<i32> = files.iter().map(|file| file.width.cast_signed()).collect();
        widths.dedup();
        for file in files {
            let key = format!("media/{sha256}/{}.{}", file.width, file.format.extension());
            self.0.storage.put(&key, file.bytes.into()).await?;
        }
        let (width, height) = (width.cast_signed(), height.cast_signed());
        Ok(Ok(NewMedia { sha256, format, width, height, bytes, blurhash, widths }))
    }

    /// Returns whether all files of known content still exist.
    async fn has_all_files(&self, row: &MediaRow) -> Result<bool> {
        for key in super::storage_keys(row) {
            if self.0.storage.size(&key).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn render(
        &self,
        file: Bytes,
        render: impl FnOnce(&[u8]) -> Result<RenderedImage, ImageError> + Send + 'static,
    ) -> Result<Result<RenderedImage, ImageError>> {
        let closed = |_| Error::Internal("the image processor is shut down".into());
        let permit = Arc::clone(&self.0.permits).acquire_owned().await.map_err(closed)?;
        let work = spawn_blocking(move || {
            // Held until the work ends, even if the caller has stopped waiting.
            let _permit = permit;
            render(&file)
        });
        // A panic in a decoder means that the file is damaged.
        Ok(work.await.unwrap_or(Err(ImageError::Damaged)))
    }
}

/// Returns when a signed URL expires that is made now.
fn signed_url_expiry(now: DateTime<Utc>) -> DateTime<Utc> {
    let period = Duration::minutes(SIGNED_URL_MINUTES);
    now.duration_trunc(period).unwrap_or(now) + period * 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_urls_are_the_same_for_half_an_hour_and_valid_as_long_at_least() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        for (now, expected) in [
            ("2026-11-30T12:00:00Z", "2026-11-30T13:00:00Z"),
            ("2026-11-30T12:29:59.999Z", "2026-11-30T13:00:00Z"),
            ("2026-11-30T12:30:00Z", "2026-11-30T13:30:00Z"),
            ("2026-11-30T23:59:59Z", "2026-12-01T00:30:00Z"),
        ] {
            assert_eq!(signed_url_expiry(at(now)), at(expected), "{now}");
        }
    }
}
