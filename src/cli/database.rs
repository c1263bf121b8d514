//! The database of a command: the one that is named, or souk's own server.
//! Rule: a server that a command started is stopped when the command ends, also with an error.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::Failed;
use crate::{
    config::Settings,
    db::{
        Db,
        embedded::{Embedded, EmbeddedError, EmbeddedOptions},
        migrations,
    },
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

/// Opens the database, migrates it and runs a command with it.
pub(super) async fn with_database<T, E: Into<Failed>>(
    settings: &Settings,
    command: impl AsyncFnOnce(Db) -> Result<T, E>,
) -> Result<T, Failed> {
    let database = Database::open(settings).await?;
    let done = async {
        migrations::migrate(&database.url).await?;
        let db = Db::connect(&database.url, &settings.db()).await?;
        command(db).await.map_err(Into::into)
    }
    .await;
    database.close().await;
    done
}
