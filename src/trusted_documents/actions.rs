//! Use cases of trusted documents, for the command line.

use std::collections::HashMap;

use super::{manifest::TrustedDocument, store};
use crate::{
    db::Db,
    error::{Error, Result, UserErrorCode},
};

/// Documents per statement.
const CHUNK: usize = 500;

/// The outcome of [`push`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// Documents that were added.
    pub added: usize,
    /// Documents that were stored before.
    pub unchanged: usize,
}

/// Stores documents, all or none.
/// # Errors
/// TAKEN if another document has the ID of one of them.
pub async fn push(db: &Db, documents: &[TrustedDocument]) -> Result<Pushed> {
    db.transaction(async |conn| {
        let mut added = 0;
        for chunk in documents.chunks(CHUNK) {
            let ids: Vec<_> = chunk.iter().map(|document| document.id.as_str()).collect();
            let stored: HashMap<_, _> = store::texts(conn, &ids).await?.into_iter().collect();
            let changed =
                chunk.iter().find(|document| stored.get(&document.id).is_some_and(|text| *text != document.text));
            if let Some(TrustedDocument { id, .. }) = changed {
                let rule = format!("another document has the ID {id}; nothing was stored");
                return Err(Error::user(UserErrorCode::Taken, "manifest", rule));
            }
            let new: Vec<_> = chunk.iter().filter(|document| !stored.contains_key(&document.id)).collect();
            added += store::insert(conn, &new).await?;
        }
        Ok(Pushed { added, unchanged: documents.len() - added })
    })
    .await
}

/// Removes documents, and returns their number. Servers know them for a minute longer.
/// # Errors
/// Database errors.
pub async fn remove(db: &Db, ids: &[String]) -> Result<usize> {
    db.transaction(async |conn| store::delete(conn, ids).await).await
}
