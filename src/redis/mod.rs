//! Redis: an option that joins several servers. It shares what each of them could do alone.
//! Rule: nothing depends on it. A command is given up after milliseconds, and none is sent while Redis does not respond.

mod state;
mod subscription;

use std::{
    fmt,
    sync::{Arc, Mutex, Weak},
    time::{Duration, Instant},
};

use redis::{
    Client, Cmd, ConnectionInfo, FromRedisValue, IntoConnectionInfo, Pipeline, RedisError, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

pub use self::state::State;
use self::state::StateCell;
use crate::sync::lock;

/// Time for a command that a request waits for.
const READ_TIMEOUT: Duration = Duration::from_millis(20);
/// Time for a command that nobody waits for.
const WRITE_TIMEOUT: Duration = Duration::from_millis(500);
/// Time for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Interval of the probes that find out whether Redis responds and accepts writes.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);
/// Time after which a connection is closed whose other end does not acknowledge what is sent.
const PEER_TIMEOUT: Duration = Duration::from_secs(5);
/// Key that the probes write.
const PROBE_KEY: &str = "souk:probe";
/// Time after which Redis deletes the key of the probes, in milliseconds.
const PROBE_LIFETIME_MS: u32 = 1_000;
/// Codes of the errors with which Redis rejects writes: its memory or disk is full, it is a replica or lacks replicas, or the
/// account may not write.
const WRITE_REJECTIONS: [&str; 5] = ["OOM", "MISCONF", "READONLY", "NOREPLICAS", "NOPERM"];

/// A handle to Redis. Clones share the connection.
#[derive(Clone)]
pub struct Redis(Arc<Inner>);

struct Inner {
    client: Client,
    connection: Mutex<ConnectionManager>,
    state: StateCell,
    /// The tasks that probe and subscribe. They end with the last handle.
    tasks: Mutex<JoinSet<()>>,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("state", &self.0.state.get()).finish_non_exhaustive()
    }
}

impl Redis {
    /// Connects to a server, and again in the background whenever the connection is lost or cannot be made within a second.
    /// # Errors
    /// Returns why the URL is not valid. The message does not contain the URL, because it may contain a password.
    pub async fn open(url: &str) -> Result<Self, String> {
        let invalid = |error: RedisError| format!("must be redis://user:password@host:port/database: {error}");
        let info = url.into_connection_info().map_err(invalid)?.set_tcp_settings(tcp_settings());
        let redis = Self::connect(info).map_err(invalid)?;
        redis.0.probe().await;
        redis.spawn(probe(Arc::downgrade(&redis.0)));
        Ok(redis)
    }

    fn connect(info: ConnectionInfo) -> RedisResult<Self> {
        let client = Client::open(info)?;
        let connection = Mutex::new(connection(&client)?);
        Ok(Self(Arc::new(Inner { client, connection, state: StateCell::default(), tasks: Mutex::default() })))
    }

    /// Returns whether Redis responded and accepted writes within the last second.
    pub fn state(&self) -> State {
        self.0.state.get()
    }

    /// Returns the number of the database at the server.
    pub fn database(&self) -> i64 {
        self.0.client.get_connection_info().redis_settings().db()
    }

    /// Runs a command that a request waits for. Returns none if Redis does not respond in time or rejects the command.
    pub async fn read<T: FromRedisValue>(&self, command: &Cmd) -> Option<T> {
        if self.state() < State::RejectsWrites {
            return None;
        }
        self.run(READ_TIMEOUT, command.query_async(&mut self.0.connection())).await
    }

    /// Runs commands that no request waits for. Returns none if Redis does not respond in time or rejects a command; some
    /// of them may have been run.
    pub async fn write<T: FromRedisValue>(&self, commands: &Pipeline) -> Option<T> {
        if self.state() < State::Available {
            return None;
        }
        self.run(WRITE_TIMEOUT, commands.query_async(&mut self.0.connection())).await
    }

    async fn run<T>(&self, time: Duration, command: impl Future<Output = RedisResult<T>>) -> Option<T> {
        let state = &self.0.state;
        match timeout(time, command).await {
            Ok(Ok(value)) => {
                state.note_response();
                return Some(value);
            }
            Ok(Err(error)) if rejects_writes(&error) => state.set(State::RejectsWrites, &error.to_string()),
            Ok(Err(error)) if error.is_io_error() => state.note_failure(&error.to_string()),
            Ok(Err(error)) => {
                state.note_response();
                tracing::debug!(%error, "redis command failed");
            }
            Err(_) => state.note_failure("a command timed out"),
        }
        None
    }

    /// Runs a task until the last handle is dropped. The task must not hold a handle while it waits.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        lock(&self.0.tasks).spawn(task);
    }
}

impl Inner {
    fn connection(&self) -> ConnectionManager {
        lock(&self.connection).clone()
    }

    /// Finds out whether Redis responds and accepts writes.
    async fn probe(&self) {
        let (mut connection, started) = (self.connection(), Instant::now());
        let command = redis::cmd("SET").arg(PROBE_KEY).arg(1).arg("PX").arg(PROBE_LIFETIME_MS).clone();
        match timeout(CONNECT_TIMEOUT, command.query_async::<()>(&mut connection)).await {
            // A connection takes its time.
            Ok(Ok(())) if started.elapsed() > READ_TIMEOUT && self.state.get() == State::Unavailable => {
                let again = timeout(READ_TIMEOUT, command.query_async::<()>(&mut connection)).await;
                match again {
                    Ok(Ok(())) => self.state.set(State::Available, ""),
                    _ => self.state.set(State::Unavailable, "it responds too slowly"),
                }
            }
            Ok(Ok(())) => self.state.set(State::Available, ""),
            Ok(Err(error)) if rejects_writes(&error) => self.state.set(State::RejectsWrites, &error.to_string()),
            Ok(Err(error)) => {
                // The manager connects again by itself only after an error of the network.
                if let (false, Ok(new)) = (error.is_io_error(), self::connection(&self.client)) {
                    *lock(&self.connection) = new;
                }
                self.state.set(State::Unavailable, &error.to_string());
            }
            Err(_) => self.state.set(State::Unavailable, "it does not respond"),
        }
    }
}

/// Returns a connection that is made at the first command, and again whenever it is lost.
fn connection(client: &Client) -> RedisResult<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(WRITE_TIMEOUT))
        .set_number_of_retries(0);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}

/// Probes again and again, so that no request has to find out.
async fn probe(redis: Weak<Inner>) {
    loop {
        sleep(PROBE_INTERVAL).await;
        let Some(redis) = redis.upgrade() else { return };
        redis.probe().await;
    }
}

/// Returns whether Redis responds but rejects all writes.
fn rejects_writes(error: &RedisError) -> bool {
    error.code().is_some_and(|code| WRITE_REJECTIONS.contains(&code))
}

fn tcp_settings() -> TcpSettings {
    let keepalive = TcpKeepalive::new().with_time(PEER_TIMEOUT).with_interval(PEER_TIMEOUT);
    let settings = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(PEER_TIMEOUT);
    settings
}
