//! `souk documents`: stores, lists and removes trusted documents.

use std::{fs, path::PathBuf};

use clap::Subcommand;

use super::{CommandResult, database::with_database, print};
use crate::{
    config::{LimitSettings, Settings},
    error::Error,
    graphql,
    trusted_documents::{
        actions::{self, Pushed},
        manifest, store,
    },
};

/// Commands of trusted documents.
#[derive(Debug, Clone, Subcommand)]
pub enum DocumentsCommand {
    /// Store the documents of manifests. The ID of a document that is stored already cannot get another text.
    Push {
        /// Manifests of Apollo, GraphQL Code Generator (also for urql) or the Relay compiler.
        #[arg(required = true, value_name = "FILE")]
        manifests: Vec<PathBuf>,
        /// Limits of the server, which each document must keep to.
        #[command(flatten)]
        limits: Box<LimitSettings>,
    },
    /// List the ID, the operation and the time of each document.
    List,
    /// Remove documents. Clients that name them get an error a minute later.
    Remove {
        /// IDs of the documents.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
    },
}

impl DocumentsCommand {
    /// Returns the command's name for the audit log.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Push { .. } => "documents push",
            Self::List => "documents list",
            Self::Remove { .. } => "documents remove",
        }
    }

    /// Runs the command.
    pub(super) async fn run(self, settings: &Settings) -> CommandResult {
        match self {
            Self::Push { manifests, limits } => push(settings, &manifests, &limits).await,
            Self::List => list(settings).await,
            Self::Remove { ids } => remove(settings, &ids).await,
        }
    }
}

async fn push(settings: &Settings, manifests: &[PathBuf], limits: &LimitSettings) -> CommandResult {
    let mut documents = Vec::new();
    let check = graphql::document_check(limits);
    for path in manifests {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let invalid = |why: String| Error::bad_input("manifest", format!("{}: {why}", path.display()));
        let found = manifest::parse(&text).map_err(|error| invalid(error.to_string()))?;
        for document in &found {
            check(&document.text).map_err(|why| invalid(format!("the document {} {why}", document.id)))?;
        }
        documents.extend(found);
    }
    let Pushed { added, unchanged } = with_database(settings, async |db| actions::push(&db, &documents).await).await?;
    print(&format!("Documents added: {added}, unchanged: {unchanged}\n"))
}

async fn list(settings: &Settings) -> CommandResult {
    let all = with_database(settings, async |db| db.read(store::all).await).await?;
    let line = |(id, name, at): &(String, Option<String>, chrono::DateTime<chrono::Utc>)| {
        format!("{id}\t{}\t{}\n", name.as_deref().unwrap_or("-"), at.format("%Y-%m-%dT%H:%M:%SZ"))
    };
    print(&all.iter().map(line).collect::<String>())
}

async fn remove(settings: &Settings, ids: &[String]) -> CommandResult {
    let removed = with_database(settings, async |db| actions::remove(&db, ids).await).await?;
    print(&format!("Documents removed: {removed}\n"))
}
