//! Fetching a picture by its URL, which somebody else wrote.
//! Rule: only http and https, on their own ports; a name is resolved first, all of its addresses must be public, and the
//! connection goes to one of those that were checked. Each redirect starts over.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use reqwest::{Client, Response, StatusCode, Url, header, redirect};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Most redirects.
const MAX_REDIRECTS: usize = 5;
/// Longest time for one picture, redirects included.
const MAX_TIME: Duration = Duration::from_secs(20);

/// What may be fetched.
#[derive(Debug, Clone, Copy)]
pub struct FetchPolicy {
    /// Most bytes.
    pub max_bytes: u64,
    /// Whether private addresses and any port are as good as others: for development.
    pub allow_private: bool,
}

/// Why nothing was fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It never will be.
    #[error("{0}")]
    Permanent(String),
    /// It may go better another time.
    #[error("{0}")]
    Transient(String),
}

fn permanent(why: impl Into<String>) -> FetchError {
    FetchError::Permanent(why.into())
}

/// The bytes at a URL.
/// # Errors
/// Why there are none.
pub async fn fetch(url: &str, policy: FetchPolicy) -> Result<Vec<u8>, FetchError> {
    let late = |_| FetchError::Transient(format!("it took longer than {} s", MAX_TIME.as_secs()));
    tokio::time::timeout(MAX_TIME, follow(url, policy)).await.map_err(late)?
}

async fn follow(url: &str, policy: FetchPolicy) -> Result<Vec<u8>, FetchError> {
    let mut url = parse(url, policy)?;
    for _ in 0..=MAX_REDIRECTS {
        let response = get(&url, policy).await?;
        let status = response.status();
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            let target = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let target = target.ok_or_else(|| permanent("a redirect to nowhere"))?;
            let target = url.join(target).map_err(|_| permanent("a redirect to what is no URL"))?;
            url = parse(target.as_str(), policy)?;
            continue;
        }
        return match status {
            StatusCode::OK => body(response, policy.max_bytes).await,
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                Err(FetchError::Transient(format!("the server answered {}", status.as_u16())))
            }
            status => Err(permanent(format!("the server answered {}", status.as_u16()))),
        };
    }
    Err(permanent(format!("more than {MAX_REDIRECTS} redirects")))
}

/// Reads a URL and judges all of it that needs no network.
/// # Errors
/// Why it is not fetched.
pub fn parse(url: &str, policy: FetchPolicy) -> Result<Url, FetchError> {
    let url = Url::parse(url).map_err(|_| permanent("this is no URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(permanent("only http and https are fetched"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(permanent("a URL with a password is not fetched"));
    }
    // The URL knows no port where it is the scheme's own.
    if url.port().is_some() && !policy.allow_private && !matches!(url.port(), Some(80 | 443)) {
        return Err(permanent("only the ports 80 and 443 are fetched from"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(permanent("the URL names no host"));
    }
    Ok(url)
}

/// One request to an address that was checked.
async fn get(url: &Url, policy: FetchPolicy) -> Result<Response, FetchError> {
    let host = url.host_str().ok_or_else(|| permanent("the URL names no host"))?;
    let addresses = resolve(host, url.port_or_known_default().unwrap_or(80)).await?;
    if !policy.allow_private && !addresses.iter().all(|address| is_public(address.ip())) {
        return Err(permanent("the host has an address that is not public"));
    }
    let client = client(host, &addresses).map_err(|error| FetchError::Transient(format!("no client: {error}")))?;
    let request =
        client.get(url.clone()).header(header::ACCEPT, "image/webp,image/png,image/jpeg,image/gif;q=0.9,*/*;q=0.1");
    // The error's own text would repeat the URL.
    request.send().await.map_err(|error| FetchError::Transient(format!("no answer: {}", error.without_url())))
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, FetchError> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let unknown = |_| FetchError::Transient("the host is not known".to_owned());
    let found: Vec<_> = tokio::net::lookup_host((host, port)).await.map_err(unknown)?.collect();
    if found.is_empty() { Err(FetchError::Transient("the host has no address".to_owned())) } else { Ok(found) }
}

/// A client that knows these addresses of the host and asks nobody else for them: a name that means something else a moment
/// later means it in vain.
fn client(host: &str, addresses: &[SocketAddr]) -> reqwest::Result<Client> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = ClientConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("ring knows the default versions of TLS")
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
        let broken =
            |error: reqwest::Error| FetchError::Transient(format!("the answer broke off: {}", error.without_url()));
        let Some(chunk) = response.chunk().await.map_err(broken)? else { return Ok(bytes) };
        if bytes.len() as u64 + chunk.len() as u64 > max_bytes {
            return Err(too_long());
        }
        bytes.extend_from_slice(&chunk);
    }
}

/// Whether an address is one of the public Internet, by the registries of special addresses (RFC 6890 and its successors).
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
        // Carrier-grade NAT, link-local with the metadata of clouds, private, benchmarks.
        (100, 64..=127, _) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _) | (198, 18 | 19, _) => true,
        // Protocol assignments, documentation, the old relays of 6to4.
        (192, 0, 0 | 2) | (198, 51, 100) | (203, 0, 113) | (192, 88, 99) => true,
        _ => false,
    };
    !is_special
}

/// Only 2000::/3 is given out. Of it are special: protocol assignments with Teredo, documentation, and 6to4, which wraps any
/// address of version 4. Those mapped from version 4 and of NAT64 lie outside, and so do private and link-local ones.
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
    fn what_a_url_must_not_be_is_seen_before_any_network() {
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
    async fn no_spelling_of_a_private_address_is_asked() {
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
