//! Settings of `souk serve`: those of the server itself, and the groups it uses.

use std::net::SocketAddr;

use clap::Args;

use super::{
    AccountSettings, AnalyticsSettings, AttemptSettings, CacheSettings, CartSettings, ConnectionSettings, FileSettings,
    HttpSettings, LimitSettings, MailSettings, OrderSettings, PaymentSettings, RedisSettings, ReviewSettings,
    TokenSettings,
};

/// Address of the server, for the server itself and for those that look for it.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub struct ListenSettings {
    /// Address to listen on.
    #[arg(long = "listen", env = "SOUK_LISTEN", default_value = "127.0.0.1:8000", value_name = "ADDRESS")]
    pub address: SocketAddr,
}

/// The settings of `souk serve`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub struct ServeSettings {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub listen: ListenSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub tokens: TokenSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub http: HttpSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub connections: ConnectionSettings,

    /// Time for running operations and jobs to finish at shutdown, in milliseconds.
    #[arg(long, env = "SOUK_DRAIN_MS", default_value_t = 20_000, value_name = "MS")]
    pub drain_ms: u64,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub limits: LimitSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub cache: CacheSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub redis: RedisSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub accounts: AccountSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub attempts: AttemptSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub carts: CartSettings,

    #[command(flatten)]
    #[allow(missing_docs)]
    pub orders: OrderSettings,

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
}
