//! `souk db url`.

use super::Outcome;
use crate::{config::Settings, db::embedded::Embedded};

pub(super) async fn url(settings: &Settings) -> Outcome {
    if let Some(url) = &settings.database_url {
        println!("{url}");
        return Ok(());
    }
    let (url, runs) = Embedded::find(&settings.data_dir).await?;
    println!("{url}");
    if !runs {
        eprintln!("souk's own PostgreSQL does not run now: it runs while `souk serve` does");
    }
    Ok(())
}
