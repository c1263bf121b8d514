//! Secrets that are shown once: refresh tokens, API keys, the tokens of mails and carts.
//! Rule: 256 random bits go out, and only their SHA-256 is kept, so that whoever reads the database can use none.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

/// A new secret: the text to show, and its hash to keep.
pub fn generate(prefix: &str) -> (String, Vec<u8>) {
    let text = format!("{prefix}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()));
    let hash = hash(&text);
    (text, hash)
}

/// What is kept of a secret, and by what it is found again.
pub fn hash(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}
