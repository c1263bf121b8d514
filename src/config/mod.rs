//! All settings with their defaults and descriptions.
//! Rule: every setting is a flag and an environment variable, and no other module reads the environment.

mod accounts;
mod analytics;
mod attempts;
mod cache;
mod carts;
mod connections;
mod defaults;
mod files;
mod http;
mod limits;
mod mail;
mod orders;
mod payments;
mod rates;
mod redis;
mod reviews;
mod secrets;
mod serve;
mod subscriptions;
mod tokens;
mod uploads;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, ValueEnum};

pub use self::{
    accounts::{AccountSettings, RegistrationMode},
    analytics::AnalyticsSettings,
    attempts::AttemptSettings,
    cache::CacheSettings,
    carts::CartSettings,
    connections::ConnectionSettings,
    files::{ExportedImageUrls, FileSettings, media_url},
    http::{HttpSettings, Introspection},
    limits::LimitSettings,
    mail::MailSettings,
    orders::OrderSettings,
    payments::{PaymentCapture, PaymentSettings},
    rates::RateSettings,
    redis::RedisSettings,
    reviews::ReviewSettings,
    serve::{ListenSettings, ServeSettings},
    subscriptions::SubscriptionSettings,
    tokens::TokenSettings,
    uploads::UploadSettings,
};
use crate::db::DbSettings;

/// Kind of deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// A developer's machine: IDE pages, SQL counts in responses, generated secrets, requests from pages on localhost.
    Development,
    /// A production shop: none of the above unless configured.
    Production,
}

/// Log format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Human-readable text.
    Text,
    /// JSON, one object per line.
    Json,
}

/// Settings shared by all commands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "General")]
pub struct Settings {
    /// PostgreSQL 14 or later, as `postgres://user:password@host/database`. Default: souk runs its own PostgreSQL
    /// server.
    #[arg(long, env = "DATABASE_URL", global = true, hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,

    /// Directory for souk's own database and generated secrets.
    #[arg(long, env = "SOUK_DATA_DIR", global = true, default_value = ".souk", value_name = "DIR")]
    pub data_dir: PathBuf,

    /// Directory of the PostgreSQL programs (`postgres`, `initdb`). Default: searched in the usual places.
    #[arg(long, env = "SOUK_POSTGRES_BIN", global = true, value_name = "DIR")]
    pub postgres_bin: Option<PathBuf>,

    /// Kind of deployment; production requires explicit secrets.
    #[arg(long = "env", env = "SOUK_ENV", global = true, default_value = "development", value_name = "ENV")]
    pub environment: Environment,

    /// Log level or filter: `error`, `warn`, `info`, `debug`, or a filter such as `info,souk=debug`.
    #[arg(long, env = "SOUK_LOG", global = true, default_value = "info", value_name = "FILTER")]
    pub log: String,

    /// Log format.
    #[arg(long, env = "SOUK_LOG_FORMAT", global = true, default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// Number of shared, pipelined connections for bounded reads. Default: the number of CPU cores, between 2 and 8.
    #[arg(long, env = "SOUK_READ_CONNECTIONS", global = true, value_name = "N")]
    pub read_connections: Option<usize>,

    /// Number of expensive reads that run at a time: searches and filtered lists. Each has a connection, and there are up
    /// to this many for either kind; the reads of all clients wait in turn. Default: twice the number of CPU cores, between 4 and 16.
    #[arg(long, env = "SOUK_EXPENSIVE_READ_CONNECTIONS", global = true, value_name = "N")]
    pub expensive_read_connections: Option<usize>,

    /// Maximum number of connections for transactions.
    #[arg(long, env = "SOUK_POOL_SIZE", global = true, default_value_t = 16, value_name = "N")]
    pub pool_size: usize,

    /// Statement timeout of reads, in milliseconds.
    #[arg(long, env = "SOUK_READ_TIMEOUT_MS", global = true, default_value_t = 5_000, value_name = "MS")]
    pub read_timeout_ms: u64,

    /// Statement timeout of transactions, in milliseconds.
    #[arg(long, env = "SOUK_WRITE_TIMEOUT_MS", global = true, default_value_t = 30_000, value_name = "MS")]
    pub write_timeout_ms: u64,

    /// Maximum time that a transaction waits for a lock of another one, in milliseconds.
    #[arg(long, env = "SOUK_LOCK_TIMEOUT_MS", global = true, default_value_t = 5_000, value_name = "MS")]
    pub lock_timeout_ms: u64,
}

impl Settings {
    /// Returns the database connection settings.
    pub fn db(&self) -> DbSettings {
        DbSettings {
            read_connections: self.read_connections.unwrap_or_else(DbSettings::default_read_connections),
            expensive_read_connections: self
                .expensive_read_connections
                .unwrap_or_else(DbSettings::default_expensive_read_connections),
            read_timeout: Duration::from_millis(self.read_timeout_ms),
            pool_size: self.pool_size,
            write_timeout: Duration::from_millis(self.write_timeout_ms),
            lock_timeout: Duration::from_millis(self.lock_timeout_ms),
            ..DbSettings::default()
        }
    }

    /// Returns the directory for temporary files: `TMPDIR`, or the system's.
    pub fn temporary_directory() -> PathBuf {
        std::env::temp_dir()
    }

    /// Uses this directory for all temporary files of the process.
    pub fn use_temporary_directory(directory: &Path) {
        // Fails only if there is one already, which is that of this process.
        let _ = tempfile::env::override_temp_dir(directory);
    }

    /// Returns the file of this program.
    /// # Errors
    /// Returns the error of the operating system.
    pub fn program() -> std::io::Result<PathBuf> {
        std::env::current_exe()
    }

    /// Returns the directories in which the shell looks for programs.
    pub fn search_path() -> Option<OsString> {
        std::env::var_os("PATH")
    }
}
