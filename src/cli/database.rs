//! The database of a command: the one that is named, or souk's own server.
//! Rule: a server that a command started is stopped when the command ends, also with an error.

use std::sync::Arc;

use tokio::task::JoinHandle;

use super::CommandError;
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
    embedded: Option<(Arc<Embedded>, JoinHandle<()>)>,
}

impl Database {
    /// The named database, or souk's own server, started or joined, and kept running.
    pub async fn open(settings: &Settings) -> Result<Self, EmbeddedError> {
        if let Some(url) = &settings.database_url {
            return Ok(Self { url: url.clone(), embedded: None });
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
        Ok(Self { url, embedded: Some((embedded, supervisor)) })
    }

    /// Stops souk's own server where this process started it.
    pub async fn close(self) {
        if let Some((embedded, supervisor)) = self.embedded {
            embedded.stop().await;
            supervisor.abort();
        }
    }
}

/// Opens the database, migrates it and runs a command with it.
pub(super) async fn with_database<T, E: Into<CommandError>>(
    settings: &Settings,
    command: impl AsyncFnOnce(Db) -> Result<T, E>,
) -> Result<T, CommandError> {
    let database = Database::open(settings).await?;
    let result = async {
        migrations::migrate(&database.url).await?;
        let db = Db::connect(&database.url, &settings.db()).await?;
        command(db).await.map_err(Into::into)
    }
    .await;
    database.close().await;
    result
}
