//! HTTP requests to URLs given by users; the protection against SSRF.
//! Rule: only http and https on their default ports; the host is resolved first, all of its addresses must be public, and the
//! connection goes to one of the checked addresses. Redirects are not followed.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::LazyLock,
    time::Duration,
};

use reqwest::{Client, Url, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Addresses to which requests may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// Public ones, and the ports 80 and 443.
    Public,
    /// All, for development.
    All,
}

/// Reason why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// A retry would fail, too.
    #[error("{0}")]
    Permanent(String),
    /// A retry may succeed.
    #[error("{0}")]
    Transient(String),
}

/// Creates an error after which a retry would fail, too.
pub fn permanent(why: impl Into<String>) -> OutboundError {
    OutboundError::Permanent(why.into())
}

/// Returns an error if an address may not be connected to.
pub type AddressCheck<'a> = &'a (dyn Fn(SocketAddr) -> Result<(), OutboundError> + Sync);

/// Parses a URL and checks everything that needs no network.
/// # Errors
/// The reason why it is rejected.
pub fn parse(url: &str, allowed: Addresses) -> Result<Url, OutboundError> {
    let url = parse_parts(url)?;
    let port = url.port_or_known_default().unwrap_or_default();
    check_port(port, allowed)?;
    // A host that is an address needs no name server.
    if let Some(address) = literal_address(&url) {
        check_address(SocketAddr::new(address, port), allowed)?;
    }
    Ok(url)
}

/// Parses a URL and checks everything but its port.
/// # Errors
/// The reason why it is rejected.
pub fn parse_parts(url: &str) -> Result<Url, OutboundError> {
    let url = Url::parse(url).map_err(|_| permanent("this is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(permanent("the URL must start with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(permanent("the URL must not contain a user name or password"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(permanent("the URL has no host"));
    }
    Ok(url)
}

fn check_port(port: u16, allowed: Addresses) -> Result<(), OutboundError> {
    let is_allowed = allowed == Addresses::All || matches!(port, 80 | 443);
    if is_allowed { Ok(()) } else { Err(permanent("the port must be 80 or 443")) }
}

/// Checks an address that a host was resolved to.
/// # Errors
/// The reason why it is rejected.
pub fn check_address(address: SocketAddr, allowed: Addresses) -> Result<(), OutboundError> {
    check_port(address.port(), allowed)?;
    let is_allowed = allowed == Addresses::All || is_public(address.ip());
    if is_allowed { Ok(()) } else { Err(permanent("the host has an address that is not public")) }
}

/// Returns a client for requests to the host of a URL, after its addresses were checked.
/// # Errors
/// The reason why it is rejected, or that the host could not be resolved.
pub async fn client_for(url: &Url, check: AddressCheck<'_>) -> Result<Client, OutboundError> {
    let host = url.host_str().ok_or_else(|| permanent("the URL has no host"))?;
    let addresses = resolve(host, url.port_or_known_default().unwrap_or(80)).await?;
    addresses.iter().try_for_each(|address| check(*address))?;
    client_of(host, &addresses)
        .map_err(|error| OutboundError::Transient(format!("the HTTP client could not be created: {error}")))
}

/// Returns the error of a request that failed, with its cause. The text of the library would repeat the URL.
pub fn request_error(error: reqwest::Error) -> OutboundError {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    OutboundError::Transient(format!("the request failed: {cause}"))
}

fn literal_address(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, OutboundError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let unknown = |_| OutboundError::Transient("the host could not be resolved".to_owned());
    let found: Vec<_> = tokio::net::lookup_host((host, port)).await.map_err(unknown)?.collect();
    if found.is_empty() { Err(OutboundError::Transient("the host has no address".to_owned())) } else { Ok(found) }
}

/// The TLS settings of all clients.
static TLS: LazyLock<ClientConfig> = LazyLock::new(|| {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("ring supports the default TLS versions")
        .with_root_certificates(roots)
        .with_no_client_auth()
});

/// Builds a client that uses only the checked addresses, so that a DNS change after the check has no effect (DNS
/// rebinding).
/// # Errors
/// If the client cannot be created.
pub fn client_of(host: &str, addresses: &[SocketAddr]) -> reqwest::Result<Client> {
    Client::builder()
        .tls_backend_preconfigured(TLS.clone())
        .resolve_to_addrs(host, addresses)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .http1_only()
        .user_agent(concat!("souk/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(5))
        .build()
}

/// Returns whether an address is on the public Internet, by the registries of special-purpose addresses (RFC 6890 and
/// its successors).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// The service of Azure that configures virtual machines, which is reached from these only. Its address is a public one.
const AZURE_WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match (a, b, c) {
        // This network, private, loopback, multicast and reserved.
        (0 | 10 | 127 | 224.., ..) => true,
        // Carrier-grade NAT, link-local including cloud metadata services, private, benchmarks.
        (100, 64..=127, _) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _) | (198, 18 | 19, _) => true,
        // Protocol assignments, documentation, the deprecated 6to4 relays.
        (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (192, 88, 99) => true,
        _ => false,
    };
    !is_special && address != AZURE_WIRE_SERVER
}

/// Only 2000::/3 is allocated. Special ranges in it: protocol assignments including Teredo, documentation, and 6to4,
/// which embeds arbitrary IPv4 addresses. IPv4-mapped, NAT64, private and link-local addresses are outside of it.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let is_special = (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    (a & 0xe000) == 0x2000 && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        let public = ["1.1.1.1", "8.8.8.8", "100.63.0.1", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "2a00:1450::1"];
        let special = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "::127.0.0.1",
            "64:ff9b::808:808",
            "64:ff9b:1::7f00:1",
            "100::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
        ];
        for address in public {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in special {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn invalid_urls_are_rejected_before_any_connection() {
        let good = ["http://shop.example/a.jpg", "https://shop.example:443/a.jpg", "https://shop.example:80/"];
        for url in good {
            assert!(parse(url, Addresses::Public).is_ok(), "{url}");
        }
        let bad = [
            "",
            "a.jpg",
            "ftp://shop.example/a.jpg",
            "file:///etc/passwd",
            "gopher://x/",
            "data:image/png;base64,AAAA",
            "http://shop.example:8080/a.jpg",
            "http://shop.example:22/",
            "http://user:secret@shop.example/a.jpg",
            "http://user@shop.example/",
        ];
        for url in bad {
            assert!(matches!(parse(url, Addresses::Public), Err(OutboundError::Permanent(_))), "{url}");
        }
    }
}
