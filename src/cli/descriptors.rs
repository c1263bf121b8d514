//! The number of files and connections that the process may have open.
//! Rule: the limit is raised as far as the system allows, and connections leave some for the database and for files.

/// Number of descriptors for everything but the connections of clients: the database, files, uploads, the log.
const RESERVED: u64 = 256;

/// Raises the limit of open files, and returns how many connections may be open: those wanted, or as many as the limit
/// allows.
pub(super) fn max_connections(wanted: usize) -> usize {
    let Some(limit) = raise_limit() else { return wanted };
    let available = usize::try_from(limit.saturating_sub(RESERVED)).unwrap_or(usize::MAX).max(1);
    if available < wanted {
        tracing::warn!(
            limit,
            available,
            wanted,
            "the limit of open files (ulimit -n) reduces the number of connections"
        );
    }
    available.min(wanted)
}

/// Raises the limit of this process to the highest value that it may set. Returns the limit; none if there is none.
#[cfg(unix)]
fn raise_limit() -> Option<u64> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        // macOS reports no maximum but accepts none above its own.
        Err(_) => limit.current,
    }
}

#[cfg(not(unix))]
fn raise_limit() -> Option<u64> {
    None
}
