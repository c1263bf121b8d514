//! File settings: storage location, size limits, and which addresses may be fetched.

use std::{io, path::PathBuf};

use clap::{ArgAction, Args};

use super::{Settings, http::base_url, secrets::load_or_create_secret};
use crate::{
    outbound::Addresses,
    storage::{Bucket, StorageLocation},
};

/// Settings for file storage and uploads.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files")]
pub struct FileSettings {
    /// Storage location: `file:DIR` for a directory (several servers have to share it), or `s3://bucket/prefix` for S3
    /// or a compatible object store. Default: the directory `files` in the data directory.
    #[arg(long, env = "SOUK_STORAGE", value_name = "PLACE")]
    pub storage: Option<String>,

    /// Endpoint of the object store, such as `https://host:port`. Default: Amazon S3.
    #[arg(long, env = "SOUK_S3_ENDPOINT", value_name = "URL")]
    pub s3_endpoint: Option<String>,

    /// Region of the bucket.
    #[arg(long, env = "SOUK_S3_REGION", default_value = "us-east-1", value_name = "NAME")]
    pub s3_region: String,

    /// Access key id for the object store. Default: the instance role of the machine.
    #[arg(long, env = "SOUK_S3_ACCESS_KEY_ID", value_name = "KEY")]
    pub s3_access_key_id: Option<String>,

    /// Secret access key for the object store.
    #[arg(long, env = "SOUK_S3_SECRET_ACCESS_KEY", hide_env_values = true, value_name = "SECRET")]
    pub s3_secret_access_key: Option<String>,

    /// Address the bucket in the path of URLs instead of the host name. Default: true if SOUK_S3_ENDPOINT is set.
    #[arg(long, env = "SOUK_S3_PATH_STYLE", value_name = "BOOL")]
    pub s3_path_style: Option<bool>,

    /// Public base URL that replaces `/media`, such as `https://cdn.example/media` for a CDN in front of souk or the
    /// bucket. A path is below SOUK_PUBLIC_URL.
    #[arg(long, env = "SOUK_MEDIA_URL", default_value = "/media", value_name = "URL")]
    pub media_url: String,

    /// Maximum size of a file in a multipart request, and of any image, in bytes. Other files that are uploaded through
    /// a signed URL may have up to 1 GiB.
    #[arg(long, env = "SOUK_UPLOAD_BYTES", default_value_t = 20 * 1024 * 1024, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..=1 << 32))]
    pub upload_bytes: u64,

    /// Allow images to be fetched from private addresses (loopback, 10.0.0.0/8 and similar) and any port, and webhooks to be
    /// sent there. For development only.
    #[arg(long, env = "SOUK_FETCH_PRIVATE", default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    pub fetch_private: bool,
}

/// Settings for the URLs of uploaded images in an exported file.
#[derive(Debug, Clone, Args)]
pub struct ExportedImageUrls {
    /// URL at which clients reach the server, such as `https://api.shop.example`; the base of the URLs of uploaded images.
    /// Default: paths, which the same server imports again.
    #[arg(long, env = "SOUK_PUBLIC_URL", value_name = "URL", value_parser = base_url)]
    pub public_url: Option<String>,

    /// Base URL of uploaded images, as for `souk serve`.
    #[arg(long, env = "SOUK_MEDIA_URL", default_value = "/media", value_name = "URL")]
    pub media_url: String,
}

impl ExportedImageUrls {
    /// Returns the base URL of media files, if the settings name a server.
    pub fn absolute_base(&self) -> Option<String> {
        Some(media_url(&self.media_url, self.public_url.as_deref())).filter(|url| !url.starts_with('/'))
    }
}

/// Returns the base URL of media files: a path is below the public URL of the server, if that is set.
pub fn media_url(media_url: &str, public_url: Option<&str>) -> String {
    match public_url {
        Some(public_url) if media_url.starts_with('/') => format!("{public_url}{media_url}"),
        _ => media_url.to_owned(),
    }
}

impl FileSettings {
    /// Returns the addresses to which requests to URLs of users may be sent.
    pub fn addresses(&self) -> Addresses {
        if self.fetch_private { Addresses::All } else { Addresses::Public }
    }

    /// Returns the storage location. The secret that signs the URLs of files in a directory is created once and stored
    /// in that directory, so that all servers sharing it use the same secret.
    /// # Errors
    /// Returns an error if SOUK_STORAGE is invalid or the secret cannot be written.
    pub fn storage_location(&self, settings: &Settings) -> io::Result<StorageLocation> {
        let directory = match self.storage.as_deref() {
            None => settings.data_dir.join("files"),
            Some(location) => match (location.strip_prefix("file:"), location.strip_prefix("s3://")) {
                (Some(directory), _) if !directory.is_empty() => PathBuf::from(directory),
                (_, Some(bucket)) if !bucket.is_empty() => return self.bucket(bucket),
                _ => return Err(io::Error::other("SOUK_STORAGE must be file:DIR or s3://bucket/prefix")),
            },
        };
        let secret = load_or_create_secret(&directory, ".secret");
        let secret = secret.map_err(|error| {
            io::Error::other(format!("cannot store files in {} (SOUK_STORAGE): {error}", directory.display()))
        })?;
        Ok(StorageLocation::Directory { directory, secret })
    }

    fn bucket(&self, location: &str) -> io::Result<StorageLocation> {
        let (name, prefix) = location.split_once('/').unwrap_or((location, ""));
        let credentials = match (&self.s3_access_key_id, &self.s3_secret_access_key) {
            (Some(key), Some(secret)) => Some((key.clone(), secret.clone())),
            (None, None) => None,
            _ => {
                return Err(io::Error::other(
                    "SOUK_S3_ACCESS_KEY_ID and SOUK_S3_SECRET_ACCESS_KEY must be set together",
                ));
            }
        };
        Ok(StorageLocation::S3(Bucket {
            name: name.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            endpoint: self.s3_endpoint.clone(),
            region: self.s3_region.clone(),
            credentials,
            is_path_style: self.s3_path_style.unwrap_or(self.s3_endpoint.is_some()),
        }))
    }
}
