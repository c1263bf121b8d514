//! The settings of the HTTP transport.
//! Rule: `http` takes them as they are; what else it needs follows from the environment and from the services.

use std::{num::ParseIntError, time::Duration};

use clap::Args;

use super::Environment;

/// How requests over HTTP are received.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTP")]
pub struct HttpSettings {
    /// How many proxies of your own stand in front of the server: so many entries from the end of `X-Forwarded-For` say
    /// where a request came from. With 0 the header is not believed.
    #[arg(long, env = "SOUK_TRUSTED_PROXIES", default_value_t = 0, value_name = "N")]
    pub trusted_proxies: usize,

    /// Largest request body, in bytes.
    #[arg(long, env = "SOUK_BODY_LIMIT", default_value_t = 1024 * 1024, value_name = "BYTES")]
    pub body_limit: usize,

    /// Longest operation, in milliseconds.
    #[arg(long = "operation-timeout-ms", env = "SOUK_OPERATION_TIMEOUT_MS", default_value = "30000", value_name = "MS", value_parser = milliseconds)]
    pub timeout: Duration,

    /// Whether /graphiql and /playground are served: by default in development only.
    #[arg(long, env = "SOUK_IDE", value_name = "BOOL")]
    pub ide: Option<bool>,

    /// Origins that browsers may call from, separated by commas; `*` for any. By default none but the server's own pages.
    #[arg(long, env = "SOUK_CORS_ORIGINS", value_delimiter = ',', value_name = "ORIGINS")]
    pub cors_origins: Vec<String>,
}

impl HttpSettings {
    /// Whether the IDE pages are served.
    pub fn has_ide(&self, environment: Environment) -> bool {
        self.ide.unwrap_or(environment == Environment::Development)
    }
}

fn milliseconds(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(Duration::from_millis)
}
