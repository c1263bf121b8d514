//! Settings of the HTTP transport.
//! Rule: `http` uses them unchanged; everything else it needs is derived from the environment and the services.

use std::{num::ParseIntError, time::Duration};

use clap::Args;

use super::Environment;

/// Settings for HTTP requests.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpSettings {
    /// Number of trusted proxies in front of the server. The client address is taken from this position, counted from
    /// the end of `X-Forwarded-For`; with 0 the header is ignored.
    #[arg(long, env = "SOUK_TRUSTED_PROXIES", default_value_t = 0, value_name = "N")]
    pub trusted_proxies: usize,

    /// Maximum size of a request body, in bytes.
    #[arg(long, env = "SOUK_BODY_LIMIT", default_value_t = 1024 * 1024, value_name = "BYTES")]
    pub body_limit: usize,

    /// Timeout of an operation, in milliseconds.
    #[arg(long = "operation-timeout-ms", env = "SOUK_OPERATION_TIMEOUT_MS", default_value = "30000", value_name = "MS", value_parser = milliseconds)]
    pub timeout: Duration,

    /// Serve /graphiql and /playground. Default: in development only.
    #[arg(long, env = "SOUK_IDE", value_name = "BOOL")]
    pub ide: Option<bool>,

    /// Origins from which browsers may send requests, separated by commas; `*` allows any. Default: only the server's
    /// own pages.
    #[arg(long, env = "SOUK_CORS_ORIGINS", value_delimiter = ',', value_name = "ORIGINS")]
    pub cors_origins: Vec<String>,
}

impl HttpSettings {
    /// Returns whether the IDE pages are served.
    pub fn has_ide(&self, environment: Environment) -> bool {
        self.ide.unwrap_or(environment == Environment::Development)
    }
}

fn milliseconds(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(Duration::from_millis)
}
