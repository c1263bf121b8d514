//! `souk db url` and `souk db diagram`: print information about the database.
//! Rule: read-only; no migrations are applied.

use super::{CommandResult, database::Database, print};
use crate::{
    config::Settings,
    db::{Db, diagram, embedded::Embedded},
};

pub(super) async fn print_url(settings: &Settings) -> CommandResult {
    if let Some(url) = &settings.database_url {
        print_line!("{url}");
        return Ok(());
    }
    let (url, is_running) = Embedded::find(&settings.data_dir).await?;
    print_line!("{url}");
    if !is_running {
        eprintln!("the embedded PostgreSQL is not running; it runs while `souk serve` is running");
    }
    Ok(())
}

pub(super) async fn print_diagram(settings: &Settings, only: &[String]) -> CommandResult {
    let database = Database::open(settings).await?;
    let result = async {
        let db = Db::connect(&database.url, &settings.db()).await?;
        diagram::diagram(&*db.checkout().await?, only).await
    };
    let result = result.await;
    database.close().await;
    print(&result?)
}
