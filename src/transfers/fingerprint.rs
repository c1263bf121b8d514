//! A short hash that distinguishes names which have the same slug.
//! Rule: it depends on the text alone, so a file that is imported again gets the same slugs.

use sha2::{Digest, Sha256};

/// The first 12 hexadecimal digits of the text's SHA-256.
pub fn fingerprint(text: &str) -> String {
    hex::encode(&Sha256::digest(text)[..6])
}
