//! Where files are stored.

use std::path::PathBuf;

/// The location of the storage.
#[derive(Debug, Clone)]
pub enum StorageLocation {
    /// A local directory, or one shared by all servers, with the secret that signs URLs.
    Directory {
        /// Directory; created if it is missing.
        directory: PathBuf,
        /// Secret with at least 32 random characters.
        secret: String,
    },
    /// In memory, for tests.
    Memory,
    /// A bucket of an S3-compatible object store.
    S3(Bucket),
}

/// A bucket of an object store.
#[derive(Debug, Clone, Default)]
pub struct Bucket {
    /// Name of the bucket.
    pub name: String,
    /// Prefix of all keys, without leading or trailing slashes; may be empty.
    pub prefix: String,
    /// Endpoint of the object store; none for Amazon S3.
    pub endpoint: Option<String>,
    /// Region of the bucket.
    pub region: String,
    /// Access key id and secret; none for the instance role of the machine.
    pub credentials: Option<(String, String)>,
    /// Whether the bucket is part of the path instead of the host name.
    pub is_path_style: bool,
}
