//! Access token settings: keys, claims, and the duration of sessions.

use std::{io, path::Path};

use clap::{Args, builder::NonEmptyStringValueParser};

use super::{Settings, secrets::configured_secret};
use crate::auth::{DEFAULT_ISSUER_AND_AUDIENCE, JwtKey, JwtKeys};

/// Settings for access tokens and sessions.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tokens")]
pub struct TokenSettings {
    /// Secret that signs the access tokens, at least 32 characters. Generated and stored in the data directory in
    /// development; required in production unless SOUK_JWT_KEYS is set.
    #[arg(long, env = "SOUK_JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub jwt_secret: Option<String>,

    /// Files with keys for access tokens, separated by commas. The first key signs; all keys verify, and so does
    /// SOUK_JWT_SECRET if it is set. A `.pem` file holds a private key (Ed25519, or RSA with 2048 to 4096 bits;
    /// PKCS#8), any other file a secret of at least 32 characters. The file name without its extension is the key id.
    #[arg(long, env = "SOUK_JWT_KEYS", value_name = "FILES")]
    pub jwt_keys: Option<String>,

    /// Issuer of access tokens (`iss`). Tokens of other issuers are rejected.
    #[arg(long, env = "SOUK_JWT_ISSUER", default_value = DEFAULT_ISSUER_AND_AUDIENCE, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub jwt_issuer: String,

    /// Audience of access tokens (`aud`). Tokens for other audiences are rejected.
    #[arg(long, env = "SOUK_JWT_AUDIENCE", default_value = DEFAULT_ISSUER_AND_AUDIENCE, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub jwt_audience: String,

    /// Lifetime of an access token, in minutes.
    #[arg(long, env = "SOUK_JWT_MINUTES", default_value_t = 60, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub jwt_minutes: u32,

    /// Number of days after which an unused session, and with it the refresh token, expires.
    #[arg(long, env = "SOUK_SESSION_DAYS", default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub session_days: u32,
}

impl TokenSettings {
    /// Returns the keys for access tokens: those in files, then the secret, which signs if there are no files.
    /// # Errors
    /// Returns an error as [`TokenSettings::secret`] does, or if a key file cannot be used.
    pub fn jwt(&self, settings: &Settings) -> io::Result<JwtKeys> {
        let files = self.jwt_keys.iter().flat_map(|files| files.split(',')).map(str::trim);
        let files = files.filter(|file| !file.is_empty()).map(|file| JwtKey::load(Path::new(file)));
        let mut keys: Vec<JwtKey> = files.collect::<Result<_, _>>().map_err(io::Error::other)?;
        if self.jwt_keys.is_some() && keys.is_empty() {
            return Err(io::Error::other(
                "SOUK_JWT_KEYS contains no file name: name at least one file, or leave it unset",
            ));
        }
        keys.extend(self.secret(settings)?.as_deref().map(JwtKey::from_secret));
        let lifetime = chrono::Duration::minutes(i64::from(self.jwt_minutes));
        JwtKeys::with_keys(keys, &self.jwt_issuer, &self.jwt_audience, lifetime).map_err(io::Error::other)
    }

    /// Returns the secret for access tokens. In development it is generated once and stored in the data directory.
    /// Returns none if only key files are configured.
    /// # Errors
    /// Returns an error if production has neither, if it is shorter than 32 characters, or if the file cannot be
    /// written.
    pub fn secret(&self, settings: &Settings) -> io::Result<Option<String>> {
        if self.jwt_secret.is_none() && self.jwt_keys.is_some() {
            return Ok(None);
        }
        let keys = "; or set SOUK_JWT_KEYS";
        configured_secret(settings, "SOUK_JWT_SECRET", self.jwt_secret.as_ref(), "jwt-secret", keys).map(Some)
    }
}
