//! The location of a cluster: its files, socket directory, lock and connection string.
//! Rule: all are derived from the canonical path of the data directory, so that all processes agree.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::account::Account;
use super::error::{EmbeddedError, at, ignore_error_kind};

/// Directory for the clusters of data directories that only root can enter.
const SHARED_CLUSTERS: &str = "/var/lib/souk";
/// Socket paths are limited to 104 bytes on some systems and 108 on others.
const MAX_SOCKET_PATH: usize = 99;

/// The paths of a cluster and the account that owns it.
#[derive(Debug)]
pub(super) struct ClusterLocation {
    pub account: Account,
    /// PostgreSQL's data directory.
    pub cluster: PathBuf,
    /// Directory of the socket; only the account and root can enter it.
    pub socket_directory: PathBuf,
    /// Connection string of the database.
    pub url: String,
    lock: PathBuf,
}

impl ClusterLocation {
    /// Determines the location for a data directory, which is created if it is missing.
    pub async fn resolve(data_dir: &Path) -> Result<Self, EmbeddedError> {
        fs::create_dir_all(data_dir).map_err(at(data_dir))?;
        let data_dir = data_dir.canonicalize().map_err(at(data_dir))?;
        let digest = Sha256::digest(data_dir.as_os_str().as_bytes());
        let hash = hex::encode(&digest[..8]);

        let note = data_dir.join("postgres.location");
        let mut home = read_location_note(&note).unwrap_or_else(|| data_dir.clone());
        let account = Account::for_cluster(&home.join("postgres")).await?;
        if account.must_switch && !account.can_enter(&home).await? {
            if home != data_dir || home.join("postgres").exists() {
                return Err(EmbeddedError::Unreachable { directory: home, uid: account.uid });
            }
            home = Path::new(SHARED_CLUSTERS).join(&hash);
            for directory in [Path::new(SHARED_CLUSTERS), &home] {
                fs::create_dir_all(directory).map_err(at(directory))?;
                fs::set_permissions(directory, Permissions::from_mode(0o755)).map_err(at(directory))?;
            }
            let noted = File::create_new(&note).and_then(|mut file| file.write_all(home.as_os_str().as_bytes()));
            ignore_error_kind(ErrorKind::AlreadyExists, noted).map_err(at(&note))?;
            tracing::info!(
                home = %home.display(),
                "PostgreSQL's account cannot enter the data directory; using another directory"
            );
        }

        let mut socket_directory = home.join("run");
        let socket_length = socket_directory.as_os_str().len() + "/.s.PGSQL.5432".len();
        // A comma separates hosts in a connection string.
        if socket_length > MAX_SOCKET_PATH || socket_directory.to_str().is_none_or(|path| path.contains(',')) {
            socket_directory = Path::new("/tmp").join(format!("souk-{hash}"));
        }
        Ok(Self {
            account,
            cluster: home.join("postgres"),
            url: format!("postgres://souk@/souk?host={}&port=5432", percent_encode(&socket_directory)),
            socket_directory,
            lock: home.join("postgres.lock"),
        })
    }

    /// Returns the path of the server's log.
    pub fn log_file(&self) -> PathBuf {
        self.cluster.join("server.log")
    }

    /// Creates the socket directory, or checks that an existing one belongs to the account.
    pub fn secure_socket_directory(&self) -> Result<(), EmbeddedError> {
        let directory = &self.socket_directory;
        let made = DirBuilder::new().mode(0o700).create(directory);
        ignore_error_kind(ErrorKind::AlreadyExists, made).map_err(at(directory))?;
        let meta = fs::symlink_metadata(directory).map_err(at(directory))?;
        let ours = meta.uid() == self.account.uid || (self.account.must_switch && meta.uid() == 0);
        if !meta.is_dir() || !ours {
            return Err(EmbeddedError::NotPrivate { directory: directory.clone() });
        }
        self.make_private(directory)
    }

    /// Creates an empty, private directory for the account beside the cluster; removes an existing one.
    pub fn create_empty_directory(&self, name: &str) -> Result<PathBuf, EmbeddedError> {
        let directory = self.cluster.with_file_name(name);
        ignore_error_kind(ErrorKind::NotFound, fs::remove_dir_all(&directory)).map_err(at(&directory))?;
        DirBuilder::new().mode(0o700).create(&directory).map_err(at(&directory))?;
        self.make_private(&directory)?;
        Ok(directory)
    }

    fn make_private(&self, directory: &Path) -> Result<(), EmbeddedError> {
        if self.account.must_switch {
            lchown(directory, Some(self.account.uid), Some(self.account.gid)).map_err(at(directory))?;
        }
        fs::set_permissions(directory, Permissions::from_mode(0o700)).map_err(at(directory))
    }

    /// Acquires the lock; returns none if it is held by a running or starting server.
    pub fn try_lock(&self) -> Result<Option<File>, EmbeddedError> {
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).mode(0o600).open(&self.lock).map_err(at(&self.lock))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(at(&self.lock)(error)),
        }
    }
}

/// Returns the location written by an earlier run. Only a directory below [`SHARED_CLUSTERS`] is accepted, because the
/// owner of the data directory can write the note, and root follows it.
fn read_location_note(note: &Path) -> Option<PathBuf> {
    let home = PathBuf::from(fs::read_to_string(note).ok()?.trim());
    (home.parent() == Some(Path::new(SHARED_CLUSTERS)) && home.file_name().is_some()).then_some(home)
}

/// Percent-encodes a path for a connection string.
fn percent_encode(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes().iter();
    bytes
        .map(|&byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
