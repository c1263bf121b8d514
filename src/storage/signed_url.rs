//! Signed tokens in URLs of souk's own endpoint for private files: the allowed usage, the file's key and the expiry. And
//! signatures of the URLs of images that are not public.
//! Rule: both are authenticated with HMAC-SHA256; nothing in a token is used before its signature is verified.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The allowed usage of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UrlUsage {
    /// Download the file.
    Get,
    /// Upload the file, once.
    Put,
}

/// The claims of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedUrlClaims {
    /// Allowed usage.
    pub usage: UrlUsage,
    /// Key of the file.
    pub key: String,
    /// File name for downloads.
    pub name: Option<String>,
    /// Maximum size of an upload, in bytes.
    #[serde(rename = "most")]
    pub max_bytes: u64,
    /// Last second in which the token is valid, as Unix time.
    pub until: i64,
}

/// Signs and verifies tokens.
pub struct UrlSigner(String);

impl UrlSigner {
    /// Creates a signer with this secret.
    pub fn new(secret: &str) -> Self {
        Self(secret.to_owned())
    }

    /// Returns the path of souk's own endpoint with a token for these claims.
    pub fn sign(&self, claims: &SignedUrlClaims) -> String {
        let text = serde_json::to_vec(claims).expect("a struct of texts and numbers is JSON");
        let signature = self.mac(&text).finalize().into_bytes();
        format!("/files/{}.{}", URL_SAFE_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(signature))
    }

    /// Returns the claims of a token; none if its signature is invalid or it has expired.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<SignedUrlClaims> {
        let (text, signature) = token.split_once('.')?;
        let (text, signature) = (URL_SAFE_NO_PAD.decode(text).ok()?, URL_SAFE_NO_PAD.decode(signature).ok()?);
        // Constant-time comparison.
        self.mac(&text).verify_slice(&signature).ok()?;
        let claims: SignedUrlClaims = serde_json::from_slice(&text).ok()?;
        (now.timestamp() <= claims.until).then_some(claims)
    }

    /// Returns the signature with which a file in `media/` can be read until this second, as Unix time.
    pub fn media_signature(&self, key: &str, until: i64) -> String {
        URL_SAFE_NO_PAD.encode(self.media_mac(key, until).finalize().into_bytes())
    }

    /// Returns whether a signature is that of a file in `media/`, and has not expired.
    pub fn is_media_signature(&self, key: &str, until: i64, signature: &str, now: DateTime<Utc>) -> bool {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
        // Constant-time comparison.
        now.timestamp() <= until && self.media_mac(key, until).verify_slice(&signature).is_ok()
    }

    fn media_mac(&self, key: &str, until: i64) -> Hmac<Sha256> {
        // A key of its own, so that no token is a signature of an image, whatever its claims are.
        let secret = self.mac(b"media").finalize().into_bytes();
        mac(&secret, format!("{until} {key}").as_bytes())
    }

    fn mac(&self, text: &[u8]) -> Hmac<Sha256> {
        mac(self.0.as_bytes(), text)
    }
}

fn mac(secret: &[u8], text: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(text);
    mac
}

/// Returns the `Content-Disposition` for a download. The name is reduced to ASCII letters, digits, `.`, `-` and `_`.
pub fn content_disposition(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' };
    format!("attachment; filename=\"{}\"", name.chars().map(plain).take(100).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> SignedUrlClaims {
        let (key, name) = ("transfers/1/out.csv".to_owned(), Some("out.csv".to_owned()));
        SignedUrlClaims { usage: UrlUsage::Get, key, name, max_bytes: 0, until: 1_800_000_000 }
    }

    #[test]
    fn token_is_valid_for_its_use_until_it_expires() {
        let signer = UrlSigner::new("a secret of the tests, long enough");
        let url = signer.sign(&claims());
        let token = url.strip_prefix("/files/").unwrap();
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        assert_eq!(signer.verify(token, at(1_800_000_000)), Some(claims()));
        assert_eq!(signer.verify(token, at(1_800_000_001)), None);
        assert_eq!(UrlSigner::new("another secret").verify(token, at(0)), None);
        let (text, signature) = token.split_once('.').unwrap();
        let other = SignedUrlClaims { key: "transfers/2/out.csv".to_owned(), ..claims() };
        let forged = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&other).unwrap());
        for bad in [format!("{forged}.{signature}"), format!("{text}."), text.to_owned(), String::new(), ".".to_owned()]
        {
            assert_eq!(signer.verify(&bad, at(0)), None, "{bad}");
        }
    }

    #[test]
    fn signature_of_an_image_is_valid_for_its_file_until_it_expires() {
        let signer = UrlSigner::new("a secret of the tests, long enough");
        let signature = signer.media_signature("media/ab/160.webp", 1_800_000_000);
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let is_valid = |key, until, signature: &str, now| signer.is_media_signature(key, until, signature, at(now));
        assert!(is_valid("media/ab/160.webp", 1_800_000_000, &signature, 1_800_000_000));
        assert!(!is_valid("media/ab/160.webp", 1_800_000_000, &signature, 1_800_000_001), "expired");
        assert!(!is_valid("media/ab/160.webp", 1_900_000_000, &signature, 0), "another expiry");
        assert!(!is_valid("media/ab/320.webp", 1_800_000_000, &signature, 0), "another file");
        for wrong in ["", "?", &signature[1..]] {
            assert!(!is_valid("media/ab/160.webp", 1_800_000_000, wrong, 0), "{wrong:?}");
        }
        let other = UrlSigner::new("another secret");
        assert!(!other.is_media_signature("media/ab/160.webp", 1_800_000_000, &signature, at(0)));
    }

    #[test]
    fn file_name_cannot_break_out_of_the_header() {
        assert_eq!(content_disposition("pro\"du\r\ncts/é.csv"), "attachment; filename=\"pro_du__cts__.csv\"");
    }
}
