//! How the capacity of the server is divided among clients: who a client is, how much it may use over time, in which order
//! work waits for a free place, how many bytes it may hold, and how often a client may try again.
//! Rule: a client is an API key, else a user, else a network. Work without a client, such as jobs, is the server's own and
//! has no share of its own to exceed.

mod attempts;
mod bucket;
mod byte_counts;
mod exchange;
mod fair_queue;
mod rate;

use std::{fmt, net::IpAddr};

pub use self::{
    attempts::AttemptLimit,
    bucket::{Exceeded, Quota},
    byte_counts::{ByteCounts, ByteLimits, BytesFull, ReservedBytes},
    fair_queue::{FairQueue, Place, QueueFull, QueueLimits},
    rate::{Allowance, Quotas, RateLimiter},
};
use crate::ids::{ApiKeyId, UserId};

tokio::task_local! {
    static CURRENT: Client;
}

/// What clients are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientKey {
    /// The server itself: jobs, commands.
    Server,
    /// Anonymous requests from a network: a /24 prefix for IPv4, a /64 prefix for IPv6; none if the address is unknown.
    Network(Option<IpAddr>),
    /// A user who is logged in, on all devices.
    User(UserId),
    /// An API key.
    ApiKey(ApiKeyId),
}

/// Class of a client, which determines its quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientClass {
    /// A network whose requests are anonymous.
    Anonymous,
    /// A user without permissions.
    Customer,
    /// A user with a permission.
    Staff,
    /// An API key.
    ApiKey,
}

impl fmt::Display for ClientClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "anonymous",
            Self::Customer => "customer",
            Self::Staff => "staff",
            Self::ApiKey => "key",
        })
    }
}

/// The client of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// What the client is counted by.
    pub key: ClientKey,
    /// Class of the client.
    pub class: ClientClass,
    /// Whether no limit applies to the client: it is the server itself, or its network is exempt.
    pub is_exempt: bool,
}

impl Client {
    /// The server itself.
    pub const SERVER: Self = Self { key: ClientKey::Server, class: ClientClass::Staff, is_exempt: true };

    /// Runs a future on behalf of this client. Spawned tasks do not inherit it, see [`Client::current`].
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// Returns the client of the current task; the server itself outside of requests.
    pub fn current() -> Self {
        CURRENT.try_with(|client| *client).unwrap_or(Self::SERVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_outside_of_requests_is_the_servers_own() {
        assert_eq!(Client::current(), Client::SERVER);
        let guest = Client { key: ClientKey::Network(None), class: ClientClass::Anonymous, is_exempt: false };
        assert_eq!(guest.scope(async { Client::current() }).await, guest);
    }
}
