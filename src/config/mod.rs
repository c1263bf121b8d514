//! Every setting, its default and its meaning.
//! Rule: a setting is a flag and an environment variable of one name, and nobody else reads the environment.

mod analytics;
mod files;
mod reviews;
mod secrets;
mod selling;

use std::{
    ffi::OsString,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{ArgAction, Args, ValueEnum, builder::NonEmptyStringValueParser};

use self::secrets::secret;
pub use self::{analytics::AnalyticsSettings, files::FileSettings, reviews::ReviewSettings, selling::SellingSettings};
use crate::{
    auth::{JwtKeys, Key, SOUK},
    db::DbSettings,
};

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

/// What somebody learns who registers with an address that has an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Registration {
    /// That it is taken.
    #[default]
    Open,
    /// Nothing: every registration is answered the same, and the rest is told by mail. Nobody can log in before their address
    /// is confirmed.
    Private,
}

/// When authorised money is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum PaymentCapture {
    /// When staff say so.
    #[default]
    ByHand,
    /// By itself, at once; but never what people have to see first, as cash and transfers.
    AtOnce,
}

/// The settings of every command.
#[derive(Debug, Clone, Args)]
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

/// The settings of `souk serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeSettings {
    /// The address to listen on.
    #[arg(long, env = "SOUK_LISTEN", default_value = "127.0.0.1:8000", value_name = "ADDRESS")]
    pub listen: SocketAddr,

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
    #[arg(long, env = "SOUK_JWT_ISSUER", default_value = SOUK, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub jwt_issuer: String,

    /// Whom the access tokens are for (`aud`); those for others are refused.
    #[arg(long, env = "SOUK_JWT_AUDIENCE", default_value = SOUK, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub jwt_audience: String,

    /// Life of an access token, in minutes.
    #[arg(long, env = "SOUK_JWT_MINUTES", default_value_t = 60, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub jwt_minutes: u32,

    /// How long a login lasts without being used, in days: so long a refresh token is good.
    #[arg(long, env = "SOUK_SESSION_DAYS", default_value_t = 30, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub session_days: u32,

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

/// How people get accounts, and who may log in.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct AccountSettings {
    /// What somebody learns who registers with an address that has an account.
    #[arg(long, env = "SOUK_REGISTRATION", default_value = "open", value_name = "MODE")]
    pub registration: Registration,

    /// Whether nobody can log in whose e-mail address is not confirmed: with the right password they are told so.
    #[arg(long, env = "SOUK_LOGIN_NEEDS_VERIFICATION", default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    pub login_needs_verification: bool,
}

/// How orders are paid.
#[derive(Debug, Clone, Args)]
pub struct PaymentSettings {
    /// Who moves money, separated by commas: `manual` (cash on delivery, bank transfer), `test` (moves none). By default
    /// both in development, `manual` in production.
    #[arg(long, env = "SOUK_PAYMENT_PROVIDERS", value_name = "NAMES")]
    pub payment_providers: Option<String>,

    /// Signs the webhooks of the test provider: at least 32 characters. Made and kept in the data directory in development,
    /// required in production where that provider is on.
    #[arg(long, env = "SOUK_TEST_PAYMENT_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub test_payment_secret: Option<String>,

    /// When authorised money is taken.
    #[arg(long, env = "SOUK_PAYMENT_CAPTURE", default_value = "by_hand", value_name = "WHEN")]
    pub payment_capture: PaymentCapture,
}

/// How mail leaves, and what it says.
#[derive(Debug, Clone, Args)]
pub struct MailSettings {
    /// The server that takes mail: `smtp://user:password@host:587?tls=required` (STARTTLS), or `smtps://user:password@host:465`
    /// (TLS from the first byte). Without it mail goes to the log and to a folder in development, and waits in production.
    #[arg(long, env = "SOUK_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<String>,

    /// Who mail is from, as `Shop <noreply@shop.example>`, or the address alone: the shop's name is added then. Required with
    /// SOUK_SMTP_URL.
    #[arg(long, env = "SOUK_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,

    /// A folder of templates that replace souk's own: `verify_email.html`, or `<website code>/verify_email.html` for one
    /// website.
    #[arg(long, env = "SOUK_MAIL_TEMPLATES", value_name = "DIR")]
    pub mail_templates: Option<PathBuf>,

