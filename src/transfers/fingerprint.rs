//! A short hash that distinguishes names with the same slug.
//! Rule: it depends on the text alone, so that importing a file again gives the same slugs.

use sha2::{Digest, Sha256};

/// Returns the first 12 hexadecimal digits of the text's SHA-256.
pub fn fingerprint(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..6])
}
