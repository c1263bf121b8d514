//! The origin of a request: client address, device and visitor.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::secret;

/// Maximum length of a stored device name, in characters.
const MAX_DEVICE: usize = 300;

/// Maximum length of a visitor id, in characters.
const MAX_VISITOR: usize = 100;

/// A visitor who is not logged in: the SHA-256 of an id that their browser generates and sends. The hash is stored with
/// their searches; the id itself is never stored.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VisitorKey([u8; 32]);

impl VisitorKey {
    /// Returns the visitor with this id, 1 to 100 visible ASCII characters; none for anything else.
    pub fn from_id(id: &str) -> Option<Self> {
        let is_valid = (1..=MAX_VISITOR).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        is_valid.then(|| Self(secret::hash(id).try_into().unwrap_or_default()))
    }

    /// Returns the key as hexadecimal digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Debug for VisitorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VisitorKey(..)")
    }
}

/// Returns the network of an address, in which the addresses of one person lie: its /24 prefix for IPv4, its /64 prefix for
/// IPv6, which is the smallest that providers assign to a customer.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8))),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

/// Hashes networks with a key, so that who knows only the hashes cannot find out the networks: there are few enough to try
/// all.
#[derive(Clone)]
pub struct NetworkHasher([u8; 32]);

impl NetworkHasher {
    /// Creates a hasher with this key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Returns the hash of the network of an address.
    pub fn hash(&self, address: IpAddr) -> NetworkKey {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(network(address).to_string().as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        NetworkKey(key)
    }
}

/// The keyed hash of a network.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NetworkKey([u8; 16]);

impl NetworkKey {
    /// Returns the key as hexadecimal digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Debug for NetworkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NetworkKey(..)")
    }
}

/// The origin of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestOrigin {
    /// IP address of the client; none if the request did not come over the network.
    pub address: Option<IpAddr>,
    /// User agent of the client, at most 300 characters.
    pub device: Option<String>,
    /// Visitor, if the browser sent an id.
    pub visitor: Option<VisitorKey>,
    /// Whether limits do not count what is sent from the address: many clients share it, such as that of a front-end server,
    /// or limits are off.
    pub is_exempt: bool,
}

impl RequestOrigin {
    /// Creates an origin. Control characters are removed from the user agent, and long ones are truncated.
    pub fn new(address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let clean = |text: &str| text.chars().filter(|c| !c.is_control()).take(MAX_DEVICE).collect::<String>();
        let device = user_agent.map(clean).filter(|text| !text.trim().is_empty());
        // An IPv4 client of a dual-stack socket is the same client as over IPv4.
        Self { address: address.map(|address| address.to_canonical()), device, visitor: None, is_exempt: false }
    }

    /// Returns the origin with the visitor id that the browser sent.
    #[must_use]
    pub fn with_visitor(self, id: Option<&str>) -> Self {
        Self { visitor: id.and_then(VisitorKey::from_id), ..self }
    }

    /// Returns the origin, exempt from limits of its address or not.
    #[must_use]
    pub fn with_exemption(self, is_exempt: bool) -> Self {
        Self { is_exempt, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_one_network_are_one_client() {
        for (address, expected) in [
            ("192.0.2.7", "192.0.2.0"),
            ("::ffff:192.0.2.200", "192.0.2.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("2001:db8:1:3::9", "2001:db8:1:3::"),
        ] {
            assert_eq!(network(address.parse().unwrap()).to_string(), expected);
        }
    }

    #[test]
    fn addresses_of_a_network_have_one_hash() {
        let (hasher, other) = (NetworkHasher::new([1; 32]), NetworkHasher::new([2; 32]));
        let hash = |address: &str| hasher.hash(address.parse().unwrap());
        assert_eq!(hash("203.0.113.5"), hash("203.0.113.200"));
        assert_eq!(hash("203.0.113.5"), hash("::ffff:203.0.113.5"));
        assert_ne!(hash("203.0.113.5"), hash("203.0.112.5"));
        assert_eq!(hash("2001:db8:1:2::1"), hash("2001:db8:1:2:ffff::9"));
        assert_ne!(hash("2001:db8:1:2::1"), hash("2001:db8:1:3::1"));
        assert_ne!(hash("203.0.113.5"), other.hash("203.0.113.5".parse().unwrap()), "the key is secret");
    }
}
