//! Files that a client sent ahead, for a mutation that will name them.
//! Rule: the key holds whose it is. Nobody else can name it, and no table has to know of it.

use uuid::Uuid;

/// How long an upload waits for the mutation that takes it.
pub const LIFE: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
/// The folder of all of them.
pub const FOLDER: &str = "uploads";

/// A new id of an upload.
pub fn new_id() -> String {
    Uuid::new_v4().simple().to_string()
}

/// The key of a user's upload; none where the text is no id of one.
pub fn key(user: i64, id: &str) -> Option<String> {
    let id = Uuid::try_parse(id).ok()?;
    Some(format!("{FOLDER}/{user}/{}", id.simple()))
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
