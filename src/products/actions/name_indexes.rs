//! Creates and drops the indexes of product names in the order of a language, as the languages of the websites change.
//! Rule: lists are in the right order without them, only slower on a large website.

use crate::{
    db::Db,
    error::Result,
    products::store::name_indexes::{self, NameIndexChanges},
};

/// Creates the missing indexes and drops the unused ones.
/// # Errors
/// Database errors.
pub async fn update(db: &Db) -> Result<()> {
    let NameIndexChanges { missing, unused } = db.read(name_indexes::changes).await?;
    if missing.is_empty() && unused.is_empty() {
        return Ok(());
    }
    let mut connection = db.take_connection().await?;
    for order in missing {
        name_indexes::create(&mut connection, order).await?;
        tracing::info!(collation = order.collation(), "index of product names created");
    }
    for order in unused {
        name_indexes::drop(&mut connection, order).await?;
        tracing::info!(collation = order.collation(), "index of product names dropped");
    }
    Ok(())
}
