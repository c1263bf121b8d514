//! A Redis server of a test's own.

use std::{
    os::unix::net::UnixStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Instant,
};

use redis::{Cmd, FromRedisValue, aio::PubSub};
use rustix::process::{Pid, Signal, kill_process};

/// A `redis-server` on a Unix socket. It keeps nothing on disk, and ends with the test.
pub struct RedisServer {
    directory: tempfile::TempDir,
    process: Option<Child>,
}

impl RedisServer {
    /// Starts a server.
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut server = Self { directory, process: None };
        server.restart();
        server
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("redis.sock")
    }

    /// Returns its URL.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// Stops the server, if it runs, and starts it again, without data.
    pub fn restart(&mut self) {
        self.stop();
        let process = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--daemonize", "no", "--unixsocket"])
            .arg(self.socket())
            .arg("--dir")
            .arg(self.directory.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server; on Debian: apt-get install redis-server");
        self.process = Some(process);
        while UnixStream::connect(self.socket()).is_err() {
            let process = self.process.as_mut().expect("a process");
            assert!(process.try_wait().expect("a process").is_none(), "redis-server ended");
            std::thread::yield_now();
        }
    }

    /// Kills the server.
    pub fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Stops the process without ending it: it accepts connections and does not respond.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a frozen process go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("a process");
        kill_process(Pid::from_child(process), signal).expect("a signal");
    }

    /// Runs a command.
    pub async fn run<T: FromRedisValue>(&self, command: &Cmd) -> T {
        Self::run_at(self.url(), command).await
    }

    /// Runs a command with a password.
    pub async fn run_as<T: FromRedisValue>(&self, password: &str, command: &Cmd) -> T {
        Self::run_at(format!("{}?pass={password}", self.url()), command).await
    }

    async fn run_at<T: FromRedisValue>(url: String, command: &Cmd) -> T {
        let client = redis::Client::open(url).expect("a URL");
        let mut connection = client.get_multiplexed_async_connection().await.expect("a connection");
        command.query_async(&mut connection).await.expect("a reply")
    }

    /// Subscribes to a channel.
    pub async fn subscribe(&self, channel: &str) -> PubSub {
        let mut connection =
            redis::Client::open(self.url()).expect("a URL").get_async_pubsub().await.expect("a connection");
        connection.subscribe(channel).await.expect("a subscription");
        connection
    }

    /// Waits until there is a key that matches a pattern, and returns all of them.
    pub async fn wait_for_keys(&self, pattern: &str) -> Vec<String> {
        let started = Instant::now();
        loop {
            assert!(started.elapsed().as_secs() < 60, "no key {pattern}");
            let keys: Vec<String> = self.run(redis::cmd("KEYS").arg(pattern)).await;
            if !keys.is_empty() {
                return keys;
            }
            tokio::task::yield_now().await;
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}
