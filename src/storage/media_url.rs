//! Signed URLs of files in `media/` whose images are not public.
//! Rule: a URL opens one file until it expires. An object store that signs URLs serves the file itself.

use chrono::{DateTime, Utc};
use object_store::signer::{Method, SignedUrlOptions, Signer};

use super::{Storage, UrlSigning, unavailable};
use crate::error::Result;

/// `Cache-Control` of files that are not public.
pub const PRIVATE: &str = "private, no-store";

impl Storage {
    /// Returns a URL with which anyone can read this file of `media/` until `expires_at`; if it starts with a slash, it is
    /// relative to this server.
    /// # Errors
    /// Returns UNAVAILABLE if the object store cannot sign the URL.
    pub async fn signed_media_url(&self, key: &str, expires_at: DateTime<Utc>) -> Result<String> {
        match &self.0.signing {
            UrlSigning::ObjectStore(store) => {
                // The file is stored with the header of public files.
                let options = SignedUrlOptions::default().with_query([("response-cache-control", PRIVATE.to_owned())]);
                let ttl = (expires_at - Utc::now()).to_std().unwrap_or_default();
                let url = store.signed_url_opts(Method::GET, &self.path(key)?, ttl, &options).await;
                Ok(url.map_err(unavailable)?.to_string())
            }
            UrlSigning::Souk(signer) => {
                let expires = expires_at.timestamp();
                Ok(format!("/{key}?expires={expires}&signature={}", signer.media_signature(key, expires)))
            }
        }
    }

    /// Returns whether these parameters of a URL of souk's own endpoint are those of [`Storage::signed_media_url`] for
    /// this file, and have not expired.
    pub fn is_media_signature(&self, key: &str, expires: i64, signature: &str) -> bool {
        match &self.0.signing {
            UrlSigning::Souk(signer) => signer.is_media_signature(key, expires, signature, Utc::now()),
            UrlSigning::ObjectStore(_) => false,
        }
    }
}
