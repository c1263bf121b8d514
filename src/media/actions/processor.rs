//! Where pictures are made: off the async threads, as many at once as there are cores.

use std::{sync::Arc, thread::available_parallelism};

use bytes::Bytes;
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

/// Makes pictures and knows where they are. Clones share the places.
#[derive(Clone)]
pub struct ImageProcessor(Arc<Inner>);

struct Inner {
    storage: Storage,
    media_url: String,
    fetch_policy: FetchPolicy,
    permits: Arc<Semaphore>,
}

impl ImageProcessor {
    /// With the files there, their base as browsers see it, and the rules of what comes by URL.
    pub fn new(storage: Storage, media_url: &str, fetch_policy: FetchPolicy) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Inner {
            storage,
            media_url: media_url.trim_end_matches('/').to_owned(),
            fetch_policy,
            permits: Arc::new(Semaphore::new(cores)),
        }))
    }

    /// Where the files are.
    pub fn storage(&self) -> &Storage {
        &self.0.storage
    }

    /// Longest file of a picture, in bytes.
    pub fn max_bytes(&self) -> u64 {
        self.0.fetch_policy.max_bytes
    }

    /// What may be fetched.
    pub fn fetch_policy(&self) -> FetchPolicy {
        self.0.fetch_policy
    }

    /// The address of a rendition.
    pub fn url(&self, media: &MediaRow, width: Option<i32>, format: RenditionFormat) -> String {
        format!("{}/{}", self.0.media_url, media.path(width, format))
    }

    /// Makes the renditions of a file and puts them into the store. Nothing is made twice: a file that came before has them.
    /// # Errors
    /// Those of the database and the store; within, why the file is refused.
    pub async fn process(&self, db: &Db, file: Bytes) -> Result<Result<NewMedia, ImageError>> {
        let bytes = i64::try_from(file.len()).unwrap_or(i64::MAX);
        let sha256 = hex::encode(Sha256::digest(&file));
        let known = db.read(async |conn| store::find_media(conn, &sha256).await).await?;
        if let Some(row) = known
            && self.has_all_files(&row).await?
        {
            let MediaRow { format, width, height, blurhash, widths, .. } = row;
            return Ok(Ok(NewMedia { sha256, format, width, height, bytes, blurhash, widths }));
        }
        let RenderedImage { format, width, height, blurhash, files } = match self.render(file).await? {
            Ok(picture) => picture,
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

    /// Whether a sweep has left all files of known content in place.
    async fn has_all_files(&self, row: &MediaRow) -> Result<bool> {
        for key in super::storage_keys(row) {
            if self.0.storage.size(&key).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn render(&self, file: Bytes) -> Result<Result<RenderedImage, ImageError>> {
        let closed = |_| Error::Internal("the studio is closed".into());
        let permit = Arc::clone(&self.0.permits).acquire_owned().await.map_err(closed)?;
        let work = spawn_blocking(move || {
            // It is held until the work ends, also where nobody waits for it any more.
            let _permit = permit;
            renditions::render(&file)
        });
        // A decoder that panics over a file is a file that cannot be read.
        Ok(work.await.unwrap_or(Err(ImageError::Damaged)))
    }
}
