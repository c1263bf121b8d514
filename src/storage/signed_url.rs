//! Signed tokens of souk's own door to private files: what may be done with which key, until when.
//! Rule: HMAC-SHA256 over all of it; nothing of a token is believed before its signature is found good.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UrlUsage {
    /// To read the file.
    Get,
    /// To write it, once.
    Put,
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedUrlClaims {
    /// What may be done.
    pub usage: UrlUsage,
    /// With which file.
    pub key: String,
    /// The file's name for whoever reads it.
    pub name: Option<String>,
    /// Most bytes that are taken.
    #[serde(rename = "most")]
    pub max_bytes: u64,
    /// The last second, since 1970.
    pub until: i64,
}

/// Makes and checks tokens.
pub struct UrlSigner(String);

impl UrlSigner {
    /// With this secret.
    pub fn new(secret: &str) -> Self {
        Self(secret.to_owned())
    }

    /// The path of souk's own door with a token for this.
    pub fn sign(&self, claims: &SignedUrlClaims) -> String {
        let text = serde_json::to_vec(claims).expect("a struct of texts and numbers is JSON");
        let signature = self.mac(&text).finalize().into_bytes();
        format!("/files/{}.{}", URL_SAFE_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(signature))
    }

    /// What a token says; none where it is not souk's, or its time is over.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<SignedUrlClaims> {
        let (text, signature) = token.split_once('.')?;
        let (text, signature) = (URL_SAFE_NO_PAD.decode(text).ok()?, URL_SAFE_NO_PAD.decode(signature).ok()?);
        // Takes the same time wherever the first difference is.
        self.mac(&text).verify_slice(&signature).ok()?;
        let claims: SignedUrlClaims = serde_json::from_slice(&text).ok()?;
        (now.timestamp() <= claims.until).then_some(claims)
    }

    fn mac(&self, text: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).expect("HMAC takes keys of any length");
        mac.update(text);
        mac
    }
}

/// `Content-Disposition` of a download of this name, reduced to letters, digits, `.`, `-` and `_`.
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
    fn a_token_is_good_for_what_it_says_until_its_time_is_over() {
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
    fn a_name_cannot_leave_its_header() {
        assert_eq!(content_disposition("pro\"du\r\ncts/é.csv"), "attachment; filename=\"pro_du__cts__.csv\"");
    }
}
