//! The origin of a request: client address, device and visitor.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

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

/// Returns the network of an address, in which the addresses of one person lie: /24 of IPv4, /64 of IPv6.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8))),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
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
}

impl RequestOrigin {
    /// Creates an origin. Control characters are removed from the user agent, and long ones are truncated.
    pub fn new(address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let clean = |text: &str| text.chars().filter(|c| !c.is_control()).take(MAX_DEVICE).collect::<String>();
        let device = user_agent.map(clean).filter(|text| !text.trim().is_empty());
        // An IPv4 client of a dual-stack socket is the same client as over IPv4.
        Self { address: address.map(|address| address.to_canonical()), device, visitor: None }
    }

    /// Returns the origin with the visitor id that the browser sent.
    #[must_use]
    pub fn with_visitor(self, id: Option<&str>) -> Self {
        Self { visitor: id.and_then(VisitorKey::from_id), ..self }
    }
}
