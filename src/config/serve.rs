//! The settings of `souk serve`: those of the server itself, and all the others that it needs.

use std::net::SocketAddr;

use clap::Args;

use super::{
    AccountSettings, AnalyticsSettings, Environment, FileSettings, Limits, MailSettings, PaymentSettings,
    ReviewSettings, SellingSettings, Settings, TokenSettings,
};

/// The settings of `souk serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeSettings {
    /// The address to listen on.
    #[arg(long, env = "SOUK_LISTEN", default_value = "127.0.0.1:8000", value_name = "ADDRESS")]
    pub listen: SocketAddr,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub tokens: TokenSettings,

    /// How many proxies of your own stand in front of the server: so many entries from the end of `X-Forwarded-For` say
    /// where a request came from. With 0 the header is not believed.
    #[arg(long, env = "SOUK_TRUSTED_PROXIES", default_value_t = 0, value_name = "N")]
    pub trusted_proxies: usize,

    /// Largest request body, in bytes.
    #[arg(long, env = "SOUK_BODY_LIMIT", default_value_t = 1024 * 1024, value_name = "BYTES")]
    pub body_limit: usize,

    /// Longest operation, in milliseconds.
    #[arg(long, env = "SOUK_OPERATION_TIMEOUT_MS", default_value_t = 30_000, value_name = "MS")]
    pub operation_timeout_ms: u64,

    /// How long running operations and jobs may take when the server is told to stop, in milliseconds.
    #[arg(long, env = "SOUK_DRAIN_MS", default_value_t = 20_000, value_name = "MS")]
    pub drain_ms: u64,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub limits: Limits,

    /// Whether /graphiql and /playground are served: by default in development only.
    #[arg(long, env = "SOUK_IDE", value_name = "BOOL")]
    pub ide: Option<bool>,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub accounts: AccountSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub selling: SellingSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub reviews: ReviewSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub analytics: AnalyticsSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub mail: MailSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub payments: PaymentSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub files: FileSettings,

    /// Origins that browsers may call from, separated by commas; `*` for any. By default none but the server's own pages.
    #[arg(long, env = "SOUK_CORS_ORIGINS", value_delimiter = ',', value_name = "ORIGINS")]
    pub cors_origins: Vec<String>,
}

impl ServeSettings {
    /// Whether the IDE pages are served.
    pub fn ide(&self, settings: &Settings) -> bool {
        self.ide.unwrap_or(settings.environment == Environment::Development)
    }
}
