//! The lifecycle of a server: creating the cluster, starting, connecting, stopping.
//! Rule: the server stops when the pipe to its watcher closes; this process holds the other end.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{Client, Config, Connection, NoTls, Socket};

use super::EmbeddedOptions;
use super::error::{EmbeddedError, at, ignore_error_kind};
use super::location::ClusterLocation;
use super::programs;

/// Maximum time to start (after a crash the server replays its log first) or to stop.
const START_STOP_TIMEOUT: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
const MAX_LOG_BYTES: u64 = 1 << 20;

/// Runs the server and requests a fast shutdown when the pipe on stdin closes. The signal is repeated every second,
/// because a server that has just started ignores it. The lock is passed on stdout and becomes the server's stdin,
/// which it does not use otherwise. Signals for the whole service must not end the watcher.
const WATCHER: &str = r#"
trap '' HUP INT TERM
exec 3<&0 4<&1 </dev/null >>"$1" 2>&1
shift
"$@" <&4 3<&- 4<&- &
server=$!
exec 4<&-
{ read -r _ <&3; while kill -INT "$server"; do sleep 1; done; } 2>/dev/null &
watch=$!
wait "$server"; code=$?
kill -9 "$watch"
exit "$code"
"#;

/// A server started by this process. Dropping it stops the server without waiting.
#[derive(Debug)]
pub(super) struct Server {
    watcher: Child,
}

/// Joins a running server or starts one. Returns the server if it was started here.
pub(super) async fn start_or_join(
    location: &ClusterLocation,
    options: &EmbeddedOptions,
) -> Result<Option<Server>, EmbeddedError> {
    location.secure_socket_directory()?;
    let deadline = Instant::now() + START_STOP_TIMEOUT;
    loop {
        if connect(location).await?.is_some() {
            return Ok(None);
        }
        if let Some(lock) = location.try_lock()? {
            return start(location, options, lock, deadline).await.map(Some);
        }
        pause(location, deadline).await?;
    }
}

/// Connects to the database and creates it if it is missing; returns none while no server is ready.
pub(super) async fn connect(
    location: &ClusterLocation,
) -> Result<Option<(Client, Connection<Socket, NoTlsStream>)>, EmbeddedError> {
    let config: Config = location.url.parse()?;
    let Ok(result) = timeout(Duration::from_secs(5), config.connect(NoTls)).await else {
        return Ok(None);
    };
    let error = match result {
        Ok(connected) => return Ok(Some(connected)),
        Err(error) => error,
    };
    match error.code() {
        None | Some(&SqlState::CANNOT_CONNECT_NOW) => Ok(None),
        Some(&SqlState::INVALID_CATALOG_NAME) => {
            let (client, connection) = config.clone().dbname("postgres").connect(NoTls).await?;
            tokio::spawn(connection);
            let already_created = [SqlState::DUPLICATE_DATABASE, SqlState::UNIQUE_VIOLATION];
            match client.batch_execute("CREATE DATABASE souk").await {
                Err(error) if !error.code().is_some_and(|code| already_created.contains(code)) => Err(error.into()),
                // Created here or by a concurrent process; the next attempt connects to it.
                _ => Ok(None),
            }
        }
        Some(_) => Err(error.into()),
    }
}

async fn start(
    location: &ClusterLocation,
    options: &EmbeddedOptions,
    lock: File,
    deadline: Instant,
) -> Result<Server, EmbeddedError> {
    let version = fs::read_to_string(location.cluster.join("PG_VERSION")).ok();
    let version = version.and_then(|text| text.trim().parse().ok());
    let programs = programs::find(options, location, version).await?;
    if version.is_none() {
        initdb(location, options, &programs, &lock).await?;
    }
    let log = location.log_file();
    let mut log_start = fs::metadata(&log).map_or(0, |meta| meta.len());
    if log_start > MAX_LOG_BYTES {
        fs::rename(&log, log.with_extension("log.1")).map_err(at(&log))?;
        log_start = 0;
    }
    // This process holds the lock, so no server is running, but the process id in a stale file may have been reused.
    let stale = location.cluster.join("postmaster.pid");
    ignore_error_kind(ErrorKind::NotFound, fs::remove_file(&stale)).map_err(at(&stale))?;
    let mut command = location.account.command("sh");
    command.args(["-c", WATCHER, "souk-postgres"]).arg(&log);
    command.arg(programs.join("postgres")).arg("-D").arg(&location.cluster);
    for (name, value) in settings(location, options) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    // A separate process group: Ctrl-C in a terminal must not stop the database before its clients have finished.
    command.process_group(0).stdin(Stdio::piped()).stdout(lock).stderr(Stdio::null());
    let mut server = Server { watcher: command.spawn().map_err(at("sh"))? };
    // The command holds a copy of the lock's file descriptor.
    drop(command);
    while connect(location).await?.is_none() {
        if server.has_ended() {
            let tail = tail(&log, log_start);
            return Err(EmbeddedError::StartFailed { log, tail });
        }
        pause(location, deadline).await?;
    }
    Ok(server)
}

