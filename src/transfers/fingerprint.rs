//! A short hash that distinguishes names which have the same slug.

use sha2::{Digest, Sha256};

/// The first 12 hexadecimal digits of the text's SHA-256.
pub fn fingerprint(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..6])
}
