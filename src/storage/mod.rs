//! File storage: a local directory, or an S3-compatible object store.
//! Rule: keys are made by souk, never by a client. `media/…` is public, as far as an image of something public has the
//! file; `transfers/…` and `uploads/…` are private and only accessible through signed URLs. Files in `uploads/` are kept for
//! a day.

mod location;
mod media_url;
pub mod received;
pub mod signed_url;
pub mod space;
pub mod temporary;
pub mod uploads;

use std::{
    fmt, io,
    ops::Range,
    path::{Path as FsPath, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{
    Attribute, Attributes, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutOptions,
    aws::{AmazonS3, AmazonS3Builder},
    buffered::BufWriter,
    local::LocalFileSystem,
    memory::InMemory,
    path::Path,
    signer::{Method, SignedUrlOptions, Signer},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use self::signed_url::{SignedUrlClaims, UrlSigner, UrlUsage};
pub use self::{
    location::{Bucket, StorageLocation},
    media_url::PRIVATE,
};
use crate::error::{Error, ErrorCode, Result};

/// Size of the parts in which a stream is buffered and uploaded, in bytes; the part size of S3.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// The file storage. Clones share its connections.
#[derive(Clone)]
pub struct Storage(Arc<Inner>);

struct Inner {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    signing: UrlSigning,
    /// The directory, if the files are in one.
    directory: Option<PathBuf>,
}

/// How URLs are signed.
enum UrlSigning {
    /// By the object store.
    ObjectStore(AmazonS3),
    /// By souk, for its own endpoint `/files`.
    Souk(UrlSigner),
}

/// A file, or a range of it.
pub struct Object {
    /// Size of the whole file, in bytes.
    pub size: u64,
    /// Range of bytes in `stream`.
    pub range: Range<u64>,
    /// When the file was last written.
    pub modified: DateTime<Utc>,
    /// Content as a stream.
    pub stream: BoxStream<'static, io::Result<Bytes>>,
}

/// A file in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Key of the file.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
    /// When the file was last written.
    pub modified: DateTime<Utc>,
}

/// A URL that allows downloading or uploading one file for a limited time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedUrl {
    /// The URL; if it starts with a slash, it is relative to this server.
    pub url: String,
    /// When the URL expires.
    pub expires_at: DateTime<Utc>,
}

impl Storage {
    /// Opens the storage.
    /// # Errors
    /// Returns an error if the directory cannot be created or the bucket settings are inconsistent.
    pub fn open(location: &StorageLocation) -> io::Result<Self> {
        let inner = match location {
            StorageLocation::Directory { directory, secret } => Inner {
                store: Arc::new(local(directory)?),
                prefix: Path::default(),
                signing: UrlSigning::Souk(UrlSigner::new(secret)),
                directory: Some(directory.clone()),
            },
            StorageLocation::Memory => Inner {
                store: Arc::new(InMemory::new()),
                prefix: Path::default(),
                signing: UrlSigning::Souk(UrlSigner::new(&hex::encode(rand::random::<[u8; 16]>()))),
                directory: None,
            },
            StorageLocation::S3(bucket) => {
                let store = s3(bucket).map_err(io::Error::other)?;
                let prefix = Path::parse(&bucket.prefix).map_err(io::Error::other)?;
                Inner {
                    store: Arc::new(store.clone()),
                    prefix,
                    signing: UrlSigning::ObjectStore(store),
                    directory: None,
                }
            }
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Writes a small file; replaces a file with the same key.
    /// # Errors
    /// Returns UNAVAILABLE if the storage fails.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        let options = PutOptions { attributes: self.attributes(key), ..PutOptions::default() };
        self.0.store.put_opts(&self.path(key)?, bytes.into(), options).await.map_err(unavailable)?;
        Ok(())
    }

    /// Writes a file of any size in parts and returns its size. A file that is too large or incomplete is removed.
    /// # Errors
    /// Returns LIMIT_EXCEEDED above `max_bytes` bytes, BAD_USER_INPUT if the reader fails, UNAVAILABLE if the storage
    /// fails.
    pub async fn put_stream(&self, key: &str, reader: impl AsyncRead + Send + Unpin, max_bytes: u64) -> Result<u64> {
        let mut writer = BufWriter::with_capacity(Arc::clone(&self.0.store), self.path(key)?, PART_BYTES)
            .with_attributes(self.attributes(key));
        match copy(reader, &mut writer, max_bytes).await {
            Ok(size) => writer.shutdown().await.map(|()| size).map_err(unavailable),
            Err(error) => {
                // Parts that cannot be removed now are expired by the object store.
                let _ = writer.abort().await;
                Err(error)
            }
        }
    }

    /// Writes a file as [`Storage::put_stream`] does, unless the key exists; returns `false` then and keeps the
    /// existing file.
    /// # Errors
    /// Returns the same errors as [`Storage::put_stream`].
    pub async fn put_if_absent(
        &self,
        key: &str,
        reader: impl AsyncRead + Send + Unpin,
        max_bytes: u64,
    ) -> Result<bool> {
        if self.size(key).await?.is_some() {
            return Ok(false);
        }
        let part = format!("{key}.{:016x}.part", rand::random::<u64>());
        self.put_stream(&part, reader, max_bytes).await?;
        match self.0.store.rename_if_not_exists(&self.path(&part)?, &self.path(key)?).await {
            Ok(()) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. }) => self.delete(&part).await.map(|()| false),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Returns a file; none if it does not exist.
    /// # Errors
    /// Returns UNAVAILABLE if the storage fails.
    pub async fn get(&self, key: &str) -> Result<Option<Object>> {
        self.find(key, None).await
    }

    /// Returns a range of a file. The range must not be empty and must start within the file.
    /// # Errors
    /// Returns the same errors as [`Storage::get`].
    pub async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Option<Object>> {
        self.find(key, Some(GetRange::Bounded(range))).await
    }

    /// Reads a file of at most `max_bytes` bytes into memory.
    /// # Errors
    /// Returns LIMIT_EXCEEDED if the file is larger, and the same errors as [`Storage::get`].
    pub async fn get_bytes(&self, key: &str, max_bytes: u64) -> Result<Option<Bytes>> {
        let Some(object) = self.get(key).await? else { return Ok(None) };
        if object.size > max_bytes {
            return Err(too_large(max_bytes));
        }
        let chunks = object.stream.map_ok(Vec::from).try_concat().await;
        chunks.map(|bytes| Some(bytes.into())).map_err(unavailable)
    }

    /// Returns the size of a file in bytes; none if it does not exist.
    /// # Errors
    /// Returns the same errors as [`Storage::get`].
    pub async fn size(&self, key: &str) -> Result<Option<u64>> {
        match self.0.store.head(&self.path(key)?).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Deletes a file if it exists.
    /// # Errors
    /// Returns UNAVAILABLE if the storage fails.
    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.0.store.delete(&self.path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Lists the files under a key prefix such as `media`, in no particular order.
    /// # Errors
    /// Returns UNAVAILABLE if the storage fails.
    pub fn list(&self, directory: &str) -> Result<BoxStream<'static, Result<Entry>>> {
        let (directory, prefix) = (self.path(directory)?, self.0.prefix.clone());
        let entry = move |meta: object_store::ObjectMeta| Entry {
            key: meta.location.prefix_match(&prefix).into_iter().flatten().collect::<Path>().to_string(),
            size: meta.size,
            modified: meta.last_modified,
        };
        Ok(self.0.store.list(Some(&directory)).map_ok(entry).map_err(unavailable).boxed())
    }

    /// Removes what killed processes left of the files that they were writing, and returns the number of these files.
    /// Nothing is done in an object store, which expires incomplete files itself.
    /// # Errors
    /// Returns the I/O error.
    pub async fn remove_incomplete_files(&self) -> io::Result<usize> {
        let Some(directory) = self.0.directory.clone() else { return Ok(0) };
        let removed = tokio::task::spawn_blocking(move || temporary::remove_incomplete_files(&directory)).await;
        removed.map_err(io::Error::other)?
    }

    /// Returns a URL with which anyone can download this file, under this file name.
    /// # Errors
    /// Returns UNAVAILABLE if the object store cannot sign the URL.
    pub async fn signed_get(&self, key: &str, file_name: &str, ttl: Duration) -> Result<SignedUrl> {
        let expires_at = Utc::now() + ttl;
        let url = match &self.0.signing {
            UrlSigning::ObjectStore(store) => {
                let name = signed_url::content_disposition(file_name);
                let options = SignedUrlOptions::default().with_query([("response-content-disposition", name)]);
                let url = store.signed_url_opts(Method::GET, &self.path(key)?, ttl, &options).await;
                url.map_err(unavailable)?.to_string()
            }
            UrlSigning::Souk(signer) => {
                let (key, name) = (self.path(key)?.to_string(), Some(file_name.to_owned()));
                signer.sign(&SignedUrlClaims {
                    usage: UrlUsage::Get,
                    key,
                    name,
                    max_bytes: 0,
                    until: expires_at.timestamp(),
                })
            }
        };
        Ok(SignedUrl { url, expires_at })
    }

    /// Returns a URL with which anyone can upload this file by PUT. Souk's own endpoint accepts up to `max_bytes`
    /// bytes, once. An object store accepts any number, so the size has to be checked when the file is used.
    /// # Errors
    /// Returns the same errors as [`Storage::signed_get`].
    pub async fn signed_put(&self, key: &str, max_bytes: u64, ttl: Duration) -> Result<SignedUrl> {
        let expires_at = Utc::now() + ttl;
        let url = match &self.0.signing {
            UrlSigning::ObjectStore(store) => {
                let url = store.signed_url(Method::PUT, &self.path(key)?, ttl).await;
                url.map_err(unavailable)?.to_string()
            }
            UrlSigning::Souk(signer) => {
                let (key, until) = (self.path(key)?.to_string(), expires_at.timestamp());
                signer.sign(&SignedUrlClaims { usage: UrlUsage::Put, key, name: None, max_bytes, until })
            }
        };
        Ok(SignedUrl { url, expires_at })
    }

    /// Returns the claims of a token for souk's own endpoint; none if it is invalid, expired or for another usage.
    pub fn verify_url_token(&self, token: &str, usage: UrlUsage) -> Option<SignedUrlClaims> {
        match &self.0.signing {
            UrlSigning::Souk(signer) => signer.verify(token, Utc::now()).filter(|claims| claims.usage == usage),
            UrlSigning::ObjectStore(_) => None,
        }
    }

    async fn find(&self, key: &str, range: Option<GetRange>) -> Result<Option<Object>> {
        let options = GetOptions { range, ..GetOptions::default() };
        match self.0.store.get_opts(&self.path(key)?, options).await {
            Ok(found) => Ok(Some(Object {
                size: found.meta.size,
                range: found.range.clone(),
                modified: found.meta.last_modified,
                stream: found.into_stream().map_err(io::Error::from).boxed(),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    fn path(&self, key: &str) -> Result<Path> {
        let key = Path::parse(key).map_err(|error| Error::Internal(format!("invalid file key: {error}")))?;
        Ok(self.0.prefix.parts().chain(key.parts()).collect())
    }

    /// Returns the metadata for a public file, which an object store may serve directly.
    fn attributes(&self, key: &str) -> Attributes {
        let mut attributes = Attributes::new();
        if let (UrlSigning::ObjectStore(_), true) = (&self.0.signing, key.starts_with("media/")) {
            attributes.insert(Attribute::CacheControl, IMMUTABLE.into());
            attributes.insert(Attribute::ContentType, content_type(key).into());
        }
        attributes
    }
}

/// `Cache-Control` of public files. The key is derived from the content, so they can be cached forever.
pub const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Returns the media type for the extension of a key.
pub fn content_type(key: &str) -> &'static str {
    match key.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "webp" => "image/webp",
        "jpg" => "image/jpeg",
        _ => "application/octet-stream",
    }
}

fn local(directory: &FsPath) -> io::Result<LocalFileSystem> {
    std::fs::create_dir_all(directory)?;
    let store = LocalFileSystem::new_with_prefix(directory).map_err(io::Error::from)?;
    // A row that refers to a file is committed right after the file is written, so the file must be durable by then.
    Ok(store.with_fsync(true).with_automatic_cleanup(true))
}

fn s3(bucket: &Bucket) -> object_store::Result<AmazonS3> {
    // A process has a single crypto provider; if one is already installed, it is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&bucket.name)
        .with_region(&bucket.region)
        .with_virtual_hosted_style_request(!bucket.is_path_style);
    if let Some(endpoint) = &bucket.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    if let Some((key, secret)) = &bucket.credentials {
        builder = builder.with_access_key_id(key).with_secret_access_key(secret);
    }
    builder.build()
}

async fn copy(mut reader: impl AsyncRead + Send + Unpin, writer: &mut BufWriter, max_bytes: u64) -> Result<u64> {
    let mut buffer = vec![0; 64 * 1024];
    let mut size = 0;
    loop {
        let count = reader.read(&mut buffer).await.map_err(|error| {
            Error::Coded(ErrorCode::BadUserInput, format!("the upload was incomplete: {error}").into())
        })?;
        if count == 0 {
            return Ok(size);
        }
        size += count as u64;
        if size > max_bytes {
            return Err(too_large(max_bytes));
        }
        writer.write_all(&buffer[..count]).await.map_err(unavailable)?;
    }
}

fn too_large(max_bytes: u64) -> Error {
    Error::Coded(ErrorCode::LimitExceeded, format!("the file is larger than {max_bytes} bytes").into())
}

fn unavailable(error: impl fmt::Display) -> Error {
    tracing::error!(%error, "file storage failed");
    Error::Coded(ErrorCode::Unavailable, "file storage is unavailable; try again later".into())
}
