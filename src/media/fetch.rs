//! Downloads images from URLs given by users; the protection against SSRF.
//! Rule: only http and https on their default ports; the host is resolved first, all of its addresses must be public,
//! and the connection goes to one of the checked addresses. Each redirect is checked again.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use reqwest::{Client, Response, StatusCode, Url, header, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Maximum number of redirects.
const MAX_REDIRECTS: usize = 5;
/// Timeout per image, including redirects.
const MAX_TIME: Duration = Duration::from_secs(20);

/// Limits of downloads.
#[derive(Debug, Clone, Copy)]
pub struct FetchPolicy {
    /// Maximum size in bytes.
    pub max_bytes: u64,
    /// Whether private addresses and other ports are allowed, for development.
    pub allow_private: bool,
}

/// Reason why a download failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// A retry would fail, too.
    #[error("{0}")]
    Permanent(String),
    /// A retry may succeed.
    #[error("{0}")]
    Transient(String),
}

fn permanent(why: impl Into<String>) -> FetchError {
    FetchError::Permanent(why.into())
}

/// Downloads the file at a URL.
/// # Errors
/// The reason why it failed.
pub async fn fetch(url: &str, policy: FetchPolicy) -> Result<Vec<u8>, FetchError> {
    let url = parse(url, policy)?;
    follow(url, policy.max_bytes, MAX_TIME, &|address| check_address(address, policy)).await
}

/// Returns an error if an address may not be connected to.
type AddressCheck<'a> = &'a (dyn Fn(SocketAddr) -> Result<(), FetchError> + Sync);

async fn follow(url: Url, max_bytes: u64, max_time: Duration, check: AddressCheck<'_>) -> Result<Vec<u8>, FetchError> {
    let late = |_| FetchError::Transient(format!("the download took longer than {} s", max_time.as_secs()));
    tokio::time::timeout(max_time, follow_redirects(url, max_bytes, check)).await.map_err(late)?
}

async fn follow_redirects(mut url: Url, max_bytes: u64, check: AddressCheck<'_>) -> Result<Vec<u8>, FetchError> {
    for _ in 0..=MAX_REDIRECTS {
        let response = get(&url, check).await?;
        let status = response.status();
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            let target = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let target = target.ok_or_else(|| permanent("the redirect has no location"))?;
            let target = url.join(target).map_err(|_| permanent("the redirect location is not a URL"))?;
            url = parse_parts(target.as_str())?;
            continue;
        }
        return match status {
            StatusCode::OK => body(response, max_bytes).await,
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(FetchError::Transient(format!("the server responded with status {}", status.as_u16())))
            }
            status => Err(permanent(format!("the server responded with status {}", status.as_u16()))),
        };
    }
    Err(permanent(format!("more than {MAX_REDIRECTS} redirects")))
}

/// Parses a URL and checks everything that needs no network.
/// # Errors
/// The reason why it is rejected.
pub fn parse(url: &str, policy: FetchPolicy) -> Result<Url, FetchError> {
    let url = parse_parts(url)?;
    check_port(url.port_or_known_default().unwrap_or_default(), policy)?;
    Ok(url)
}

/// Parses a URL and checks everything but its port.
fn parse_parts(url: &str) -> Result<Url, FetchError> {
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

fn check_port(port: u16, policy: FetchPolicy) -> Result<(), FetchError> {
    let is_allowed = policy.allow_private || matches!(port, 80 | 443);
    if is_allowed { Ok(()) } else { Err(permanent("the port must be 80 or 443")) }
}

/// Checks an address that a host was resolved to.
fn check_address(address: SocketAddr, policy: FetchPolicy) -> Result<(), FetchError> {
    check_port(address.port(), policy)?;
    let is_allowed = policy.allow_private || is_public(address.ip());
    if is_allowed { Ok(()) } else { Err(permanent("the host has an address that is not public")) }
}

/// Sends one request to a checked address.
async fn get(url: &Url, check: AddressCheck<'_>) -> Result<Response, FetchError> {
    let host = url.host_str().ok_or_else(|| permanent("the URL has no host"))?;
    let addresses = resolve(host, url.port_or_known_default().unwrap_or(80)).await?;
    addresses.iter().try_for_each(|address| check(*address))?;
    let client = client(host, &addresses)
        .map_err(|error| FetchError::Transient(format!("the HTTP client could not be created: {error}")))?;
    let request =
        client.get(url.clone()).header(header::ACCEPT, "image/webp,image/png,image/jpeg,image/gif;q=0.9,*/*;q=0.1");
    // The error's own text would repeat the URL.
    request.send().await.map_err(|error| FetchError::Transient(format!("the request failed: {}", error.without_url())))
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, FetchError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let unknown = |_| FetchError::Transient("the host could not be resolved".to_owned());
    let found: Vec<_> = tokio::net::lookup_host((host, port)).await.map_err(unknown)?.collect();
    if found.is_empty() { Err(FetchError::Transient("the host has no address".to_owned())) } else { Ok(found) }
}

/// Builds a client that uses only the checked addresses, so that a DNS change after the check has no effect (DNS
/// rebinding).
fn client(host: &str, addresses: &[SocketAddr]) -> reqwest::Result<Client> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("ring supports the default TLS versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .resolve_to_addrs(host, addresses)
        .redirect(redirect::Policy::none())
        .no_proxy()
        .http1_only()
        .user_agent(concat!("souk/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(5))
        .build()
}

async fn body(mut response: Response, max_bytes: u64) -> Result<Vec<u8>, FetchError> {
    let too_long = || permanent(format!("the file is larger than {max_bytes} bytes"));
    if response.content_length().is_some_and(|length| length > max_bytes) {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    loop {
        let broken = |error: reqwest::Error| {
            FetchError::Transient(format!("the response was interrupted: {}", error.without_url()))
        };
        let Some(chunk) = response.chunk().await.map_err(broken)? else { return Ok(bytes) };
        if bytes.len() as u64 + chunk.len() as u64 > max_bytes {
            return Err(too_long());
        }
        bytes.extend_from_slice(&chunk);
    }
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
mod tests;
