//! Where a request came from, as the doors saw it.

use std::net::IpAddr;

/// Longest name of a device that is kept, in characters.
const MAX_DEVICE: usize = 300;

/// Where a request came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The client's address; none where there is no network in between.
    pub address: Option<IpAddr>,
    /// The client's user agent, at most 300 characters.
    pub device: Option<String>,
}

impl Origin {
    /// An origin; a long or odd user agent is cut and cleaned.
    pub fn new(address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        let clean = |text: &str| text.chars().filter(|c| !c.is_control()).take(MAX_DEVICE).collect::<String>();
        let device = user_agent.map(clean).filter(|text| !text.trim().is_empty());
        // An IPv4 client of a dual-stack socket is the same client.
        Self { address: address.map(|address| address.to_canonical()), device }
    }
}
