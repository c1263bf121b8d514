//! Files that a client sent ahead, for a mutation that will name them.
//! Rule: the key holds whose it is. Nobody else can name it, and no table has to know of it.

use uuid::Uuid;

use super::{
    Storage,
    received::{ReceivedFile, sha256},
};
use crate::error::{Error, Result};

/// How long an upload waits for the mutation that takes it.
pub const TTL: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
/// The folder of all of them.
pub const KEY_PREFIX: &str = "uploads";

/// A new id of an upload.
pub fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}

/// The key of a user's upload; none where the text is no id of one.
pub fn key(user: i64, id: &str) -> Option<String> {
    let id = Uuid::try_parse(id).ok()?;
    Some(format!("{KEY_PREFIX}/{user}/{}", id.simple()))
}

/// Keeps a file that came with a request as if the user had sent it ahead; its id, which the same bytes have again.
/// # Errors
/// Those of the disk and of the store.
pub async fn store(storage: &Storage, user: i64, file: &ReceivedFile) -> Result<String> {
    let broken = |error| Error::Internal(format!("a file of the request: {error}"));
    let path = file.path().to_owned();
    let hash = tokio::task::spawn_blocking(move || sha256(&path)).await;
    let hash = hash.map_err(|error| Error::Internal(error.to_string()))?.map_err(broken)?;
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    let id = Uuid::from_bytes(id).simple().to_string();
    let key = key(user, &id).ok_or_else(|| Error::Internal("the id of an upload".into()))?;
    storage.put_stream(&key, file.open().map_err(broken)?, u64::MAX).await?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_of_a_client_becomes_a_path() {
        let id = new_id();
        assert_eq!(key(7, &id), Some(format!("uploads/7/{id}")));
        for text in ["", "..", "../8/x", "a/b", "../../media/x", "0", "0123456789abcdef0123456789abcdef/.."] {
            assert_eq!(key(7, text), None, "{text:?}");
        }
    }
}
