//! Rate limits: what each client may use over time, and at the same time.

use std::{net::IpAddr, num::NonZeroUsize, time::Duration};

use clap::{ArgAction, Args};
use ipnet::IpNet;

use crate::{
    ids::{ApiKeyId, RowId},
    limits::{Quota, Quotas},
};

/// The networks that are exempt by default: those of the machine itself.
const EXEMPT: &str = "127.0.0.0/8,::1/128";

/// Settings for the rates of clients. A quota is written as `LIMIT:RATE`: the points of a full bucket, and the points that
/// are restored per second.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rate limits")]
pub struct RateSettings {
    /// Whether clients are limited in what they may use over time, and networks in attempts, reserved carts and unpaid
    /// orders. A point is about 1 ms of processor time of the server and the database together. `false` is for load tests.
    #[arg(long = "rate-limits", env = "SOUK_RATE_LIMITS", default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    pub is_on: bool,

    /// Quota of a network (/24 for IPv4, /64 for IPv6) with anonymous requests.
    #[arg(long = "rate-anonymous", env = "SOUK_RATE_ANONYMOUS", default_value = "1000:100", value_name = "LIMIT:RATE")]
    pub anonymous: Quota,

    /// Quota of a user without permissions.
    #[arg(long = "rate-customer", env = "SOUK_RATE_CUSTOMER", default_value = "1000:100", value_name = "LIMIT:RATE")]
    pub customer: Quota,

    /// Quota of a user with a permission: staff and sellers.
    #[arg(long = "rate-staff", env = "SOUK_RATE_STAFF", default_value = "10000:500", value_name = "LIMIT:RATE")]
    pub staff: Quota,

    /// Quota of an API key.
    #[arg(long = "rate-api-key", env = "SOUK_RATE_API_KEY", default_value = "10000:500", value_name = "LIMIT:RATE")]
    pub api_key: Quota,

    /// Quotas of single API keys, as `ID=LIMIT:RATE`, separated by commas.
    #[arg(long = "rate-single-keys", env = "SOUK_RATE_SINGLE_KEYS", value_delimiter = ',', value_parser = single_key, value_name = "QUOTAS")]
    pub single_keys: Vec<(ApiKeyId, Quota)>,

    /// Networks that send the requests of many clients, such as those of your own front-end servers, separated by commas.
    /// They have no limits of what a client may use over time, and are not counted in the limits of attempts, reserved
    /// carts and unpaid orders. The address is that of the client: see SOUK_TRUSTED_PROXIES.
    #[arg(
        long = "rate-exempt",
        env = "SOUK_RATE_EXEMPT",
        value_delimiter = ',',
        default_value = EXEMPT,
        value_name = "NETWORKS"
    )]
    pub exempt: Vec<IpNet>,

    /// Maximum number of operations that run at the same time; others wait in turn.
    #[arg(long, env = "SOUK_MAX_CONCURRENCY", default_value = "256", value_name = "N")]
    pub max_concurrency: NonZeroUsize,

    /// Maximum number of operations of one client that run at the same time; others wait. Defaults to the number of CPU
    /// cores, at least 2.
    #[arg(long, env = "SOUK_MAX_CONCURRENCY_PER_CLIENT", value_name = "N")]
    pub max_concurrency_per_client: Option<NonZeroUsize>,

    /// Delay of a response that tells a client to slow down (status 429), in milliseconds; 0 for none.
    #[arg(long = "rate-rejection-delay-ms", env = "SOUK_RATE_REJECTION_DELAY_MS", default_value = "1000", value_name = "MS", value_parser = rejection_delay)]
    pub rejection_delay: Duration,
}

impl RateSettings {
    /// Returns settings with limits that no client reaches, for tests. Networks are counted as with the default settings.
    pub fn unlimited() -> Self {
        let quota = Quota { limit: u32::MAX, restore_rate: u32::MAX };
        Self {
            is_on: true,
            anonymous: quota,
            customer: quota,
            staff: quota,
            api_key: quota,
            single_keys: Vec::new(),
            exempt: EXEMPT.split(',').filter_map(|network| network.parse().ok()).collect(),
            max_concurrency: NonZeroUsize::MAX,
            max_concurrency_per_client: Some(NonZeroUsize::MAX),
            rejection_delay: Duration::ZERO,
        }
    }