async fn pause(location: &ClusterLocation, deadline: Instant) -> Result<(), EmbeddedError> {
    if Instant::now() > deadline {
        return Err(EmbeddedError::NotReady {
            cluster: location.cluster.clone(),
            seconds: START_STOP_TIMEOUT.as_secs(),
            log: location.log_file(),
        });
    }
    sleep(POLL_INTERVAL).await;
    Ok(())
}

/// Creates the cluster in a temporary directory and moves it into place, so that it is never incomplete.
async fn initdb(
    location: &ClusterLocation,
    options: &EmbeddedOptions,
    programs: &Path,
    lock: &File,
) -> Result<(), EmbeddedError> {
    let mut output = String::new();
    // Code point order is the fastest collation; the character type determines how lower() treats non-ASCII letters.
    for character_type in ["C.UTF-8", "en_US.UTF-8", "C"] {
        let directory = location.create_empty_directory("postgres.new")?;
        let mut command = location.account.command(programs.join("initdb"));
        command.args(["--username=souk", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]);
        command.arg(format!("--lc-ctype={character_type}")).arg("-D").arg(&directory);
        if options.throwaway {
            command.arg("--no-sync");
        }
        // The child inherits the lock, so that no other process uses the directory if this process is killed.
        command.stdin(lock.try_clone().map_err(at(&directory))?);
        let mut command = tokio::process::Command::from(command);
        let result = command.kill_on_drop(true).output().await.map_err(at(programs))?;
        if result.status.success() {
            return fs::rename(&directory, &location.cluster)
                .and_then(|()| File::open(location.cluster.join(".."))?.sync_all())
                .map_err(at(&location.cluster));
        }
        output = String::from_utf8_lossy(&result.stderr).into_owned();
    }
    Err(EmbeddedError::Initdb { cluster: location.cluster.clone(), output })
}

fn settings(location: &ClusterLocation, options: &EmbeddedOptions) -> Vec<(&'static str, String)> {
    let socket_directory = location.socket_directory.to_string_lossy().replace('"', "\"\"");
    let durable = if options.throwaway { "off" } else { "on" };
    let connections = if options.throwaway { "300" } else { "100" };
    vec![
        ("listen_addresses", String::new()),
        ("port", "5432".into()),
        ("unix_socket_directories", format!("\"{socket_directory}\"")),
        ("max_connections", connections.into()),
        ("shared_buffers", "256MB".into()),
        ("fsync", durable.into()),
        ("full_page_writes", durable.into()),
        ("synchronous_commit", durable.into()),
        ("timezone", "UTC".into()),
        ("log_timezone", "UTC".into()),
        // Failed statements are reported by their senders, so the log stays small.
        ("log_min_messages", "log".into()),
        ("log_checkpoints", "off".into()),
        ("logging_collector", "off".into()),
    ]
}

/// Returns the last lines of the log that were written after the given position.
fn tail(log: &Path, start: u64) -> String {
    let mut bytes = Vec::new();
    let read = File::open(log).and_then(|mut file| {
        file.seek(SeekFrom::Start(start))?;
        file.take(MAX_LOG_BYTES).read_to_end(&mut bytes)
    });
    if let Err(error) = read {
        return error.to_string();
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

impl Server {
    /// Returns whether the server has ended.
    pub fn has_ended(&mut self) -> bool {
        matches!(self.watcher.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// Closes the pipe and waits until the server has ended. The lock cannot be used for this, because another process
    /// may have started the next server already.
    pub async fn stop(mut self, location: &ClusterLocation) {
        drop(self.watcher.stdin.take());
        let deadline = Instant::now() + START_STOP_TIMEOUT;
        while !self.has_ended() {
            if let Err(error) = pause(location, deadline).await {
                tracing::warn!(%error, "PostgreSQL did not stop in time");
                return;
            }
        }
    }
}
