//! Settings of subscriptions: connections that stay open, by WebSocket or as streamed responses.

use std::time::Duration;

use clap::{Args, builder::RangedU64ValueParser};

use super::connections::positive_milliseconds;

/// Settings for subscriptions.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Subscriptions")]
pub struct SubscriptionSettings {
    /// Maximum number of WebSocket connections and streamed responses of the server. They count as connections of the server, too.
    #[arg(long = "subscription-connections", env = "SOUK_SUBSCRIPTION_CONNECTIONS", default_value = "2048", value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub max_subscription_connections: usize,

    /// Maximum number of WebSocket connections and streamed responses of one client: an API key, a user, or a network.
    #[arg(long = "subscription-connections-per-client", env = "SOUK_SUBSCRIPTION_CONNECTIONS_PER_CLIENT", default_value = "100", value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub connections_per_client: usize,

    /// Maximum number of operations that run at the same time on a WebSocket connection.
    #[arg(long = "subscriptions-per-connection", env = "SOUK_SUBSCRIPTIONS_PER_CONNECTION", default_value = "50", value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..=10_000))]
    pub operations_per_connection: usize,

    /// Time after which a WebSocket connection without operations is closed, in milliseconds.
    #[arg(long = "subscription-idle-ms", env = "SOUK_SUBSCRIPTION_IDLE_MS", default_value = "60000", value_name = "MS", value_parser = positive_milliseconds)]
    pub idle_limit: Duration,

    /// Interval at which the server sends a ping, in milliseconds. A WebSocket client that has not sent anything in two
    /// intervals is disconnected.
    #[arg(long = "subscription-ping-ms", env = "SOUK_SUBSCRIPTION_PING_MS", default_value = "25000", value_name = "MS", value_parser = positive_milliseconds)]
    pub ping_interval: Duration,

    /// Maximum time that a connection stays open, in milliseconds. Clients connect again and resume.
    #[arg(long = "subscription-lifetime-ms", env = "SOUK_SUBSCRIPTION_LIFETIME_MS", default_value = "14400000", value_name = "MS", value_parser = positive_milliseconds)]
    pub max_lifetime: Duration,
}
