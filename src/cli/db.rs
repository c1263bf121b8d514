//! `souk db url` and `souk db diagram`.
//! Rule: they change nothing.

use super::{Outcome, database::Database, print};
use crate::{
    config::Settings,
    db::{Db, diagram, embedded::Embedded},
};

pub(super) async fn url(settings: &Settings) -> Outcome {
    if let Some(url) = &settings.database_url {
        say!("{url}");
        return Ok(());
    }
    let (url, runs) = Embedded::find(&settings.data_dir).await?;
    say!("{url}");
    if !runs {
        eprintln!("souk's own PostgreSQL does not run now: it runs while `souk serve` does");
    }
    Ok(())
}

pub(super) async fn diagram(settings: &Settings, only: &[String]) -> Outcome {
    let database = Database::open(settings).await?;
    let drawn = async {
        let db = Db::connect(&database.url, &settings.db()).await?;
        diagram::diagram(&*db.checkout().await?, only).await
    };
    let drawn = drawn.await;
    database.close().await;
    print(&drawn?)
}
