//! Settings of the HTTP transport.
//! Rule: `http` uses them unchanged; everything else it needs is derived from the environment and the services.

use std::{num::ParseIntError, time::Duration};

use clap::{Args, ValueEnum, builder::RangedU64ValueParser};

use super::{Environment, RateSettings, SubscriptionSettings, UploadSettings};

/// Viewers who may query the schema itself (`__schema`, `__type`, `_service`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Introspection {
    /// Everyone.
    On,
    /// Staff and sellers: users and API keys with at least one permission.
    Staff,
    /// No one.
    Off,
}

/// Settings for HTTP requests.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpSettings {
    /// Number of trusted proxies in front of the server. The client address is taken from this position, counted from
    /// the end of `X-Forwarded-For`; with 0 the header is ignored.
    #[arg(long, env = "SOUK_TRUSTED_PROXIES", default_value_t = 0, value_name = "N")]
    pub trusted_proxies: usize,

    /// URL at which clients reach the server, such as `https://api.shop.example`; the base of the URLs of images and files
    /// that the server serves itself. Default: the scheme and host of each request; with SOUK_TRUSTED_PROXIES, those that
    /// the proxies report in `X-Forwarded-Proto` and `X-Forwarded-Host`.
    #[arg(long, env = "SOUK_PUBLIC_URL", value_name = "URL", value_parser = base_url)]
    pub public_url: Option<String>,

    /// Maximum size of a request body, in bytes.
    #[arg(long, env = "SOUK_BODY_LIMIT", default_value_t = 1024 * 1024, value_name = "BYTES")]
    pub body_limit: usize,

    /// Maximum number of requests in an array (batch). The limits of a document, and the timeout, apply to all of them
    /// together. 1 turns arrays off.
    #[arg(long, env = "SOUK_MAX_BATCH", default_value = "10", value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub max_batch: usize,

    /// Timeout of an operation, in milliseconds.
    #[arg(long = "operation-timeout-ms", env = "SOUK_OPERATION_TIMEOUT_MS", default_value = "30000", value_name = "MS", value_parser = milliseconds)]
    pub timeout: Duration,

    /// Serve /graphiql and /playground. Default: in development only.
    #[arg(long, env = "SOUK_IDE", value_name = "BOOL")]
    pub ide: Option<bool>,

    /// Viewers who may query the schema itself (`__schema`, `__type`, `_service`): everyone, staff and sellers, or no one. Default: `on`
    /// in development, `staff` in production.
    #[arg(long, env = "SOUK_INTROSPECTION", value_name = "WHO")]
    pub introspection: Option<Introspection>,

    /// Origins from which browsers may send requests, separated by commas; `*` allows any. Default: the server's own
    /// pages; in development also those of `localhost`, `127.0.0.1` and `[::1]` on any port.
    #[arg(long, env = "SOUK_CORS_ORIGINS", value_delimiter = ',', value_name = "ORIGINS")]
    pub cors_origins: Vec<String>,

    /// Time for which browsers and content delivery networks may use the response to a GET query without credentials, in
    /// seconds, and as long again while they fetch a new one. With 0 they ask each time, and get a short response if nothing
    /// changed.
    #[arg(long, env = "SOUK_CACHE_MAX_AGE", default_value_t = 0, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(..=31_536_000))]
    pub cache_max_age: u32,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub rates: RateSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub uploads: UploadSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub subscriptions: SubscriptionSettings,
}

impl HttpSettings {
    /// Returns whether the IDE pages are served.
    pub fn has_ide(&self, environment: Environment) -> bool {
        self.ide.unwrap_or(environment == Environment::Development)
    }

    /// Returns who may query the schema itself.
    pub fn introspection(&self, environment: Environment) -> Introspection {
        self.introspection.unwrap_or(match environment {
            Environment::Development => Introspection::On,
            Environment::Production => Introspection::Staff,
        })
    }
}

fn milliseconds(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(Duration::from_millis)
}

/// Parses an absolute base URL; a trailing slash is removed.
/// # Errors
/// If the text is not an `http` or `https` URL with a host, or has a query or a fragment.
pub fn base_url(text: &str) -> Result<String, String> {
    let text = text.trim().trim_end_matches('/');
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let is_valid =
        !host.is_empty() && !host.starts_with('/') && !host.contains(|c: char| c.is_whitespace() || "?#".contains(c));
    is_valid.then(|| text.to_owned()).ok_or_else(|| "must be a URL such as https://api.shop.example".to_owned())
}