    /// The shop's name in mail that belongs to no website.
    #[arg(long, env = "SOUK_SHOP_NAME", default_value = "Souk", value_name = "NAME")]
    pub shop_name: String,

    /// Where links in mail lead that belongs to no website.
    #[arg(long, env = "SOUK_SHOP_URL", default_value = "http://127.0.0.1:8000", value_name = "URL")]
    pub shop_url: String,
}

/// How large a document may be.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Deepest nesting of fields.
    #[arg(long, env = "SOUK_MAX_DEPTH", default_value_t = 15, value_name = "N")]
    pub max_depth: usize,

    /// Most fields a document may resolve, where `first` multiplies what is below a list.
    #[arg(long, env = "SOUK_MAX_COMPLEXITY", default_value_t = 20_000, value_name = "N")]
    pub max_complexity: usize,

    /// Most aliases in a document.
    #[arg(long, env = "SOUK_MAX_ALIASES", default_value_t = 30, value_name = "N")]
    pub max_aliases: usize,

    /// Most fields at the root of an operation.
    #[arg(long, env = "SOUK_MAX_ROOT_FIELDS", default_value_t = 20, value_name = "N")]
    pub max_root_fields: usize,

    /// Longest document, in bytes.
    #[arg(long, env = "SOUK_MAX_DOCUMENT", default_value_t = 64 * 1024, value_name = "BYTES")]
    pub max_document: usize,

    /// How many documents are kept parsed and checked.
    #[arg(long, env = "SOUK_DOCUMENT_CACHE", default_value_t = 1_000, value_name = "N")]
    pub document_cache: u64,
}

impl Settings {
    /// The tuning of the connections.
    pub fn db(&self) -> DbSettings {
        DbSettings {
            read_connections: self.read_connections.unwrap_or_else(DbSettings::read_connections_for_this_machine),
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

impl ServeSettings {
    /// The keys of the access tokens: those of the files, then the secret, which signs where there are no files.
    /// # Errors
    /// Those of [`ServeSettings::secret`], and for key files that are not fit.
    pub fn jwt(&self, settings: &Settings) -> io::Result<JwtKeys> {
        let files = self.jwt_keys.iter().flat_map(|files| files.split(',')).map(str::trim);
        let files = files.filter(|file| !file.is_empty()).map(|file| Key::load(Path::new(file)));
        let mut keys: Vec<Key> = files.collect::<Result<_, _>>().map_err(io::Error::other)?;
        if self.jwt_keys.is_some() && keys.is_empty() {
            return Err(io::Error::other("SOUK_JWT_KEYS names no file: name one at least, or leave it unset"));
        }
        keys.extend(self.secret(settings)?.as_deref().map(Key::secret));
        let lifetime = chrono::Duration::minutes(i64::from(self.jwt_minutes));
        JwtKeys::several(keys, &self.jwt_issuer, &self.jwt_audience, lifetime).map_err(io::Error::other)
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
        secret(settings, "SOUK_JWT_SECRET", self.jwt_secret.as_ref(), "jwt-secret", keys).map(Some)
    }

    /// Whether the IDE pages are served.
    pub fn ide(&self, settings: &Settings) -> bool {
        self.ide.unwrap_or(settings.environment == Environment::Development)
    }
}

impl PaymentSettings {
    /// The names of the providers.
    pub fn names(&self, settings: &Settings) -> Vec<String> {
        let usual = if settings.environment == Environment::Production { "manual" } else { "manual,test" };
        let names = self.payment_providers.as_deref().unwrap_or(usual).split(',');
        names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    }

    /// The secret of the test provider; none where it is off.
    /// # Errors
    /// Where production has none, where it is shorter than 32 characters, or where the file cannot be written.
    pub fn test_secret(&self, settings: &Settings) -> io::Result<Option<String>> {
        if !self.names(settings).iter().any(|name| name == "test") {
            return Ok(None);
        }
        let given = self.test_payment_secret.as_ref();
        secret(settings, "SOUK_TEST_PAYMENT_SECRET", given, "test-payment-secret", "").map(Some)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_depth: 15,
            max_complexity: 20_000,
            max_aliases: 30,
            max_root_fields: 20,
            max_document: 64 * 1024,
            document_cache: 1_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        serve: ServeSettings,
    }

    #[test]
    fn the_flags_and_the_default_agree() {
        let parsed = Command::parse_from(["souk"]).serve.limits;
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Limits::default()));
    }
}
