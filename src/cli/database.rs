//! The database of a command: the one that is named, or souk's own server.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::{
    config::Settings,
    db::embedded::{Embedded, EmbeddedError, EmbeddedOptions},
};

/// A database at hand.
pub(super) struct Database {
    /// How to connect.
    pub url: String,
    own: Option<(Arc<Embedded>, JoinHandle<()>)>,
}

impl Database {
    /// The named database, or souk's own server, started or joined, and kept running.
    pub async fn open(settings: &Settings) -> Result<Self, EmbeddedError> {
        if let Some(url) = &settings.database_url {
            return Ok(Self { url: url.clone(), own: None });
        }
        let embedded = Arc::new(
            Embedded::start(EmbeddedOptions {
                data_dir: settings.data_dir.clone(),
                programs: settings.postgres_bin.clone(),
                search_path: Settings::search_path(),
                throwaway: false,
            })
            .await?,
        );
        let url = embedded.url().to_owned();
        let supervisor = tokio::spawn(Arc::clone(&embedded).supervise());
        Ok(Self { url, own: Some((embedded, supervisor)) })
    }

    /// Stops souk's own server where this process started it.
    pub async fn close(self) {
        if let Some((embedded, supervisor)) = self.own {
            embedded.stop().await;
            supervisor.abort();
        }
    }
}
