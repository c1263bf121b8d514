//! Every setting, its default and its meaning.
//! Rule: a setting is a flag and an environment variable of one name, and nobody else reads the environment.

mod accounts;
mod analytics;
mod carts;
mod files;
mod http;
mod limits;
mod mail;
mod payments;
mod reviews;
mod secrets;
mod serve;
mod tokens;

use std::{ffi::OsString, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

pub use self::{
    accounts::{AccountSettings, RegistrationMode},
    analytics::AnalyticsSettings,
    carts::CartSettings,
    files::FileSettings,
    http::HttpSettings,
    limits::LimitSettings,
    mail::MailSettings,
    payments::{PaymentCapture, PaymentSettings},
    reviews::ReviewSettings,
    serve::ServeSettings,
    tokens::TokenSettings,
};
use crate::db::DbSettings;

/// What kind of place this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// A developer's machine: IDE pages, SQL counts in answers, a secret made by itself.
    Development,
    /// A shop: nothing of the above unless it is set.
    Production,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// The settings of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "General")]
pub struct Settings {
    /// PostgreSQL 14 or later, as `postgres://user:password@host/database`. Without it souk runs its own server.
    #[arg(long, env = "DATABASE_URL", global = true, hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,

    /// Where souk keeps its own database, and the secret it makes for itself.
    #[arg(long, env = "SOUK_DATA_DIR", global = true, default_value = ".souk", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// The folder of PostgreSQL's programs (`postgres`, `initdb`), where souk does not find them by itself.
    #[arg(long, env = "SOUK_POSTGRES_BIN", global = true, value_name = "DIR")]
    pub postgres_bin: Option<PathBuf>,

    /// What kind of place this is.
    #[arg(long = "env", env = "SOUK_ENV", global = true, default_value = "development", value_name = "ENV")]
    pub environment: Environment,

    /// Which log lines: `error`, `warn`, `info`, `debug`, or a filter such as `info,souk=debug`.
    #[arg(long, env = "SOUK_LOG", global = true, default_value = "info", value_name = "FILTER")]
    pub log: String,

    /// How log lines look.
    #[arg(long, env = "SOUK_LOG_FORMAT", global = true, default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// Shared, pipelined connections for bounded reads, and as many for lists with filters; as many as there are cores by default,
    /// from 2 to 8.
    #[arg(long, env = "SOUK_READ_CONNECTIONS", global = true, value_name = "N")]
    pub read_connections: Option<usize>,

    /// Most connections for transactions.
    #[arg(long, env = "SOUK_POOL_SIZE", global = true, default_value_t = 16, value_name = "N")]
    pub pool_size: usize,

    /// Longest statement of a read, in milliseconds.
    #[arg(long, env = "SOUK_READ_TIMEOUT_MS", global = true, default_value_t = 5_000, value_name = "MS")]
    pub read_timeout_ms: u64,

    /// Longest statement of a transaction, in milliseconds.
    #[arg(long, env = "SOUK_WRITE_TIMEOUT_MS", global = true, default_value_t = 30_000, value_name = "MS")]
    pub write_timeout_ms: u64,
}

impl Settings {
    /// The tuning of the connections.
    pub fn db(&self) -> DbSettings {
        DbSettings {
            read_connections: self.read_connections.unwrap_or_else(DbSettings::default_read_connections),
            read_timeout: Duration::from_millis(self.read_timeout_ms),
            pool_size: self.pool_size,
            write_timeout: Duration::from_millis(self.write_timeout_ms),
            ..DbSettings::default()
        }
    }

    /// The folders where the shell looks for programs.
    pub fn search_path() -> Option<OsString> {
        std::env::var_os("PATH")
    }
}
