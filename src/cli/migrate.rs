//! `souk migrate`: applies pending migrations.
//! Rule: it prints each migration that it applied.

use super::{CommandResult, database::Database};
use crate::{config::Settings, db::migrations};

pub(super) async fn migrate(settings: &Settings) -> CommandResult {
    let database = Database::open(settings).await?;
    let migrated = migrations::migrate(&database.url).await;
    database.close().await;
    match migrated?.applied.as_slice() {
        [] => print_line!("the database is up to date"),
        applied => applied.iter().for_each(|version| print_line!("applied {version}")),
    }
    Ok(())
}
