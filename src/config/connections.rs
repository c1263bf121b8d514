//! Settings for the connections of clients: how many there may be, and how long the server waits for one.

use std::time::Duration;

use clap::{Args, builder::RangedU64ValueParser};

/// Settings for connections.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Connections")]
pub struct ConnectionSettings {
    /// Maximum number of open connections; further ones wait until one is closed. Reduced if the process may not open as
    /// many files.
    #[arg(long, env = "SOUK_MAX_CONNECTIONS", default_value = "4096", value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub max_connections: usize,

    /// Maximum number of open connections of one IPv4 address or IPv6 network (/64); further ones are closed. Not applied
    /// with SOUK_TRUSTED_PROXIES, because all connections are then those of the proxies.
    #[arg(long, env = "SOUK_MAX_CONNECTIONS_PER_ADDRESS", default_value = "256", value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub max_connections_per_address: usize,

    /// Time for a client to send the headers of a request, in milliseconds. The connection is closed after it, at the latest
    /// after twice that time.
    #[arg(long = "header-timeout-ms", env = "SOUK_HEADER_TIMEOUT_MS", default_value = "15000", value_name = "MS", value_parser = positive_milliseconds)]
    pub header_timeout: Duration,

    /// Time that a connection stays open between two requests, in milliseconds. Longer than that of the proxy in front of
    /// the server.
    #[arg(long = "idle-timeout-ms", env = "SOUK_IDLE_TIMEOUT_MS", default_value = "75000", value_name = "MS", value_parser = positive_milliseconds)]
    pub idle_timeout: Duration,

    /// Time that the server waits for the next part of a request's body, or for the client to receive the next part of a
    /// response, in milliseconds. In addition, a client has to send or receive 1,024 bytes per second on average.
    #[arg(long = "stall-timeout-ms", env = "SOUK_STALL_TIMEOUT_MS", default_value = "20000", value_name = "MS", value_parser = positive_milliseconds)]
    pub stall_timeout: Duration,
}

/// Parses a number of milliseconds.
/// # Errors
/// If the text is not a positive number.
pub(super) fn positive_milliseconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(0) => Err("must be at least 1".to_owned()),
        Ok(milliseconds) => Ok(Duration::from_millis(milliseconds)),
        Err(error) => Err(format!("must be a number of milliseconds: {error}")),
    }
}
