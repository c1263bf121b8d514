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
    let address = forwarded_address(&parts.headers, settings.trusted_proxies).or(peer);
    let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let visitor = parts.headers.get(X_VISITOR_ID).and_then(|value| value.to_str().ok());
    let origin = RequestOrigin::new(address, user_agent).with_visitor(visitor);
    let is_exempt = settings.rates.is_exempt(origin.address);
    origin.with_exemption(is_exempt)
}

/// Returns the client address from `X-Forwarded-For`. Each proxy appends the address of its peer, so only the last
/// `trusted_proxies` entries are reliable; the first of them is the client.
fn forwarded_address(headers: &HeaderMap, trusted_proxies: usize) -> Option<IpAddr> {
    let lines = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let chain: Vec<&str> = lines.flat_map(|line| line.split(',')).map(str::trim).collect();
    let entry = chain.len().checked_sub(trusted_proxies).filter(|_| trusted_proxies > 0)?;
    let text = chain.get(entry)?;
    text.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}
