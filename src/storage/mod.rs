//! Where files are kept: a local folder, or an object store that speaks S3.
//! Rule: a key is made by souk, never taken from a client. `media/…` is public, `transfers/…` and `uploads/…` are private and
//! leave by signed addresses alone; what is in `uploads/` lasts a day.

pub mod received;
pub mod signed_url;
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
use crate::error::{Error, ErrorCode, Result};

/// What is kept in memory of a stream on its way into the store, in bytes: the size of a part of S3.
const PART_BYTES: usize = 8 * 1024 * 1024;

/// Where the files are.
#[derive(Debug, Clone)]
pub enum StorageLocation {
    /// A folder of this machine, or one that all servers mount; and the secret that signs addresses.
    Directory {
        /// The folder; it is made where it is missing.
        directory: PathBuf,
        /// 32 or more random characters.
        secret: String,
    },
    /// The memory of the process, for tests.
    Memory,
    /// A bucket.
    S3(Bucket),
}

/// A bucket of an object store.
#[derive(Debug, Clone, Default)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What stands before every key, without slashes at the ends; may be empty.
    pub prefix: String,
    /// Where the store is; Amazon's where there is none.
    pub endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// Key and secret; the machine's own role where there are none.
    pub credentials: Option<(String, String)>,
    /// Whether the bucket stands in the path and not in the host's name.
    pub is_path_style: bool,
}

/// The files. Clones share the connections.
#[derive(Clone)]
pub struct Storage(Arc<Inner>);

struct Inner {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    signing: UrlSigning,
}

/// Who signs addresses.
enum UrlSigning {
    /// The object store.
    ObjectStore(AmazonS3),
    /// Souk, for its own door `/files`.
    Souk(UrlSigner),
}

/// A file, or a part of it.
pub struct Object {
    /// Size of the whole file, in bytes.
    pub size: u64,
    /// Which of its bytes these are.
    pub range: Range<u64>,
    /// When it was written.
    pub modified: DateTime<Utc>,
    /// The bytes.
    pub stream: BoxStream<'static, io::Result<Bytes>>,
}

/// What a list tells of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was written.
    pub modified: DateTime<Utc>,
}

/// An address that takes or gives one file for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedUrl {
    /// The address; where it begins with a slash, it is one of souk's own server.
    pub url: String,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
}

