//! The access token: a JWT whose claims become the [`Viewer`].
//! Rule: the algorithm is the key's, never the token's; issuer, audience and expiry are always checked.

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Identity, Permissions, Via};
use crate::{
    error::{Error, Result},
    ids::{RowId, SessionId, UserId},
};

const ISSUER: &str = "souk";

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    sid: String,
    role: String,
    permissions: Vec<String>,
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
}

/// Signs and checks access tokens.
#[derive(Clone)]
pub struct JwtKeys {
    kid: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    lifetime: Duration,
}

/// A new access token.
#[derive(Debug, Clone)]
pub struct Issued {
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
    /// Malformed, unsigned, signed with another key or algorithm, or made for another service.
    #[error("the access token is not valid")]
    Invalid,
    /// Its session has ended: by a logout, a new password, or staff.
    #[error("the session has ended: log in again")]
    Ended,
}

impl JwtKeys {
    /// Life of an access token.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Keys from the secret (HS256).
    pub fn new(secret: &str, lifetime: Duration) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = 0;
        let digest = Sha256::digest(secret.as_bytes());
        Self {
            kid: digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect(),
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
            validation,
            lifetime,
        }
    }

    /// A token for this user and session.
    /// # Errors
    /// [`Error::Internal`] where signing fails.
    pub fn issue(&self, identity: &Identity) -> Result<Issued> {
        let Via::Session(session) = identity.via else {
            return Err(Error::Internal("an access token without a session".into()));
        };
        let now = Utc::now();
        let expires_at = now + self.lifetime;
        let claims = Claims {
            sub: identity.user.global(),
            sid: session.global(),
            role: identity.role.clone(),
            permissions: identity.permissions.iter().map(|p| p.as_str().to_owned()).collect(),
            iss: ISSUER.into(),
            aud: ISSUER.into(),
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        let header = Header { kid: Some(self.kid.clone()), ..Header::new(Algorithm::HS256) };
        let token = encode(&header, &claims, &self.encoding)
            .map_err(|error| Error::Internal(format!("signing a token: {error}")))?;
        Ok(Issued { token, expires_at })
    }

    /// Whom a token names, and what it gave them when it was made; [`Live::admit`](super::Live::admit) says what holds now.
    /// # Errors
    /// [`TokenError`] where it is refused.
    pub fn identity(&self, token: &str) -> Result<Identity, TokenError> {
        let header = decode_header(token).map_err(|_| TokenError::Invalid)?;
        if header.kid.as_deref() != Some(&self.kid) {
            return Err(TokenError::Invalid);
        }
        let claims = decode::<Claims>(token, &self.decoding, &self.validation)
            .map_err(|error| match error.kind() {
                jsonwebtoken::errors::ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Invalid,
            })?
            .claims;
        Ok(Identity {
            user: UserId::parse("sub", &claims.sub).map_err(|_| TokenError::Invalid)?,
            via: Via::Session(SessionId::parse("sid", &claims.sid).map_err(|_| TokenError::Invalid)?),
            role: claims.role,
            permissions: Permissions::from_codes(claims.permissions.iter().map(String::as_str)),
            websites: None,
        })
    }
}
