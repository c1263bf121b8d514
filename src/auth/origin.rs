//! Where a request came from, as the doors saw it.

use std::{fmt, net::IpAddr};

use super::secret;

/// Longest name of a device that is kept, in characters.
const MAX_DEVICE: usize = 300;

/// Longest id of a visitor, in characters.
const MAX_VISITOR: usize = 100;

/// A visitor who is not logged in: the SHA-256 of the id that their browser makes up and sends. It is kept with what they
/// search; the id itself is kept nowhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VisitorKey([u8; 32]);

impl VisitorKey {
    /// The visitor with this id: 1 to 100 visible characters of ASCII; nobody where it is anything else.
    pub fn from_id(id: &str) -> Option<Self> {
        let is_valid = (1..=MAX_VISITOR).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        is_valid.then(|| Self(secret::hash(id).try_into().unwrap_or_default()))
    }

    /// As hexadecimal digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Debug for VisitorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VisitorKey(..)")
    }
}

/// Where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestOrigin {
    /// The client's address; none where there is no network in between.
    pub address: Option<IpAddr>,
    /// The client's user agent, at most 300 characters.
    pub device: Option<String>,
    /// The visitor, where their browser says who.
    pub visitor: Option<VisitorKey>,
}

impl RequestOrigin {
    /// An origin; a long or odd user agent is cut and cleaned.
    pub fn new(address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let clean = |text: &str| text.chars().filter(|c| !c.is_control()).take(MAX_DEVICE).collect::<String>();
        let device = user_agent.map(clean).filter(|text| !text.trim().is_empty());
        // An IPv4 client of a dual-stack socket is the same client.
        Self { address: address.map(|address| address.to_canonical()), device, visitor: None }
    }

    /// The same, with the id that the visitor's browser sent.
    #[must_use]
    pub fn with_visitor(self, id: Option<&str>) -> Self {
        Self { visitor: id.and_then(VisitorKey::from_id), ..self }
    }
}
