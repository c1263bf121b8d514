//! Throttling rules: which attempts are counted, and by what. The settings have their limits.
//! Rule: attempts by strangers never block a user for more than the longest pause of the settings, and not at all on
//! networks that the account was logged in from before, so that nobody can lock another user out.

use std::net::IpAddr;

use chrono::Duration;
use sha2::{Digest, Sha256};

use crate::{config::AttemptSettings, limits::AttemptLimit};

/// A kind of throttled attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptKind {
    /// Login with a password.
    Login,
    /// Confirmation of the password by a logged-in user, counted by the user's id.
    PasswordCheck,
    /// Registration of an account.
    Register,
    /// Request for a password reset email.
    PasswordForgot,
    /// Request for another verification email.
    EmailVerificationResend,
    /// Request for a verification email to a new address.
    EmailChange,
    /// Lookup of an order by its number and email address, counted by the order number.
    OrderLookup,
}

impl AttemptKind {
    /// Returns the rules of these attempts.
    pub fn rules(self, settings: &AttemptSettings) -> Vec<ThrottleRule> {
        use ThrottleScope::{Both, Network, Subject};
        let limits = match self {
            Self::Login => {
                vec![(Both, settings.login), (Network, settings.login_network), (Subject, settings.login_account)]
            }
            Self::PasswordCheck => vec![(Subject, settings.password)],
            Self::Register => vec![(Network, settings.register)],
            Self::PasswordForgot | Self::EmailVerificationResend | Self::EmailChange => {
                vec![(Network, settings.email_network), (Subject, settings.email)]
            }
            Self::OrderLookup => vec![(Network, settings.order_lookup), (Subject, settings.order_lookup)],
        };
        limits.into_iter().map(|(scope, limit)| ThrottleRule { kind: self, scope, limit }).collect()
    }

    /// Returns the time without an attempt after which the counters are reset.
    pub fn reset_after(self, settings: &AttemptSettings) -> Duration {
        match self {
            Self::OrderLookup => settings.order_lookup.max_pause(),
            _ => RESET_AFTER,
        }
    }
}

/// What attempts are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottleScope {
    /// The combination of network and subject.
    Both,
    /// The network, for all subjects.
    Network,
    /// What the attempts are made on, from all networks: an account, or an order number.
    Subject,
}

/// A throttling rule.
#[derive(Debug, Clone, Copy)]
pub struct ThrottleRule {
    /// Kind of attempt.
    pub kind: AttemptKind,
    /// What attempts are counted by.
    pub scope: ThrottleScope,
    /// The limit.
    pub limit: AttemptLimit,
}

/// The longest time after which a counter is reset; see [`AttemptKind::reset_after`].
pub const RESET_AFTER: Duration = Duration::hours(24);

/// How long a network counts as known to an account after a login from it.
pub const KNOWN_NETWORK_PERIOD: Duration = Duration::days(90);

impl ThrottleRule {
    /// Returns the pause after this number of attempts; none while they are free.
    pub fn pause(&self, attempts: i32) -> Option<Duration> {
        match self.kind {
            AttemptKind::OrderLookup => self.limit.fixed_pause(attempts),
            _ => self.limit.doubling_pause(attempts),
        }
    }

    /// Returns the counter for this network and subject; none if the rule counts by one that is missing.
    pub fn counter(self, network: Option<&str>, subject: Option<&str>) -> Option<Counter> {
        Some(Counter { key: counter_key(self.kind, self.scope, network, subject)?, rule: self })
    }
}

/// Returns the key of a counter; none if attempts are counted by something that is missing. It is a hash, so that the table
/// contains no personal data.
pub fn counter_key(
    kind: AttemptKind,
    scope: ThrottleScope,
    network: Option<&str>,
    subject: Option<&str>,
) -> Option<String> {
    let (network, subject) = match scope {
        ThrottleScope::Both => (network?, subject?),
        ThrottleScope::Network => (network?, ""),
        ThrottleScope::Subject => ("", subject?),
    };
    let text = format!("{kind:?}\0{scope:?}\0{network}\0{subject}");
    Some(hex::encode(Sha256::digest(text.as_bytes())))
}

/// A counter that an attempt increments.
#[derive(Debug, Clone)]
pub struct Counter {
    /// Key of its row.
    pub key: String,
    /// Its throttling rule.
    pub rule: ThrottleRule,
}

/// Returns the network that has a single address, as text: an IPv4 address itself, the /64 prefix of an IPv6 address.
/// Narrower than [`crate::auth::network`], because the attempts of neighbors must not block a user.
pub fn single_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [AttemptKind; 7] = [
        AttemptKind::Login,
        AttemptKind::PasswordCheck,
        AttemptKind::Register,
        AttemptKind::PasswordForgot,
        AttemptKind::EmailVerificationResend,
        AttemptKind::EmailChange,
        AttemptKind::OrderLookup,
    ];

    fn rules() -> Vec<ThrottleRule> {
        KINDS.iter().flat_map(|kind| kind.rules(&AttemptSettings::default())).collect()
    }

    #[test]
    fn pauses_double_except_those_of_lookups() {
        for rule in rules() {
            let free = i32::try_from(rule.limit.free_attempts).unwrap();
            assert_eq!(rule.pause(free - 1), None, "{rule:?}");
            let first = if rule.kind == AttemptKind::OrderLookup { 900 } else { 1 };
            assert_eq!(rule.pause(free), Some(Duration::seconds(first)), "{rule:?}");
            assert_eq!(rule.pause(i32::MAX), Some(rule.limit.max_pause()), "{rule:?}");
        }
    }

    #[test]
    fn counters_are_kept_at_least_as_long_as_the_longest_pause() {
        let settings = AttemptSettings::default();
        for rule in rules() {
            let reset_after = rule.kind.reset_after(&settings);
            assert!(rule.limit.max_pause() <= reset_after && reset_after <= RESET_AFTER, "{rule:?}");
        }
        assert_eq!(AttemptKind::OrderLookup.reset_after(&settings), Duration::minutes(15));
    }

    #[test]
    fn a_single_address_is_an_ipv4_address_or_half_of_an_ipv6_one() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ] {
            assert_eq!(single_address(address.parse().unwrap()), expected);
        }
    }

    #[test]
    fn counter_keys_differ_by_kind_and_scope() {
        let (here, ada) = (Some("192.0.2.7"), Some("ada@souk.example"));
        let rules = rules();
        let mut keys: Vec<_> = rules.iter().map(|rule| rule.counter(here, ada).unwrap().key).collect();
        keys.extend(rules[0].counter(here, Some("bob@souk.example")).map(|counter| counter.key));
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), rules.len() + 1);
        let nowhere: Vec<_> =
            rules.iter().filter(|rule| rule.counter(None, ada).is_some()).map(|rule| rule.scope).collect();
        assert!(nowhere.iter().all(|scope| *scope == ThrottleScope::Subject), "{nowhere:?}");
    }
}
