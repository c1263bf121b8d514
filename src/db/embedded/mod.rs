//! The embedded PostgreSQL: the system's own programs, run as a child server for one data directory.
//! It owns finding the programs, the unprivileged account, the cluster's files and the server's life.
//! Its one rule: whoever holds the lock file is starting, running or ending the server. The server's
//! processes inherit that lock, so it is free exactly when none of them is left; everybody else joins.

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

/// What the embedded server needs to know.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// The folder that holds everything; made when missing. Usually `.souk`.
    pub data_dir: PathBuf,
    /// The folder that holds `postgres` and `initdb`; searched for in the usual places when absent.
    pub programs: Option<PathBuf>,
    /// The value of `PATH`, searched for the programs.
    pub search_path: Option<OsString>,
    /// For tests: quick, with many connections, and the data may be lost when the machine stops.
    pub throwaway: bool,
}

/// A running PostgreSQL server for one data directory, started here or joined.
///
/// A server started here stops when this value is dropped and when this process ends, however it ends.
#[derive(Debug)]
pub struct Embedded {
    options: EmbeddedOptions,
    location: ClusterLocation,
    server: Mutex<Option<Server>>,
    stopping: watch::Sender<bool>,
}

impl Embedded {
    /// Starts the server of the data directory, or joins the one that runs already; makes the cluster and
    /// the database `souk` when missing.
    ///
    /// # Errors
    /// Any [`EmbeddedError`]; its text says what to do.
    pub async fn start(options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let location = ClusterLocation::resolve(&options.data_dir).await?;
        let server = cluster::start_or_join(&location, &options).await?;
        Ok(Self { options, location, server: Mutex::new(server), stopping: watch::Sender::new(false) })
    }

    /// The connection string of the data directory's server, and whether it runs now. Starts nothing.
    ///
    /// # Errors
    /// Any [`EmbeddedError`] of a folder that cannot be used.
    pub async fn find(data_dir: &Path) -> Result<(String, bool), EmbeddedError> {
        let location = ClusterLocation::resolve(data_dir).await?;
        let runs = matches!(cluster::connect(&location).await, Ok(Some(_)));
        Ok((location.url, runs))
    }

    /// The connection string, for tokio-postgres and psql alike. It stays the same over restarts.
    pub fn url(&self) -> &str {
        &self.location.url
    }

    /// Whether the server that runs now was started by this value; false while it is being started again.
    pub fn has_started_server(&self) -> bool {
        self.server.try_lock().is_ok_and(|server| server.is_some())
    }

    /// Keeps a server running: when it ends, whoever had started it, it is started again or joined at once.
    /// Never returns; after [`Embedded::stop`] it does nothing any more.
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
            // This connection ends when the server does: no polling while all is well.
            if let Ok(Some((_client, connection))) = cluster::connect(&self.location).await {
                let _ = connection.await;
            }
            let mut server = self.server.lock().await;
            match cluster::start_or_join(&self.location, &self.options).await {
                Ok(Some(started)) => {
                    tracing::warn!("PostgreSQL had ended and was started again");
                    *server = Some(started);
                }
                Ok(None) => {
                    tracing::info!("the connection to PostgreSQL was lost and is back");
                    server.take_if(|server| server.has_ended());
                }
                Err(error) => {
                    tracing::error!(%error, "PostgreSQL is gone and could not be started again yet");
                    drop(server);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// Stops the server if this process started it, and waits until it has ended; otherwise does nothing.
    /// Connections still open are cut, so drain first.
    pub async fn stop(&self) {
        self.stopping.send_replace(true);
        if let Some(server) = self.server.lock().await.take() {
            server.stop(&self.location).await;
        }
    }
}
