//! The access token: a JWT whose claims identify the user and their session.
//! Rule: a token only names its key (`kid`); the key determines the algorithm. Issuer, audience and times are always
//! verified. The first key signs, all keys verify. A token is verified once: later only its expiry is checked.

mod claims;
mod keys;

use std::{collections::HashSet, sync::Arc};

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Header, Validation, crypto, decode, decode_header, encode, jwk::JwkSet};
use moka::sync::Cache;
use sha2::{Digest, Sha256};

use self::claims::Claims;
pub use self::keys::{JwtKey, JwtKeyError};
use super::{AuthMethod, Identity};
use crate::error::{Error, Result};

/// Default issuer and audience of tokens.
pub const DEFAULT_ISSUER_AND_AUDIENCE: &str = "souk";

/// Maximum number of verified tokens that are remembered.
const MAX_VERIFIED: u64 = 10_000;

/// Signs and verifies access tokens.
#[derive(Clone)]
pub struct JwtKeys {
    keys: Arc<[JwtKey]>,
    /// The validation rules for each key; they differ in the algorithm.
    validations: Arc<[Validation]>,
    issuer: Arc<str>,
    audience: Arc<str>,
    lifetime: Duration,
    /// The user and the expiry of tokens that were verified, by the SHA-256 of the token.
    verified: Cache<[u8; 32], Arc<(Identity, DateTime<Utc>)>>,
}

/// A new access token.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    /// Token for `Authorization: Bearer`.
    pub token: String,
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
}

/// The reason why a token is rejected. The messages reveal nothing beyond what the token's owner can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token has expired.
    #[error("the access token has expired: log in again")]
    Expired,
    /// The token is malformed, unsigned, signed with another key or algorithm, intended for another service, or issued
    /// in the future.
    #[error("the access token is invalid")]
    Invalid,
    /// The session has ended by a logout, by a new password, or by a staff member.
    #[error("the session has ended: log in again")]
    SessionEnded,
}

impl JwtKeys {
    /// Creates keys from a single secret (HS256), with [`DEFAULT_ISSUER_AND_AUDIENCE`] as issuer and audience.
    pub fn new(secret: &str, lifetime: Duration) -> Self {
        Self::build(
            vec![JwtKey::from_secret(secret)],
            DEFAULT_ISSUER_AND_AUDIENCE,
            DEFAULT_ISSUER_AND_AUDIENCE,
            lifetime,
        )
    }

    /// Creates the set of keys; the first one signs. Without keys, no token is issued or accepted.
    /// # Errors
    /// Returns [`JwtKeyError`] if two keys have the same id.
    pub fn with_keys(keys: Vec<JwtKey>, issuer: &str, audience: &str, lifetime: Duration) -> Result<Self, JwtKeyError> {
        let mut seen = HashSet::new();
        match keys.iter().find(|key| !seen.insert(key.id())) {
            Some(key) => Err(JwtKeyError::duplicate_id(key.id())),
            None => Ok(Self::build(keys, issuer, audience, lifetime)),
        }
    }

    fn build(keys: Vec<JwtKey>, issuer: &str, audience: &str, lifetime: Duration) -> Self {
        let validations = keys.iter().map(|key| claims::validation(key.algorithm(), issuer, audience)).collect();
        let verified = Cache::new(MAX_VERIFIED);
        Self { keys: keys.into(), validations, issuer: issuer.into(), audience: audience.into(), lifetime, verified }
    }

    /// Returns the lifetime of an access token.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Returns a key for another purpose, which only those can derive who know the key that signs tokens. It changes with that
    /// key.
    /// # Errors
    /// Returns [`Error::Internal`] if signing fails.
    pub fn derive_key(&self, purpose: &str) -> Result<[u8; 32]> {
        let key = self.keys.first().ok_or_else(|| Error::Internal("no key to derive another from".into()))?;
        // The algorithms are deterministic. A signature of a text that is no token cannot be used as one.
        let signature = crypto::sign(purpose.as_bytes(), key.encoding_key(), key.algorithm())
            .map_err(|error| Error::Internal(format!("deriving a key: {error}")))?;
        Ok(Sha256::digest(signature.as_bytes()).into())
    }

    /// Issues a token for this user and session.
    /// # Errors
    /// Returns [`Error::Internal`] if signing fails.
    pub fn issue(&self, identity: &Identity) -> Result<IssuedToken> {
        let AuthMethod::Session(session) = identity.auth_method else {
            return Err(Error::Internal("cannot issue an access token without a session".into()));
        };
        let now = Utc::now();
        let expires_at = now + self.lifetime;
        let claims = Claims::new(identity, session, &self.issuer, &self.audience, now, expires_at);
        let key = self.keys.first().ok_or_else(|| Error::Internal("no key to sign access tokens".into()))?;
        let header = Header { kid: Some(key.id().to_owned()), ..Header::new(key.algorithm()) };
        let token = encode(&header, &claims, key.encoding_key())
            .map_err(|error| Error::Internal(format!("signing a token: {error}")))?;
        Ok(IssuedToken { token, expires_at })
    }

    /// Returns the user that a token names, with their permissions at the time of issue;
    /// [`PermissionCache::authorize`](super::PermissionCache::authorize) determines what is valid now.
    /// # Errors
    /// Returns [`TokenError`] if the token is rejected.
    pub fn verify(&self, token: &str) -> Result<Identity, TokenError> {
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        if let Some(verified) = self.verified.get(&hash) {
            let (identity, expires_at) = &*verified;
            return if *expires_at > Utc::now() { Ok(identity.clone()) } else { Err(TokenError::Expired) };
        }
        let (identity, expires_at) = self.verify_claims(token)?;
        self.verified.insert(hash, Arc::new((identity.clone(), expires_at)));
        Ok(identity)
    }

    /// Verifies a token that is not remembered.
    fn verify_claims(&self, token: &str) -> Result<(Identity, DateTime<Utc>), TokenError> {
        let header = decode_header(token).map_err(|_| TokenError::Invalid)?;
        // A token with critical headers (`crit`) is rejected, because none is supported; keys embedded in a token are
        // ignored.
        let kid = header.kid.filter(|_| header.crit.is_none()).ok_or(TokenError::Invalid)?;
        let mut known = self.keys.iter().zip(self.validations.iter());
        let (key, validation) = known.find(|(key, _)| key.id() == kid).ok_or(TokenError::Invalid)?;
        let token = decode::<Claims>(token, key.decoding_key(), validation).map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::ExpiredSignature => TokenError::Expired,
            _ => TokenError::Invalid,
        })?;
        let expires_at = token.claims.expires_at()?;
        Ok((token.claims.into_identity(Utc::now())?, expires_at))
    }

    /// Returns the public keys of all key pairs, for services that verify tokens themselves. Secrets are never
    /// included.
    pub fn public_jwks(&self) -> JwkSet {
        JwkSet { keys: self.keys.iter().filter_map(|key| key.public_jwk().cloned()).collect() }
    }
}
