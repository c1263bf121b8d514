//! The access token: a JWT whose claims say who its bearer is.
//! Rule: the key says the algorithm and the token only which key (`kid`), never how; issuer, audience and times are
//! always checked. The first key signs, all of them check.

mod claims;
mod keys;

use std::{collections::HashSet, sync::Arc};

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Header, Validation, decode, decode_header, encode, jwk::JwkSet};

use self::claims::Claims;
pub use self::keys::{JwtKey, JwtKeyError};
use super::{AuthMethod, Identity};
use crate::error::{Error, Result};

/// The issuer and the audience of tokens where the settings name no other.
pub const DEFAULT_ISSUER_AND_AUDIENCE: &str = "souk";

/// Signs and checks access tokens.
#[derive(Clone)]
pub struct JwtKeys {
    keys: Arc<[JwtKey]>,
    /// For each key; they differ in the algorithm.
    validations: Arc<[Validation]>,
    issuer: Arc<str>,
    audience: Arc<str>,
    lifetime: Duration,
}

/// A new access token.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    /// The token, for `Authorization: Bearer`.
    pub token: String,
    /// From then on it is refused.
    pub expires_at: DateTime<Utc>,
}

/// Why a token is refused. The texts say no more than its owner can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Its time is over.
    #[error("the access token has expired: log in again")]
    Expired,
    /// Malformed, unsigned, signed with another key or algorithm, made for another service or for later.
    #[error("the access token is not valid")]
    Invalid,
    /// Its session has ended: by a logout, a new password, or staff.
    #[error("the session has ended: log in again")]
    SessionEnded,
}

impl JwtKeys {
    /// One secret for everything (HS256), with [`DEFAULT_ISSUER_AND_AUDIENCE`] as issuer and audience.
    pub fn new(secret: &str, lifetime: Duration) -> Self {
        Self::build(
            vec![JwtKey::from_secret(secret)],
            DEFAULT_ISSUER_AND_AUDIENCE,
            DEFAULT_ISSUER_AND_AUDIENCE,
            lifetime,
        )
    }

    /// Several keys, of which the first signs. Without any it neither signs nor believes.
    /// # Errors
    /// [`JwtKeyError`] where two have the same id.
    pub fn with_keys(keys: Vec<JwtKey>, issuer: &str, audience: &str, lifetime: Duration) -> Result<Self, JwtKeyError> {
        let mut seen = HashSet::new();
        match keys.iter().find(|key| !seen.insert(key.id())) {
            Some(key) => Err(JwtKeyError::duplicate_id(key.id())),
            None => Ok(Self::build(keys, issuer, audience, lifetime)),
        }
    }

    fn build(keys: Vec<JwtKey>, issuer: &str, audience: &str, lifetime: Duration) -> Self {
        let validations = keys.iter().map(|key| claims::validation(key.algorithm(), issuer, audience)).collect();
        Self { keys: keys.into(), validations, issuer: issuer.into(), audience: audience.into(), lifetime }
    }

    /// Life of an access token.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A token for this user and session.
    /// # Errors
    /// [`Error::Internal`] where signing fails.
    pub fn issue(&self, identity: &Identity) -> Result<IssuedToken> {
        let AuthMethod::Session(session) = identity.auth_method else {
            return Err(Error::Internal("an access token without a session".into()));
        };
        let now = Utc::now();
        let expires_at = now + self.lifetime;
        let claims = Claims::new(identity, session, &self.issuer, &self.audience, now, expires_at);
        let key = self.keys.first().ok_or_else(|| Error::Internal("there is no key to sign with".into()))?;
        let header = Header { kid: Some(key.id().to_owned()), ..Header::new(key.algorithm()) };
        let token = encode(&header, &claims, key.encoding_key())
            .map_err(|error| Error::Internal(format!("signing a token: {error}")))?;
        Ok(IssuedToken { token, expires_at })
    }

    /// Whom a token names, and what it gave them when it was made; [`PermissionCache::authorize`](super::PermissionCache::authorize) says what holds now.
    /// # Errors
    /// [`TokenError`] where it is refused.
    pub fn verify(&self, token: &str) -> Result<Identity, TokenError> {
        let header = decode_header(token).map_err(|_| TokenError::Invalid)?;
        // What a token calls critical must be understood, and nothing is; keys that it brings along are not looked at.
        let kid = header.kid.filter(|_| header.crit.is_none()).ok_or(TokenError::Invalid)?;
        let mut known = self.keys.iter().zip(self.validations.iter());
        let (key, validation) = known.find(|(key, _)| key.id() == kid).ok_or(TokenError::Invalid)?;
        let token = decode::<Claims>(token, key.decoding_key(), validation).map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::ExpiredSignature => TokenError::Expired,
            _ => TokenError::Invalid,
        })?;
        token.claims.into_identity(Utc::now())
    }

    /// The public halves of the key pairs, for those who check tokens themselves. Never a secret.
    pub fn public_jwks(&self) -> JwkSet {
        JwkSet { keys: self.keys.iter().filter_map(|key| key.public_jwk().cloned()).collect() }
    }
}
