//! The origin of a request: IP address, user agent and visitor id, and whether limits count what the address sends.
//! Rule: `X-Forwarded-For` is trusted only as far as the shop's own proxies wrote it; clients can forge the rest.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{HeaderMap, header, request::Parts},
};

use super::header_names::X_VISITOR_ID;
use crate::{auth::RequestOrigin, config::HttpSettings};

/// Returns the origin of a request.
pub fn origin(parts: &Parts, settings: &HttpSettings) -> RequestOrigin {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let address = match settings.trusted_proxies {
        0 => peer,
        trusted => forwarded_address(&parts.headers, trusted, peer),
    };
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let visitor = parts.headers.get(X_VISITOR_ID).and_then(|value| value.to_str().ok());
    let origin = RequestOrigin::new(address, user_agent).with_visitor(visitor);
    let is_exempt = settings.rates.is_exempt(origin.address);
    origin.with_exemption(is_exempt)
}

/// Returns the client address from `X-Forwarded-For`. Each proxy appends the address of its peer, so only the last
/// `trusted_proxies` entries are reliable; the first of them is the client. Clients write the others, in any bytes. A request
/// with fewer entries did not pass through all proxies and comes from `peer`; one whose entry is no address has none.
fn forwarded_address(headers: &HeaderMap, trusted_proxies: usize, peer: Option<IpAddr>) -> Option<IpAddr> {
    let lines = headers.get_all("x-forwarded-for").iter();
    let chain: Vec<&[u8]> = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).collect();
    let Some(entry) = chain.len().checked_sub(trusted_proxies) else { return peer };
    let text = str::from_utf8(chain.get(entry)?.trim_ascii()).ok()?;
    // Of a link-local address, the proxy may append the interface.
    let address = text.split_once('%').map_or(text, |(address, _)| address);
    address.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_entry_of_the_first_trusted_proxy_counts_whatever_the_client_wrote() {
        let peer: Option<IpAddr> = "127.0.0.1".parse().ok();
        for (lines, trusted, expected) in [
            (&[b"192.0.2.7".as_slice()][..], 1, "192.0.2.7"),
            (&[b"10.0.0.1, 192.0.2.7"], 1, "192.0.2.7"),
            (&[b"192.0.2.7, 10.0.0.1"], 2, "192.0.2.7"),
            (&[b"\xff, 192.0.2.7"], 1, "192.0.2.7"),
            (&[b"\xff", b"192.0.2.7"], 1, "192.0.2.7"),
            (&[b"127.0.0.1,\xfe\xff ,\t192.0.2.7 "], 1, "192.0.2.7"),
            (&[b"[2001:db8::7]:443"], 1, "2001:db8::7"),
            (&[b"fe80::1%eth0"], 1, "fe80::1"),
            (&[b"192.0.2.7:443"], 1, "192.0.2.7"),
            (&[], 1, "127.0.0.1"),
            (&[b"192.0.2.7"], 2, "127.0.0.1"),
            (&[b"192.0.2.7, garbage"], 1, "none"),
            (&[b"192.0.2.7, \xff"], 1, "none"),
            (&[b"192.0.2.7,"], 1, "none"),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", HeaderValue::from_bytes(line).unwrap());
            }
            let found = forwarded_address(&headers, trusted, peer);
            assert_eq!(found.map_or("none".to_owned(), |address| address.to_string()), expected, "{lines:?}");
        }
    }
}
