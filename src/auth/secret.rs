//! Secrets that are shown once: refresh tokens, API keys, and the tokens of emails and carts.
//! Rule: a secret has 256 random bits and only its SHA-256 is stored, so that database contents cannot be used to log
//! in.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::text::trim;

/// Generates a secret: the text to show, and the hash to store.
pub fn generate(prefix: &str) -> (String, Vec<u8>) {
    let text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
    let hash = hash(&text);
    (text, hash)
}

/// Returns the hash that is stored for a secret and used to look it up. Whitespace around a pasted secret is ignored.
pub fn hash(text: &str) -> Vec<u8> {
    Sha256::digest(trim(text).as_bytes()).to_vec()
}
