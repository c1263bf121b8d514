//! Files that a client uploads before the mutation that uses them.
//! Rule: the key contains the user's id, so no other user can refer to the file and no table is needed.

use futures_util::TryStreamExt;
use uuid::Uuid;

use super::{
    Storage,
    received::{ReceivedFile, sha256},
};
use crate::error::{Error, Result};

/// How long an upload is kept for the mutation that uses it.
pub const TTL: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
/// Key prefix of all uploads.
pub const KEY_PREFIX: &str = "uploads";

/// Generates an upload id.
pub fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}

/// Returns the key of a user's upload; none if the id is malformed.
pub fn key(user: i64, id: &str) -> Option<String> {
    let id = Uuid::try_parse(id).ok()?;
    Some(format!("{KEY_PREFIX}/{user}/{}", id.simple()))
}

/// Returns the user whose upload has this key; none if it is not the key of an upload.
pub fn owner(key: &str) -> Option<i64> {
    key.strip_prefix(KEY_PREFIX)?.strip_prefix('/')?.split('/').next()?.parse().ok()
}

/// Returns the size of all uploads of a user that are kept, in bytes.
/// # Errors
/// Returns UNAVAILABLE if the storage fails.
pub async fn kept_bytes(storage: &Storage, user: i64) -> Result<u64> {
    let files = storage.list(&format!("{KEY_PREFIX}/{user}"))?;
    files.try_fold(0, async |bytes, file| Ok(bytes + file.size)).await
}

/// Stores a file received with a request as an upload of the user. Returns its id, which is derived from the content:
/// equal files have equal ids.
/// # Errors
/// Returns the I/O error or the error of the storage.
pub async fn store(storage: &Storage, user: i64, file: &ReceivedFile) -> Result<String> {
    let broken = |error| Error::Internal(format!("reading an uploaded file: {error}"));
    let path = file.path().to_owned();
    let hash = tokio::task::spawn_blocking(move || sha256(&path)).await;
    let hash = hash.map_err(|error| Error::Internal(error.to_string()))?.map_err(broken)?;
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    let id = Uuid::from_bytes(id).simple().to_string();
    let key = key(user, &id).ok_or_else(|| Error::Internal("invalid upload id".into()))?;
    storage.put_stream(&key, file.open().map_err(broken)?, u64::MAX).await?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_text_never_becomes_a_path() {
        let id = new_id();
        assert_eq!(key(7, &id), Some(format!("uploads/7/{id}")));
        assert_eq!(key(7, &id).as_deref().and_then(owner), Some(7));
        for other in ["media/7/x", "uploads", "uploads/x", "uploads7/1"] {
            assert_eq!(owner(other), None, "{other}");
        }
        for text in ["", "..", "../8/x", "a/b", "../../media/x", "0", "0123456789abcdef0123456789abcdef/.."] {
            assert_eq!(key(7, text), None, "{text:?}");
        }
    }
}
