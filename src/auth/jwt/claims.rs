//! The claims of an access token, and their validity in time.
//! Rule: a token is valid until the second of its expiry begins; a token issued in the future is rejected.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Validation};
use serde::{Deserialize, Serialize};

use super::TokenError;
use crate::{
    auth::{AuthMethod, Identity, Permissions},
    ids::{RowId, SessionId, UserId},
};

/// Maximum difference by which the issuing server's clock may be ahead of this server's clock, in seconds.
const CLOCK_SKEW: i64 = 60;

#[derive(Serialize, Deserialize)]
pub(super) struct Claims {
    sub: String,
    sid: String,
    role: String,
    permissions: Vec<String>,
    iss: String,
    aud: String,
    iat: i64,
    exp: i64,
}

/// Returns the validation rules for tokens signed with this algorithm.
pub(super) fn validation(algorithm: Algorithm, issuer: &str, audience: &str) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    validation.leeway = 0;
    validation
}

impl Claims {
    pub(super) fn new(
        identity: &Identity,
        session: SessionId,
        issuer: &str,
        audience: &str,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Self {
        Self {
            sub: identity.user.to_global_id(),
            sid: session.to_global_id(),
            role: identity.role.clone(),
            permissions: identity.permissions.iter().map(|p| p.as_str().to_owned()).collect(),
            iss: issuer.to_owned(),
            aud: audience.to_owned(),
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        }
    }

    /// Returns when the token expires.
    pub(super) fn expires_at(&self) -> Result<DateTime<Utc>, TokenError> {
        DateTime::from_timestamp(self.exp, 0).ok_or(TokenError::Invalid)
    }

    /// Returns the identity, if the times are valid. Signature, issuer and audience have already been verified.
    pub(super) fn into_identity(self, now: DateTime<Utc>) -> Result<Identity, TokenError> {
        if self.exp <= now.timestamp() {
            return Err(TokenError::Expired);
        }
        if self.iat > now.timestamp() + CLOCK_SKEW {
            return Err(TokenError::Invalid);
        }
        Ok(Identity {
            user: UserId::parse("sub", &self.sub).map_err(|_| TokenError::Invalid)?,
            auth_method: AuthMethod::Session(SessionId::parse("sid", &self.sid).map_err(|_| TokenError::Invalid)?),
            role: self.role,
            permissions: Permissions::from_codes(self.permissions.iter().map(String::as_str)),
            websites: None,
        })
    }
}
