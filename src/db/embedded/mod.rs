//! The embedded PostgreSQL server: the system's own programs, run as a child process for one data directory. Covers the
//! search for the programs, the unprivileged account, the cluster's files and the server's lifecycle.
//! Rule: the holder of the lock file is starting, running or stopping the server. The server's processes inherit the
//! lock, so it is free exactly when none of them is left; other processes join the running server.

mod account;
mod cluster;
mod error;
mod location;
mod programs;

pub use error::EmbeddedError;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};

use cluster::Server;
use location::ClusterLocation;

/// Options of the embedded server.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// Directory for all files, usually `.souk`; created if it is missing.
    pub data_dir: PathBuf,
    /// Directory of `postgres` and `initdb`; none to search the usual places.
    pub programs: Option<PathBuf>,
    /// Value of `PATH`, which is searched for the programs.
    pub search_path: Option<OsString>,
    /// For tests: fast, with many connections, and without durability if the machine crashes.
    pub throwaway: bool,
}

/// A running PostgreSQL server for one data directory, either started or joined.
///
/// A server that was started here stops when this value is dropped or this process ends for any reason.
#[derive(Debug)]
pub struct Embedded {
    options: EmbeddedOptions,
    location: ClusterLocation,
    server: Mutex<Option<Server>>,
    stopping: watch::Sender<bool>,
}

impl Embedded {
    /// Starts the server of the data directory, or joins the running one. Creates the cluster and the database `souk`
    /// if they are missing.
    ///
    /// # Errors
    /// Returns an [`EmbeddedError`], whose message says what to do.
    pub async fn start(options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let location = ClusterLocation::resolve(&options.data_dir).await?;
        let server = cluster::start_or_join(&location, &options).await?;
        Ok(Self { options, location, server: Mutex::new(server), stopping: watch::Sender::new(false) })
    }

    /// Returns the connection string of the data directory's server, and whether it is running. Does not start it.
    ///
    /// # Errors
    /// Returns an [`EmbeddedError`] if the directory cannot be used.
    pub async fn find(data_dir: &Path) -> Result<(String, bool), EmbeddedError> {
        let location = ClusterLocation::resolve(data_dir).await?;
        let runs = matches!(cluster::connect(&location).await, Ok(Some(_)));
        Ok((location.url, runs))
    }

    /// Returns the connection string, for tokio-postgres and psql. It does not change when the server restarts.
    pub fn url(&self) -> &str {
        &self.location.url
    }

    /// Returns whether the running server was started by this value; false while it is being restarted.
    pub fn has_started_server(&self) -> bool {
        self.server.try_lock().is_ok_and(|server| server.is_some())
    }

    /// Keeps the server running: when it ends, it is restarted or joined immediately, whoever started it. Never
    /// returns; does nothing after [`Embedded::stop`].
    pub async fn supervise(self: Arc<Self>) {
        let mut stopping = self.stopping.subscribe();
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => {}
            () = self.keep_running() => {}
        }
        std::future::pending().await
    }

    async fn keep_running(&self) {
        loop {
            // This connection ends with the server, so no polling is needed.
            if let Ok(Some((_client, connection))) = cluster::connect(&self.location).await {
                let _ = connection.await;
            }
            let mut server = self.server.lock().await;
            match cluster::start_or_join(&self.location, &self.options).await {
                Ok(Some(started)) => {
                    tracing::warn!("PostgreSQL restarted after it had ended");
                    *server = Some(started);
                }
                Ok(None) => {
                    tracing::info!("connection to PostgreSQL restored");
                    server.take_if(|server| server.has_ended());
                }
                Err(error) => {
                    tracing::error!(%error, "restarting PostgreSQL failed; retrying");
                    drop(server);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Stops the server if this process started it, and waits until it has ended; otherwise does nothing. Open
    /// connections are closed, so finish pending work first.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        if let Some(server) = self.server.lock().await.take() {
            server.stop(&self.location).await;
        }
    }
}