impl Storage {
    /// Opens the store.
    /// # Errors
    /// Where the folder cannot be made, or the settings of the bucket do not fit together.
    pub fn open(location: &StorageLocation) -> io::Result<Self> {
        let inner = match location {
            StorageLocation::Directory { directory, secret } => Inner {
                store: Arc::new(local(directory)?),
                prefix: Path::default(),
                signing: UrlSigning::Souk(UrlSigner::new(secret)),
            },
            StorageLocation::Memory => Inner {
                store: Arc::new(InMemory::new()),
                prefix: Path::default(),
                signing: UrlSigning::Souk(UrlSigner::new(&hex::encode(rand::random::<[u8; 16]>()))),
            },
            StorageLocation::S3(bucket) => {
                let store = s3(bucket).map_err(io::Error::other)?;
                let prefix = Path::parse(&bucket.prefix).map_err(io::Error::other)?;
                Inner { store: Arc::new(store.clone()), prefix, signing: UrlSigning::ObjectStore(store) }
            }
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Writes a small file as a whole; it replaces one of the same key.
    /// # Errors
    /// UNAVAILABLE where the store does not take it.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        let options = PutOptions { attributes: self.attributes(key), ..PutOptions::default() };
        self.0.store.put_opts(&self.path(key)?, bytes.into(), options).await.map_err(unavailable)?;
        Ok(())
    }

    /// Writes a file of any size, a part at a time: its size. Nothing is left of one that is too long or breaks off.
    /// # Errors
    /// LIMIT_EXCEEDED beyond `max_bytes` bytes; BAD_USER_INPUT where the reader fails; UNAVAILABLE where the store does.
    pub async fn put_stream(&self, key: &str, reader: impl AsyncRead + Send + Unpin, max_bytes: u64) -> Result<u64> {
        let mut writer = BufWriter::with_capacity(Arc::clone(&self.0.store), self.path(key)?, PART_BYTES)
            .with_attributes(self.attributes(key));
        match copy(reader, &mut writer, max_bytes).await {
            Ok(size) => writer.shutdown().await.map(|()| size).map_err(unavailable),
            Err(error) => {
                // Parts that cannot be taken back, the store forgets by its own rules.
                let _ = writer.abort().await;
                Err(error)
            }
        }
    }

    /// As [`Storage::put_stream`], once: `false` where there is such a file already, which stays.
    /// # Errors
    /// As [`Storage::put_stream`].
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

    /// A file; none where there is none.
    /// # Errors
    /// UNAVAILABLE where the store does not answer.
    pub async fn get(&self, key: &str) -> Result<Option<Object>> {
        self.find(key, None).await
    }

    /// A part of a file, which must not be empty nor begin behind its end.
    /// # Errors
    /// As [`Storage::get`].
    pub async fn get_range(&self, key: &str, range: Range<u64>) -> Result<Option<Object>> {
        self.find(key, Some(GetRange::Bounded(range))).await
    }

    /// A file of at most `max_bytes` bytes, in memory.
    /// # Errors
    /// LIMIT_EXCEEDED where it is longer; as [`Storage::get`].
    pub async fn get_bytes(&self, key: &str, max_bytes: u64) -> Result<Option<Bytes>> {
        let Some(object) = self.get(key).await? else { return Ok(None) };
        if object.size > max_bytes {
            return Err(too_large(max_bytes));
        }
        let chunks = object.stream.map_ok(Vec::from).try_concat().await;
        chunks.map(|bytes| Some(bytes.into())).map_err(unavailable)
    }

    /// The size of a file in bytes; none where there is none.
    /// # Errors
    /// As [`Storage::get`].
    pub async fn size(&self, key: &str) -> Result<Option<u64>> {
        match self.0.store.head(&self.path(key)?).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// Deletes a file, if it is there.
    /// # Errors
    /// UNAVAILABLE where the store does not answer.
    pub async fn delete(&self, key: &str) -> Result<()> {
        match self.0.store.delete(&self.path(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// The files below a folder of keys, say `media`, in no order.
    /// # Errors
    /// UNAVAILABLE where the store does not answer.
    pub fn list(&self, directory: &str) -> Result<BoxStream<'static, Result<Entry>>> {
        let (directory, prefix) = (self.path(directory)?, self.0.prefix.clone());
        let entry = move |meta: object_store::ObjectMeta| Entry {
            key: meta.location.prefix_match(&prefix).into_iter().flatten().collect::<Path>().to_string(),
            size: meta.size,
            modified: meta.last_modified,
        };
        Ok(self.0.store.list(Some(&directory)).map_ok(entry).map_err(unavailable).boxed())
    }

    /// An address that gives this file to whoever has it, as a download of this name.
    /// # Errors
    /// UNAVAILABLE where the store cannot sign now.
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

    /// An address that takes this file by PUT from whoever has it: souk's own door up to so many bytes, once. An object store
    /// takes any number, so whoever takes the file from there looks at its size.
    /// # Errors
    /// As [`Storage::signed_get`].
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

    /// What a token of souk's own door is good for; none where it is not good for this, or not any more.
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
        let key = Path::parse(key).map_err(|error| Error::Internal(format!("key of a file: {error}")))?;
        Ok(self.0.prefix.parts().chain(key.parts()).collect())
    }

    /// What an object store should know of a public file, which it may serve without souk.
    fn attributes(&self, key: &str) -> Attributes {
        let mut attributes = Attributes::new();
        if let (UrlSigning::ObjectStore(_), true) = (&self.0.signing, key.starts_with("media/")) {
            attributes.insert(Attribute::CacheControl, IMMUTABLE.into());
            attributes.insert(Attribute::ContentType, content_type(key).into());
        }
        attributes
    }
}

/// How long a public file may be kept: its key says its content, so for good.
pub const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// The media type of a file, by the ending of its key.
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
    // A row that names a file is committed right after the file is written: neither may be lost without the other.
    Ok(store.with_fsync(true).with_automatic_cleanup(true))
}

fn s3(bucket: &Bucket) -> object_store::Result<AmazonS3> {
    // The process has one provider of cryptography; whoever set it first has set the same.
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
            Error::Coded(ErrorCode::BadUserInput, format!("the file was not received completely: {error}").into())
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
    tracing::error!(%error, "the store of files failed");
    Error::Coded(ErrorCode::Unavailable, "the store of files cannot be reached; try again in a moment".into())
}
