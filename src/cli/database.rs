//! The database of a command: the configured one, or Souk's embedded PostgreSQL server.
//! Rule: a server started by a command is stopped when the command ends, also after an error.

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

/// An opened database.
pub(super) struct Database {
    /// Connection URL.
    pub url: String,
    embedded: Option<(Arc<Embedded>, JoinHandle<()>)>,
}

impl Database {
    /// Opens the configured database, or starts (or joins) the embedded server and supervises it.
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

    /// Stops the embedded server if this process started it.
    pub async fn close(self) {
        if let Some((embedded, supervisor)) = self.embedded {
            embedded.stop().await;
            supervisor.abort();
        }
    }
}

/// Opens and migrates the database, runs a command with it, and closes it.
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
