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
    let late = |_| FetchError::Transient(format!("the download took longer than {} s", MAX_TIME.as_secs()));
    tokio::time::timeout(MAX_TIME, follow(url, policy)).await.map_err(late)?
}

async fn follow(url: &str, policy: FetchPolicy) -> Result<Vec<u8>, FetchError> {
    let mut url = parse(url, policy)?;
    for _ in 0..=MAX_REDIRECTS {
        let response = get(&url, policy).await?;
        let status = response.status();
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            let target = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let target = target.ok_or_else(|| permanent("the redirect has no location"))?;
            let target = url.join(target).map_err(|_| permanent("the redirect location is not a URL"))?;
            url = parse(target.as_str(), policy)?;
            continue;
        }
        return match status {
            StatusCode::OK => body(response, policy.max_bytes).await,
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
    let url = Url::parse(url).map_err(|_| permanent("this is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(permanent("the URL must start with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(permanent("the URL must not contain a user name or password"));
    }
    // `port()` is none for the scheme's default port.
    if url.port().is_some() && !policy.allow_private && !matches!(url.port(), Some(80 | 443)) {
        return Err(permanent("the port must be 80 or 443"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(permanent("the URL has no host"));
    }
    Ok(url)
}

/// Sends one request to a checked address.
async fn get(url: &Url, policy: FetchPolicy) -> Result<Response, FetchError> {
    let host = url.host_str().ok_or_else(|| permanent("the URL has no host"))?;
    let addresses = resolve(host, url.port_or_known_default().unwrap_or(80)).await?;
    if !policy.allow_private && !addresses.iter().all(|address| is_public(address.ip())) {
        return Err(permanent("the host has an address that is not public"));
    }
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
    !is_special
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

    const POLICY: FetchPolicy = FetchPolicy { max_bytes: 10, allow_private: false };

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        let public = ["1.1.1.1", "8.8.8.8", "100.63.0.1", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "2a00:1450::1"];
        let special = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
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
            assert!(parse(url, POLICY).is_ok(), "{url}");
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
            assert!(matches!(parse(url, POLICY), Err(FetchError::Permanent(_))), "{url}");
        }
    }

    #[tokio::test]
    async fn no_spelling_of_a_private_address_is_fetched() {
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "127.1",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "localhost",
            "169.254.169.254",
        ] {
            let failed = fetch(&format!("http://{host}/latest/meta-data"), POLICY).await;
            assert!(
                matches!(&failed, Err(FetchError::Permanent(why)) if why.contains("not public")),
                "{host}: {failed:?}"
            );
        }
    }
}
