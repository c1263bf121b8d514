//! The settings of files: where they are kept, how large they may be, what may be fetched.

use std::{io, path::PathBuf};

use clap::{ArgAction, Args};

use super::{Settings, secrets::load_or_create_secret};
use crate::storage::{Bucket, StorageLocation};

/// Where files are kept, and what is taken.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Files")]
pub struct FileSettings {
    /// Where files are kept: `file:DIR`, which several servers must all mount, or `s3://bucket/prefix` (S3 and what speaks like
    /// it). By default the folder `files` of the data directory.
    #[arg(long, env = "SOUK_STORAGE", value_name = "PLACE")]
    pub storage: Option<String>,

    /// Where the object store is, as `https://host:port`; without it Amazon's.
    #[arg(long, env = "SOUK_S3_ENDPOINT", value_name = "URL")]
    pub s3_endpoint: Option<String>,

    /// The region of the bucket.
    #[arg(long, env = "SOUK_S3_REGION", default_value = "us-east-1", value_name = "NAME")]
    pub s3_region: String,

    /// The key of the object store. Without it the role of the machine is taken.
    #[arg(long, env = "SOUK_S3_ACCESS_KEY_ID", value_name = "KEY")]
    pub s3_access_key_id: Option<String>,

    /// The secret of that key.
    #[arg(long, env = "SOUK_S3_SECRET_ACCESS_KEY", hide_env_values = true, value_name = "SECRET")]
    pub s3_secret_access_key: Option<String>,

    /// Whether the bucket stands in the path of an address and not in its host: by default where SOUK_S3_ENDPOINT is set.
    #[arg(long, env = "SOUK_S3_PATH_STYLE", value_name = "BOOL")]
    pub s3_path_style: Option<bool>,

    /// Where browsers find `/media`, without it: `https://cdn.example/media` of a CDN before souk or before the bucket. By
    /// default the server's own path.
    #[arg(long, env = "SOUK_MEDIA_URL", default_value = "/media", value_name = "URL")]
    pub media_url: String,

    /// Largest file of a multipart request, and of a picture however it comes, in bytes. Other files sent ahead have up to 1 GiB.
    #[arg(long, env = "SOUK_UPLOAD_BYTES", default_value_t = 20 * 1024 * 1024, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..=1 << 32))]
    pub upload_bytes: u64,

    /// Whether pictures by URL may come from private addresses (loopback, 10.0.0.0/8 and the like) and from any port: for
    /// development only.
    #[arg(long, env = "SOUK_FETCH_PRIVATE", default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    pub fetch_private: bool,
}

impl FileSettings {
    /// Where files are kept. The secret that signs addresses of a folder's files is made once and lies in that folder, so that
    /// all servers that mount it have the same.
    /// # Errors
    /// Where the place is no such place, or the secret cannot be written.
    pub fn storage_location(&self, settings: &Settings) -> io::Result<StorageLocation> {
        let directory = match self.storage.as_deref() {
            None => settings.data_dir.join("files"),
            Some(location) => match (location.strip_prefix("file:"), location.strip_prefix("s3://")) {
                (Some(directory), _) if !directory.is_empty() => PathBuf::from(directory),
                (_, Some(bucket)) if !bucket.is_empty() => return self.bucket(bucket),
                _ => return Err(io::Error::other("SOUK_STORAGE is file:DIR or s3://bucket/prefix")),
            },
        };
        let secret = load_or_create_secret(&directory, ".secret");
        let secret = secret.map_err(|error| {
            io::Error::other(format!("cannot keep files in {} (SOUK_STORAGE): {error}", directory.display()))
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
                    "SOUK_S3_ACCESS_KEY_ID and SOUK_S3_SECRET_ACCESS_KEY are set both or none",
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
