//! Throttling rules: which attempts are counted, by what, and their limits.
//! Rule: the first attempts are free; each further attempt is followed by a pause that doubles up to a maximum, from one
//! second for most kinds of attempts.

use std::net::IpAddr;

use chrono::Duration;
use sha2::{Digest, Sha256};

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
    /// Returns the time without an attempt after which the counters are reset.
    pub fn reset_after(self) -> Duration {
        match self {
            Self::OrderLookup => Duration::seconds(LOOKUP_PERIOD_SECONDS),
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
#[derive(Debug)]
pub struct ThrottleRule {
    /// Kind of attempt.
    pub kind: AttemptKind,
    /// What attempts are counted by.
    pub scope: ThrottleScope,
    /// Attempts before the first pause.
    pub free_attempts: i32,
    /// First pause, in seconds.
    pub first_pause_seconds: i64,
    /// Maximum pause, in seconds.
    pub max_pause_seconds: i64,
}

const MINUTE: i64 = 60;

/// How long lookups of orders are blocked after too many failed ones.
const LOOKUP_PERIOD_SECONDS: i64 = 15 * MINUTE;

/// The throttling rules. Attempts by strangers block an account for at most a minute, and not at all on networks that
/// it was logged in from before, so that nobody can lock another user out.
pub const RULES: &[ThrottleRule] = &[
    rule(AttemptKind::Login, ThrottleScope::Both, 5, 15 * MINUTE),
    rule(AttemptKind::Login, ThrottleScope::Network, 100, 15 * MINUTE),
    rule(AttemptKind::Login, ThrottleScope::Subject, 50, MINUTE),
    rule(AttemptKind::PasswordCheck, ThrottleScope::Subject, 10, 15 * MINUTE),
    rule(AttemptKind::Register, ThrottleScope::Network, 30, 15 * MINUTE),
    rule(AttemptKind::PasswordForgot, ThrottleScope::Network, 30, 15 * MINUTE),
    rule(AttemptKind::PasswordForgot, ThrottleScope::Subject, 5, 15 * MINUTE),
    rule(AttemptKind::EmailVerificationResend, ThrottleScope::Network, 30, 15 * MINUTE),
    rule(AttemptKind::EmailVerificationResend, ThrottleScope::Subject, 5, 15 * MINUTE),
    rule(AttemptKind::EmailChange, ThrottleScope::Network, 30, 15 * MINUTE),
    rule(AttemptKind::EmailChange, ThrottleScope::Subject, 5, 15 * MINUTE),
    fixed(AttemptKind::OrderLookup, ThrottleScope::Network, 10, LOOKUP_PERIOD_SECONDS),
    fixed(AttemptKind::OrderLookup, ThrottleScope::Subject, 10, LOOKUP_PERIOD_SECONDS),
];

/// A rule with pauses that double from one second.
const fn rule(kind: AttemptKind, scope: ThrottleScope, free_attempts: i32, max_pause_seconds: i64) -> ThrottleRule {
    ThrottleRule { kind, scope, free_attempts, first_pause_seconds: 1, max_pause_seconds }
}

/// A rule with pauses of the same length.
const fn fixed(kind: AttemptKind, scope: ThrottleScope, free_attempts: i32, pause_seconds: i64) -> ThrottleRule {
    ThrottleRule { kind, scope, free_attempts, first_pause_seconds: pause_seconds, max_pause_seconds: pause_seconds }
}

/// The longest time after which a counter is reset; see [`AttemptKind::reset_after`].
pub const RESET_AFTER: Duration = Duration::hours(24);

/// How long a network counts as known to an account after a login from it.
pub const KNOWN_NETWORK_PERIOD: Duration = Duration::days(90);

impl ThrottleRule {
    /// Returns the pause after this number of attempts; none while they are free.
    pub fn pause(&self, attempts: i32) -> Option<Duration> {
        let doublings = attempts.checked_sub(self.free_attempts).filter(|over| *over >= 0)?;
        Some(Duration::seconds(self.max_pause_seconds.min(self.first_pause_seconds << doublings.min(30))))
    }

    /// Returns the counter for this network and subject; none if the rule counts by one that is missing. Its key is a
    /// hash, so that the table contains no personal data.
    pub fn counter(&'static self, network: Option<&str>, subject: Option<&str>) -> Option<Counter> {
        let (network, subject) = match self.scope {
            ThrottleScope::Both => (network?, subject?),
            ThrottleScope::Network => (network?, ""),
            ThrottleScope::Subject => ("", subject?),
        };
        let text = format!("{:?}\0{:?}\0{network}\0{subject}", self.kind, self.scope);
        let key = hex::encode(Sha256::digest(text.as_bytes()));
        Some(Counter { key, rule: self })
    }
}

/// A counter that an attempt increments.
#[derive(Debug, Clone)]
pub struct Counter {
    /// Key of its row.
    pub key: String,
    /// Its throttling rule.
    pub rule: &'static ThrottleRule,
}

/// Returns the network of an address as text: the address for IPv4, the /64 prefix (one client) for IPv6.
pub fn network(address: IpAddr) -> String {
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

    #[test]
    fn pauses_double_up_to_the_maximum() {
        let login = &RULES[0];
        let pauses: Vec<_> =
            (1..20).map(|attempts| login.pause(attempts).map_or(0, |pause| pause.num_seconds())).collect();
        assert_eq!(pauses, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900, 900]);
        assert_eq!(login.pause(i32::MAX), Some(Duration::minutes(15)));
    }

    #[test]
    fn lookups_are_blocked_for_a_quarter_of_an_hour_after_ten_failures() {
        let rules: Vec<_> = RULES.iter().filter(|rule| rule.kind == AttemptKind::OrderLookup).collect();
        assert_eq!(rules.len(), 2);
        for rule in rules {
            let pauses = [1, 9, 10, 11, i32::MAX].map(|attempts| rule.pause(attempts).map(|pause| pause.num_minutes()));
            assert_eq!(pauses, [None, None, Some(15), Some(15), Some(15)]);
            assert_eq!(rule.kind.reset_after(), Duration::minutes(15));
        }
        assert_eq!(AttemptKind::Login.reset_after(), Duration::hours(24));
    }

    #[test]
    fn a_network_is_an_ipv4_address_or_half_of_an_ipv6_one() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ] {
            assert_eq!(network(address.parse().unwrap()), expected);
        }
    }

    #[test]
    fn counter_keys_differ_by_kind_and_scope() {
        let (here, ada) = (Some("192.0.2.7"), Some("ada@souk.example"));
        let mut keys: Vec<_> = RULES.iter().map(|rule| rule.counter(here, ada).unwrap().key).collect();
        keys.extend(RULES[0].counter(here, Some("bob@souk.example")).map(|counter| counter.key));
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), RULES.len() + 1);
        let nowhere: Vec<_> =
            RULES.iter().filter(|rule| rule.counter(None, ada).is_some()).map(|rule| rule.scope).collect();
        assert!(nowhere.iter().all(|scope| *scope == ThrottleScope::Subject), "{nowhere:?}");
    }
}
