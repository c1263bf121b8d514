//! `souk migrate`.
//! Rule: it prints the migrations that it applied.

use super::{Outcome, database::Database};
use crate::{config::Settings, db::migrations};

pub(super) async fn migrate(settings: &Settings) -> Outcome {
    let database = Database::open(settings).await?;
    let migrated = migrations::migrate(&database.url).await;
    database.close().await;
    match migrated?.applied.as_slice() {
        [] => say!("the tables are up to date"),
        applied => applied.iter().for_each(|version| say!("applied {version}")),
    }
    Ok(())
}