    /// Returns the number of operations of one client that run at the same time.
    pub fn max_concurrency_per_client(&self) -> NonZeroUsize {
        const LEAST: NonZeroUsize = NonZeroUsize::new(2).unwrap();
        let cores = std::thread::available_parallelism().unwrap_or(LEAST);
        self.max_concurrency_per_client.unwrap_or(cores.max(LEAST))
    }

    /// Returns whether no limit counts what is sent from this address, because many clients share it or limits are off.
    pub fn is_exempt(&self, address: Option<IpAddr>) -> bool {
        !self.is_on || address.is_some_and(|address| self.exempt.iter().any(|network| network.contains(&address)))
    }

    /// Returns the quotas of all clients.
    pub fn quotas(&self) -> Quotas {
        Quotas {
            anonymous: self.anonymous,
            customer: self.customer,
            staff: self.staff,
            key: self.api_key,
            single_keys: self.single_keys.iter().copied().collect(),
        }
    }
}

fn single_key(text: &str) -> Result<(ApiKeyId, Quota), String> {
    let (id, quota) = text.split_once('=').ok_or("must be ID=LIMIT:RATE")?;
    let id = ApiKeyId::parse("id", id.trim()).map_err(|error| error.to_string())?;
    Ok((id, quota.parse()?))
}

/// Longer delays would exceed the time limits of clients and proxies.
const MAX_REJECTION_DELAY_MS: u64 = 10_000;

fn rejection_delay(text: &str) -> Result<Duration, String> {
    let milliseconds = text.parse().ok().filter(|milliseconds| *milliseconds <= MAX_REJECTION_DELAY_MS);
    milliseconds
        .map(Duration::from_millis)
        .ok_or_else(|| format!("must be a number from 0 to {MAX_REJECTION_DELAY_MS}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        rates: RateSettings,
    }

    #[test]
    fn addresses_are_exempt_by_network_or_all_of_them() {
        let parse = |arguments: &[&str]| Command::parse_from([&["souk"][..], arguments].concat()).rates;
        let exempt = |rates: &RateSettings, address: &str| rates.is_exempt(Some(address.parse().unwrap()));
        let front_end = parse(&["--rate-exempt", "10.1.0.0/16,2001:db8::/32"]);
        let off = parse(&["--rate-limits", "false"]);
        for (address, by_default, by_setting) in [
            ("127.0.0.1", true, false),
            ("::1", true, false),
            ("10.1.2.3", false, true),
            ("10.2.2.3", false, false),
            ("2001:db8::1", false, true),
            ("192.0.2.1", false, false),
        ] {
            assert_eq!(exempt(&parse(&[]), address), by_default, "{address}");
            assert_eq!(exempt(&RateSettings::unlimited(), address), by_default, "{address}");
            assert_eq!(exempt(&front_end, address), by_setting, "{address}");
            assert!(exempt(&off, address), "{address}");
        }
        assert!(!parse(&[]).is_exempt(None));
        assert!(Command::try_parse_from(["souk", "--rate-exempt", "10.0.0.0/33"]).is_err());
    }

    #[test]
    fn quotas_of_single_keys_name_the_key() {
        let id = ApiKeyId(7).to_global_id();
        let arguments = ["souk", "--rate-single-keys", &format!("{id}=5:1"), "--rate-limits", "false"];
        let rates = Command::parse_from(arguments).rates;
        assert_eq!(rates.quotas().single_keys[&ApiKeyId(7)], Quota { limit: 5, restore_rate: 1 });
        assert!(!rates.is_on);
        assert_eq!(rates.rejection_delay, Duration::from_secs(1));
        for wrong in ["7=5:1", "5:1", &format!("{id}=5")] {
            assert!(Command::try_parse_from(["souk", "--rate-single-keys", wrong]).is_err(), "{wrong}");
        }
        for wrong in ["10001", "-1", "1s"] {
            assert!(Command::try_parse_from(["souk", "--rate-rejection-delay-ms", wrong]).is_err(), "{wrong}");
        }
    }
}
