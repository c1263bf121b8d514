//! The settings of access tokens: their keys, their claims, and how long a login lasts.

use std::{io, path::Path};

use clap::{Args, builder::NonEmptyStringValueParser};

use super::{Settings, secrets::configured_secret};
use crate::auth::{DEFAULT_ISSUER_AND_AUDIENCE, JwtKey, JwtKeys};

/// How access tokens are signed, and how long a login lasts.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Tokens")]
pub struct TokenSettings {
    /// Signs the access tokens: at least 32 characters. Made and kept in the data directory in development, required in
    /// production.
    #[arg(long, env = "SOUK_JWT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub jwt_secret: Option<String>,

    /// Files of several keys that sign and check the access tokens, separated by commas: the first signs, all check, and
    /// so does SOUK_JWT_SECRET where it is set. A `.pem` file holds a private key (Ed25519, or RSA from 2048 bits; PKCS#8),
    /// any other file a secret of at least 32 characters. A file's name without its ending is the id of its key.
    #[arg(long, env = "SOUK_JWT_KEYS", value_name = "FILES")]
    pub jwt_keys: Option<String>,

    /// Who makes the access tokens (`iss`); those of others are refused.
    #[arg(long, env = "SOUK_JWT_ISSUER", default_value = DEFAULT_ISSUER_AND_AUDIENCE, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub jwt_issuer: String,

    /// Whom the access tokens are for (`aud`); those for others are refused.
    #[arg(long, env = "SOUK_JWT_AUDIENCE", default_value = DEFAULT_ISSUER_AND_AUDIENCE, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub jwt_audience: String,

    /// Life of an access token, in minutes.
    #[arg(long, env = "SOUK_JWT_MINUTES", default_value_t = 60, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub jwt_minutes: u32,

    /// How long a login lasts without being used, in days: so long a refresh token is good.
    #[arg(long, env = "SOUK_SESSION_DAYS", default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub session_days: u32,
}

impl TokenSettings {
    /// The keys of the access tokens: those of the files, then the secret, which signs where there are no files.
    /// # Errors
    /// Those of [`TokenSettings::secret`], and for key files that are not fit.
    pub fn jwt(&self, settings: &Settings) -> io::Result<JwtKeys> {
        let files = self.jwt_keys.iter().flat_map(|files| files.split(',')).map(str::trim);
        let files = files.filter(|file| !file.is_empty()).map(|file| JwtKey::load(Path::new(file)));
        let mut keys: Vec<JwtKey> = files.collect::<Result<_, _>>().map_err(io::Error::other)?;
        if self.jwt_keys.is_some() && keys.is_empty() {
            return Err(io::Error::other("SOUK_JWT_KEYS names no file: name one at least, or leave it unset"));
        }
        keys.extend(self.secret(settings)?.as_deref().map(JwtKey::from_secret));
        let lifetime = chrono::Duration::minutes(i64::from(self.jwt_minutes));
        JwtKeys::with_keys(keys, &self.jwt_issuer, &self.jwt_audience, lifetime).map_err(io::Error::other)
    }

    /// The secret of the access tokens. In development it is made once and kept in the data directory; none where there
    /// are key files instead.
    /// # Errors
    /// Where production has neither, where it is shorter than 32 characters, or where the file cannot be written.
    pub fn secret(&self, settings: &Settings) -> io::Result<Option<String>> {
        if self.jwt_secret.is_none() && self.jwt_keys.is_some() {
            return Ok(None);
        }
        let keys = "; or set SOUK_JWT_KEYS";
        configured_secret(settings, "SOUK_JWT_SECRET", self.jwt_secret.as_ref(), "jwt-secret", keys).map(Some)
    }
}
